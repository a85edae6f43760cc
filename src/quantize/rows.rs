//! A row of weights in single precision as int8, with its bias and its scale.

use super::moments::Moments;
use crate::network::integers::fits;

/// A row, before.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Of U, then of W, times what one unit of each int16 number stands for.
    pub(super) weights: Vec<f64>,
    /// How many of U.
    pub(super) recurrent: usize,
    /// What is added.
    pub(super) bias: f64,
}

/// A row, afterwards.
#[derive(Clone, Debug)]
pub(super) struct IntegerRow {
    /// Of U, then of W.
    pub(super) weights: Vec<i8>,
    pub(super) bias: i32,
    pub(super) scale: i32,
}

/// How the weights' scale is found, and how they are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Search {
    /// Whether large weights may be cut off where that makes the mean squared error of the sum less; otherwise the largest is 127.
    pub(super) cut: bool,
    /// Whether the weights behind one make up for the error of its rounding, as far as what they are multiplied with goes together
    /// (Frantar et al. 2023, GPTQ); otherwise each is rounded to the nearest.
    pub(super) compensate: bool,
}

impl Search {
    pub(super) const ALL: [Search; 4] = [
        Search { cut: false, compensate: false },
        Search { cut: true, compensate: false },
        Search { cut: false, compensate: true },
        Search { cut: true, compensate: true },
    ];
}

/// The largest weight that a scale can bring to a sum's units, in these: 127, of which each may be half a unit.
pub(super) const LARGEST_WEIGHT: f64 = 127.0 / 2.0 * 0.999;

/// The largest shift between U's unit and W's.
const MOST_SHIFT: u32 = 10;

fn nearest(weight: f64, scale: f64) -> f64 {
    (weight / scale).round().clamp(-127.0, 127.0)
}

impl Row {
    /// The scale of each weight, where U's is `scale` and W's 2ᵈ times that.
    fn scales(&self, scale: f64, d: u32) -> impl Iterator<Item = f64> {
        let of_x = scale * f64::from(1 << d);
        (0..self.weights.len()).map(move |k| if k < self.recurrent { scale } else { of_x })
    }

    /// The mean squared error that rounding to the nearest makes in the sum, if its parts had nothing to do with each other.
    fn error(&self, moments: &Moments, scale: f64, d: u32) -> f64 {
        let weights = self.weights.iter().zip(self.scales(scale, d));
        let errors = weights.map(|(&weight, scale)| (nearest(weight, scale) * scale - weight).powi(2));
        errors.zip(&moments.square).map(|(error, square)| error * square).sum()
    }

    /// Weights as multiples of their scales.
    fn rounded(&self, moments: &Moments, scale: f64, d: u32, search: Search) -> Vec<f64> {
        let scales = self.scales(scale, d);
        let Some(factor) = moments.factor.as_ref().filter(|_| search.compensate) else {
            return self.weights.iter().zip(scales).map(|(&weight, scale)| nearest(weight, scale)).collect();
        };
        let mut weights = self.weights.clone();
        let mut rounded = Vec::with_capacity(weights.len());
        for (k, scale) in scales.enumerate() {
            let q = nearest(weights[k], scale);
            let error = (weights[k] - q * scale) / factor[(k, k)];
            for (j, weight) in weights.iter_mut().enumerate().skip(k + 1) {
                *weight -= error * factor[(k, j)];
            }
            rounded.push(q);
        }
        rounded
    }

    fn largest(weights: &[f64]) -> f64 {
        weights.iter().fold(0.0, |largest, weight| f64::max(largest, weight.abs()))
    }
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
    moments: &Moments,
    unit: f64,
    shift: bool,
    search: Search,
) -> Result<IntegerRow, RowError> {
    let (of_h, of_x) = row.weights.split_at(row.recurrent);
    let (of_h, of_x) = (Row::largest(of_h) / 127.0, Row::largest(of_x) / 127.0);
    // A bias has 31 bits, of which the sum needs one.
    let of_bias = (row.bias.abs() + unit) / f64::from(1 << 30);
    let shares = if search.cut { 0..24 } else { 0..1 };
    let mut best: Option<(f64, f64, u32)> = None;
    for d in 0..=if shift { MOST_SHIFT } else { 0 } {
        let whole = f64::max(of_h, of_x / f64::from(1 << d)).max(of_bias);
        for share in shares.clone() {
            let scale = whole * (1.0 - f64::from(share) / 48.0);
            let error = row.error(moments, scale, d);
            if best.is_none_or(|(least, ..)| error < least) {
                best = Some((error, scale, d));
            }
        }
    }
    let (_, least, d) = best.ok_or(RowError::Weights)?;
    let mut scale = least;
    while scale <= 4.0 * least {
        let of_x = scale * f64::from(1 << d);
        let rounded = row.rounded(moments, scale, d, search);
        // What rounding adds in the mean is taken away again.
        let errors = rounded.iter().zip(row.scales(scale, d)).zip(&row.weights).map(|((q, scale), w)| q * scale - w);
        let correction: f64 = errors.zip(&moments.mean).map(|(error, mean)| error * mean).sum();
        // Half a unit more, as what follows is cut off.
        let bias = (row.bias - correction + unit / 2.0) / scale;
        let (of_u, of_w) = rounded.split_at(row.recurrent);
        let size = |weights: &[f64]| weights.iter().map(|weight| weight.abs() as i64).sum::<i64>();
        if bias.abs() < f64::from(i32::MAX) && fits(size(of_u), size(of_w), bias.round() as i32, d) {
            let factor = of_x / unit * 2f64.powi(32);
            if factor >= f64::from(i32::MAX) {
                return Err(RowError::Weights);
            }
            let factor = factor.round() as i32;
            return Ok(IntegerRow {
                weights: rounded.into_iter().map(|weight| weight as i8).collect(),
                bias: bias.round() as i32,
                scale: if shift { factor & !0xff | d.cast_signed() } else { factor },
            });
        }
        scale *= 1.0625;
    }
    Err(RowError::Sum)
}
