//! Random initial parameters, as Keras draws them: kernels uniform after Glorot & Bengio (2010), recurrent kernels orthogonal
//! after Saxe et al. (2013), embeddings uniform in ±0.05, biases zero, but one for an LSTM's forget gate (Jozefowicz et al. 2015).

use super::{Cell, LayerKind, Network, Real, Recurrent};
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
            if self.layers[layer].integer {
                continue;
            }
            match self.layers[layer].kind {
                LayerKind::Normalize { .. } => {}
                LayerKind::Dense { inputs, units, .. } => {
                    let (kernel, bias) = parameters.split_at_mut(inputs * units);
                    glorot_uniform(&mut rng, kernel, inputs, units);
                    bias.fill(T::zero());
                }
                LayerKind::Recurrent(layer) => recurrent(&mut rng, &layer, &mut parameters[..layer.weights()]),
                LayerKind::Bidirectional { layer, .. } => {
                    for parameters in parameters[..2 * layer.weights()].chunks_exact_mut(layer.weights()) {
                        recurrent(&mut rng, &layer, parameters);
                    }
                }
                LayerKind::Embedding { .. } => uniform(&mut rng, parameters, 0.05),
                LayerKind::Conv1d(layer) => {
                    let (kernel, bias) = parameters.split_at_mut(layer.kernel());
                    // Keras counts what a step sees of a group as inputs, and what sees an input as outputs.
                    let (inputs, outputs) = (layer.inputs / layer.groups, layer.units);
                    glorot_uniform(&mut rng, kernel, layer.kernel_size * inputs, layer.kernel_size * outputs);
                    bias.fill(T::zero());
                }
                LayerKind::Masking { .. }
                | LayerKind::Quantize { .. }
                | LayerKind::Dequantize { .. }
                | LayerKind::AveragePooling { .. }
                | LayerKind::Flatten { .. }
                | LayerKind::Last { .. }
                | LayerKind::UnitNormalization { .. }
                | LayerKind::Activation { .. }
                | LayerKind::Prelu { .. } => {}
            }
        }
        self
    }
}

fn recurrent<T: Real>(rng: &mut ChaCha8Rng, layer: &Recurrent, parameters: &mut [T]) {
    let [recurrent, input, _] = layer.lengths();
    let rows = layer.cell.gates() * layer.units;
    let (recurrent, rest) = parameters.split_at_mut(recurrent);
    let (input, bias) = rest.split_at_mut(input);
    // Keras counts all gates as outputs of the kernel.
    glorot_uniform(rng, input, layer.inputs, rows);
    orthogonal(rng, recurrent, rows, layer.units);
    bias.fill(T::zero());
    if layer.cell == Cell::Lstm {
        bias[layer.units..2 * layer.units].fill(T::one());
    }
}

/// Uniform in ±√(6 / (inputs + outputs)).
fn glorot_uniform<T: Real>(rng: &mut ChaCha8Rng, kernel: &mut [T], inputs: usize, outputs: usize) {
    uniform(rng, kernel, (6.0 / (inputs + outputs) as f64).sqrt());
}

/// Uniform in ±`limit`.
fn uniform<T: Real>(rng: &mut ChaCha8Rng, kernel: &mut [T], limit: f64) {
    // The limits are finite and in order.
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
