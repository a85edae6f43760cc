//! Random initial parameters, as Keras draws them: kernels uniform after Glorot & Bengio (2010), recurrent kernels orthogonal
//! after Saxe et al. (2013), biases zero, but one for an LSTM's forget gate (Jozefowicz et al. 2015).

use super::{Cell, LayerKind, Network, Real};
use nalgebra::DMatrix;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal, Uniform};

impl<T: Real> Network<T> {
    /// Draws new parameters; the same seed gives the same ones, in any precision. Normalisations stay as they are.
    #[must_use]
    pub fn initialized(mut self, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for layer in 0..self.layers.len() {
            let range = self.range(layer);
            let parameters = &mut self.parameters[range];
            match self.layers[layer].kind {
                LayerKind::Normalize { .. } => {}
                LayerKind::Dense { inputs, units, .. } => {
                    let (kernel, bias) = parameters.split_at_mut(inputs * units);
                    glorot_uniform(&mut rng, kernel, inputs, units);
                    bias.fill(T::zero());
                }
                LayerKind::Recurrent(layer) => {
                    let [recurrent, input, _] = layer.lengths();
                    let rows = layer.cell.gates() * layer.units;
                    let (recurrent, rest) = parameters.split_at_mut(recurrent);
                    let (input, bias) = rest.split_at_mut(input);
                    // Keras counts all gates as outputs of the kernel.
                    glorot_uniform(&mut rng, input, layer.inputs, rows);
                    orthogonal(&mut rng, recurrent, rows, layer.units);
                    bias.fill(T::zero());
                    if layer.cell == Cell::Lstm {
                        bias[layer.units..2 * layer.units].fill(T::one());
                    }
                }
            }
        }
        self
    }
}

/// Uniform in ±√(6 / (inputs + outputs)).
fn glorot_uniform<T: Real>(rng: &mut ChaCha8Rng, kernel: &mut [T], inputs: usize, outputs: usize) {
    let limit = (6.0 / (inputs + outputs) as f64).sqrt();
    // The limits are finite and in order: both sizes are at least one.
    if let Ok(uniform) = Uniform::new_inclusive(-limit, limit) {
        for weight in kernel {
            *weight = T::rounded(uniform.sample(rng));
        }
    }
}

/// The Q of a random normal matrix, signs chosen so that it is uniform over all orthogonal matrices (Mezzadri 2007).
/// `columns` is at most `rows`: the columns are orthonormal.
fn orthogonal<T: Real>(rng: &mut ChaCha8Rng, kernel: &mut [T], rows: usize, columns: usize) {
    let normal = DMatrix::from_fn(rows, columns, |_, _| StandardNormal.sample(rng));
    let (q, r) = nalgebra::linalg::QR::<f64, _, _>::new(normal).unpack();
    for (i, (to, from)) in kernel.iter_mut().zip(q.iter()).enumerate() {
        let column = i / rows;
        *to = T::rounded(from * r[(column, column)].signum());
    }
}
