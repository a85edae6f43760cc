//! r, z = σ(…), h' = n + z ⊙ (h - n), and
//! n = tanh(W_n x + b_n + r ⊙ p) with p = U_n h + b_hn       (reset after the product), or
//! n = tanh(W_n x + b_n + b_hn + U_n q) with q = r ⊙ h       (reset before the product)

use super::super::activation::multiply_by_derivative;
use super::add;
use crate::network::{Real, Recurrent};

/// Reset after the product. `product`: U h. Writes p and h'.
pub(in super::super) fn forward_after<T: Real>(
    layer: &Recurrent,
    gates: &mut [T],
    product: &[T],
    recurrent_bias: &[T],
    h: &[T],
    (p, new_h): (&mut [T], &mut [T]),
) {
    let units = layer.units;
    let columns = gates.chunks_exact_mut(3 * units).zip(product.chunks_exact(3 * units));
    for ((gates, product), p) in columns.zip(p.chunks_exact_mut(units)) {
        let (gates, n) = gates.split_at_mut(2 * units);
        add(gates, product);
        T::activate(layer.recurrent_activation, gates);
        for unit in 0..units {
            p[unit] = product[2 * units + unit] + recurrent_bias[unit];
            n[unit] += gates[unit] * p[unit];
        }
        T::activate(layer.activation, n);
    }
    interpolate(units, gates, h, new_h);
}

/// Reset before the product, first part. `product`: the first two gates' rows of U h. Writes q.
pub(in super::super) fn reset_before<T: Real>(layer: &Recurrent, gates: &mut [T], product: &[T], h: &[T], q: &mut [T]) {
    let units = layer.units;
    let columns = gates.chunks_exact_mut(3 * units).zip(product.chunks_exact(2 * units));
    for ((gates, product), (h, q)) in columns.zip(h.chunks_exact(units).zip(q.chunks_exact_mut(units))) {
        let gates = &mut gates[..2 * units];
        add(gates, product);
        T::activate(layer.recurrent_activation, gates);
        for unit in 0..units {
            q[unit] = gates[unit] * h[unit];
        }
    }
}

/// Reset before the product, second part. `product`: U_n q. Writes h'.
pub(in super::super) fn forward_before<T: Real>(
    layer: &Recurrent,
    gates: &mut [T],
    product: &[T],
    recurrent_bias: &[T],
    h: &[T],
    new_h: &mut [T],
) {
    let units = layer.units;
    for (gates, product) in gates.chunks_exact_mut(3 * units).zip(product.chunks_exact(units)) {
        let n = &mut gates[2 * units..];
        add(n, product);
        add(n, recurrent_bias);
        T::activate(layer.activation, n);
    }
    interpolate(units, gates, h, new_h);
}

/// h' = n + z ⊙ (h - n)
fn interpolate<T: Real>(units: usize, gates: &[T], h: &[T], new_h: &mut [T]) {
    let columns = gates.chunks_exact(3 * units).zip(h.chunks_exact(units));
    for ((gates, h), new_h) in columns.zip(new_h.chunks_exact_mut(units)) {
        let (z, n) = gates[units..].split_at(units);
        for unit in 0..units {
            new_h[unit] = n[unit] + z[unit] * (h[unit] - n[unit]);
        }
    }
}

/// Both forms. `dh`: gradient of h'. Writes the gradients of the arguments of z and n, and to `direct` the part of the
/// gradient of h that does not go through a gate.
fn backward_interpolation<T: Real>(
    layer: &Recurrent,
    gates: &[T],
    h: &[T],
    dh: &[T],
    d_gates: &mut [T],
    direct: &mut [T],
) {
    let units = layer.units;
    let (z, n) = gates[units..].split_at(units);
    let (d_z, d_n) = d_gates[units..].split_at_mut(units);
    for unit in 0..units {
        d_z[unit] = dh[unit] * (h[unit] - n[unit]);
        d_n[unit] = dh[unit] * (T::one() - z[unit]);
        direct[unit] = dh[unit] * z[unit];
    }
    multiply_by_derivative(layer.recurrent_activation, z, d_z);
    multiply_by_derivative(layer.activation, n, d_n);
}

/// Reset after the product. `d_gates` gets the gradients of the arguments of r, z and n, `d_product` those of U h, which
/// differ in n; `direct` is as above.
pub(in super::super) fn backward_after<T: Real>(
    layer: &Recurrent,
    gates: &[T],
    (h, p): (&[T], &[T]),
    dh: &[T],
    (d_gates, d_product): (&mut [T], &mut [T]),
    direct: &mut [T],
) {
    let units = layer.units;
    for (column, gates) in gates.chunks_exact(3 * units).enumerate() {
        let one = column * units..(column + 1) * units;
        let all = 3 * one.start..3 * one.end;
        let (p, d_gates, d_product) = (&p[one.clone()], &mut d_gates[all.clone()], &mut d_product[all]);
        backward_interpolation(layer, gates, &h[one.clone()], &dh[one.clone()], d_gates, &mut direct[one]);
        for unit in 0..units {
            d_gates[unit] = d_gates[2 * units + unit] * p[unit];
        }
        let r = &gates[..units];
        multiply_by_derivative(layer.recurrent_activation, r, &mut d_gates[..units]);
        d_product.copy_from_slice(d_gates);
        for unit in 0..units {
            d_product[2 * units + unit] *= r[unit];
        }
    }
}

/// Reset before the product, first part: all but the reset gate.
pub(in super::super) fn backward_before<T: Real>(
    layer: &Recurrent,
    gates: &[T],
    h: &[T],
    dh: &[T],
    d_gates: &mut [T],
    direct: &mut [T],
) {
    let units = layer.units;
    for (column, (gates, d_gates)) in gates.chunks_exact(3 * units).zip(d_gates.chunks_exact_mut(3 * units)).enumerate()
    {
        let one = column * units..(column + 1) * units;
        backward_interpolation(layer, gates, &h[one.clone()], &dh[one.clone()], d_gates, &mut direct[one]);
    }
}

/// Reset before the product, second part. `dq`: gradient of q. Writes the gradient of r's argument and adds what reaches h
/// through q to `direct`.
pub(in super::super) fn backward_reset<T: Real>(
    layer: &Recurrent,
    gates: &[T],
    h: &[T],
    dq: &[T],
    d_gates: &mut [T],
    direct: &mut [T],
) {
    let units = layer.units;
    for (column, (gates, d_gates)) in gates.chunks_exact(3 * units).zip(d_gates.chunks_exact_mut(3 * units)).enumerate()
    {
        let r = &gates[..units];
        for unit in 0..units {
            let at = column * units + unit;
            d_gates[unit] = dq[at] * h[at];
            direct[at] += dq[at] * r[unit];
        }
        multiply_by_derivative(layer.recurrent_activation, r, &mut d_gates[..units]);
    }
}
