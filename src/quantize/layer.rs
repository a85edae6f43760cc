//! A layer in single precision as an integer layer.

use super::QuantizeError;
use super::moments::{Moments, Part, moments};
use super::ranges::{Ranges, Sizes};
use super::rows::{Row, RowError, Search, integer_row};
use super::seen::Calibration;
use crate::math::{ActivationKind, OutputKind, TANH_ONE};
use crate::network::integers::{Parts, Rows, parts};
use crate::network::{Cell, LayerKind, Recurrent};
use crate::quant::{lstm, quantize};

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

/// A layer with rows of weights that is to become an integer one, and what calibration has found out about it.
pub(super) struct Layer<'a> {
    /// Counted from 1.
    pub(super) number: usize,
    pub(super) kind: LayerKind,
    /// Fraction bits of the numbers that its rows are multiplied with.
    pub(super) bits: Vec<i8>,
    pub(super) seen: &'a Calibration,
}

impl Layer<'_> {
    fn fraction_bits(&self, what: &'static str, sizes: &Sizes, ranges: Ranges) -> Result<i32, QuantizeError> {
        sizes.fraction_bits(ranges).ok_or_else(|| {
            let (layer, name) = (self.number, self.kind.kind().name());
            QuantizeError::Range { layer, name, what, largest: sizes.largest() }
        })
    }

    /// What the integer layer will be, with these ranges.
    pub(super) fn plan(self, ranges: Ranges) -> Result<RowPlan, QuantizeError> {
        match self.kind {
            LayerKind::Dense { activation, .. } => self.dense(activation, ranges),
            LayerKind::Conv1d(layer) => self.dense(OutputKind::Each(layer.activation), ranges),
            LayerKind::Recurrent(layer) => self.recurrent(&layer, ranges),
            _ => unreachable!("other layers have no rows of weights"),
        }
    }

    fn dense(self, activation: OutputKind, ranges: Ranges) -> Result<RowPlan, QuantizeError> {
        let (format, output, argument) = match activation {
            OutputKind::Softmax => {
                // Logits in units of ln 2; of what is far below the greatest nothing is left.
                let bits = self.fraction_bits("logits", &self.seen.logits, ranges)?.min(11);
                (bits, 15, core::f64::consts::LN_2 * unit(bits))
            }
            OutputKind::Each(kind) => match argument_unit(kind) {
                Some(argument) => (15, 15, argument),
                None => {
                    let bits = self.fraction_bits("outputs", &self.seen.output, ranges)?;
                    (bits, bits, unit(bits))
                }
            },
        };
        Ok(RowPlan {
            number: self.number,
            kind: self.kind,
            hidden_bits: Vec::new(),
            output_bits: output as i8,
            units_of_rows: vec![argument],
            seen: Default::default(),
            formats: vec![format.cast_unsigned()],
            bits: self.bits,
        })
    }

    fn recurrent(self, layer: &Recurrent, ranges: Ranges) -> Result<RowPlan, QuantizeError> {
        let of_activation = argument_unit(layer.activation);
        let hidden = match of_activation {
            Some(_) => 15,
            None => self.fraction_bits("hidden states", &self.seen.output, ranges)?,
        };
        let cell = match layer.cell {
            Cell::Lstm => {
                let most = lstm::Formats::most_cell_bits(layer.activation).cast_signed();
                self.fraction_bits("cell states", &self.seen.cell, ranges)?.min(most)
            }
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
        Ok(RowPlan {
            number: self.number,
            kind: self.kind,
            output_bits: hidden as i8,
            units_of_rows,
            seen: Default::default(),
            formats: [hidden.cast_unsigned(), cell.cast_unsigned()][..layer.formats()].to_vec(),
            hidden_bits: vec![hidden as i8; layer.units],
            bits: self.bits,
        })
    }
}

/// An integer layer but for its weights.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RowPlan {
    /// Counted from 1.
    number: usize,
    pub(super) kind: LayerKind,
    /// Fraction bits of inputs, of h and of the output.
    bits: Vec<i8>,
    hidden_bits: Vec<i8>,
    pub(super) output_bits: i8,
    /// What sums are counted in, for each row of biases.
    units_of_rows: Vec<f64>,
    /// Of what a row is multiplied with: nothing, x, h, both. None until [`RowPlan::observe`].
    seen: [Moments; 4],
    formats: Vec<u32>,
}

impl RowPlan {
    const fn cell(&self) -> Option<Cell> {
        match self.kind {
            LayerKind::Recurrent(layer) => Some(layer.cell),
            _ => None,
        }
    }

    /// Takes in the means of what calibration has found out.
    pub(super) fn observe(&mut self, seen: &Calibration) {
        let x = Part { sequences: &seen.inputs, bits: &self.bits, late: false };
        let h = Part { sequences: &seen.outputs, bits: &self.hidden_bits, late: true };
        self.seen = match self.kind {
            LayerKind::Recurrent(_) => [&[][..], &[x], &[h], &[h, x]].map(moments),
            _ => [&[][..], &[x], &[], &[]].map(moments),
        };
    }

    /// Lengths of U, W and b.
    fn lengths(&self) -> [usize; 3] {
        match self.kind {
            LayerKind::Recurrent(layer) => layer.lengths(),
            kind => [0, kind.weights() - kind.outputs(), kind.outputs()],
        }
    }

