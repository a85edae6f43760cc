//! One layer on the kernels.

use super::Flow;
use super::integer::Integer;
use crate::cell::Turn;
use crate::kernel::{self, Convolution, Gates, GruWeights, Source, pack, pack_dense, pack_dense_columns};
use crate::math::{Activation, ActivationKind, OutputActivation, OutputKind, Sigmoid, Softmax, Tanh};
use crate::network::{Cell, Conv1d, LayerKind, Merge, Recurrent};
use crate::simd::{Backend, Visitor, dispatch};
use core::ops::Range;

/// A layer packed for the kernels.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    pub(super) kind: LayerKind,
    residual: bool,
    /// Recurrent kernel, kernel and bias in panel order; of a normalisation none, offset and scale; else a table or slopes alone.
    parts: [Vec<f32>; 3],
    /// The backward layer's, of a bidirectional layer.
    backward: [Vec<f32>; 3],
    /// Of an integer layer, which has nothing of the above.
    integer: Option<Box<Integer>>,
}

/// Room for the numbers of one time step.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    /// A reset hidden state.
    reset: Vec<f32>,
    /// An input without denormal numbers.
    flushed: Vec<f32>,
    /// What a convolution sees.
    window: Vec<f32>,
}

impl Room {
    pub(super) fn widen(&mut self, widest: usize) {
        for room in [&mut self.reset, &mut self.flushed, &mut self.window] {
            room.resize(room.len().max(widest), 0.0);
        }
    }
}

fn packed(parameters: &[f32], range: Range<usize>, gates: usize, units: usize) -> Vec<f32> {
    let mut packed = vec![0.0; range.len()];
    pack(&mut packed, Source::Floats(&parameters[range]), gates, units);
    packed
}

fn packed_rows(kernel: &[f32], units: usize) -> Vec<f32> {
    let mut rows = vec![0.0; kernel.len()];
    pack_dense(&mut rows, Source::Floats(kernel), units);
    rows
}

fn packed_cell(layer: &Recurrent, parameters: &[f32]) -> [Vec<f32>; 3] {
    let [recurrent, input, bias] = layer.lengths();
    let (gates, biases) = (layer.cell.gates(), layer.cell.biases());
    [
        packed(parameters, 0..recurrent, gates, layer.units),
        packed(parameters, recurrent..recurrent + input, gates, layer.units),
        packed(parameters, recurrent + input..recurrent + input + bias, biases, layer.units),
    ]
}

/// Each group's columns of the kernel as a dense layer's kernel.
fn packed_groups(layer: &Conv1d, kernel: &[f32]) -> Vec<f32> {
    let units = layer.units / layer.groups;
    let mut packed = vec![0.0; kernel.len()];
    for (group, packed) in packed.chunks_exact_mut(kernel.len() / layer.groups).enumerate() {
        pack_dense_columns(packed, Source::Floats(kernel), group * units, units, layer.units);
    }
    packed
}

impl Packed {
    pub(super) fn new(kind: LayerKind, residual: bool, weights: &[f32]) -> Self {
        let none = Vec::new;
        let mut backward = [none(), none(), none()];
        let parts = match kind {
            LayerKind::Normalize { size } => {
                [none(), packed(weights, 0..size, 1, size), packed(weights, size..2 * size, 1, size)]
            }
            LayerKind::Dense { inputs, units, .. } => {
                let kernel = inputs * units;
                [none(), packed_rows(&weights[..kernel], units), packed(weights, kernel..kernel + units, 1, units)]
            }
            LayerKind::Recurrent(layer) => packed_cell(&layer, weights),
            LayerKind::Bidirectional { layer, .. } => {
                let (first, second) = weights.split_at(layer.weights());
                backward = packed_cell(&layer, second);
                packed_cell(&layer, first)
            }
            LayerKind::Conv1d(layer) => {
                let (kernel, bias) = weights.split_at(layer.kernel());
                [none(), packed_groups(&layer, kernel), packed(bias, 0..layer.units, 1, layer.units)]
            }
            LayerKind::Embedding { .. } | LayerKind::Prelu { .. } => [none(), weights.to_vec(), none()],
            LayerKind::Masking { .. }
            | LayerKind::AveragePooling { .. }
            | LayerKind::Flatten { .. }
            | LayerKind::Last { .. }
            | LayerKind::UnitNormalization { .. }
            | LayerKind::Activation { .. }
            | LayerKind::Quantize { .. }
            | LayerKind::Dequantize { .. } => [none(), none(), none()],
        };
        Packed { kind, residual, parts, backward, integer: None }
    }

