//! One step of an LSTM.

use super::{Block, Gates, accumulate, biases, for_each_unit};
use crate::cell::lstm::equations;
use crate::math::Activation;
use crate::simd::Backend;

/// Steps from the hidden state `h` to `y` on input `x`, updating the cell state `c` in place.
#[inline(always)]
pub(crate) fn lstm<B: Backend, A: Activation, R: Activation>(
    b: B,
    activations: (A, R),
    weights: Gates<'_>,
    x: &[f32],
    h: &[f32],
    c: &mut [f32],
    y: &mut [f32],
) {
    let units = weights.units(4, 4, x, h, y);
    assert!(c.len() == units);
    for_each_unit(b, units, &mut Step { activations, weights, x, h, c, y });
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
    #[inline(always)]
    unsafe fn run<B: Backend>(&mut self, b: B, unit: usize, panel: usize, width: usize) {
        // SAFETY: `lstm` has checked the lengths, and the block lies within the panel.
        unsafe {
            let weights = self.weights.block(4, 4, self.x.len(), unit, panel);
            let sums = biases::<B, 4>(b, weights.bias, width);
            let sums = accumulate(b, sums, weights.input, width, 4, self.x);
            let sums = accumulate(b, sums, weights.recurrent, width, 4, self.h);
            let c = self.c.as_mut_ptr().add(unit);
            let (new_c, new_h) = equations(b, self.activations, sums, b.load(c));
            b.store(c, new_c);
            b.store(self.y.as_mut_ptr().add(unit), new_h);
        }
    }
}
