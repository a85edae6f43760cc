//! RTNeural's JSON: layers in order, with Keras's weights. RTNeural itself skips a layer that it does not know or whose size is wrong.

use super::cells::{gru_bias, swapped};
use super::json::{Array, Keys, damaged_json};
use super::{Budget, Entry, ImportError, Imported, Options, imported, network_of, unsupported};
use crate::math::{ActivationKind, OutputKind};
use crate::network::{Cell, Conv1d, LayerKind, LayerSpec, Network, Recurrent};
use serde::Deserialize;

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
    // Of a convolution.
    kernel_size: Option<Sizes>,
    dilation: Option<Sizes>,
    groups: Option<Sizes>,
    /// Of a batch normalisation.
    epsilon: Option<f64>,
}

/// Keras has a list, one for each dimension, where there is one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Sizes {
    One(usize),
    List(Vec<usize>),
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

/// Whether a file's object is RTNeural's document.
pub(super) fn is_document(keys: &Keys) -> bool {
    keys.contains_key("layers")
}

pub(super) fn import(bytes: &[u8], keys: Keys, options: &Options) -> Result<Imported, ImportError> {
    options.none("RTNeural")?;
    let Document { in_shape, layers } = serde_json::from_slice(bytes).map_err(damaged_json)?;
    let mut beside = keys;
    beside.retain(|key, _| !["in_shape", "layers"].contains(&key.as_str()));
    if let Some(key) = AROUND.into_iter().find(|&key| beside.contains_key(key)) {
        let advice = "a program does it around the network; take it out of the file and do it there";
        return unsupported(format!("`{key}`"), advice);
    }
    let mut specs: Vec<LayerSpec> = Vec::new();
    let mut parameters = Vec::new();
    let mut budget = Budget::of(bytes.len());
    let (steps, mut width) = last(&in_shape, "in_shape")?;
    for (i, layer) in layers.into_iter().enumerate() {
        let name = format!("layers[{i}] ({})", layer.kind);
        let (layer_steps, units) = last(&layer.shape, &format!("{name}, `shape`"))?;
        if layer_steps != steps && layer.shape.len() == in_shape.len() {
            let advice = "RTNeural's layers are causal and give as many time steps as they take";
            return unsupported(format!("{name} with another number of time steps than `in_shape`"), advice);
        }
        if layer.kind == "activation" {
            let chosen = alone(&name, layer, width, units)?;
            match specs.last_mut().map(|spec| &mut spec.kind) {
                // As one layer, which the types of constant size have.
                Some(LayerKind::Dense { activation, .. }) if *activation == LINEAR => *activation = chosen,
                _ => specs.push(LayerKind::Activation { size: width, activation: chosen }.into()),
            }
            continue;
        }
        let (kind, numbers) = layer_of(&name, layer, width, units)?;
        budget.charge(numbers.len())?;
        specs.push(kind.into());
        parameters.extend(numbers);
        width = units;
    }
    let notes = beside.into_keys().map(|key| format!("`{key}` is no part of the network")).collect();
    imported(network_of(specs, &parameters)?, notes)
}

/// The number of time steps, if it is not open, and the size of a step. The batch is open.
fn last(shape: &[Option<usize>], name: &str) -> Result<(Option<usize>, usize), ImportError> {
    match *shape {
        [None, Some(size)] => Ok((None, size)),
        [None, steps, Some(size)] => Ok((steps, size)),
        _ => Err(ImportError::Unsupported {
            what: format!("{name}: {}", serde_json::json!(shape)),
            advice: "[null, size] or [null, time steps, size] can be".into(),
        }),
    }
}

const LINEAR: OutputKind = OutputKind::Each(ActivationKind::Linear);

/// What `activation` names.
fn activation(name: &str, text: &str) -> Result<OutputKind, ImportError> {
    let each = |kind| Ok(OutputKind::Each(kind));
    match text {
        "" | "linear" => Ok(LINEAR),
        "tanh" => each(ActivationKind::Tanh),
        "relu" => each(ActivationKind::Relu),
        "sigmoid" => each(ActivationKind::Sigmoid),
        "elu" => each(ActivationKind::Elu),
        "softmax" => Ok(OutputKind::Softmax),
        _ => unsupported(format!("{name}, activation `{text}`"), "there are tanh, relu, sigmoid, elu and softmax"),
    }
}

/// An activation that is a layer of its own.
fn alone(name: &str, layer: Layer, inputs: usize, units: usize) -> Result<OutputKind, ImportError> {
    only(name, &layer, &[])?;
    same_size(name, inputs, units)?;
    if !layer.weights.is_empty() {
        return unsupported(format!("{name} with weights"), "an activation has none");
    }
    activation(name, &layer.activation)
}

