//! Backends made of others: two registers at once, and the first lanes of one.

use super::{Backend, sealed::Sealed};
use crate::math::ActivationKind;

macro_rules! both {
    ($($name:ident($($argument:ident),*))*) => {$(
        #[inline(always)]
        fn $name(self, $($argument: Self::Vector),*) -> Self::Vector {
            [self.0.$name($($argument[0]),*), self.0.$name($($argument[1]),*)]
        }
    )*};
}

/// Two vectors side by side. What is loaded once for both (a weight's factor) costs half, and twice as many sums run side by
/// side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wide<B>(pub(crate) B);

impl<B> Sealed for Wide<B> {}

impl<B: Backend> Backend for Wide<B> {
    const NAME: &'static str = B::NAME;
    const LANES: usize = 2 * B::LANES;
    type Vector = [B::Vector; 2];
    type Integers = B::Integers;
    type Half = B;
    type Mask = usize;
    const SUMS: usize = B::SUMS;
    const REGISTERS: usize = 2 * B::REGISTERS;
    const FLUSHES: bool = B::FLUSHES;

    #[inline(always)]
    fn integers(self) -> B::Integers {
        self.0.integers()
    }

    #[inline(always)]
    fn half(self) -> B {
        self.0
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Self::Vector {
        [self.0.splat(x); 2]
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::Vector {
        // SAFETY: as promised to this function, for twice as many numbers.
        unsafe { [self.0.load(from), self.0.load(from.add(B::LANES))] }
    }

    #[inline(always)]
    unsafe fn load_apart(self, from: *const f32, apart: usize) -> Self::Vector {
        // SAFETY: as promised to this function.
        unsafe { [self.0.load(from), self.0.load(from.add(apart))] }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, [low, high]: Self::Vector) {
        // SAFETY: as promised to this function, for twice as many numbers.
        unsafe {
            self.0.store(to, low);
            self.0.store(to.add(B::LANES), high);
        }
    }

    #[inline(always)]
    fn mask(self, lanes: usize) -> usize {
        lanes
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, lanes: usize) -> Self::Vector {
        let low = lanes.min(B::LANES);
        // SAFETY: as promised to this function; the second half begins where numbers are left, or is not touched.
        unsafe {
            let high = self.0.load_first(from.wrapping_add(B::LANES), self.0.mask(lanes - low));
            [self.0.load_first(from, self.0.mask(low)), high]
        }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, lanes: usize, [low, high]: Self::Vector) {
        let first = lanes.min(B::LANES);
        // SAFETY: as in `load_first`.
        unsafe {
            self.0.store_first(to, self.0.mask(first), low);
            self.0.store_first(to.wrapping_add(B::LANES), self.0.mask(lanes - first), high);
        }
    }

    both! {
        add(a, b)
        sub(a, b)
        mul(a, b)
        div(a, b)
        mul_add(a, b, c)
        min(a, b)
        max(a, b)
        abs(a)
        copysign(a, b)
        low_bits_to_exponent(a)
        tanh(a)
        sigmoid(a)
        flush(a, b)
    }

    #[inline(always)]
    fn map(self, [low, high]: Self::Vector, f: impl Fn(f32) -> f32) -> Self::Vector {
        [self.0.map(low, &f), self.0.map(high, &f)]
    }

    #[inline(always)]
    fn apply_kind(self, kind: ActivationKind, [low, high]: Self::Vector) -> Self::Vector {
        [self.0.apply_kind(kind, low), self.0.apply_kind(kind, high)]
    }

    #[inline(always)]
    fn add_up(self, start: f32, [low, high]: Self::Vector) -> f32 {
        if B::SUMS > 1 {
            self.0.add_up(start, self.0.add(low, high))
        } else {
            // Where no sum is taken apart, the scalar order is kept here too.
            self.0.add_up(self.0.add_up(start, low), high)
        }
    }
}

/// A backend whose loads and stores touch the first lanes only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Partial<B: Backend> {
    backend: B,
    mask: B::Mask,
}

impl<B: Backend> Partial<B> {
    /// The first `lanes` of `backend`.
    #[inline(always)]
    pub(crate) fn new(backend: B, lanes: usize) -> Self {
        Partial { backend, mask: backend.mask(lanes) }
    }
}

impl<B: Backend> Sealed for Partial<B> {}

macro_rules! inner {
    ($($name:ident($($argument:ident),*))*) => {$(
        #[inline(always)]
        fn $name(self, $($argument: Self::Vector),*) -> Self::Vector {
            self.backend.$name($($argument),*)
        }
    )*};
}

impl<B: Backend> Backend for Partial<B> {
    const NAME: &'static str = B::NAME;
    const LANES: usize = B::LANES;
    type Vector = B::Vector;
    type Integers = B::Integers;
    type Half = B::Half;
    type Mask = B::Mask;
    const SUMS: usize = B::SUMS;
    const REGISTERS: usize = B::REGISTERS;
    const FLUSHES: bool = B::FLUSHES;

    #[inline(always)]
    fn integers(self) -> B::Integers {
        self.backend.integers()
    }

    #[inline(always)]
    fn half(self) -> B::Half {
        self.backend.half()
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Self::Vector {
        self.backend.splat(x)
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::Vector {
        // SAFETY: as promised to this function; fewer numbers are read than it allows.
        unsafe { self.backend.load_first(from, self.mask) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: Self::Vector) {
        // SAFETY: as promised to this function; fewer numbers are written than it allows.
        unsafe { self.backend.store_first(to, self.mask, vector) }
    }

    #[inline(always)]
    fn mask(self, lanes: usize) -> B::Mask {
        self.backend.mask(lanes)
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, mask: B::Mask) -> Self::Vector {
        // SAFETY: as promised to this function.
        unsafe { self.backend.load_first(from, mask) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, mask: B::Mask, vector: Self::Vector) {
        // SAFETY: as promised to this function.
        unsafe { self.backend.store_first(to, mask, vector) }
    }

    inner! {
        add(a, b)
        sub(a, b)
        mul(a, b)
        div(a, b)
        mul_add(a, b, c)
        min(a, b)
        max(a, b)
        abs(a)
        copysign(a, b)
        low_bits_to_exponent(a)
        tanh(a)
        sigmoid(a)
        flush(a, b)
    }

    #[inline(always)]
    fn map(self, a: Self::Vector, f: impl Fn(f32) -> f32) -> Self::Vector {
        self.backend.map(a, f)
    }

    #[inline(always)]
    fn apply_kind(self, kind: ActivationKind, a: Self::Vector) -> Self::Vector {
        self.backend.apply_kind(kind, a)
    }

    #[inline(always)]
    fn add_up(self, start: f32, a: Self::Vector) -> f32 {
        self.backend.add_up(start, a)
    }
}
