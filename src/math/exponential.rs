//! e^x, tanh and the sigmoid from one polynomial for 2^f - 1.
//!
//! Every function reduces its argument to 2^n · 2^f with n whole and f in [-½, ½]. Keeping 2^f - 1 instead of 2^f is what
//! keeps `tanh` exact to a few units in the last place near zero, where 1 - e^(-2|x|) would cancel.

use crate::simd::Backend;

/// Minimax polynomial for (2^f - 1) / f on [-½, ½], lowest power first; relative error 2.1e-8 with these rounded
/// coefficients (Remez exchange, degree 5).
const EXP2M1: [f32; 6] =
    [core::f32::consts::LN_2, 0.240_226_5, 0.055_503_573, 0.009_618_238, 0.001_339_073_5, 0.000_154_035_12];

/// 1.5 · 2²³: adding it rounds a small number to a whole one, which then stands in the low bits of the representation.
const ROUND: f32 = 12_582_912.0;

/// 2^f - 1 for f in [-½, ½].
#[cfg_attr(not(debug_assertions), inline(always))]
fn exp2m1<B: Backend>(b: B, f: B::Vector) -> B::Vector {
    let [c0, c1, c2, c3, c4, c5] = EXP2M1;
    let (c0, c1, c2) = (b.splat(c0), b.splat(c1), b.splat(c2));
    let (c3, c4, c5) = (b.splat(c3), b.splat(c4), b.splat(c5));
    let polynomial = b.mul_add(c5, f, c4);
    let polynomial = b.mul_add(polynomial, f, c3);
    let polynomial = b.mul_add(polynomial, f, c2);
    let polynomial = b.mul_add(polynomial, f, c1);
    let polynomial = b.mul_add(polynomial, f, c0);
    b.mul(polynomial, f)
}

/// tanh(x · scale / 2): with m = e^(-scale·|x|) - 1, it is -m / (2 + m) with the sign of x.
#[cfg_attr(not(debug_assertions), inline(always))]
fn tanh_half<B: Backend>(b: B, x: B::Vector, scale: f32) -> B::Vector {
    // Beyond 2⁻⁴⁰ the result is ±1 to the last bit; the limit keeps 2^n a normal number. `max` lets a NaN through.
    let y = b.mul(b.abs(x), b.splat(-scale * core::f32::consts::LOG2_E));
    let y = b.max(b.splat(-40.0), y);
    let rounded = b.add(y, b.splat(ROUND + 127.0));
    let n = b.sub(rounded, b.splat(ROUND + 127.0));
    let power = b.low_bits_to_exponent(rounded);
    let m = b.mul_add(power, exp2m1(b, b.sub(y, n)), b.sub(power, b.splat(1.0)));
    b.copysign(b.div(m, b.add(m, b.splat(2.0))), x)
}

/// Hyperbolic tangent.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn tanh<B: Backend>(b: B, x: B::Vector) -> B::Vector {
    tanh_half(b, x, 2.0)
}

/// Logistic sigmoid, ½ + ½ tanh(x / 2).
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn sigmoid<B: Backend>(b: B, x: B::Vector) -> B::Vector {
    let half = b.splat(0.5);
    b.mul_add(tanh_half(b, x, 1.0), half, half)
}

/// e^x = 2^(n-1) · (2 + 2·(2^f - 1)). Half the power, so that n = 128 is still a number; at n = -126 it is zero.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn exp<B: Backend>(b: B, x: B::Vector) -> B::Vector {
    /// ln 2 in two parts; the first has so few bits that its product with n is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = b.min(b.splat(89.0), b.max(b.splat(-87.3), x));
    let rounded = b.add(b.mul(x, b.splat(core::f32::consts::LOG2_E)), b.splat(ROUND + 126.0));
    let n = b.sub(rounded, b.splat(ROUND + 126.0));
    let remainder = b.mul_add(n, b.splat(-LN_2[0]), x);
    let remainder = b.mul_add(n, b.splat(-LN_2[1]), remainder);
    let f = b.mul(remainder, b.splat(core::f32::consts::LOG2_E));
    let two = b.splat(2.0);
    b.mul(b.low_bits_to_exponent(rounded), b.mul_add(exp2m1(b, f), two, two))
}