    /// Rows of U and W.
    fn rows_of_weights(&self) -> usize {
        self.cell().map_or(1, Cell::gates) * self.kind.outputs()
    }

    /// The integer layer's numbers, from U, W and b.
    pub(super) fn rows(&self, weights: &[f32], search: Search) -> Result<Rows, QuantizeError> {
        let [recurrent, input, _] = self.lengths();
        let (recurrent, rest) = weights.split_at(recurrent);
        let (input, bias) = rest.split_at(input);
        let (units, rows) = (self.kind.outputs(), self.rows_of_weights());
        let mut bias = bias.to_vec();
        if self.cell() == Some(Cell::Gru { reset_after: false }) {
            let (n, hidden_n) = bias[2 * units..].split_at_mut(units);
            for (n, hidden_n) in n.iter_mut().zip(hidden_n) {
                *n += core::mem::take(hidden_n);
            }
        }
        let column = |weights: &[f32], row: usize, bits: &[i8]| -> Vec<f64> {
            let weights = weights.iter().skip(row).step_by(rows).zip(bits);
            weights.map(|(&weight, &bits)| f64::from(weight) * unit(bits.into())).collect()
        };
        let mut integers = Rows::zero(&self.kind).unwrap_or_default();
        integers.formats.clone_from(&self.formats);
        for (row, bias) in bias.into_iter().enumerate() {
            let Parts { recurrent: of_h, input: of_x } = parts(self.cell(), units, row);
            let mut weights = of_h.map_or_else(Vec::new, |row| column(recurrent, row, &self.hidden_bits));
            let of_u = weights.len();
            weights.extend(of_x.into_iter().flat_map(|row| column(input, row, &self.bits)));
            let before = Row { weights, recurrent: of_u, bias: bias.into() };
            let seen = &self.seen[2 * usize::from(of_h.is_some()) + usize::from(of_x.is_some())];
            let shift = of_h.is_some() && of_x.is_some();
            let after = integer_row(&before, seen, self.units_of_rows[row / units], shift, search)
                .map_err(|error| self.row_error(error, &before))?;
            (integers.bias[row], integers.scale[row]) = (after.bias, after.scale);
            let (of_u, of_w) = after.weights.split_at(of_u);
            for (row, from, to) in [(of_h, of_u, &mut integers.recurrent), (of_x, of_w, &mut integers.input)] {
                let Some(row) = row else { continue };
                for (to, weight) in to.iter_mut().skip(row).step_by(rows).zip(from) {
                    *to = *weight;
                }
            }
        }
        Ok(integers)
    }

    /// A state as int16 numbers: h and, of an LSTM, c.
    pub(super) fn state(&self, state: &[f32]) -> Vec<i16> {
        let bits = self.formats.iter().flat_map(|&bits| core::iter::repeat_n(bits.cast_signed(), self.kind.outputs()));
        state.iter().zip(bits).map(|(&x, bits)| quantize(x, bits)).collect()
    }

    fn row_error(&self, error: RowError, row: &Row) -> QuantizeError {
        let (layer, name) = (self.number, self.kind.kind().name());
        match error {
            RowError::Weights => {
                let largest = row.weights.iter().fold(0.0, |largest, weight| f64::max(largest, weight.abs()));
                let what = "weights, times the range of what they are multiplied with,";
                QuantizeError::Range { layer, name, what, largest: largest * 32_768.0 }
            }
            RowError::Sum => QuantizeError::Sum { layer, name, numbers: row.weights.len() },
        }
    }

    /// U, W and b that an integer layer's numbers stand for.
    pub(super) fn dequantized(&self, integers: &Rows) -> Vec<f32> {
        let [recurrent, input, bias] = self.lengths();
        let (units, rows) = (self.kind.outputs(), self.rows_of_weights());
        let mut weights = vec![0.0; recurrent + input + bias];
        for row in 0..bias {
            let Parts { recurrent: of_h, input: of_x } = parts(self.cell(), units, row);
            let unit_of_sum = self.units_of_rows[row / units];
            // What a unit of the sum behind W stands for, and of the one behind U.
            let of_w = f64::from(integers.scale[row]) * unit_of_sum * 2f64.powi(-32);
            let shift = if of_h.is_some() && of_x.is_some() { integers.scale[row] & 0xff } else { 0 };
            let of_u = of_w * unit(shift);
            if let Some(row) = of_h {
                for (k, &bits) in self.hidden_bits.iter().enumerate() {
                    let at = k * rows + row;
                    weights[at] = (f64::from(integers.recurrent[at]) * of_u * unit(-i32::from(bits))) as f32;
                }
            }
            if let Some(row) = of_x {
                for (k, &bits) in self.bits.iter().enumerate() {
                    let at = k * rows + row;
                    weights[recurrent + at] = (f64::from(integers.input[at]) * of_w * unit(-i32::from(bits))) as f32;
                }
            }
            // A row that nothing is multiplied with is none.
            if of_h.is_some() || of_x.is_some() {
                let bias = f64::from(integers.bias[row]) * of_u - unit_of_sum / 2.0;
                weights[recurrent + input + row] = bias as f32;
            }
        }
        weights
    }
}
