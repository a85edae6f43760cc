//! The backend that every target has, and the specification of the others: plain arithmetic, one rounding per operation.

use super::{Backend, sealed::Sealed};

/// Where a floating-point unit keeps accumulators in registers, four units share the load of an input; where every
/// operation is a call (Cortex-M0 and M3, RV32IMC) four copies of it would only be code.
const WIDTH: usize = if cfg!(all(
    target_os = "none",
    not(target_abi = "eabihf"),
    not(target_feature = "f"),
    not(target_pointer_width = "64")
)) {
    1
} else {
    4
};

/// Plain arithmetic on `N` numbers at a time. `N` changes the speed, never a result.
#[derive(Clone, Copy, Debug)]
pub struct Scalar<const N: usize = WIDTH>(());

impl Scalar {
    /// The token; no instruction needs proving.
    #[must_use]
    pub const fn new() -> Self {
        Scalar(())
    }
}

impl Scalar<1> {
    /// The token for one number at a time.
    #[must_use]
    pub const fn single() -> Self {
        Scalar(())
    }
}

impl Default for Scalar {
    fn default() -> Self {
        Self::new()
    }
}

/// The next narrower width.
pub trait Halve {
    /// Its token.
    type Half: Backend;
    /// Makes it.
    fn halve() -> Self::Half;
}

impl Halve for Scalar<4> {
    type Half = Scalar<2>;
    fn halve() -> Scalar<2> {
        Scalar(())
    }
}

impl Halve for Scalar<2> {
    type Half = Scalar<1>;
    fn halve() -> Scalar<1> {
        Scalar(())
    }
}

impl Halve for Scalar<1> {
    type Half = Self;
    fn halve() -> Self {
        Scalar(())
    }
}

impl<const N: usize> Sealed for Scalar<N> {}

impl<const N: usize> Scalar<N> {
    #[inline(always)]
    fn zip(a: [f32; N], b: [f32; N], f: impl Fn(f32, f32) -> f32) -> [f32; N] {
        let mut out = a;
        for (out, b) in out.iter_mut().zip(b) {
            *out = f(*out, b);
        }
        out
    }
}

impl<const N: usize> Backend for Scalar<N>
where
    Self: Halve,
{
    const NAME: &'static str = "scalar";
    const LANES: usize = N;
    type Vector = [f32; N];
    type Half = <Self as Halve>::Half;

    #[inline(always)]
    fn half(self) -> Self::Half {
        Self::halve()
    }

    #[inline(always)]
    fn splat(self, x: f32) -> [f32; N] {
        [x; N]
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> [f32; N] {
        // SAFETY: the caller vouches for `N` numbers; an array of them is aligned as one of them is.
        unsafe { from.cast::<[f32; N]>().read() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: [f32; N]) {
        // SAFETY: as in `load`.
        unsafe { to.cast::<[f32; N]>().write(vector) }
    }

    #[inline(always)]
    fn add(self, a: [f32; N], b: [f32; N]) -> [f32; N] {
        Self::zip(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: [f32; N], b: [f32; N]) -> [f32; N] {
        Self::zip(a, b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: [f32; N], b: [f32; N]) -> [f32; N] {
        Self::zip(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, a: [f32; N], b: [f32; N]) -> [f32; N] {
        Self::zip(a, b, |a, b| a / b)
    }

    #[inline(always)]
    fn mul_add(self, a: [f32; N], b: [f32; N], c: [f32; N]) -> [f32; N] {
        self.add(self.mul(a, b), c)
    }

    #[inline(always)]
    fn min(self, a: [f32; N], b: [f32; N]) -> [f32; N] {
        Self::zip(a, b, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn max(self, a: [f32; N], b: [f32; N]) -> [f32; N] {
        Self::zip(a, b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn abs(self, a: [f32; N]) -> [f32; N] {
        a.map(f32::abs)
    }

    #[inline(always)]
    fn copysign(self, magnitude: [f32; N], sign: [f32; N]) -> [f32; N] {
        Self::zip(magnitude, sign, f32::copysign)
    }

    #[inline(always)]
    fn low_bits_to_exponent(self, a: [f32; N]) -> [f32; N] {
        a.map(|a| f32::from_bits(a.to_bits() << 23))
    }

    #[inline(always)]
    fn map(self, a: [f32; N], f: impl Fn(f32) -> f32) -> [f32; N] {
        a.map(f)
    }
}
