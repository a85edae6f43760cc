//! Neural Amp Modeler's files: JSON with all weights in one list. Of its architectures the LSTM is recurrent.
//!
//! Per layer W `[4 units][inputs + units]`, gates i, f, g, o, then b `[4 units]` and the state to begin with, h and c `[units]`; behind
//! the layers the head's W `[outputs][units]` and b `[outputs]`.

use super::json::{Array, Keys};
use super::tensors::transposed;
use super::{Entry, ImportError, Imported, Options, imported, network_of, unsupported};
use crate::math::{ActivationKind, OutputKind};
use crate::network::{Cell, LayerKind, LayerSpec, Network, Recurrent};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// What every file has.
#[derive(Deserialize)]
struct Head {
    version: String,
    architecture: String,
}

#[derive(Deserialize)]
struct Named {
    config: Keys,
}

#[derive(Deserialize)]
struct Document {
    config: Config,
    weights: Array,
    sample_rate: Option<f64>,
    #[serde(rename = "metadata")]
    _metadata: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Config {
    num_layers: usize,
    input_size: usize,
    hidden_size: usize,
    in_channels: Option<usize>,
    out_channels: Option<usize>,
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ImportError> {
    serde_json::from_slice(bytes).map_err(|error| ImportError::Damaged { format: ".nam", problem: error.to_string() })
}

/// What `--list` shows of it.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry>, ImportError> {
    let Head { architecture, .. } = parsed(bytes)?;
    #[derive(Deserialize)]
    struct Weights {
        weights: Array,
    }
    let Weights { weights } = parsed(bytes)?;
    let name = format!("weights ({architecture})");
    Ok(vec![Entry { name, shape: weights.shape, data_type: "number".into() }])
}

pub(super) fn import(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    options.none("Neural Amp Modeler")?;
    let Head { version, architecture } = parsed(bytes)?;
    if architecture != "LSTM" {
        return unsupported(format!("`architecture`: {architecture}"), "of Neural Amp Modeler's, LSTM is recurrent");
    }
    if !["0.5.", "0.6.", "0.7."].iter().any(|known| version.starts_with(known)) {
        return unsupported(format!("`version`: {version}"), "0.5 to 0.7 are known");
    }
    let known = ["version", "architecture", "config", "weights", "sample_rate", "metadata"];
    no_others(&parsed(bytes)?, "", &known)?;
    let Named { config } = parsed(bytes)?;
    no_others(&config, "config.", &["num_layers", "input_size", "hidden_size", "in_channels", "out_channels"])?;
    let Document { config, weights, sample_rate, .. } = parsed(bytes)?;
    let network = network(&config, weights)?;
    let notes = vec![match sample_rate {
        Some(rate) => format!("it is for {rate} samples per second"),
        None => "it does not say its sample rate, for which its program takes 48000 per second".into(),
    }];
    imported(network, notes)
}

fn no_others(keys: &Keys, of: &str, known: &[&str]) -> Result<(), ImportError> {
    match keys.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => unsupported(format!("`{of}{key}`"), "it is not known what it changes"),
        None => Ok(()),
    }
}

fn network(config: &Config, weights: Array) -> Result<Network<f32>, ImportError> {
    let &Config { num_layers, input_size, hidden_size: units, in_channels, out_channels } = config;
    if in_channels.is_some_and(|channels| channels != input_size) {
        let advice = "the first layer has to take as many";
        return unsupported(format!("`config.in_channels` beside an `input_size` of {input_size}"), advice);
    }
    let outputs = out_channels.unwrap_or(1);
    let sizes =
        [("num_layers", num_layers), ("input_size", input_size), ("hidden_size", units), ("out_channels", outputs)];
    if let Some((key, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
        return unsupported(format!("`config.{key}`: 0"), "there has to be one");
    }
    let count = || {
        let layer = |inputs: usize| {
            let columns = inputs.checked_add(units)?.checked_add(1)?;
            units.checked_mul(4)?.checked_mul(columns)?.checked_add(units.checked_mul(2)?)
        };
        let others = (num_layers - 1).checked_mul(layer(units)?)?;
        let head = outputs.checked_mul(units.checked_add(1)?)?;
        layer(input_size)?.checked_add(others)?.checked_add(head)
    };
    // Before anything of these sizes is made.
    let expected = count();
    if weights.shape.len() != 1 || expected != weights.shape.first().copied() {
        return Err(ImportError::Shape {
            name: "weights".into(),
            found: weights.shape,
            expected: expected.map_or("more numbers than there can be".into(), |count| format!("[{count}]")),
            by: format!("an LSTM of {num_layers} × {units} units with {input_size} inputs and {outputs} outputs"),
        });
    }
    let weights = weights.into_floats("weights")?;
    let mut rest = weights.as_slice();
    let mut take = |count: usize| {
        let (taken, others) = rest.split_at(count);
        rest = others;
        taken
    };
    let mut specs: Vec<LayerSpec> = Vec::new();
    let mut parameters = Vec::new();
    for layer in 0..num_layers {
        let inputs = if layer == 0 { input_size } else { units };
        let (rows, columns) = (4 * units, inputs + units);
        // [row][column] to [column][row]: the input's, then the state's.
        let kernels = transposed(take(rows * columns), rows, columns);
        let (kernel, recurrent_kernel) = kernels.split_at(inputs * rows);
        let (bias, state) = (take(rows), take(2 * units));
        parameters.extend([recurrent_kernel, kernel, bias].concat());
        let initial_state = state.iter().any(|&value| value != 0.0);
        if initial_state {
            parameters.extend_from_slice(state);
        }
        let layer = Recurrent { return_sequences: true, ..Recurrent::new(Cell::Lstm, inputs, units) };
        specs.push(LayerSpec { initial_state, ..layer.into() });
    }
    let activation = OutputKind::Each(ActivationKind::Linear);
    specs.push(LayerKind::Dense { inputs: units, units: outputs, activation }.into());
    parameters.extend(transposed(take(outputs * units), outputs, units));
    parameters.extend_from_slice(take(outputs));
    network_of(specs, &parameters)
}
