//! AVX2: eight lanes, and four for what is left of a panel.

use super::{Integers, Plain, Strides};
use crate::math::fixed;
use crate::simd::sealed::Sealed;
use core::arch::x86_64::*;

/// The proof that this CPU has AVX2.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

/// The same, on registers of half the size.
#[derive(Clone, Copy, Debug)]
pub struct Avx2Half(());

impl Avx2 {
    /// The token.
    ///
    /// # Safety
    /// The CPU has AVX2.
    #[inline(always)]
    pub(in crate::simd) unsafe fn known() -> Self {
        Avx2(())
    }
}

/// The lower halves of eight numbers.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn lower_halves_of_eight(a: __m256i) -> __m128i {
    // SAFETY: as promised to this function.
    unsafe {
        let [low, high] = [_mm256_castsi256_si128(a), _mm256_extracti128_si256::<1>(a)];
        _mm_unpacklo_epi64(lower_halves_of_four(low), lower_halves_of_four(high))
    }
}

/// The lower halves of four numbers, in the lower half.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn lower_halves_of_four(a: __m128i) -> __m128i {
    // SAFETY: as promised to this function.
    unsafe { _mm_shuffle_epi8(a, _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1)) }
}

/// Sums of two neighbours: of four units in `low` and four in `high`.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn add_neighbours_of_eight(low: __m256i, high: __m256i) -> __m256i {
    // SAFETY: as promised to this function. The instruction takes two units of each in turn.
    unsafe { _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_hadd_epi32(low, high)) }
}

macro_rules! operations {
    ($vector:ty; $($name:ident($($argument:ident),*) = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($argument: $vector),*) -> $vector {
            // SAFETY: the token exists.
            unsafe { $body }
        }
    )*};
}

/// What is the same at both widths but for the names of the instructions.
macro_rules! integers {
    ($type:ident, $lanes:literal, $half:ty = $make_half:expr, $vector:ty, $splat:ident, $splat_long:ident, $load:ident, $add:ident,
        $sub:ident, $mul:ident, $mul_even:ident, $min:ident, $max:ident, $and:ident, $shift_right:ident, $shift_left:ident,
        $shift_each:ident, $srli_long:ident, $slli:ident, $srai:ident, $blend_short:ident, $madd:ident, $gather:ident,
        $widen_short:ident, $widen_byte:ident, $widen_byte_twice:ident, $load_shorts:ident, $load_bytes:ident,
        $store_shorts:ident, $load_pairs:ident, $lower_halves:ident, $add_neighbours:ident) => {
        impl Sealed for $type {}

        impl Integers for $type {
            const LANES: usize = $lanes;
            type Vector = $vector;
            type Half = $half;

            operations! {
                $vector;
                add(a, b) = $add(a, b);
                sub(a, b) = $sub(a, b);
                mul(a, b) = $mul(a, b);
                min(a, b) = $min(a, b);
                max(a, b) = $max(a, b);
                shift_right_each(a, n) = $shift_each(a, $and(n, $splat(0xff)));
                mul_high(a, b) = {
                    let odd = $mul_even($srli_long::<32>(a), $srli_long::<32>(b));
                    $blend_short::<0b1100_1100>($srli_long::<32>($mul_even(a, b)), odd)
                };
                tanh(z) = {
                    let z = $max($min(z, $splat(-fixed::LEAST - 1)), $splat(fixed::LEAST));
                    let f = $and(z, $splat((1 << fixed::FRACTION_BITS) - 1));
                    // f² / 2¹³ in the upper halves, f in the lower ones.
                    let f2 = $slli::<{ 16 - fixed::FRACTION_BITS as i32 }>($madd(f, f));
                    let powers = $blend_short::<0b1010_1010>(f, f2);
                    let bin = $srai::<{ fixed::FRACTION_BITS as i32 }>(z);
                    // The clamp keeps the bins within the table.
                    let middle = (&raw const fixed::table()[64]).cast::<i32>();
                    let (values, slopes) = ($gather::<8>(middle, bin), $gather::<8>(middle.add(1), bin));
                    $add(values, $madd(slopes, powers))
                };
            }

            #[inline(always)]
            fn half(self) -> $half {
                $make_half
            }

            #[inline(always)]
            fn splat(self, x: i32) -> $vector {
                // SAFETY: the token exists.
                unsafe { $splat(x) }
            }

            #[inline(always)]
            unsafe fn load(self, from: *const i32) -> $vector {
                // SAFETY: the token exists, and as promised to this function.
                unsafe { $load(from.cast()) }
            }

            #[inline(always)]
            unsafe fn load_short(self, from: *const i16) -> $vector {
                // SAFETY: as in `load`.
                unsafe { $widen_short($load_shorts(from.cast())) }
            }

            #[inline(always)]
            unsafe fn store_short(self, to: *mut i16, vector: $vector) {
                // SAFETY: as in `load`.
                unsafe { $store_shorts(to.cast(), $lower_halves(vector)) }
            }

            #[inline(always)]
            fn shift_right(self, a: $vector, n: u32) -> $vector {
                // SAFETY: the token exists.
                unsafe { $shift_right(a, _mm_cvtsi32_si128(n.cast_signed())) }
            }

            #[inline(always)]
            fn shift_left(self, a: $vector, n: u32) -> $vector {
                // SAFETY: the token exists.
                unsafe { $shift_left(a, _mm_cvtsi32_si128(n.cast_signed())) }
            }

            #[inline(always)]
            unsafe fn fours<const G: usize>(
                self,
                mut sums: [$vector; G],
                mut weights: *const i8,
                strides: Strides,
                _: *const i32,
                x: &[[i16; 4]],
            ) -> [$vector; G] {
                // SAFETY: the token exists, and as promised to this function.
                unsafe {
                    // Two sums for each unit, of half the units in a register.
                    let mut low = [$splat(0); G];
                    let mut high = low;
                    for x in x {
                        let x = $splat_long(x.as_ptr().cast::<i64>().read_unaligned());
                        for g in 0..G {
                            let weights = weights.add(g * strides.gate);
                            let first = $widen_byte($load_pairs(weights.cast()));
                            let second = $widen_byte($load_pairs(weights.add(2 * $lanes).cast()));
                            low[g] = $add(low[g], $madd(first, x));
                            high[g] = $add(high[g], $madd(second, x));
                        }
                        weights = weights.wrapping_add(strides.step);
                    }
                    for g in 0..G {
                        sums[g] = $add(sums[g], $add_neighbours(low[g], high[g]));
                    }
                    sums
                }
            }

            #[inline(always)]
            unsafe fn pair<const G: usize>(
                self,
                mut sums: [$vector; G],
                weights: *const i8,
                gate: usize,
                [a, b]: [i16; 2],
            ) -> [$vector; G] {
                let x = self.splat(i32::from(b) << 16 | i32::from(a) & 0xffff);
                for (g, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: the token exists, and as promised to this function.
                    unsafe {
                        let weights = $widen_byte($load_pairs(weights.add(g * gate).cast()));
                        *sum = $add(*sum, $madd(weights, x));
                    }
                }
                sums
            }

            #[inline(always)]
            unsafe fn one<const G: usize>(
                self,
                mut sums: [$vector; G],
                weights: *const i8,
                gate: usize,
                x: i16,
            ) -> [$vector; G] {
                let x = self.splat(i32::from(x) & 0xffff);
                for (g, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: the token exists, and as promised to this function.
                    unsafe {
                        let weights = $widen_byte_twice($load_bytes(weights.add(g * gate).cast()));
                        *sum = $add(*sum, $madd(weights, x));
                    }
                }
                sums
            }
        }
    };
}

