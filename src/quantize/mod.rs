//! From single precision to [integer networks](crate::quant): calibration on data, and what it costs in accuracy.
//!
//! ```
//! use gatelet::network::Network;
//! use gatelet::quantize::{Options, quantize};
//! let network = Network::describe(2, "gru(4, sequences), dense(1)")?.initialized(1);
//! let data: Vec<f32> = (0..200).map(|i| (0.1 * i as f32).sin()).collect();
//! let quantized = quantize(&network, &[&data], &Options::default())?;
//! assert_eq!(
//!     quantized.network.to_string(),
//!     "quantize(2), integer gru(4, sequences), integer dense(1), dequantize(1)"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod drift;
mod fold;
mod layer;
mod moments;
mod ranges;
mod rows;
mod simulation;

pub use drift::{Drift, LayerDrift, drift};
pub use ranges::Ranges;
pub use simulation::Simulation;
pub(crate) use simulation::{Simulated, SimulatedLayer};

use crate::math::{ActivationKind, OutputKind};
use crate::network::{Inference, LayerKind, LayerSpec, Network, NetworkError, Recurrent, check_integer};
use layer::{Layer, Plan};
use ranges::Sizes;
use rows::Search;

/// Why a network cannot be made of integers.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantizeError {
    /// It is one already.
    #[error("the network is an integer network already: quantise the one in single precision that it comes from")]
    Already,
    /// There are no data.
    #[error("there are no time steps to calibrate with")]
    NoData,
    /// The data have another number of features than the network has inputs.
    #[error("{numbers} calibration numbers are no number of time steps of {inputs}")]
    Features {
        /// Numbers in a sequence.
        numbers: usize,
        /// Inputs of the network.
        inputs: usize,
    },
    /// A number of the calibration data, or of what the network makes of them, is NaN or infinite.
    #[error("layer {layer}, {name}: the calibration data give {value}; leave such numbers out")]
    NotFinite {
        /// Which layer, from 1; 0 for the data themselves.
        layer: usize,
        /// Its kind, or `data`.
        name: &'static str,
        /// The number.
        value: f32,
    },
    /// A channel of the data never moves.
    #[error(
        "input {channel} is {value} in every time step of the calibration data, which tells nothing of its range: give data \
         in which it moves, or allow it to have the range of the widest other input (--allow-still)"
    )]
    Still {
        /// Which input, from 0.
        channel: usize,
        /// Its only value.
        value: f32,
    },
    /// A range that int16 numbers cannot represent.
    #[error(
        "layer {layer}, {name}: its {what} reach {largest:.3e}, which int16 numbers cannot represent: scale the data or \
         normalise them in front of it, or train with a bounded activation"
    )]
    Range {
        /// Which layer, from 1.
        layer: usize,
        /// Its kind.
        name: &'static str,
        /// What is too large.
        what: &'static str,
        /// How large it gets.
        largest: f64,
    },
    /// A sum that 32 bits do not hold.
    #[error(
        "layer {layer}, {name}: a sum over {numbers} numbers exceeds 32 bits unless weights lose more than two of their \
         eight bits: make the layer narrower, or train it with smaller weights"
    )]
    Sum {
        /// Which layer, from 1.
        layer: usize,
        /// Its kind.
        name: &'static str,
        /// How many numbers are added.
        numbers: usize,
    },
    /// There is no such integer network.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// What to quantise with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How ranges are found.
    pub ranges: Ranges,
    /// Whether an input that never moves may have the range of the widest other one. It is an error otherwise.
    pub allow_still: bool,
}

/// An integer network, and how it was found.
#[derive(Clone, Debug)]
pub struct Quantized {
    /// The network.
    pub network: Network<f32>,
    /// How its ranges were found.
    pub ranges: Ranges,
    /// The root of the mean squared difference between its outputs and single precision's on the calibration data.
    pub rms_error: f64,
    /// Numbers that the integer network cut off on the calibration data: of the input, of linear outputs, of cell states.
    pub saturated: u64,
}

/// What calibration has found out about a layer.
struct Calibration {
    /// Sizes of outputs, or of the hidden states that they are.
    output: Sizes,
    /// Of an LSTM's cell states.
    cell: Sizes,
    /// Of a softmax's arguments, in units of ln 2.
    logits: Sizes,
    /// The outputs of all time steps of each sequence.
    outputs: Vec<Vec<f32>>,
}

/// Makes an integer network that gives nearly the same outputs, with ranges found on `sequences`, each time steps × inputs.
///
/// # Errors
/// If a layer has no integer form, or the data do not tell its ranges.
pub fn quantize(network: &Network<f32>, sequences: &[&[f32]], options: &Options) -> Result<Quantized, QuantizeError> {
    Ok(calibrate(network, sequences, options)?.1)
}

