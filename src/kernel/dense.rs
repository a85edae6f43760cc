//! The product of a dense layer.

use super::{Block, accumulate, biases, for_each_unit};
use crate::math::OutputActivation;
use crate::simd::Backend;

/// `y = activation(kernel · x + bias)`
///
/// # Panics
/// If the lengths do not agree. With constant sizes nothing is left of the check.
#[inline(always)]
pub(crate) fn dense<B: Backend, A: OutputActivation>(
    b: B,
    activation: A,
    kernel: &[f32],
    bias: &[f32],
    x: &[f32],
    y: &mut [f32],
) {
    let units = y.len();
    assert!(bias.len() == units && kernel.len() == x.len() * units);
    for_each_unit(b, units, &mut Product { kernel, bias, x, y });
    activation.apply_all(b, y);
}

struct Product<'a> {
    kernel: &'a [f32],
    bias: &'a [f32],
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Block for Product<'_> {
    #[inline(always)]
    unsafe fn run<B: Backend>(&mut self, b: B, unit: usize, panel: usize, width: usize) {
        let in_panel = unit - panel;
        // SAFETY: the panel's kernel begins at `panel` times the inputs of one unit; lengths are checked in `dense`.
        unsafe {
            let sums = biases::<B, 1>(b, self.bias.as_ptr().add(unit), width);
            let kernel = self.kernel.as_ptr().add(panel * self.x.len() + in_panel);
            let [sum] = accumulate(b, sums, kernel, width, 1, self.x);
            b.store(self.y.as_mut_ptr().add(unit), sum);
        }
    }
}
