//! What the x86 backends have in common: the same operations on registers of three sizes.

use core::arch::x86_64::*;

/// The sum of a register of 128 bits.
///
/// # Safety
/// The CPU has AVX.
#[inline(always)]
pub(super) unsafe fn sum_of_four(a: __m128) -> f32 {
    // SAFETY: as promised to this function.
    unsafe {
        let pairs = _mm_add_ps(a, _mm_movehl_ps(a, a));
        _mm_cvtss_f32(_mm_add_ss(pairs, _mm_movehdup_ps(pairs)))
    }
}

/// The operations of [`Backend`](super::Backend) that are one or two instructions, on registers of 128, 256 or 512 bits.
macro_rules! operations {
    (128) => {
        operations!(@ 4, __m128, __m128i, _mm_set1_ps, _mm_loadu_ps, _mm_storeu_ps, _mm_add_ps, _mm_sub_ps, _mm_mul_ps,
            _mm_div_ps, _mm_fmadd_ps, _mm_min_ps, _mm_max_ps, _mm_and_ps, _mm_andnot_ps, _mm_or_ps, _mm_castps_si128,
            _mm_castsi128_ps, _mm_slli_epi32);
    };
    (256) => {
        operations!(@ 8, __m256, __m256i, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_add_ps, _mm256_sub_ps,
            _mm256_mul_ps, _mm256_div_ps, _mm256_fmadd_ps, _mm256_min_ps, _mm256_max_ps, _mm256_and_ps, _mm256_andnot_ps,
            _mm256_or_ps, _mm256_castps_si256, _mm256_castsi256_ps, _mm256_slli_epi32);
    };
    (512) => {
        operations!(@ 16, __m512, __m512i, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_add_ps, _mm512_sub_ps,
            _mm512_mul_ps, _mm512_div_ps, _mm512_fmadd_ps, _mm512_min_ps, _mm512_max_ps, _mm512_and_ps, _mm512_andnot_ps,
            _mm512_or_ps, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_slli_epi32);
    };
    (@ $lanes:literal, $vector:ty, $integers:ty, $splat:ident, $load:ident, $store:ident, $add:ident, $sub:ident, $mul:ident,
        $div:ident, $mul_add:ident, $min:ident, $max:ident, $and:ident, $and_not:ident, $or:ident, $to_integers:ident,
        $from_integers:ident, $shift:ident) => {
        const LANES: usize = $lanes;
        type Vector = $vector;

        #[inline(always)]
        fn splat(self, x: f32) -> $vector {
            // SAFETY: the token exists.
            unsafe { $splat(x) }
        }

        #[inline(always)]
        unsafe fn load(self, from: *const f32) -> $vector {
            // SAFETY: the token exists, and as promised to this function.
            unsafe { $load(from) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32, vector: $vector) {
            // SAFETY: the token exists, and as promised to this function.
            unsafe { $store(to, vector) }
        }

        #[inline(always)]
        fn add(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: the token exists.
            unsafe { $add(a, b) }
        }

        #[inline(always)]
        fn sub(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: the token exists.
            unsafe { $sub(a, b) }
        }

        #[inline(always)]
        fn mul(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: the token exists.
            unsafe { $mul(a, b) }
        }

        #[inline(always)]
        fn div(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: the token exists.
            unsafe { $div(a, b) }
        }

        #[inline(always)]
        fn mul_add(self, a: $vector, b: $vector, c: $vector) -> $vector {
            // SAFETY: the token exists.
            unsafe { $mul_add(a, b, c) }
        }

        #[inline(always)]
        fn min(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: the token exists.
            unsafe { $min(a, b) }
        }

        #[inline(always)]
        fn max(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: the token exists.
            unsafe { $max(a, b) }
        }

        #[inline(always)]
        fn abs(self, a: $vector) -> $vector {
            // SAFETY: the token exists.
            unsafe { $and_not($splat(-0.0), a) }
        }

        #[inline(always)]
        fn copysign(self, magnitude: $vector, sign: $vector) -> $vector {
            // SAFETY: the token exists.
            unsafe { $or($and_not($splat(-0.0), magnitude), $and($splat(-0.0), sign)) }
        }

        #[inline(always)]
        fn low_bits_to_exponent(self, a: $vector) -> $vector {
            // SAFETY: the token exists.
            unsafe { $from_integers($shift::<23>($to_integers(a))) }
        }

        #[inline(always)]
        fn map(self, a: $vector, f: impl Fn(f32) -> f32) -> $vector {
            let mut lanes = [0.0; $lanes];
            // SAFETY: the token exists, and the array has as many numbers as the vector.
            unsafe {
                $store(lanes.as_mut_ptr(), a);
                lanes = lanes.map(f);
                $load(lanes.as_ptr())
            }
        }
    };
}
pub(super) use operations;

/// What is a function of its own, compiled for the backend's instructions.
macro_rules! calls {
    ($type:ty, $features:literal) => {
        #[inline(always)]
        fn apart<V: Visitor>(self, visitor: V) -> V::Out {
            #[target_feature(enable = $features)]
            #[inline(never)]
            fn run<V: Visitor>(b: $type, visitor: V) -> V::Out {
                visitor.visit(b)
            }
            // SAFETY: the token exists.
            unsafe { run(self, visitor) }
        }

        #[inline(always)]
        fn apply_kind(self, kind: ActivationKind, mut x: Self::Vector) -> Self::Vector {
            #[target_feature(enable = $features)]
            #[inline(never)]
            fn apply(b: $type, kind: ActivationKind, x: &mut <$type as Backend>::Vector) {
                *x = kind.apply_here(b, *x);
            }
            // SAFETY: the token exists.
            unsafe { apply(self, kind, &mut x) };
            x
        }
    };
}
pub(super) use calls;