/// That a layer says nothing that its kind has no use for.
fn only(name: &str, layer: &Layer, used: &[&str]) -> Result<(), ImportError> {
    let others = [
        ("kernel_size", layer.kernel_size.is_some()),
        ("dilation", layer.dilation.is_some()),
        ("groups", layer.groups.is_some()),
        ("epsilon", layer.epsilon.is_some()),
    ];
    match others.into_iter().find(|(key, given)| *given && !used.contains(key)) {
        Some((key, _)) => unsupported(format!("{name}, `{key}`"), "no such layer has it"),
        None => Ok(()),
    }
}

/// That there is no activation, which RTNeural would not look at.
fn none(name: &str, text: &str) -> Result<(), ImportError> {
    match text {
        "" | "linear" => Ok(()),
        _ => unsupported(
            format!("{name}, activation `{text}`"),
            "RTNeural does not look at it; write a layer of its own",
        ),
    }
}

fn same_size(name: &str, inputs: usize, units: usize) -> Result<(), ImportError> {
    if inputs != units {
        return unsupported(format!("{name} of {units} outputs on {inputs} inputs"), "it has to have as many");
    }
    Ok(())
}

/// The numbers of a layer's arrays, which have these names and shapes; the last `optional` ones may be missing.
fn arrays(
    name: &str,
    weights: Vec<Array>,
    wanted: &[(&str, &[usize])],
    optional: usize,
    by: &str,
) -> Result<Vec<Vec<f32>>, ImportError> {
    if !(wanted.len() - optional..=wanted.len()).contains(&weights.len()) {
        return unsupported(
            format!("{name} with {} arrays of weights", weights.len()),
            format!("it has {}", wanted.len()),
        );
    }
    let numbers = |(array, (what, shape)): (Array, &(&str, &[usize]))| {
        let (name, by) = (format!("{name}, {what}"), by.to_owned());
        if array.shape != *shape {
            let (found, expected) = (array.shape, format!("{shape:?}"));
            return Err(ImportError::Shape { name, found, expected, by });
        }
        array.into_floats(&name)
    };
    weights.into_iter().zip(wanted).map(numbers).collect()
}

fn layer_of(name: &str, layer: Layer, inputs: usize, units: usize) -> Result<(LayerKind, Vec<f32>), ImportError> {
    match layer.kind.as_str() {
        "lstm" | "gru" => recurrent(name, layer, inputs, units),
        "dense" | "time-distributed-dense" => {
            only(name, &layer, &[])?;
            let activation = activation(name, &layer.activation)?;
            let wanted: &[(&str, &[usize])] = &[("kernel", &[inputs, units]), ("bias", &[units])];
            let by = format!("{units} units on {inputs} inputs");
            let mut parts = arrays(name, layer.weights, wanted, 1, &by)?;
            // Keras has none with `use_bias=False`.
            parts.resize(2, vec![0.0; units]);
            Ok((LayerKind::Dense { inputs, units, activation }, parts.concat()))
        }
        "conv1d" => convolution(name, layer, inputs, units),
        "batchnorm" => {
            same_size(name, inputs, units)?;
            normalization(name, layer, units)
        }
        "prelu" => {
            only(name, &layer, &[])?;
            same_size(name, inputs, units)?;
            none(name, &layer.activation)?;
            // Of one slope many are made: only as many as a layer can have.
            Network::<f32>::new(vec![LayerKind::Activation { size: units, activation: LINEAR }.into()])?;
            // One slope for each channel, or one for all.
            let slopes = layer.weights.first().and_then(|array| array.shape.last()).map_or(units, |&last| last);
            let slopes = if slopes == 1 { 1 } else { units };
            let parts = arrays(name, layer.weights, &[("slopes", &[1, slopes])], 0, &format!("{units} inputs"))?;
            Ok((LayerKind::Prelu { size: units }, parts.concat().repeat(units / slopes)))
        }
        _ => unsupported(
            name.to_owned(),
            "there are lstm, gru, dense, time-distributed-dense, conv1d, batchnorm, prelu and activation",
        ),
    }
}

