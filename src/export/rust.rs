//! A model as a Rust module: its type, its weights as constants, its labels.

use super::ExportError;
use crate::math::{ActivationKind, OutputKind};
use crate::network::integers::{self, numbers, signed};
use crate::network::{Cell, Conv1d, LayerKind, LayerSpec, Merge, Model, Network, Recurrent};
use std::fmt::Write;
use std::ops::Range;

/// The type of a network with its sizes in it, as `gatelet::chain!` names it.
///
/// ```
/// use gatelet::network::Network;
/// let network = Network::describe(12, "gru(32), dense(9, softmax)")?;
/// assert_eq!(
///     gatelet::export::type_of(&network)?,
///     "gatelet::chain!(gatelet::Gru<12, 32>, gatelet::Dense<32, 9, gatelet::Softmax>)"
/// );
///
/// // What sees whole sequences is a `SequenceLayer`.
/// let network = Network::describe(2, "masking(-1), dense(8, relu), bidirectional(lstm(4)), dense(1)")?;
/// assert_eq!(
///     gatelet::export::type_of(&network)?,
///     "gatelet::chain!(gatelet::chain!(gatelet::Masking<2>, gatelet::Dense<2, 8, gatelet::Relu>), \
///      gatelet::Bidirectional<gatelet::Lstm<8, 4>, 8>, gatelet::Dense<8, 1>)"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If there is no such type for a layer; at present, there is one for every layer.
pub fn type_of(network: &Network<f32>) -> Result<String, ExportError> {
    let types: Vec<_> = network.layers().iter().map(layer_type).collect();
    let name = |layers: &Range<usize>| match &types[layers.clone()] {
        [layer] => layer.clone(),
        layers => format!("gatelet::chain!({})", layers.join(", ")),
    };
    let groups: Vec<_> = groups(network).iter().map(name).collect();
    Ok(format!("gatelet::chain!({})", groups.join(", ")))
}

/// The layers in the parts of the outermost chain. What goes step by step between layers that see whole sequences is a part of
/// its own, so that there is no room for a sequence within it.
fn groups(network: &Network<f32>) -> Vec<Range<usize>> {
    let layers = network.layers();
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut streams = false;
    for (layer, spec) in layers.iter().enumerate() {
        let streamed = core::mem::replace(&mut streams, !network.is_causal() && !spec.kind.needs_whole_sequence());
        match groups.last_mut() {
            Some(group) if streamed && streams => group.end = layer + 1,
            _ => groups.push(layer..layer + 1),
        }
    }
    groups
}

