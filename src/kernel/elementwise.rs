//! What layers do number by number.

/// `y = (x - offset) ⊙ scale`
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn normalize(offset: &[f32], scale: &[f32], x: &[f32], y: &mut [f32]) {
    for (((y, x), offset), scale) in y.iter_mut().zip(x).zip(offset).zip(scale) {
        *y = (x - offset) * scale;
    }
}

/// `y += x`
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn add(y: &mut [f32], x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += x;
    }
}

/// `y = x / max(|x|, 1e-12)`, as Keras has it.
#[inline(always)]
pub(crate) fn unit_normalize(x: &[f32], y: &mut [f32]) {
    let mut sum = 0.0;
    for x in x {
        sum += x * x;
    }
    let length = libm::sqrtf(sum);
    // A NaN stays one.
    let length = if length < 1e-12 { 1e-12 } else { length };
    for (y, x) in y.iter_mut().zip(x) {
        *y = x / length;
    }
}

/// x above zero, `slope ⊙ x` below.
#[inline(always)]
pub(crate) fn prelu(slope: &[f32], x: &[f32], y: &mut [f32]) {
    for ((y, &x), slope) in y.iter_mut().zip(x).zip(slope) {
        *y = if x < 0.0 { slope * x } else { x };
    }
}

/// The row of a table that a number stands for; `None` if it is no whole number below `tokens`.
#[inline(always)]
pub(crate) fn token(x: f32, tokens: usize) -> Option<usize> {
    // The conversion saturates, and makes 0 of NaN.
    let row = x as usize;
    (row as f32 == x && row < tokens).then_some(row)
}
