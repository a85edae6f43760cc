//! Promise: back-propagation through time is exact. Every parameter's gradient against central differences in f64.
#![cfg(feature = "std")]

use gatelet::data::Series;
use gatelet::network::Network;
use gatelet::train::{Loss, loss_and_gradient};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const FEATURES: usize = 3;
/// Unequal, unsorted, one of a single step, more than one core works on at once.
const LENGTHS: [usize; 10] = [4, 1, 7, 2, 3, 5, 2, 1, 6, 3];

fn uniform(rng: &mut ChaCha8Rng) -> f32 {
    rng.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0
}

/// Tokens for an embedding, which has one input.
fn input(rng: &mut ChaCha8Rng, features: usize) -> f32 {
    if features == 1 { (rng.next_u32() % 5) as f32 } else { uniform(rng) }
}

/// Random series with a target for every step.
fn series(rng: &mut ChaCha8Rng, loss: Loss, features: usize, outputs: usize) -> Vec<Series> {
    LENGTHS
        .iter()
        .map(|&length| {
            let inputs = (0..length * features).map(|_| input(rng, features)).collect();
            let series = Series::new("", features, inputs).unwrap();
            match loss {
                Loss::SparseCategoricalCrossentropy => {
                    series.with_classes((0..length).map(|_| rng.next_u32() as usize % outputs).collect())
                }
                Loss::CategoricalCrossentropy => {
                    let mut values: Vec<_> = (0..length * outputs).map(|_| uniform(rng).abs()).collect();
                    for step in values.chunks_mut(outputs) {
                        let sum: f32 = step.iter().sum();
                        step.iter_mut().for_each(|value| *value /= sum);
                    }
                    series.with_values(outputs, values)
                }
                _ => series.with_values(outputs, (0..length * outputs).map(|_| uniform(rng)).collect()),
            }
        })
        .collect()
}

/// The largest relative error of any parameter's gradient; relative to the larger of the two, or to 1e-3 where both are
/// smaller, since a difference quotient has no more digits there.
fn worst(description: &str, loss: Loss) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let features = if description.starts_with("embedding") { 1 } else { FEATURES };
    let mut network = Network::<f64>::describe(features, description).unwrap().initialized(1);
    // Biases are zero at first, and gradients must hold anywhere.
    for parameter in network.parameters_mut() {
        *parameter += 0.3 * f64::from(uniform(&mut rng));
    }
    let series = series(&mut rng, loss, features, network.outputs());
    let series: Vec<_> = series.iter().collect();
    let (_, gradient) = loss_and_gradient(&network, loss, &series);
    assert!(gradient.iter().any(|g| g.abs() > 1e-3), "{description}: the gradient is zero");
    let step = 1e-5;
    let mut worst = 0.0;
    for (parameter, &gradient) in gradient.iter().enumerate() {
        let mut at = |shift: f64| {
            network.parameters_mut()[parameter] += shift;
            let loss = loss_and_gradient(&network, loss, &series).0;
            network.parameters_mut()[parameter] -= shift;
            loss
        };
        // Fourth order: what is left of the error is rounding.
        let difference = (8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step);
        let scale = gradient.abs().max(difference.abs()).max(1e-3);
        worst = f64::max(worst, (gradient - difference).abs() / scale);
    }
    worst
}

#[test]
fn gradients_are_exact() {
    use Loss::{CategoricalCrossentropy, MeanSquaredError, SparseCategoricalCrossentropy};
    let cases = [
        ("simple_rnn(4), dense(3, softmax)", SparseCategoricalCrossentropy),
        ("lstm(4), dense(3, softmax)", SparseCategoricalCrossentropy),
        ("gru(4), dense(3, softmax)", SparseCategoricalCrossentropy),
        ("gru(4, reset_after=false), dense(3, softmax)", SparseCategoricalCrossentropy),
        ("simple_rnn(4, sequences), dense(3, softmax)", CategoricalCrossentropy),
        ("lstm(4, sequences), dense(3, softmax)", CategoricalCrossentropy),
        ("gru(4, sequences), dense(3, softmax)", CategoricalCrossentropy),
        ("gru(4, reset_after=false, sequences), dense(3, softmax)", CategoricalCrossentropy),
        ("simple_rnn(5, softsign), dense(2)", MeanSquaredError),
        ("lstm(5, sequences, softplus, recurrent_activation=hard_sigmoid), dense(2)", MeanSquaredError),
        ("gru(5, elu), dense(2, sigmoid)", MeanSquaredError),
        (
            "gru(5, linear, reset_after=false, recurrent_activation=softsign), dense(4, tanh), dense(2)",
            MeanSquaredError,
        ),
        ("gru(5), dense(4, relu), dense(2)", MeanSquaredError),
        ("lstm(4, sequences), gru(3), dense(6, tanh), dense(3, softmax)", SparseCategoricalCrossentropy),
        (
            "gru(4, sequences), residual(lstm(4, sequences)), residual(dense(4, tanh)), gru(3, reset_after=false), dense(2)",
            MeanSquaredError,
        ),
        ("gru(4), dense(3, softmax)", MeanSquaredError),
        ("bidirectional(lstm(4, sequences)), bidirectional(gru(3)), dense(3, softmax)", SparseCategoricalCrossentropy),
        ("bidirectional(gru(3, sequences), merge=mul), dense(2)", MeanSquaredError),
        ("bidirectional(simple_rnn(3, sequences), merge=sum), bidirectional(lstm(3), merge=ave)", MeanSquaredError),
        ("residual(bidirectional(gru(3, reset_after=false, sequences), merge=mul)), last, dense(2)", MeanSquaredError),
        ("lstm(4, sequences, go_backwards), gru(3, leaky_relu, go_backwards), dense(2)", MeanSquaredError),
        ("embedding(5, 4), bidirectional(gru(3)), dense(3), activation(softmax)", SparseCategoricalCrossentropy),
        ("gru(3, sequences), activation(sigmoid), activation(softmax), dense(2)", MeanSquaredError),
    ];
    for (description, loss) in cases {
        let worst = worst(description, loss);
        println!("{worst:.1e}  {description}, {}", loss.name());
        assert!(worst <= 1e-6, "{description}, {}: relative error {worst:e}", loss.name());
    }
}
