//! Derivatives of activations, from what they gave.

use crate::math::ActivationKind;
use crate::network::Real;

/// Multiplies `gradient` by the activation's derivative where it gave `y`.
pub(super) fn multiply_by_derivative<T: Real>(kind: ActivationKind, y: &[T], gradient: &mut [T]) {
    let (zero, one) = (T::zero(), T::one());
    let each = |gradient: &mut [T], derivative: fn(T) -> T| {
        for (gradient, &y) in gradient.iter_mut().zip(y) {
            *gradient *= derivative(y);
        }
    };
    match kind {
        ActivationKind::Linear => {}
        ActivationKind::Tanh => each(gradient, |y| T::one() - y * y),
        ActivationKind::Sigmoid => each(gradient, |y| y * (T::one() - y)),
        ActivationKind::HardSigmoid => {
            for (gradient, &y) in gradient.iter_mut().zip(y) {
                *gradient *= if y > zero && y < one { T::rounded(1.0 / 6.0) } else { zero };
            }
        }
        ActivationKind::Relu => each(gradient, |y| if y > T::zero() { T::one() } else { T::zero() }),
        // y = x / (1 + |x|), so 1 - |y| = 1 / (1 + |x|), whose square is the derivative.
        ActivationKind::Softsign => each(gradient, |y| (T::one() - y.abs()) * (T::one() - y.abs())),
        // y = ln(1 + eˣ), so 1 - e⁻ʸ = σ(x).
        ActivationKind::Softplus => each(gradient, |y| T::one() - (-y).exp()),
        ActivationKind::Elu => each(gradient, |y| if y > T::zero() { T::one() } else { y + T::one() }),
        ActivationKind::LeakyRelu => each(gradient, |y| if y > T::zero() { T::one() } else { T::rounded(0.2) }),
        // `check_layers` has refused it: two arguments give the same value.
        ActivationKind::Silu => unreachable!("silu is not trained"),
    }
}
