//! A layer as an integer layer, whatever its kind.

use super::layer::{Layer, RowPlan};
use super::ranges::Ranges;
use super::rows::Search;
use super::seen::SeenLayer;
use super::{QuantizeError, as_bytes};
use crate::math::{ActivationKind, OutputKind};
use crate::network::integers;
use crate::network::{LayerKind, LayerSpec, Network, NetworkError};
use crate::quant::{dequantize, quantize};

/// An integer layer but for its weights.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    kind: LayerKind,
    /// Whether the model has a state that it begins with.
    initial_state: bool,
    /// Fraction bits of inputs and outputs.
    input_bits: Vec<i8>,
    pub(super) output_bits: Vec<i8>,
    /// With a way around the layer, how both that are added are shifted.
    shifts: Option<[Vec<u8>; 2]>,
    /// Of a layer with rows of weights, one for each matrix W.
    rows: Vec<RowPlan>,
}

/// The most fraction bits of a number so large, as a part of 2ᵇⁱᵗˢ that is not more than `most`.
pub(super) fn most_bits(largest: f64, most: f64) -> i8 {
    (-100..=15).rev().find(|&bits| largest * 2f64.powi(bits.into()) <= most).unwrap_or(-100)
}

impl Plan {
    /// The plan of a layer, counted from 1, with inputs of so many fraction bits.
    pub(super) fn new(
        number: usize,
        spec: &LayerSpec,
        weights: &[f32],
        input_bits: Vec<i8>,
        seen_layer: &SeenLayer,
        ranges: Ranges,
    ) -> Result<Self, QuantizeError> {
        let kind = &spec.kind;
        let (seen, sum) = (&seen_layer.rows, &seen_layer.sum);
        let of_rows = |kind: LayerKind, bits: Vec<i8>, seen| Layer { number, kind, bits, seen }.plan(ranges);
        let mut rows = Vec::new();
        let mut output_bits = match *kind {
            LayerKind::Dense { .. } | LayerKind::Recurrent(_) | LayerKind::Conv1d(_) => {
                let seen_bits = match kind {
                    LayerKind::Conv1d(layer) => input_bits.repeat(layer.kernel_size),
                    _ => input_bits.clone(),
                };
                rows.push(of_rows(*kind, seen_bits, &seen[0])?);
                vec![rows[0].output_bits; kind.outputs()]
            }
            LayerKind::Bidirectional { layer, merge } => {
                for seen in seen {
                    rows.push(of_rows(LayerKind::Recurrent(layer), input_bits.clone(), seen)?);
                }
                integers::merged_bits(merge, [rows[0].output_bits, rows[1].output_bits], layer.units)
            }
            // What counts tokens is the number itself, whatever it stands for.
            LayerKind::Embedding { .. } if input_bits.iter().any(|&bits| bits != 0) => {
                let name = kind.kind().name();
                let problem = "of other tokens than the network's inputs";
                return Err(NetworkError::Integer { layer: number, name, problem }.into());
            }
            LayerKind::Embedding { size, .. } => {
                let largest =
                    |i: usize| weights.iter().skip(i).step_by(size).fold(0.0, |a, b| f64::max(a, b.abs().into()));
                // A row's int8 numbers stand behind it 2⁸ times as large.
                (0..size).map(|i| most_bits(largest(i), 127.0 * 256.0)).collect()
            }
            LayerKind::Activation {
                activation: OutputKind::Each(ActivationKind::Tanh | ActivationKind::Sigmoid),
                ..
            } => vec![15; kind.outputs()],
            LayerKind::Flatten { steps, .. } => input_bits.repeat(steps),
            _ => input_bits.clone(),
        };
        if let LayerKind::Prelu { .. } = kind {
            let largest = seen_layer.largest_output();
            if output_bits.iter().any(|&bits| largest * 2f64.powi(bits.into()) > 32_767.5) {
                return Err(QuantizeError::Range { layer: number, name: kind.kind().name(), what: "outputs", largest });
            }
        }
        let shifts = sum.as_ref().map(|sum| {
            let error = || QuantizeError::Range {
                layer: number,
                name: kind.kind().name(),
                what: "outputs, with what goes around it,",
                largest: sum.largest(),
            };
            let most = sum.fraction_bits(ranges).ok_or_else(error)? as i8;
            let bits: Vec<_> = input_bits.iter().zip(&output_bits).map(|(&x, &y)| x.min(y).min(most)).collect();
            let shifts = |from: &[i8]| from.iter().zip(&bits).map(|(from, to)| (from - to) as u8).collect::<Vec<_>>();
            let shifts = [shifts(&input_bits), shifts(&output_bits)];
            // What is as much smaller than the sum would be gone.
            if shifts.iter().flatten().any(|&shift| shift > 15) {
                return Err(error());
            }
            output_bits = bits;
            Ok(shifts)
        });
        let shifts = shifts.transpose()?;
        Ok(Plan { kind: *kind, initial_state: spec.initial_state, input_bits, output_bits, shifts, rows })
    }

    /// Takes in the means of what calibration has found out.
    pub(super) fn observe(&mut self, seen: &SeenLayer) {
        self.rows.iter_mut().zip(&seen.rows).for_each(|(rows, seen)| rows.observe(seen));
    }

