//! A network of run-time sizes on the kernels.

use super::{Cell, LayerKind, Network};
use crate::cell::Turn;
use crate::kernel::{self, Gates, GruWeights, Source, pack, pack_dense};
use crate::math::{Activation, ActivationKind, OutputActivation, OutputKind, Sigmoid, Softmax, Tanh};
use crate::simd::{Backend, Visitor, dispatch};

/// A [`Network`] packed for the kernels: weights that any number of streams share.
#[derive(Clone, Debug)]
pub struct Inference {
    layers: Vec<Packed>,
    inputs: usize,
    outputs: usize,
    /// Where each layer's state begins.
    states: Vec<usize>,
    state: usize,
    /// The widest vector between layers.
    widest: usize,
}

/// One stream's state: for each recurrent layer h and, of an LSTM, c.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    values: Vec<f32>,
    /// Room for what flows between layers; no part of the state.
    scratch: Scratch,
}

impl State {
    /// The numbers it consists of, layer by layer.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The numbers, to set an initial state.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}

#[derive(Clone, Debug)]
struct Scratch {
    x: Vec<f32>,
    y: Vec<f32>,
    /// Of a cell: the reset hidden state, and the input without denormal numbers.
    cell: [Vec<f32>; 2],
    turns: Vec<Turn>,
}

/// States are equal if their values are.
impl PartialEq for Scratch {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[derive(Clone, Debug)]
struct Packed {
    kind: LayerKind,
    residual: bool,
    /// Recurrent kernel, kernel and bias in panel order; of a normalisation none, offset and scale.
    parts: [Vec<f32>; 3],
}

impl Packed {
    fn new(kind: LayerKind, residual: bool, parameters: &[f32]) -> Self {
        let packed = |range: core::ops::Range<usize>, gates: usize, units: usize| {
            let mut packed = vec![0.0; range.len()];
            pack(&mut packed, Source::Floats(&parameters[range]), gates, units);
            packed
        };
        let parts = match kind {
            LayerKind::Normalize { size } => [Vec::new(), packed(0..size, 1, size), packed(size..2 * size, 1, size)],
            LayerKind::Dense { inputs, units, .. } => {
                let kernel = inputs * units;
                let mut rows = vec![0.0; kernel];
                pack_dense(&mut rows, Source::Floats(&parameters[..kernel]), units);
                [Vec::new(), rows, packed(kernel..kernel + units, 1, units)]
            }
            LayerKind::Recurrent(layer) => {
                let [recurrent, input, bias] = layer.lengths();
                let (gates, biases) = (layer.cell.gates(), layer.cell.biases());
                [
                    packed(0..recurrent, gates, layer.units),
                    packed(recurrent..recurrent + input, gates, layer.units),
                    packed(recurrent + input..recurrent + input + bias, biases, layer.units),
                ]
            }
        };
        Packed { kind, residual, parts }
    }

    fn gates(&self) -> Gates<'_> {
        Gates::new(&self.parts[0], &self.parts[1], &self.parts[2])
    }

