//! A network of run-time sizes on the kernels.

mod integer;
mod packed;

use super::{LayerKind, Network};
use crate::cell::Turn;
use core::ops::Range;
use integer::Integer;
use packed::Packed;

/// Time steps that a layer takes before the next one's turn.
const AHEAD: usize = 64;

/// A [`Network`] packed for the kernels: weights that any number of streams share.
#[derive(Clone, Debug)]
pub struct Inference {
    layers: Vec<Packed>,
    inputs: usize,
    outputs: usize,
    /// Where each layer's state begins, and behind the last one's where it ends.
    states: Vec<usize>,
    /// The state that the model begins with.
    initial: Vec<f32>,
    /// The widest vector between layers.
    widest: usize,
    is_causal: bool,
}

/// One stream's state: for each recurrent layer h and, of an LSTM, c; of a bidirectional one those of both directions; of
/// layers that look back, such as a convolution, the last inputs.
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

    /// How many int16 numbers have been cut off since this state began: inputs, outputs of integer layers that are not bounded, and cell
    /// states of integer LSTMs.
    #[must_use]
    pub fn saturated(&self) -> u64 {
        self.scratch.saturated
    }

    /// The numbers, to set an initial state.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}

#[derive(Clone, Debug, Default)]
struct Scratch {
    flow: Flow,
    /// The next layer's flow.
    next: Flow,
    room: packed::Room,
    /// Of each layer and direction.
    turns: Vec<[Turn; 2]>,
    saturated: u64,
}

/// States are equal if their values are.
impl PartialEq for Scratch {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Vectors of some time steps, between two layers.
#[derive(Clone, Debug, Default)]
struct Flow {
    /// Time steps × size.
    values: Vec<f32>,
    size: usize,
    /// Which steps are not masked, where a layer has looked.
    valid: Option<Vec<bool>>,
}

impl Flow {
    fn steps(&self) -> usize {
        self.values.len() / self.size
    }

    fn is_valid(&self, step: usize) -> bool {
        self.valid.as_ref().is_none_or(|valid| valid[step])
    }

    fn rows(&self) -> impl DoubleEndedIterator<Item = (&[f32], bool)> + ExactSizeIterator {
        self.values.chunks_exact(self.size).enumerate().map(|(step, x)| (x, self.is_valid(step)))
    }

