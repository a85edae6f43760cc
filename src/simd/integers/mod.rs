//! Vectors of 32-bit integers: what integer networks are written in. Every operation is exact or says how it rounds, so all
//! backends give the same bits.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(gatelet_dsp)]
mod cortex_m;
#[cfg(gatelet_mve)]
mod helium;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
mod plain;
#[cfg(gatelet_riscv)]
mod riscv;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(all(gatelet_dsp, not(gatelet_mve)))]
pub(crate) mod steps;
#[cfg(gatelet_thumb1)]
mod thumb1;
#[cfg(gatelet_thumb2)]
mod thumb2;

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(super) use avx512::Avx512;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
pub(super) use neon::Neon;
pub use plain::Plain;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) use simd128::Simd128;

use super::sealed::Sealed;

/// How far apart the int8 weights of a block are, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Strides {
    /// From a gate to the next one.
    pub gate: usize,
    /// From one `k`, or four of them, to the next.
    pub step: usize,
}

/// A token for operations on `LANES` integers of 32 bits: [`Backend::Integers`](super::Backend::Integers).
///
/// Sums and products wrap; networks are made so that none does.
pub trait Integers: Copy + core::fmt::Debug + Sealed {
    /// Numbers in a [`Vector`](Integers::Vector).
    const LANES: usize;
    /// As many integers.
    type Vector: Copy;
    /// The token for half as many lanes; itself when `LANES` is 1.
    type Half: Integers;
    /// Whether the first lanes can do without the others: see [`first`](Integers::first).
    const MASKS: bool = false;

    /// The narrower token.
    fn half(self) -> Self::Half;

    /// Where [`MASKS`](Integers::MASKS): a token that reads and writes the first `lanes` only.
    #[inline(always)]
    fn first(self, lanes: usize) -> Self {
        let _ = lanes;
        self
    }

    /// `x` in every lane.
    fn splat(self, x: i32) -> Self::Vector;

    /// Reads `LANES` numbers.
    ///
    /// # Safety
    /// `from` is valid for reads of `LANES` numbers.
    unsafe fn load(self, from: *const i32) -> Self::Vector;

    /// Reads `LANES` numbers of 16 bits.
    ///
    /// # Safety
    /// `from` is valid for reads of `LANES` numbers.
    unsafe fn load_short(self, from: *const i16) -> Self::Vector;

    /// Writes `LANES` numbers of 16 bits: the lower halves of those in `vector`.
    ///
    /// # Safety
    /// `to` is valid for writes of `LANES` numbers.
    unsafe fn store_short(self, to: *mut i16, vector: Self::Vector);

    /// `a + b`
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a - b`
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The lower half of `a · b`.
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The upper half of `a · b`: ⌊a b / 2³²⌋.
    fn mul_high(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// ⌊a r / 2¹⁷⌋: of quarters of a unit and a factor in units of 2⁻¹⁵, which is between 0 and 1, units.
    #[inline(always)]
    fn mul_gate(self, a: Self::Vector, r: Self::Vector) -> Self::Vector {
        self.mul_high(a, self.shift_left(r, 15))
    }
    /// The lesser one.
    fn min(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The greater one.
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// ⌊a / 2ⁿ⌋ with one `n`, below 32, for all lanes.
    fn shift_right(self, a: Self::Vector, n: u32) -> Self::Vector;
    /// `a · 2ⁿ` with one `n`, below 32, for all lanes.
    fn shift_left(self, a: Self::Vector, n: u32) -> Self::Vector;
    /// ⌊a / 2ⁿ⌋, where n is the lowest byte of each lane of `n` and below 32.
    fn shift_right_each(self, a: Self::Vector, n: Self::Vector) -> Self::Vector;

    /// The nearest number of 16 bits.
    #[inline(always)]
    fn saturate(self, a: Self::Vector) -> Self::Vector {
        self.max(self.min(a, self.splat(i16::MAX.into())), self.splat(i16::MIN.into()))
    }

    /// The integer tanh of [`math`](crate::math): units of 1 / 49 152 in, of 2⁻³⁰ and half a unit of 2⁻¹⁵ out.
    fn tanh(self, z: Self::Vector) -> Self::Vector;

    /// Copies the input of products to `room`, of the same length, in the form in which the next three functions want it.
    #[inline(always)]
    fn prepare(self, x: &[i16], room: &mut [i16]) {
        // Not `copy_from_slice`, which is a call where the compiler does not know how short it is.
        for (to, &x) in room.iter_mut().zip(x) {
            *to = x;
        }
    }

    /// `sums[g] + Σ_k weights[g][k] · x[k]`, where from a row of weights to the next one, which is the next lane's, it is `x.len()` bytes.
    ///
    /// # Safety
    /// `weights` is valid for reads of all rows of all gates, which follow each other.
    #[cfg(gatelet_mve)]
    unsafe fn rows<const G: usize>(self, sums: [Self::Vector; G], weights: *const i8, x: &[i16]) -> [Self::Vector; G];

    /// `sums[g] + Σ_k weights[k][g] · x[k]` for the prepared numbers `x`, four at a time: the weights of a unit for these four are
    /// side by side.
    ///
    /// # Safety
    /// `weights` is valid for reads of `4 · LANES` bytes at every gate's and every four's place. `offsets` is what the packing has
    /// written for these gates, `strides.gate / 4` from one gate's to the next one's.
    unsafe fn fours<const G: usize>(
        self,
        sums: [Self::Vector; G],
        weights: *const i8,
        strides: Strides,
        offsets: *const i32,
        x: &[[i16; 4]],
    ) -> [Self::Vector; G];

    /// `sums[g] + Σ_k weights[k][g] · x[k]` for two k, whose weights are side by side; from a gate to the next one it is `gate` bytes.
    ///
    /// # Safety
    /// `weights` is valid for reads of `2 · LANES` bytes at every gate's place.
    unsafe fn pair<const G: usize>(
        self,
        sums: [Self::Vector; G],
        weights: *const i8,
        gate: usize,
        x: [i16; 2],
    ) -> [Self::Vector; G];

    /// `sums[g] + weights[g] · x`; from a gate to the next one it is `gate` bytes.
    ///
    /// # Safety
    /// `weights` is valid for reads of `LANES` bytes at every gate's place.
    unsafe fn one<const G: usize>(
        self,
        sums: [Self::Vector; G],
        weights: *const i8,
        gate: usize,
        x: i16,
    ) -> [Self::Vector; G];

    /// `sums[g] + Σ_k weights[k][g] · x[k]`.
    ///
    /// # Safety
    /// `weights` is valid for reads of `LANES` bytes at the place of every gate and number in `x`.
    #[inline(always)]
    unsafe fn ones<const G: usize>(
        self,
        mut sums: [Self::Vector; G],
        mut weights: *const i8,
        strides: Strides,
        x: &[i16],
    ) -> [Self::Vector; G] {
        for x in x {
            // SAFETY: as promised to this function.
            sums = unsafe { self.one(sums, weights, strides.gate, *x) };
            weights = weights.wrapping_add(strides.step);
        }
        sums
    }
}
