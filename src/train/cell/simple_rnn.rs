//! h' = activation(a), a = W x + b + U h

use super::super::activation::multiply_by_derivative;
use super::add;
use crate::network::{Real, Recurrent};

/// `product`: U h. Writes h'.
pub(in super::super) fn forward<T: Real>(layer: &Recurrent, gates: &mut [T], product: &[T], h: &mut [T]) {
    add(gates, product);
    T::activate(layer.activation, gates);
    h.copy_from_slice(gates);
}

/// `dh`: gradient of h'. Writes the gradient of a.
pub(in super::super) fn backward<T: Real>(layer: &Recurrent, gates: &[T], dh: &[T], d_gates: &mut [T]) {
    d_gates.copy_from_slice(dh);
    multiply_by_derivative(layer.activation, gates, d_gates);
}
