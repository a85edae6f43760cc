//! A network of run-time sizes on the kernels.

use super::{Cell, LayerKind, Network};
use crate::kernel::{self, Gates, GruWeights, Source, pack};
use crate::math::{Activation, ActivationKind, OutputKind, Sigmoid, Tanh};
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
    reset: Vec<f32>,
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
                [Vec::new(), packed(0..kernel, 1, units), packed(kernel..kernel + units, 1, units)]
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
        Gates { recurrent: &self.parts[0], input: &self.parts[1], bias: &self.parts[2] }
    }

    #[inline(always)]
    fn step<B: Backend>(&self, b: B, state: &mut [f32], reset: &mut [f32], x: &[f32], y: &mut [f32]) {
        match self.kind {
            LayerKind::Normalize { .. } => kernel::normalize(&self.parts[1], &self.parts[2], x, y),
            LayerKind::Dense { activation, .. } => {
                let [_, kernel, bias] = &self.parts;
                match activation {
                    OutputKind::Softmax => kernel::dense(b, crate::Softmax, kernel, bias, x, y),
                    activation => kernel::dense(b, activation, kernel, bias, x, y),
                }
            }
            LayerKind::Recurrent(layer) => match (layer.activation, layer.recurrent_activation) {
                // The usual activations without a choice in the inner loop.
                (ActivationKind::Tanh, ActivationKind::Sigmoid) => {
                    self.recurrent(b, layer.cell, (Tanh, Sigmoid), state, reset, x, y);
                }
                chosen => self.recurrent(b, layer.cell, chosen, state, reset, x, y),
            },
        }
        if self.residual {
            kernel::add(y, x);
        }
    }

    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "the parts of one step")]
    fn recurrent<B: Backend, A: Activation, R: Activation>(
        &self,
        b: B,
        cell: Cell,
        activations: (A, R),
        state: &mut [f32],
        reset: &mut [f32],
        x: &[f32],
        y: &mut [f32],
    ) {
        let (h, c) = state.split_at_mut(y.len());
        match cell {
            Cell::SimpleRnn => kernel::simple_rnn(b, activations.0, self.gates(), x, h, y),
            Cell::Lstm => kernel::lstm(b, activations, self.gates(), x, h, c, y),
            Cell::Gru { reset_after } => {
                let weights = GruWeights { gates: self.gates(), reset_after };
                let reset = &mut reset[..y.len()];
                kernel::gru(b, activations, weights, x, h, reset, y);
            }
        }
        h.copy_from_slice(y);
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
        State { values: vec![0.0; self.state], scratch: Scratch { x: room(), y: room(), reset: room() } }
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
        struct Steps<'a>(&'a Inference, &'a mut State, &'a [f32], &'a mut [f32]);
        impl Visitor for Steps<'_> {
            type Out = ();
            #[inline(always)]
            fn visit<B: Backend>(self, b: B) {
                let Steps(network, state, xs, ys) = self;
                for (x, y) in xs.chunks_exact(network.inputs).zip(ys.chunks_exact_mut(network.outputs)) {
                    network.step_on(b, state, x, y);
                }
            }
        }
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
        for room in [&mut state.scratch.x, &mut state.scratch.y, &mut state.scratch.reset] {
            room.resize(room.len().max(self.widest), 0.0);
        }
        dispatch(Steps(self, state, xs, ys));
    }

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, state: &mut State, x: &[f32], y: &mut [f32]) {
        let State { values, scratch: Scratch { x: from, y: to, reset } } = state;
        from[..x.len()].copy_from_slice(x);
        for (layer, &at) in self.layers.iter().zip(&self.states) {
            let (inputs, outputs) = (layer.kind.inputs(), layer.kind.outputs());
            let state = &mut values[at..at + layer.kind.state()];
            layer.step(b, state, reset, &from[..inputs], &mut to[..outputs]);
            core::mem::swap(from, to);
        }
        y.copy_from_slice(&from[..y.len()]);
    }
}
