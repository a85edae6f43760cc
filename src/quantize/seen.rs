//! What calibration data make of a network: the numbers in front of every layer and behind it.

use super::fold::Folded;
use super::layer::unit_of_gate;
use super::plan::Plan;
use super::ranges::{Ranges, Sizes};
use super::{QuantizeError, rows};
use crate::math::{ActivationKind, OutputKind};
use crate::network::{Inference, LayerKind, LayerSpec, Network, NetworkError, Recurrent};
use std::rc::Rc;

/// Sequences of time steps.
pub(super) type Flow = Rc<Vec<Vec<f32>>>;

/// What rows of weights see and give: those of a layer, or of one direction of a bidirectional one.
pub(super) struct Calibration {
    /// What they are multiplied with in each time step.
    pub(super) inputs: Flow,
    /// Sizes of outputs, or of the hidden states that they are.
    pub(super) output: Sizes,
    /// Of an LSTM's cell states.
    pub(super) cell: Sizes,
    /// Of a softmax's arguments, in units of ln 2.
    pub(super) logits: Sizes,
    /// The outputs of all time steps of each sequence.
    pub(super) outputs: Flow,
}

/// A layer's calibrations, one for each of its matrices W, and its outputs.
pub(super) struct SeenLayer {
    pub(super) rows: Vec<Calibration>,
    outputs: Flow,
    /// Sizes of the outputs, where the inputs are added to what the layer gives.
    pub(super) sum: Option<Sizes>,
}

/// What every layer of a network has given for the calibration data.
pub(super) struct Seen {
    inputs: Flow,
    pub(super) input_bits: Vec<i8>,
    layers: Vec<SeenLayer>,
}

/// Room above the largest number of the calibration's inputs.
const HEADROOM: f64 = 1.25;

impl Seen {
    pub(super) fn new(folded: &Folded, sequences: Vec<Vec<f32>>) -> Result<Self, QuantizeError> {
        let network = &folded.network;
        let inputs = Rc::new(sequences);
        let mut layers: Vec<SeenLayer> = Vec::new();
        for (index, spec) in network.layers().iter().enumerate() {
            let parameters = &network.parameters()[network.range(index)];
            let flow = layers.last().map_or(&inputs, |layer| &layer.outputs);
            let finite = |numbers: &[f32]| match numbers.iter().find(|x| !x.is_finite()) {
                Some(&value) => {
                    let layer = folded.layers[index].layer + 1;
                    Err(QuantizeError::NotFinite { layer, name: spec.kind.kind().name(), value })
                }
                None => Ok(()),
            };
            let mut seen = seen_layer(&LayerSpec { residual: false, ..*spec }, parameters, flow, &finite)?;
            if spec.residual {
                let sums = seen.outputs.iter().zip(flow.iter());
                let sums: Vec<Vec<f32>> = sums.map(|(y, x)| y.iter().zip(x).map(|(y, x)| y + x).collect()).collect();
                seen.sum = Some(Sizes::of(sums.iter().flatten()));
                seen.outputs = Rc::new(sums);
            }
            layers.push(seen);
        }
        let mut seen = Seen { inputs, input_bits: Vec::new(), layers };
        seen.input_bits = seen.input_bits(network);
        Ok(seen)
    }

    /// The most fraction bits that hold the inputs; fewer where the first layer's W would be much less than its U, since weights have
    /// fewer bits to spare; more, so that inputs are cut off, where a weight times a whole range is far beyond what saturates its
    /// gate.
    fn input_bits(&self, network: &Network<f32>) -> Vec<i8> {
        let size = network.inputs();
        // A mask changes no fraction bits.
        let first =
            network.layers().iter().position(|spec| !matches!(spec.kind, LayerKind::Masking { .. })).unwrap_or(0);
        if let LayerKind::Embedding { .. } = network.layers()[first].kind {
            // Tokens are whole numbers.
            return vec![0];
        }
        let largest = |numbers: &mut dyn Iterator<Item = f64>| numbers.fold(0.0, |a, b| f64::max(a, b.abs()));
        let ranges: Vec<_> = (0..size)
            .map(|channel| {
                let numbers = || self.inputs.iter().flat_map(|sequence| sequence.iter().skip(channel).step_by(size));
                let first = numbers().next();
                let is_still = numbers().all(|x| Some(x) == first);
                (largest(&mut numbers().map(|&x| x.into())), is_still)
            })
            .collect();
        let widest = largest(&mut ranges.iter().map(|&(largest, _)| largest));
        let bits = ranges.iter().map(|&(largest, is_still)| {
            let largest = HEADROOM * if is_still { widest } else { largest };
            // What is finite has fraction bits, if need be fewer than none.
            (-100..=15).rev().find(|&bits| largest * 2f64.powi(bits.into()) <= 32_767.0).unwrap_or(-100)
        });
        let bits: Vec<i8> = bits.collect();
        let LayerKind::Recurrent(layer) = network.layers()[first].kind else { return bits };
        let (u, w, _) = layer.split(&network.parameters()[network.range(first)]);
        let hidden = 2f64.powi(-self.layers[first].rows[0].output.fraction_bits(Ranges::MinMax).unwrap_or(15));
        let of_u = largest(&mut u.iter().map(|&u| f64::from(u) * hidden));
        let column =
            |k: usize| largest(&mut w.column(k).iter().map(|&w| f64::from(w) * 2f64.powi(-i32::from(bits[k]))));
        let of_w = largest(&mut (0..size).map(column));
        let spare = (of_u / of_w).log2().floor();
        let spare = if spare.is_finite() { spare.clamp(0.0, 4.0) as i8 } else { 0 };
        let least = |k: usize| {
            let weights = w.column(k);
            let most = (0..weights.len()).filter_map(|row| {
                let unit = unit_of_gate(&layer, row / layer.units)?;
                Some(f64::from(weights[row].abs()) / (rows::LARGEST_WEIGHT * unit))
            });
            most.fold(f64::NEG_INFINITY, |most, size| most.max(size.log2().ceil())).max(-100.0) as i8
        };
        bits.into_iter().enumerate().map(|(k, bits)| (bits - spare).max(least(k)).min(15)).collect()
    }