/// The same, with what remains when weights are trained further.
///
/// # Errors
/// As for [`quantize`].
pub fn calibrate(
    network: &Network<f32>,
    sequences: &[&[f32]],
    options: &Options,
) -> Result<(Simulation, Quantized), QuantizeError> {
    if network.is_integer() {
        return Err(QuantizeError::Already);
    }
    check_data(network, sequences, options)?;
    let folded = fold::folded(network)?;
    for (spec, source) in folded.network.layers().iter().zip(&folded.layers) {
        check_integer(spec).map_err(|problem| {
            let name = spec.kind.kind().name();
            NetworkError::Integer { layer: source.layer + 1, name, problem }
        })?;
    }
    let seen = Seen::new(&folded.network, sequences)?;
    let exact = network.inference();
    let expected: Vec<_> = sequences
        .iter()
        .map(|xs| {
            let mut ys = vec![0.0; xs.len() / network.inputs() * network.outputs()];
            exact.run(&mut exact.initial_state(), xs, &mut ys);
            ys
        })
        .collect();
    let kinds = match options.ranges {
        Ranges::Auto => &[Ranges::MinMax, Ranges::Percentile, Ranges::MeanSquare][..],
        _ => core::slice::from_ref(&options.ranges),
    };
    let mut best: Option<(Simulation, Quantized)> = None;
    let mut failed = QuantizeError::NoData;
    for &ranges in kinds {
        let plans = match seen.plans(&folded.network, ranges) {
            Ok(plans) => plans,
            Err(error) => {
                failed = error;
                continue;
            }
        };
        let mut simulation = Simulation { plans, input_bits: seen.input_bits.clone(), search: Search::ALL[0] };
        for search in Search::ALL {
            simulation.search = search;
            let network = match simulation.integer(network) {
                Ok(network) => network,
                Err(error) => {
                    failed = error;
                    continue;
                }
            };
            let (rms_error, saturated) = compare(&network, sequences, &expected);
            if best.as_ref().is_none_or(|(_, best)| rms_error < best.rms_error) {
                best = Some((simulation.clone(), Quantized { network, ranges, rms_error, saturated }));
            }
        }
    }
    best.ok_or(failed)
}

fn check_data(network: &Network<f32>, sequences: &[&[f32]], options: &Options) -> Result<(), QuantizeError> {
    let inputs = network.inputs();
    let steps = || sequences.iter().flat_map(|sequence| sequence.chunks_exact(inputs));
    if let Some(sequence) = sequences.iter().find(|sequence| !sequence.len().is_multiple_of(inputs)) {
        return Err(QuantizeError::Features { numbers: sequence.len(), inputs });
    }
    if let Some(&value) = steps().flatten().find(|x| !x.is_finite()) {
        return Err(QuantizeError::NotFinite { layer: 0, name: "data", value });
    }
    let first = steps().next().ok_or(QuantizeError::NoData)?;
    match (0..inputs).find(|&channel| steps().all(|step| step[channel] == first[channel])) {
        Some(channel) if !options.allow_still => Err(QuantizeError::Still { channel, value: first[channel] }),
        _ => Ok(()),
    }
}

/// What every layer of a network has given for the calibration data.
struct Seen {
    inputs: Vec<Vec<f32>>,
    input_bits: Vec<i8>,
    layers: Vec<Calibration>,
}

/// Room above the largest number of the calibration's inputs.
const HEADROOM: f64 = 1.25;

