//! A whole network forwards and backwards on a batch.

use super::TrainError;
use super::activation::multiply_by_derivative;
use super::exact::Exact;
use super::recurrent::{self, add_columns};
use super::sequences::Sequences;
use crate::math::{ActivationKind, OutputKind};
use crate::network::{LayerKind, Merge, Network, Real, Recurrent};
use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// What the way back needs of a layer.
enum Tape<T> {
    /// Nothing but its parameters.
    Nothing,
    Dense {
        x: DMatrix<T>,
        y: DMatrix<T>,
    },
    Activation {
        y: DMatrix<T>,
    },
    /// The row that each column chose.
    Embedding {
        rows: Vec<usize>,
    },
    Recurrent(recurrent::Tape<T>),
    Bidirectional(Box<BothWays<T>>),
}

/// Of a bidirectional layer; outputs are kept where a product is to be differentiated.
struct BothWays<T> {
    tapes: [recurrent::Tape<T>; 2],
    outputs: [DMatrix<T>; 2],
}

/// Whether all layers can be differentiated here.
pub(super) fn check_layers(network: &Network<f32>) -> Result<(), TrainError> {
    for (layer, spec) in (1..).zip(network.layers()) {
        let silu = |layer: &Recurrent| [layer.activation, layer.recurrent_activation].contains(&ActivationKind::Silu);
        let can = match &spec.kind {
            LayerKind::Normalize { .. } | LayerKind::Last { .. } | LayerKind::Embedding { mask_zero: false, .. } => {
                true
            }
            LayerKind::Dense { activation, .. } | LayerKind::Activation { activation, .. } => {
                *activation != OutputKind::Each(ActivationKind::Silu)
            }
            LayerKind::Recurrent(layer) | LayerKind::Bidirectional { layer, .. } => !silu(layer),
            _ => false,
        };
        if spec.integer {
            return Err(TrainError::Integer { layer, what: spec.to_string() });
        }
        if !can || spec.initial_state {
            return Err(TrainError::Layer { layer, what: spec.to_string() });
        }
    }
    Ok(())
}

/// A network's output for a batch, and the way back.
pub(super) struct Pass<T> {
    /// One column per time step where the network gives sequences, else one per sequence.
    pub(super) output: DMatrix<T>,
    tapes: Vec<Tape<T>>,
    /// What each layer's outputs were multiplied with, where some were dropped.
    dropped: Vec<Option<DMatrix<T>>>,
}

/// Outputs of recurrent layers that other layers work on are dropped at random, and the others made larger to match
/// (Srivastava et al. 2014; PyTorch's `dropout=`).
pub(super) struct Dropout {
    /// The share that is dropped.
    pub(super) rate: f64,
    pub(super) rng: ChaCha8Rng,
}

impl Dropout {
    /// What the outputs of a layer are multiplied with.
    fn factors<T: Real>(&mut self, rows: usize, columns: usize) -> DMatrix<T> {
        let kept = T::rounded(1.0 / (1.0 - self.rate));
        DMatrix::from_fn(rows, columns, |_, _| if self.rng.random_bool(self.rate) { T::zero() } else { kept })
    }
}

/// Whether a layer's outputs can be dropped: those of a recurrent layer in front of another layer that learns.
fn can_drop<T: Real>(network: &Network<T>, layer: usize) -> bool {
    let is_recurrent =
        matches!(network.layers()[layer].kind, LayerKind::Recurrent(_) | LayerKind::Bidirectional { .. });
    let learns = |kind: &LayerKind| kind.weights() > 0 && !matches!(kind, LayerKind::Normalize { .. });
    is_recurrent && network.layers()[layer + 1..].iter().any(|layer| learns(&layer.kind))
}

/// A gradient that arrives at the end of a network.
pub(super) enum Upstream<T> {
    /// Of its output.
    Output(DMatrix<T>),
    /// Of the argument of its last layer's activation: cross-entropy and softmax are differentiated as one.
    Argument(DMatrix<T>),
}

