//! Activations as zero-sized types, so that a network's type names them and the compiler folds them, and as run-time kinds
//! for networks whose shape is read from a file.

use super::exponential;
use crate::kernel::for_each_block;
use crate::simd::{Backend, Scalar};

/// An elementwise function on the backend's vectors.
///
/// Implemented by the zero-sized types of this module (`Lstm<8, 16, Tanh, HardSigmoid>`) and by [`ActivationKind`].
pub trait Activation: Copy {
    /// Applies it to each lane.
    fn apply<B: Backend>(self, b: B, x: B::Vector) -> B::Vector;

    /// Applies it for a state, which is kept from denormal numbers where they are slow.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn apply_flushed<B: Backend>(self, b: B, x: B::Vector) -> B::Vector {
        let y = self.apply(b, x);
        b.flush(y, y)
    }
}

/// A function on the whole output of a dense layer: every [`Activation`], and [`Softmax`].
pub trait OutputActivation: Copy {
    /// Applies it in place.
    fn apply_all<B: Backend>(self, b: B, y: &mut [f32]);
}

impl<A: Activation> OutputActivation for A {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn apply_all<B: Backend>(self, b: B, y: &mut [f32]) {
        for_each_block(b, y, self);
    }
}

/// A zero-sized activation: its value, and the code that stands for it in a model file.
pub trait Named: Copy {
    /// The only value of the type.
    const VALUE: Self;
    /// What a model file calls it.
    const KIND: OutputKind;
}

/// `e^(x - max) / Σ e^(x - max)` over a dense layer's outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Softmax;

impl OutputActivation for Softmax {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn apply_all<B: Backend>(self, b: B, y: &mut [f32]) {
        #[derive(Clone, Copy)]
        struct Exp(f32);
        impl Activation for Exp {
            #[cfg_attr(not(debug_assertions), inline(always))]
            fn apply<B: Backend>(self, b: B, x: B::Vector) -> B::Vector {
                exponential::exp(b, b.sub(x, b.splat(self.0)))
            }
        }
        let mut max = f32::NEG_INFINITY;
        for &value in &*y {
            // A NaN must reach the exponentials, so only a greater number replaces the maximum.
            max = if value > max { value } else { max };
        }
        for_each_block(b, y, Exp(max));
        let mut sum = 0.0;
        for &value in &*y {
            sum += value;
        }
        for value in y {
            *value /= sum;
        }
    }
}

impl Named for Softmax {
    const VALUE: Self = Softmax;
    const KIND: OutputKind = OutputKind::Softmax;
}

macro_rules! activations {
    ($($(#[$doc:meta])* $name:ident = $code:literal $keras:literal: |$b:ident, $x:ident| $body:expr $(, of $size:ident)?;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub struct $name;

            impl Activation for $name {
                #[cfg_attr(not(debug_assertions), inline(always))]
                fn apply<B: Backend>(self, $b: B, $x: B::Vector) -> B::Vector {
                    $body
                }

                $(
                    /// Its result is as near to zero as its argument, which is known earlier.
                    #[cfg_attr(not(debug_assertions), inline(always))]
                    fn apply_flushed<B: Backend>(self, b: B, $size: B::Vector) -> B::Vector {
                        b.flush(self.apply(b, $size), $size)
                    }
                )?
            }

            impl Named for $name {
                const VALUE: Self = $name;
                const KIND: OutputKind = OutputKind::Each(ActivationKind::$name);
            }
        )*

        /// An elementwise activation chosen at run time.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ActivationKind {
            $($(#[$doc])* $name,)*
        }

        impl ActivationKind {
            /// Every kind.
            pub const ALL: &[ActivationKind] = &[$(ActivationKind::$name),*];

            /// Keras's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(ActivationKind::$name => $keras,)*
                }
            }

            /// The name of the zero-sized type.
            #[must_use]
            pub const fn type_name(self) -> &'static str {
                match self {
                    $(ActivationKind::$name => stringify!($name),)*
                }
            }

            /// The code in a model file.
            #[must_use]
            pub const fn code(self) -> u32 {
                match self {
                    $(ActivationKind::$name => $code,)*
                }
            }

            /// The kind that a model file's code stands for.
            #[must_use]
            pub const fn from_code(code: u32) -> Option<Self> {
                match code {
                    $($code => Some(ActivationKind::$name),)*
                    _ => None,
                }
            }
        }

        impl ActivationKind {
            /// [`apply`](Activation::apply) where it is called: every function there is.
            #[cfg_attr(not(debug_assertions), inline(always))]
            pub(crate) fn apply_here<B: Backend>(self, b: B, x: B::Vector) -> B::Vector {
                match self {
                    $(ActivationKind::$name => $name.apply(b, x),)*
                }
            }
        }
    };
}

