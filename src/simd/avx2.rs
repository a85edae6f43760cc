//! AVX2 with fused multiply-add: eight lanes, and four for what is left of a panel. Also the scalar backend compiled for
//! AVX2, for results that are not to depend on the machine.

use super::integers;
use super::x86::{calls, operations, sum_of_four};
use super::{Backend, Scalar, TINY, Visitor, sealed::Sealed};
use crate::math::{ActivationKind, rational};
use core::arch::x86_64::*;

cpufeatures::new!(has_avx2, "avx2", "fma");

/// The proof that this CPU has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

/// The same, on registers of half the size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2Half(());

impl Avx2 {
    /// The proof, if there is one. Asks the CPU once.
    pub(super) fn detect() -> Option<Self> {
        has_avx2::get().then_some(Avx2(()))
    }

    /// The proof from somebody who has it already.
    ///
    /// # Safety
    /// [`detect`](Self::detect) has given one.
    #[inline(always)]
    pub(super) unsafe fn known() -> Self {
        Avx2(())
    }

    /// Runs `visitor` on the scalar backend, compiled for AVX2: the same operations with the same roundings, so the same bits,
    /// eight at a time.
    #[cfg(feature = "std")]
    #[inline(always)]
    pub(super) fn enter_scalar<V: Visitor>(self, visitor: V) -> V::Out {
        #[target_feature(enable = "avx2")]
        fn run<V: Visitor>(visitor: V) -> V::Out {
            visitor.visit(Scalar::wide())
        }
        // SAFETY: the token exists.
        unsafe { run(visitor) }
    }
}

/// Eight ones, then eight zeros: what is read from it from `8 - n` on begins with `n` ones.
static LANES: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

impl Sealed for Avx2 {}

impl Backend for Avx2 {
    const NAME: &'static str = "avx2";
    type Integers = integers::Avx2;
    type Half = Avx2Half;
    type Mask = __m256i;
    const MASKS: bool = true;
    const SUMS: usize = 8;
    const STREAMS: usize = 2;
    const FLUSHES: bool = true;

    operations!(256);
    calls!(Avx2, "avx2,fma");

    #[inline(always)]
    fn integers(self) -> integers::Avx2 {
        // SAFETY: the token exists.
        unsafe { integers::Avx2::known() }
    }

    #[inline(always)]
    fn half(self) -> Avx2Half {
        Avx2Half(())
    }

    #[inline(always)]
    fn split(self, vector: __m256) -> [__m128; 2] {
        // SAFETY: the token exists.
        unsafe { [_mm256_castps256_ps128(vector), _mm256_extractf128_ps::<1>(vector)] }
    }

    #[inline(always)]
    fn mask(self, lanes: usize) -> __m256i {
        // SAFETY: the token exists, and there are eight numbers from the eighth on at the latest.
        unsafe { _mm256_loadu_si256(LANES.as_ptr().add(8 - lanes.min(8)).cast()) }
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, mask: __m256i) -> __m256 {
        // SAFETY: the token exists, and as promised to this function; what the mask leaves out is not touched.
        unsafe { _mm256_maskload_ps(from, mask) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, mask: __m256i, vector: __m256) {
        // SAFETY: as in `load_first`.
        unsafe { _mm256_maskstore_ps(to, mask, vector) }
    }

    #[inline(always)]
    fn tanh(self, x: __m256) -> __m256 {
        rational::tanh(self, x)
    }

    #[inline(always)]
    fn sigmoid(self, x: __m256) -> __m256 {
        rational::sigmoid(self, x)
    }

    #[inline(always)]
    fn add_up(self, start: f32, a: __m256) -> f32 {
        // SAFETY: the token exists.
        self.half().add_up(start, unsafe { _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a)) })
    }

    #[inline(always)]
    fn flush(self, value: __m256, size: __m256) -> __m256 {
        // SAFETY: the token exists. "Not less than" holds for a NaN.
        unsafe { _mm256_and_ps(value, _mm256_cmp_ps::<_CMP_NLT_UQ>(self.abs(size), self.splat(TINY))) }
    }
}

impl Sealed for Avx2Half {}

impl Backend for Avx2Half {
    const NAME: &'static str = "avx2";
    type Integers = integers::Avx2;
    type Half = Scalar<2>;
    type Mask = __m128i;
    const MASKS: bool = true;
    const SUMS: usize = 8;
    const FLUSHES: bool = true;

    operations!(128);
    calls!(Avx2Half, "avx2,fma");

    #[inline(always)]
    fn integers(self) -> integers::Avx2 {
        // SAFETY: the token exists.
        unsafe { integers::Avx2::known() }
    }

    #[inline(always)]
    fn half(self) -> Scalar<2> {
        Scalar::pair()
    }

    #[inline(always)]
    fn mask(self, lanes: usize) -> __m128i {
        // SAFETY: the token exists, and there are four numbers from the eighth on at the latest.
        unsafe { _mm_loadu_si128(LANES.as_ptr().add(8 - lanes.min(4)).cast()) }
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, mask: __m128i) -> __m128 {
        // SAFETY: the token exists, and as promised to this function; what the mask leaves out is not touched.
        unsafe { _mm_maskload_ps(from, mask) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, mask: __m128i, vector: __m128) {
        // SAFETY: as in `load_first`.
        unsafe { _mm_maskstore_ps(to, mask, vector) }
    }

    #[inline(always)]
    fn tanh(self, x: __m128) -> __m128 {
        rational::tanh(self, x)
    }

    #[inline(always)]
    fn sigmoid(self, x: __m128) -> __m128 {
        rational::sigmoid(self, x)
    }

    #[inline(always)]
    fn add_up(self, start: f32, a: __m128) -> f32 {
        // SAFETY: the token exists.
        start + unsafe { sum_of_four(a) }
    }

    #[inline(always)]
    fn flush(self, value: __m128, size: __m128) -> __m128 {
        // SAFETY: the token exists. "Not less than" holds for a NaN.
        unsafe { _mm_and_ps(value, _mm_cmp_ps::<_CMP_NLT_UQ>(self.abs(size), self.splat(TINY))) }
    }
}
