//! NEON: four lanes, and any smaller number of them for what is left of a panel.

use super::integers;
use super::{Backend, Scalar, sealed::Sealed};
use crate::math::rational;
use core::arch::aarch64::*;

/// The proof that this program is compiled for a CPU with NEON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neon(());

impl Neon {
    /// The token; every CPU that runs this program has the instructions.
    pub(super) const fn new() -> Self {
        Neon(())
    }
}

impl Sealed for Neon {}

macro_rules! operations {
    ($($name:ident($($argument:ident),*) = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($argument: float32x4_t),*) -> float32x4_t {
            // SAFETY: the token exists.
            unsafe { $body }
        }
    )*};
}

impl Backend for Neon {
    const NAME: &'static str = "neon";
    const LANES: usize = 4;
    type Vector = float32x4_t;
    type Integers = integers::Neon;
    type Half = Scalar<2>;
    type Mask = usize;
    const MASKS: bool = true;
    const SUMS: usize = 8;

    operations! {
        add(a, b) = vaddq_f32(a, b);
        sub(a, b) = vsubq_f32(a, b);
        mul(a, b) = vmulq_f32(a, b);
        div(a, b) = vdivq_f32(a, b);
        mul_add(a, b, c) = vfmaq_f32(c, a, b);
        // Not `vminq_f32` and `vmaxq_f32`: they give NaN for a NaN in either operand.
        min(a, b) = vbslq_f32(vcltq_f32(a, b), a, b);
        max(a, b) = vbslq_f32(vcgtq_f32(a, b), a, b);
        abs(a) = vabsq_f32(a);
        copysign(magnitude, sign) = vbslq_f32(vdupq_n_u32(1 << 31), sign, magnitude);
        low_bits_to_exponent(a) = vreinterpretq_f32_u32(vshlq_n_u32::<23>(vreinterpretq_u32_f32(a)));
    }

    #[inline(always)]
    fn integers(self) -> integers::Neon {
        integers::Neon::new()
    }

    #[inline(always)]
    fn half(self) -> Scalar<2> {
        Scalar::pair()
    }

    #[inline(always)]
    fn mask(self, lanes: usize) -> usize {
        lanes
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, lanes: usize) -> float32x4_t {
        // SAFETY: the token exists, and as promised to this function.
        unsafe {
            let zero = vdup_n_f32(0.0);
            match lanes {
                0 => vcombine_f32(zero, zero),
                1 => vcombine_f32(vld1_lane_f32::<0>(from, zero), zero),
                2 => vcombine_f32(vld1_f32(from), zero),
                3 => vcombine_f32(vld1_f32(from), vld1_lane_f32::<0>(from.add(2), zero)),
                _ => vld1q_f32(from),
            }
        }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, lanes: usize, vector: float32x4_t) {
        // SAFETY: as in `load_first`.
        unsafe {
            match lanes {
                0 => {}
                1 => vst1q_lane_f32::<0>(to, vector),
                2 => vst1_f32(to, vget_low_f32(vector)),
                3 => {
                    vst1_f32(to, vget_low_f32(vector));
                    vst1q_lane_f32::<2>(to.add(2), vector);
                }
                _ => vst1q_f32(to, vector),
            }
        }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> float32x4_t {
        // SAFETY: the token exists.
        unsafe { vdupq_n_f32(x) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> float32x4_t {
        // SAFETY: the token exists, and as promised to this function.
        unsafe { vld1q_f32(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: float32x4_t) {
        // SAFETY: the token exists, and as promised to this function.
        unsafe { vst1q_f32(to, vector) }
    }

    #[inline(always)]
    fn map(self, a: float32x4_t, f: impl Fn(f32) -> f32) -> float32x4_t {
        let mut lanes = [0.0; 4];
        // SAFETY: the array has as many numbers as the vector.
        unsafe {
            self.store(lanes.as_mut_ptr(), a);
            lanes = lanes.map(f);
            self.load(lanes.as_ptr())
        }
    }

    #[inline(always)]
    fn tanh(self, x: float32x4_t) -> float32x4_t {
        rational::tanh(self, x)
    }

    #[inline(always)]
    fn sigmoid(self, x: float32x4_t) -> float32x4_t {
        rational::sigmoid(self, x)
    }

    #[inline(always)]
    fn add_up(self, start: f32, a: float32x4_t) -> f32 {
        // SAFETY: the token exists.
        start + unsafe { vaddvq_f32(a) }
    }
}
