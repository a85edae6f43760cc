//! Activation functions in single precision, written once over a [`Backend`](crate::simd::Backend) and bounded over every input.
//!
//! # Error bounds
//! Largest absolute error against double precision, over all 2³² values of an `f32` ([`exp`]: relative, where the result
//! is a normal number), as printed by
//! `cargo test --release --test activations -- --ignored --nocapture`:
//!
//! | function | promised | measured, scalar | AVX2, NEON | AVX-512 |
//! |---|---|---|---|---|
//! | [`tanh`] | 2.5e-7 | 1.518e-7 | 1.492e-7 | 1.252e-7 |
//! | [`sigmoid`] | 2.5e-7 | 1.056e-7 | 1.04e-7 | 9.24e-8 |
//! | [`exp`] | 2.5e-7 (relative) | 1.250e-7 | | |
//!
//! A backend has its own `tanh` and `sigmoid`: an exponential and a division in plain arithmetic, a rational function where
//! numbers are divided eight at a time, a table of polynomials where 32 numbers are looked up at once. The functions below are
//! the scalar ones. `tanh` stays within [-1, 1], is odd to the bit and keeps its relative accuracy near zero; `sigmoid` stays within [0, 1];
//! NaN in is NaN out.

mod activation;
pub(crate) mod exponential;
pub(crate) mod fixed;
mod fixed_table;
#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon")))]
pub(crate) mod rational;
#[cfg(target_arch = "x86_64")]
pub(crate) mod table;

pub use activation::{
    Activation, ActivationKind, Elu, HardSigmoid, LeakyRelu, Linear, Named, OutputActivation, OutputKind, Relu,
    Sigmoid, Silu, Softmax, Softplus, Softsign, Tanh,
};

pub use fixed::{TANH_ONE, sigmoid_of_integer, tanh_of_integer};

use crate::simd::Scalar;

/// Hyperbolic tangent of one number.
///
/// ```
/// assert!((gatelet::math::tanh(0.5) - 0.46211716).abs() < 2.5e-7);
/// assert_eq!(gatelet::math::tanh(100.0), 1.0);
/// ```
#[must_use]
pub fn tanh(x: f32) -> f32 {
    activation::one(x, Tanh)
}

/// Logistic sigmoid of one number, `1 / (1 + e⁻ˣ)`.
///
/// ```
/// assert_eq!(gatelet::math::sigmoid(0.0), 0.5);
/// ```
#[must_use]
pub fn sigmoid(x: f32) -> f32 {
    activation::one(x, Sigmoid)
}

/// Exponential of one number. Results below 2⁻¹²⁵·⁵ are zero, results beyond the range are infinite.
///
/// ```
/// assert!((gatelet::math::exp(1.0) / core::f32::consts::E - 1.0).abs() < 2.5e-7);
/// assert_eq!(gatelet::math::exp(-200.0), 0.0);
/// ```
#[must_use]
pub fn exp(x: f32) -> f32 {
    exponential::exp(Scalar::single(), [x])[0]
}

/// The position of the largest value, the first one if several are equal; 0 for an empty slice. NaN is never the largest.
///
/// ```
/// assert_eq!(gatelet::math::argmax(&[0.1, 0.7, 0.2]), 1);
/// // Of an integer network's outputs.
/// assert_eq!(gatelet::math::argmax(&[3_276_i16, 22_938, 6_554]), 1);
/// ```
#[must_use]
pub fn argmax<T: PartialOrd + Copy>(values: &[T]) -> usize {
    let mut best: Option<(usize, T)> = None;
    for (i, &value) in values.iter().enumerate() {
        let is_larger = match best {
            Some((_, largest)) => value > largest,
            None => value.partial_cmp(&value).is_some(),
        };
        if is_larger {
            best = Some((i, value));
        }
    }
    best.map_or(0, |(i, _)| i)
}
