//! A model as a PyTorch state dict.

use super::ExportError;
use crate::math::ActivationKind;
use crate::network::{Cell, Conv1d, LayerKind, Merge, Network, Recurrent};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};
use std::collections::HashMap;

/// Where a file's metadata say what the layers are, which a state dict does not.
pub(crate) const DESCRIPTION: &str = "gatelet";

/// The content of a `.safetensors` file with the weights of an `nn.ModuleList`: a module for each layer, named `0`, `1` …
///
/// A normalisation becomes part of the recurrent or linear layer behind it. What is no part of a state dict, such as activations,
/// is in the file's metadata, for [`from_safetensors`](crate::import::from_safetensors). An `nn.Conv1d` pads both sides or none:
/// the padding in front, dilation · (kernel size - 1) zeros, is up to the module around it.
///
/// ```
/// use gatelet::network::Network;
/// let network = Network::describe(3, "lstm(9, sequences), dense(4)")?.initialized(1);
/// let file = gatelet::export::to_safetensors(&network)?;
/// assert_eq!(gatelet::import::from_safetensors(&file, &Default::default())?.model.network, network);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If PyTorch has no such layer.
pub fn to_safetensors(network: &Network<f32>) -> Result<Vec<u8>, ExportError> {
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    let mut words = Vec::new();
    // (x - offset) · scale, which the next layer has to do.
    let mut before: Option<(&[f32], &[f32])> = None;
    for (i, spec) in network.layers().iter().enumerate() {
        let refused = |why| Err(ExportError { layer: i + 1, what: spec.to_string(), why });
        let parameters = &network.parameters()[network.range(i)];
        if let LayerKind::Normalize { size } = spec.kind {
            if before.is_some() || i + 1 == network.layers().len() {
                return refused("there is no layer behind it to take it in");
            }
            before = Some(parameters.split_at(size));
            continue;
        }
        if spec.integer {
            return refused("PyTorch has no such integer layer");
        }
        if spec.residual {
            return refused("a state dict has no way around a layer");
        }
        if spec.initial_state {
            return refused("a state dict has no initial state");
        }
        let module = words.len();
        words.push(spec.to_string());
        let mut tensor = |name: &str, shape: &[usize], values: &[f32]| {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            tensors.push((format!("{module}.{name}"), shape.to_vec(), bytes));
        };
        let normalized = before.take();
        if normalized.is_some()
            && !matches!(spec.kind, LayerKind::Recurrent(_) | LayerKind::Bidirectional { .. } | LayerKind::Dense { .. })
        {
            return refused("it cannot take in the normalisation before it");
        }
        match spec.kind {
            LayerKind::Recurrent(layer) => {
                if let Some(why) = not_in_pytorch(&layer) {
                    return refused(why);
                }
                cell(&layer, parameters, normalized, |what, shape, values| {
                    tensor(&format!("{what}_l0"), shape, values)
                });
            }
            LayerKind::Bidirectional { layer, merge } => {
                if let Some(why) = not_in_pytorch(&layer) {
                    return refused(why);
                }
                if merge != Merge::Concat {
                    return refused("PyTorch's bidirectional modules give both outputs side by side");
                }
                let (forward, backward) = parameters.split_at(layer.weights());
                for (end, weights) in [("_l0", forward), ("_l0_reverse", backward)] {
                    cell(&layer, weights, normalized, |what, shape, values| {
                        tensor(&format!("{what}{end}"), shape, values)
                    });
                }
            }
            LayerKind::Dense { inputs, units, .. } => {
                let (kernel, bias) = parameters.split_at(inputs * units);
                let (kernel, bias) = folded(kernel, bias, units, normalized);
                tensor("weight", &[units, inputs], &kernel);
                tensor("bias", &[units], &bias);
            }
            LayerKind::Embedding { tokens, size, mask_zero: false } => tensor("weight", &[tokens, size], parameters),
            LayerKind::Conv1d(Conv1d { inputs, units, kernel_size, groups, .. }) => {
                let of_group = inputs / groups;
                let (kernel, bias) = parameters.split_at(kernel_size * of_group * units);
                // [step][input][unit] to [unit][input][step].
                let rows = crate::import::transposed(kernel, kernel_size * of_group, units);
                let rows = rows.chunks_exact(kernel_size * of_group);
                let kernel: Vec<f32> =
                    rows.flat_map(|row| crate::import::transposed(row, kernel_size, of_group)).collect();
                tensor("weight", &[units, of_group, kernel_size], &kernel);
                tensor("bias", &[units], bias);
            }
            LayerKind::Prelu { size } => tensor("weight", &[size], parameters),
            LayerKind::Activation { .. } | LayerKind::Last { .. } => {}
            _ => return refused("PyTorch has no such module"),
        }
    }
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).expect("the shape has so many numbers");
        (name, view)
    });
    let metadata = HashMap::from([(DESCRIPTION.to_owned(), words.join(", "))]);
    Ok(serialize(views, Some(metadata)).expect("the shapes have so many numbers"))
}

