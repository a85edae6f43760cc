//! The integer GRU's loops, in both forms.

use super::{Block, Gates, Place, for_each_unit};
use crate::quant::{IntegerActivation, gru};
use crate::simd::integers::Integers;
#[cfg(all(gatelet_dsp, not(gatelet_mve)))]
use crate::{math::ActivationKind, simd::integers::steps};

/// The form of a GRU: what happens to the candidate's recurrent sum.
#[derive(Debug)]
pub(crate) enum GruRows<'a> {
    /// The reset gate multiplies it.
    ResetAfter,
    /// It is made of the reset h, for which here is room, twice.
    ResetBefore([&'a mut [i16]; 2]),
}

/// One step: `h` becomes the new state. `x` and `old` are prepared, `old` being h.
///
/// # Panics
/// If the slices' lengths do not agree.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn gru<I: Integers, A: IntegerActivation, R: IntegerActivation>(
    i: I,
    activations: (A, R),
    weights: Gates<'_>,
    form: GruRows<'_>,
    (x, old): (&[i16], &[i16]),
    h: &mut [i16],
) {
    let units = weights.units((3, 4), x, old, h);
    match form {
        #[cfg(all(gatelet_dsp, not(gatelet_mve)))]
        GruRows::ResetAfter
            if matches!((A::KIND, R::KIND), (Some(ActivationKind::Tanh), Some(ActivationKind::Sigmoid)))
                && units > 0
                && units.is_multiple_of(4) =>
        {
            let Gates { recurrent, input, constants } = weights;
            // SAFETY: the lengths have been found right, and x and h are prepared; on this target panels are single units.
            unsafe { steps::gru(constants.0, [recurrent.weights, input.weights], [x, old], h) };
        }
        GruRows::ResetAfter => {
            for_each_unit(i, 3, units, &mut ResetAfter { activations, weights, x, old, h });
        }
        GruRows::ResetBefore([reset, room]) => {
            assert!(reset.len() == units && room.len() == units);
            for_each_unit(i, 3, units, &mut Reset { activation: activations.1, weights, x, old, h, reset });
            i.prepare(reset, room);
            for_each_unit(i, 3, units, &mut ResetBefore { activations, weights, x, old, reset: room, h });
        }
    }
}

struct ResetAfter<'a, A, R> {
    activations: (A, R),
    weights: Gates<'a>,
    x: &'a [i16],
    old: &'a [i16],
    h: &'a mut [i16],
}

impl<A: IntegerActivation, R: IntegerActivation> Block<4> for ResetAfter<'_, A, R> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn sums<I: Integers>(&self, i: I, at: Place) -> [I::Vector; 4] {
        let (weights, units) = (self.weights, self.old.len());
        // SAFETY: the lengths have been found right, and the block is within the units.
        unsafe {
            // All three gates share what is read of h and of x; the candidate's two sums stay apart.
            let [r, z, wn, un] = weights.constants.biases::<I, 4>(i, (4, 0), at);
            let [r, z, un] = weights.recurrent.add_products(i, [r, z, un], (3, 0), units, at, self.old);
            let scales = weights.constants.scales::<I, 4>(i, (4, 0), at);
            let (r, z) = (i.shift_right_each(r, scales[0]), i.shift_right_each(z, scales[1]));
            let [r, z, wn] = weights.input.add_products(i, [r, z, wn], (3, 0), units, at, self.x);
            [i.mul_high(r, scales[0]), i.mul_high(z, scales[1]), i.mul_high(wn, scales[2]), i.mul_high(un, scales[3])]
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn finish<I: Integers>(&mut self, i: I, at: Place, sums: [I::Vector; 4]) {
        // SAFETY: as in `sums`.
        unsafe {
            let to = self.h.as_mut_ptr().add(at.unit);
            i.store_short(to, gru::reset_after(i, self.activations, sums, i.load_short(to)));
        }
    }
}

/// r ⊙ h
struct Reset<'a, R> {
    activation: R,
    weights: Gates<'a>,
    x: &'a [i16],
    old: &'a [i16],
    h: &'a [i16],
    reset: &'a mut [i16],
}

impl<R: IntegerActivation> Block<1> for Reset<'_, R> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn sums<I: Integers>(&self, i: I, at: Place) -> [I::Vector; 1] {
        // SAFETY: the lengths have been found right, and the block is within the units.
        unsafe { self.weights.sums(i, (3, 4, 0), at, self.x, self.old) }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn finish<I: Integers>(&mut self, i: I, at: Place, [r]: [I::Vector; 1]) {
        // SAFETY: as in `sums`.
        unsafe {
            let h = i.load_short(self.h.as_ptr().add(at.unit));
            i.store_short(self.reset.as_mut_ptr().add(at.unit), gru::reset(i, self.activation, r, h));
        }
    }
}

/// z, and the candidate from r ⊙ h.
struct ResetBefore<'a, A, R> {
    activations: (A, R),
    weights: Gates<'a>,
    x: &'a [i16],
    old: &'a [i16],
    reset: &'a [i16],
    h: &'a mut [i16],
}

impl<A: IntegerActivation, R: IntegerActivation> Block<2> for ResetBefore<'_, A, R> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn sums<I: Integers>(&self, i: I, at: Place) -> [I::Vector; 2] {
        // SAFETY: the lengths have been found right, and the block is within the units.
        unsafe {
            let [z] = self.weights.sums(i, (3, 4, 1), at, self.x, self.old);
            let [n] = self.weights.sums(i, (3, 4, 2), at, self.x, self.reset);
            [z, n]
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn finish<I: Integers>(&mut self, i: I, at: Place, [z, n]: [I::Vector; 2]) {
        // SAFETY: as in `sums`.
        unsafe {
            let to = self.h.as_mut_ptr().add(at.unit);
            i.store_short(to, gru::update(i, self.activations, z, n, i.load_short(to)));
        }
    }
}
