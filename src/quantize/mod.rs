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
mod plan;
mod ranges;
mod rows;
mod seen;
mod simulation;

pub use drift::{Drift, LayerDrift, drift};
pub use ranges::Ranges;
pub(crate) use simulation::Simulated;
pub use simulation::Simulation;

use crate::network::{LayerKind, Network, NetworkError, check_integer};
use rows::Search;
use seen::Seen;

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
    let inputs = match fold::part(network, 0..folded.front)? {
        Some(front) => outputs(&front, sequences),
        None => sequences.iter().map(|sequence| sequence.to_vec()).collect(),
    };
    let seen = Seen::new(&folded, inputs)?;
    let expected = outputs(network, sequences);
    let kinds = match options.ranges {
        Ranges::Auto => &[Ranges::MinMax, Ranges::Percentile, Ranges::MeanSquare][..],
        _ => core::slice::from_ref(&options.ranges),
    };
    let mut best: Option<(Simulation, Quantized)> = None;
    let mut failed = QuantizeError::NoData;
    let mut done = Vec::new();
    for &ranges in kinds {
        let mut plans = match seen.plans(&folded, ranges) {
            Ok(plans) => plans,
            Err(error) => {
                failed = error;
                continue;
            }
        };
        // Different ranges often come to the same formats, and means and networks take most of the time.
        if done.contains(&plans) {
            continue;
        }
        done.push(plans.clone());
        seen.observe(&mut plans);
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
    // A masked step tells nothing of ranges.
    let counts = |step: &&[f32]| match network.layers()[0].kind {
        LayerKind::Masking { value, .. } => step.iter().any(|&x| x != value),
        _ => true,
    };
    let first = steps().find(counts).ok_or(QuantizeError::NoData)?;
    match (0..inputs).find(|&channel| steps().filter(counts).all(|step| step[channel] == first[channel])) {
        Some(channel) if !options.allow_still => Err(QuantizeError::Still { channel, value: first[channel] }),
        _ => Ok(()),
    }
}

fn as_bytes(bits: &[i8]) -> Vec<u8> {
    bits.iter().map(|bits| bits.cast_unsigned()).collect()
}

/// Every output of a network for sequences.
fn outputs(network: &Network<f32>, sequences: &[&[f32]]) -> Vec<Vec<f32>> {
    let inference = network.inference();
    let run = |xs: &&[f32]| {
        let mut ys = vec![0.0; xs.len() / network.inputs() * network.outputs()];
        inference.run(&mut inference.initial_state(), xs, &mut ys);
        ys
    };
    sequences.iter().map(run).collect()
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
