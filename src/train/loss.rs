//! Losses with their gradients, and the figures that go with them.

use super::graph::Upstream;
use super::sequences::Sequences;
use crate::data::Series;
use crate::math::OutputKind;
use crate::network::{LayerKind, Network, Real};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// What training makes small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Loss {
    /// -ln p of the class a series belongs to (Keras `sparse_categorical_crossentropy`, PyTorch `CrossEntropyLoss`).
    SparseCategoricalCrossentropy,
    /// -Σ t ln p of a vector t of probabilities, such as a one-hot one (Keras `categorical_crossentropy`).
    CategoricalCrossentropy,
    /// The mean of (y - t)² over outputs and examples. Where the network ends in a [`Normalize`](crate::Normalize), as the
    /// networks do that [`prepare`](super::prepare) makes, it is taken before that: in units of the targets' variance.
    MeanSquaredError,
}

impl Loss {
    /// Keras's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Loss::SparseCategoricalCrossentropy => "sparse_categorical_crossentropy",
            Loss::CategoricalCrossentropy => "categorical_crossentropy",
            Loss::MeanSquaredError => "mean_squared_error",
        }
    }

    /// Whether the outputs are probabilities of classes.
    #[must_use]
    pub const fn is_crossentropy(self) -> bool {
        !matches!(self, Loss::MeanSquaredError)
    }
}

/// Sums over examples: sequences, or time steps where a network gives sequences.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) examples: usize,
    pub(super) loss: f64,
    /// Right classes.
    pub(super) correct: usize,
    /// |y - t|, averaged over outputs.
    pub(super) absolute: f64,
    /// (y - t)², averaged over outputs.
    pub(super) squared: f64,
}

impl core::ops::AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.examples += other.examples;
        self.loss += other.loss;
        self.correct += other.correct;
        self.absolute += other.absolute;
        self.squared += other.squared;
    }
}

/// The weight of each output in a squared error: one over the scale's square where the network ends in a normalisation.
fn weights<T: Real>(network: &Network<T>) -> Vec<f64> {
    let last = network.layers().len().saturating_sub(1);
    match network.layers().last().map(|layer| layer.kind) {
        Some(LayerKind::Normalize { size }) => {
            let parameters = &network.parameters()[network.range(last)];
            parameters[size..].iter().map(|scale| scale.widened().powi(-2)).collect()
        }
        _ => vec![1.0; network.outputs()],
    }
}

/// Whether the outputs are probabilities.
pub(super) fn ends_in_softmax<T: Real>(network: &Network<T>) -> bool {
    let converts = |kind| matches!(kind, LayerKind::Dequantize { .. });
    let last = network.layers().iter().rfind(|layer| !converts(layer.kind)).map(|layer| (layer.kind, layer.residual));
    let softmax = OutputKind::Softmax;
    matches!(
        last,
        Some((LayerKind::Dense { activation, .. } | LayerKind::Activation { activation, .. }, false)) if activation == softmax
    )
}

/// A loss on a network's outputs.
pub(super) struct Judge {
    loss: Loss,
    weights: Vec<f64>,
}

impl Judge {
    pub(super) fn new<T: Real>(network: &Network<T>, loss: Loss) -> Self {
        Judge { loss, weights: weights(network) }
    }

    pub(super) fn loss(&self) -> Loss {
        self.loss
    }

    /// One example: its output `y`, the series and the step of it that tells the target. Adds to `sums`, and writes the
    /// gradient times `scale`: of the softmax's argument for a cross-entropy, else of y.
    pub(super) fn example<T: Real>(
        &self,
        y: &[T],
        (series, step): (&Series, usize),
        sums: &mut Sums,
        gradient: Option<(&mut [T], f64)>,
    ) {
        let class = series.class(step);
        let values = series.values(step).unwrap_or(&[]);
        // The probability or value that output `i` should have.
        let target = |i: usize| match (class, values.get(i)) {
            (Some(class), _) => f64::from(u8::from(i == class)),
            (None, Some(&value)) => f64::from(value),
            (None, None) => 0.0,
        };
        let outputs = y.len() as f64;
        sums.examples += 1;
        for (i, &y) in y.iter().enumerate() {
            let (y, t) = (y.widened(), target(i));
            if self.loss.is_crossentropy() {
                if t != 0.0 {
                    // Below the smallest normal number a probability has lost its digits.
                    let p = if y.is_nan() { y } else { y.max(f64::from(f32::MIN_POSITIVE)) };
                    sums.loss -= t * p.ln();
                }
            } else {
                sums.loss += self.weights[i] * (y - t).powi(2) / outputs;
            }
            sums.absolute += (y - t).abs() / outputs;
            sums.squared += (y - t).powi(2) / outputs;
        }
        if self.loss.is_crossentropy() {
            let largest = |value: &dyn Fn(usize) -> f64| {
                (0..y.len()).reduce(|best, i| if value(i) > value(best) { i } else { best })
            };
            let said = largest(&|i| y[i].widened());
            sums.correct += usize::from(said == class.or_else(|| largest(&target)));
        }
        if let Some((gradient, scale)) = gradient {
            // Targets of a cross-entropy sum up to one, and then the gradient of its softmax's argument is p - t.
            let total: f64 = if self.loss.is_crossentropy() { (0..y.len()).map(target).sum() } else { 0.0 };
            for (i, gradient) in gradient.iter_mut().enumerate() {
                let (y, t) = (y[i].widened(), target(i));
                let slope = match self.loss {
                    Loss::MeanSquaredError => 2.0 * self.weights[i] * (y - t) / outputs,
                    _ => total * y - t,
                };
                *gradient = T::rounded(scale * slope);
            }
        }
    }

    /// All examples of a batch. `series` are in the order of the sequences' places; `scale` multiplies the gradient.
    pub(super) fn batch<T: Real>(
        &self,
        output: &DMatrix<T>,
        gives_sequence: bool,
        (series, sequences): (&[&Series], &Sequences),
        scale: f64,
    ) -> (Sums, Upstream<T>) {
        let mut sums = Sums::default();
        let mut gradient = DMatrix::from_element(output.nrows(), output.ncols(), T::zero());
        let rows = output.nrows();
        let mut example = |column: usize, series: &Series, step: usize| {
            let at = rows * column..rows * (column + 1);
            let gradient = Some((&mut gradient.as_mut_slice()[at.clone()], scale));
            self.example(&output.as_slice()[at], (series, step), &mut sums, gradient);
        };
        if gives_sequence {
            for step in 0..sequences.steps() {
                for (place, column) in sequences.step(step).enumerate() {
                    example(column, series[place], step);
                }
            }
        } else {
            for (place, series) in series.iter().enumerate() {
                example(place, series, series.len() - 1);
            }
        }
        let upstream =
            if self.loss.is_crossentropy() { Upstream::Argument(gradient) } else { Upstream::Output(gradient) };
        (sums, upstream)
    }
}
