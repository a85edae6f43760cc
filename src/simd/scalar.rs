//! The backend that every target has, and the specification of the others: plain arithmetic, one rounding per operation.

use super::integers::Plain;
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

#[cfg(all(feature = "std", target_arch = "x86_64"))]
impl Scalar<8> {
    /// The token for as many numbers as an AVX register holds.
    pub(super) const fn wide() -> Self {
        Scalar(())
    }
}

#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon"),
    all(target_arch = "wasm32", target_feature = "simd128")
))]
impl Scalar<2> {
    /// The token for half of the narrowest register.
    pub(super) const fn pair() -> Self {
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

impl Halve for Scalar<8> {
    type Half = Scalar<4>;
    #[inline(always)]
    fn halve() -> Scalar<4> {
        Scalar(())
    }
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

/// Arrays whose elementwise operations are written out: iterators, `map` and loops stay loops where the compiler saves code
/// (`opt-level = "s"`), and a step then takes many times as long.
pub trait Lanes<T>: Copy {
    /// `x` everywhere.
    fn splat(x: T) -> Self;
    /// `f` of each element.
    fn each(self, f: impl Fn(T) -> T) -> Self;
    /// `f` of each pair.
    fn zip(self, other: Self, f: impl Fn(T, T) -> T) -> Self;
}

macro_rules! lanes {
    ($($n:literal: $($i:literal)*;)*) => {$(
        impl<T: Copy> Lanes<T> for [T; $n] {
            #[inline(always)]
            fn splat(x: T) -> Self {
                [$({ let _ = $i; x }),*]
            }

            #[inline(always)]
            fn each(self, f: impl Fn(T) -> T) -> Self {
                [$(f(self[$i])),*]
            }

            #[inline(always)]
            fn zip(self, other: Self, f: impl Fn(T, T) -> T) -> Self {
                [$(f(self[$i], other[$i])),*]
            }
        }
    )*};
}

lanes! {
    1: 0;
    2: 0 1;
    4: 0 1 2 3;
    8: 0 1 2 3 4 5 6 7;
}

impl<const N: usize> Sealed for Scalar<N> {}

impl<const N: usize> Backend for Scalar<N>
where
    Self: Halve,
    [f32; N]: Lanes<f32>,
{
    const NAME: &'static str = "scalar";
    const LANES: usize = N;
    type Vector = [f32; N];
    type Integers = Plain<4>;
    type Half = <Self as Halve>::Half;
    type Mask = usize;

    #[inline(always)]
    fn integers(self) -> Plain<4> {
        Plain::new()
    }

    #[inline(always)]
    fn half(self) -> Self::Half {
        Self::halve()
    }

    #[inline(always)]
    fn mask(self, lanes: usize) -> usize {
        lanes
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, lanes: usize) -> [f32; N] {
        let mut vector = [0.0; N];
        for (lane, number) in vector.iter_mut().enumerate().take(lanes) {
            // SAFETY: as promised to this function.
            *number = unsafe { from.add(lane).read() };
        }
        vector
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, lanes: usize, vector: [f32; N]) {
        for (lane, number) in vector.iter().enumerate().take(lanes) {
            // SAFETY: as promised to this function.
            unsafe { to.add(lane).write(*number) };
        }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> [f32; N] {
        Lanes::splat(x)
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
        a.zip(b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: [f32; N], b: [f32; N]) -> [f32; N] {
        a.zip(b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: [f32; N], b: [f32; N]) -> [f32; N] {
        a.zip(b, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, a: [f32; N], b: [f32; N]) -> [f32; N] {
        a.zip(b, |a, b| a / b)
    }

    #[inline(always)]
    fn mul_add(self, a: [f32; N], b: [f32; N], c: [f32; N]) -> [f32; N] {
        self.add(self.mul(a, b), c)
    }

    #[inline(always)]
    fn min(self, a: [f32; N], b: [f32; N]) -> [f32; N] {
        a.zip(b, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn max(self, a: [f32; N], b: [f32; N]) -> [f32; N] {
        a.zip(b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn abs(self, a: [f32; N]) -> [f32; N] {
        a.each(f32::abs)
    }

    #[inline(always)]
    fn copysign(self, magnitude: [f32; N], sign: [f32; N]) -> [f32; N] {
        magnitude.zip(sign, f32::copysign)
    }

    #[inline(always)]
    fn low_bits_to_exponent(self, a: [f32; N]) -> [f32; N] {
        a.each(|a| f32::from_bits(a.to_bits() << 23))
    }

    #[inline(always)]
    fn add_up(self, start: f32, a: [f32; N]) -> f32 {
        let mut sum = start;
        for lane in a {
            sum += lane;
        }
        sum
    }

    #[inline(always)]
    fn map(self, a: [f32; N], f: impl Fn(f32) -> f32) -> [f32; N] {
        a.each(f)
    }
}