    /// Becomes so many steps of so many numbers, without a mask.
    fn reset(&mut self, steps: usize, size: usize) {
        self.values.clear();
        self.values.resize(steps * size, 0.0);
        self.size = size;
        self.valid = None;
    }
}

impl Inference {
    pub(super) fn new(network: &Network<f32>) -> Self {
        let mut states = vec![0];
        let mut initial = Vec::new();
        let mut widest = network.inputs();
        let mut layers = Vec::new();
        // Of what flows between integer layers.
        let mut bits = Vec::new();
        for (layer, spec) in network.layers().iter().enumerate() {
            let parameters = &network.parameters()[network.range(layer)];
            layers.push(if spec.integer {
                let mut packed = Integer::new(spec, network.integers(layer), &bits);
                if let Some(LayerKind::Masking { value, .. }) = network.layers().get(layer + 1).map(|spec| spec.kind) {
                    packed.masked_behind(value);
                }
                bits = packed.output_bits().to_vec();
                initial.extend(packed.initial_state());
                Packed::integer(packed, spec.kind)
            } else {
                let (weights, state) = parameters.split_at(spec.kind.weights());
                initial.extend_from_slice(state);
                Packed::new(spec.kind, spec.residual, weights)
            });
            initial.resize(states[layer] + spec.kind.state(), 0.0);
            states.push(initial.len());
            widest = widest.max(spec.kind.outputs());
        }
        let (inputs, outputs) = (network.inputs(), network.outputs());
        Inference { layers, inputs, outputs, states, initial, widest, is_causal: network.is_causal() }
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

    /// The state in which the model begins a sequence: zeros, but where it has brought another one
    /// ([`LayerSpec::initial_state`](super::LayerSpec::initial_state)).
    #[must_use]
    pub fn initial_state(&self) -> State {
        State { values: self.initial.clone(), scratch: Scratch::default() }
    }

    /// The state that is all zeros.
    #[must_use]
    pub fn zero_state(&self) -> State {
        State { values: vec![0.0; self.initial.len()], scratch: Scratch::default() }
    }

    /// Where a layer's numbers are among the [state's](State::values): for Keras's `return_state` and `initial_state` h and,
    /// behind it, of an LSTM c; of a bidirectional layer the forward layer's, then the backward layer's. Layers are counted
    /// from 0. Empty if there is no such layer, or it has no state.
    #[must_use]
    pub fn state_of(&self, layer: usize) -> Range<usize> {
        match self.states.get(layer..layer.saturating_add(2)) {
            Some(&[start, end]) => start..end,
            _ => 0..0,
        }
    }

    /// One time step: reads `x`, updates `state`, writes `y`. To a layer that begins at a sequence's end it is a sequence of
    /// one step.
    ///
    /// # Panics
    /// If `x`, `y` or `state` is of another size than the network's.
    pub fn step(&self, state: &mut State, x: &[f32], y: &mut [f32]) {
        self.run(state, x, y);
    }

    /// Every output of a sequence, from `state` on: `xs` is time steps × inputs, `ys` time steps × outputs. A layer that begins
    /// at a sequence's end begins at that of `xs`.
    ///
    /// # Panics
    /// If the lengths are no such multiples of the network's sizes.
    pub fn run(&self, state: &mut State, xs: &[f32], ys: &mut [f32]) {
        assert!(
            xs.len().is_multiple_of(self.inputs) && xs.len() / self.inputs * self.outputs == ys.len(),
            "{} inputs and room for {} outputs are not the same number of steps of {} and {}",
            xs.len(),
            ys.len(),
            self.inputs,
            self.outputs
        );
        let steps = self.steps_at_once(xs);
        for (xs, ys) in xs.chunks(steps * self.inputs).zip(ys.chunks_mut(steps * self.outputs)) {
            self.layers_from(0..self.layers.len(), state, xs);
            ys.copy_from_slice(&state.scratch.flow.values);
        }
    }

    /// The output of the network for a sequence, from `state` on, where it gives one for the whole of it (Keras
    /// `return_sequences=False`), else its last one; `None` for an empty sequence.
    ///
    /// # Panics
    /// If the length of `xs` is no multiple of the network's inputs.
    pub fn run_last(&self, state: &mut State, xs: &[f32]) -> Option<Vec<f32>> {
        assert!(xs.len().is_multiple_of(self.inputs), "{} inputs are no number of steps of {}", xs.len(), self.inputs);
        if xs.is_empty() {
            return None;
        }
        // Layers behind the one that gives a single output work on that alone.
        let single = self.layers.iter().position(|layer| !layer.kind.keeps_sequence());
        let sequence = single.map_or(self.layers.len(), |layer| layer + 1);
        let steps = self.steps_at_once(xs);
        for xs in xs.chunks(steps * self.inputs) {
            self.layers_from(0..sequence, state, xs);
        }
        let flow = &mut state.scratch.flow;
        let last = flow.steps().checked_sub(1)?;
        let valid = flow.is_valid(last);
        flow.values.drain(..last * flow.size);
        if let Some(layer) = single {
            // The backward layer's last output is that of the first time step.
            self.layers[layer].merge_last(&state.values[self.state_of(layer)], &mut flow.values);
            flow.valid = None;
        } else {
            flow.valid = flow.valid.take().map(|_| vec![valid]);
        }
        for layer in sequence..self.layers.len() {
            self.layer(layer, state);
        }
        Some(state.scratch.flow.values.clone())
    }

    /// So many that what is between the layers stays small, if the network allows it.
    fn steps_at_once(&self, xs: &[f32]) -> usize {
        if self.is_causal { AHEAD } else { (xs.len() / self.inputs).max(1) }
    }

    /// Takes time steps through some layers; the result is in the state's flow.
    fn layers_from(&self, layers: Range<usize>, state: &mut State, xs: &[f32]) {
        assert_eq!(state.values.len(), self.initial.len(), "the state of another network");
        let Scratch { flow, turns, .. } = &mut state.scratch;
        turns.resize(self.layers.len(), [Turn::START; 2]);
        flow.reset(0, self.inputs);
        flow.values.extend_from_slice(xs);
        for layer in layers {
            self.layer(layer, state);
        }
    }

    fn layer(&self, layer: usize, state: &mut State) {
        let range = self.state_of(layer);
        let State { values, scratch: Scratch { flow, next, room, turns, saturated } } = state;
        room.widen(self.widest);
        *saturated += self.layers[layer].run(&mut values[range], &mut turns[layer], room, flow, next);
        core::mem::swap(flow, next);
    }
}
