//! Promise: activations keep the error bounds that `gatelet::math` publishes, over every input and on every backend.

use gatelet::math::{self, OutputActivation};
use gatelet::simd::{Backend, BackendKind, Visitor, dispatch_on};
use gatelet::{Sigmoid, Softmax, Tanh};
use std::ops::RangeInclusive;

const BOUND: f64 = 2.5e-7;

struct Function {
    name: &'static str,
    /// Of each number, in place.
    apply: fn(BackendKind, &mut [f32]),
    /// Whether a backend has it for itself.
    has: fn(BackendKind) -> bool,
    reference: fn(f64) -> f64,
    /// The error of one result against the reference.
    error: fn(f64, f64) -> f64,
    bound: f64,
    /// For which numbers.
    inputs: fn(f32) -> bool,
    results: RangeInclusive<f32>,
}

const FUNCTIONS: [Function; 4] = [
    Function {
        name: "tanh",
        apply: |kind, values| on(kind, Tanh, values),
        has: BackendKind::is_available,
        reference: f64::tanh,
        error: absolute,
        bound: BOUND,
        inputs: |_| true,
        results: -1.0..=1.0,
    },
    Function {
        name: "sigmoid",
        apply: |kind, values| on(kind, Sigmoid, values),
        has: BackendKind::is_available,
        reference: |x| 1.0 / (1.0 + (-x).exp()),
        error: absolute,
        bound: BOUND,
        inputs: |_| true,
        results: 0.0..=1.0,
    },
    Function {
        name: "exp",
        apply: |_, values| values.iter_mut().for_each(|x| *x = math::exp(*x)),
        has: |kind| kind == BackendKind::Scalar,
        reference: f64::exp,
        error: relative,
        bound: BOUND,
        inputs: |_| true,
        results: 0.0..=f32::INFINITY,
    },
    // A backend's exponentials, as far as they can be seen: each is divided by the same sum, and here by e⁰ over that sum. The
    // numbers are those for which neither quotient is denormal.
    Function {
        name: "softmax",
        apply: |kind, values| {
            for values in values.chunks_mut(66) {
                let mut room = [0.0; 67];
                let room = &mut room[..=values.len()];
                room[1..].copy_from_slice(values);
                on(kind, Softmax, room);
                let (first, rest) = room.split_at(1);
                values.iter_mut().zip(rest).for_each(|(to, y)| *to = y / first[0]);
            }
        },
        has: BackendKind::is_available,
        reference: f64::exp,
        error: relative,
        bound: BOUND + 3.0 * 0.6e-7, // three quotients, each rounded
        inputs: |x| (-80.0..=0.0).contains(&x),
        results: 0.0..=1.0,
    },
];

/// Applies an activation on a backend that this machine has.
fn on(kind: BackendKind, activation: impl OutputActivation, values: &mut [f32]) {
    struct Apply<'a, A>(A, &'a mut [f32]);
    impl<A: OutputActivation> Visitor for Apply<'_, A> {
        type Out = ();
        fn visit<B: Backend>(self, b: B) {
            self.0.apply_all(b, self.1);
        }
    }
    dispatch_on(kind, Apply(activation, values)).unwrap();
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

/// The largest error over `inputs` on each backend, and where it is. The inputs are given to the function as many at a time as
/// `lengths` says, again and again.
fn worst(
    function: &Function,
    inputs: RangeInclusive<u32>,
    step: usize,
    lengths: RangeInclusive<usize>,
) -> Vec<(BackendKind, f64, f32)> {
    let mut worst: Vec<_> =
        BackendKind::ALL.into_iter().filter(|&kind| (function.has)(kind)).map(|kind| (kind, 0.0, 0.0)).collect();
    let mut inputs = inputs.step_by(step).map(f32::from_bits).filter(|&x| (function.inputs)(x));
    let (mut xs, mut expected, mut ys) = (Vec::new(), Vec::new(), Vec::new());
    for length in lengths.cycle() {
        xs.clear();
        xs.extend(inputs.by_ref().take(length));
        if xs.is_empty() {
            break;
        }
        expected.clear();
        expected.extend(xs.iter().map(|&x| (function.reference)(x.into())));
        for (kind, largest, place) in &mut worst {
            ys.clone_from(&xs);
            (function.apply)(*kind, &mut ys);
            for ((&x, &y), &expected) in xs.iter().zip(&ys).zip(&expected) {
                if x.is_nan() {
                    assert!(y.is_nan(), "{}({x}) is {y} on {kind}", function.name);
                    continue;
                }
                assert!(function.results.contains(&y), "{}({x}) is {y} on {kind}", function.name);
                let error = (function.error)(y.into(), expected);
                if error > *largest {
                    (*largest, *place) = (error, x);
                }
            }
        }
    }
    worst
}