    /// The integer layer's bytes, with these weights.
    pub(super) fn bytes(&self, parameters: &[f32], search: Search) -> Result<Vec<u8>, QuantizeError> {
        let (weights, state) = parameters.split_at(self.kind.weights());
        let words = |numbers: &[i16]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
        let mut bytes = match self.kind {
            LayerKind::Masking { value, .. } => {
                words(&self.input_bits.iter().map(|&bits| quantize(value, bits.into())).collect::<Vec<_>>())
            }
            LayerKind::Embedding { .. } => {
                let bits = self.output_bits.iter().cycle();
                let table = weights.iter().zip(bits).map(|(&weight, &bits)| {
                    // Training can have moved a weight beyond the range.
                    quantize(weight, i32::from(bits) - 8).clamp(-127, 127) as i8
                });
                [as_bytes(&self.output_bits), table.map(i8::cast_unsigned).collect()].concat()
            }
            LayerKind::Prelu { .. } => {
                let bits = slope_bits(weights);
                let slopes: Vec<_> = weights.iter().map(|&weight| quantize(weight, bits)).collect();
                [bits.to_le_bytes().to_vec(), words(&slopes)].concat()
            }
            LayerKind::Activation { .. } => as_bytes(&self.input_bits),
            _ if self.rows.is_empty() => Vec::new(),
            _ => {
                let mut bytes = Vec::new();
                for (plan, weights) in self.rows.iter().zip(weights.chunks_exact(weights.len() / self.rows.len())) {
                    bytes.extend(plan.rows(weights, search)?.to_bytes());
                }
                bytes
            }
        };
        bytes.extend(self.shifts.iter().flatten().flatten());
        if self.initial_state {
            for (plan, state) in self.rows.iter().zip(state.chunks_exact(state.len() / self.rows.len())) {
                bytes.extend(words(&plan.state(state)));
            }
        }
        Ok(bytes)
    }

    /// The weights that an integer layer's bytes stand for.
    pub(super) fn dequantized(&self, bytes: &[u8]) -> Vec<f32> {
        let bytes = &bytes[..self.kind.integer_bytes()];
        match self.kind {
            LayerKind::Embedding { size, .. } => {
                let bits = self.output_bits.iter().cycle();
                let table = bytes[size..].iter().zip(bits);
                table.map(|(byte, &bits)| dequantize(byte.cast_signed().into(), i32::from(bits) - 8)).collect()
            }
            LayerKind::Prelu { .. } => {
                let (bits, slopes) = bytes.split_at(4);
                let bits = i32::from_le_bytes([bits[0], bits[1], bits[2], bits[3]]);
                slopes.as_chunks::<2>().0.iter().map(|&slope| dequantize(i16::from_le_bytes(slope), bits)).collect()
            }
            _ => self
                .cells(bytes)
                .flat_map(|(plan, bytes)| plan.dequantized(&integers::rows(&plan.kind, bytes).unwrap_or_default()))
                .collect(),
        }
    }

    /// The parts of a layer's bytes that belong to rows of weights.
    fn cells<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = (&'a RowPlan, &'a [u8])> {
        let bytes = &bytes[..self.kind.integer_bytes()];
        self.rows.iter().zip(bytes.chunks_exact((bytes.len() / self.rows.len().max(1)).max(1)))
    }

    /// The integer layer of these bytes, between conversions.
    pub(super) fn alone(&self, spec: &LayerSpec, bytes: &[u8]) -> Result<Network<f32>, NetworkError> {
        between(spec, bytes, &self.input_bits, &self.output_bits)
    }

    /// The same of each of its recurrent cells, which take sequences in the order that these are given.
    pub(super) fn cells_alone(&self, bytes: &[u8]) -> Result<Vec<Network<f32>>, NetworkError> {
        let (LayerKind::Recurrent(layer) | LayerKind::Bidirectional { layer, .. }) = self.kind else {
            return Ok(Vec::new());
        };
        let kind = LayerKind::Recurrent(crate::network::Recurrent { go_backwards: false, ..layer });
        self.cells(bytes)
            .map(|(plan, bytes)| between(&kind.into(), bytes, &self.input_bits, &vec![plan.output_bits; layer.units]))
            .collect()
    }
}

/// The most fraction bits of a PReLU's slopes.
fn slope_bits(slopes: &[f32]) -> i32 {
    most_bits(slopes.iter().fold(0.0, |a, b| f64::max(a, b.abs().into())), 32_767.0).max(0).into()
}

/// An integer layer between conversions.
fn between(
    spec: &LayerSpec,
    bytes: &[u8],
    input_bits: &[i8],
    output_bits: &[i8],
) -> Result<Network<f32>, NetworkError> {
    let conversions =
        [LayerKind::Quantize { size: input_bits.len() }, LayerKind::Dequantize { size: output_bits.len() }];
    let [first, last] = conversions.map(LayerSpec::from);
    let mut network = Network::new(vec![first, LayerSpec { integer: true, ..*spec }, last])?;
    for (layer, numbers) in [&as_bytes(input_bits), bytes, &as_bytes(output_bits)].into_iter().enumerate() {
        network.integers_mut(layer).copy_from_slice(numbers);
    }
    Ok(network)
}
