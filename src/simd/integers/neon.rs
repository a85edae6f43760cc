//! NEON: four lanes.

use super::{Integers, Plain, Strides};
use crate::math::fixed;
use crate::simd::sealed::Sealed;
use core::arch::aarch64::*;

/// The proof that this program is compiled for a CPU with NEON.
#[derive(Clone, Copy, Debug)]
pub struct Neon(());

impl Neon {
    /// The token; every CPU that runs this program has the instructions.
    #[inline(always)]
    pub(in crate::simd) const fn new() -> Self {
        Neon(())
    }
}

/// The table's entry of a bin, from -64 to 63.
#[inline(always)]
fn entry(bin: i32) -> int32x2_t {
    // In range whatever a clamp says: the compiler need not know.
    let entry = &raw const fixed::table()[(bin + 64) as usize & 127];
    // SAFETY: an entry is two numbers.
    unsafe { vld1_s32(entry.cast()) }
}

macro_rules! operations {
    ($($name:ident($($argument:ident),*) = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($argument: int32x4_t),*) -> int32x4_t {
            // SAFETY: the token exists.
            unsafe { $body }
        }
    )*};
}

impl Sealed for Neon {}

impl Integers for Neon {
    const LANES: usize = 4;
    type Vector = int32x4_t;
    type Half = Plain<2>;

    operations! {
        add(a, b) = vaddq_s32(a, b);
        sub(a, b) = vsubq_s32(a, b);
        mul(a, b) = vmulq_s32(a, b);
        min(a, b) = vminq_s32(a, b);
        max(a, b) = vmaxq_s32(a, b);
        // A shift to the right is one to the left by as many bits below zero; it takes the lowest byte, too.
        shift_right_each(a, n) = vshlq_s32(a, vnegq_s32(n));
        mul_high(a, b) = {
            let low = vreinterpretq_s32_s64(vmull_s32(vget_low_s32(a), vget_low_s32(b)));
            vuzp2q_s32(low, vreinterpretq_s32_s64(vmull_high_s32(a, b)))
        };
        tanh(z) = {
            let z = vmaxq_s32(vminq_s32(z, vdupq_n_s32(-fixed::LEAST - 1)), vdupq_n_s32(fixed::LEAST));
            let f = vandq_s32(z, vdupq_n_s32((1 << fixed::FRACTION_BITS) - 1));
            let f2 = vshrq_n_s32::<{ fixed::FRACTION_BITS as i32 }>(vmulq_s32(f, f));
            let bin = vshrq_n_s32::<{ fixed::FRACTION_BITS as i32 }>(z);
            let low = vcombine_s32(entry(vgetq_lane_s32::<0>(bin)), entry(vgetq_lane_s32::<1>(bin)));
            let high = vcombine_s32(entry(vgetq_lane_s32::<2>(bin)), entry(vgetq_lane_s32::<3>(bin)));
            let slopes = vreinterpretq_s16_s32(vuzp2q_s32(low, high));
            let sum = vmlal_s16(vuzp1q_s32(low, high), vmovn_s32(vreinterpretq_s32_s16(slopes)), vmovn_s32(f));
            vmlal_s16(sum, vshrn_n_s32::<16>(vreinterpretq_s32_s16(slopes)), vmovn_s32(f2))
        };
    }

    #[inline(always)]
    fn half(self) -> Plain<2> {
        Plain::new()
    }

    #[inline(always)]
    fn splat(self, x: i32) -> int32x4_t {
        // SAFETY: the token exists.
        unsafe { vdupq_n_s32(x) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const i32) -> int32x4_t {
        // SAFETY: the token exists, and as promised to this function.
        unsafe { vld1q_s32(from) }
    }

    #[inline(always)]
    unsafe fn load_short(self, from: *const i16) -> int32x4_t {
        // SAFETY: as in `load`.
        unsafe { vmovl_s16(vld1_s16(from)) }
    }

    #[inline(always)]
    unsafe fn store_short(self, to: *mut i16, vector: int32x4_t) {
        // SAFETY: as in `load`.
        unsafe { vst1_s16(to, vmovn_s32(vector)) }
    }

    #[inline(always)]
    fn shift_right(self, a: int32x4_t, n: u32) -> int32x4_t {
        // SAFETY: the token exists.
        unsafe { vshlq_s32(a, vdupq_n_s32(-n.cast_signed())) }
    }

    #[inline(always)]
    fn shift_left(self, a: int32x4_t, n: u32) -> int32x4_t {
        // SAFETY: the token exists.
        unsafe { vshlq_s32(a, vdupq_n_s32(n.cast_signed())) }
    }

    #[inline(always)]
    unsafe fn fours<const G: usize>(
        self,
        mut sums: [int32x4_t; G],
        mut weights: *const i8,
        strides: Strides,
        _: *const i32,
        x: &[[i16; 4]],
    ) -> [int32x4_t; G] {
        // SAFETY: the token exists, and as promised to this function.
        unsafe {
            // Four sums for each unit.
            let mut units = [[vdupq_n_s32(0); 4]; G];
            for x in x {
                let x = vld1_s16(x.as_ptr());
                let twice = vcombine_s16(x, x);
                for (g, units) in units.iter_mut().enumerate() {
                    let weights = vld1q_s8(weights.add(g * strides.gate));
                    let (low, high) = (vmovl_s8(vget_low_s8(weights)), vmovl_high_s8(weights));
                    units[0] = vmlal_s16(units[0], vget_low_s16(low), x);
                    units[1] = vmlal_high_s16(units[1], low, twice);
                    units[2] = vmlal_s16(units[2], vget_low_s16(high), x);
                    units[3] = vmlal_high_s16(units[3], high, twice);
                }
                weights = weights.wrapping_add(strides.step);
            }
            for (sum, [a, b, c, d]) in sums.iter_mut().zip(units) {
                *sum = vaddq_s32(*sum, vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d)));
            }
            sums
        }
    }

    #[inline(always)]
    unsafe fn pair<const G: usize>(
        self,
        mut sums: [int32x4_t; G],
        weights: *const i8,
        gate: usize,
        [a, b]: [i16; 2],
    ) -> [int32x4_t; G] {
        for (g, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the token exists, and as promised to this function.
            unsafe {
                let weights = vmovl_s8(vld1_s8(weights.add(g * gate)));
                *sum = vmlal_n_s16(*sum, vget_low_s16(vuzp1q_s16(weights, weights)), a);
                *sum = vmlal_n_s16(*sum, vget_low_s16(vuzp2q_s16(weights, weights)), b);
            }
        }
        sums
    }

    #[inline(always)]
    unsafe fn one<const G: usize>(
        self,
        mut sums: [int32x4_t; G],
        weights: *const i8,
        gate: usize,
        x: i16,
    ) -> [int32x4_t; G] {
        for (g, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the token exists, and as promised to this function.
            unsafe {
                let four = vcreate_s8(weights.add(g * gate).cast::<u32>().read_unaligned().into());
                *sum = vmlal_n_s16(*sum, vget_low_s16(vmovl_s8(four)), x);
            }
        }
        sums
    }
}