fn layer_type(spec: &LayerSpec) -> String {
    // The usual activation need not be named, unless something stands behind it.
    let with = |activation: OutputKind, behind: &str| match activation {
        OutputKind::Each(ActivationKind::Linear) if behind.is_empty() => String::new(),
        _ => format!(", gatelet::{}{behind}", activation.type_name()),
    };
    let room = if spec.integer { "gatelet::quant::" } else { "gatelet::" };
    let name = match spec.kind {
        LayerKind::Normalize { size } => format!("Normalize<{size}>"),
        LayerKind::Dense { inputs, units, activation } => format!("Dense<{inputs}, {units}{}>", with(activation, "")),
        LayerKind::Recurrent(layer) => recurrent_type(&layer, room),
        LayerKind::Bidirectional { layer: both, merge } => {
            let merged = match merge {
                Merge::Concat => "",
                Merge::Sum => ", gatelet::Sum",
                Merge::Mul => ", gatelet::Mul",
                Merge::Ave => ", gatelet::Ave",
                Merge::None => ", gatelet::Unmerged",
            };
            // Neither says anything of the layers inside.
            let inside = Recurrent { go_backwards: false, zero_output_for_mask: false, ..both };
            format!("Bidirectional<{}, {}{merged}>", recurrent_type(&inside, room), merge.outputs(both.units))
        }
        LayerKind::Masking { size, .. } => format!("Masking<{size}>"),
        LayerKind::Embedding { tokens, size, mask_zero: false } => format!("Embedding<{tokens}, {size}>"),
        LayerKind::Embedding { tokens, size, mask_zero: true } => format!("Embedding<{tokens}, {size}, true>"),
        LayerKind::Conv1d(Conv1d { inputs, units, kernel_size, dilation, groups, activation }) => {
            let more = match (dilation, groups) {
                (1, 1) => String::new(),
                (_, 1) => format!(", {dilation}"),
                _ => format!(", {dilation}, {}", inputs / groups),
            };
            format!("Conv1d<{inputs}, {units}, {kernel_size}{}>", with(OutputKind::Each(activation), &more))
        }
        LayerKind::AveragePooling { size, steps } => format!("AveragePooling<{size}, {steps}>"),
        LayerKind::Flatten { size, steps } => format!("Flatten<{size}, {steps}, {}>", size * steps),
        LayerKind::Last { size } => format!("Last<{size}>"),
        LayerKind::UnitNormalization { size } => format!("UnitNormalization<{size}>"),
        LayerKind::Activation { size, activation } => format!("Activate<{size}, gatelet::{}>", activation.type_name()),
        LayerKind::Prelu { size } => format!("Prelu<{size}>"),
        LayerKind::Quantize { size } => format!("Quantize<{size}>"),
        LayerKind::Dequantize { size } => format!("Dequantize<{size}>"),
    };
    let mut name = if let LayerKind::Recurrent(_) = spec.kind { name } else { format!("{room}{name}") };
    if spec.initial_state {
        name = format!("gatelet::InitialState<{name}>");
    }
    match (spec.residual, spec.integer) {
        (false, _) => name,
        (true, false) => format!("gatelet::Residual<{name}>"),
        (true, true) => format!("gatelet::quant::Residual<{name}, {}>", spec.kind.inputs()),
    }
}

/// `room` is the module that its cell is in.
fn recurrent_type(layer: &Recurrent, room: &str) -> String {
    let each = |kind: ActivationKind| format!("gatelet::{}", kind.type_name());
    let (name, form) = match layer.cell {
        Cell::SimpleRnn => ("SimpleRnn", None),
        Cell::Lstm => ("Lstm", None),
        Cell::Gru { reset_after } => ("Gru", Some(reset_after)),
    };
    let usual = match layer.cell {
        Cell::SimpleRnn => layer.activation == ActivationKind::Tanh,
        _ => (layer.activation, layer.recurrent_activation) == (ActivationKind::Tanh, ActivationKind::Sigmoid),
    };
    let mut parameters = format!("{}, {}", layer.inputs, layer.units);
    if let Some(reset_after) = form
        && !(usual && reset_after)
    {
        parameters += &format!(", {reset_after}");
    }
    if !usual {
        parameters += &format!(", {}", each(layer.activation));
        if layer.cell != Cell::SimpleRnn {
            parameters += &format!(", {}", each(layer.recurrent_activation));
        }
    }
    let mut name = format!("{room}{name}<{parameters}>");
    for (around, is_around) in [("ZeroOutput", layer.zero_output_for_mask), ("Backwards", layer.go_backwards)] {
        if is_around {
            name = format!("gatelet::{around}<{name}>");
        }
    }
    name
}

/// A model as the source of a Rust module with `Net`, its type, `NET`, a `static` that lies in flash, and `LABELS` where
/// there are any. The result of a step has the same bits as with [`embed!`](crate::embed). `source` names the model file in
/// the comment on top, which also says where the model comes from.
///
/// # Errors
/// If there is no such type for a layer.
pub fn to_rust(model: &Model, source: &str) -> Result<String, ExportError> {
    let network = &model.network;
    let mut rust = format!(
        "//! {}, as Rust source made from {source} by `gatelet export`.\n//!\n",
        one_line(&network.to_string())
    );
    let metadata = serde_json::to_string_pretty(&model.metadata).unwrap_or_default();
    rust += "//! ```json\n";
    for line in metadata.lines() {
        rust += &format!("//! {line}\n");
    }
    rust += "//! ```\n\n";
    rust += &format!("/// The network's type.\npub type Net = {};\n\n", type_of(network)?);
    rust += "/// The network, in flash as it is.\n#[rustfmt::skip]\n#[allow(clippy::all, clippy::pedantic)]\n";
    rust += "pub static NET: Net = ";
    chain(&mut rust, &groups(network), &|rust, group| {
        chain(rust, &group.clone().collect::<Vec<_>>(), &|rust, &layer| {
            let spec = &network.layers()[layer];
            if spec.integer {
                integer_value(rust, spec, network.integers(layer));
            } else {
                layer_value(rust, spec, &network.parameters()[network.range(layer)]);
            }
        });
    });
    rust += ";\n";
    if !model.labels.is_empty() {
        rust += &format!(
            "\n/// The classes, in the order of the outputs.\npub static LABELS: [&str; {}] = {:?};\n",
            model.labels.len(),
            model.labels
        );
    }
    Ok(rust)
}

