//! What calibration data make of a network: the numbers in front of every layer and behind it.

use super::fold::Folded;
use super::layer::unit_of_gate;
use super::moments::MOST_STEPS;
use super::plan::{Plan, most_bits};
use super::ranges::{Ranges, Sizes};
use super::{QuantizeError, rows};
use crate::math::{ActivationKind, OutputKind};
use crate::network::{Conv1d, Inference, LayerKind, LayerSpec, Network, NetworkError, Recurrent};
use std::rc::Rc;

/// Sequences of time steps.
pub(super) type Sequences = Rc<Vec<Vec<f32>>>;

/// What flows between layers.
#[derive(Clone)]
struct Flow {
    values: Sequences,
    /// Which steps are not masked, where a layer has looked.
    valid: Option<Rc<Vec<Vec<bool>>>>,
}

/// What rows of weights see and give: those of a layer, or of one direction of a bidirectional one.
pub(super) struct Calibration {
    /// What they are multiplied with in each time step.
    pub(super) inputs: Sequences,
    /// Sizes of outputs, or of the hidden states that they are.
    pub(super) output: Sizes,
    /// Of an LSTM's cell states.
    pub(super) cell: Sizes,
    /// Of a softmax's arguments, in units of ln 2.
    pub(super) logits: Sizes,
    /// The outputs of all time steps of each sequence.
    pub(super) outputs: Sequences,
}

/// A layer's calibrations, one for each of its matrices W, and its outputs.
pub(super) struct SeenLayer {
    pub(super) rows: Vec<Calibration>,
    flow: Flow,
    /// Sizes of the outputs, where the inputs are added to what the layer gives.
    pub(super) sum: Option<Sizes>,
}

impl SeenLayer {
    /// The size of its largest output.
    pub(super) fn largest_output(&self) -> f64 {
        self.flow.values.iter().flatten().fold(0.0, |a, b| f64::max(a, b.abs().into()))
    }
}

/// What every layer of a network has given for the calibration data.
pub(super) struct Seen {
    inputs: Sequences,
    pub(super) input_bits: Vec<i8>,
    layers: Vec<SeenLayer>,
}

/// Room above the largest number of the calibration's inputs.
const HEADROOM: f64 = 1.25;

