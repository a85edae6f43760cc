//! Layers that look back: a convolution and a mean over time.

use super::{add, dense};
use crate::math::OutputActivation;
use crate::simd::Backend;

/// Kernel and bias of each group as a dense layer's, one group behind the other.
#[derive(Clone, Copy)]
pub(crate) struct Convolution<'a> {
    /// `groups` packed kernels of `kernel_size · inputs / groups` × `units / groups`.
    pub(crate) kernel: &'a [f32],
    /// `units` numbers.
    pub(crate) bias: &'a [f32],
    pub(crate) kernel_size: usize,
    pub(crate) groups: usize,
}

/// One time step: `y[o] = activation(bias[o] + Σ kernel[k][i][o] · x[k][i])`, the sum over the inputs of o's group, where `x` gives
/// the inputs of the time step that each k sees. `window` is room for `kernel_size · inputs / groups` numbers.
///
/// # Panics
/// If the lengths do not agree. With constant sizes nothing is left of the check.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn conv1d<'a, B: Backend, A: OutputActivation>(
    b: B,
    activation: A,
    weights: Convolution<'_>,
    x: impl Fn(usize) -> &'a [f32],
    window: &mut [f32],
    y: &mut [f32],
) {
    let Convolution { kernel, bias, kernel_size, groups } = weights;
    let (inputs, units) = (window.len() / kernel_size, y.len() / groups);
    assert!(bias.len() == y.len() && kernel.len() == y.len() * window.len());
    let kernels = kernel.chunks_exact(window.len() * units);
    let groups = kernels.zip(bias.chunks_exact(units)).zip(y.chunks_exact_mut(units));
    for (g, ((kernel, bias), y)) in groups.enumerate() {
        for (k, to) in window.chunks_exact_mut(inputs).enumerate() {
            if let Some(from) = x(k).chunks_exact(inputs).nth(g) {
                to.copy_from_slice(from);
            }
        }
        dense(b, activation, kernel, bias, window, y);
    }
}

/// Takes `x` into a history, oldest first, of which the oldest is forgotten.
#[inline(always)]
pub(crate) fn remember<T: Copy>(history: &mut [T], x: &[T]) {
    if let Some(rest) = history.len().checked_sub(x.len()) {
        history.copy_within(x.len().., 0);
        history[rest..].copy_from_slice(x);
    }
}

/// The mean of so many vectors.
#[inline(always)]
pub(crate) fn mean<'a>(xs: impl Iterator<Item = &'a [f32]>, count: usize, y: &mut [f32]) {
    y.fill(0.0);
    xs.for_each(|x| add(y, x));
    for y in y {
        *y /= count as f32;
    }
}
