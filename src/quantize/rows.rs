//! A row of weights in single precision as int8, with its bias and its scale.

use crate::network::integers::fits;

/// A row, before.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// Of U, times what one unit of each int16 number stands for.
    pub(super) recurrent: Vec<f64>,
    /// Of W, likewise.
    pub(super) input: Vec<f64>,
    /// What is added.
    pub(super) bias: f64,
}

/// What is known of the int16 numbers that a row is multiplied with.
#[derive(Clone, Debug, Default)]
pub(super) struct Moments {
    /// The mean of each.
    pub(super) mean: Vec<f64>,
    /// The mean of each one's square.
    pub(super) square: Vec<f64>,
}

/// A row, afterwards.
#[derive(Clone, Debug)]
pub(super) struct IntegerRow {
    pub(super) recurrent: Vec<i8>,
    pub(super) input: Vec<i8>,
    pub(super) bias: i32,
    pub(super) scale: i32,
}

/// How the weights' scale is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Search {
    /// The largest weight is 127.
    Largest,
    /// Large weights may be cut off where that makes the mean squared error of the sum less.
    MeanSquare,
}

/// The largest weight that a scale can bring to a sum's units, in these: 127, of which each may be half a unit.
pub(super) const LARGEST_WEIGHT: f64 = 127.0 / 2.0 * 0.999;

/// The largest shift between U's unit and W's.
const MOST_SHIFT: u32 = 10;

/// Weights as multiples of `scale`.
fn rounded(weights: &[f64], scale: f64) -> impl Iterator<Item = f64> {
    weights.iter().map(move |weight| (weight / scale).round().clamp(-127.0, 127.0))
}

/// The mean squared error that rounding makes in a sum.
fn error(weights: &[f64], moments: &Moments, scale: f64) -> f64 {
    let errors = rounded(weights, scale).zip(weights).map(|(q, weight)| (q * scale - weight).powi(2));
    errors.zip(&moments.square).map(|(error, square)| error * square).sum()
}

/// What rounding adds to a sum in the mean.
fn bias_error(weights: &[f64], moments: &Moments, scale: f64) -> f64 {
    rounded(weights, scale).zip(weights).zip(&moments.mean).map(|((q, weight), mean)| (q * scale - weight) * mean).sum()
}

fn largest(weights: &[f64]) -> f64 {
    weights.iter().fold(0.0, |largest, weight| f64::max(largest, weight.abs()))
}

/// Why a row cannot be made of integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowError {
    /// A weight is too large for the unit of its sum.
    Weights,
    /// The sum does not fit into 32 bits unless weights lose more than two of their bits.
    Sum,
}

/// Makes integers of a row whose sums are wanted in units of `unit`. `shift` tells whether there is one between the two parts' units,
/// which are one otherwise.
pub(super) fn integer_row(
    row: &Row,
    [h, x]: [&Moments; 2],
    unit: f64,
    shift: bool,
    search: Search,
) -> Result<IntegerRow, RowError> {
    let (of_h, of_x) = (largest(&row.recurrent) / 127.0, largest(&row.input) / 127.0);
    // A bias has 31 bits, of which the sum needs one.
    let of_bias = (row.bias.abs() + unit) / f64::from(1 << 30);
    let shares = match search {
        Search::Largest => 1..=1,
        Search::MeanSquare => 1..=24,
    };
    let mut best: Option<(f64, f64, u32)> = None;
    for d in 0..=if shift { MOST_SHIFT } else { 0 } {
        let whole = f64::max(of_h, of_x / f64::from(1 << d)).max(of_bias);
        for share in shares.clone() {
            let scale = whole * (1.0 - f64::from(share - 1) / 48.0);
            let error = error(&row.recurrent, h, scale) + error(&row.input, x, scale * f64::from(1 << d));
            if best.is_none_or(|(least, ..)| error < least) {
                best = Some((error, scale, d));
            }
        }
    }
    let (_, least, d) = best.ok_or(RowError::Weights)?;
    let mut scale = least;
    while scale <= 4.0 * least {
        let of_x = scale * f64::from(1 << d);
        let recurrent: Vec<_> = rounded(&row.recurrent, scale).collect();
        let input: Vec<_> = rounded(&row.input, of_x).collect();
        let correction = bias_error(&row.recurrent, h, scale) + bias_error(&row.input, x, of_x);
        // Half a unit more, as what follows is cut off.
        let bias = (row.bias - correction + unit / 2.0) / scale;
        let size = |weights: &[f64]| weights.iter().map(|weight| weight.abs() as i64).sum::<i64>();
        if bias.abs() < f64::from(i32::MAX) && fits(size(&recurrent), size(&input), bias.round() as i32, d) {
            let factor = of_x / unit * 2f64.powi(32);
            let narrow = |weights: Vec<f64>| weights.into_iter().map(|weight| weight as i8).collect();
            if factor >= f64::from(i32::MAX) {
                return Err(RowError::Weights);
            }
            let factor = factor.round() as i32;
            return Ok(IntegerRow {
                recurrent: narrow(recurrent),
                input: narrow(input),
                bias: bias.round() as i32,
                scale: if shift { factor & !0xff | d.cast_signed() } else { factor },
            });
        }
        scale *= 1.0625;
    }
    Err(RowError::Sum)
}
