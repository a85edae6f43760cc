//! RTNeural's JSON: layers in order, with Keras's weights.

use super::json::{Array, damaged_json};
use super::{Entry, ImportError, Imported, Options};
use crate::math::{ActivationKind, OutputKind};
use crate::network::{Cell, LayerKind, LayerSpec, Model, Network, Recurrent};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Document {
    in_shape: Vec<Option<usize>>,
    layers: Vec<Layer>,
}

/// What programs do around the network, and would be missed.
const AROUND: [&str; 3] = ["in_skip", "in_gain", "out_gain"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Layer {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    activation: String,
    shape: Vec<Option<usize>>,
    weights: Vec<Array>,
    // Of layers that are not imported yet.
    kernel_size: Option<IgnoredAny>,
    dilation: Option<IgnoredAny>,
    groups: Option<IgnoredAny>,
}

/// What `--list` shows of it: its weights, named by their places.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry>, ImportError> {
    let document: Document = serde_json::from_slice(bytes).map_err(damaged_json)?;
    let mut entries = Vec::new();
    for (i, layer) in document.layers.into_iter().enumerate() {
        entries.extend(layer.weights.into_iter().enumerate().map(|(part, array)| Entry {
            name: format!("layers[{i}] ({}), weights[{part}]", layer.kind),
            shape: array.shape,
            data_type: "number".into(),
        }));
    }
    Ok(entries)
}

/// The names in a file's object.
pub(super) type Keys = BTreeMap<String, IgnoredAny>;

/// The names in the file's object, if it is RTNeural's document, and not a state dict.
pub(super) fn document(bytes: &[u8]) -> Result<Option<Keys>, ImportError> {
    let keys: Keys = serde_json::from_slice(bytes).map_err(damaged_json)?;
    Ok(keys.contains_key("layers").then_some(keys))
}

pub(super) fn import(bytes: &[u8], keys: Keys, options: &Options) -> Result<Imported, ImportError> {
    for (option, given) in [("model", options.model.is_some()), ("prefix", options.prefix.is_some())] {
        if given {
            return Err(ImportError::Option { option, format: "RTNeural" });
        }
    }
    let Document { in_shape, layers } = serde_json::from_slice(bytes).map_err(damaged_json)?;
    let mut beside = keys;
    beside.retain(|key, _| !["in_shape", "layers"].contains(&key.as_str()));
    if let Some(key) = AROUND.into_iter().find(|&key| beside.contains_key(key)) {
        let advice = "a program does it around the network; take it out of the file and do it there";
        return unsupported(format!("`{key}`"), advice);
    }
    let mut specs: Vec<LayerSpec> = Vec::new();
    let mut parameters = Vec::new();
    let mut width = last(&in_shape, "in_shape")?;
    for (i, layer) in layers.into_iter().enumerate() {
        let name = format!("layers[{i}] ({})", layer.kind);
        if layer.kind == "activation" {
            activate(&name, layer, specs.last_mut())?;
            continue;
        }
        let units = last(&layer.shape, &format!("{name}, `shape`"))?;
        let (kind, numbers) = layer_of(&name, layer, width, units)?;
        specs.push(kind.into());
        parameters.extend(numbers);
        width = units;
    }
    let mut network = Network::new(specs)?;
    network.parameters_mut().copy_from_slice(&parameters);
    let notes = beside.into_keys().map(|key| format!("`{key}` is no part of the network")).collect();
    Ok(Imported { model: Model::new(network), notes })
}

/// The size of a step, behind the batch's and the sequence's, which are open.
fn last(shape: &[Option<usize>], name: &str) -> Result<usize, ImportError> {
    match shape {
        [None, Some(size)] | [None, None, Some(size)] => Ok(*size),
        _ => Err(ImportError::Unsupported {
            what: format!("{name}: {}", serde_json::json!(shape)),
            advice: "[null, size] or [null, null, size] can be".into(),
        }),
    }
}

fn unsupported<T>(what: String, advice: &str) -> Result<T, ImportError> {
    Err(ImportError::Unsupported { what, advice: advice.into() })
}

/// What `activation` names behind a dense layer.
fn activation(name: &str, text: &str) -> Result<OutputKind, ImportError> {
    let each = |kind| Ok(OutputKind::Each(kind));
    match text {
        "" | "linear" => each(ActivationKind::Linear),
        "tanh" => each(ActivationKind::Tanh),
        "relu" => each(ActivationKind::Relu),
        "sigmoid" => each(ActivationKind::Sigmoid),
        "elu" => each(ActivationKind::Elu),
        "softmax" => Ok(OutputKind::Softmax),
        _ => unsupported(format!("{name}, activation `{text}`"), "there are tanh, relu, sigmoid, elu and softmax"),
    }
}

