//! tanh as one division, for processors that divide eight or four numbers at once and look up none.

use crate::simd::Backend;

/// tanh(x/2) is x·(1 + P₁x² + P₂x⁴) / 2(1 + Q₁x² + Q₂x⁴ + Q₃x⁶); coefficients by `fit.py`.
const P: [f32; 2] = [0.029777847, 0.00011431007];
const Q: [f32; 3] = [0.11311117, 0.0012069318, 0.0000012293481];

/// From here on tanh is 1 in single precision.
const LIMIT: f32 = 9.0;

/// tanh(x) by the tangent of half the argument, n/2q: 2T / (1 + T²) = nq / (q² + n²/4). The denominator is written as
/// (q - n/2)² + nq, which is nowhere less than the numerator, so that no result is beyond 1.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn tanh<B: Backend>(b: B, x: B::Vector) -> B::Vector {
    // `min` lets a NaN through.
    let t = b.min(b.splat(LIMIT), b.abs(x));
    let s = b.mul(t, t);
    let (s2, ts) = (b.mul(s, s), b.mul(t, s));
    let low = b.mul_add(b.splat(Q[0]), s, b.splat(1.0));
    let q = b.mul_add(b.mul_add(b.splat(Q[2]), s, b.splat(Q[1])), s2, low);
    let n = b.mul_add(b.mul_add(b.splat(P[1]), s, b.splat(P[0])), ts, t);
    let product = b.mul(n, q);
    let difference = b.mul_add(n, b.splat(-0.5), q);
    b.copysign(b.div(product, b.mul_add(difference, difference, product)), x)
}

/// ½ + ½ tanh(x / 2)
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn sigmoid<B: Backend>(b: B, x: B::Vector) -> B::Vector {
    let half = b.splat(0.5);
    b.mul_add(tanh(b, b.mul(x, half)), half, half)
}
