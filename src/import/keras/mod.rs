//! Keras's models: a configuration that says every layer, and the weights of each.

mod config;
mod fold;
mod hdf5;
mod keys;
mod layers;
mod weights;

use super::tensors::Entry;
use super::{ImportError, Imported, Options, unsupported};
use crate::network::{LayerKind, Network};
use config::Layer;
use hdf5::Hdf5;
use layers::Builder;
use std::io::{Cursor, Read};
use weights::Weights;
use zip::ZipArchive;

const CONFIG: &str = "config.json";
const METADATA: &str = "metadata.json";
const WEIGHTS: &str = "model.weights.h5";

/// What weights may have beyond a multiple of the archive's own size: HDF5 leaves much empty, which is deflated to nothing.
const WEIGHTS_ROOM: u64 = 1 << 20;
/// The same of a configuration, which is some kilobytes of text, and takes many times as much when it is read.
const CONFIG_ROOM: u64 = 1 << 16;

/// What is in a `.keras` file.
struct Archive<'a>(ZipArchive<Cursor<&'a [u8]>>, u64);

fn damaged(problem: impl Into<String>) -> ImportError {
    ImportError::Damaged { format: ".keras", problem: problem.into() }
}

impl<'a> Archive<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, ImportError> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(error.to_string()))?;
        for name in zip.file_names() {
            let name = name.map_err(|error| damaged(error.to_string()))?;
            if ![CONFIG, METADATA, WEIGHTS].contains(&&*name) {
                let advice = "models of a configuration and one file of weights can be";
                return unsupported(format!("`{name}` in this file"), advice);
            }
        }
        Ok(Archive(zip, bytes.len() as u64))
    }

    /// A member's bytes. Keras does not compress them; other programs do, and what HDF5 leaves empty to almost nothing.
    fn read(&mut self, name: &str) -> Result<Vec<u8>, ImportError> {
        let (times, room) = if name == WEIGHTS { (4, WEIGHTS_ROOM) } else { (16, CONFIG_ROOM) };
        let most = self.1.saturating_mul(times).saturating_add(room);
        let problem = |error: &dyn std::fmt::Display| damaged(format!("{name}: {error}"));
        let member = self.0.by_name(name).map_err(|error| problem(&error))?;
        let mut bytes = Vec::new();
        member.take(most + 1).read_to_end(&mut bytes).map_err(|error| problem(&error))?;
        if bytes.len() as u64 > most {
            return Err(problem(&format_args!("more than {most} bytes in a file of {}", self.1)));
        }
        Ok(bytes)
    }
}

pub(super) fn from_keras(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    options.none("Keras")?;
    let mut archive = Archive::open(bytes)?;
    let config = archive.read(CONFIG)?;
    let version: serde_json::Value =
        serde_json::from_slice(&archive.read(METADATA)?).map_err(|error| damaged(format!("{METADATA}: {error}")))?;
    let weights = archive.read(WEIGHTS)?;
    let weights = hdf5::read(".keras", || Weights::numbered(&Hdf5::open(weights, ".keras")?))?;
    of_config(&config, weights, is_steep(version["keras_version"].as_str()))
}

pub(super) fn keras_entries(bytes: &[u8]) -> Result<Vec<Entry>, ImportError> {
    let weights = Archive::open(bytes)?.read(WEIGHTS)?;
    hdf5::read(".keras", || Hdf5::open(weights, ".keras")?.entries())
}

pub(super) fn from_h5(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let (config, version, weights) = hdf5::read(".h5", || {
        let file = Hdf5::open(bytes.to_vec(), ".h5")?;
        let config = file.text("", "model_config")?;
        let weights = match (&config, file.texts("", "layer_names")?) {
            (Some(_), _) => Weights::named(&file, "model_weights")?,
            (None, Some(_)) => Weights::named(&file, "")?,
            (None, None) => Weights::numbered(&file)?,
        };
        Ok((config, file.text("", "keras_version")?, weights))
    })?;
    match config {
        Some(config) => {
            options.none("Keras")?;
            of_config(config.as_bytes(), weights, is_steep(version.as_deref()))
        }
        None => of_description(weights, version.as_deref(), options),
    }
}

pub(super) fn h5_entries(bytes: &[u8]) -> Result<Vec<Entry>, ImportError> {
    hdf5::read(".h5", || Hdf5::open(bytes.to_vec(), ".h5")?.entries())
}

/// Whether the hard sigmoid is that of Keras 1 and 2.
fn is_steep(version: Option<&str>) -> bool {
    version.is_some_and(|version| version.starts_with("1.") || version.starts_with("2."))
}

