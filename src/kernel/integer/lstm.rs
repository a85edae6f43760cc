//! The integer LSTM's loops.

use super::{Block, Gates, Place, for_each_unit};
use crate::quant::{IntegerActivation, lstm};
use crate::simd::integers::Integers;
#[cfg(all(gatelet_dsp, not(gatelet_mve)))]
use crate::{math::ActivationKind, simd::integers::steps};

/// One step: `h` and `c` become the new state, `y` a copy of the new h. `x` and `old` are prepared, `old` being h.
///
/// # Panics
/// If the slices' lengths do not agree.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn lstm<I: Integers, A: IntegerActivation, R: IntegerActivation>(
    i: I,
    activations: (A, R),
    formats: lstm::Formats,
    weights: Gates<'_>,
    (x, old): (&[i16], &[i16]),
    (h, c): (&mut [i16], &mut [i16]),
) {
    let units = weights.units((4, 4), x, old, h);
    assert!(c.len() == units);
    #[cfg(all(gatelet_dsp, not(gatelet_mve)))]
    if let (Some(ActivationKind::Tanh), Some(ActivationKind::Sigmoid), 1.., 0) = (A::KIND, R::KIND, units, units % 4) {
        let Gates { recurrent, input, constants } = weights;
        // SAFETY: the lengths have been found right, and x and h are prepared; on this target panels are single units.
        unsafe { steps::lstm(formats, constants.0, [recurrent.weights, input.weights], [x, old], [h, c]) };
        return;
    }
    for_each_unit(i, 4, units, &mut Step { activations, formats, weights, x, old, h, c });
}

struct Step<'a, A, R> {
    activations: (A, R),
    formats: lstm::Formats,
    weights: Gates<'a>,
    x: &'a [i16],
    old: &'a [i16],
    h: &'a mut [i16],
    c: &'a mut [i16],
}

impl<A: IntegerActivation, R: IntegerActivation> Block<4> for Step<'_, A, R> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn sums<I: Integers>(&self, i: I, at: Place) -> [I::Vector; 4] {
        // SAFETY: the lengths have been found right, and the block is within the units.
        unsafe { self.weights.sums(i, (4, 4, 0), at, self.x, self.old) }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn finish<I: Integers>(&mut self, i: I, at: Place, sums: [I::Vector; 4]) {
        // SAFETY: as in `sums`.
        unsafe {
            let to = self.c.as_mut_ptr().add(at.unit);
            let (c, h) = lstm::equations(i, self.activations, self.formats, sums, i.load_short(to));
            i.store_short(to, c);
            i.store_short(self.h.as_mut_ptr().add(at.unit), h);
        }
    }
}
