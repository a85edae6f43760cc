//! Promise: activations keep the error bounds that `gatelet::math` publishes, over every input.

use gatelet::math::{exp, sigmoid, tanh};

const BOUND: f64 = 2.5e-7;

struct Function {
    name: &'static str,
    ours: fn(f32) -> f32,
    reference: fn(f64) -> f64,
    /// The error of one result against the reference.
    error: fn(f64, f64) -> f64,
    range: std::ops::RangeInclusive<f32>,
}

fn absolute(ours: f64, reference: f64) -> f64 {
    (ours - reference).abs()
}

/// Results that are no normal number are compared as such: zero below, infinity above.
fn relative(ours: f64, reference: f64) -> f64 {
    if reference < 2f64.powf(-125.5) * (1.0 + 1e-5) {
        if ours < 2f64.powf(-125.4) { 0.0 } else { f64::INFINITY }
    } else if reference > f64::from(f32::MAX) * (1.0 - 1e-6) {
        if ours > f64::from(f32::MAX) * (1.0 - 1e-6) { 0.0 } else { f64::INFINITY }
    } else {
        (ours / reference - 1.0).abs()
    }
}

const FUNCTIONS: [Function; 3] = [
    Function { name: "tanh", ours: tanh, reference: f64::tanh, error: absolute, range: -1.0..=1.0 },
    Function {
        name: "sigmoid",
        ours: sigmoid,
        reference: |x| 1.0 / (1.0 + (-x).exp()),
        error: absolute,
        range: 0.0..=1.0,
    },
    Function { name: "exp", ours: exp, reference: f64::exp, error: relative, range: 0.0..=f32::INFINITY },
];

/// The largest error over `inputs`, and where it is.
fn worst(function: &Function, inputs: impl Iterator<Item = u32>) -> (f64, f32) {
    let mut worst = (0.0, 0.0);
    for bits in inputs {
        let x = f32::from_bits(bits);
        let y = (function.ours)(x);
        if x.is_nan() {
            assert!(y.is_nan(), "{}({x}) is {y}", function.name);
            continue;
        }
        assert!(function.range.contains(&y), "{}({x}) is {y}", function.name);
        let error = (function.error)(y.into(), (function.reference)(x.into()));
        if error > worst.0 {
            worst = (error, x);
        }
    }
    worst
}

#[test]
fn a_million_inputs_keep_the_bound() {
    for function in &FUNCTIONS {
        let (error, x) = worst(function, (0..=u32::MAX).step_by(4099));
        assert!(error <= BOUND, "{}({x}) is off by {error:e}", function.name);
    }
}

#[test]
#[ignore = "two minutes: every f32 there is; run in release"]
fn every_input_keeps_the_bound() {
    for function in &FUNCTIONS {
        let halves = std::thread::scope(|scope| {
            [0..=u32::MAX / 2, u32::MAX / 2 + 1..=u32::MAX]
                .map(|half| scope.spawn(|| worst(function, half)))
                .map(|half| half.join().unwrap())
        });
        let (error, x) = if halves[0].0 > halves[1].0 { halves[0] } else { halves[1] };
        println!("{:8} {error:.3e} at {x:e}", function.name);
        assert!(error <= BOUND, "{}({x}) is off by {error:e}", function.name);
    }
}

#[test]
fn tanh_is_odd_to_the_bit() {
    for bits in (0..=f32::INFINITY.to_bits()).step_by(997) {
        let x = f32::from_bits(bits);
        assert_eq!(tanh(-x).to_bits(), (-tanh(x)).to_bits(), "tanh at {x}");
    }
}

#[test]
fn tanh_is_relatively_exact_near_zero() {
    for exponent in -30..-3 {
        let x = 1.2345 * 2f32.powi(exponent);
        let reference = f64::from(x).tanh();
        assert!((f64::from(tanh(x)) / reference - 1.0).abs() < 4e-7, "at {x}");
    }
}