integers!(
    Avx2,
    8,
    Avx2Half = Avx2Half(()),
    __m256i,
    _mm256_set1_epi32,
    _mm256_set1_epi64x,
    _mm256_loadu_si256,
    _mm256_add_epi32,
    _mm256_sub_epi32,
    _mm256_mullo_epi32,
    _mm256_mul_epi32,
    _mm256_min_epi32,
    _mm256_max_epi32,
    _mm256_and_si256,
    _mm256_sra_epi32,
    _mm256_sll_epi32,
    _mm256_srav_epi32,
    _mm256_srli_epi64,
    _mm256_slli_epi32,
    _mm256_srai_epi32,
    _mm256_blend_epi16,
    _mm256_madd_epi16,
    _mm256_i32gather_epi32,
    _mm256_cvtepi16_epi32,
    _mm256_cvtepi8_epi16,
    _mm256_cvtepi8_epi32,
    _mm_loadu_si128,
    _mm_loadl_epi64,
    _mm_storeu_si128,
    _mm_loadu_si128,
    lower_halves_of_eight,
    add_neighbours_of_eight
);
integers!(
    Avx2Half,
    4,
    Plain<2> = Plain::new(),
    __m128i,
    _mm_set1_epi32,
    _mm_set1_epi64x,
    _mm_loadu_si128,
    _mm_add_epi32,
    _mm_sub_epi32,
    _mm_mullo_epi32,
    _mm_mul_epi32,
    _mm_min_epi32,
    _mm_max_epi32,
    _mm_and_si128,
    _mm_sra_epi32,
    _mm_sll_epi32,
    _mm_srav_epi32,
    _mm_srli_epi64,
    _mm_slli_epi32,
    _mm_srai_epi32,
    _mm_blend_epi16,
    _mm_madd_epi16,
    _mm_i32gather_epi32,
    _mm_cvtepi16_epi32,
    _mm_cvtepi8_epi16,
    _mm_cvtepi8_epi32,
    _mm_loadl_epi64,
    _mm_loadu_si32,
    _mm_storel_epi64,
    _mm_loadl_epi64,
    lower_halves_of_four,
    _mm_hadd_epi32
);
