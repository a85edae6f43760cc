//! Vector backends: zero-sized proofs that a set of instructions may be used, and the operations that the kernels are written
//! in.
//!
//! A [`Backend`] value can only be made where its instructions exist, so its methods are safe to call. [`Scalar`] is always
//! there and is the specification; the others round differently (they fuse a product with its sum) and have their own `tanh`
//! and `sigmoid`, within the bounds given in [`math`](crate::math). The one of WebAssembly, which fuses nothing, gives the
//! scalar bits.
//!
//! | kind | instructions | chosen |
//! |---|---|---|
//! | [`BackendKind::Avx512`] | AVX-512 F, VL, DQ and BW on x86-64 | at run time |
//! | [`BackendKind::Avx2`] | AVX2 and FMA on x86-64 | at run time |
//! | [`BackendKind::Neon`] | aarch64 | always there |
//! | [`BackendKind::Simd128`] | wasm32 | when compiled with `-C target-feature=+simd128` |
//! | [`BackendKind::Scalar`] | none in particular | else |
//!
//! [`dispatch`] picks the best one and hands it to a [`Visitor`]; a whole step of a model is one visit. With the feature `std`
//! the environment variable `GATELET_BACKEND` names another (`scalar`, `avx2`, …), and a program can [`force`] one.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod choice;
mod combine;
pub mod integers;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(feature = "std")]
mod unit;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(feature = "std")]
pub(crate) use choice::dispatch_scalar;
#[cfg(feature = "std")]
pub use choice::from_environment;
pub use choice::{BackendKind, Unavailable, dispatch, dispatch_on, force};
pub(crate) use combine::{Partial, Wide};
pub use scalar::Scalar;
#[cfg(feature = "std")]
pub use unit::read;

use crate::math::{ActivationKind, exponential};

mod sealed {
    /// Keeps the set of backends, and with it the proof a token stands for, inside the crate.
    pub trait Sealed {}
}

/// A token for a set of vector instructions of `LANES` single-precision numbers.
///
/// Comparisons follow one rule on every backend, so that a NaN survives a clamp: [`min`](Backend::min) and
/// [`max`](Backend::max) return their *second* operand when either is NaN.
pub trait Backend: Copy + core::fmt::Debug + sealed::Sealed {
    /// The name by which a user knows it.
    const NAME: &'static str;
    /// Numbers in a [`Vector`](Backend::Vector).
    const LANES: usize;
    /// A register's worth of numbers.
    type Vector: Copy;
    /// The token for its integers.
    type Integers: integers::Integers;
    /// The backend of half as many lanes, for what is left of a panel; itself when `LANES` is 1.
    type Half: Backend;
    /// What selects the first lanes for [`load_first`](Backend::load_first) and [`store_first`](Backend::store_first).
    type Mask: Copy + core::fmt::Debug;
    /// Whether loads and stores of the first lanes are as good as one instruction.
    const MASKS: bool = false;
    /// How many sums must run side by side, so that none waits for the one before it: the latency of
    /// [`mul_add`](Backend::mul_add) times how many begin in a cycle. 1 where that is not known to matter.
    const SUMS: usize = 1;
    /// How many streams that share a model are worth a step together: 1, 2 or 4, as many as there are registers for.
    const STREAMS: usize = 1;
    /// Registers in a [`Vector`](Backend::Vector).
    const REGISTERS: usize = 1;
    /// Whether numbers next to zero are slow on it, so that states are kept from them: see [`flush`](Backend::flush).
    const FLUSHES: bool = false;

    /// The token for its integers.
    fn integers(self) -> Self::Integers;

    /// The narrower backend's token.
    fn half(self) -> Self::Half;

    /// Selects the first `lanes` of `LANES`.
    fn mask(self, lanes: usize) -> Self::Mask;

    /// Reads the numbers that `mask` selects, and no other; the rest is zero.
    ///
    /// # Safety
    /// `from` is valid for reads of as many numbers as `mask` selects.
    unsafe fn load_first(self, from: *const f32, mask: Self::Mask) -> Self::Vector;

    /// Writes the numbers that `mask` selects, and no other.
    ///
    /// # Safety
    /// `to` is valid for writes of as many numbers as `mask` selects.
    unsafe fn store_first(self, to: *mut f32, mask: Self::Mask, vector: Self::Vector);

    /// `x` in every lane.
    fn splat(self, x: f32) -> Self::Vector;