    /// Each layer is a visit of its own: one function for all kinds of layers on a backend is more than the compiler manages in
    /// reasonable time.
    fn step(&self, state: &mut [f32], turn: &mut Turn, scratch: &mut [Vec<f32>; 2], x: &[f32], y: &mut [f32]) {
        match self.kind {
            LayerKind::Normalize { .. } => kernel::normalize(&self.parts[1], &self.parts[2], x, y),
            LayerKind::Dense { activation, .. } => {
                let [_, kernel, bias] = &self.parts;
                match activation {
                    OutputKind::Softmax => dispatch(DenseStep { activation: Softmax, kernel, bias, x, y }),
                    OutputKind::Each(activation) => dispatch(DenseStep { activation, kernel, bias, x, y }),
                }
            }
            LayerKind::Recurrent(layer) => {
                let weights = self.gates().in_turn(turn);
                let (h, c) = state.split_at_mut(y.len());
                let step = (weights, scratch, x, h, c, &mut *y);
                match (layer.activation, layer.recurrent_activation) {
                    // The usual activations without a choice in the inner loop.
                    (ActivationKind::Tanh, ActivationKind::Sigmoid) => recurrent(layer.cell, (Tanh, Sigmoid), step),
                    chosen => recurrent(layer.cell, chosen, step),
                }
            }
        }
        if self.residual {
            kernel::add(y, x);
        }
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

/// Weights, room, x, h, c and y.
type CellStep<'a> = (Gates<'a>, &'a mut [Vec<f32>; 2], &'a [f32], &'a mut [f32], &'a mut [f32], &'a mut [f32]);

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
        let Step(activations, (weights, [reset, flushed], x, h, c, y)) = self;
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

impl Inference {
    pub(super) fn new(network: &Network<f32>) -> Self {
        let mut states = Vec::new();
        let mut state = 0;
        let mut widest = network.inputs();
        let mut layers = Vec::new();
        for (layer, spec) in network.layers().iter().enumerate() {
            states.push(state);
            state += spec.kind.state();
            widest = widest.max(spec.kind.outputs());
            layers.push(Packed::new(spec.kind, spec.residual, &network.parameters()[network.range(layer)]));
        }
        Inference { layers, inputs: network.inputs(), outputs: network.outputs(), states, state, widest }
    }

    /// Numbers in one time step's input.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Numbers in one time step's output.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The state at the beginning of a sequence.
    #[must_use]
    pub fn zero_state(&self) -> State {
        let room = || vec![0.0; self.widest];
        State {
            values: vec![0.0; self.state],
            scratch: Scratch {
                x: room(),
                y: room(),
                cell: [room(), room()],
                turns: vec![Turn::START; self.layers.len()],
            },
        }
    }

    /// One time step: reads `x`, updates `state`, writes `y`.
    ///
    /// # Panics
    /// If `x`, `y` or `state` is of another size than the network's.
    pub fn step(&self, state: &mut State, x: &[f32], y: &mut [f32]) {
        self.steps(state, x, y);
    }

    /// Every output of a sequence, from `state` on: `xs` is time steps × inputs, `ys` time steps × outputs.
    ///
    /// # Panics
    /// If the lengths are no such multiples of the network's sizes.
    pub fn run(&self, state: &mut State, xs: &[f32], ys: &mut [f32]) {
        self.steps(state, xs, ys);
    }

    /// The last output of a sequence, from `state` on; `None` for an empty one.
    ///
    /// # Panics
    /// If the length of `xs` is no multiple of the network's inputs.
    pub fn run_last(&self, state: &mut State, xs: &[f32]) -> Option<Vec<f32>> {
        let mut ys = vec![0.0; xs.len() / self.inputs * self.outputs];
        self.steps(state, xs, &mut ys);
        let start = ys.len().checked_sub(self.outputs)?;
        Some(ys.split_off(start))
    }

    fn steps(&self, state: &mut State, xs: &[f32], ys: &mut [f32]) {
        assert!(
            xs.len().is_multiple_of(self.inputs) && xs.len() / self.inputs * self.outputs == ys.len(),
            "{} inputs and room for {} outputs are not the same number of steps of {} and {}",
            xs.len(),
            ys.len(),
            self.inputs,
            self.outputs
        );
        assert_eq!(state.values.len(), self.state, "the state of another network");
        // A state as large as this network's may have been made by one that is narrower elsewhere.
        let Scratch { x, y, cell: [reset, flushed], turns } = &mut state.scratch;
        turns.resize(self.layers.len(), Turn::START);
        for room in [x, y, reset, flushed] {
            room.resize(room.len().max(self.widest), 0.0);
        }
        for (x, y) in xs.chunks_exact(self.inputs).zip(ys.chunks_exact_mut(self.outputs)) {
            self.step_one(state, x, y);
        }
    }

    fn step_one(&self, state: &mut State, x: &[f32], y: &mut [f32]) {
        let State { values, scratch: Scratch { x: from, y: to, cell, turns } } = state;
        from[..x.len()].copy_from_slice(x);
        for ((layer, &at), turn) in self.layers.iter().zip(&self.states).zip(turns) {
            let (inputs, outputs) = (layer.kind.inputs(), layer.kind.outputs());
            let state = &mut values[at..at + layer.kind.state()];
            layer.step(state, turn, cell, &from[..inputs], &mut to[..outputs]);
            core::mem::swap(from, to);
        }
        y.copy_from_slice(&from[..y.len()]);
    }
}