/// The tensors of a recurrent layer that goes one way.
fn cell(
    layer: &Recurrent,
    parameters: &[f32],
    normalized: Option<(&[f32], &[f32])>,
    mut tensor: impl FnMut(&str, &[usize], &[f32]),
) {
    let rows = layer.cell.gates() * layer.units;
    let [recurrent, input, _] = layer.lengths();
    let (of_state, rest) = parameters.split_at(recurrent);
    let (of_inputs, bias) = rest.split_at(input);
    let (kernel, added) = folded(of_inputs, &bias[..rows], rows, normalized);
    let mut other = vec![0.0; rows - (bias.len() - rows)];
    other.extend(&bias[rows..]);
    tensor("weight_ih", &[rows, layer.inputs], &kernel);
    tensor("weight_hh", &[rows, layer.units], &folded(of_state, &bias[..rows], rows, None).0);
    tensor("bias_ih", &[rows], &added);
    tensor("bias_hh", &[rows], &other);
}

fn not_in_pytorch(layer: &Recurrent) -> Option<&'static str> {
    let activation = layer.activation;
    match layer.cell {
        _ if layer.go_backwards => Some("PyTorch's recurrent modules go forward, or both ways"),
        Cell::SimpleRnn if !matches!(activation, ActivationKind::Tanh | ActivationKind::Relu) => {
            Some("PyTorch's RNN has tanh and ReLU alone")
        }
        Cell::Gru { reset_after: false } => Some("PyTorch's GRU resets after the product"),
        Cell::Lstm | Cell::Gru { .. }
            if (activation, layer.recurrent_activation) != (ActivationKind::Tanh, ActivationKind::Sigmoid) =>
        {
            Some("PyTorch's LSTM and GRU have tanh and sigmoid alone")
        }
        _ => None,
    }
}

/// A kernel `[k][row]` as PyTorch has it, `[row][k]`, and the bias, of a layer that does the normalisation before it as well.
fn folded(kernel: &[f32], bias: &[f32], rows: usize, before: Option<(&[f32], &[f32])>) -> (Vec<f32>, Vec<f32>) {
    let inputs = kernel.len() / rows;
    let Some((offset, scale)) = before else {
        return (crate::import::transposed(kernel, inputs, rows), bias.to_vec());
    };
    let mut folded = Vec::with_capacity(kernel.len());
    let mut added = Vec::with_capacity(rows);
    for row in 0..rows {
        let mut sum = f64::from(bias[row]);
        for k in 0..inputs {
            let weight = f64::from(kernel[k * rows + row]) * f64::from(scale[k]);
            sum -= weight * f64::from(offset[k]);
            folded.push(weight as f32);
        }
        added.push(sum as f32);
    }
    (folded, added)
}