impl Seen {
    fn new(network: &Network<f32>, sequences: &[&[f32]]) -> Result<Self, QuantizeError> {
        let inputs: Vec<_> = sequences.iter().map(|sequence| sequence.to_vec()).collect();
        let mut layers: Vec<Calibration> = Vec::new();
        for (number, spec) in (1..).zip(network.layers()) {
            let parameters = &network.parameters()[network.range(number - 1)];
            let flow = layers.last().map_or(&inputs, |layer| &layer.outputs);
            let Ran { outputs, cells, logits } = run_layer(spec, parameters, flow)?;
            if let Some(&value) = outputs.iter().flatten().chain(&cells).chain(&logits).find(|x| !x.is_finite()) {
                return Err(QuantizeError::NotFinite { layer: number, name: spec.kind.kind().name(), value });
            }
            let output = Sizes::of(outputs.iter().flatten());
            layers.push(Calibration { output, cell: Sizes::of(&cells), logits: Sizes::of(&logits), outputs });
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
            (-112..=15).rev().find(|&bits| largest * 2f64.powi(bits.into()) <= 32_767.0).unwrap_or(-112)
        });
        let bits: Vec<i8> = bits.collect();
        let LayerKind::Recurrent(layer) = network.layers()[0].kind else { return bits };
        let (u, w, _) = layer.split(&network.parameters()[network.range(0)]);
        let hidden = 2f64.powi(-self.layers[0].output.fraction_bits(Ranges::MinMax).unwrap_or(15));
        let of_u = largest(&mut u.iter().map(|&u| f64::from(u) * hidden));
        let column =
            |k: usize| largest(&mut w.column(k).iter().map(|&w| f64::from(w) * 2f64.powi(-i32::from(bits[k]))));
        let of_w = largest(&mut (0..size).map(column));
        let spare = (of_u / of_w).log2().floor();
        let spare = if spare.is_finite() { spare.clamp(0.0, 4.0) as i8 } else { 0 };
        let least = |k: usize| {
            let weights = w.column(k);
            let most = (0..weights.len()).filter_map(|row| {
                let unit = layer::unit_of_gate(&layer, row / layer.units)?;
                Some(f64::from(weights[row].abs()) / (rows::LARGEST_WEIGHT * unit))
            });
            most.fold(f64::NEG_INFINITY, |most, size| most.max(size.log2().ceil())).max(-112.0) as i8
        };
        bits.into_iter().enumerate().map(|(k, bits)| (bits - spare).max(least(k)).min(15)).collect()
    }

    /// What the integer layers will be, with these ranges.
    fn plans(&self, network: &Network<f32>, ranges: Ranges) -> Result<Vec<Plan>, QuantizeError> {
        let mut bits = self.input_bits.clone();
        let mut inputs = &self.inputs;
        let mut plans = Vec::new();
        for (number, (spec, seen)) in (1..).zip(network.layers().iter().zip(&self.layers)) {
            let plan = Layer { number, kind: spec.kind, inputs, bits, seen }.plan(ranges)?;
            bits = vec![plan.output_bits; spec.kind.outputs()];
            inputs = &seen.outputs;
            plans.push(plan);
        }
        Ok(plans)
    }
}

fn as_bytes(bits: &[i8]) -> Vec<u8> {
    bits.iter().map(|bits| bits.cast_unsigned()).collect()
}

/// What a layer gives.
struct Ran {
    outputs: Vec<Vec<f32>>,
    cells: Vec<f32>,
    logits: Vec<f32>,
}

/// Takes sequences through one layer, of which every output counts.
fn run_layer(spec: &LayerSpec, parameters: &[f32], flow: &[Vec<f32>]) -> Result<Ran, NetworkError> {
    let alone = |kind: LayerKind| -> Result<Inference, NetworkError> {
        let mut network = Network::new(vec![LayerSpec { kind, ..*spec }])?;
        network.parameters_mut().copy_from_slice(parameters);
        Ok(network.inference())
    };
    let outputs = |layer: &Inference, states: &mut dyn FnMut(&[f32])| -> Vec<Vec<f32>> {
        let run = |xs: &Vec<f32>| {
            let mut state = layer.initial_state();
            let mut ys = vec![0.0; xs.len() / layer.inputs() * layer.outputs()];
            for (x, y) in xs.chunks_exact(layer.inputs()).zip(ys.chunks_exact_mut(layer.outputs())) {
                layer.step(&mut state, x, y);
                states(state.values());
            }
            ys
        };
        flow.iter().map(run).collect()
    };
    let mut ran = Ran { outputs: Vec::new(), cells: Vec::new(), logits: Vec::new() };
    match spec.kind {
        LayerKind::Recurrent(layer) => {
            let layer = Recurrent { return_sequences: true, ..layer };
            let cells = &mut ran.cells;
            let inference = alone(LayerKind::Recurrent(layer))?;
            ran.outputs = outputs(&inference, &mut |state| cells.extend_from_slice(&state[layer.units..]));
        }
        LayerKind::Dense { inputs, units, activation: OutputKind::Softmax } => {
            let activation = OutputKind::Each(ActivationKind::Linear);
            let logits = outputs(&alone(LayerKind::Dense { inputs, units, activation })?, &mut |_| ());
            ran.logits = logits.into_iter().flatten().map(|y| y / core::f32::consts::LN_2).collect();
            ran.outputs = outputs(&alone(spec.kind)?, &mut |_| ());
        }
        kind => ran.outputs = outputs(&alone(kind)?, &mut |_| ()),
    }
    Ok(ran)
}

/// The root mean squared difference of a network's outputs from those expected, and how many numbers were cut off.
fn compare(network: &Network<f32>, sequences: &[&[f32]], expected: &[Vec<f32>]) -> (f64, u64) {
    let inference = network.inference();
    let (mut sum, mut count, mut saturated) = (0.0, 0_u64, 0);
    for (xs, expected) in sequences.iter().zip(expected) {
        let mut state = inference.initial_state();
        let mut ys = vec![0.0; expected.len()];
        inference.run(&mut state, xs, &mut ys);
        saturated += state.saturated();
        count += ys.len() as u64;
        sum += ys.iter().zip(expected).map(|(y, expected)| f64::from(y - expected).powi(2)).sum::<f64>();
    }
    ((sum / count.max(1) as f64).sqrt(), saturated)
}
