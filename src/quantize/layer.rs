//! A layer in single precision as an integer layer.

use super::ranges::{Ranges, Sizes, moments};
use super::rows::{IntegerRow, Moments, Row, RowError, Search, integer_row};
use super::{Calibration, QuantizeError};
use crate::math::{ActivationKind, OutputKind, TANH_ONE};
use crate::network::integers::{Parts, Rows, parts};
use crate::network::{Cell, LayerKind, LayerSpec, Recurrent};
use crate::quant::lstm;

/// What an activation's argument is counted in, where that does not depend on the output.
fn argument_unit(activation: ActivationKind) -> Option<f64> {
    match activation {
        ActivationKind::Tanh => Some(1.0 / f64::from(TANH_ONE)),
        ActivationKind::Sigmoid => Some(2.0 / f64::from(TANH_ONE)),
        ActivationKind::HardSigmoid => Some(6.0 / 32_768.0),
        _ => None,
    }
}

/// The same of a gate's sum, in the order of the weights.
pub(super) fn unit_of_gate(layer: &Recurrent, gate: usize) -> Option<f64> {
    argument_unit(match (layer.cell, gate) {
        (Cell::Lstm, 2) | (Cell::Gru { .. }, 2) | (Cell::SimpleRnn, _) => layer.activation,
        _ => layer.recurrent_activation,
    })
}

fn unit(bits: i32) -> f64 {
    2f64.powi(-bits)
}

/// A layer that is to become an integer one, and what calibration has found out about it.
pub(super) struct Layer<'a> {
    /// Counted from 1.
    pub(super) number: usize,
    pub(super) spec: LayerSpec,
    pub(super) weights: &'a [f32],
    /// Of the inputs.
    pub(super) bits: &'a [i8],
    pub(super) input: Moments,
    pub(super) seen: &'a Calibration,
}

