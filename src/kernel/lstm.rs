//! One step of an LSTM.

use super::{Block, Gates, accumulate, biases, copy};
use crate::cell::lstm::{equations, update};
use crate::math::Activation;
use crate::simd::Backend;

/// Steps on input `x`: updates the hidden state `h`, which is the output `y`, and the cell state `c`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn lstm<B: Backend, A: Activation, R: Activation>(
    b: B,
    activations: (A, R),
    weights: Gates<'_>,
    x: &[f32],
    h: &mut [f32],
    c: &mut [f32],
    y: &mut [f32],
) {
    let units = weights.units(4, 4, x, h, y);
    assert!(c.len() == units);
    weights.for_each_unit(b, units, &mut Step { activations, weights, x, h, c, y });
    copy(b, y, h);
}

struct Step<'a, A, R> {
    activations: (A, R),
    weights: Gates<'a>,
    x: &'a [f32],
    h: &'a [f32],
    c: &'a mut [f32],
    y: &'a mut [f32],
}

impl<A: Activation, R: Activation> Block for Step<'_, A, R> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run<B: Backend>(&mut self, b: B, unit: usize, panel: usize, width: usize) {
        // SAFETY: `lstm` has checked the lengths, and the block lies within the panel.
        unsafe {
            let weights = self.weights.block::<B>(4, 4, self.x.len(), (unit, panel, width));
            let sums = biases::<B, 4>(b, weights.bias);
            let sums = accumulate(b, sums, weights.input, self.x);
            let sums = accumulate(b, sums, weights.recurrent, self.h);
            let c = self.c.as_mut_ptr().add(unit);
            let (new_c, new_h) = equations(b, self.activations, sums, b.load(c));
            b.store(c, new_c);
            b.store(self.y.as_mut_ptr().add(unit), new_h);
        }
    }

    /// Two gates in a vector: i with f, and g with o, which part again for their activations.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run_in_pairs<B: Backend>(&mut self, b: B, panel: usize, width: usize) {
        let (activation, recurrent_activation) = self.activations;
        // SAFETY: `lstm` has checked the lengths; four rows of `width` units are two of twice as many.
        unsafe {
            let weights = self.weights.block::<B>(4, 4, self.x.len(), (panel, panel, width));
            let sums = biases::<B, 2>(b, weights.bias.in_pairs());
            let sums = accumulate(b, sums, weights.input.in_pairs(), self.x);
            let [input_forget, candidate_output] = accumulate(b, sums, weights.recurrent.in_pairs(), self.h);
            let half = b.half();
            let [i, f] = b.split(recurrent_activation.apply(b, input_forget));
            let [g, o] = b.split(candidate_output);
            let (g, o) = (activation.apply(half, g), recurrent_activation.apply(half, o));
            let c = self.c.as_mut_ptr().add(panel);
            let (new_c, new_h) = update(half, activation, [i, f, g, o], half.load(c));
            half.store(c, new_c);
            half.store(self.y.as_mut_ptr().add(panel), new_h);
        }
    }
}
