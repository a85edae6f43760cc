//! AVX-512: sixteen lanes, and eight and four for what is left of a panel. `tanh` is a table of polynomials, since looking
//! up 32 numbers takes one instruction here.

use super::integers;
use super::x86::{calls, operations, sum_of_four};
use super::{Backend, Scalar, TINY, Visitor, sealed::Sealed};
use crate::math::{ActivationKind, table};
use core::arch::x86_64::*;

cpufeatures::new!(has_avx512, "avx512f", "avx512vl", "avx512dq", "avx512bw", "avx2", "fma");

/// The proof that this CPU has AVX-512 F, VL, DQ and BW.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

/// The same, on registers of half the size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512Half(());

/// The same, on registers of a quarter of the size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512Quarter(());

impl Avx512 {
    /// The proof, if there is one. Asks the CPU once.
    pub(super) fn detect() -> Option<Self> {
        has_avx512::get().then_some(Avx512(()))
    }

    /// The proof from somebody who has it already.
    ///
    /// # Safety
    /// [`detect`](Self::detect) has given one.
    #[inline(always)]
    pub(super) unsafe fn known() -> Self {
        Avx512(())
    }
}

/// What is the same at every width but for the names of the instructions. Numbers are looked up in whole tables, so narrow
/// vectors look them up in the low lanes of wide registers.
macro_rules! backend {
    ($type:ident, $half:ty = $make_half:expr, $bits:tt, $mask:ty, $vector:ty, $integers:ty, $select:ident, $store:ident,
        $compare:ident, $keep:ident, $splat:ident, $subtract:ident, $minimum:ident, $shift:ident, $reduce:ident, $bits_of:ident,
        $widen:ident, $widen_integers:ident, $narrow:ident, $sum:ident $(, $low:ident, $high:ident)?) => {
        impl Sealed for $type {}

        impl Backend for $type {
            const NAME: &'static str = "avx512";
            type Integers = integers::Avx512;
            type Half = $half;
            type Mask = $mask;
            const MASKS: bool = true;
            const SUMS: usize = 8;
            const STREAMS: usize = 4;
            const FLUSHES: bool = true;

            operations!($bits);
            calls!($type, "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma");

            #[inline(always)]
            fn integers(self) -> integers::Avx512 {
                // SAFETY: the token exists.
                unsafe { integers::Avx512::known() }
            }

            #[inline(always)]
            fn half(self) -> $half {
                $make_half
            }

            $(
                #[inline(always)]
                fn split(self, vector: $vector) -> [<$half as Backend>::Vector; 2] {
                    // SAFETY: the token exists.
                    unsafe { [$low(vector), $high::<1>(vector)] }
                }
            )?

            #[inline(always)]
            fn mask(self, lanes: usize) -> $mask {
                ((1_u32 << lanes.min(Self::LANES)) - 1) as $mask
            }

            #[inline(always)]
            unsafe fn load_first(self, from: *const f32, mask: $mask) -> $vector {
                // SAFETY: the token exists, and as promised to this function; what the mask leaves out is not touched.
                unsafe { $select(mask, from) }
            }

            #[inline(always)]
            unsafe fn store_first(self, to: *mut f32, mask: $mask, vector: $vector) {
                // SAFETY: as in `load_first`.
                unsafe { $store(to, mask, vector) }
            }

            #[inline(always)]
            fn flush(self, value: $vector, size: $vector) -> $vector {
                // SAFETY: the token exists. "Not less than" holds for a NaN.
                unsafe { $keep($compare::<_CMP_NLT_UQ>(self.abs(size), self.splat(TINY)), value) }
            }

            #[inline(always)]
            fn add_up(self, start: f32, a: $vector) -> f32 {
                // SAFETY: the token exists.
                start + unsafe { $sum(a) }
            }

            #[inline(always)]
            fn tanh(self, x: $vector) -> $vector {
                let size = self.abs(x);
                // SAFETY: the token exists.
                unsafe {
                    let bin = $minimum($bits_of(add_toward_zero($widen(size), 1.0)), $splat(table::LAST.cast_signed()));
                    self.copysign(self.polynomial(bin, size), x)
                }
            }

            /// ½ + ½ tanh(x / 2)
            #[inline(always)]
            fn sigmoid(self, x: $vector) -> $vector {
                let (size, half) = (self.abs(x), self.splat(0.5));
                // SAFETY: the token exists.
                unsafe {
                    // |x| + 2 is twice |x| / 2 + 1: the same bits but for the exponent.
                    let bin = $bits_of(add_toward_zero($widen(size), 2.0));
                    let bin = $minimum(bin, $splat((table::LAST + EXPONENT).cast_signed()));
                    let bin = $subtract(bin, $splat(EXPONENT.cast_signed()));
                    let tanh = self.copysign(self.polynomial(bin, self.mul(size, half)), x);
                    self.mul_add(tanh, half, half)
                }
            }
        }

        impl $type {
            /// The polynomial of the bin that |x| + 1 tells, for |x| = `size`.
            ///
            /// # Safety
            /// None beyond the token's.
            #[inline(always)]
            unsafe fn polynomial(self, bin: $integers, size: $vector) -> $vector {
                // SAFETY: the token exists.
                unsafe {
                    let bin = $widen_integers($shift::<20>(bin));
                    // What is left when whole numbers are taken away (no fraction bits, toward zero, no exceptions).
                    let fraction = $reduce::<0x0b>(size);
                    let square = self.mul(fraction, fraction);
                    let high = self.mul_add($narrow(look_up(bin, 3)), fraction, $narrow(look_up(bin, 2)));
                    let high = self.mul_add($narrow(look_up(bin, 4)), square, high);
                    let low = self.mul_add($narrow(look_up(bin, 1)), fraction, $narrow(look_up(bin, 0)));
                    self.mul_add(high, square, low)
                }
            }
        }
    };
}

