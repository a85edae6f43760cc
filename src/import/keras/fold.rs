//! A batch normalisation as part of the layer before it or behind it.

use super::super::{ImportError, unsupported};
use crate::network::LayerKind;

/// `scale · x + shift` for each feature.
pub(super) struct Affine {
    /// The layer in messages.
    pub(super) title: String,
    pub(super) scale: Vec<f64>,
    pub(super) shift: Vec<f64>,
}

/// What a layer makes of its inputs, before its activation, as matrices over its parameters.
struct Linear {
    kernel: usize,
    rows: usize,
    /// From the kernel's beginning.
    bias: usize,
}

impl Affine {
    /// Into the dense layer or convolution before it, whose activation is linear.
    pub(super) fn fold_before(&self, kind: &LayerKind, parameters: &mut [f32]) {
        let units = kind.outputs();
        let bias = parameters.len() - units;
        for (i, parameter) in parameters.iter_mut().enumerate() {
            let unit = i % units;
            let shift = if i < bias { 0.0 } else { self.shift[unit] };
            *parameter = (f64::from(*parameter) * self.scale[unit] + shift) as f32;
        }
    }

    /// Into the dense or recurrent layer behind it, or `false` if that is none, or would lose digits.
    pub(super) fn fold_behind(&self, kind: &LayerKind, parameters: &mut [f32]) -> bool {
        /// Beyond this, what cancels is so much larger than what is left that the sum of a layer is less exact than its
        /// normalised inputs.
        const MOST: f64 = 8.0;
        if self.shift.iter().any(|shift| shift.abs() > MOST) && self.scale.iter().all(|&scale| scale != 0.0) {
            return false;
        }
        match *kind {
            LayerKind::Dense { inputs, units, .. } => {
                self.fold_linear(&Linear { kernel: inputs * units, rows: units, bias: inputs * units }, parameters);
            }
            LayerKind::Recurrent(layer) | LayerKind::Bidirectional { layer, .. } => {
                let [recurrent, kernel, _] = layer.lengths();
                let rows = layer.cell.gates() * layer.units;
                for parameters in parameters.chunks_exact_mut(layer.weights()) {
                    self.fold_linear(&Linear { kernel, rows, bias: kernel }, &mut parameters[recurrent..]);
                }
            }
            _ => return false,
        }
        true
    }

    fn fold_linear(&self, layer: &Linear, parameters: &mut [f32]) {
        let (kernel, bias) = parameters.split_at_mut(layer.bias);
        let mut sums: Vec<f64> = bias.iter().take(layer.rows).map(|&b| f64::from(b)).collect();
        for ((row, scale), shift) in
            kernel[..layer.kernel].chunks_exact_mut(layer.rows).zip(&self.scale).zip(&self.shift)
        {
            for (weight, sum) in row.iter_mut().zip(&mut sums) {
                *sum += f64::from(*weight) * shift;
                *weight = (f64::from(*weight) * scale) as f32;
            }
        }
        for (bias, sum) in bias.iter_mut().zip(sums) {
            *bias = sum as f32;
        }
    }

    /// As a layer of its own: its offsets and scales.
    pub(super) fn into_normalize(self) -> Result<Vec<f32>, ImportError> {
        let offset = self.scale.iter().zip(&self.shift).map(|(scale, shift)| (-shift / scale) as f32);
        let numbers: Vec<f32> = offset.chain(self.scale.iter().map(|&scale| scale as f32)).collect();
        if numbers.iter().any(|number| !number.is_finite()) || numbers[self.scale.len()..].contains(&0.0) {
            let advice = "a gamma of zero can be where a dense or recurrent layer takes the normalisation in";
            return unsupported(format!("{} with a gamma of zero", self.title), advice);
        }
        Ok(numbers)
    }
}
