//! The gradient of the mean loss over a batch, on all cores.

use super::graph::{self};
use super::loss::{Judge, Loss, Sums};
use super::sequences::Sequences;
use crate::data::Series;
use crate::network::{Network, Real};
use nalgebra::DMatrix;
use rayon::prelude::*;

/// Sequences that one core works on at once. A constant, so that sums have the same order on any number of cores.
const TOGETHER: usize = 8;

/// The mean loss over the examples of `series`, and its gradient with respect to [`Network::parameters`].
///
/// An example is a sequence, or a time step where the network gives sequences. In `f64` it serves to check gradients.
#[must_use]
pub fn loss_and_gradient<T: Real>(network: &Network<T>, loss: Loss, series: &[&Series]) -> (f64, Vec<T>) {
    let (sums, gradient) = batch(network, &Judge::new(network, loss), series);
    (sums.loss / sums.examples as f64, gradient)
}

/// The sums over a batch, and the gradient of its mean loss.
pub(super) fn batch<T: Real>(network: &Network<T>, judge: &Judge, series: &[&Series]) -> (Sums, Vec<T>) {
    let sequence = network.gives_sequence();
    let examples = if sequence { series.iter().map(|series| series.len()).sum() } else { series.len() };
    let parts: Vec<_> = series
        .par_chunks(TOGETHER)
        .map(|series| {
            let lengths: Vec<_> = series.iter().map(|series| series.len()).collect();
            let sequences = Sequences::new(&lengths);
            let series: Vec<_> = sequences.order.iter().map(|&i| series[i]).collect();
            let pass = graph::forward(network, inputs(network.inputs(), &series, &sequences), &sequences);
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
