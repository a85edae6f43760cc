//! A model's configuration: its layers, one behind the other.

use super::super::{ImportError, unsupported};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Sizes behind the batch's: `[features]`, or `[time steps, features]`, of which the former may be open.
pub(super) type Shape = Vec<Option<usize>>;

/// Where a model says whether time steps are masked.
pub(super) enum Mask {
    /// Nowhere: a mask goes with what it masks.
    Implicit,
    /// In the graph: the mask of the layer of this name.
    Of(String),
}

/// A layer in Keras's terms.
pub(super) struct Layer {
    pub(super) class: String,
    pub(super) name: String,
    pub(super) config: Map<String, Value>,
    /// Where a file that numbers classes has its weights: `layers/lstm_1`.
    pub(super) path: String,
    pub(super) mask: Mask,
    /// Whether it is of a graph, which says what becomes of each of its outputs.
    in_graph: bool,
}

impl Layer {
    /// How messages call it.
    pub(super) fn title(&self) -> String {
        title(&self.name, &self.class)
    }

    /// A layer of a file that has weights alone.
    pub(super) fn described(class: &str, name: &str, path: String) -> Self {
        let (class, name, config) = (class.into(), name.into(), Map::new());
        Layer { class, name, config, path, mask: Mask::Implicit, in_graph: false }
    }

    /// What is behind it sees its first output alone.
    pub(super) fn shows_first_output_alone(&self) -> bool {
        self.in_graph
    }
}

pub(super) fn title(name: &str, class: &str) -> String {
    format!("layer `{name}` ({class})")
}

fn damaged(problem: impl Into<String>) -> ImportError {
    ImportError::Damaged { format: "Keras", problem: problem.into() }
}

/// The layers in series, and the shape of what goes into the first one.
pub(super) fn series(text: &[u8]) -> Result<(Shape, Vec<Layer>), ImportError> {
    let config: Value = serde_json::from_slice(text).map_err(|error| damaged(format!("its configuration: {error}")))?;
    let class = config["class_name"].as_str().unwrap_or("");
    let inner = &config["config"];
    // Before Keras 2.2.3 a sequential model was a list.
    let list = inner.as_array().or_else(|| inner["layers"].as_array());
    let Some(list) = list else { return Err(damaged("its configuration has no list of layers")) };
    let mut layers = Vec::new();
    let mut counts = BTreeMap::new();
    let in_graph = match class {
        "Sequential" => false,
        "Functional" | "Model" => true,
        _ => return unsupported(format!("a model of the class `{class}`"), "Sequential and Functional ones can be"),
    };
    for value in list {
        layers.push(layer(value, &mut counts, in_graph)?);
    }
    let layers = if in_graph { chain(inner, list, layers)? } else { layers };
    let shape = shape(inner, list, &layers)?;
    Ok((shape, layers))
}

fn layer(value: &Value, counts: &mut BTreeMap<String, usize>, in_graph: bool) -> Result<Layer, ImportError> {
    let (Some(class), Some(config)) = (value["class_name"].as_str(), value["config"].as_object()) else {
        return Err(damaged("a layer without a class or a configuration"));
    };
    let name = value["name"].as_str().or_else(|| config.get("name").and_then(Value::as_str)).unwrap_or("");
    let own =
        |text: &Value, known: &[&str]| text.as_str().is_some_and(|text| !known.iter().any(|k| text.starts_with(k)));
    if own(&value["module"], &["keras", "tf_keras", "tensorflow"])
        || value["registered_name"].as_str().is_some_and(|name| name.contains('>'))
    {
        return unsupported(title(name, class), "it is a program's own class, and what it does is not in the file");
    }
    // The class's name in the file is written as Keras writes variables, with a number from the second layer on.
    let count = counts.entry(snake_case(class)).or_insert(0);
    let number = if *count == 0 { String::new() } else { format!("_{count}") };
    *count += 1;
    Ok(Layer {
        class: class.into(),
        name: name.into(),
        config: config.clone(),
        path: format!("layers/{}{number}", snake_case(class)),
        mask: Mask::Implicit,
        in_graph,
    })
}

