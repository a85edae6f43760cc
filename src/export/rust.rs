//! A model as a Rust module: its type, its weights as constants, its labels.

use super::ExportError;
use crate::math::{ActivationKind, OutputKind};
use crate::network::{Cell, LayerKind, LayerSpec, Model, Network};
use std::fmt::Write;

/// The type of a network with its sizes in it, as `gatelet::chain!` names it.
///
/// ```
/// use gatelet::network::Network;
/// let network = Network::describe(12, "gru(32), dense(9, softmax)")?;
/// assert_eq!(
///     gatelet::export::type_of(&network)?,
///     "gatelet::chain!(gatelet::Gru<12, 32>, gatelet::Dense<32, 9, gatelet::Softmax>)"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If there is no such type for a layer.
pub fn type_of(network: &Network<f32>) -> Result<String, ExportError> {
    let layers: Result<Vec<_>, _> = (1..).zip(network.layers()).map(|(layer, spec)| layer_type(layer, spec)).collect();
    Ok(format!("gatelet::chain!({})", layers?.join(", ")))
}

fn layer_type(layer: usize, spec: &LayerSpec) -> Result<String, ExportError> {
    let each = |kind: ActivationKind| format!("gatelet::{}", kind.type_name());
    let layer = match spec.kind {
        LayerKind::Normalize { size } => format!("Normalize<{size}>"),
        LayerKind::Dense { inputs, units, activation: OutputKind::Each(ActivationKind::Linear) } => {
            format!("Dense<{inputs}, {units}>")
        }
        LayerKind::Dense { inputs, units, activation } => {
            format!("Dense<{inputs}, {units}, gatelet::{}>", activation.type_name())
        }
        LayerKind::Recurrent(layer) => {
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
            format!("{name}<{parameters}>")
        }
        _ => {
            return Err(ExportError { layer, what: spec.to_string(), why: "it has no type with constant sizes" });
        }
    };
    Ok(if spec.residual { format!("gatelet::Residual<gatelet::{layer}>") } else { format!("gatelet::{layer}") })
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
    let last = network.layers().len() - 1;
    for (layer, spec) in network.layers().iter().enumerate() {
        if layer < last {
            rust += "gatelet::Chain(\n";
        }
        layer_value(&mut rust, spec, &network.parameters()[network.range(layer)]);
        rust += if layer < last { ",\n" } else { "" };
    }
    rust += &")".repeat(last);
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

fn layer_value(rust: &mut String, spec: &LayerSpec, parameters: &[f32]) {
    if spec.residual {
        *rust += "gatelet::Residual(";
    }
    match spec.kind {
        LayerKind::Normalize { size } => {
            *rust += "gatelet::Normalize::new(";
            array(rust, parameters, &[size]);
            *rust += ", ";
            array(rust, &parameters[size..], &[size]);
            *rust += ")";
        }
        LayerKind::Dense { inputs, units, .. } => {
            *rust += "gatelet::Dense::new(&";
            array(rust, parameters, &[inputs, units]);
            *rust += ", &";
            array(rust, &parameters[inputs * units..], &[units]);
            *rust += ")";
        }
        LayerKind::Recurrent(layer) => {
            let [recurrent, input, _] = layer.lengths();
            let (name, gates, biases) = match layer.cell {
                // One gate is no dimension of its own.
                Cell::SimpleRnn => ("SimpleRnn", vec![], vec![]),
                Cell::Lstm => ("Lstm", vec![4], vec![4]),
                Cell::Gru { .. } => ("Gru", vec![3], vec![4]),
            };
            let shape = |first: &[usize], rows: &[usize]| [first, rows, &[layer.units]].concat();
            *rust += &format!("gatelet::{name}::new(&");
            array(rust, parameters, &shape(&[layer.units], &gates));
            *rust += ", &";
            array(rust, &parameters[recurrent..], &shape(&[layer.inputs], &gates));
            *rust += ", &";
            array(rust, &parameters[recurrent + input..], &shape(&[], &biases));
            *rust += ")";
        }
        _ => unreachable!("its type is known"),
    }
    if spec.residual {
        *rust += ")";
    }
}

/// A nested array of the first numbers, which print so that they read back as the same bits.
fn array(rust: &mut String, numbers: &[f32], shape: &[usize]) {
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
