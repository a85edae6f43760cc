//! Layers that look back: a convolution and a mean over time.

use super::{add, dense};
use crate::math::OutputActivation;
use crate::simd::Backend;

/// Kernel and bias of each group as a dense layer's, one group behind the other, and what they are multiplied with.
#[derive(Clone, Copy)]
pub(crate) struct Convolution<'a> {
    /// `groups` packed kernels of `kernel_size · inputs / groups` × `units / groups`.
    pub(crate) kernel: &'a [f32],
    /// `units` numbers.
    pub(crate) bias: &'a [f32],
    pub(crate) kernel_size: usize,
    pub(crate) dilation: usize,
    pub(crate) groups: usize,
}

/// One time step: `y[o] = activation(bias[o] + Σ kernel[k][i][o] · x[t - (kernel_size - 1 - k) · dilation][i])`, the sum over
/// the inputs of o's group. `history` has the inputs before this one, oldest first, and takes it in; `window` is room for
/// `kernel_size · x.len() / groups` numbers.
///
/// # Panics
/// If the lengths do not agree. With constant sizes nothing is left of the check.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn conv1d<B: Backend, A: OutputActivation>(
    b: B,
    activation: A,
    weights: Convolution<'_>,
    history: &mut [f32],
    x: &[f32],
    window: &mut [f32],
    y: &mut [f32],
) {
    let Convolution { kernel, bias, kernel_size, dilation, groups } = weights;
    let (inputs, steps) = (x.len(), (kernel_size - 1) * dilation);
    assert!(history.len() == steps * inputs && bias.len() == y.len());
    let (group, units) = (inputs / groups, y.len() / groups);
    assert!(window.len() == kernel_size * group && kernel.len() == groups * window.len() * units);
    for g in 0..groups {
        for (k, to) in window.chunks_exact_mut(group).enumerate() {
            let step = k * dilation;
            let from = if step == steps { x } else { &history[step * inputs..][..inputs] };
            to.copy_from_slice(&from[g * group..][..group]);
        }
        let kernel = &kernel[g * window.len() * units..][..window.len() * units];
        dense(b, activation, kernel, &bias[g * units..][..units], window, &mut y[g * units..][..units]);
    }
    remember(history, x);
}

/// Takes `x` into a history, oldest first, of which the oldest is forgotten.
#[inline(always)]
pub(crate) fn remember(history: &mut [f32], x: &[f32]) {
    if let Some(rest) = history.len().checked_sub(x.len()) {
        history.copy_within(x.len().., 0);
        history[rest..].copy_from_slice(x);
    }
}

/// The mean of `x` and the vectors before it, of which `history` has as many as count, oldest first, and which takes `x` in.
#[inline(always)]
pub(crate) fn average(history: &mut [f32], x: &[f32], y: &mut [f32]) {
    y.fill(0.0);
    for before in history.chunks_exact(x.len()) {
        add(y, before);
    }
    add(y, x);
    let steps = (history.len() / x.len() + 1) as f32;
    for y in y {
        *y /= steps;
    }
    remember(history, x);
}