/// Text that stays within a line comment.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The value of a chain of some parts, or of one alone.
fn chain<T>(rust: &mut String, parts: &[T], value: &dyn Fn(&mut String, &T)) {
    let last = parts.len() - 1;
    for (part, what) in parts.iter().enumerate() {
        if part < last {
            *rust += "gatelet::Chain(\n";
        }
        value(rust, what);
        *rust += if part < last { ",\n" } else { "" };
    }
    *rust += &")".repeat(last);
}

fn layer_value(rust: &mut String, spec: &LayerSpec, parameters: &[f32]) {
    let (weights, state) = parameters.split_at(spec.kind.weights());
    if spec.residual {
        *rust += "gatelet::Residual(";
    }
    if spec.initial_state {
        initial_state_value(rust, &spec.kind, state, state_value);
    }
    match spec.kind {
        LayerKind::Normalize { size } => {
            *rust += "gatelet::Normalize::new(";
            array(rust, weights, &[size]);
            *rust += ", ";
            array(rust, &weights[size..], &[size]);
            *rust += ")";
        }
        LayerKind::Dense { inputs, units, .. } => {
            *rust += "gatelet::Dense::new(&";
            array(rust, weights, &[inputs, units]);
            *rust += ", &";
            array(rust, &weights[inputs * units..], &[units]);
            *rust += ")";
        }
        LayerKind::Recurrent(layer) => recurrent_value(rust, &layer, weights),
        LayerKind::Bidirectional { layer, .. } => {
            let inside = Recurrent { go_backwards: false, zero_output_for_mask: false, ..layer };
            let (forward, backward) = weights.split_at(layer.weights());
            *rust += "gatelet::Bidirectional::new(";
            recurrent_value(rust, &inside, forward);
            *rust += ", ";
            recurrent_value(rust, &inside, backward);
            *rust += ")";
        }
        LayerKind::Masking { value, .. } => *rust += &format!("gatelet::Masking::new({value:?})"),
        LayerKind::Embedding { tokens, size, .. } => {
            *rust += "gatelet::Embedding::new(";
            array(rust, weights, &[tokens, size]);
            *rust += ")";
        }
        LayerKind::Conv1d(Conv1d { inputs, units, kernel_size, groups, .. }) => {
            *rust += "gatelet::Conv1d::new(&";
            array(rust, weights, &[kernel_size, inputs / groups, units]);
            *rust += ", &";
            array(rust, &weights[weights.len() - units..], &[units]);
            *rust += ")";
        }
        LayerKind::Prelu { size } => {
            *rust += "gatelet::Prelu::new(";
            array(rust, weights, &[size]);
            *rust += ")";
        }
        LayerKind::Quantize { .. } | LayerKind::Dequantize { .. } => unreachable!("these are integer layers"),
        LayerKind::AveragePooling { .. } => *rust += "gatelet::AveragePooling::new()",
        LayerKind::Flatten { .. } => *rust += "gatelet::Flatten::new()",
        LayerKind::Last { .. } => *rust += "gatelet::Last::new()",
        LayerKind::UnitNormalization { .. } => *rust += "gatelet::UnitNormalization::new()",
        LayerKind::Activation { .. } => *rust += "gatelet::Activate::new()",
    }
    *rust += &")".repeat(usize::from(spec.residual) + usize::from(spec.initial_state));
}