fn of_config(config: &[u8], weights: Weights, steep: bool) -> Result<Imported, ImportError> {
    let (shape, layers) = config::series(config)?;
    let mut builder = Builder::new(weights, steep, shape)?;
    for layer in &layers {
        builder.add(layer)?;
    }
    builder.finish()
}

/// The class whose layers have weights of this kind.
fn class(kind: &LayerKind) -> &'static str {
    match kind {
        LayerKind::Recurrent(layer) => match layer.cell.kind().name() {
            "simple_rnn" => "SimpleRNN",
            "lstm" => "LSTM",
            _ => "GRU",
        },
        LayerKind::Bidirectional { .. } => "Bidirectional",
        LayerKind::Embedding { .. } => "Embedding",
        LayerKind::Conv1d(_) => "Conv1D",
        LayerKind::Prelu { .. } => "PReLU",
        _ => "Dense",
    }
}

/// The layers that a description names, with the weights of the file's layers in their order.
fn of_description(weights: Weights, version: Option<&str>, options: &Options) -> Result<Imported, ImportError> {
    Options { model: None, ..options.clone() }.none("Keras")?;
    let Some(description) = &options.model else {
        let names = if weights.order.is_empty() { String::new() } else { format!(" of {}", weights.order.join(", ")) };
        let problem = format!("this file has the weights{names}, but does not say what its layers do");
        return Err(ImportError::NeedsModel {
            problem,
            example: "lstm(50, sequences), lstm(50), dense(4, softmax)".into(),
        });
    };
    // First for the layers, then with the inputs that the first one's weights have.
    let network = Network::<f32>::describe(1, description)?;
    let mut order = weights.order.clone().into_iter();
    let mut counts = std::collections::BTreeMap::new();
    let mut layers = Vec::new();
    for (i, spec) in network.layers().iter().enumerate() {
        let has_weights = spec.kind.weights() > 0;
        if spec.residual || spec.initial_state || matches!(spec.kind, LayerKind::Normalize { .. }) {
            let problem = format!("layer {}, {spec}, has no counterpart in Keras's files of weights", i + 1);
            return Err(ImportError::Model(problem));
        }
        let class = class(&spec.kind);
        let count = counts.entry(class).or_insert(0_usize);
        let number = if *count == 0 { String::new() } else { format!("_{count}") };
        let path = format!("layers/{}{number}", config::snake_case(class));
        let name = match weights.are_numbered() {
            true => path.rsplit('/').next().unwrap_or("").to_owned(),
            false if has_weights => order.next().ok_or_else(|| {
                ImportError::Model(format!(
                    "layer {} is {spec}, but no more layers with weights are in the file",
                    i + 1
                ))
            })?,
            false => String::new(),
        };
        if has_weights {
            *count += 1;
        }
        layers.push(Layer::described(class, &name, path));
    }
    let first = network.layers().iter().zip(&layers).find(|(spec, _)| spec.kind.weights() > 0);
    let inputs = match first {
        Some((spec, layer)) => inputs(&spec.kind, layer, &weights)?,
        None => 1,
    };
    let network = Network::<f32>::describe(inputs, description)?;
    let mut builder = Builder::new(weights, is_steep(version), vec![None, Some(inputs)])?;
    if version.is_none() && network.to_string().contains("hard_sigmoid") {
        builder
            .notes
            .push("the file does not say its Keras: hard_sigmoid is Keras 3's, x/6 + ½, not Keras 2's, x/5 + ½".into());
    }
    for (spec, layer) in network.layers().iter().zip(&layers) {
        builder.add_described(layer, spec.kind)?;
    }
    builder.finish()
}

/// The inputs of a layer, as its weights have them.
fn inputs(kind: &LayerKind, layer: &Layer, weights: &Weights) -> Result<usize, ImportError> {
    let place = match kind {
        LayerKind::Recurrent(_) => "cell",
        LayerKind::Bidirectional { .. } => "forward_layer/cell",
        _ => "",
    };
    let shape = weights.first_shape(layer, place)?;
    let inputs = match (kind, shape) {
        (LayerKind::Embedding { .. }, _) => 1,
        (LayerKind::Conv1d(conv), &[_, inputs, _]) => inputs.saturating_mul(conv.groups),
        (_, &[inputs, ..]) => inputs,
        _ => 0,
    };
    // Far more than a network can have is not described.
    Ok(inputs.min(1 << 20))
}
