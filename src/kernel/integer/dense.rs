//! The integer dense layer's loops.

use super::{Block, Matrix, Place, Rows, for_each_unit};
use crate::quant::IntegerActivation;
use crate::simd::integers::Integers;

/// `y = activation(((b + W x) s) / 2³²)`. `x` is prepared.
///
/// # Panics
/// If the slices' lengths do not agree.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn dense<I: Integers, A: IntegerActivation>(
    i: I,
    activation: A,
    kernel: Matrix<'_>,
    constants: Rows<'_>,
    x: &[i16],
    y: &mut [i16],
) {
    let units = y.len();
    let offsets = if cfg!(target_arch = "x86_64") { units } else { 0 };
    assert!(
        kernel.weights.len() >= units * x.len() && kernel.offsets.len() >= offsets && constants.0.len() == 2 * units
    );
    for_each_unit(i, 1, units, &mut Step { activation, kernel, constants, x, y });
}

struct Step<'a, A> {
    activation: A,
    kernel: Matrix<'a>,
    constants: Rows<'a>,
    x: &'a [i16],
    y: &'a mut [i16],
}

impl<A: IntegerActivation> Block<1> for Step<'_, A> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn sums<I: Integers>(&self, i: I, at: Place) -> [I::Vector; 1] {
        // SAFETY: the lengths have been found right, and the block is within the units.
        unsafe {
            let bias = self.constants.biases::<I, 1>(i, (1, 0), at);
            let [sum] = self.kernel.add_products(i, bias, (1, 0), self.y.len(), at, self.x);
            let [scale] = self.constants.scales(i, (1, 0), at);
            [i.mul_high(sum, scale)]
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn finish<I: Integers>(&mut self, i: I, at: Place, [z]: [I::Vector; 1]) {
        // SAFETY: as in `sums`.
        unsafe {
            i.store_short(self.y.as_mut_ptr().add(at.unit), self.activation.apply(i, z));
        }
    }
}
