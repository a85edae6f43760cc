//! One step of a GRU, in both forms.

use super::streams::{self, StreamBlock, Streams};
use super::{Block, Gates, accumulate, biases, copy};
use crate::cell::gru::update;
use crate::math::Activation;
use crate::simd::Backend;

/// A GRU's packed weights: three rows per unit (r, z, n) and four biases (r, z, the input's part of n, the hidden state's).
#[derive(Clone, Copy, Debug)]
pub(crate) struct GruWeights<'a> {
    pub(crate) gates: Gates<'a>,
    /// Whether the reset gate multiplies the product `U h` (after) or `h` (before).
    pub(crate) reset_after: bool,
}

/// Steps on input `x`: updates the hidden state `h`, which is the output `y`. The form that resets before the product needs
/// `scratch`, as long as `h`; the other one does not look at it.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn gru<B: Backend, A: Activation, R: Activation>(
    b: B,
    activations: (A, R),
    weights: GruWeights<'_>,
    x: &[f32],
    h: &mut [f32],
    scratch: &mut [f32],
    y: &mut [f32],
) {
    let GruWeights { gates: weights, reset_after } = weights;
    let units = weights.units(3, 4, x, h, y);
    if reset_after {
        weights.for_each_unit(b, units, &mut ResetAfter { activations, weights, x, h, y });
    } else {
        assert!(scratch.len() == units);
        let recurrent_activation = activations.1;
        weights.for_each_unit(b, units, &mut Reset { recurrent_activation, weights, x, h, reset_h: scratch });
        weights.for_each_unit(b, units, &mut ResetBefore { activations, weights, x, h, reset_h: scratch, y });
    }
    copy(b, y, h);
}

/// The whole step where the reset gate multiplies `U h`: the candidate's two products are kept apart.
struct ResetAfter<'a, A, R> {
    activations: (A, R),
    weights: Gates<'a>,
    x: &'a [f32],
    h: &'a [f32],
    y: &'a mut [f32],
}

impl<A: Activation, R: Activation> Block for ResetAfter<'_, A, R> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run<B: Backend>(&mut self, b: B, unit: usize, panel: usize, width: usize) {
        // SAFETY: `gru` has checked the lengths, and the block lies within its panels.
        unsafe {
            let weights = self.weights.block::<B>(3, 4, self.x.len(), (unit, panel, width));
            let [r, z, n, recurrent_n] = biases::<B, 4>(b, weights.bias);
            let [r, z, n] = accumulate(b, [r, z, n], weights.input, self.x);
            let [r, z, recurrent_n] = accumulate(b, [r, z, recurrent_n], weights.recurrent, self.h);
            let n = b.mul_add(self.activations.1.apply(b, r), recurrent_n, n);
            let h = b.load(self.h.as_ptr().add(unit));
            b.store(self.y.as_mut_ptr().add(unit), update(b, self.activations.0, self.activations.1.apply(b, z), n, h));
        }
    }

    /// Two gates in a vector: r with z.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run_in_pairs<B: Backend>(&mut self, b: B, panel: usize, width: usize) {
        // SAFETY: `gru` has checked the lengths; r and z are neighbours in every row.
        unsafe {
            let half = b.half();
            let weights = self.weights.block::<B>(3, 4, self.x.len(), (panel, panel, width));
            let gates = biases::<B, 1>(b, weights.bias.in_pairs());
            let [n, recurrent_n] = biases::<B::Half, 2>(half, weights.bias.skip(2));
            let gates = accumulate(b, gates, weights.input.in_pairs(), self.x);
            let [n] = accumulate(half, [n], weights.input.skip(2), self.x);
            let [gates] = accumulate(b, gates, weights.recurrent.in_pairs(), self.h);
            let recurrent = weights.recurrent.skip(2);
            let [recurrent_n] = accumulate(half, [recurrent_n], recurrent, self.h);
            let [r, z] = b.split(self.activations.1.apply(b, gates));
            let n = half.mul_add(r, recurrent_n, n);
            let h = half.load(self.h.as_ptr().add(panel));
            half.store(self.y.as_mut_ptr().add(panel), update(half, self.activations.0, z, n, h));
        }
    }
}

/// The reset gate of every unit, times its hidden state: what the candidate's product needs as a whole.
struct Reset<'a, R> {
    recurrent_activation: R,
    weights: Gates<'a>,
    x: &'a [f32],
    h: &'a [f32],
    reset_h: &'a mut [f32],
}