/// One step of a number's exponent.
const EXPONENT: u32 = 1 << 23;

/// `a + b`, rounded toward zero.
///
/// # Safety
/// The CPU has AVX-512.
#[inline(always)]
unsafe fn add_toward_zero(a: __m512, b: f32) -> __m512 {
    // SAFETY: as promised to this function.
    unsafe { _mm512_add_round_ps::<{ _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC }>(a, _mm512_set1_ps(b)) }
}

/// The coefficient of the `k`th power in each lane's bin.
///
/// # Safety
/// The CPU has AVX-512.
#[inline(always)]
unsafe fn look_up(bin: __m512i, k: usize) -> __m512 {
    let coefficients = table::TANH.0[k].as_ptr();
    // SAFETY: as promised to this function; there are 32 coefficients, aligned as a cache line is.
    unsafe { _mm512_permutex2var_ps(_mm512_load_ps(coefficients), bin, _mm512_load_ps(coefficients.add(16))) }
}

/// # Safety
/// The CPU has AVX-512.
#[inline(always)]
unsafe fn sum_of_sixteen(a: __m512) -> f32 {
    // SAFETY: as promised to this function.
    unsafe { sum_of_eight(_mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a))) }
}

/// # Safety
/// The CPU has AVX.
#[inline(always)]
unsafe fn sum_of_eight(a: __m256) -> f32 {
    // SAFETY: as promised to this function.
    unsafe { sum_of_four(_mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a))) }
}

/// # Safety
/// The CPU has AVX-512.
#[inline(always)]
unsafe fn low_bits_of_eight(a: __m512) -> __m256i {
    // SAFETY: as promised to this function.
    unsafe { _mm256_castps_si256(_mm512_castps512_ps256(a)) }
}

/// # Safety
/// The CPU has AVX-512.
#[inline(always)]
unsafe fn low_bits_of_four(a: __m512) -> __m128i {
    // SAFETY: as promised to this function.
    unsafe { _mm_castps_si128(_mm512_castps512_ps128(a)) }
}

#[inline(always)]
fn same<T>(x: T) -> T {
    x
}

backend!(
    Avx512,
    Avx512Half = Avx512Half(()),
    512,
    __mmask16,
    __m512,
    __m512i,
    _mm512_maskz_loadu_ps,
    _mm512_mask_storeu_ps,
    _mm512_cmp_ps_mask,
    _mm512_maskz_mov_ps,
    _mm512_set1_epi32,
    _mm512_sub_epi32,
    _mm512_min_epu32,
    _mm512_srli_epi32,
    _mm512_reduce_ps,
    _mm512_castps_si512,
    same,
    same,
    same,
    sum_of_sixteen,
    _mm512_castps512_ps256,
    _mm512_extractf32x8_ps
);
backend!(
    Avx512Half,
    Avx512Quarter = Avx512Quarter(()),
    256,
    __mmask8,
    __m256,
    __m256i,
    _mm256_maskz_loadu_ps,
    _mm256_mask_storeu_ps,
    _mm256_cmp_ps_mask,
    _mm256_maskz_mov_ps,
    _mm256_set1_epi32,
    _mm256_sub_epi32,
    _mm256_min_epu32,
    _mm256_srli_epi32,
    _mm256_reduce_ps,
    low_bits_of_eight,
    _mm512_castps256_ps512,
    _mm512_castsi256_si512,
    _mm512_castps512_ps256,
    sum_of_eight,
    _mm256_castps256_ps128,
    _mm256_extractf128_ps
);
backend!(Avx512Quarter, Scalar<2> = Scalar::pair(), 128, __mmask8, __m128, __m128i, _mm_maskz_loadu_ps, _mm_mask_storeu_ps,
    _mm_cmp_ps_mask, _mm_maskz_mov_ps, _mm_set1_epi32, _mm_sub_epi32, _mm_min_epu32, _mm_srli_epi32, _mm_reduce_ps,
    low_bits_of_four, _mm512_castps128_ps512, _mm512_castsi128_si512, _mm512_castps512_ps128, sum_of_four);