    /// What the integer layers will be, with these ranges: their formats.
    pub(super) fn plans(&self, folded: &Folded, ranges: Ranges) -> Result<Vec<Plan>, QuantizeError> {
        let network = &folded.network;
        let mut bits = self.input_bits.clone();
        let mut plans = Vec::new();
        for (index, (spec, seen)) in network.layers().iter().zip(&self.layers).enumerate() {
            let weights = &network.parameters()[network.range(index)];
            let number = folded.layers[index].layer + 1;
            let plan = Plan::new(number, spec, weights, bits, seen, ranges)?;
            bits = plan.output_bits.clone();
            plans.push(plan);
        }
        Ok(plans)
    }

    /// Takes the means of what is seen into the plans, which weights need.
    pub(super) fn observe(&self, plans: &mut [Plan]) {
        plans.iter_mut().zip(&self.layers).for_each(|(plan, seen)| plan.observe(seen));
    }
}

/// Takes sequences through one layer, of which every output counts.
fn seen_layer(
    spec: &LayerSpec,
    parameters: &[f32],
    flow: &Flow,
    finite: &dyn Fn(&[f32]) -> Result<(), QuantizeError>,
) -> Result<SeenLayer, QuantizeError> {
    let size = spec.kind.inputs();
    let calibration = |kind: LayerKind, parameters: &[f32], inputs: Flow| -> Result<_, QuantizeError> {
        let Ran { outputs, cells, logits } = ran(&LayerSpec { kind, ..*spec }, parameters, &inputs)?;
        outputs.iter().map(|outputs| &outputs[..]).chain([&cells[..], &logits[..]]).try_for_each(finite)?;
        let output = Sizes::of(outputs.iter().flatten());
        let (cell, logits) = (Sizes::of(&cells), Sizes::of(&logits));
        Ok(Calibration { inputs, output, cell, logits, outputs: Rc::new(outputs) })
    };
    let alone = |kind: LayerKind| -> Result<Flow, QuantizeError> {
        let Ran { outputs, .. } = ran(&LayerSpec { kind, ..*spec }, parameters, flow)?;
        outputs.iter().try_for_each(|outputs| finite(outputs))?;
        Ok(Rc::new(outputs))
    };
    Ok(match spec.kind {
        LayerKind::Dense { .. } => {
            let seen = calibration(spec.kind, parameters, flow.clone())?;
            SeenLayer { outputs: seen.outputs.clone(), rows: vec![seen], sum: None }
        }
        LayerKind::Recurrent(layer) => {
            let inputs = if layer.go_backwards { Rc::new(reversed(flow, size)) } else { flow.clone() };
            let seen = calibration(direction(layer), parameters, inputs)?;
            SeenLayer { outputs: seen.outputs.clone(), rows: vec![seen], sum: None }
        }
        LayerKind::Bidirectional { layer, .. } => {
            let (weights, state) = parameters.split_at(spec.kind.weights());
            let (first, second) = weights.split_at(layer.weights());
            let (of_first, of_second) = state.split_at(state.len() / 2);
            let mut forward = calibration(direction(layer), &[first, of_first].concat(), flow.clone())?;
            let mut backward =
                calibration(direction(layer), &[second, of_second].concat(), Rc::new(reversed(flow, size)))?;
            // One range for both: outputs of one format can be merged.
            let both = Sizes::of(forward.outputs.iter().chain(backward.outputs.iter()).flatten());
            (forward.output, backward.output) = (both.clone(), both);
            SeenLayer { outputs: alone(spec.kind)?, rows: vec![forward, backward], sum: None }
        }
        LayerKind::Conv1d(layer) => {
            let outputs = alone(spec.kind)?;
            let history = layer.dilation * (layer.kernel_size - 1);
            let windows = |xs: &Vec<f32>| -> Vec<f32> {
                let padded = [vec![0.0; history * size], xs.clone()].concat();
                let of_step = |step: usize| {
                    let seen = padded.chunks_exact(size).skip(step).step_by(layer.dilation).take(layer.kernel_size);
                    seen.flatten().copied().collect::<Vec<_>>()
                };
                (0..xs.len() / size).flat_map(of_step).collect()
            };
            let output = Sizes::of(outputs.iter().flatten());
            let (inputs, none) = (Rc::new(flow.iter().map(windows).collect()), Sizes::of(&[]));
            let (cell, logits, outputs_too) = (none.clone(), none, outputs.clone());
            SeenLayer {
                rows: vec![Calibration { inputs, output, cell, logits, outputs }],
                sum: None,
                outputs: outputs_too,
            }
        }
        LayerKind::Masking { value, .. } => {
            SeenLayer { rows: Vec::new(), outputs: Rc::new(without(flow, size, value)), sum: None }
        }
        LayerKind::Embedding { mask_zero: true, .. } => {
            let valid = without(flow, 1, 0.0);
            let Ran { outputs, .. } = ran(spec, parameters, &valid)?;
            outputs.iter().try_for_each(|outputs| finite(outputs))?;
            SeenLayer { rows: Vec::new(), outputs: Rc::new(outputs), sum: None }
        }
        kind => SeenLayer { rows: Vec::new(), outputs: alone(kind)?, sum: None },
    })
}