impl Function {
    #[track_caller]
    fn assert_bound(&self, (kind, error, x): (BackendKind, f64, f32)) {
        assert!(error <= self.bound, "{}({x}) is off by {error:e} on {kind}", self.name);
    }
}

/// In slices of every length, so that all widths of a backend take part.
#[test]
fn a_million_inputs_keep_the_bound() {
    for function in &FUNCTIONS {
        for worst in worst(function, 0..=u32::MAX, 4099, 1..=67) {
            function.assert_bound(worst);
        }
    }
}

#[test]
#[ignore = "some minutes: every f32 there is; run in release"]
fn every_input_keeps_the_bound() {
    for function in &FUNCTIONS {
        let halves = std::thread::scope(|scope| {
            [0..=u32::MAX / 2, u32::MAX / 2 + 1..=u32::MAX]
                .map(|half| scope.spawn(|| worst(function, half, 1, 4096..=4096)))
                .map(|half| half.join().unwrap())
        });
        for (a, b) in halves[0].iter().zip(&halves[1]) {
            let (kind, error, x) = if a.1 > b.1 { *a } else { *b };
            println!("{:8} {:8} {error:.3e} at {x:e}", function.name, kind.name());
            function.assert_bound((kind, error, x));
        }
    }
}

/// Of each number on each backend that this machine has.
fn tanh_everywhere(xs: &[f32]) -> Vec<(BackendKind, Vec<f32>)> {
    let tanh = |kind| {
        let mut ys = xs.to_vec();
        on(kind, Tanh, &mut ys);
        (kind, ys)
    };
    BackendKind::ALL.into_iter().filter(|kind| kind.is_available()).map(tanh).collect()
}

#[test]
fn tanh_is_odd_to_the_bit() {
    let xs: Vec<_> = (0..=f32::INFINITY.to_bits()).step_by(997).map(f32::from_bits).collect();
    let negative: Vec<_> = xs.iter().map(|x| -x).collect();
    for ((kind, above), (_, below)) in tanh_everywhere(&xs).iter().zip(tanh_everywhere(&negative)) {
        for ((x, above), below) in xs.iter().zip(above).zip(below) {
            assert_eq!(below.to_bits(), (-above).to_bits(), "tanh at {x} on {kind}");
        }
    }
}

#[test]
fn tanh_is_relatively_exact_near_zero() {
    let xs: Vec<_> = (-30..-3).map(|exponent| 1.2345 * 2f32.powi(exponent)).collect();
    for (kind, ys) in tanh_everywhere(&xs) {
        for (x, y) in xs.iter().zip(ys) {
            let reference = f64::from(*x).tanh();
            assert!((f64::from(y) / reference - 1.0).abs() < 4e-7, "at {x} on {kind}");
        }
    }
}

#[test]
fn functions_of_one_number_are_the_scalar_backend() {
    for x in (0..=u32::MAX).step_by(40_009).map(f32::from_bits).filter(|x| !x.is_nan()) {
        let mut one = [x, x];
        on(BackendKind::Scalar, Tanh, &mut one[..1]);
        on(BackendKind::Scalar, Sigmoid, &mut one[1..]);
        assert_eq!(one.map(f32::to_bits), [math::tanh(x), math::sigmoid(x)].map(f32::to_bits), "at {x}");
    }
}
