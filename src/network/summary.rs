//! What a network consists of, as Keras tabulates it.

use super::{Cell, LayerKind, LayerSpec, Network, Recurrent};
use core::fmt;
use serde::Serialize;

/// A network's layers with their output shapes and sizes; [`Display`](fmt::Display) prints Keras's table.
///
/// ```
/// use gatelet::network::Network;
/// let summary = Network::<f32>::describe(5, "lstm(5), dense(32, relu), dense(5, softmax)")?.summary();
/// let parameters: Vec<_> = summary.layers.iter().map(|layer| layer.parameters).collect();
/// assert_eq!(parameters, [220, 192, 165]);
/// # Ok::<(), gatelet::network::DescriptionError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Layer by layer.
    pub layers: Vec<LayerSummary>,
    /// Parameters, as Keras counts them.
    pub parameters: usize,
    /// Bytes of constants on a device.
    pub flash_bytes: usize,
    /// Bytes of one stream's state on a device.
    pub state_bytes: usize,
}

/// A layer of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerSummary {
    /// Its description, such as `gru(32)`.
    pub layer: String,
    /// Shape of its output: `None` for the batch, then `None` for time where it gives a sequence, then its units.
    pub output_shape: Vec<Option<usize>>,
    /// Parameters, as Keras counts them: a GRU that resets after the product has two biases for each gate there, of which
    /// a device keeps the sum where that is the same.
    pub parameters: usize,
    /// Bytes of constants on a device.
    pub flash_bytes: usize,
    /// Bytes of one stream's state on a device.
    pub state_bytes: usize,
}

impl Summary {
    pub(super) fn new(network: &Network<f32>) -> Self {
        let mut sequence = true;
        let layers: Vec<_> = network
            .layers()
            .iter()
            .map(|spec| {
                sequence &= spec.kind.keeps_sequence();
                let time = sequence.then_some(None);
                let shape = [None].into_iter().chain(time).chain([Some(spec.kind.outputs())]);
                LayerSummary {
                    layer: spec.to_string(),
                    output_shape: shape.collect(),
                    parameters: keras_parameters(&spec.kind),
                    flash_bytes: device_bytes(spec),
                    state_bytes: device_state(&spec.kind) * if spec.integer { 2 } else { 4 },
                }
            })
            .collect();
        Summary {
            parameters: layers.iter().map(|layer| layer.parameters).sum(),
            flash_bytes: layers.iter().map(|layer| layer.flash_bytes).sum(),
            state_bytes: layers.iter().map(|layer| layer.state_bytes).sum(),
            layers,
        }
    }
}

/// Bytes of a layer's constants in the type with constant sizes.
fn device_bytes(spec: &LayerSpec) -> usize {
    if spec.integer {
        // Formats that others have made use of: of outputs and, but for an LSTM's, of hidden states.
        let not_kept = |layer: &Recurrent| if layer.cell == Cell::Lstm { 0 } else { 4 };
        return spec.integer_bytes()
            - match spec.kind {
                LayerKind::Recurrent(layer) => not_kept(&layer),
                LayerKind::Bidirectional { layer, .. } => 2 * not_kept(&layer),
                LayerKind::Conv1d(_) => 4,
                LayerKind::Embedding { size, .. } => size,
                _ => 0,
            };
    }
    // The value that masks is no parameter, but it has to be somewhere.
    4 * (spec.parameters() + usize::from(matches!(spec.kind, LayerKind::Masking { .. })))
}

/// Numbers in the state of the type with constant sizes: one that looks back has the present time step in it, too.
fn device_state(kind: &LayerKind) -> usize {
    match *kind {
        LayerKind::Conv1d(layer) => layer.kernel_size * layer.dilation * layer.inputs,
        LayerKind::AveragePooling { size, steps } | LayerKind::Flatten { size, steps } => steps * size,
        kind => kind.state(),
    }
}

fn keras_parameters(kind: &LayerKind) -> usize {
    let recurrent = |layer: &Recurrent| {
        let gates = layer.cell.gates();
        let biases = if layer.cell == (Cell::Gru { reset_after: true }) { 2 * gates } else { gates };
        layer.units * (gates * (layer.units + layer.inputs) + biases)
    };
    match kind {
        LayerKind::Recurrent(layer) => recurrent(layer),
        LayerKind::Bidirectional { layer, .. } => 2 * recurrent(layer),
        kind => kind.weights(),
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = |layer: &LayerSummary| {
            let sizes: Vec<_> =
                layer.output_shape.iter().map(|size| size.map_or("None".into(), |size| size.to_string())).collect();
            format!("({})", sizes.join(", "))
        };
        let names = self.layers.iter().map(|layer| layer.layer.chars().count());
        let width = names.chain([5]).max().unwrap_or(5);
        let line = "─".repeat(width + 57);
        let row = |f: &mut fmt::Formatter<'_>, cells: [&str; 5]| {
            let [layer, shape, parameters, flash, state] = cells;
            writeln!(f, " {layer:width$}  {shape:16}  {parameters:>9}  {flash:>11}  {state:>11}")
        };
        row(f, ["Layer", "Output shape", "Param #", "Flash bytes", "State bytes"])?;
        writeln!(f, "{line}")?;
        for layer in &self.layers {
            let numbers = [layer.parameters, layer.flash_bytes, layer.state_bytes].map(|n| n.to_string());
            row(f, [&layer.layer, &shape(layer), &numbers[0], &numbers[1], &numbers[2]])?;
        }
        writeln!(f, "{line}")?;
        let numbers = [self.parameters, self.flash_bytes, self.state_bytes].map(|n| n.to_string());
        row(f, ["Total", "", &numbers[0], &numbers[1], &numbers[2]])
    }
}