/// Runs the network on `x`, which has a column per sequence and time step. `exact` has numbers to go on with in the place of those that
/// are computed; the way back takes them for these (the straight-through estimator of Bengio et al. 2013).
pub(super) fn forward<T: Real>(
    network: &Network<T>,
    x: DMatrix<T>,
    sequences: &Sequences,
    mut dropout: Option<Dropout>,
    exact: Option<&Exact<T>>,
) -> Pass<T> {
    let mut flow = x;
    let mut tapes = Vec::new();
    let mut dropped = Vec::new();
    for (layer, spec) in network.layers().iter().enumerate() {
        let parameters = &network.parameters()[network.range(layer)];
        let around = spec.residual.then(|| flow.clone());
        let exact = exact.and_then(|exact| exact.of(layer));
        match spec.kind {
            LayerKind::Normalize { size } => {
                for column in flow.as_mut_slice().chunks_exact_mut(size) {
                    for (i, x) in column.iter_mut().enumerate() {
                        *x = (*x - parameters[i]) * parameters[size + i];
                    }
                }
                tapes.push(Tape::Nothing);
            }
            LayerKind::Dense { inputs, units, activation } => {
                let (kernel, bias) = parameters.split_at(inputs * units);
                let mut y = DMatrix::from_fn(units, flow.ncols(), |row, _| bias[row]);
                y.gemm(T::one(), &DMatrixView::from_slice(kernel, units, inputs), &flow, T::one());
                activate(activation, &mut y);
                let x = core::mem::replace(&mut flow, y.clone());
                tapes.push(Tape::Dense { x, y });
            }
            LayerKind::Activation { activation, .. } => {
                activate(activation, &mut flow);
                tapes.push(Tape::Activation { y: flow.clone() });
            }
            LayerKind::Embedding { tokens, size, .. } => {
                let rows: Vec<usize> = flow.iter().map(|x| row(*x, tokens)).collect();
                flow = DMatrix::from_fn(size, rows.len(), |i, column| match rows[column] {
                    NO_ROW => T::rounded(f64::NAN),
                    row => parameters[row * size + i],
                });
                tapes.push(Tape::Embedding { rows });
            }
            LayerKind::Last { .. } => {
                flow = flow.select_columns(&lasts(sequences));
                tapes.push(Tape::Nothing);
            }
            LayerKind::Recurrent(layer) => {
                if layer.go_backwards {
                    flow = flow.select_columns(&sequences.reversed());
                }
                let states = exact.map(|exact| &exact.states[0]);
                let (y, tape) = recurrent::forward(&layer, parameters, flow, sequences, states);
                flow = if layer.return_sequences { y } else { y.select_columns(&lasts(sequences)) };
                tapes.push(Tape::Recurrent(tape));
            }
            LayerKind::Bidirectional { layer, merge } => {
                let (first, second) = parameters.split_at(layer.weights());
                let reversed = sequences.reversed();
                let backward_x = flow.select_columns(&reversed);
                let [states, backward_states] = [0, 1].map(|cell| exact.map(|exact| &exact.states[cell]));
                let (y, tape) = recurrent::forward(&layer, first, flow, sequences, states);
                let (z, backward_tape) = recurrent::forward(&layer, second, backward_x, sequences, backward_states);
                let columns = if layer.return_sequences { reversed } else { lasts(sequences) };
                let y = if layer.return_sequences { y } else { y.select_columns(&columns) };
                let z = z.select_columns(&columns);
                flow = merged(merge, &y, &z);
                let both = BothWays { tapes: [tape, backward_tape], outputs: [y, z] };
                tapes.push(Tape::Bidirectional(Box::new(both)));
            }
            _ => unreachable!("`check_layers` has refused it"),
        }
        if let Some(around) = around {
            flow += around;
        }
        if let Some(outputs) = exact.and_then(|exact| exact.outputs.as_ref()) {
            flow.copy_from_slice(outputs);
        }
        let dropout = dropout.as_mut().filter(|_| can_drop(network, layer));
        let factors = dropout.map(|dropout| dropout.factors(flow.nrows(), flow.ncols()));
        if let Some(factors) = &factors {
            flow.component_mul_assign(factors);
        }
        dropped.push(factors);
    }
    Pass { output: flow, tapes, dropped }
}

/// No row of an embedding: a number that is no token.
const NO_ROW: usize = usize::MAX;

fn row<T: Real>(x: T, tokens: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "tokens are exact in both precisions")]
    crate::kernel::token(x.widened() as f32, tokens).unwrap_or(NO_ROW)
}

fn activate<T: Real>(activation: OutputKind, y: &mut DMatrix<T>) {
    let units = y.nrows();
    match activation {
        OutputKind::Each(kind) => T::activate(kind, y.as_mut_slice()),
        OutputKind::Softmax => y.as_mut_slice().chunks_exact_mut(units).for_each(softmax),
    }
}

/// From the gradient of an activation's values to that of its arguments.
fn activate_backward<T: Real>(activation: OutputKind, y: &DMatrix<T>, gradient: &mut DMatrix<T>) {
    match activation {
        OutputKind::Each(kind) => multiply_by_derivative(kind, y.as_slice(), gradient.as_mut_slice()),
        OutputKind::Softmax => {
            let columns = gradient.as_mut_slice().chunks_exact_mut(y.nrows());
            columns.zip(y.as_slice().chunks_exact(y.nrows())).for_each(softmax_backward);
        }
    }
}

