//! Means of the int16 numbers that rows of weights are multiplied with.

use nalgebra::{DMatrix, DVector};

/// What is known of the numbers that a row is multiplied with.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Moments {
    /// The mean of each.
    pub(super) mean: Vec<f64>,
    /// The mean of each one's square.
    pub(super) square: Vec<f64>,
    /// The upper Cholesky factor of their covariance's inverse, unless there are too many.
    pub(super) factor: Option<DMatrix<f64>>,
}

/// The most numbers whose covariance is looked at, which takes time by the third power.
const MOST_NUMBERS: usize = 1024;
/// The most time steps that it is estimated from.
pub(super) const MOST_STEPS: usize = 8192;
/// A part of the mean variance that is added to each, so that there is an inverse.
const DAMPING: f64 = 0.01;

/// Numbers of all time steps that are multiplied with neighbouring weights.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// Of each sequence, time steps of as many numbers as there are fraction bits.
    pub(super) sequences: &'a [Vec<f32>],
    pub(super) bits: &'a [i8],
    /// Whether a time step sees those of the one before it.
    pub(super) late: bool,
}

/// Moments of the numbers of some parts, which have as many sequences and steps.
pub(super) fn moments(parts: &[Part<'_>]) -> Moments {
    let numbers: usize = parts.iter().map(|part| part.bits.len()).sum();
    let Some(first) = parts.first() else { return Moments::default() };
    let steps_of = |sequence: &Vec<f32>| sequence.len() / first.bits.len();
    let steps: usize = first.sequences.iter().map(steps_of).sum();
    let stride = steps.div_ceil(MOST_STEPS).max(1);
    let mut mean = DVector::zeros(numbers);
    let mut square = DMatrix::zeros(numbers, if numbers <= MOST_NUMBERS { numbers } else { 1 });
    let mut count: f64 = 0.0;
    let mut at = 0;
    for (sequence, of_first) in first.sequences.iter().enumerate() {
        for step in 0..steps_of(of_first) {
            at += 1;
            if at % stride != 0 {
                continue;
            }
            count += 1.0;
            let x = parts.iter().flat_map(|part| {
                let size = part.bits.len();
                let step = if part.late { step.checked_sub(1) } else { Some(step) };
                let numbers = step.map(|step| &part.sequences[sequence][step * size..][..size]);
                let number = move |i: usize| numbers.map_or(0.0, |numbers| f64::from(numbers[i]));
                (0..size).map(move |i| number(i) * 2f64.powi(part.bits[i].into()))
            });
            let x = DVector::from_iterator(numbers, x);
            mean += &x;
            if square.is_square() {
                square.ger(1.0, &x, &x, 1.0);
            } else {
                square += x.component_mul(&x);
            }
        }
    }
    mean /= count.max(1.0);
    square /= count.max(1.0);
    let squares = if square.is_square() { square.diagonal() } else { square.column(0).clone_owned() };
    let factor = square.is_square().then(|| square - &mean * mean.transpose()).and_then(factor_of);
    Moments { mean: mean.as_slice().to_vec(), square: squares.as_slice().to_vec(), factor }
}

/// U with UᵀU = C⁻¹, of a covariance C.
fn factor_of(mut covariance: DMatrix<f64>) -> Option<DMatrix<f64>> {
    let size = covariance.nrows();
    let damping = (DAMPING * covariance.diagonal().mean()).max(1.0);
    for i in 0..size {
        covariance[(i, i)] += damping;
    }
    let inverse = covariance.cholesky()?.inverse();
    Some(inverse.cholesky()?.l().transpose())
}
