//! Plain arithmetic: the specification of the others.

use super::{Integers, Strides};
use crate::simd::scalar::Lanes;
use crate::simd::sealed::Sealed;

/// Plain arithmetic on `N` integers at a time. `N` changes the speed, never a result.
#[derive(Clone, Copy, Debug)]
pub struct Plain<const N: usize>(());

impl<const N: usize> Plain<N> {
    /// The token; no instruction needs proving.
    #[inline(always)]
    pub(in crate::simd) const fn new() -> Self {
        Plain(())
    }
}

/// The next narrower width.
pub trait Narrower {
    /// Its token.
    type Half: Integers;
    /// Makes it.
    fn narrower() -> Self::Half;
}

macro_rules! narrower {
    ($($n:literal to $half:literal;)*) => {$(
        impl Narrower for Plain<$n> {
            type Half = Plain<$half>;
            #[inline(always)]
            fn narrower() -> Plain<$half> {
                Plain(())
            }
        }
    )*};
}

narrower! {
    4 to 2;
    2 to 1;
    1 to 1;
}

impl<const N: usize> Sealed for Plain<N> {}

impl<const N: usize> Integers for Plain<N>
where
    Self: Narrower,
    [i32; N]: Lanes<i32>,
{
    const LANES: usize = N;
    type Vector = [i32; N];
    type Half = <Self as Narrower>::Half;

    #[inline(always)]
    fn half(self) -> Self::Half {
        Self::narrower()
    }

    #[inline(always)]
    fn splat(self, x: i32) -> [i32; N] {
        Lanes::splat(x)
    }

    #[inline(always)]
    unsafe fn load(self, from: *const i32) -> [i32; N] {
        // SAFETY: the caller vouches for `N` numbers; an array of them is aligned as one of them is.
        unsafe { from.cast::<[i32; N]>().read() }
    }

    #[inline(always)]
    unsafe fn load_short(self, from: *const i16) -> [i32; N] {
        let mut vector = [0; N];
        for (lane, number) in vector.iter_mut().enumerate() {
            // SAFETY: the caller vouches for `N` numbers.
            *number = unsafe { from.add(lane).read() }.into();
        }
        vector
    }

    #[inline(always)]
    unsafe fn store_short(self, to: *mut i16, vector: [i32; N]) {
        for (lane, number) in vector.into_iter().enumerate() {
            // SAFETY: the caller vouches for `N` numbers.
            unsafe { to.add(lane).write(number as i16) };
        }
    }

    #[inline(always)]
    fn add(self, a: [i32; N], b: [i32; N]) -> [i32; N] {
        a.zip(b, i32::wrapping_add)
    }

    #[inline(always)]
    fn sub(self, a: [i32; N], b: [i32; N]) -> [i32; N] {
        a.zip(b, i32::wrapping_sub)
    }

    #[inline(always)]
    fn mul(self, a: [i32; N], b: [i32; N]) -> [i32; N] {
        a.zip(b, i32::wrapping_mul)
    }

    #[inline(always)]
    fn mul_high(self, a: [i32; N], b: [i32; N]) -> [i32; N] {
        #[cfg(gatelet_thumb1)]
        return a.zip(b, super::thumb1::mul_high);
        #[cfg(not(gatelet_thumb1))]
        a.zip(b, |a, b| ((i64::from(a) * i64::from(b)) >> 32) as i32)
    }

    #[cfg(gatelet_thumb1)]
    #[inline(always)]
    fn mul_gate(self, a: [i32; N], r: [i32; N]) -> [i32; N] {
        a.zip(r, super::thumb1::mul_gate)
    }

    #[inline(always)]
    fn min(self, a: [i32; N], b: [i32; N]) -> [i32; N] {
        a.zip(b, i32::min)
    }

    #[inline(always)]
    fn max(self, a: [i32; N], b: [i32; N]) -> [i32; N] {
        a.zip(b, i32::max)
    }

    #[inline(always)]
    fn shift_right(self, a: [i32; N], n: u32) -> [i32; N] {
        a.each(|a| a.wrapping_shr(n))
    }

    #[inline(always)]
    fn shift_left(self, a: [i32; N], n: u32) -> [i32; N] {
        a.each(|a| a.wrapping_shl(n))
    }

    #[inline(always)]
    fn shift_right_each(self, a: [i32; N], n: [i32; N]) -> [i32; N] {
        #[cfg(gatelet_dsp)]
        return a.zip(n, super::cortex_m::shift_right);
        #[cfg(not(gatelet_dsp))]
        a.zip(n, |a, n| a.wrapping_shr(n as u32))
    }

    #[inline(always)]
    fn tanh(self, z: [i32; N]) -> [i32; N] {
        #[cfg(gatelet_dsp)]
        return z.each(super::cortex_m::tanh);
        #[cfg(not(gatelet_dsp))]
        z.each(crate::math::fixed::tanh)
    }

    #[cfg(gatelet_mve)]
    #[inline(always)]
    unsafe fn rows<const G: usize>(self, sums: [[i32; N]; G], weights: *const i8, x: &[i16]) -> [[i32; N]; G] {
        // SAFETY: as promised to this function.
        unsafe { super::helium::rows(sums, weights, x.len(), x) }
    }

    #[inline(always)]
    unsafe fn fours<const G: usize>(
        self,
        mut sums: [[i32; N]; G],
        mut weights: *const i8,
        strides: Strides,
        _: *const i32,
        x: &[[i16; 4]],
    ) -> [[i32; N]; G] {
        #[cfg(gatelet_dsp)]
        if strides.step == 4 * G * N && matches!(G * N, 1 | 3 | 4) {
            // SAFETY: as promised to this function.
            return unsafe { super::cortex_m::fours(sums, weights, x) };
        }
        for x in x {
            for (g, sums) in sums.iter_mut().enumerate() {
                for (lane, sum) in sums.iter_mut().enumerate() {
                    for (k, &x) in x.iter().enumerate() {
                        let place = g * strides.gate + 4 * lane + crate::kernel::place(k);
                        // SAFETY: as promised to this function.
                        let weight = unsafe { weights.add(place).read() };
                        *sum = sum.wrapping_add(i32::from(weight) * i32::from(x));
                    }
                }
            }
            weights = weights.wrapping_add(strides.step);
        }
        sums
    }

    #[inline(always)]
    unsafe fn pair<const G: usize>(
        self,
        mut sums: [[i32; N]; G],
        weights: *const i8,
        gate: usize,
        x: [i16; 2],
    ) -> [[i32; N]; G] {
        #[cfg(gatelet_dsp)]
        if gate == 2 * N && G * N == 4 {
            // SAFETY: as promised to this function.
            return unsafe { super::cortex_m::pair(sums, weights, x) };
        }
        for (g, sums) in sums.iter_mut().enumerate() {
            for (lane, sum) in sums.iter_mut().enumerate() {
                for (k, x) in x.into_iter().enumerate() {
                    // SAFETY: as promised to this function.
                    let weight = unsafe { weights.add(g * gate + 2 * lane + k).read() };
                    *sum = sum.wrapping_add(i32::from(weight) * i32::from(x));
                }
            }
        }
        sums
    }

    #[inline(always)]
    unsafe fn one<const G: usize>(
        self,
        mut sums: [[i32; N]; G],
        weights: *const i8,
        gate: usize,
        x: i16,
    ) -> [[i32; N]; G] {
        #[cfg(gatelet_dsp)]
        if gate == N && G * N == 4 {
            // SAFETY: as promised to this function.
            return unsafe { super::cortex_m::one(sums, weights, x) };
        }
        for (g, sums) in sums.iter_mut().enumerate() {
            for (lane, sum) in sums.iter_mut().enumerate() {
                // SAFETY: as promised to this function.
                let weight = unsafe { weights.add(g * gate + lane).read() };
                *sum = sum.wrapping_add(i32::from(weight) * i32::from(x));
            }
        }
        sums
    }

    #[cfg(any(gatelet_riscv, gatelet_thumb1, gatelet_thumb2))]
    #[inline(always)]
    unsafe fn ones<const G: usize>(
        self,
        mut sums: [[i32; N]; G],
        mut weights: *const i8,
        strides: Strides,
        mut x: &[i16],
    ) -> [[i32; N]; G] {
        #[cfg(gatelet_riscv)]
        use super::riscv::ones;
        #[cfg(gatelet_thumb1)]
        use super::thumb1::ones;
        #[cfg(gatelet_thumb2)]
        use super::thumb2::ones;
        if strides.gate == N && strides.step == G * N && matches!(G * N, 3 | 4) {
            // SAFETY: as promised to this function.
            sums = unsafe { ones(sums, &mut weights, &mut x) };
        }
        for x in x {
            // SAFETY: as promised to this function.
            sums = unsafe { self.one(sums, weights, strides.gate, *x) };
            weights = weights.wrapping_add(strides.step);
        }
        sums
    }
}
