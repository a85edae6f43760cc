//! Vector backends: zero-sized proofs that a set of instructions may be used, and the dozen operations that the kernels
//! are written in.
//!
//! A [`Backend`] value can only be made where its instructions exist, so its methods are safe to call. [`Scalar`] is always
//! there and is the specification: the other backends agree with it within the bounds given in [`math`](crate::math). On
//! x86-64 it is compiled a second time for AVX2, with the same bits.
//! [`dispatch`] picks the best one and hands it to a [`Visitor`]; a whole step of a model is one visit.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod scalar;

pub use scalar::Scalar;

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
    /// The backend for what is left when fewer than `LANES` numbers are; itself when `LANES` is 1.
    type Half: Backend;

    /// The narrower backend's token.
    fn half(self) -> Self::Half;

    /// `x` in every lane.
    fn splat(self, x: f32) -> Self::Vector;

    /// Reads `LANES` numbers.
    ///
    /// # Safety
    /// `from` is valid for reads of `LANES` numbers.
    unsafe fn load(self, from: *const f32) -> Self::Vector;

    /// Writes `LANES` numbers.
    ///
    /// # Safety
    /// `to` is valid for writes of `LANES` numbers.
    unsafe fn store(self, to: *mut f32, vector: Self::Vector);

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
}

/// Work that is generic over the backend. A closure cannot be, so this trait stands in for one.
pub trait Visitor {
    /// What the work results in.
    type Out;
    /// Does the work with `backend`.
    fn visit<B: Backend>(self, backend: B) -> Self::Out;
}

/// Runs `visitor` with the best backend of this machine.
#[inline(always)]
pub fn dispatch<V: Visitor>(visitor: V) -> V::Out {
    #[cfg(target_arch = "x86_64")]
    if let Some(wide) = avx2::Wide::detect() {
        return wide.enter(visitor);
    }
    visitor.visit(Scalar::new())
}
