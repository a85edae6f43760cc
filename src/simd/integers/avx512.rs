//! AVX-512: sixteen lanes, or the first of them. With VNNI, products with four weights at once.

use super::{Integers, Strides};
use crate::math::fixed;
use crate::simd::sealed::Sealed;
use core::arch::asm;
use core::arch::x86_64::*;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Whether the CPU has VNNI, of which the crate cpufeatures does not know. Asks it once: that takes a microsecond where it is a
/// virtual one.
#[inline(always)]
fn has_vnni() -> bool {
    static ANSWER: AtomicU8 = AtomicU8::new(0);
    #[cold]
    #[allow(unused_unsafe, reason = "it takes none in newer compilers")]
    fn ask() -> u8 {
        // SAFETY: every x86-64 CPU has the instruction; one with AVX-512 has this leaf.
        let yes = unsafe { __cpuid_count(7, 0) }.ecx & 1 << 11 != 0;
        let answer = if yes { 2 } else { 1 };
        ANSWER.store(answer, Relaxed);
        answer
    }
    cfg!(target_feature = "avx512vnni")
        || match ANSWER.load(Relaxed) {
            0 => ask() == 2,
            answer => answer == 2,
        }
}

/// The proof that this CPU has AVX-512 F, VL, DQ and BW.
#[derive(Clone, Copy, Debug)]
pub struct Avx512 {
    /// Whether it has VNNI as well.
    vnni: bool,
    /// The lanes that are read and written.
    lanes: __mmask16,
}

impl Avx512 {
    /// The token.
    ///
    /// # Safety
    /// The CPU has AVX-512 F, VL, DQ and BW.
    #[inline(always)]
    pub(in crate::simd) unsafe fn known() -> Self {
        Avx512 { vnni: has_vnni(), lanes: !0 }
    }

    /// With VNNI the four lower bytes of four numbers, and the four upper ones plus 128: bytes without a sign.
    #[inline(always)]
    fn bytes(self, x: __m128i) -> __m128i {
        if !self.vnni {
            return x;
        }
        // SAFETY: the token exists.
        unsafe {
            let bytes = _mm_shuffle_epi8(x, _mm_setr_epi8(0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15));
            _mm_xor_si128(bytes, _mm_set1_epi64x(0x8080_8080 << 32))
        }
    }

    /// [`fours`](Integers::fours) with VNNI, in `N` sums for each gate and half of x: an addition waits six cycles for the one before.
    ///
    /// # Safety
    /// As for `fours`.
    #[inline(always)]
    unsafe fn fours_of_bytes<const G: usize, const N: usize>(
        self,
        sums: [__m512i; G],
        mut weights: *const i8,
        strides: Strides,
        offsets: *const i32,
        x: &[[i16; 4]],
    ) -> [__m512i; G] {
        // SAFETY: the token exists, and as promised to this function.
        unsafe {
            // Σ w x = Σ w lower + 2⁸ Σ w (upper + 128) - 2¹⁵ Σ w
            let mut lower = [[_mm512_setzero_si512(); G]; N];
            let mut upper = lower;
            lower[0] = sums;
            for (g, sum) in lower[1].iter_mut().enumerate() {
                *sum = self.load(offsets.wrapping_add(g * strides.gate / 4));
            }
            let (several, rest) = x.as_chunks::<N>();
            for x in several {
                for n in 0..N {
                    self.add_four_of_bytes(&mut lower[n], &mut upper[n], weights, strides.gate, &x[n]);
                    weights = weights.wrapping_add(strides.step);
                }
            }
            for x in rest {
                self.add_four_of_bytes(&mut lower[0], &mut upper[0], weights, strides.gate, x);
                weights = weights.wrapping_add(strides.step);
            }
            let mut sums = [_mm512_setzero_si512(); G];
            for g in 0..G {
                for n in 1..N {
                    lower[0][g] = self.add(lower[0][g], lower[n][g]);
                    upper[0][g] = self.add(upper[0][g], upper[n][g]);
                }
                sums[g] = self.add(lower[0][g], _mm512_slli_epi32::<8>(upper[0][g]));
            }
            sums
        }
    }

