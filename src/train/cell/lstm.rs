//! i, f, o = σ(…), g = tanh(…), c' = f ⊙ c + i ⊙ g, h' = o ⊙ t with t = tanh(c')

use super::super::activation::multiply_by_derivative;
use super::add;
use crate::network::{Real, Recurrent};

/// `product`: U h; `c`: the state before. Writes c', t and h'.
pub(in super::super) fn forward<T: Real>(
    layer: &Recurrent,
    gates: &mut [T],
    product: &[T],
    c: &[T],
    new: (&mut [T], &mut [T], &mut [T]),
) {
    let units = layer.units;
    let (new_c, t, h) = new;
    add(gates, product);
    for (column, gates) in gates.chunks_exact_mut(4 * units).enumerate() {
        let at = column * units;
        T::activate(layer.recurrent_activation, &mut gates[..2 * units]);
        T::activate(layer.activation, &mut gates[2 * units..3 * units]);
        T::activate(layer.recurrent_activation, &mut gates[3 * units..]);
        for unit in 0..units {
            let [i, f, g] = [0, 1, 2].map(|gate| gates[gate * units + unit]);
            new_c[at + unit] = f * c[at + unit] + i * g;
        }
    }
    t.copy_from_slice(new_c);
    T::activate(layer.activation, t);
    for (column, gates) in gates.chunks_exact(4 * units).enumerate() {
        let at = column * units;
        for unit in 0..units {
            h[at + unit] = gates[3 * units + unit] * t[at + unit];
        }
    }
}

/// `dh`: gradient of h'; `dc`: on the way in the gradient of c' that comes from later steps, on the way out that of c.
/// Writes the gradients of the gates' arguments.
pub(in super::super) fn backward<T: Real>(
    layer: &Recurrent,
    gates: &[T],
    (c, t): (&[T], &[T]),
    dh: &[T],
    dc: &mut [T],
    d_gates: &mut [T],
) {
    let units = layer.units;
    let mut d_new_c = vec![T::zero(); units];
    for (column, (gates, d_gates)) in gates.chunks_exact(4 * units).zip(d_gates.chunks_exact_mut(4 * units)).enumerate()
    {
        let at = column * units..(column + 1) * units;
        let (c, t, dh, dc) = (&c[at.clone()], &t[at.clone()], &dh[at.clone()], &mut dc[at]);
        for unit in 0..units {
            d_new_c[unit] = dh[unit] * gates[3 * units + unit];
        }
        multiply_by_derivative(layer.activation, t, &mut d_new_c);
        for unit in 0..units {
            let [i, f, g] = [0, 1, 2].map(|gate| gates[gate * units + unit]);
            let d_new_c = d_new_c[unit] + dc[unit];
            d_gates[unit] = d_new_c * g;
            d_gates[units + unit] = d_new_c * c[unit];
            d_gates[2 * units + unit] = d_new_c * i;
            d_gates[3 * units + unit] = dh[unit] * t[unit];
            dc[unit] = d_new_c * f;
        }
        multiply_by_derivative(layer.recurrent_activation, &gates[..2 * units], &mut d_gates[..2 * units]);
        let candidate = 2 * units..3 * units;
        multiply_by_derivative(layer.activation, &gates[candidate.clone()], &mut d_gates[candidate]);
        multiply_by_derivative(layer.recurrent_activation, &gates[3 * units..], &mut d_gates[3 * units..]);
    }
}