impl<R: Activation> Block for Reset<'_, R> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run<B: Backend>(&mut self, b: B, unit: usize, panel: usize, width: usize) {
        // SAFETY: as above; `reset_h` is as long as `h`.
        unsafe {
            let weights = self.weights.block::<B>(3, 4, self.x.len(), (unit, panel, width));
            let r = biases::<B, 1>(b, weights.bias);
            let r = accumulate(b, r, weights.input, self.x);
            let [r] = accumulate(b, r, weights.recurrent, self.h);
            let h = b.load(self.h.as_ptr().add(unit));
            b.store(self.reset_h.as_mut_ptr().add(unit), b.mul(self.recurrent_activation.apply(b, r), h));
        }
    }
}

/// The rest of the step where the reset gate has multiplied `h` before the product.
struct ResetBefore<'a, A, R> {
    activations: (A, R),
    weights: Gates<'a>,
    x: &'a [f32],
    h: &'a [f32],
    reset_h: &'a [f32],
    y: &'a mut [f32],
}

impl<A: Activation, R: Activation> Block for ResetBefore<'_, A, R> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run<B: Backend>(&mut self, b: B, unit: usize, panel: usize, width: usize) {
        // SAFETY: as above. Row 1 is the update gate's, row 2 the candidate's; both exist in each of the three rows.
        unsafe {
            let weights = self.weights.block::<B>(3, 4, self.x.len(), (unit, panel, width));
            let [_, z, n, recurrent_n] = biases::<B, 4>(b, weights.bias);
            let [z, n] = accumulate(b, [z, b.add(n, recurrent_n)], weights.input.skip(1), self.x);
            let [z] = accumulate(b, [z], weights.recurrent.skip(1), self.h);
            let [n] = accumulate(b, [n], weights.recurrent.skip(2), self.reset_h);
            let h = b.load(self.h.as_ptr().add(unit));
            b.store(self.y.as_mut_ptr().add(unit), update(b, self.activations.0, self.activations.1.apply(b, z), n, h));
        }
    }
}

/// `T` steps in the form that resets after the product, with the input's part of their sums in advance, in `ahead`, for which
/// input weights are read once. The bits are those of `T` steps.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn gru_steps<B: Backend, A: Activation, R: Activation, const T: usize>(
    b: B,
    activations: (A, R),
    weights: [Gates<'_>; T],
    xs: [&[f32]; T],
    ahead: [&mut [f32]; T],
    h: &mut [f32],
    ys: [&mut [f32]; T],
) {
    let mut units = 0;
    for ((x, ahead), y) in xs.iter().zip(&ahead).zip(&ys) {
        units = weights[0].units(3, 4, x, h, y);
        assert!(x.len() == xs[0].len() && ahead.len() == weights[0].bias.len());
    }
    let mut work = Streams(InputSums { weights: weights[0], xs, ahead });
    weights[0].for_each_unit(b, units, &mut work);
    for ((weights, ahead), y) in weights.into_iter().zip(work.0.ahead).zip(ys) {
        let gates = weights.without_input(ahead);
        gru(b, activations, GruWeights { gates, reset_after: true }, &[], h, &mut [], y);
    }
}