    /// # Safety
    /// As for `fours`, with VNNI.
    #[inline(always)]
    unsafe fn add_four_of_bytes<const G: usize>(
        self,
        lower: &mut [__m512i; G],
        upper: &mut [__m512i; G],
        weights: *const i8,
        gate: usize,
        x: &[i16; 4],
    ) {
        // SAFETY: the token exists, and as promised to this function.
        unsafe {
            let [low, high] = broadcast(x);
            for g in 0..G {
                let weights = self.load(weights.add(g * gate).cast());
                lower[g] = add_products_of_bytes(lower[g], low, weights);
                upper[g] = add_products_of_bytes(upper[g], high, weights);
            }
        }
    }

    /// [`fours`](Integers::fours) of a matrix with one row: all weights are side by side.
    ///
    /// # Safety
    /// As for `fours`.
    #[inline(always)]
    unsafe fn row(self, sum: __m512i, weights: *const i8, offsets: *const i32, x: &[[i16; 4]]) -> __m512i {
        // SAFETY: the token exists, and as promised to this function; what the mask leaves out is not touched.
        unsafe {
            let mut sums = _mm512_setzero_si512();
            let mut at = 0;
            while at < x.len() {
                let mask = ((1_u32 << (x.len() - at).min(8)) - 1) as __mmask8;
                let weights = _mm256_maskz_loadu_epi32(mask, weights.add(4 * at).cast());
                let x = _mm512_maskz_loadu_epi64(mask, x.as_ptr().add(at).cast());
                sums = if self.vnni {
                    let each = _mm512_cvtepu32_epi64(weights);
                    add_products_of_bytes(sums, x, _mm512_or_si512(each, _mm512_slli_epi64::<32>(each)))
                } else {
                    self.add(sums, _mm512_madd_epi16(_mm512_cvtepi8_epi16(weights), x))
                };
                at += 8;
            }
            if self.vnni {
                sums = _mm512_mask_slli_epi32::<8>(sums, 0xaaaa, sums);
                sums = self.add(sums, _mm512_maskz_loadu_epi32(1, offsets));
            }
            self.add(sum, self.splat(_mm512_reduce_add_epi32(sums)))
        }
    }
}

/// `sum + Σ x · weights` of the four bytes in each lane, those of `x` without a sign.
///
/// Not the intrinsic: code for a CPU that has more than the token says would not be inlined.
///
/// # Safety
/// The CPU has AVX-512 F and VNNI.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn add_products_of_bytes(mut sum: __m512i, x: __m512i, weights: __m512i) -> __m512i {
    // SAFETY: as promised to this function.
    unsafe {
        asm!(
            "vpdpbusd {sum}, {x}, {weights}",
            sum = inout(zmm_reg) sum, x = in(zmm_reg) x, weights = in(zmm_reg) weights,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

/// The first four and the last four bytes of `x`, in every lane.
///
/// Not an intrinsic: the compiler would do this once for several blocks, and keep in memory what it has no registers for.
///
/// # Safety
/// The CPU has AVX-512 F.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn broadcast(x: &[i16; 4]) -> [__m512i; 2] {
    let (low, high);
    // SAFETY: as promised to this function; four numbers are eight bytes.
    unsafe {
        asm!(
            "vpbroadcastd {low}, dword ptr [{x}]",
            "vpbroadcastd {high}, dword ptr [{x} + 4]",
            x = in(reg) x, low = out(zmm_reg) low, high = out(zmm_reg) high,
            options(readonly, nostack, preserves_flags),
        );
    }
    [low, high]
}

/// The numbers at 0, 2, … of `low` and `high`, and those between.
///
/// # Safety
/// The CPU has AVX-512 F.
#[inline(always)]
unsafe fn even_and_odd(low: __m512i, high: __m512i) -> [__m512i; 2] {
    // SAFETY: as promised to this function.
    unsafe {
        let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        let odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
        [_mm512_permutex2var_epi32(low, even, high), _mm512_permutex2var_epi32(low, odd, high)]
    }
}

/// The numbers of a column in each lane's bin, from -64 to 63.
///
/// # Safety
/// The CPU has AVX-512 F and DQ.
#[inline(always)]
unsafe fn look_up(column: &[i32; 128], bin: __m512i) -> __m512i {
    // SAFETY: as promised to this function.
    unsafe {
        let negative = _mm512_movepi32_mask(bin);
        let odd = _mm512_test_epi32_mask(bin, _mm512_set1_epi32(32));
        let below = _mm512_mask_blend_epi32(odd, quarter(column, 0, bin), quarter(column, 1, bin));
        let above = _mm512_mask_blend_epi32(odd, quarter(column, 2, bin), quarter(column, 3, bin));
        _mm512_mask_blend_epi32(negative, above, below)
    }
}

/// The numbers of a quarter of it that the five lower bits of `bin` tell.
///
/// # Safety
/// The CPU has AVX-512 F. `quarter` is below 4, and the column aligned to cache lines.
#[inline(always)]
unsafe fn quarter(column: &[i32; 128], quarter: usize, bin: __m512i) -> __m512i {
    // SAFETY: as promised to this function.
    unsafe {
        let from = column.as_ptr().add(32 * quarter);
        _mm512_permutex2var_epi32(_mm512_load_si512(from.cast()), bin, _mm512_load_si512(from.add(16).cast()))
    }
}

macro_rules! operations {
    ($($name:ident($($argument:ident),*) = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($argument: __m512i),*) -> __m512i {
            // SAFETY: the token exists.
            unsafe { $body }
        }
    )*};
}