/// Two layers' outputs as one.
fn merged<T: Real>(merge: Merge, y: &DMatrix<T>, z: &DMatrix<T>) -> DMatrix<T> {
    match merge {
        Merge::Concat | Merge::None => {
            let units = y.nrows();
            DMatrix::from_fn(2 * units, y.ncols(), |row, column| {
                if row < units { y[(row, column)] } else { z[(row - units, column)] }
            })
        }
        Merge::Sum => y + z,
        Merge::Mul => y.component_mul(z),
        Merge::Ave => (y + z) * T::rounded(0.5),
    }
}

/// The gradients of two layers' outputs from that of what they are merged to.
fn apart<T: Real>(merge: Merge, outputs: &[DMatrix<T>; 2], flow: &DMatrix<T>) -> [DMatrix<T>; 2] {
    let units = outputs[0].nrows();
    match merge {
        Merge::Concat | Merge::None => [flow.rows(0, units).clone_owned(), flow.rows(units, units).clone_owned()],
        Merge::Sum => [flow.clone(), flow.clone()],
        Merge::Mul => [flow.component_mul(&outputs[1]), flow.component_mul(&outputs[0])],
        Merge::Ave => [flow * T::rounded(0.5), flow * T::rounded(0.5)],
    }
}

/// A gradient of last steps alone as one of all steps.
fn at_lasts<T: Real>(flow: &DMatrix<T>, sequences: &Sequences) -> DMatrix<T> {
    let mut every = DMatrix::from_element(flow.nrows(), sequences.columns(), T::zero());
    for (place, column) in lasts(sequences).into_iter().enumerate() {
        every.set_column(column, &flow.column(place));
    }
    every
}

/// The column of each sequence's last step.
pub(super) fn lasts(sequences: &Sequences) -> Vec<usize> {
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
        if let Some(factors) = &pass.dropped[layer] {
            flow.component_mul_assign(factors);
        }
        let around = spec.residual.then(|| flow.clone());
        match (spec.kind, tape) {
            (LayerKind::Dense { inputs, units, activation }, Tape::Dense { x, y }) => {
                if !is_argument {
                    activate_backward(activation, y, &mut flow);
                }
                let (d_kernel, d_bias) = gradient.split_at_mut(inputs * units);
                let mut d_kernel = DMatrixViewMut::from_slice(d_kernel, units, inputs);
                d_kernel.gemm(T::one(), &flow, &x.transpose(), T::one());
                add_columns(&flow, d_bias);
                let kernel = DMatrixView::from_slice(&parameters[..inputs * units], units, inputs);
                flow = kernel.transpose() * flow;
            }
            (LayerKind::Activation { activation, .. }, Tape::Activation { y }) => {
                if !is_argument {
                    activate_backward(activation, y, &mut flow);
                }
            }
            (LayerKind::Embedding { size, .. }, Tape::Embedding { rows }) => {
                for (&row, column) in rows.iter().zip(flow.as_slice().chunks_exact(size)) {
                    if row != NO_ROW {
                        super::cell::add(&mut gradient[row * size..][..size], column);
                    }
                }
                // A token has no gradient.
                flow = DMatrix::from_element(1, rows.len(), T::zero());
            }
            (LayerKind::Last { .. }, _) => flow = at_lasts(&flow, sequences),
            (LayerKind::Recurrent(layer), Tape::Recurrent(tape)) => {
                if !layer.return_sequences {
                    flow = at_lasts(&flow, sequences);
                }
                flow = recurrent::backward(&layer, parameters, gradient, tape, &flow, sequences);
                if layer.go_backwards {
                    flow = flow.select_columns(&sequences.reversed());
                }
            }
            (LayerKind::Bidirectional { layer, merge }, Tape::Bidirectional(both)) => {
                let BothWays { tapes, outputs } = &**both;
                let (first, second) = parameters.split_at(layer.weights());
                let (first_gradient, second_gradient) = gradient.split_at_mut(layer.weights());
                let reversed = sequences.reversed();
                let [mut dy, mut dz] = apart(merge, outputs, &flow);
                if layer.return_sequences {
                    dz = dz.select_columns(&reversed);
                } else {
                    dy = at_lasts(&dy, sequences);
                    dz = at_lasts(&dz, sequences);
                }
                flow = recurrent::backward(&layer, first, first_gradient, &tapes[0], &dy, sequences);
                let backward = recurrent::backward(&layer, second, second_gradient, &tapes[1], &dz, sequences);
                flow += backward.select_columns(&reversed);
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
