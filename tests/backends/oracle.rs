//! Recurrent layers in double precision: the equations of the papers, on whole matrices.

use gatelet::math::ActivationKind;
use gatelet::network::{Cell, Recurrent};
use nalgebra::{DMatrix, DVector};

/// An activation, from its definition.
pub fn activate(kind: ActivationKind, x: f64) -> f64 {
    match kind {
        ActivationKind::Linear => x,
        ActivationKind::Tanh => x.tanh(),
        ActivationKind::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        ActivationKind::HardSigmoid => (x / 6.0 + 0.5).clamp(0.0, 1.0),
        ActivationKind::Relu => x.max(0.0),
        ActivationKind::Silu => x / (1.0 + (-x).exp()),
        ActivationKind::LeakyRelu => x.max(0.2 * x),
        ActivationKind::Softsign => x / (1.0 + x.abs()),
        ActivationKind::Softplus => x.exp().ln_1p(),
        ActivationKind::Elu => {
            if x > 0.0 {
                x
            } else {
                x.exp() - 1.0
            }
        }
        other => panic!("{other:?} has no definition here"),
    }
}

/// A layer and its state.
pub struct Oracle {
    layer: Recurrent,
    /// U, W and b of each gate; a matrix has a row per unit.
    u: Vec<DMatrix<f64>>,
    w: Vec<DMatrix<f64>>,
    b: Vec<DVector<f64>>,
    /// Hidden state.
    pub h: DVector<f64>,
    /// Cell state, of an LSTM.
    pub c: DVector<f64>,
}

impl Oracle {
    /// `parameters` are in the order of the model file: each part `[k][gate][unit]`.
    pub fn new(layer: Recurrent, parameters: &[f32]) -> Self {
        let (units, gates) = (layer.units, layer.cell.gates());
        let [recurrent, input, _] = layer.lengths();
        let matrix = |start: usize, columns: usize, gate: usize| {
            DMatrix::from_fn(units, columns, |unit, k| f64::from(parameters[start + (k * gates + gate) * units + unit]))
        };
        let bias = |row: usize| matrix(recurrent + input + row * units, 1, 0).column(0).into_owned();
        Oracle {
            layer,
            u: (0..gates).map(|gate| matrix(0, units, gate)).collect(),
            w: (0..gates).map(|gate| matrix(recurrent, layer.inputs, gate)).collect(),
            b: (0..layer.cell.biases()).map(bias).collect(),
            h: DVector::zeros(units),
            c: DVector::zeros(units),
        }
    }

    /// One step; the output is `h`.
    pub fn step(&mut self, x: &[f32]) {
        let Oracle { layer, u, w, b, h, c } = self;
        let x = DVector::from_iterator(x.len(), x.iter().map(|&x| f64::from(x)));
        let f = |v: DVector<f64>| v.map(|x| activate(layer.activation, x));
        let s = |v: DVector<f64>| v.map(|x| activate(layer.recurrent_activation, x));
        let sum = |gate: usize| &w[gate] * &x + &u[gate] * &*h + &b[gate];
        *h = match layer.cell {
            Cell::SimpleRnn => f(sum(0)),
            Cell::Lstm => {
                let (i, forget, g, o) = (s(sum(0)), s(sum(1)), f(sum(2)), s(sum(3)));
                *c = forget.component_mul(c) + i.component_mul(&g);
                o.component_mul(&f(c.clone()))
            }
            Cell::Gru { reset_after } => {
                let (r, z) = (s(sum(0)), s(sum(1)));
                let n = if reset_after {
                    f(&w[2] * &x + &b[2] + r.component_mul(&(&u[2] * &*h + &b[3])))
                } else {
                    f(&w[2] * &x + &b[2] + &u[2] * r.component_mul(h) + &b[3])
                };
                z.map(|z| 1.0 - z).component_mul(&n) + z.component_mul(h)
            }
        };
    }
}