    pub(super) fn integer(layer: Integer, kind: LayerKind) -> Self {
        let none = || [Vec::new(), Vec::new(), Vec::new()];
        Packed { kind, residual: false, parts: none(), backward: none(), integer: Some(Box::new(layer)) }
    }

    /// Takes time steps through the layer, and tells how many int16 numbers were cut off.
    pub(super) fn run(
        &self,
        state: &mut [f32],
        turns: &mut [Turn; 2],
        room: &mut Room,
        from: &mut Flow,
        to: &mut Flow,
    ) -> u64 {
        if let Some(layer) = &self.integer {
            return layer.run(state, from, to);
        }
        to.reset(from.steps(), self.kind.outputs());
        match self.kind {
            LayerKind::Recurrent(layer) => {
                let mut cell = CellRun::new(layer, &self.parts, state, &mut turns[0], room);
                let ys = to.values.chunks_exact_mut(layer.units);
                if layer.go_backwards {
                    from.rows().rev().zip(ys).for_each(|(x, y)| cell.step(x, y));
                } else {
                    from.rows().zip(ys).for_each(|(x, y)| cell.step(x, y));
                }
            }
            LayerKind::Bidirectional { layer, merge } => self.both(layer, merge, state, turns, room, from, to),
            _ => {
                for ((x, _), y) in from.rows().zip(to.values.chunks_exact_mut(to.size)) {
                    self.step(state, room, x, y);
                }
            }
        }
        if self.residual {
            kernel::add(&mut to.values, &from.values);
        }
        to.valid = match self.kind {
            LayerKind::Masking { value, .. } => Some(from.rows().map(|(x, _)| x.iter().any(|&x| x != value)).collect()),
            LayerKind::Embedding { mask_zero: true, .. } => Some(from.values.iter().map(|&x| x != 0.0).collect()),
            // As in Keras, what looks at several time steps ends a mask, and a table does.
            LayerKind::Embedding { .. }
            | LayerKind::Conv1d(_)
            | LayerKind::AveragePooling { .. }
            | LayerKind::Flatten { .. } => None,
            // In the order of the inputs behind a layer that goes backwards, too: that is what Keras does.
            _ => from.valid.take(),
        };
        0
    }

    /// A layer that goes forward and one that goes backward.
    #[expect(clippy::too_many_arguments, reason = "what `run` takes, and what it has found")]
    fn both(
        &self,
        layer: Recurrent,
        merge: Merge,
        state: &mut [f32],
        turns: &mut [Turn; 2],
        room: &mut Room,
        from: &Flow,
        to: &mut Flow,
    ) {
        // As Keras has it, whatever the layers themselves say.
        let layer = Recurrent { zero_output_for_mask: layer.return_sequences, ..layer };
        let (forward, backward) = state.split_at_mut(layer.state());
        let [turn, backward_turn] = turns;
        let mut cell = CellRun::new(layer, &self.parts, forward, turn, room);
        for (x, y) in from.rows().zip(to.values.chunks_exact_mut(to.size)) {
            cell.step(x, &mut y[..layer.units]);
        }
        let mut merged = vec![0.0; layer.units];
        let mut cell = CellRun::new(layer, &self.backward, backward, backward_turn, room);
        for (x, y) in from.rows().zip(to.values.chunks_exact_mut(to.size)).rev() {
            cell.step(x, &mut merged);
            let (forward, rest) = y.split_at_mut(layer.units);
            match merge {
                Merge::Concat | Merge::None => rest.copy_from_slice(&merged),
                _ => combine(merge, forward, &merged),
            }
        }
    }

