//! The product of a dense layer.

use super::panel::{ROWS_BELOW, Rows};
use super::{Block, accumulate, biases, for_each_unit};
use crate::math::OutputActivation;
use crate::simd::Backend;

/// `y = activation(kernel · x + bias)`
///
/// # Panics
/// If the lengths do not agree. With constant sizes nothing is left of the check.
#[cfg_attr(not(debug_assertions), inline(always))]
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
    if units < ROWS_BELOW {
        // A row at a time: one unit's products side by side, where a vector of so few units would be mostly empty.
        for ((y, &bias), row) in y.iter_mut().zip(bias).zip(kernel.chunks_exact(x.len().max(1))) {
            *y = dot(b, bias, row, x);
        }
    } else {
        for_each_unit(b, units, &mut Product { kernel, bias, x, y });
    }
    activation.apply_all(b, y);
}

struct Product<'a> {
    kernel: &'a [f32],
    bias: &'a [f32],
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Block for Product<'_> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run<B: Backend>(&mut self, b: B, unit: usize, panel: usize, width: usize) {
        // SAFETY: lengths are checked in `dense`, and the block lies within its panels.
        unsafe {
            let sums = biases::<B, 1>(b, Rows::new::<B>(self.bias, 1, 1, (unit, panel, width)));
            let kernel = Rows::new::<B>(self.kernel, 1, self.x.len(), (unit, panel, width));
            let [sum] = accumulate(b, sums, kernel, self.x);
            b.store(self.y.as_mut_ptr().add(unit), sum);
        }
    }
}

/// `start + Σ row[k] · x[k]`, the products of a vector side by side.
#[cfg_attr(not(debug_assertions), inline(always))]
fn dot<B: Backend>(b: B, start: f32, row: &[f32], x: &[f32]) -> f32 {
    struct Dot<'a> {
        row: &'a [f32],
        x: &'a [f32],
        sum: f32,
    }
    impl Block for Dot<'_> {
        #[cfg_attr(not(debug_assertions), inline(always))]
        unsafe fn run<B: Backend>(&mut self, b: B, k: usize, _: usize, _: usize) {
            // SAFETY: the block is within both slices, whose length is the number of products.
            let products = unsafe { b.mul(b.load(self.row.as_ptr().add(k)), b.load(self.x.as_ptr().add(k))) };
            self.sum = b.add_up(self.sum, products);
        }
    }
    assert!(row.len() == x.len());
    let mut dot = Dot { row, x, sum: start };
    for_each_unit(b, x.len(), &mut dot);
    dot.sum
}