/// A cell's name, and the dimensions of its gates and biases: one gate is no dimension of its own.
const fn cell_shape(cell: Cell) -> (&'static str, &'static [usize], &'static [usize]) {
    match cell {
        Cell::SimpleRnn => ("SimpleRnn", &[], &[]),
        Cell::Lstm => ("Lstm", &[4], &[4]),
        Cell::Gru { .. } => ("Gru", &[3], &[4]),
    }
}

/// The value of a recurrent layer, whose cell's `value` writes, in what stands around it.
fn around_value(rust: &mut String, layer: &Recurrent, value: impl FnOnce(&mut String)) {
    let around = [("Backwards", layer.go_backwards), ("ZeroOutput", layer.zero_output_for_mask)];
    let around: Vec<_> = around.iter().filter(|(_, is_around)| *is_around).collect();
    for (name, _) in &around {
        *rust += &format!("gatelet::{name}(");
    }
    value(rust);
    *rust += &")".repeat(around.len());
}

fn recurrent_value(rust: &mut String, layer: &Recurrent, weights: &[f32]) {
    let [recurrent, input, _] = layer.lengths();
    let (name, gates, biases) = cell_shape(layer.cell);
    let units = &[layer.units][..];
    around_value(rust, layer, |rust| {
        *rust += &format!("gatelet::{name}::new(&");
        array(rust, weights, &[units, gates, units].concat());
        *rust += ", &";
        array(rust, &weights[recurrent..], &[&[layer.inputs], gates, units].concat());
        *rust += ", &";
        array(rust, &weights[recurrent + input..], &[biases, units].concat());
        *rust += ")";
    });
}