    /// The last outputs of a bidirectional layer's directions, of their states, as one; nothing of another layer.
    pub(super) fn merge_last(&self, state: &[f32], y: &mut [f32]) {
        let LayerKind::Bidirectional { layer, merge } = self.kind else { return };
        let (forward, backward) = state.split_at(layer.state());
        let (forward, backward) = (&forward[..layer.units], &backward[..layer.units]);
        if let Some(integer) = &self.integer {
            integer.merge([forward, backward], y);
            return;
        }
        let (first, second) = y.split_at_mut(layer.units);
        first.copy_from_slice(forward);
        match merge {
            Merge::Concat | Merge::None => second.copy_from_slice(backward),
            _ => combine(merge, first, backward),
        }
    }

    /// One step of a layer that is not recurrent. Each is a visit of its own: one function for all kinds of layers on a backend is
    /// more than the compiler manages in reasonable time.
    fn step(&self, state: &mut [f32], room: &mut Room, x: &[f32], y: &mut [f32]) {
        let [_, weights, more] = &self.parts;
        match self.kind {
            LayerKind::Normalize { .. } => kernel::normalize(weights, more, x, y),
            LayerKind::Dense { activation, .. } => {
                let (kernel, bias) = (weights, more);
                match activation {
                    OutputKind::Softmax => dispatch(DenseStep { activation: Softmax, kernel, bias, x, y }),
                    OutputKind::Each(activation) => dispatch(DenseStep { activation, kernel, bias, x, y }),
                }
            }
            LayerKind::Embedding { tokens, size, .. } => match kernel::token(x[0], tokens) {
                Some(row) => y.copy_from_slice(&weights[row * size..][..size]),
                None => y.fill(f32::NAN),
            },
            LayerKind::Conv1d(layer) => {
                let window = layer.kernel_size * (layer.inputs / layer.groups);
                room.widen(window);
                let (kernel, bias) = (weights, more);
                let weights = Convolution { kernel, bias, kernel_size: layer.kernel_size, groups: layer.groups };
                let window = &mut room.window[..window];
                let dilation = layer.dilation;
                dispatch(ConvolutionStep {
                    activation: layer.activation,
                    weights,
                    dilation,
                    history: state,
                    x,
                    window,
                    y,
                });
                kernel::remember(state, x);
            }
            LayerKind::AveragePooling { steps, .. } => {
                kernel::mean(state.chunks_exact(x.len()).chain([x]), steps, y);
                kernel::remember(state, x);
            }
            LayerKind::Flatten { .. } => {
                let (before, now) = y.split_at_mut(state.len());
                before.copy_from_slice(state);
                now.copy_from_slice(x);
                kernel::remember(state, x);
            }
            LayerKind::Masking { value, .. } => {
                // Masked steps are zeros to layers that do not know of masks.
                if x.iter().any(|&x| x != value) {
                    y.copy_from_slice(x);
                }
            }
            LayerKind::Last { .. } => y.copy_from_slice(x),
            LayerKind::UnitNormalization { .. } => kernel::unit_normalize(x, y),
            LayerKind::Activation { activation, .. } => {
                y.copy_from_slice(x);
                dispatch(ActivationStep(activation, y));
            }
            LayerKind::Prelu { .. } => kernel::prelu(weights, x, y),
            LayerKind::Recurrent(_)
            | LayerKind::Bidirectional { .. }
            | LayerKind::Quantize { .. }
            | LayerKind::Dequantize { .. } => unreachable!("these have runs of their own"),
        }
    }
}

/// Two outputs of the same size as one, in place of the first.
fn combine(merge: Merge, a: &mut [f32], b: &[f32]) {
    for (a, &b) in a.iter_mut().zip(b) {
        *a = match merge {
            Merge::Mul => *a * b,
            Merge::Ave => (*a + b) / 2.0,
            _ => *a + b,
        };
    }
}

struct DenseStep<'a, A> {
    activation: A,
    kernel: &'a [f32],
    bias: &'a [f32],
    x: &'a [f32],
    y: &'a mut [f32],
}

impl<A: OutputActivation> Visitor for DenseStep<'_, A> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        kernel::dense(b, self.activation, self.kernel, self.bias, self.x, self.y);
    }
}

