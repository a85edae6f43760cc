//! tanh as one division, for processors that divide eight or four numbers at once and look up none.

use crate::simd::Backend;

/// tanh(x/2) is x·(1 + P₁x² + P₂x⁴) / 2(1 + Q₁x² + Q₂x⁴ + Q₃x⁶); coefficients by `fit.py`.
const P: [f32; 2] = [0.029777847, 0.00011431007];
const Q: [f32; 3] = [0.11311117, 0.0012069318, 0.0000012293481];

/// From here on tanh is 1 in single precision.
const LIMIT: f32 = 9.0;

/// tanh(x·scale) by the tangent of half the argument, n/2q: 2T / (1 + T²) = nq / (q² + n²/4). The denominator is written as
/// (q - n/2)² + nq, which is nowhere less than the numerator, so that no result is beyond 1.
///
/// The scale, a power of two, is in the coefficients, where it rounds nothing: n is left as a multiple of x, and q is divided
/// by it, which does not change the quotient.
#[cfg_attr(not(debug_assertions), inline(always))]
fn scaled<B: Backend>(b: B, x: B::Vector, scale: f32) -> B::Vector {
    let (square, fourth) = (scale * scale, scale * scale * scale * scale);
    let (p0, p1) = (b.splat(P[0] * square), b.splat(P[1] * fourth));
    let (one, q0) = (b.splat(1.0 / scale), b.splat(Q[0] * scale));
    let (q1, q2) = (b.splat(Q[1] * square * scale), b.splat(Q[2] * fourth * scale));
    // `min` lets a NaN through.
    let t = b.min(b.splat(LIMIT / scale), b.abs(x));
    let s = b.mul(t, t);
    let (s2, ts) = (b.mul(s, s), b.mul(t, s));
    let q = b.mul_add(b.mul_add(q2, s, q1), s2, b.mul_add(q0, s, one));
    let n = b.mul_add(b.mul_add(p1, s, p0), ts, t);
    let product = b.mul(n, q);
    let difference = b.mul_add(n, b.splat(-0.5), q);
    b.copysign(b.div(product, b.mul_add(difference, difference, product)), x)
}

/// tanh(x)
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn tanh<B: Backend>(b: B, x: B::Vector) -> B::Vector {
    scaled(b, x, 1.0)
}

/// ½ + ½ tanh(x / 2)
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn sigmoid<B: Backend>(b: B, x: B::Vector) -> B::Vector {
    let half = b.splat(0.5);
    b.mul_add(scaled(b, x, 0.5), half, half)
}