fn integer_value(rust: &mut String, spec: &LayerSpec, bytes: &[u8]) {
    let (bytes, rest) = bytes.split_at(spec.kind.integer_bytes());
    let (shifts, state) = rest.split_at(if spec.residual { 2 * spec.kind.inputs() } else { 0 });
    let rows = integers::rows(&spec.kind, bytes).unwrap_or_default();
    if spec.residual {
        *rust += "gatelet::quant::Residual::new(";
        array(rust, shifts, &[2, spec.kind.inputs()]);
        *rust += ", ";
    }
    if spec.initial_state {
        initial_state_value(rust, &spec.kind, &numbers(state), integer_state_value);
    }
    match spec.kind {
        LayerKind::Recurrent(layer) => integer_cell_value(rust, &layer, bytes),
        LayerKind::Bidirectional { layer, .. } => {
            let inside = Recurrent { go_backwards: false, zero_output_for_mask: false, ..layer };
            let (forward, backward) = bytes.split_at(layer.integer_bytes());
            *rust += "gatelet::Bidirectional::new(";
            integer_cell_value(rust, &inside, forward);
            *rust += ", ";
            integer_cell_value(rust, &inside, backward);
            *rust += ")";
        }
        LayerKind::Dense { inputs, units, .. } => {
            *rust += "gatelet::quant::Dense::new(&";
            array(rust, &rows.input, &[inputs, units]);
            for numbers in [&rows.bias, &rows.scale] {
                *rust += ", &";
                array(rust, numbers, &[units]);
            }
            *rust += &format!(", {})", rows.formats[0]);
        }
        LayerKind::Conv1d(Conv1d { inputs, units, kernel_size, .. }) => {
            *rust += "gatelet::quant::Conv1d::new(&";
            array(rust, &rows.input, &[kernel_size, inputs, units]);
            for numbers in [&rows.bias, &rows.scale] {
                *rust += ", &";
                array(rust, numbers, &[units]);
            }
            *rust += ")";
        }
        LayerKind::Masking { size, .. } => {
            *rust += "gatelet::quant::Masking::new(";
            array(rust, &numbers(bytes), &[size]);
            *rust += ")";
        }
        LayerKind::Embedding { tokens, size, .. } => {
            *rust += "gatelet::quant::Embedding::new(";
            array(rust, &signed(&bytes[size..]), &[tokens, size]);
            *rust += ")";
        }
        LayerKind::Prelu { size } => {
            *rust += "gatelet::quant::Prelu::new(";
            array(rust, &numbers(&bytes[4..]), &[size]);
            *rust += &format!(", {})", u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        }
        LayerKind::Quantize { size } | LayerKind::Dequantize { size } | LayerKind::Activation { size, .. } => {
            let name = match spec.kind {
                LayerKind::Quantize { .. } => "Quantize",
                LayerKind::Dequantize { .. } => "Dequantize",
                _ => "Activate",
            };
            *rust += &format!("gatelet::quant::{name}::new(");
            array(rust, &signed(bytes), &[size]);
            *rust += ")";
        }
        LayerKind::AveragePooling { .. } => *rust += "gatelet::AveragePooling::new()",
        LayerKind::Flatten { .. } => *rust += "gatelet::Flatten::new()",
        LayerKind::Last { .. } => *rust += "gatelet::Last::new()",
        LayerKind::Normalize { .. } | LayerKind::UnitNormalization { .. } => {
            unreachable!("these have no integer form")
        }
    }
    *rust += &")".repeat(usize::from(spec.residual) + usize::from(spec.initial_state));
}

/// The state of an integer cell.
fn integer_state_value(rust: &mut String, layer: &Recurrent, state: &[i16]) {
    let (name, parts) = if layer.cell == Cell::Lstm { ("LstmState", "hc") } else { ("HiddenState", "h") };
    *rust += &format!("gatelet::quant::{name} {{ ");
    for (part, numbers) in parts.chars().zip(state.chunks_exact(layer.units)) {
        *rust += &format!("{part}: ");
        array(rust, numbers, &[layer.units]);
        *rust += ", ";
    }
    *rust += "}";
}

/// What stands in front of the value of a layer that begins with a state of the model's; `value` writes that of a cell.
fn initial_state_value<T>(
    rust: &mut String,
    kind: &LayerKind,
    state: &[T],
    value: impl Fn(&mut String, &Recurrent, &[T]),
) {
    *rust += "gatelet::InitialState::new(";
    match kind {
        LayerKind::Bidirectional { layer, .. } => {
            let (forward, backward) = state.split_at(layer.state());
            *rust += "(";
            value(rust, layer, forward);
            *rust += ", ";
            value(rust, layer, backward);
            *rust += ")";
        }
        LayerKind::Recurrent(layer) => value(rust, layer, state),
        _ => unreachable!("the network has checked that"),
    }
    *rust += ", ";
}

fn integer_cell_value(rust: &mut String, layer: &Recurrent, bytes: &[u8]) {
    let rows = integers::rows(&LayerKind::Recurrent(*layer), bytes).unwrap_or_default();
    let (name, gates, biases) = cell_shape(layer.cell);
    let units = &[layer.units][..];
    around_value(rust, layer, |rust| {
        *rust += &format!("gatelet::quant::{name}::new(&");
        array(rust, &rows.recurrent, &[units, gates, units].concat());
        *rust += ", &";
        array(rust, &rows.input, &[&[layer.inputs], gates, units].concat());
        for numbers in [&rows.bias, &rows.scale] {
            *rust += ", &";
            array(rust, numbers, &[biases, units].concat());
        }
        if let [hidden, cell] = rows.formats[..] {
            *rust += &format!(", ({cell}, {hidden})");
        }
        *rust += ")";
    });
}

fn state_value(rust: &mut String, layer: &Recurrent, state: &[f32]) {
    let units = layer.units;
    if layer.cell == Cell::Lstm {
        *rust += "gatelet::LstmState::new(";
        array(rust, state, &[units]);
        *rust += ", ";
        array(rust, &state[units..], &[units]);
    } else {
        *rust += "gatelet::HiddenState::new(";
        array(rust, state, &[units]);
    }
    *rust += ")";
}

/// A nested array of the first numbers, which print so that they read back as the same bits.
fn array(rust: &mut String, numbers: &[impl core::fmt::Debug], shape: &[usize]) {
    *rust += "[";
    match shape {
        [] => {}
        [length] => {
            for (i, number) in numbers[..*length].iter().enumerate() {
                // Writing to a string cannot fail.
                let _ = write!(rust, "{}{number:?}", if i > 0 { ", " } else { "" });
            }
        }
        [length, rest @ ..] => {
            let size: usize = rest.iter().product();
            for numbers in numbers[..length * size].chunks_exact(size) {
                array(rust, numbers, rest);
                *rust += ",\n";
            }
        }
    }
    *rust += "]";
}