    /// Reads `LANES` numbers.
    ///
    /// # Safety
    /// `from` is valid for reads of `LANES` numbers.
    unsafe fn load(self, from: *const f32) -> Self::Vector;

    /// Reads `LANES` numbers; where a vector is two registers, the second one from `apart` numbers behind the first.
    ///
    /// # Safety
    /// Of one register: `from` is valid for reads of `LANES` numbers. Of two: `from` is valid for reads of half as many, and so is
    /// the place `apart` numbers behind it.
    #[inline(always)]
    unsafe fn load_apart(self, from: *const f32, apart: usize) -> Self::Vector {
        let _ = apart;
        // SAFETY: as promised to this function.
        unsafe { self.load(from) }
    }

    /// Writes `LANES` numbers.
    ///
    /// # Safety
    /// `to` is valid for writes of `LANES` numbers.
    unsafe fn store(self, to: *mut f32, vector: Self::Vector);

    /// The lower and the upper half.
    #[inline(always)]
    fn split(self, vector: Self::Vector) -> [<Self::Half as Backend>::Vector; 2] {
        const { assert!(Self::LANES <= 32) };
        let mut lanes = [0.0; 32];
        let half = self.half();
        // SAFETY: there is room for every lane, and for two halves.
        unsafe {
            self.store(lanes.as_mut_ptr(), vector);
            [half.load(lanes.as_ptr()), half.load(lanes.as_ptr().add(Self::Half::LANES))]
        }
    }

    /// `a + b`
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a - b`
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a · b`
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a / b`
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a · b + c`, rounded once where the backend has a fused instruction and twice where it has none.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `a < b ? a : b`
    fn min(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a > b ? a : b`
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `|a|`
    fn abs(self, a: Self::Vector) -> Self::Vector;
    /// `|magnitude|` with the sign of `sign`.
    fn copysign(self, magnitude: Self::Vector, sign: Self::Vector) -> Self::Vector;
    /// The number whose exponent field holds the low eight bits of `a`'s representation: the representation moved left by
    /// the 23 bits of the mantissa.
    fn low_bits_to_exponent(self, a: Self::Vector) -> Self::Vector;
    /// `f` of each lane, for functions that have no vector form.
    fn map(self, a: Self::Vector, f: impl Fn(f32) -> f32) -> Self::Vector;

    /// Hyperbolic tangent, within the bounds of [`math`](crate::math).
    #[inline(always)]
    fn tanh(self, x: Self::Vector) -> Self::Vector {
        exponential::tanh(self, x)
    }

    /// Logistic sigmoid, within the bounds of [`math`](crate::math).
    #[inline(always)]
    fn sigmoid(self, x: Self::Vector) -> Self::Vector {
        exponential::sigmoid(self, x)
    }

    /// Runs `visitor` in a function of its own. Everything in a kernel is inlined, and the time that a compiler takes grows with the
    /// square of what is: for work that is so long that a call does not show.
    #[inline(never)]
    fn apart<V: Visitor>(self, visitor: V) -> V::Out {
        visitor.visit(self)
    }

    /// An activation chosen at run time. A call: every function in every place where one is chosen would be far more code than it
    /// is worth.
    #[inline(never)]
    fn apply_kind(self, kind: ActivationKind, x: Self::Vector) -> Self::Vector {
        kind.apply_here(self, x)
    }

    /// `value`, and zero in lanes where `size` is below 2⁻⁶⁰: where [`FLUSHES`](Backend::FLUSHES) says so, else `value`.
    ///
    /// A state that fades away in silence would otherwise reach the denormal numbers, with which a product takes 35 times as
    /// long on an x86 processor.
    #[inline(always)]
    fn flush(self, value: Self::Vector, size: Self::Vector) -> Self::Vector {
        let _ = size;
        value
    }

    /// `start` and all lanes, in an order of the backend's own; the scalar one's is from left to right at every width.
    fn add_up(self, start: f32, a: Self::Vector) -> f32;
}

/// Below this a state counts as zero where denormal numbers are slow. Its products with weights and gates of ordinary size
/// are still normal numbers.
pub(crate) const TINY: f32 = 1.0 / (1_u64 << 60) as f32;

/// Work that is generic over the backend. A closure cannot be, so this trait stands in for one.
pub trait Visitor {
    /// What the work results in.
    type Out;
    /// Does the work with `backend`.
    fn visit<B: Backend>(self, backend: B) -> Self::Out;
}
