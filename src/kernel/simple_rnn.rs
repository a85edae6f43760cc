//! One step of a simple recurrent layer.

use super::{Block, Gates, accumulate, biases, copy};
use crate::cell::simple_rnn::equations;
use crate::math::Activation;
use crate::simd::Backend;

/// Steps on input `x`: updates the hidden state `h`, which is the output `y`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn simple_rnn<B: Backend, A: Activation>(
    b: B,
    activation: A,
    weights: Gates<'_>,
    x: &[f32],
    h: &mut [f32],
    y: &mut [f32],
) {
    let units = weights.units(1, 1, x, h, y);
    weights.for_each_unit(b, units, &mut Step { activation, weights, x, h, y });
    copy(b, y, h);
}

struct Step<'a, A> {
    activation: A,
    weights: Gates<'a>,
    x: &'a [f32],
    h: &'a [f32],
    y: &'a mut [f32],
}

impl<A: Activation> Block for Step<'_, A> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run<B: Backend>(&mut self, b: B, unit: usize, panel: usize, width: usize) {
        // SAFETY: `simple_rnn` has checked the lengths, and the block lies within its panels.
        unsafe {
            let weights = self.weights.block::<B>(1, 1, self.x.len(), (unit, panel, width));
            let sums = biases::<B, 1>(b, weights.bias);
            let sums = accumulate(b, sums, weights.input, self.x);
            let [sum] = accumulate(b, sums, weights.recurrent, self.h);
            b.store(self.y.as_mut_ptr().add(unit), equations(b, self.activation, sum));
        }
    }
}