/// An activation that is a layer of its own becomes the one of the dense layer before it.
fn activate(name: &str, layer: Layer, before: Option<&mut LayerSpec>) -> Result<(), ImportError> {
    no_others(name, &layer)?;
    if !layer.weights.is_empty() {
        return unsupported(format!("{name} with weights"), "an activation has none");
    }
    let chosen = activation(name, &layer.activation)?;
    match before.map(|spec| &mut spec.kind) {
        Some(LayerKind::Dense { units, activation, .. }) if *activation == OutputKind::Each(ActivationKind::Linear) => {
            if last(&layer.shape, &format!("{name}, `shape`"))? != *units {
                return unsupported(format!("{name} of another size than the layer before it"), "they have to agree");
            }
            *activation = chosen;
            Ok(())
        }
        _ => unsupported(name.to_owned(), "it can stand behind a dense layer that has none, and nowhere else"),
    }
}

fn no_others(name: &str, layer: &Layer) -> Result<(), ImportError> {
    let others = [("kernel_size", &layer.kernel_size), ("dilation", &layer.dilation), ("groups", &layer.groups)];
    match others.into_iter().find(|(_, given)| given.is_some()) {
        Some((key, _)) => unsupported(format!("{name}, `{key}`"), "no such layer has it"),
        None => Ok(()),
    }
}

fn layer_of(name: &str, layer: Layer, inputs: usize, units: usize) -> Result<(LayerKind, Vec<f32>), ImportError> {
    let gates = match layer.kind.as_str() {
        "lstm" => 4,
        "gru" => 3,
        "dense" | "time-distributed-dense" => 1,
        _ => return unsupported(name.to_owned(), "there are lstm, gru, dense, time-distributed-dense and activation"),
    };
    no_others(name, &layer)?;
    let Layer { activation: text, weights, .. } = layer;
    // What is above 16384 is refused by the network; here no product overflows.
    let rows = gates * units.min(1 << 20);
    let wanted: &[(&str, &[usize])] = match gates {
        1 => &[("kernel", &[inputs, rows]), ("bias", &[rows])],
        3 => &[("kernel", &[inputs, rows]), ("recurrent kernel", &[units, rows]), ("bias", &[2, rows])],
        _ => &[("kernel", &[inputs, rows]), ("recurrent kernel", &[units, rows]), ("bias", &[rows])],
    };
    // RTNeural takes a dense layer without a bias.
    if weights.len() != wanted.len() && !(gates == 1 && weights.len() == 1) {
        return unsupported(
            format!("{name} with {} arrays of weights", weights.len()),
            &format!("it has {}", wanted.len()),
        );
    }
    let mut parts = Vec::new();
    for (array, (what, shape)) in weights.into_iter().zip(wanted) {
        let (name, by) = (format!("{name}, {what}"), format!("{units} units on {inputs} inputs"));
        if array.shape != *shape {
            let (found, expected) = (array.shape, format!("{shape:?}"));
            return Err(ImportError::Shape { name, found, expected, by });
        }
        parts.push(array.into_floats(&name)?);
    }
    if gates == 1 {
        parts.resize(2, vec![0.0; units]);
        return Ok((LayerKind::Dense { inputs, units, activation: activation(name, &text)? }, parts.concat()));
    }
    if !matches!(text.as_str(), "" | "tanh") {
        let advice = "RTNeural does not look at it and takes tanh; write tanh if that is meant";
        return unsupported(format!("{name}, activation `{text}`"), advice);
    }
    let [kernel, recurrent_kernel, bias] = [0, 1, 2].map(|part| core::mem::take(&mut parts[part]));
    let (cell, recurrent_kernel, kernel, bias) = if gates == 4 {
        (Cell::Lstm, recurrent_kernel, kernel, bias)
    } else {
        (
            Cell::Gru { reset_after: true },
            swapped(recurrent_kernel, units),
            swapped(kernel, units),
            gru_bias(&bias, units),
        )
    };
    let layer = Recurrent { return_sequences: true, ..Recurrent::new(cell, inputs, units) };
    Ok((LayerKind::Recurrent(layer), [recurrent_kernel, kernel, bias].concat()))
}

/// Keras's gates z, r, h as r, z, n.
fn swapped(mut matrix: Vec<f32>, units: usize) -> Vec<f32> {
    for row in matrix.chunks_exact_mut(3 * units) {
        let (z, rest) = row.split_at_mut(units);
        z.swap_with_slice(&mut rest[..units]);
    }
    matrix
}

/// Keras's biases of inputs and of the state, each z, r, h, as r, z, n, and the state's part of n.
fn gru_bias(bias: &[f32], units: usize) -> Vec<f32> {
    let (of_inputs, of_state) = bias.split_at(3 * units);
    let sums: Vec<f32> = of_inputs.iter().zip(of_state).take(2 * units).map(|(a, b)| a + b).collect();
    let (z, r) = sums.split_at(units);
    [r, z, &of_inputs[2 * units..], &of_state[2 * units..]].concat()
}