impl Seen {
    pub(super) fn new(folded: &Folded, sequences: Vec<Vec<f32>>) -> Result<Self, QuantizeError> {
        let network = &folded.network;
        let inputs = Flow { values: Rc::new(sequences), valid: None };
        let mut layers: Vec<SeenLayer> = Vec::new();
        for (index, spec) in network.layers().iter().enumerate() {
            let parameters = &network.parameters()[network.range(index)];
            let flow = layers.last().map_or(&inputs, |layer| &layer.flow).clone();
            let finite = |numbers: &[f32]| match numbers.iter().find(|x| !x.is_finite()) {
                Some(&value) => {
                    let layer = folded.layers[index].layer + 1;
                    Err(QuantizeError::NotFinite { layer, name: spec.kind.kind().name(), value })
                }
                None => Ok(()),
            };
            let mut seen = seen_layer(&LayerSpec { residual: false, ..*spec }, parameters, &flow, &finite)?;
            if spec.residual {
                let sums = seen.flow.values.iter().zip(flow.values.iter());
                let sums: Vec<Vec<f32>> = sums.map(|(y, x)| y.iter().zip(x).map(|(y, x)| y + x).collect()).collect();
                seen.sum = Some(Sizes::of(sums.iter().flatten()));
                seen.flow.values = Rc::new(sums);
            }
            // Slopes above 1 give more than they get, in the same format.
            if let (LayerKind::Prelu { .. }, Some(Calibration { output, .. })) = (
                spec.kind,
                layers.last_mut().filter(|before| before.sum.is_none()).and_then(|before| before.rows.last_mut()),
            ) {
                *output = Sizes::of(flow.values.iter().chain(seen.flow.values.iter()).flatten());
            }
            layers.push(seen);
        }
        let mut seen = Seen { inputs: inputs.values, input_bits: Vec::new(), layers };
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
        // What masks is no number of the data, and may be far from them.
        let inputs = match network.layers()[0].kind {
            LayerKind::Masking { value, .. } => Rc::new(unmasked(&self.inputs, size, value)),
            _ => self.inputs.clone(),
        };
        let ranges: Vec<_> = (0..size)
            .map(|channel| {
                let numbers = || inputs.iter().flat_map(|sequence| sequence.iter().skip(channel).step_by(size));
                let first = numbers().next();
                let is_still = numbers().all(|x| Some(x) == first);
                (largest(&mut numbers().map(|&x| x.into())), is_still)
            })
            .collect();
        let widest = largest(&mut ranges.iter().map(|&(largest, _)| largest));
        let bits = ranges.iter().map(|&(largest, is_still)| {
            let largest = HEADROOM * if is_still { widest } else { largest };
            // What is finite has fraction bits, if need be fewer than none.
            most_bits(largest, 32_767.0)
        });
        let bits: Vec<i8> = bits.collect();
        let LayerSpec { kind: LayerKind::Recurrent(layer), residual: false, .. } = network.layers()[first] else {
            return bits;
        };
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
    let calibration = |kind: LayerKind, parameters: &[f32], inputs: Sequences| -> Result<_, QuantizeError> {
        let Ran { outputs, cells, logits } = ran(&LayerSpec { kind, ..*spec }, parameters, &inputs)?;
        outputs.iter().map(|outputs| &outputs[..]).chain([&cells[..], &logits[..]]).try_for_each(finite)?;
        let output = Sizes::of(outputs.iter().flatten());
        let (cell, logits) = (Sizes::of(&cells), Sizes::of(&logits));
        Ok(Calibration { inputs, output, cell, logits, outputs: Rc::new(outputs) })
    };
    let alone = |inputs: &[Vec<f32>]| -> Result<Vec<Vec<f32>>, QuantizeError> {
        let Ran { outputs, .. } = ran(spec, parameters, inputs)?;
        outputs.iter().try_for_each(|outputs| finite(outputs))?;
        Ok(outputs)
    };
    let (mut rows, mut valid) = (Vec::new(), flow.valid.clone());
    let values = match spec.kind {
        LayerKind::Dense { .. } => {
            rows.push(calibration(spec.kind, parameters, flow.values.clone())?);
            rows[0].outputs.clone()
        }
        LayerKind::Recurrent(layer) => {
            let order = if layer.go_backwards { flow.reversed(size) } else { flow.clone() };
            rows.push(calibration(direction(layer), parameters, order.kept(size))?);
            order.spread(&rows[0].outputs, layer.units, layer.zero_output_for_mask)
        }
        LayerKind::Bidirectional { layer, .. } => {
            let (weights, state) = parameters.split_at(spec.kind.weights());
            let (first, second) = weights.split_at(layer.weights());
            let (of_first, of_second) = state.split_at(state.len() / 2);
            let kept = flow.kept(size);
            let mut forward = calibration(direction(layer), &[first, of_first].concat(), kept.clone())?;
            let backward = flow.reversed(size).kept(size);
            let mut backward = calibration(direction(layer), &[second, of_second].concat(), backward)?;
            // One range for both: outputs of one format can be merged.
            let both = Sizes::of(forward.outputs.iter().chain(backward.outputs.iter()).flatten());
            (forward.output, backward.output) = (both.clone(), both);
            rows = vec![forward, backward];
            flow.spread(&Rc::new(alone(&kept)?), spec.kind.outputs(), true)
        }
        LayerKind::Conv1d(layer) => {
            valid = None;
            let outputs = Rc::new(alone(&flow.values)?);
            let (output, none) = (Sizes::of(outputs.iter().flatten()), Sizes::of(&[]));
            let inputs = Rc::new(windows(&layer, &flow.values));
            rows.push(Calibration { inputs, output, cell: none.clone(), logits: none, outputs: outputs.clone() });
            outputs
        }
        LayerKind::Masking { value, .. } => {
            valid = Some(Rc::new(flow.values.iter().map(|xs| is_valid(xs, size, value)).collect()));
            Rc::new(alone(&flow.values)?)
        }
        LayerKind::Embedding { mask_zero, .. } => {
            valid = mask_zero.then(|| Rc::new(flow.values.iter().map(|xs| is_valid(xs, 1, 0.0)).collect()));
            Rc::new(alone(&flow.values)?)
        }
        LayerKind::AveragePooling { .. } | LayerKind::Flatten { .. } => {
            valid = None;
            Rc::new(alone(&flow.values)?)
        }
        _ => Rc::new(alone(&flow.values)?),
    };
    Ok(SeenLayer { rows, flow: Flow { values, valid }, sum: None })
}

/// A layer that gives every output, of sequences that come in its order.
fn direction(layer: Recurrent) -> LayerKind {
    LayerKind::Recurrent(Recurrent { return_sequences: true, go_backwards: false, ..layer })
}

/// Which time steps a value does not mask.
fn is_valid(xs: &[f32], size: usize, value: f32) -> Vec<bool> {
    xs.chunks_exact(size).map(|x| x.iter().any(|&x| x != value)).collect()
}

/// Sequences without the time steps that a value masks.
pub(super) fn unmasked(sequences: &[Vec<f32>], size: usize, value: f32) -> Vec<Vec<f32>> {
    let values = Rc::new(sequences.to_vec());
    let valid = Some(Rc::new(sequences.iter().map(|xs| is_valid(xs, size, value)).collect()));
    Flow { values, valid }.kept(size).to_vec()
}

impl Flow {
    /// Time steps from the last to the first.
    fn reversed(&self, size: usize) -> Flow {
        let reversed = |xs: &Vec<f32>| xs.chunks_exact(size).rev().flatten().copied().collect();
        let valid = self
            .valid
            .as_ref()
            .map(|valid| Rc::new(valid.iter().map(|valid| valid.iter().rev().copied().collect()).collect::<Vec<_>>()));
        Flow { values: Rc::new(self.values.iter().map(reversed).collect()), valid }
    }