impl Layer<'_> {
    fn range_error(&self, what: &'static str, largest: f64) -> QuantizeError {
        QuantizeError::Range { layer: self.number, name: self.spec.kind.kind().name(), what, largest }
    }

    fn fraction_bits(
        &self,
        what: &'static str,
        sizes: &Sizes,
        ranges: Ranges,
        least: i32,
    ) -> Result<i32, QuantizeError> {
        sizes.fraction_bits(ranges, least).ok_or_else(|| self.range_error(what, sizes.largest()))
    }

    /// The integer layer's numbers, and the fraction bits of its output.
    pub(super) fn rows(&self, ranges: Ranges, search: Search) -> Result<(Rows, i8), QuantizeError> {
        match self.spec.kind {
            LayerKind::Dense { inputs, units, activation } => self.dense(inputs, units, activation, ranges, search),
            LayerKind::Recurrent(layer) => self.recurrent(&layer, ranges, search),
            _ => unreachable!("the caller has looked for an integer form"),
        }
    }

    /// The rows of a layer, `units` of each of `gates` gates.
    #[expect(clippy::too_many_arguments, reason = "the parts of a layer")]
    fn integers(
        &self,
        cell: Option<Cell>,
        [gates, biases, units]: [usize; 3],
        recurrent: &[f32],
        input: &[f32],
        bias: &[f32],
        h: &Moments,
        h_unit: f64,
        units_of_rows: &[f64],
        search: Search,
    ) -> Result<Rows, QuantizeError> {
        let rows = gates * units;
        let x = &self.input;
        let column = |weights: &[f32], row: usize, unit: &dyn Fn(usize) -> f64| -> Vec<f64> {
            let weights = weights.iter().skip(row).step_by(rows);
            weights.enumerate().map(|(k, &weight)| f64::from(weight) * unit(k)).collect()
        };
        let mut integers = Rows::zero(&self.spec.kind).unwrap_or_default();
        for row in 0..biases * units {
            let Parts { recurrent: of_h, input: of_x } = parts(cell, units, row);
            let before = Row {
                recurrent: of_h.map_or_else(Vec::new, |row| column(recurrent, row, &|_| h_unit)),
                input: of_x.map_or_else(Vec::new, |row| column(input, row, &|k| unit(self.bits[k].into()))),
                bias: bias[row].into(),
            };
            let none = Moments::default();
            let moments = [if of_h.is_some() { h } else { &none }, if of_x.is_some() { x } else { &none }];
            let shift = of_h.is_some() && of_x.is_some();
            let unit = units_of_rows[row / units];
            let after = integer_row(&before, moments, unit, shift, search).map_err(|error| match error {
                RowError::Weights => {
                    let weights = before.recurrent.iter().chain(&before.input);
                    let largest = weights.fold(0.0, |largest, weight| f64::max(largest, weight.abs()));
                    self.range_error("weights, times the range of what they are multiplied with,", largest * 32_768.0)
                }
                RowError::Sum => QuantizeError::Sum {
                    layer: self.number,
                    name: self.spec.kind.kind().name(),
                    numbers: before.recurrent.len() + before.input.len(),
                },
            })?;
            let IntegerRow { recurrent, input, bias, scale } = after;
            (integers.bias[row], integers.scale[row]) = (bias, scale);
            for (row, from, to) in [(of_h, recurrent, &mut integers.recurrent), (of_x, input, &mut integers.input)] {
                let Some(row) = row else { continue };
                for (to, weight) in to.iter_mut().skip(row).step_by(rows).zip(from) {
                    *to = weight;
                }
            }
        }
        Ok(integers)
    }

    fn dense(
        &self,
        inputs: usize,
        units: usize,
        activation: OutputKind,
        ranges: Ranges,
        search: Search,
    ) -> Result<(Rows, i8), QuantizeError> {
        let (kernel, bias) = self.weights.split_at(inputs * units);
        let (format, output, argument) = match activation {
            OutputKind::Softmax => {
                // Logits in units of ln 2; of what is far below the greatest nothing is left.
                let bits = self.fraction_bits("logits", &self.seen.logits, ranges, 0)?.min(11);
                (bits, 15, core::f64::consts::LN_2 * unit(bits))
            }
            OutputKind::Each(kind) => match argument_unit(kind) {
                Some(argument) => (15, 15, argument),
                None => {
                    let bits = self.fraction_bits("outputs", &self.seen.output, ranges, 0)?;
                    (bits, bits, unit(bits))
                }
            },
        };
        let sizes = [1, 1, units];
        let none = Moments::default();
        let mut rows = self.integers(None, sizes, &[], kernel, bias, &none, 1.0, &[argument], search)?;
        rows.formats[0] = format.cast_unsigned();
        Ok((rows, output as i8))
    }

    fn recurrent(&self, layer: &Recurrent, ranges: Ranges, search: Search) -> Result<(Rows, i8), QuantizeError> {
        let of_activation = argument_unit(layer.activation);
        let hidden = match of_activation {
            Some(_) => 15,
            None => self.fraction_bits("hidden states", &self.seen.output, ranges, 0)?,
        };
        let cell = match layer.cell {
            Cell::Lstm => self
                .fraction_bits("cell states", &self.seen.cell, ranges, 0)?
                .min(lstm::Formats::most_cell_bits(layer.activation).cast_signed()),
            _ => hidden,
        };
        let gate = argument_unit(layer.recurrent_activation).unwrap_or(1.0);
        let value = of_activation.unwrap_or(unit(cell));
        let units_of_rows = match layer.cell {
            Cell::SimpleRnn => vec![value],
            Cell::Lstm => vec![gate, gate, value, gate],
            // The recurrent sum of the candidate is in quarters.
            Cell::Gru { .. } => vec![gate, gate, value, value / 4.0],
        };
        let [recurrent, input, _] = layer.lengths();
        let (recurrent, rest) = self.weights.split_at(recurrent);
        let (input, bias) = rest.split_at(input);
        let mut bias = bias.to_vec();
        if layer.cell == (Cell::Gru { reset_after: false }) {
            let (n, hidden_n) = bias[2 * layer.units..].split_at_mut(layer.units);
            for (n, hidden_n) in n.iter_mut().zip(hidden_n) {
                *n += core::mem::take(hidden_n);
            }
        }
        let sizes = [layer.cell.gates(), layer.cell.biases(), layer.units];
        let h_unit = unit(hidden);
        let h = moments(&self.seen.outputs, layer.units, &vec![hidden as i8; layer.units]);
        let mut rows =
            self.integers(Some(layer.cell), sizes, recurrent, input, &bias, &h, h_unit, &units_of_rows, search)?;
        rows.formats[0] = hidden.cast_unsigned();
        if layer.cell == Cell::Lstm {
            rows.formats[1] = cell.cast_unsigned();
        }
        Ok((rows, hidden as i8))
    }
}
