//! The weights of integer layers, taken apart and put together.

use super::{Cell, LayerKind, Merge};

/// An integer layer's numbers, as its record in a model file has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    /// Fraction bits: of the output, and of an LSTM's cell state. Of a softmax those of its arguments.
    pub(crate) formats: Vec<u32>,
    /// `[row][unit]`
    pub(crate) bias: Vec<i32>,
    /// `[row][unit]`
    pub(crate) scale: Vec<i32>,
    /// `[k][gate][unit]`
    pub(crate) recurrent: Vec<i8>,
    /// `[k][gate][unit]`
    pub(crate) input: Vec<i8>,
    cell: Option<Cell>,
    units: usize,
}

/// Numbers of a layer's formats, biases, recurrent weights and input weights.
const fn lengths(kind: &LayerKind) -> Option<[usize; 4]> {
    match *kind {
        LayerKind::Dense { inputs, units, .. } => Some([1, units, 0, inputs * units]),
        LayerKind::Conv1d(layer) => Some([1, layer.units, 0, layer.kernel()]),
        LayerKind::Recurrent(layer) => {
            let [recurrent, input, bias] = layer.lengths();
            Some([layer.formats(), bias, recurrent, input])
        }
        _ => None,
    }
}

/// Takes a layer's bytes apart; `None` of a layer that has no rows.
pub(crate) fn rows(kind: &LayerKind, bytes: &[u8]) -> Option<Rows> {
    let [formats, biases, recurrent, input] = lengths(kind)?;
    let (words, weights) = bytes.split_at(4 * (formats + 2 * biases));
    let words: Vec<_> = words.as_chunks::<4>().0.iter().map(|&word| i32::from_le_bytes(word)).collect();
    let (weights_of_h, weights_of_x) = weights.split_at(recurrent);
    debug_assert!(weights_of_x.len() == input);
    Some(Rows {
        formats: words[..formats].iter().map(|bits| bits.cast_unsigned()).collect(),
        bias: words[formats..formats + biases].to_vec(),
        scale: words[formats + biases..].to_vec(),
        recurrent: weights_of_h.iter().map(|byte| byte.cast_signed()).collect(),
        input: weights_of_x.iter().map(|byte| byte.cast_signed()).collect(),
        cell: if let LayerKind::Recurrent(layer) = kind { Some(layer.cell) } else { None },
        units: kind.outputs(),
    })
}

/// The int16 numbers of bytes.
pub(crate) fn numbers(bytes: &[u8]) -> Vec<i16> {
    bytes.as_chunks::<2>().0.iter().map(|&number| i16::from_le_bytes(number)).collect()
}

/// The int8 numbers of bytes.
pub(crate) fn signed(bytes: &[u8]) -> Vec<i8> {
    bytes.iter().map(|byte| byte.cast_signed()).collect()
}

/// The fraction bits of two directions' outputs merged.
pub(crate) fn merged_bits(merge: Merge, [forward, backward]: [i8; 2], units: usize) -> Vec<i8> {
    match merge {
        Merge::Concat | Merge::None => [vec![forward; units], vec![backward; units]].concat(),
        Merge::Sum => vec![forward - 1; units],
        Merge::Mul => vec![forward + backward - 15; units],
        Merge::Ave => vec![forward; units],
    }
}

/// What a row of biases and scales belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// The row of U.
    pub(crate) recurrent: Option<usize>,
    /// The row of W.
    pub(crate) input: Option<usize>,
}

/// The rows of U and W, counted `gate · units + unit`, that add up in a row of biases.
pub(crate) fn parts(cell: Option<Cell>, units: usize, row: usize) -> Parts {
    match cell {
        None => Parts { recurrent: None, input: Some(row) },
        // The candidate's sums are apart, and the last row is of the recurrent one.
        Some(Cell::Gru { reset_after: true }) if row >= 3 * units => {
            Parts { recurrent: Some(row - units), input: None }
        }
        Some(Cell::Gru { reset_after: true }) if row >= 2 * units => Parts { recurrent: None, input: Some(row) },
        // Nothing uses it.
        Some(Cell::Gru { reset_after: false }) if row >= 3 * units => Parts { recurrent: None, input: None },
        Some(_) => Parts { recurrent: Some(row), input: Some(row) },
    }
}

/// Σ |w| of a row of a matrix `[k][row]`.
fn size(weights: &[i8], rows: usize, row: usize) -> i64 {
    weights.iter().skip(row).step_by(rows).map(|&weight| i64::from(weight.unsigned_abs())).sum()
}

/// Whether no sum of a row of so large weights and this bias can exceed 32 bits, whatever the int16 numbers are.
pub(crate) fn fits(recurrent: i64, input: i64, bias: i32, d: u32) -> bool {
    let before = i64::from(bias).abs() + (recurrent << 15);
    let after = (before >> d) + 1 + (input << 15);
    before.max(after) <= i64::from(i32::MAX)
}

impl Rows {
    /// Whether no sum can exceed 32 bits, and every scale is positive.
    pub(crate) fn fit(&self) -> bool {
        let rows = match self.cell {
            None => self.units,
            Some(cell) => cell.gates() * self.units,
        };
        self.bias.iter().zip(&self.scale).enumerate().all(|(row, (&bias, &scale))| {
            let Parts { recurrent, input } = parts(self.cell, self.units, row);
            let of_h = recurrent.map_or(0, |row| size(&self.recurrent, rows, row));
            let of_x = input.map_or(0, |row| size(&self.input, rows, row));
            // Where there is no shift, the scale's lowest byte is a part of it and no more.
            let d = if recurrent.is_some() && input.is_some() { scale & 0xff } else { 0 };
            scale >= 0 && d < 16 && fits(of_h, of_x, bias, d.cast_unsigned())
        })
    }

    /// The bytes of the record.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let formats = self.formats.iter().map(|bits| bits.cast_signed());
        let words = formats.chain(self.bias.iter().copied()).chain(self.scale.iter().copied());
        let weights = self.recurrent.iter().chain(&self.input).map(|weight| weight.cast_unsigned());
        words.flat_map(i32::to_le_bytes).chain(weights).collect()
    }

    /// All zero, for a layer of this kind.
    pub(crate) fn zero(kind: &LayerKind) -> Option<Self> {
        let [formats, biases, recurrent, input] = lengths(kind)?;
        rows(kind, &vec![0; 4 * (formats + 2 * biases) + recurrent + input])
    }
}