impl Activation for ActivationKind {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn apply<B: Backend>(self, b: B, x: B::Vector) -> B::Vector {
        b.apply_kind(self, x)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn apply_flushed<B: Backend>(self, b: B, x: B::Vector) -> B::Vector {
        let y = self.apply(b, x);
        // As `Tanh` does it, for the same bits.
        b.flush(y, if self == ActivationKind::Tanh { x } else { y })
    }
}

activations! {
    /// x
    Linear = 0 "linear": |_b, x| x;
    /// Hyperbolic tangent.
    Tanh = 1 "tanh": |b, x| b.tanh(x), of x;
    /// 1 / (1 + e⁻ˣ)
    Sigmoid = 2 "sigmoid": |b, x| b.sigmoid(x);
    /// x/6 + ½ cut to [0, 1] (Keras 3 and PyTorch; Keras 2 had x/5 + ½).
    HardSigmoid = 3 "hard_sigmoid": |b, x| {
        let line = b.mul_add(x, b.splat(1.0 / 6.0), b.splat(0.5));
        b.min(b.splat(1.0), b.max(b.splat(0.0), line))
    };
    /// max(0, x)
    Relu = 4 "relu": |b, x| b.max(b.splat(0.0), x);
    /// x / (1 + |x|)
    Softsign = 5 "softsign": |b, x| {
        // The quotient of two infinities would be NaN; beyond 2²⁴ the result is ±1 anyway.
        let size = b.min(b.splat(16_777_216.0), b.abs(x));
        b.copysign(b.div(size, b.add(b.splat(1.0), size)), x)
    };
    /// ln(1 + eˣ)
    Softplus = 6 "softplus": |b, x| b.map(x, softplus);
    /// x above zero, eˣ - 1 below (α = 1).
    Elu = 7 "elu": |b, x| b.map(x, elu);
    /// x σ(x), also called swish.
    Silu = 8 "silu": |b, x| b.mul(x, b.sigmoid(x));
    /// x above zero, 0.2 x below (Keras's slope; PyTorch's is 0.01).
    LeakyRelu = 9 "leaky_relu": |b, x| b.max(x, b.mul(x, b.splat(0.2)));
}

/// Number by number, and not inlined: rare, and too much code for every place where an activation is chosen at run time.
#[inline(never)]
fn softplus(x: f32) -> f32 {
    let b = Scalar::single();
    let [tail] = exponential::exp(b, [-x.abs()]);
    let [above] = b.max([0.0], [x]);
    above + libm::log1pf(tail)
}

/// As [`softplus`].
#[inline(never)]
fn elu(x: f32) -> f32 {
    let b = Scalar::single();
    let [power] = exponential::exp(b, b.min([0.0], [x]));
    let [above] = b.max([0.0], [x]);
    above + (power - 1.0)
}

/// A dense layer's activation chosen at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// The same function for each output.
    Each(ActivationKind),
    /// [`Softmax`] over all of them.
    Softmax,
}

impl OutputKind {
    const SOFTMAX: u32 = 256;

    /// Keras's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            OutputKind::Each(kind) => kind.name(),
            OutputKind::Softmax => "softmax",
        }
    }

    /// The name of the zero-sized type.
    #[must_use]
    pub const fn type_name(self) -> &'static str {
        match self {
            OutputKind::Each(kind) => kind.type_name(),
            OutputKind::Softmax => "Softmax",
        }
    }

    /// The code in a model file.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            OutputKind::Each(kind) => kind.code(),
            OutputKind::Softmax => Self::SOFTMAX,
        }
    }

    /// The kind that a model file's code stands for.
    #[must_use]
    pub const fn from_code(code: u32) -> Option<Self> {
        match (code, ActivationKind::from_code(code)) {
            (Self::SOFTMAX, _) => Some(OutputKind::Softmax),
            (_, Some(kind)) => Some(OutputKind::Each(kind)),
            _ => None,
        }
    }
}

impl OutputActivation for OutputKind {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn apply_all<B: Backend>(self, b: B, y: &mut [f32]) {
        match self {
            OutputKind::Each(kind) => kind.apply_all(b, y),
            OutputKind::Softmax => Softmax.apply_all(b, y),
        }
    }
}

/// One number through an activation.
pub(super) fn one(x: f32, activation: impl Activation) -> f32 {
    activation.apply(Scalar::single(), [x])[0]
}
