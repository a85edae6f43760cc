//! NaN, infinities and denormal numbers.

use crate::{CELLS, dense, on_every_backend, random_network, recurrent, uniform};
use gatelet::math::{ActivationKind, OutputKind};
use gatelet::network::{Inference, Recurrent};
use gatelet::simd::BackendKind;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Whether each number is NaN, and whether it is infinite.
fn classes(values: &[f32]) -> Vec<[bool; 2]> {
    values.iter().map(|value| [value.is_nan(), value.is_infinite()]).collect()
}

/// Two steps with `odd` among the inputs or in the state: the class of every number that comes of it.
fn classes_after(inference: &Inference, numbers: &[f32], odd: &[f32], in_state: bool) -> Vec<[bool; 2]> {
    let mut state = inference.zero_state();
    let inputs = inference.inputs();
    let (x, start) = numbers.split_at(inputs);
    let (mut x, length) = (x.to_vec(), state.values().len());
    state.values_mut().copy_from_slice(&start[..length]);
    let place = if in_state { state.values_mut() } else { &mut x };
    for (i, &odd) in odd.iter().enumerate() {
        let at = (2 * i + 1) % place.len();
        place[at] = odd;
    }
    let mut ys = vec![0.0; 2 * inference.outputs()];
    inference.run(&mut state, &[&x[..], &x].concat(), &mut ys);
    [classes(&ys), classes(state.values())].concat()
}

#[test]
fn nan_and_infinities_come_out_where_the_scalar_backend_gives_them() {
    let rng = &mut ChaCha8Rng::seed_from_u64(4);
    let (inf, denormal) = (f32::INFINITY, f32::from_bits(1));
    let odd: [&[f32]; 8] = [
        &[f32::NAN],
        &[inf],
        &[-inf],
        &[inf, -inf],
        &[inf, inf],
        &[denormal],
        &[-denormal, 1e-39],
        &[inf, denormal, f32::NAN],
    ];
    for &activation in ActivationKind::ALL {
        for cell in CELLS {
            for units in [3, 13, 37] {
                let layer = Recurrent { activation, return_sequences: true, ..Recurrent::new(cell, 9, units) };
                let layers = [vec![recurrent(layer)], vec![recurrent(layer), dense(units, 5, OutputKind::Softmax)]];
                for layers in layers {
                    let network = random_network(rng, layers);
                    let inference = network.inference();
                    let numbers = uniform(rng, 1.0, 9 + 2 * units);
                    for (odd, in_state) in odd.iter().flat_map(|&odd| [(odd, false), (odd, true)]) {
                        let mut scalar = None;
                        on_every_backend(|kind| {
                            let found = classes_after(&inference, &numbers, odd, in_state);
                            // The first one is the scalar backend.
                            let expected = scalar.get_or_insert_with(|| found.clone());
                            assert!(
                                found == *expected,
                                "{kind}, {network}, {odd:?} in {}",
                                if in_state { "the state" } else { "x" }
                            );
                        });
                    }
                }
            }
        }
    }
}

/// Where products with denormal numbers are slow.
const KEPT_FROM_DENORMAL: [BackendKind; 2] = [BackendKind::Avx2, BackendKind::Avx512];

#[test]
fn silence_leaves_no_denormal_numbers() {
    use ActivationKind::{Elu, Linear, Relu, Softsign, Tanh};
    let rng = &mut ChaCha8Rng::seed_from_u64(5);
    for cell in CELLS {
        for activation in [Tanh, Linear, Relu, Softsign, Elu] {
            for units in [5, 16, 18, 43] {
                let layer = Recurrent { activation, ..Recurrent::new(cell, 2, units) };
                let mut network = random_network(rng, vec![recurrent(layer)]);
                let biases = network.parameters().len() - cell.biases() * units;
                network.parameters_mut()[biases..].fill(0.0);
                let inference = network.inference();
                let signal = uniform(rng, 1.0, 2);
                on_every_backend(|kind| {
                    let mut state = inference.zero_state();
                    let mut y = vec![0.0; units];
                    inference.step(&mut state, &signal, &mut y);
                    assert!(state.values().iter().any(|&value| value.abs() > 0.01));
                    let mut denormal = false;
                    for _ in 0..2000 {
                        inference.step(&mut state, &[0.0; 2], &mut y);
                        denormal |= state.values().iter().chain(&y).any(|value| value.is_subnormal());
                    }
                    if kind == BackendKind::Scalar {
                        assert!(denormal, "{network} does not fade away");
                    } else if KEPT_FROM_DENORMAL.contains(&kind) {
                        assert!(!denormal, "{kind}, {network}: a state became denormal");
                    }
                });
            }
        }
    }
}
