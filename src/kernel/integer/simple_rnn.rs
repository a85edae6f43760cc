//! The integer simple recurrent layer's loops.

use super::{Block, Gates, Place, for_each_unit};
use crate::quant::IntegerActivation;
use crate::simd::integers::Integers;

/// One step: `h` becomes the new state. `x` and `old` are prepared, `old` being h.
///
/// # Panics
/// If the slices' lengths do not agree.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn simple_rnn<I: Integers, A: IntegerActivation>(
    i: I,
    activation: A,
    weights: Gates<'_>,
    (x, old): (&[i16], &[i16]),
    h: &mut [i16],
) {
    let units = weights.units((1, 1), x, old, h);
    for_each_unit(i, 1, units, &mut Step { activation, weights, x, old, h });
}

struct Step<'a, A> {
    activation: A,
    weights: Gates<'a>,
    x: &'a [i16],
    old: &'a [i16],
    h: &'a mut [i16],
}

impl<A: IntegerActivation> Block<1> for Step<'_, A> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn sums<I: Integers>(&self, i: I, at: Place) -> [I::Vector; 1] {
        // SAFETY: the lengths have been found right, and the block is within the units.
        unsafe { self.weights.sums(i, (1, 1, 0), at, self.x, self.old) }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn finish<I: Integers>(&mut self, i: I, at: Place, [z]: [I::Vector; 1]) {
        // SAFETY: as in `sums`.
        unsafe {
            i.store_short(self.h.as_mut_ptr().add(at.unit), self.activation.apply(i, z));
        }
    }
}