/// Bias and input products of `T` steps, where the bias would be. The hidden state's part of the candidate has its bias alone.
struct InputSums<'a, const T: usize> {
    weights: Gates<'a>,
    xs: [&'a [f32]; T],
    ahead: [&'a mut [f32]; T],
}

impl<const T: usize> StreamBlock for InputSums<'_, T> {
    const GATES: usize = 3;

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run<B: Backend, const S: usize>(&mut self, b: B, unit: usize, panel: usize, width: usize) {
        // SAFETY: `gru_steps` has checked the lengths, and the block lies within its panels.
        unsafe {
            let weights = self.weights.block::<B>(3, 4, self.xs[0].len(), (unit, panel, width));
            let [r, z, n, recurrent_n] = biases::<B, 4>(b, weights.bias);
            let sums = streams::accumulate::<B, 3, S, T>(b, [[r, z, n]; T], weights.input, self.xs);
            for (ahead, [r, z, n]) in self.ahead.iter_mut().zip(sums) {
                for (row, sum) in [r, z, n, recurrent_n].into_iter().enumerate() {
                    b.store(ahead.as_mut_ptr().add(4 * panel + unit - panel + row * width), sum);
                }
            }
        }
    }

    /// As in the step.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run_in_pairs<B: Backend>(&mut self, b: B, panel: usize, width: usize) {
        // SAFETY: `gru_steps` has checked the lengths.
        unsafe {
            let half = b.half();
            let weights = self.weights.block::<B>(3, 4, self.xs[0].len(), (panel, panel, width));
            for (x, ahead) in self.xs.iter().zip(&mut self.ahead) {
                let gates = biases::<B, 1>(b, weights.bias.in_pairs());
                let [n, recurrent_n] = biases::<B::Half, 2>(half, weights.bias.skip(2));
                let [gates] = accumulate(b, gates, weights.input.in_pairs(), x);
                let [n] = accumulate(half, [n], weights.input.skip(2), x);
                let ahead = ahead.as_mut_ptr().add(4 * panel);
                b.store(ahead, gates);
                half.store(ahead.add(2 * width), n);
                half.store(ahead.add(3 * width), recurrent_n);
            }
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run_in_fours<B: Backend>(&mut self, b: B, panel: usize, width: usize) {
        // SAFETY: as promised to this function.
        unsafe { self.run_in_pairs(b.half(), panel, width) };
    }
}

/// One step of `T` streams in the form that resets after the product: the bits of `T` steps.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn gru_streams<B: Backend, A: Activation, R: Activation, const T: usize>(
    b: B,
    activations: (A, R),
    weights: Gates<'_>,
    xs: [&[f32]; T],
    hs: [&mut [f32]; T],
    ys: [&mut [f32]; T],
) {
    let mut units = 0;
    for ((x, h), y) in xs.iter().zip(&hs).zip(&ys) {
        units = weights.units(3, 4, x, h, y);
        assert!(x.len() == xs[0].len());
    }
    let mut work = Streams(StepOfStreams { activations, weights, xs, hs, ys });
    weights.for_each_unit(b, units, &mut work);
    for (h, y) in work.0.hs.into_iter().zip(work.0.ys) {
        copy(b, y, h);
    }
}

struct StepOfStreams<'a, A, R, const T: usize> {
    activations: (A, R),
    weights: Gates<'a>,
    xs: [&'a [f32]; T],
    hs: [&'a mut [f32]; T],
    ys: [&'a mut [f32]; T],
}

impl<A: Activation, R: Activation, const T: usize> StepOfStreams<'_, A, R, T> {
    /// One stream's step.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn alone(&mut self, stream: usize) -> ResetAfter<'_, A, R> {
        let StepOfStreams { activations, weights, .. } = *self;
        ResetAfter { activations, weights, x: self.xs[stream], h: self.hs[stream], y: self.ys[stream] }
    }
}

impl<A: Activation, R: Activation, const T: usize> StreamBlock for StepOfStreams<'_, A, R, T> {
    const GATES: usize = 3;

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run<B: Backend, const S: usize>(&mut self, b: B, unit: usize, panel: usize, width: usize) {
        // SAFETY: `gru_streams` has checked the lengths, and the block lies within its panels.
        unsafe {
            let weights = self.weights.block::<B>(3, 4, self.xs[0].len(), (unit, panel, width));
            let [r, z, n, recurrent_n] = biases::<B, 4>(b, weights.bias);
            let inputs = streams::accumulate::<B, 3, S, T>(b, [[r, z, n]; T], weights.input, self.xs);
            let h = self.hs.each_ref().map(|h| &**h);
            let sums = inputs.map(|[r, z, _]| [r, z, recurrent_n]);
            let sums = streams::accumulate::<B, 3, S, T>(b, sums, weights.recurrent, h);
            let places = self.hs.iter().zip(&mut self.ys);
            for (((h, y), [_, _, n]), [r, z, recurrent_n]) in places.zip(inputs).zip(sums) {
                let n = b.mul_add(self.activations.1.apply(b, r), recurrent_n, n);
                let z = self.activations.1.apply(b, z);
                let h = b.load(h.as_ptr().add(unit));
                b.store(y.as_mut_ptr().add(unit), update(b, self.activations.0, z, n, h));
            }
        }
    }

    streams::one_by_one!(T);
}
