//! 128-bit vectors of WebAssembly: four lanes, and any smaller number of them for what is left of a panel.

use super::integers;
use super::{Backend, Scalar, sealed::Sealed};
use core::arch::wasm32::*;

/// The proof that this module is compiled for an engine with 128-bit vectors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Simd128(());

impl Simd128 {
    /// The token; an engine without the instructions does not load the module.
    pub(super) const fn new() -> Self {
        Simd128(())
    }
}

impl Sealed for Simd128 {}

macro_rules! operations {
    ($($name:ident($($argument:ident),*) = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($argument: v128),*) -> v128 {
            $body
        }
    )*};
}

/// The results are the scalar bits: nothing is fused, sums run in the scalar order, and `tanh` and `sigmoid` are the scalar ones.
/// (Without fusing, the one division of `math::rational` takes about as many instructions.)
impl Backend for Simd128 {
    const NAME: &'static str = "simd128";
    const LANES: usize = 4;
    type Vector = v128;
    type Integers = integers::Simd128;
    type Half = Scalar<2>;
    type Mask = usize;
    const MASKS: bool = true;

    operations! {
        add(a, b) = f32x4_add(a, b);
        sub(a, b) = f32x4_sub(a, b);
        mul(a, b) = f32x4_mul(a, b);
        div(a, b) = f32x4_div(a, b);
        mul_add(a, b, c) = f32x4_add(f32x4_mul(a, b), c);
        // `pmin(b, a)` is `a < b ? a : b`; `pmax(b, a)` is `b < a ? a : b`.
        min(a, b) = f32x4_pmin(b, a);
        max(a, b) = f32x4_pmax(b, a);
        abs(a) = f32x4_abs(a);
        copysign(magnitude, sign) = v128_bitselect(sign, magnitude, f32x4_splat(-0.0));
        low_bits_to_exponent(a) = i32x4_shl(a, 23);
    }

    #[inline(always)]
    fn integers(self) -> integers::Simd128 {
        integers::Simd128::new()
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
    unsafe fn load_first(self, from: *const f32, lanes: usize) -> v128 {
        // SAFETY: as promised to this function.
        unsafe {
            match lanes {
                0 => f32x4_splat(0.0),
                1 => v128_load32_zero(from.cast()),
                2 => v128_load64_zero(from.cast()),
                3 => v128_load32_lane::<2>(v128_load64_zero(from.cast()), from.add(2).cast()),
                _ => v128_load(from.cast()),
            }
        }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, lanes: usize, vector: v128) {
        // SAFETY: as promised to this function.
        unsafe {
            match lanes {
                0 => {}
                1 => v128_store32_lane::<0>(vector, to.cast()),
                2 => v128_store64_lane::<0>(vector, to.cast()),
                3 => {
                    v128_store64_lane::<0>(vector, to.cast());
                    v128_store32_lane::<2>(vector, to.add(2).cast());
                }
                _ => v128_store(to.cast(), vector),
            }
        }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> v128 {
        f32x4_splat(x)
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> v128 {
        // SAFETY: as promised to this function.
        unsafe { v128_load(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: v128) {
        // SAFETY: as promised to this function.
        unsafe { v128_store(to.cast(), vector) }
    }

    #[inline(always)]
    fn map(self, a: v128, f: impl Fn(f32) -> f32) -> v128 {
        f32x4(
            f(f32x4_extract_lane::<0>(a)),
            f(f32x4_extract_lane::<1>(a)),
            f(f32x4_extract_lane::<2>(a)),
            f(f32x4_extract_lane::<3>(a)),
        )
    }

    #[inline(always)]
    fn add_up(self, start: f32, a: v128) -> f32 {
        start
            + f32x4_extract_lane::<0>(a)
            + f32x4_extract_lane::<1>(a)
            + f32x4_extract_lane::<2>(a)
            + f32x4_extract_lane::<3>(a)
    }
}