/// A layer that gives every output, of sequences that come in its order.
fn direction(layer: Recurrent) -> LayerKind {
    LayerKind::Recurrent(Recurrent { return_sequences: true, go_backwards: false, ..layer })
}

/// Time steps from the last to the first.
fn reversed(flow: &[Vec<f32>], size: usize) -> Vec<Vec<f32>> {
    flow.iter().map(|xs| xs.chunks_exact(size).rev().flatten().copied().collect()).collect()
}

/// Without the time steps that a value masks: what is behind a mask does not see them.
fn without(flow: &[Vec<f32>], size: usize, value: f32) -> Vec<Vec<f32>> {
    let valid =
        |xs: &Vec<f32>| xs.chunks_exact(size).filter(|x| x.iter().any(|&x| x != value)).flatten().copied().collect();
    flow.iter().map(valid).collect()
}

/// What a layer gives.
struct Ran {
    outputs: Vec<Vec<f32>>,
    cells: Vec<f32>,
    logits: Vec<f32>,
}

/// Takes sequences through one layer.
fn ran(spec: &LayerSpec, parameters: &[f32], flow: &[Vec<f32>]) -> Result<Ran, NetworkError> {
    let alone = |kind: LayerKind| -> Result<Inference, NetworkError> {
        let mut network = Network::new(vec![LayerSpec { kind, ..*spec }])?;
        network.parameters_mut().copy_from_slice(parameters);
        Ok(network.inference())
    };
    let outputs = |layer: &Inference| -> Vec<Vec<f32>> {
        let run = |xs: &Vec<f32>| {
            let mut ys = vec![0.0; xs.len() / layer.inputs() * layer.outputs()];
            layer.run(&mut layer.initial_state(), xs, &mut ys);
            ys
        };
        flow.iter().map(run).collect()
    };
    let mut ran = Ran { outputs: Vec::new(), cells: Vec::new(), logits: Vec::new() };
    match spec.kind {
        LayerKind::Recurrent(layer) => {
            let inference = alone(spec.kind)?;
            for xs in flow {
                let mut state = inference.initial_state();
                let mut ys = vec![0.0; xs.len() / layer.inputs * layer.units];
                for (x, y) in xs.chunks_exact(layer.inputs).zip(ys.chunks_exact_mut(layer.units)) {
                    inference.step(&mut state, x, y);
                    ran.cells.extend_from_slice(&state.values()[layer.units..]);
                }
                ran.outputs.push(ys);
            }
        }
        LayerKind::Dense { inputs, units, activation: OutputKind::Softmax } => {
            let activation = OutputKind::Each(ActivationKind::Linear);
            let logits = outputs(&alone(LayerKind::Dense { inputs, units, activation })?);
            ran.logits = logits.into_iter().flatten().map(|y| y / core::f32::consts::LN_2).collect();
            ran.outputs = outputs(&alone(spec.kind)?);
        }
        kind => {
            // Of a layer that gives its last output, what it would give every time.
            let kind = match kind {
                LayerKind::Bidirectional { layer, merge } => {
                    LayerKind::Bidirectional { layer: Recurrent { return_sequences: true, ..layer }, merge }
                }
                _ => kind,
            };
            ran.outputs = outputs(&alone(kind)?);
        }
    }
    Ok(ran)
}