impl Sealed for Avx512 {}

impl Integers for Avx512 {
    const LANES: usize = 16;
    const MASKS: bool = true;
    type Vector = __m512i;
    type Half = Self;

    operations! {
        add(a, b) = _mm512_add_epi32(a, b);
        sub(a, b) = _mm512_sub_epi32(a, b);
        mul(a, b) = _mm512_mullo_epi32(a, b);
        min(a, b) = _mm512_min_epi32(a, b);
        max(a, b) = _mm512_max_epi32(a, b);
        shift_right_each(a, n) = _mm512_srav_epi32(a, _mm512_and_si512(n, _mm512_set1_epi32(0xff)));
        mul_high(a, b) = {
            let even = _mm512_mul_epi32(a, b);
            let odd = _mm512_mul_epi32(_mm512_srli_epi64::<32>(a), _mm512_srli_epi64::<32>(b));
            let upper = _mm512_setr_epi32(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
            _mm512_permutex2var_epi32(even, upper, odd)
        };
    }

    #[inline(always)]
    fn tanh(self, z: __m512i) -> __m512i {
        // SAFETY: the token exists.
        unsafe {
            let (least, last) = (_mm512_set1_epi32(fixed::LEAST), _mm512_set1_epi32(-fixed::LEAST - 1));
            let z = _mm512_max_epi32(_mm512_min_epi32(z, last), least);
            let f = _mm512_and_si512(z, _mm512_set1_epi32((1 << fixed::FRACTION_BITS) - 1));
            // f² / 2¹³ in the upper halves, f in the lower ones.
            let f2 = _mm512_slli_epi32::<{ 16 - fixed::FRACTION_BITS }>(_mm512_madd_epi16(f, f));
            let powers = _mm512_mask_blend_epi16(0xaaaa_aaaa, f, f2);
            let bin = _mm512_srai_epi32::<{ fixed::FRACTION_BITS }>(z);
            let [values, slopes] = fixed::columns();
            _mm512_add_epi32(look_up(values, bin), _mm512_madd_epi16(look_up(slopes, bin), powers))
        }
    }

    #[inline(always)]
    fn half(self) -> Self {
        self
    }

    #[inline(always)]
    fn first(self, lanes: usize) -> Self {
        Avx512 { lanes: ((1_u32 << lanes.min(16)) - 1) as __mmask16, ..self }
    }

    #[inline(always)]
    fn splat(self, x: i32) -> __m512i {
        // SAFETY: the token exists.
        unsafe { _mm512_set1_epi32(x) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const i32) -> __m512i {
        // SAFETY: the token exists, and as promised to this function; what the mask leaves out is not touched.
        unsafe { _mm512_maskz_loadu_epi32(self.lanes, from) }
    }

    #[inline(always)]
    unsafe fn load_short(self, from: *const i16) -> __m512i {
        // SAFETY: as in `load`.
        unsafe { _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(self.lanes, from)) }
    }

    #[inline(always)]
    unsafe fn store_short(self, to: *mut i16, vector: __m512i) {
        // In whole pieces: what a masked store has written cannot be read before it is in the cache.
        // SAFETY: as in `load`.
        unsafe {
            let vector = _mm512_cvtepi32_epi16(vector);
            if self.lanes == !0 {
                return _mm256_storeu_si256(to.cast(), vector);
            }
            let (mut piece, mut to) = (_mm256_castsi256_si128(vector), to);
            let lanes = self.lanes.trailing_ones();
            if lanes & 8 != 0 {
                _mm_storeu_si128(to.cast(), piece);
                (piece, to) = (_mm256_extracti128_si256::<1>(vector), to.add(8));
            }
            if lanes & 4 != 0 {
                _mm_storel_epi64(to.cast(), piece);
                (piece, to) = (_mm_srli_si128::<8>(piece), to.add(4));
            }
            if lanes & 2 != 0 {
                _mm_storeu_si32(to.cast(), piece);
                (piece, to) = (_mm_srli_si128::<4>(piece), to.add(2));
            }
            if lanes & 1 != 0 {
                _mm_storeu_si16(to.cast(), piece);
            }
        }
    }

    #[inline(always)]
    fn shift_right(self, a: __m512i, n: u32) -> __m512i {
        // SAFETY: the token exists.
        unsafe { _mm512_sra_epi32(a, _mm_cvtsi32_si128(n.cast_signed())) }
    }

    #[inline(always)]
    fn shift_left(self, a: __m512i, n: u32) -> __m512i {
        // SAFETY: the token exists.
        unsafe { _mm512_sll_epi32(a, _mm_cvtsi32_si128(n.cast_signed())) }
    }

    /// For VNNI four numbers become their four lower bytes, and the four upper ones plus 128: bytes without a sign.
    #[inline(always)]
    fn prepare(self, x: &[i16], room: &mut [i16]) {
        let (fours, rest) = x.as_chunks::<4>();
        let (rooms, last) = room.as_chunks_mut::<4>();
        for (room, &x) in last.iter_mut().zip(rest) {
            *room = x;
        }
        let (pairs, last) = fours.as_chunks::<2>();
        let (pairs_of_rooms, last_rooms) = rooms.as_chunks_mut::<2>();
        // SAFETY: the token exists; the numbers of two fours are 16 bytes, those of one are 8.
        unsafe {
            for (room, x) in pairs_of_rooms.iter_mut().zip(pairs) {
                _mm_storeu_si128(room.as_mut_ptr().cast(), self.bytes(_mm_loadu_si128(x.as_ptr().cast())));
            }
            for (room, x) in last_rooms.iter_mut().zip(last) {
                _mm_storel_epi64(room.as_mut_ptr().cast(), self.bytes(_mm_loadl_epi64(x.as_ptr().cast())));
            }
        }
    }

    #[inline(always)]
    unsafe fn fours<const G: usize>(
        self,
        mut sums: [__m512i; G],
        mut weights: *const i8,
        strides: Strides,
        offsets: *const i32,
        x: &[[i16; 4]],
    ) -> [__m512i; G] {
        // SAFETY: the token exists, and as promised to this function.
        unsafe {
            if G == 1 && strides.step == 4 {
                return [self.row(sums[0], weights, offsets, x); G];
            }
            if self.vnni {
                return if G < 3 {
                    self.fours_of_bytes::<G, 4>(sums, weights, strides, offsets, x)
                } else {
                    self.fours_of_bytes::<G, 2>(sums, weights, strides, offsets, x)
                };
            }
            let mut others = [_mm512_setzero_si512(); G];
            // Two sums for each unit, of eight units in a register.
            let mut more = others;
            for x in x {
                let x = _mm512_set1_epi64(x.as_ptr().cast::<i64>().read_unaligned());
                for g in 0..G {
                    let weights = self.load(weights.add(g * strides.gate).cast());
                    let low = _mm512_cvtepi8_epi16(_mm512_castsi512_si256(weights));
                    let high = _mm512_cvtepi8_epi16(_mm512_extracti64x4_epi64::<1>(weights));
                    others[g] = self.add(others[g], _mm512_madd_epi16(low, x));
                    more[g] = self.add(more[g], _mm512_madd_epi16(high, x));
                }
                weights = weights.wrapping_add(strides.step);
            }
            for g in 0..G {
                let [even, odd] = even_and_odd(others[g], more[g]);
                sums[g] = self.add(sums[g], self.add(even, odd));
            }
            sums
        }
    }

    #[inline(always)]
    unsafe fn pair<const G: usize>(
        self,
        mut sums: [__m512i; G],
        weights: *const i8,
        gate: usize,
        [a, b]: [i16; 2],
    ) -> [__m512i; G] {
        let x = self.splat(i32::from(b) << 16 | i32::from(a) & 0xffff);
        for (g, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the token exists, and as promised to this function; what the mask leaves out is not touched.
            unsafe {
                let weights = _mm256_maskz_loadu_epi16(self.lanes, weights.add(g * gate).cast());
                *sum = self.add(*sum, _mm512_madd_epi16(_mm512_cvtepi8_epi16(weights), x));
            }
        }
        sums
    }

    #[inline(always)]
    unsafe fn one<const G: usize>(
        self,
        mut sums: [__m512i; G],
        weights: *const i8,
        gate: usize,
        x: i16,
    ) -> [__m512i; G] {
        let x = self.splat(i32::from(x) & 0xffff);
        for (g, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the token exists, and as promised to this function; what the mask leaves out is not touched.
            unsafe {
                let weights = _mm_maskz_loadu_epi8(self.lanes, weights.add(g * gate));
                *sum = self.add(*sum, _mm512_madd_epi16(_mm512_cvtepi8_epi32(weights), x));
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::{vec, vec::Vec};

    /// `lanes` sums of `G` gates with as many fours as there are.
    fn compare<const G: usize>(token: Avx512, lanes: usize, fours: usize) {
        let number = |i: usize| (i * 7919 + 13) % 65_521;
        let x: Vec<i16> = (0..4 * fours).map(|k| number(k) as i16).collect();
        let weights: Vec<i8> = (0..4 * fours * G * lanes).map(|i| number(i) as i8).collect();
        let (mut offsets, mut expected) = (vec![0; G * lanes], vec![0; G * lanes]);
        for (i, &weight) in weights.iter().enumerate() {
            let (row, k) = (i / 4 % (G * lanes), i / (4 * G * lanes) * 4 + i % 4);
            offsets[row] -= i32::from(weight) << 15;
            expected[row] += i32::from(weight) * i32::from(x[k]);
        }
        let mut room = vec![0; x.len()];
        token.prepare(&x, &mut room);
        let strides = Strides { gate: 4 * lanes, step: 4 * G * lanes };
        // SAFETY: all numbers are there.
        let sums = unsafe {
            token.first(lanes).fours(
                [token.splat(0); G],
                weights.as_ptr(),
                strides,
                offsets.as_ptr(),
                room.as_chunks().0,
            )
        };
        for (sums, expected) in sums.into_iter().zip(expected.chunks(lanes)) {
            let mut found = [0; 16];
            // SAFETY: the token exists, and there is room for all lanes.
            unsafe { _mm512_storeu_si512(found.as_mut_ptr().cast(), sums) };
            assert_eq!(&found[..lanes], expected, "{token:?}, {G} gates, {lanes} lanes, {fours} fours");
        }
    }

    /// The CPUs that have AVX-512 without VNNI are few, so this cannot be left to what one has.
    #[test]
    fn products_are_right_with_vnni_and_without() {
        if !crate::simd::BackendKind::Avx512.is_available() {
            return;
        }
        for vnni in [false, has_vnni()] {
            let token = Avx512 { vnni, lanes: !0 };
            for lanes in 1..=16 {
                for fours in 0..=17 {
                    compare::<1>(token, lanes, fours);
                    compare::<3>(token, lanes, fours);
                    compare::<4>(token, lanes, fours);
                }
            }
        }
    }
}
