//! Normalisations as part of the layers beside them.

use super::QuantizeError;
use crate::math::{ActivationKind, OutputKind};
use crate::network::{LayerKind, LayerSpec, Network};

/// A network without the normalisations that a layer beside them has taken in.
pub(super) struct Folded {
    pub(super) network: Network<f32>,
    /// How many layers in front are gone.
    pub(super) before: usize,
    /// A normalisation at the end that no layer could take in: it stays in single precision.
    pub(super) behind: Option<(LayerSpec, Vec<f32>)>,
}

/// W (s ⊙ (x - o)) + b = (W diag s) x + (b - (W diag s) o): those in front become part of the next layer, one behind a linear dense
/// layer becomes part of that. In double precision, rounded once.
pub(super) fn folded(network: &Network<f32>) -> Result<Folded, QuantizeError> {
    let mut layers = Vec::new();
    let mut parameters: Vec<Vec<f64>> = Vec::new();
    // y = scale ⊙ x + shift, from the network's input to the layer's.
    let mut pending: Option<(Vec<f64>, Vec<f64>)> = None;
    let mut folded = 0;
    let mut behind = None;
    let count = network.layers().len();
    for (index, spec) in network.layers().iter().enumerate() {
        let mut weights: Vec<f64> = network.parameters()[network.range(index)].iter().map(|&w| w.into()).collect();
        if let LayerKind::Normalize { size } = spec.kind
            && !spec.residual
        {
            let (offset, scale) = weights.split_at(size);
            let is_last = index + 1 == count;
            let last = layers.last().map(|layer: &LayerSpec| layer.kind);
            if let (Some(LayerKind::Dense { activation: OutputKind::Each(ActivationKind::Linear), .. }), Some(dense)) =
                (last, parameters.last_mut())
            {
                // The kernel and the bias: a bias is a row of one more input.
                for row in dense.chunks_exact_mut(size) {
                    for (weight, scale) in row.iter_mut().zip(scale) {
                        *weight *= scale;
                    }
                }
                let bias = dense.len() - size;
                for ((bias, offset), scale) in dense[bias..].iter_mut().zip(offset).zip(scale) {
                    *bias -= offset * scale;
                }
            } else if is_last {
                behind = Some((*spec, network.parameters()[network.range(index)].to_vec()));
            } else {
                let (mut scales, mut shifts) = pending.unwrap_or_else(|| (vec![1.0; size], vec![0.0; size]));
                for i in 0..size {
                    scales[i] *= scale[i];
                    shifts[i] = (shifts[i] - offset[i]) * scale[i];
                }
                pending = Some((scales, shifts));
            }
            folded += usize::from(layers.is_empty());
            continue;
        }
        if let Some((scales, shifts)) = pending.take() {
            let (kernel, rows, bias) = match spec.kind {
                LayerKind::Dense { inputs, units, .. } => (0, units, inputs * units),
                LayerKind::Recurrent(layer) => {
                    let [recurrent, input, _] = layer.lengths();
                    (recurrent, layer.cell.gates() * layer.units, recurrent + input)
                }
                _ => {
                    let problem = "behind a normalisation";
                    let (layer, name) = (index + 1, spec.kind.kind().name());
                    return Err(crate::network::NetworkError::Integer { layer, name, problem }.into());
                }
            };
            for (k, (scale, shift)) in scales.iter().zip(&shifts).enumerate() {
                for row in 0..rows {
                    let weight = weights[kernel + k * rows + row];
                    weights[bias + row] += weight * shift;
                    weights[kernel + k * rows + row] = weight * scale;
                }
            }
        }
        layers.push(*spec);
        parameters.push(weights);
    }
    let mut network = Network::new(layers)?;
    #[expect(clippy::cast_possible_truncation, reason = "the parameters are single precision")]
    for (to, from) in network.parameters_mut().iter_mut().zip(parameters.concat()) {
        *to = from as f32;
    }
    Ok(Folded { network, before: folded, behind })
}
