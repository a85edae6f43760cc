//! A whole network forwards and backwards on a batch.

use super::activation::multiply_by_derivative;
use super::recurrent::{self, add_columns};
use super::sequences::Sequences;
use crate::math::OutputKind;
use crate::network::{LayerKind, Network, Real};
use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

/// What the way back needs of a layer.
enum Tape<T> {
    Normalize,
    Dense { x: DMatrix<T>, y: DMatrix<T> },
    Recurrent { tape: recurrent::Tape<T>, last_only: bool },
}

/// A network's output for a batch, and the way back.
pub(super) struct Pass<T> {
    /// One column per time step where the network gives sequences, else one per sequence.
    pub(super) output: DMatrix<T>,
    tapes: Vec<Tape<T>>,
}

/// A gradient that arrives at the end of a network.
pub(super) enum Upstream<T> {
    /// Of its output.
    Output(DMatrix<T>),
    /// Of the argument of its last layer's activation: cross-entropy and softmax are differentiated as one.
    Argument(DMatrix<T>),
}

/// Runs the network on `x`, which has a column per sequence and time step.
pub(super) fn forward<T: Real>(network: &Network<T>, x: DMatrix<T>, sequences: &Sequences) -> Pass<T> {
    let mut flow = x;
    let mut tapes = Vec::new();
    for (layer, spec) in network.layers().iter().enumerate() {
        let parameters = &network.parameters()[network.range(layer)];
        let around = spec.residual.then(|| flow.clone());
        match spec.kind {
            LayerKind::Normalize { size } => {
                for column in flow.as_mut_slice().chunks_exact_mut(size) {
                    for (i, x) in column.iter_mut().enumerate() {
                        *x = (*x - parameters[i]) * parameters[size + i];
                    }
                }
                tapes.push(Tape::Normalize);
            }
            LayerKind::Dense { inputs, units, activation } => {
                let (kernel, bias) = parameters.split_at(inputs * units);
                let mut y = DMatrix::from_fn(units, flow.ncols(), |row, _| bias[row]);
                y.gemm(T::one(), &DMatrixView::from_slice(kernel, units, inputs), &flow, T::one());
                match activation {
                    OutputKind::Each(kind) => T::activate(kind, y.as_mut_slice()),
                    OutputKind::Softmax => y.as_mut_slice().chunks_exact_mut(units).for_each(softmax),
                }
                let x = core::mem::replace(&mut flow, y.clone());
                tapes.push(Tape::Dense { x, y });
            }
            LayerKind::Recurrent(recurrent) => {
                let (y, tape) = recurrent::forward(&recurrent, parameters, flow, sequences);
                let last_only = !recurrent.return_sequences;
                flow = if last_only { y.select_columns(&lasts(sequences)) } else { y };
                tapes.push(Tape::Recurrent { tape, last_only });
            }
        }
        if let Some(around) = around {
            flow += around;
        }
    }
    Pass { output: flow, tapes }
}

/// The column of each sequence's last step.
fn lasts(sequences: &Sequences) -> Vec<usize> {
    (0..sequences.count()).map(|place| sequences.last(place)).collect()
}

/// Adds the gradient of the parameters to `gradient`.
pub(super) fn backward<T: Real>(
    network: &Network<T>,
    pass: &Pass<T>,
    upstream: Upstream<T>,
    gradient: &mut [T],
    sequences: &Sequences,
) {
    let (mut flow, mut is_argument) = match upstream {
        Upstream::Output(gradient) => (gradient, false),
        Upstream::Argument(gradient) => (gradient, true),
    };
    for (layer, (spec, tape)) in network.layers().iter().zip(&pass.tapes).enumerate().rev() {
        let range = network.range(layer);
        let parameters = &network.parameters()[range.clone()];
        let gradient = &mut gradient[range];
        let around = spec.residual.then(|| flow.clone());
        match (spec.kind, tape) {
            (LayerKind::Dense { inputs, units, activation }, Tape::Dense { x, y }) => {
                if !is_argument {
                    match activation {
                        OutputKind::Each(kind) => multiply_by_derivative(kind, y.as_slice(), flow.as_mut_slice()),
                        OutputKind::Softmax => {
                            let columns = flow.as_mut_slice().chunks_exact_mut(units);
                            columns.zip(y.as_slice().chunks_exact(units)).for_each(softmax_backward);
                        }
                    }
                }
                let (d_kernel, d_bias) = gradient.split_at_mut(inputs * units);
                let mut d_kernel = DMatrixViewMut::from_slice(d_kernel, units, inputs);
                d_kernel.gemm(T::one(), &flow, &x.transpose(), T::one());
                add_columns(&flow, d_bias);
                let kernel = DMatrixView::from_slice(&parameters[..inputs * units], units, inputs);
                flow = kernel.transpose() * flow;
            }
            (LayerKind::Recurrent(recurrent), Tape::Recurrent { tape, last_only }) => {
                if *last_only {
                    let mut every = DMatrix::from_element(recurrent.units, sequences.columns(), T::zero());
                    for (place, column) in lasts(sequences).into_iter().enumerate() {
                        every.set_column(column, &flow.column(place));
                    }
                    flow = every;
                }
                flow = recurrent::backward(&recurrent, parameters, gradient, tape, &flow, sequences);
            }
            (LayerKind::Normalize { size }, _) => {
                for column in flow.as_mut_slice().chunks_exact_mut(size) {
                    for (dx, &scale) in column.iter_mut().zip(&parameters[size..]) {
                        *dx *= scale;
                    }
                }
            }
            _ => unreachable!("a tape is of its layer's kind"),
        }
        if let Some(around) = around {
            flow += around;
        }
        is_argument = false;
    }
}

/// e^(x - max) / Σ e^(x - max)
fn softmax<T: Real>(y: &mut [T]) {
    let max = y.iter().copied().reduce(|a, b| a.max(b)).unwrap_or(T::zero());
    let mut sum = T::zero();
    for y in y.iter_mut() {
        *y = (*y - max).exp();
        sum += *y;
    }
    for y in y {
        *y /= sum;
    }
}

/// dx = y ⊙ (dy - Σ dy ⊙ y)
fn softmax_backward<T: Real>((dy, y): (&mut [T], &[T])) {
    let sum: T = dy.iter().zip(y).map(|(&dy, &y)| dy * y).sum();
    for (dy, &y) in dy.iter_mut().zip(y) {
        *dy = y * (*dy - sum);
    }
}
