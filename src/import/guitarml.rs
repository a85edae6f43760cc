//! The JSON of Automated-GuitarAmpModelling, which GuitarML's Proteus takes: a recurrent and a linear module of PyTorch's, and what
//! they are beside them.

use super::json::{Keys, NamedArrays, damaged_json};
use super::tensors::{Description, Tensors};
use super::{Entry, ImportError, Imported, Options, pytorch, unsupported};
use crate::network::{LayerKind, LayerSpec, Network, Recurrent};
use serde::Deserialize;

#[derive(Deserialize)]
struct Document {
    model_data: ModelData,
    state_dict: NamedArrays,
}

/// The name of the class alone: others have other keys.
#[derive(Deserialize)]
struct Named {
    model_data: Class,
}

#[derive(Deserialize)]
struct Class {
    model: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelData {
    #[serde(rename = "model")]
    _model: String,
    input_size: usize,
    output_size: usize,
    hidden_size: usize,
    num_layers: usize,
    unit_type: String,
    /// Whether the linear module has a bias.
    bias_fl: bool,
    /// So many of the inputs are added to the outputs.
    skip: usize,
}

/// Whether a file's object is such a document.
pub(super) fn is_document(keys: &Keys) -> bool {
    ["model_data", "state_dict"].iter().all(|&key| keys.contains_key(key))
}

/// What `--list` shows of it.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry>, ImportError> {
    #[derive(Deserialize)]
    struct Weights {
        state_dict: NamedArrays,
    }
    let Weights { state_dict } = serde_json::from_slice(bytes).map_err(damaged_json)?;
    Ok(state_dict.entries())
}

pub(super) fn import(bytes: &[u8], keys: &Keys, options: &Options) -> Result<Imported, ImportError> {
    options.none("Automated-GuitarAmpModelling")?;
    let Named { model_data: Class { model } } = serde_json::from_slice(bytes).map_err(damaged_json)?;
    if model != "SimpleRNN" {
        return unsupported(format!("`model_data.model`: {model}"), "there is SimpleRNN");
    }
    let Document { model_data: data, state_dict } = serde_json::from_slice(bytes).map_err(damaged_json)?;
    let cell = match data.unit_type.as_str() {
        "LSTM" => "lstm",
        "GRU" => "gru",
        "RNN" => "simple_rnn",
        other => return unsupported(format!("`model_data.unit_type`: {other}"), "there are LSTM, GRU and RNN"),
    };
    // A word is made for each before one is looked for.
    if data.num_layers > 1024 {
        return unsupported(format!("`model_data.num_layers`: {}", data.num_layers), "there may be 1024");
    }
    let mut layers = vec![format!("{cell}({}, sequences)", data.hidden_size); data.num_layers];
    layers.push(format!("dense({})", data.output_size));
    let mut tensors = Tensors::from_arrays(state_dict, "")?;
    let damaged = |problem: String| ImportError::Damaged { format: ".json", problem };
    if tensors.get("lin.bias").is_some() != data.bias_fl {
        let problem = format!("its `model_data.bias_fl` is {}, and `lin.bias` says otherwise", data.bias_fl);
        return Err(damaged(problem));
    }
    tensors.description = Some(Description { layers: layers.join(", "), from: "its `model_data`", format: ".json" });
    let mut imported = pytorch::import(tensors, &Options::default())?;
    let inputs = imported.model.network.inputs();
    if inputs != data.input_size {
        let problem = format!("its `model_data.input_size` is {}, and its tensors are for {inputs}", data.input_size);
        return Err(damaged(problem));
    }
    if data.skip > 0 {
        imported.model.network = with_way_around(&imported.model.network, &data)?;
        let note = "the input that `skip` adds to the output goes through the recurrent layer, which is so much wider";
        imported.notes.push(note.into());
    }
    let beside = keys.keys().filter(|key| !["model_data", "state_dict"].contains(&key.as_str()));
    imported.notes.extend(beside.map(|key| format!("`{key}` is no part of the network")));
    Ok(imported)
}

/// A network that gives its input beside what its recurrent layer gives, to its linear layer: x with zeros behind it goes around a layer
/// that gives zeros, as its weights there are, and h behind them.
fn with_way_around(network: &Network<f32>, data: &ModelData) -> Result<Network<f32>, ImportError> {
    let skip = data.skip;
    let refused = |advice: &str| unsupported(format!("`model_data.skip`: {skip}"), advice);
    let [LayerSpec { kind: LayerKind::Recurrent(layer), .. }, LayerSpec { kind: head, .. }] = *network.layers() else {
        return refused(
            "it can be with a `num_layers` of 1; otherwise set it to 0 and add the input to the output yourself",
        );
    };
    let (inputs, units, outputs) = (layer.inputs, layer.units, head.outputs());
    // PyTorch adds one number to all outputs, or as many as there are.
    if skip > inputs || (skip != 1 && skip != outputs) {
        return refused(&format!("{inputs} inputs and {outputs} outputs do not allow it"));
    }
    if inputs > units {
        return refused("it can be with as many units as inputs at least");
    }
    let wide = inputs + units;
    let wider = Recurrent { inputs: wide, units: wide, ..layer };
    let dense = |inputs, units| match head {
        LayerKind::Dense { activation, .. } => LayerKind::Dense { inputs, units, activation },
        other => other,
    };
    let around = LayerSpec { residual: true, ..wider.into() };
    let mut new = Network::new(vec![dense(inputs, wide).into(), around, dense(wide, outputs).into()])?;
    let (first, second, third) = (new.range(0), new.range(1), new.range(2));
    let to = new.parameters_mut();
    for input in 0..inputs {
        to[first.start + input * wide + input] = 1.0;
    }
    // Each row of units stands behind the inputs in a wider row.
    let mut widen = |from: &[f32], at: usize| {
        for (row, numbers) in from.chunks_exact(units).enumerate() {
            to[at + row * wide + inputs..][..units].copy_from_slice(numbers);
        }
    };
    let from = &network.parameters()[network.range(0)];
    let [recurrent, kernel, _] = layer.lengths();
    let [wider_recurrent, wider_kernel, _] = wider.lengths();
    let gates = layer.cell.gates();
    widen(&from[..recurrent], second.start + inputs * gates * wide);
    widen(&from[recurrent..recurrent + kernel], second.start + wider_recurrent);
    widen(&from[recurrent + kernel..], second.start + wider_recurrent + wider_kernel);
    for output in 0..outputs {
        let input = if skip == 1 { 0 } else { output };
        to[third.start + input * outputs + output] = 1.0;
    }
    to[third.start + inputs * outputs..third.end].copy_from_slice(&network.parameters()[network.range(1)]);
    Ok(new)
}