    /// The steps that are not masked: what a recurrent layer sees.
    fn kept(&self, size: usize) -> Sequences {
        let Some(valid) = &self.valid else { return self.values.clone() };
        let kept = |(xs, valid): (&Vec<f32>, &Vec<bool>)| {
            let steps = xs.chunks_exact(size).zip(valid).filter(|&(_, &valid)| valid);
            steps.flat_map(|(x, _)| x).copied().collect()
        };
        Rc::new(self.values.iter().zip(valid.iter()).map(kept).collect())
    }

    /// A recurrent layer's outputs for these steps, and what it gives in masked ones: zeros, or its last output once more.
    fn spread(&self, outputs: &Sequences, size: usize, zeros: bool) -> Sequences {
        let Some(valid) = &self.valid else { return outputs.clone() };
        let spread = |(ys, valid): (&Vec<f32>, &Vec<bool>)| {
            let nothing = vec![0.0; size];
            let (mut given, mut last) = (ys.chunks_exact(size), &nothing[..]);
            let mut all = Vec::with_capacity(valid.len() * size);
            for &valid in valid {
                if valid {
                    last = given.next().unwrap_or(last);
                }
                all.extend_from_slice(if valid || !zeros { last } else { &nothing });
            }
            all
        };
        Rc::new(outputs.iter().zip(valid.iter()).map(spread).collect())
    }
}

/// What a convolution sees in some of the time steps: as many as means are made of.
fn windows(layer: &Conv1d, sequences: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let Conv1d { inputs: size, kernel_size, dilation, .. } = *layer;
    let steps: usize = sequences.iter().map(|xs| xs.len() / size).sum();
    let stride = steps.div_ceil(MOST_STEPS).max(1);
    let of_sequence = |xs: &Vec<f32>| -> Vec<f32> {
        let mut windows = Vec::new();
        for step in (0..xs.len() / size).step_by(stride) {
            for k in (0..kernel_size).rev() {
                match step.checked_sub(k * dilation) {
                    Some(before) => windows.extend_from_slice(&xs[before * size..][..size]),
                    None => windows.resize(windows.len() + size, 0.0),
                }
            }
        }
        windows
    };
    sequences.iter().map(of_sequence).collect()
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
