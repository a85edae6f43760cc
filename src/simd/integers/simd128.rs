//! 128-bit vectors of WebAssembly: four lanes.

use super::{Integers, Plain, Strides};
use crate::math::fixed;
use crate::simd::sealed::Sealed;
use core::arch::wasm32::*;

/// The proof that this module is compiled for an engine with 128-bit vectors.
#[derive(Clone, Copy, Debug)]
pub struct Simd128(());

impl Simd128 {
    /// The token; an engine without the instructions does not load the module.
    #[inline(always)]
    pub(in crate::simd) const fn new() -> Self {
        Simd128(())
    }
}

/// The table's entry of a bin, from -64 to 63, in the lower half.
#[inline(always)]
fn entry(bin: i32) -> v128 {
    // In range whatever a clamp says: the compiler need not know.
    let entry = &raw const fixed::table()[(bin + 64) as usize & 127];
    // SAFETY: an entry is two numbers.
    unsafe { v128_load64_zero(entry.cast()) }
}

macro_rules! operations {
    ($($name:ident($($argument:ident),*) = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($argument: v128),*) -> v128 {
            $body
        }
    )*};
}

impl Sealed for Simd128 {}

impl Integers for Simd128 {
    const LANES: usize = 4;
    type Vector = v128;
    type Half = Plain<2>;

    operations! {
        add(a, b) = i32x4_add(a, b);
        sub(a, b) = i32x4_sub(a, b);
        mul(a, b) = i32x4_mul(a, b);
        min(a, b) = i32x4_min(a, b);
        max(a, b) = i32x4_max(a, b);
        shift_right_each(a, n) = i32x4(
            i32x4_extract_lane::<0>(a).wrapping_shr(i32x4_extract_lane::<0>(n).cast_unsigned()),
            i32x4_extract_lane::<1>(a).wrapping_shr(i32x4_extract_lane::<1>(n).cast_unsigned()),
            i32x4_extract_lane::<2>(a).wrapping_shr(i32x4_extract_lane::<2>(n).cast_unsigned()),
            i32x4_extract_lane::<3>(a).wrapping_shr(i32x4_extract_lane::<3>(n).cast_unsigned()),
        );
        mul_high(a, b) = {
            let (low, high) = (i64x2_extmul_low_i32x4(a, b), i64x2_extmul_high_i32x4(a, b));
            i32x4_shuffle::<1, 3, 5, 7>(low, high)
        };
        tanh(z) = {
            let z = i32x4_max(i32x4_min(z, i32x4_splat(-fixed::LEAST - 1)), i32x4_splat(fixed::LEAST));
            let f = v128_and(z, i32x4_splat((1 << fixed::FRACTION_BITS) - 1));
            // f² / 2¹³ in the upper halves, f in the lower ones.
            let f2 = i32x4_shl(i32x4_dot_i16x8(f, f), 16 - fixed::FRACTION_BITS);
            let powers = v128_bitselect(f, f2, i32x4_splat(0xffff));
            let bin = i32x4_shr(z, fixed::FRACTION_BITS);
            let low = i64x2_shuffle::<0, 2>(entry(i32x4_extract_lane::<0>(bin)), entry(i32x4_extract_lane::<1>(bin)));
            let high = i64x2_shuffle::<0, 2>(entry(i32x4_extract_lane::<2>(bin)), entry(i32x4_extract_lane::<3>(bin)));
            let (values, slopes) = (i32x4_shuffle::<0, 2, 4, 6>(low, high), i32x4_shuffle::<1, 3, 5, 7>(low, high));
            i32x4_add(values, i32x4_dot_i16x8(slopes, powers))
        };
    }

    #[inline(always)]
    fn half(self) -> Plain<2> {
        Plain::new()
    }

    #[inline(always)]
    fn splat(self, x: i32) -> v128 {
        i32x4_splat(x)
    }

    #[inline(always)]
    unsafe fn load(self, from: *const i32) -> v128 {
        // SAFETY: as promised to this function.
        unsafe { v128_load(from.cast()) }
    }

    #[inline(always)]
    unsafe fn load_short(self, from: *const i16) -> v128 {
        // SAFETY: as promised to this function.
        unsafe { i32x4_load_extend_i16x4(from) }
    }

    #[inline(always)]
    unsafe fn store_short(self, to: *mut i16, vector: v128) {
        let halves = i16x8_shuffle::<0, 2, 4, 6, 0, 2, 4, 6>(vector, vector);
        // SAFETY: as promised to this function.
        unsafe { v128_store64_lane::<0>(halves, to.cast()) }
    }

    #[inline(always)]
    fn shift_right(self, a: v128, n: u32) -> v128 {
        i32x4_shr(a, n)
    }

    #[inline(always)]
    fn shift_left(self, a: v128, n: u32) -> v128 {
        i32x4_shl(a, n)
    }

    #[inline(always)]
    unsafe fn fours<const G: usize>(
        self,
        mut sums: [v128; G],
        mut weights: *const i8,
        strides: Strides,
        _: *const i32,
        x: &[[i16; 4]],
    ) -> [v128; G] {
        // Two sums for each unit, of two units in a vector.
        let mut halves = [[i32x4_splat(0); 2]; G];
        for x in x {
            // SAFETY: four numbers are 64 bits.
            let x = unsafe { v128_load64_splat(x.as_ptr().cast()) };
            for (g, [low, high]) in halves.iter_mut().enumerate() {
                // SAFETY: as promised to this function.
                unsafe {
                    let weights = weights.add(g * strides.gate);
                    *low = i32x4_add(*low, i32x4_dot_i16x8(i16x8_load_extend_i8x8(weights), x));
                    *high = i32x4_add(*high, i32x4_dot_i16x8(i16x8_load_extend_i8x8(weights.add(8)), x));
                }
            }
            weights = weights.wrapping_add(strides.step);
        }
        for (sum, [low, high]) in sums.iter_mut().zip(halves) {
            let (even, odd) = (i32x4_shuffle::<0, 2, 4, 6>(low, high), i32x4_shuffle::<1, 3, 5, 7>(low, high));
            *sum = i32x4_add(*sum, i32x4_add(even, odd));
        }
        sums
    }

    #[inline(always)]
    unsafe fn pair<const G: usize>(
        self,
        mut sums: [v128; G],
        weights: *const i8,
        gate: usize,
        [a, b]: [i16; 2],
    ) -> [v128; G] {
        let x = i32x4_splat(i32::from(b) << 16 | i32::from(a) & 0xffff);
        for (g, sum) in sums.iter_mut().enumerate() {
            // SAFETY: as promised to this function.
            let weights = unsafe { i16x8_load_extend_i8x8(weights.add(g * gate)) };
            *sum = i32x4_add(*sum, i32x4_dot_i16x8(weights, x));
        }
        sums
    }

    #[inline(always)]
    unsafe fn one<const G: usize>(self, mut sums: [v128; G], weights: *const i8, gate: usize, x: i16) -> [v128; G] {
        let x = i32x4_splat(i32::from(x) & 0xffff);
        for (g, sum) in sums.iter_mut().enumerate() {
            // SAFETY: as promised to this function.
            let four = unsafe { v128_load32_zero(weights.add(g * gate).cast()) };
            *sum = i32x4_add(*sum, i32x4_dot_i16x8(i32x4_extend_low_i16x8(i16x8_extend_low_i8x16(four)), x));
        }
        sums
    }
}