fn recurrent(name: &str, layer: Layer, inputs: usize, units: usize) -> Result<(LayerKind, Vec<f32>), ImportError> {
    only(name, &layer, &[])?;
    let gates = if layer.kind == "lstm" { 4 } else { 3 };
    // What is above 16384 is refused by the network; here no product overflows.
    let rows = gates * units.min(1 << 20);
    let bias: &[usize] = if gates == 4 { &[rows] } else { &[2, rows] };
    let wanted: &[(&str, &[usize])] =
        &[("kernel", &[inputs, rows]), ("recurrent kernel", &[units, rows]), ("bias", bias)];
    let mut parts = arrays(name, layer.weights, wanted, 0, &format!("{units} units on {inputs} inputs"))?;
    if !matches!(layer.activation.as_str(), "" | "tanh") {
        let advice = "RTNeural does not look at it and takes tanh; write tanh if that is meant";
        return unsupported(format!("{name}, activation `{}`", layer.activation), advice);
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

/// Keras's kernel `[step][input of a group][unit]`, oldest step first, is that of the model file.
fn convolution(name: &str, layer: Layer, inputs: usize, units: usize) -> Result<(LayerKind, Vec<f32>), ImportError> {
    let one = |key: &str, sizes: &Option<Sizes>| match sizes {
        Some(Sizes::One(size)) => Ok(Some(*size)),
        Some(Sizes::List(sizes)) => match sizes[..] {
            [size] => Ok(Some(size)),
            _ => unsupported(format!("{name}, `{key}` of {} sizes", sizes.len()), "it has one"),
        },
        None => Ok(None),
    };
    let needed = |key: &str, sizes: &Option<Sizes>| match one(key, sizes)? {
        Some(size) => Ok(size),
        None => unsupported(format!("{name} without `{key}`"), "RTNeural needs it"),
    };
    only(name, &layer, &["kernel_size", "dilation", "groups"])?;
    let kernel_size = needed("kernel_size", &layer.kernel_size)?;
    let dilation = needed("dilation", &layer.dilation)?;
    let groups = one("groups", &layer.groups)?.unwrap_or(1);
    let OutputKind::Each(activation) = activation(name, &layer.activation)? else {
        return unsupported(format!("{name}, activation `softmax`"), "write it as a layer of its own");
    };
    let of_group = inputs.checked_div(groups).unwrap_or(0);
    let wanted: &[(&str, &[usize])] = &[("kernel", &[kernel_size, of_group, units]), ("bias", &[units])];
    let by = format!("{units} units on {inputs} inputs in {groups} groups");
    let mut parts = arrays(name, layer.weights, wanted, 1, &by)?;
    parts.resize(2, vec![0.0; units]);
    let kind = LayerKind::Conv1d(Conv1d { inputs, units, kernel_size, dilation, groups, activation });
    Ok((kind, parts.concat()))
}

/// gamma · (x - mean) / √(variance + epsilon) + beta
fn normalization(name: &str, mut layer: Layer, size: usize) -> Result<(LayerKind, Vec<f32>), ImportError> {
    only(name, &layer, &["epsilon"])?;
    none(name, &layer.activation)?;
    let Some(epsilon) = layer.epsilon else {
        return unsupported(format!("{name} without `epsilon`"), "RTNeural needs it");
    };
    let wanted: &[(&str, &[usize])] =
        &[("gamma", &[size]), ("beta", &[size]), ("mean", &[size]), ("variance", &[size])];
    // Keras has no gamma and beta with `scale=False, center=False`.
    let affine = layer.weights.len() != 2;
    let wanted = if affine { wanted } else { &wanted[2..] };
    let parts = arrays(name, core::mem::take(&mut layer.weights), wanted, 0, &format!("{size} inputs"))?;
    let number = |part: usize, i: usize| f64::from(parts[part][i]);
    let (mut scale, mut added, mut offset) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..size {
        let (gamma, beta) = if affine { (number(0, i), number(1, i)) } else { (1.0, 0.0) };
        let (mean, variance) = (number(parts.len() - 2, i), number(parts.len() - 1, i));
        let by = gamma / (variance + epsilon).sqrt();
        scale.push(by as f32);
        added.push((beta - mean * by) as f32);
        offset.push((mean - beta / by) as f32);
    }
    if let Some(i) = (0..size).find(|&i| !(scale[i].is_finite() && added[i].is_finite())) {
        let what = format!("{name}: a variance of {} with an epsilon of {epsilon}", number(parts.len() - 1, i));
        return unsupported(
            what,
            "together they have to be above zero, and what is divided by their root not too large",
        );
    }
    if offset.iter().all(|offset| offset.is_finite()) {
        return Ok((LayerKind::Normalize { size }, [offset, scale].concat()));
    }
    // A gamma of zero: x · 0 + beta is a convolution over a single time step with a group for each input.
    let activation = ActivationKind::Linear;
    let kind = Conv1d { inputs: size, units: size, kernel_size: 1, dilation: 1, groups: size, activation };
    Ok((LayerKind::Conv1d(kind), [scale, added].concat()))
}
