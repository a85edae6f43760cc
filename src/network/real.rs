//! The precision the trainer's mathematics runs in.

use crate::kernel::for_each_block;
use crate::math::{ActivationKind, Sigmoid, Tanh};
use crate::simd::{Backend, Visitor, dispatch_scalar};
use nalgebra::RealField;

/// `f32`, or `f64` where a gradient is to be checked.
pub trait Real: RealField + Copy + Send + Sync + core::iter::Sum {
    /// Nearest value.
    fn rounded(x: f64) -> Self;
    /// Exact value.
    fn widened(self) -> f64;
    /// Applies an activation in place.
    fn activate(kind: ActivationKind, values: &mut [Self]);
}

impl Real for f32 {
    #[expect(clippy::cast_possible_truncation, reason = "rounding is what it is for")]
    fn rounded(x: f64) -> f32 {
        x as f32
    }

    fn widened(self) -> f64 {
        self.into()
    }

    /// With the functions the kernels use, so that a network is trained with what it will compute.
    fn activate(kind: ActivationKind, values: &mut [f32]) {
        struct Activate<'a>(ActivationKind, &'a mut [f32]);
        impl Visitor for Activate<'_> {
            type Out = ();
            #[inline(always)]
            fn visit<B: Backend>(self, b: B) {
                let Activate(kind, values) = self;
                // The two usual ones without a choice in the inner loop.
                match kind {
                    ActivationKind::Tanh => for_each_block(b, values, Tanh),
                    ActivationKind::Sigmoid => for_each_block(b, values, Sigmoid),
                    kind => for_each_block(b, values, kind),
                }
            }
        }
        dispatch_scalar(Activate(kind, values));
    }
}

impl Real for f64 {
    fn rounded(x: f64) -> f64 {
        x
    }

    fn widened(self) -> f64 {
        self
    }

    /// With the standard library's functions: the independent reference.
    fn activate(kind: ActivationKind, values: &mut [f64]) {
        for x in values {
            *x = match kind {
                ActivationKind::Linear => *x,
                ActivationKind::Tanh => f64::tanh(*x),
                ActivationKind::Sigmoid => 1.0 / (1.0 + f64::exp(-*x)),
                ActivationKind::HardSigmoid => f64::clamp(*x / 6.0 + 0.5, 0.0, 1.0),
                ActivationKind::Relu => f64::max(*x, 0.0),
                ActivationKind::Softsign => *x / (1.0 + f64::abs(*x)),
                ActivationKind::Softplus => f64::max(*x, 0.0) + f64::ln_1p(f64::exp(-f64::abs(*x))),
                ActivationKind::Elu => {
                    if *x > 0.0 {
                        *x
                    } else {
                        f64::exp_m1(*x)
                    }
                }
                ActivationKind::Silu => *x / (1.0 + f64::exp(-*x)),
                ActivationKind::LeakyRelu => f64::max(*x, 0.2 * *x),
            };
        }
    }
}
