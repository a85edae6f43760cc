//! Activations on integers.

use super::softmax::softmax;
use crate::math::{ActivationKind, HardSigmoid, Linear, Relu, Sigmoid, Softmax, Tanh};
use crate::simd::integers::Integers;

/// An activation that has an integer form. Its argument is in units that differ from one to another, and its value in units of 2⁻¹⁵
/// where it is bounded:
///
/// | activation | unit of the argument | value |
/// |---|---|---|
/// | [`Tanh`] | 1 / 49 152 | -32 767 to 32 767 |
/// | [`Sigmoid`] | 2 / 49 152 | 0 to 32 768, as an output 32 767 at most |
/// | [`HardSigmoid`] | 6 / 2¹⁵ | 0 to 32 768, as an output 32 767 at most |
/// | [`Linear`], [`Relu`] | that of the output | saturated |
pub trait IntegerActivation: Copy {
    /// Whether the value is in units of 2⁻¹⁵ and not more than 1.
    const UNITS: bool;
    /// Which one it is, where there is a shorter way for it.
    #[doc(hidden)]
    const KIND: Option<ActivationKind> = None;

    /// The value as an output: a number of 16 bits.
    fn apply<I: Integers>(self, i: I, z: I::Vector) -> I::Vector;

    /// The value as a factor between 0 and 32 768, of those that are bounded by 0 and 1.
    #[inline(always)]
    fn gate<I: Integers>(self, i: I, z: I::Vector) -> I::Vector {
        self.apply(i, z)
    }
}

impl IntegerActivation for Tanh {
    const UNITS: bool = true;
    const KIND: Option<ActivationKind> = Some(ActivationKind::Tanh);

    #[inline(always)]
    fn apply<I: Integers>(self, i: I, z: I::Vector) -> I::Vector {
        i.shift_right(i.tanh(z), 15)
    }
}

impl IntegerActivation for Sigmoid {
    const UNITS: bool = true;
    const KIND: Option<ActivationKind> = Some(ActivationKind::Sigmoid);

    #[inline(always)]
    fn apply<I: Integers>(self, i: I, z: I::Vector) -> I::Vector {
        i.min(self.gate(i, z), i.splat(32_767))
    }

    /// ½ + ½ tanh(x / 2)
    #[inline(always)]
    fn gate<I: Integers>(self, i: I, z: I::Vector) -> I::Vector {
        i.add(i.shift_right(i.tanh(z), 16), i.splat(16_384))
    }
}

impl IntegerActivation for HardSigmoid {
    const UNITS: bool = true;

    #[inline(always)]
    fn apply<I: Integers>(self, i: I, z: I::Vector) -> I::Vector {
        i.min(self.gate(i, z), i.splat(32_767))
    }

    #[inline(always)]
    fn gate<I: Integers>(self, i: I, z: I::Vector) -> I::Vector {
        i.max(i.min(i.add(z, i.splat(16_384)), i.splat(32_768)), i.splat(0))
    }
}

impl IntegerActivation for Linear {
    const UNITS: bool = false;

    #[inline(always)]
    fn apply<I: Integers>(self, i: I, z: I::Vector) -> I::Vector {
        i.saturate(z)
    }
}

impl IntegerActivation for Relu {
    const UNITS: bool = false;

    #[inline(always)]
    fn apply<I: Integers>(self, i: I, z: I::Vector) -> I::Vector {
        i.min(i.max(z, i.splat(0)), i.splat(32_767))
    }
}

/// Of those that [`IntegerActivation`] lists; [`Tanh`] in the place of others, which a network's layers are checked for.
#[cfg(feature = "std")]
impl IntegerActivation for ActivationKind {
    const UNITS: bool = false;

    #[inline(always)]
    fn apply<I: Integers>(self, i: I, z: I::Vector) -> I::Vector {
        match self {
            ActivationKind::Sigmoid => Sigmoid.apply(i, z),
            ActivationKind::HardSigmoid => HardSigmoid.apply(i, z),
            ActivationKind::Linear => Linear.apply(i, z),
            ActivationKind::Relu => Relu.apply(i, z),
            _ => Tanh.apply(i, z),
        }
    }

    #[inline(always)]
    fn gate<I: Integers>(self, i: I, z: I::Vector) -> I::Vector {
        match self {
            ActivationKind::HardSigmoid => HardSigmoid.gate(i, z),
            _ => Sigmoid.gate(i, z),
        }
    }
}

/// A function on the whole output of an integer dense layer: every [`IntegerActivation`], and [`Softmax`].
pub trait IntegerOutput: Copy {
    /// What is done to each number.
    #[doc(hidden)]
    fn each(self) -> impl IntegerActivation;

    /// What is done to all of them afterwards.
    #[doc(hidden)]
    fn all(self, y: &mut [i16], fraction_bits: u32);
}

impl<A: IntegerActivation> IntegerOutput for A {
    #[inline(always)]
    fn each(self) -> impl IntegerActivation {
        self
    }

    #[inline(always)]
    fn all(self, _: &mut [i16], _: u32) {}
}

impl IntegerOutput for Softmax {
    #[inline(always)]
    fn each(self) -> impl IntegerActivation {
        Linear
    }

    #[inline(always)]
    fn all(self, y: &mut [i16], fraction_bits: u32) {
        softmax(y, fraction_bits);
    }
}
