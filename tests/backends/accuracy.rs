//! Within 1e-6 of the equations, at every size.

use crate::oracle::{Oracle, activate};
use crate::{CELLS, SIZES, bits, dense, on_every_backend, random_network, recurrent, uniform};
use gatelet::math::{ActivationKind, OutputKind};
use gatelet::network::{Cell, Recurrent};
use nalgebra::DVector;
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The largest error of one step from a random state on any backend; |x| ≤ 1, |h| ≤ 1, |c| ≤ 2. An error counts in units of
/// the number it is an error of, if that is larger than 1.
fn error_of_a_step(layer: Recurrent, seed: u64) -> f64 {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let network = random_network(rng, vec![recurrent(layer)]);
    let inference = network.inference();
    let mut oracle = Oracle::new(layer, network.parameters());
    let x = uniform(rng, 1.0, layer.inputs);
    let h = uniform(rng, 1.0, layer.units);
    let mut c = uniform(rng, 2.0, layer.units);
    c.truncate(if layer.cell == Cell::Lstm { layer.units } else { 0 });
    let before = [h, c].concat();

    for (to, from) in oracle.h.iter_mut().chain(oracle.c.iter_mut()).zip(&before) {
        *to = f64::from(*from);
    }
    oracle.step(&x);
    let expected: Vec<f64> = oracle.h.iter().chain(oracle.c.iter()).copied().collect();

    let mut worst = 0.0_f64;
    on_every_backend(|kind| {
        let mut state = inference.zero_state();
        state.values_mut().copy_from_slice(&before);
        let mut y = vec![0.0; layer.units];
        inference.step(&mut state, &x, &mut y);
        assert_eq!(bits(&y), bits(&state.values()[..layer.units]), "{kind}: the output is the hidden state");
        for (i, (&value, &expected)) in state.values().iter().zip(&expected).enumerate() {
            let error = (f64::from(value) - expected).abs() / expected.abs().max(1.0);
            assert!(error <= 1e-6, "{kind}, {layer:?}: {value} instead of {expected} at {i}");
            worst = worst.max(error);
        }
    });
    worst
}

#[test]
fn one_step_is_within_1e_6_of_the_equations_at_every_size() {
    for cell in CELLS {
        let mut worst = 0.0_f64;
        for units in SIZES {
            // As many inputs as units and more, and few.
            for inputs in [units, 1 + 29 * units % 67] {
                worst = worst.max(error_of_a_step(Recurrent::new(cell, inputs, units), units as u64));
            }
        }
        println!("{cell:?}: {worst:.1e}");
    }
}

fn activation() -> impl Strategy<Value = ActivationKind> {
    proptest::sample::select(ActivationKind::ALL)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn one_step_is_within_1e_6_of_the_equations(
        cell in proptest::sample::select(&CELLS[..]),
        (inputs, units) in (SIZES, SIZES),
        activations in proptest::option::of((activation(), activation())),
        seed in any::<u64>(),
    ) {
        let mut layer = Recurrent::new(cell, inputs, units);
        if let Some((activation, recurrent_activation)) = activations {
            layer = Recurrent { activation, recurrent_activation, ..layer };
        }
        error_of_a_step(layer, seed);
    }
}

#[test]
fn a_dense_layer_is_within_1e_6_of_its_equation_at_every_size() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    for units in SIZES {
        let inputs = 1 + 29 * units % 67;
        for activation in ActivationKind::ALL.iter().map(|&kind| OutputKind::Each(kind)).chain([OutputKind::Softmax]) {
            let network = random_network(rng, vec![dense(inputs, units, activation)]);
            let x = uniform(rng, 4.0, inputs);
            let column = DVector::from_iterator(inputs, x.iter().map(|&x| f64::from(x)));
            let bias = network.parameters()[inputs * units..].iter().map(|&bias| f64::from(bias));
            let kernel = network.kernel(0).unwrap().map(f64::from);
            let mut expected = kernel * column + DVector::from_iterator(units, bias);
            match activation {
                OutputKind::Each(kind) => expected.apply(|x| *x = activate(kind, *x)),
                OutputKind::Softmax => {
                    expected.apply(|x| *x = x.exp());
                    expected /= expected.sum();
                }
            }
            let inference = network.inference();
            on_every_backend(|kind| {
                let mut y = vec![0.0; units];
                inference.step(&mut inference.zero_state(), &x, &mut y);
                for (y, expected) in y.iter().zip(&expected) {
                    let error = (f64::from(*y) - expected).abs() / expected.abs().max(1.0);
                    assert!(error <= 1e-6, "{kind}, {activation:?}({units}): {y} instead of {expected}");
                }
            });
        }
    }
}