struct ConvolutionStep<'a> {
    activation: ActivationKind,
    weights: Convolution<'a>,
    dilation: usize,
    /// The inputs before this one, oldest first.
    history: &'a [f32],
    x: &'a [f32],
    window: &'a mut [f32],
    y: &'a mut [f32],
}

impl Visitor for ConvolutionStep<'_> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        let inputs = self.x.len();
        let x = |k: usize| self.history.chunks_exact(inputs).nth(k * self.dilation).unwrap_or(self.x);
        kernel::conv1d(b, self.activation, self.weights, x, self.window, self.y);
    }
}

struct ActivationStep<'a>(OutputKind, &'a mut [f32]);

impl Visitor for ActivationStep<'_> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        self.0.apply_all(b, self.1);
    }
}

/// A recurrent layer on its way through a sequence.
struct CellRun<'a> {
    layer: Recurrent,
    parts: &'a [Vec<f32>; 3],
    state: &'a mut [f32],
    turn: &'a mut Turn,
    room: &'a mut Room,
}

impl<'a> CellRun<'a> {
    fn new(
        layer: Recurrent,
        parts: &'a [Vec<f32>; 3],
        state: &'a mut [f32],
        turn: &'a mut Turn,
        room: &'a mut Room,
    ) -> Self {
        CellRun { layer, parts, state, turn, room }
    }

    fn step(&mut self, (x, valid): (&[f32], bool), y: &mut [f32]) {
        let (h, c) = self.state.split_at_mut(y.len());
        if !valid {
            if self.layer.zero_output_for_mask {
                y.fill(0.0);
            } else {
                y.copy_from_slice(h);
            }
            return;
        }
        let [recurrent_kernel, kernel, bias] = self.parts;
        let weights = Gates::new(recurrent_kernel, kernel, bias).in_turn(self.turn);
        let step = (weights, &mut *self.room, x, h, c, y);
        match (self.layer.activation, self.layer.recurrent_activation) {
            // The usual activations without a choice in the inner loop.
            (ActivationKind::Tanh, ActivationKind::Sigmoid) => recurrent(self.layer.cell, (Tanh, Sigmoid), step),
            chosen => recurrent(self.layer.cell, chosen, step),
        }
    }
}

/// Weights, room, x, h, c and y.
type CellStep<'a> = (Gates<'a>, &'a mut Room, &'a [f32], &'a mut [f32], &'a mut [f32], &'a mut [f32]);

/// One step of a cell, on this machine's best backend.
fn recurrent<A: Activation, R: Activation>(cell: Cell, activations: (A, R), step: CellStep<'_>) {
    match cell {
        Cell::SimpleRnn => dispatch(Step::<_, _, SIMPLE_RNN>(activations, step)),
        Cell::Lstm => dispatch(Step::<_, _, LSTM>(activations, step)),
        Cell::Gru { reset_after: true } => dispatch(Step::<_, _, GRU>(activations, step)),
        Cell::Gru { reset_after: false } => dispatch(Step::<_, _, GRU_RESET_BEFORE>(activations, step)),
    }
}

const SIMPLE_RNN: u8 = 0;
const LSTM: u8 = 1;
const GRU: u8 = 2;
const GRU_RESET_BEFORE: u8 = 3;

/// A step of the cell that the number stands for.
struct Step<'a, A, R, const CELL: u8>((A, R), CellStep<'a>);

impl<A: Activation, R: Activation, const CELL: u8> Visitor for Step<'_, A, R, CELL> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        let Step(activations, (weights, Room { reset, flushed, .. }, x, h, c, y)) = self;
        let x = kernel::flushed(b, x, &mut flushed[..x.len()]);
        match CELL {
            SIMPLE_RNN => kernel::simple_rnn(b, activations.0, weights, x, h, y),
            LSTM => kernel::lstm(b, activations, weights, x, h, c, y),
            _ => {
                let weights = GruWeights { gates: weights, reset_after: CELL == GRU };
                let reset = &mut reset[..y.len()];
                kernel::gru(b, activations, weights, x, h, reset, y);
            }
        }
    }
}