/// `SimpleRNN` as `simple_rnn`, by the two expressions of Keras's `to_snake_case`.
pub(super) fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut words = String::new();
    for (i, &c) in letters.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| letters[i]);
        let begins_a_word = c.is_ascii_uppercase() && letters.get(i + 1).is_some_and(char::is_ascii_lowercase);
        let behind_a_small_one = c.is_ascii_uppercase() && before.is_some_and(|c| c.is_ascii_lowercase());
        if before.is_some() && (begins_a_word || behind_a_small_one) {
            words.push('_');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

/// What the first layer is given.
fn shape(model: &Value, list: &[Value], layers: &[Layer]) -> Result<Shape, ImportError> {
    let Some(first) = layers.first() else { return Err(damaged("its configuration has no layers")) };
    let places = [
        first.config.get("batch_shape"),
        first.config.get("batch_input_shape"),
        model.get("build_input_shape"),
        list.first().and_then(|first| first["build_config"].get("input_shape")),
    ];
    let Some(shape) = places.into_iter().flatten().find(|shape| !shape.is_null()) else {
        return unsupported(
            first.title(),
            "the file does not say the shape of its input; build the model before it is saved",
        );
    };
    // A list of one shape, in Keras 2.
    let shape = match shape.as_array().map(Vec::as_slice) {
        Some([inner @ Value::Array(_)]) => inner,
        _ => shape,
    };
    let sizes = shape.as_array().map(Vec::as_slice).unwrap_or_default();
    let size = |size: &Value| match (size, size.as_u64().and_then(|size| usize::try_from(size).ok())) {
        (Value::Null, _) => Some(None),
        (_, Some(size)) if size > 0 => Some(Some(size)),
        _ => None,
    };
    match sizes.get(1..).and_then(|sizes| sizes.iter().map(size).collect::<Option<Shape>>()) {
        Some(sizes) if matches!(sizes.len(), 1 | 2) => Ok(sizes),
        _ => {
            let what = format!("{}, its input's shape {shape}", first.title());
            unsupported(what, "[batch, features], [batch, time steps] and [batch, time steps, features] can be")
        }
    }
}

/// One output of a layer.
#[derive(Clone, PartialEq)]
struct Tensor {
    layer: String,
    output: u64,
}

/// What goes into a layer.
struct Inbound {
    tensors: Vec<Tensor>,
    /// Numbers beside them.
    numbers: Vec<f64>,
    mask: Option<Tensor>,
}

/// `["name", 0, 0]`
fn tensor(value: &Value) -> Option<Tensor> {
    let [name, node, output] = value.as_array()?.get(..3)? else { return None };
    // A node other than the first is a layer's second use.
    (node.as_u64()? == 0).then_some(())?;
    Some(Tensor { layer: name.as_str()?.into(), output: output.as_u64()? })
}

/// The only one of a list, which Keras 3 leaves out.
fn only(value: &Value) -> Option<Tensor> {
    tensor(value).or_else(|| match value.as_array()?.as_slice() {
        [one] => tensor(one),
        _ => None,
    })
}

fn keras_tensor(value: &Value) -> Option<Tensor> {
    (value["class_name"].as_str()? == "__keras_tensor__").then(|| tensor(&value["config"]["keras_history"]))?
}

/// What a layer's only node says, or `None` if that is not understood.
fn inbound(title: &str, value: &Value) -> Result<Inbound, ImportError> {
    let refused = || {
        let advice = "only layers in series can be, each with one input and used once";
        ImportError::Unsupported { what: format!("{title} in this graph"), advice: advice.into() }
    };
    let [node] = value["inbound_nodes"].as_array().map(Vec::as_slice).unwrap_or_default() else {
        return Err(refused());
    };
    let mut inbound = Inbound { tensors: Vec::new(), numbers: Vec::new(), mask: None };
    let empty = Map::new();
    let keywords = if let Some(arguments) = node["args"].as_array() {
        for argument in arguments {
            match (keras_tensor(argument), argument.as_f64()) {
                (Some(tensor), _) => inbound.tensors.push(tensor),
                (_, Some(number)) => inbound.numbers.push(number),
                _ if argument.is_null() => {}
                _ => return Err(refused()),
            }
        }
        node["kwargs"].as_object().unwrap_or(&empty)
    } else {
        let Some([one]) = node.as_array().map(Vec::as_slice) else { return Err(refused()) };
        inbound.tensors.push(tensor(one).ok_or_else(refused)?);
        one.get(3).and_then(Value::as_object).unwrap_or(&empty)
    };
    for (key, value) in keywords {
        match (key.as_str(), value) {
            (_, Value::Null) | ("training", Value::Bool(false)) => {}
            ("mask", _) => inbound.mask = Some(keras_tensor(value).ok_or_else(refused)?),
            _ => return unsupported(format!("{title}, called with `{key}`"), "call it with its input alone"),
        }
    }
    Ok(inbound)
}

/// The layers from the only input to the only output.
fn chain(model: &Value, list: &[Value], layers: Vec<Layer>) -> Result<Vec<Layer>, ImportError> {
    let end = |key: &str| {
        let advice = "models with one input and one output can be";
        only(&model[key]).map_or_else(|| unsupported(format!("{key} {}", model[key]), advice), Ok)
    };
    let (first, last) = (end("input_layers")?, end("output_layers")?);
    let mut inbounds: BTreeMap<String, Inbound> = BTreeMap::new();
    for (value, layer) in list.iter().zip(&layers).filter(|(_, layer)| layer.name != first.layer) {
        inbounds.insert(layer.name.clone(), inbound(&layer.title(), value)?);
    }
    let is_mask = |layer: &Layer| matches!(layer.class.as_str(), "NotEqual" | "Any");
    let (masks, mut left): (Vec<Layer>, Vec<Layer>) = layers.into_iter().partition(is_mask);
    let mut chain: Vec<Layer> = Vec::new();
    let mut source: Option<String> = None;
    loop {
        let follows = |layer: &Layer| match &source {
            None => layer.name == first.layer,
            Some(source) => inbounds
                .get(&layer.name)
                .is_some_and(|inbound| inbound.tensors.iter().any(|tensor| tensor.layer == *source)),
        };
        let Some(at) = left.iter().position(follows) else { break };
        let mut layer = left.remove(at);
        if let (Some(other), Some(before)) = (left.iter().find(|layer| follows(layer)), chain.last()) {
            let what = format!("{} and {}, both behind {}", layer.title(), other.title(), before.title());
            return unsupported(what, "only layers in series can be");
        }
        if let Some(inbound) = inbounds.get(&layer.name) {
            let plain = matches!(inbound.tensors.as_slice(), [Tensor { output: 0, .. }]) && inbound.numbers.is_empty();
            if !plain {
                return unsupported(
                    format!("{} with other inputs than the layer's before it", layer.title()),
                    "only layers in series can be",
                );
            }
            if let Some(mask) = &inbound.mask {
                layer.mask = Mask::Of(mask_of(mask, &masks, &inbounds, &chain).map_or_else(
                    || unsupported(format!("{}, its mask", layer.title()), "a mask of Masking or Embedding can be"),
                    Ok,
                )?);
            }
        }
        source = Some(layer.name.clone());
        chain.push(layer);
    }
    match (left.first(), chain.last()) {
        (Some(layer), _) => unsupported(layer.title(), "it is not in series with the others"),
        (None, Some(end)) if end.name == last.layer && last.output == 0 => Ok(chain),
        _ => unsupported(
            format!("output {} of layer `{}`", last.output, last.layer),
            "the first output of the last layer can be",
        ),
    }
}

/// The layer that makes a mask, which is in a graph what it computes: whether any of its inputs is not the value.
fn mask_of(mask: &Tensor, masks: &[Layer], inbounds: &BTreeMap<String, Inbound>, chain: &[Layer]) -> Option<String> {
    let find = |name: &str| masks.iter().find(|layer| layer.name == name);
    let of = |name: &str| inbounds.get(name);
    let mut layer = find(&mask.layer)?;
    let any = layer.class == "Any";
    if any {
        let plain =
            layer.config.get("axis") == Some(&Value::from(-1)) && layer.config.get("keepdims") == Some(&false.into());
        let [compared] = of(&layer.name)?.tensors.as_slice() else { return None };
        layer = find(&compared.layer).filter(|_| plain)?;
    }
    let Inbound { tensors, numbers, .. } = of(&layer.name).filter(|_| layer.class == "NotEqual")?;
    let ([compared], [value]) = (tensors.as_slice(), numbers.as_slice()) else { return None };
    let makes_it = |made_by: &&Layer| {
        let own = match made_by.class.as_str() {
            "Masking" if any => made_by.config.get("mask_value").and_then(Value::as_f64),
            "Embedding" if !any => (made_by.config.get("mask_zero") == Some(&true.into())).then_some(0.0),
            _ => None,
        };
        own == Some(*value) && of(&made_by.name).is_some_and(|inbound| inbound.tensors.first() == Some(compared))
    };
    chain.iter().find(makes_it).map(|layer| layer.name.clone())
}

#[cfg(test)]
mod tests {
    #[test]
    fn classes_are_written_as_keras_writes_variables() {
        for (class, name) in [
            ("SimpleRNN", "simple_rnn"),
            ("LSTM", "lstm"),
            ("Conv1D", "conv1d"),
            ("ReLU", "re_lu"),
            ("PReLU", "p_re_lu"),
            ("ZeroPadding1D", "zero_padding1d"),
            ("BatchNormalization", "batch_normalization"),
        ] {
            assert_eq!(super::snake_case(class), name);
        }
    }
}
