//! The gradient of the mean loss over a batch, on all cores.

use super::exact::Exact;
use super::graph::{self, Dropout};
use super::loss::{Judge, Loss, Sums};
use super::sequences::Sequences;
use crate::data::Series;
use crate::network::{Network, Real};
use crate::quantize::Simulated;
use nalgebra::DMatrix;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

/// Sequences that one core works on at once. A constant, so that sums have the same order on any number of cores.
const TOGETHER: usize = 8;

/// The mean loss over the examples of `series`, and its gradient with respect to [`Network::parameters`].
///
/// An example is a sequence, or a time step where the network gives sequences. In `f64` it serves to check gradients.
#[must_use]
pub fn loss_and_gradient<T: Real>(network: &Network<T>, loss: Loss, series: &[&Series]) -> (f64, Vec<T>) {
    let (sums, gradient) = batch(network, &Judge::new(network, loss), series, None, None);
    (sums.loss / sums.examples as f64, gradient)
}

/// The sums over a batch, and the gradient of its mean loss. `dropout` is the share that is dropped and a seed; `simulated` are the
/// integers that `network` stands for, if it does.
pub(super) fn batch<T: Real>(
    network: &Network<T>,
    judge: &Judge,
    series: &[&Series],
    dropout: Option<(f64, u64)>,
    simulated: Option<&Simulated>,
) -> (Sums, Vec<T>) {
    let sequence = network.gives_sequence();
    let examples = if sequence { series.iter().map(|series| series.len()).sum() } else { series.len() };
    let parts: Vec<_> = series
        .par_chunks(TOGETHER)
        .enumerate()
        .map(|(part, series)| {
            let dropout = dropout.map(|(rate, seed)| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(part as u64);
                Dropout { rate, rng }
            });
            let lengths: Vec<_> = series.iter().map(|series| series.len()).collect();
            let sequences = Sequences::new(&lengths);
            let series: Vec<_> = sequences.order.iter().map(|&i| series[i]).collect();
            let x = inputs(network.inputs(), &series, &sequences);
            let exact = simulated.map(|simulated| Exact::new(simulated, &x, &sequences));
            let pass = graph::forward(network, x, &sequences, dropout, exact.as_ref());
            let (sums, upstream) = judge.batch(&pass.output, sequence, (&series, &sequences), 1.0 / examples as f64);
            let mut gradient = vec![T::zero(); network.parameters().len()];
            graph::backward(network, &pass, upstream, &mut gradient, &sequences);
            (sums, gradient)
        })
        .collect();
    let mut sums = Sums::default();
    let mut gradient = vec![T::zero(); network.parameters().len()];
    for (part, part_gradient) in parts {
        sums += part;
        super::cell::add(&mut gradient, &part_gradient);
    }
    (sums, gradient)
}

/// The inputs in columns.
fn inputs<T: Real>(features: usize, series: &[&Series], sequences: &Sequences) -> DMatrix<T> {
    let mut x = Vec::with_capacity(features * sequences.columns());
    for step in 0..sequences.steps() {
        for series in &series[..sequences.step(step).len()] {
            let at = step * features;
            x.extend(series.inputs()[at..at + features].iter().map(|&x| T::rounded(x.into())));
        }
    }
    DMatrix::from_vec(features, sequences.columns(), x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was dropped on the way forth is dropped on the way back.
    #[test]
    fn gradients_are_exact_where_outputs_are_dropped() {
        let description = "bidirectional(lstm(3, sequences)), gru(4), dense(2)";
        let mut network = Network::<f64>::describe(2, description).unwrap().initialized(5);
        let series: Vec<Series> = (1..=11)
            .map(|length| {
                let inputs = (0..2 * length).map(|i| (i as f32).sin()).collect();
                Series::new("", 2, inputs).unwrap().with_values(2, vec![0.5; 2 * length])
            })
            .collect();
        let series: Vec<_> = series.iter().collect();
        let judge = Judge::new(&network, Loss::MeanSquaredError);
        let loss = |network: &Network<f64>, seed| {
            let (sums, _) = batch(network, &judge, &series, Some((0.4, seed)), None);
            sums.loss / sums.examples as f64
        };
        assert_ne!(loss(&network, 1), loss(&network, 2), "nothing was dropped");
        let (_, gradient) = batch(&network, &judge, &series, Some((0.4, 1)), None);
        for parameter in (0..gradient.len()).step_by(7) {
            let mut at = |shift: f64| {
                network.parameters_mut()[parameter] += shift;
                let loss = loss(&network, 1);
                network.parameters_mut()[parameter] -= shift;
                loss
            };
            let difference = (at(1e-6) - at(-1e-6)) / 2e-6;
            assert!((difference - gradient[parameter]).abs() < 1e-8, "{parameter}: {difference}");
        }
    }
}
