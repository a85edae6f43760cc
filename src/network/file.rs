//! Models in files: a network, its class labels, and where it comes from.

use super::{Cell, LayerKind, LayerSpec, Network, NetworkError, Recurrent};
use crate::data;
use crate::format::{
    self, FLAG_RESET_AFTER, FLAG_SEQUENCES, FormatError, HEADER_LENGTH, Kind, MAGIC, Record, VERSION, crc32,
};
use crate::math::{ActivationKind, OutputKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A network with its class labels and where it comes from: the content of a `.gatelet` file.
///
/// ```
/// use gatelet::network::{Model, Network};
/// let mut model = Model::new(Network::describe(2, "gru(4), dense(2, softmax)")?.initialized(1));
/// model.labels = vec!["walk".into(), "run".into()];
/// assert_eq!(Model::from_bytes(&model.to_bytes()?)?, model);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The network.
    pub network: Network<f32>,
    /// The classes' labels, in the order of the outputs; empty if there are none.
    pub labels: Vec<String>,
    /// Where it comes from.
    pub metadata: Metadata,
}

/// Where a model comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// The data it was trained on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Provenance>,
    /// How it was trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
    /// Results, by name: `loss`, `val_accuracy` …
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
}

/// The data a model was trained on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// The file's name.
    pub file: String,
    /// How it was read.
    pub options: data::Options,
    /// The inputs' names.
    pub features: Vec<String>,
    /// The predicted values' names, of a regression.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Groups that were kept for the test.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_groups: Vec<String>,
    /// Rows that were kept for the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_rows: Option<Range<usize>>,
}

/// How a model was trained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Training {
    /// The release that trained it.
    pub gatelet: String,
    /// Seed of initial parameters, shuffling and splitting.
    pub seed: u64,
    /// Epochs that are done.
    pub epochs: usize,
    /// Series in a batch.
    pub batch_size: usize,
    /// Learning rate.
    pub learning_rate: f64,
    /// How the learning rate changed, in words.
    pub schedule: String,
    /// The optimiser, in words.
    pub optimizer: String,
    /// The loss, in words.
    pub loss: String,
}

/// Why a model could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file cannot be opened, read or written.
    #[error("cannot {what} {}: {error}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// The file is no model, or damaged.
    #[error("{}: {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<ModelError>,
    },
    /// The bytes are no model, or damaged.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The layers make no network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A layer cannot be understood.
    #[error("model file: layer {layer}: {problem}")]
    Layer {
        /// Which layer, from 1.
        layer: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A weight is NaN or infinite.
    #[error("layer {layer} has a weight that is {value}, not a finite number")]
    NotFinite {
        /// Which layer, from 1.
        layer: usize,
        /// The weight.
        value: f32,
    },
    /// The metadata cannot be understood.
    #[error("model file: the metadata are not what this release writes: {0}")]
    Metadata(#[from] serde_json::Error),
    /// There are not as many labels as outputs.
    #[error("there are {labels} class labels for {outputs} outputs")]
    Labels {
        /// Labels.
        labels: usize,
        /// Outputs.
        outputs: usize,
    },
    /// The model is too large for a file.
    #[error("the model does not fit into a file of 4 GiB")]
    TooLarge,
}

impl Model {
    /// A model with neither labels nor history.
    #[must_use]
    pub fn new(network: Network<f32>) -> Self {
        Model { network, labels: Vec::new(), metadata: Metadata::default() }
    }

    /// The content of a `.gatelet` file.
    ///
    /// # Errors
    /// If a weight is not finite, or there are labels but not one for each output.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        self.check()?;
        let mut records = Vec::new();
        let mut count = 0;
        for (layer, spec) in self.network.layers().iter().enumerate() {
            if spec.residual {
                let size = spec.kind.inputs();
                record(&mut records, Kind::Residual, [size, size], [0, 0, 0], &[])?;
                count += 1;
            }
            let kind = spec.kind.kind();
            let sizes = [spec.kind.inputs(), spec.kind.outputs()];
            record(
                &mut records,
                kind,
                sizes,
                codes(&spec.kind),
                &self.network.parameters()[self.network.range(layer)],
            )?;
            count += 1;
        }
        let mut labels = Vec::new();
        for label in &self.labels {
            labels.extend(u32_of(label.len())?.to_le_bytes());
            labels.extend(label.as_bytes());
            labels.resize(labels.len().next_multiple_of(4), 0);
        }
        let mut metadata = serde_json::to_vec(&self.metadata)?;
        metadata.resize(metadata.len().next_multiple_of(4), b' ');

        let length = HEADER_LENGTH + records.len() + labels.len() + metadata.len();
        let sections = [count, records.len(), self.labels.len(), labels.len(), metadata.len()];
        let mut checked = Vec::with_capacity(length);
        for section in sections {
            checked.extend(u32_of(section)?.to_le_bytes());
        }
        checked.extend(records);
        checked.extend(labels);
        checked.extend(metadata);
        let mut bytes = Vec::with_capacity(length);
        bytes.extend(MAGIC);
        for word in [VERSION, u32_of(length)?, crc32(&checked)] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(checked);
        Ok(bytes)
    }

    /// Reads the content of a `.gatelet` file.
    ///
    /// # Errors
    /// If it is damaged, of another version, or no network.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let container = format::open(bytes)?;
        let mut reader = container.reader();
        let mut layers = Vec::new();
        let mut parameters = Vec::new();
        while !reader.is_at_end() {
            let around = reader;
            let mut record = reader.record()?;
            let residual = record.kind == Some(Kind::Residual);
            if residual {
                format::residual(&mut { around }, record.inputs)?;
                let size = record.inputs;
                record = reader.record()?;
                if [size, size] != [record.inputs, record.units] || record.kind == Some(Kind::Residual) {
                    let problem = "the way around it has another size";
                    return Err(ModelError::Layer { layer: record.layer, problem });
                }
            }
            let kind = layer_kind(&record)?;
            layers.push(LayerSpec { kind, residual });
            let (weights, _) = record.weights.as_chunks::<4>();
            parameters.extend(weights.iter().map(|&bytes| f32::from_le_bytes(bytes)));
        }
        reader.end()?;
        let mut network = Network::new(layers)?;
        network.parameters_mut().copy_from_slice(&parameters);
        let labels = container.labels().map(str::to_owned).collect();
        let metadata = serde_json::from_slice(container.metadata())?;
        let model = Model { network, labels, metadata };
        model.check()?;
        Ok(model)
    }

    /// Reads a `.gatelet` file.
    ///
    /// # Errors
    /// If it cannot be read or is no model.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let bytes =
            std::fs::read(path).map_err(|error| ModelError::Io { what: "read", path: path.to_owned(), error })?;
        Self::from_bytes(&bytes).map_err(|error| ModelError::File { path: path.to_owned(), error: Box::new(error) })
    }

    /// Writes a `.gatelet` file: to a temporary name in the same folder, which replaces the file when it is whole.
    ///
    /// # Errors
    /// If the model cannot be written; an older file is still there then.
    pub fn write(&self, path: &Path) -> Result<(), ModelError> {
        write_atomically(path, &self.to_bytes()?)
    }

    fn check(&self) -> Result<(), ModelError> {
        for layer in 0..self.network.layers().len() {
            let parameters = &self.network.parameters()[self.network.range(layer)];
            if let Some(&value) = parameters.iter().find(|value| !value.is_finite()) {
                return Err(ModelError::NotFinite { layer: layer + 1, value });
            }
        }
        let (labels, outputs) = (self.labels.len(), self.network.outputs());
        if labels != 0 && labels != outputs {
            return Err(ModelError::Labels { labels, outputs });
        }
        Ok(())
    }
}

/// Replaces a file by a whole one or not at all: writes to a temporary name in the same folder, then renames.
///
/// # Errors
/// If the folder does not exist or cannot be written to; an older file is still there then.
#[doc(hidden)]
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    crate::atomic::replace(path, |file| file.write_all(bytes)).map_err(|error| ModelError::Io {
        what: "write",
        path: path.to_owned(),
        error,
    })
}

fn u32_of(size: usize) -> Result<u32, ModelError> {
    u32::try_from(size).map_err(|_| ModelError::TooLarge)
}

/// Activation, recurrent activation and flags.
fn codes(kind: &LayerKind) -> [u32; 3] {
    match kind {
        LayerKind::Normalize { .. } => [0, 0, 0],
        LayerKind::Dense { activation, .. } => [activation.code(), 0, 0],
        LayerKind::Recurrent(layer) => {
            let recurrent_activation = match layer.cell {
                Cell::SimpleRnn => 0,
                Cell::Lstm | Cell::Gru { .. } => layer.recurrent_activation.code(),
            };
            let sequences = if layer.return_sequences { FLAG_SEQUENCES } else { 0 };
            let reset_after = if layer.cell == (Cell::Gru { reset_after: true }) { FLAG_RESET_AFTER } else { 0 };
            [layer.activation.code(), recurrent_activation, sequences | reset_after]
        }
    }
}

fn record(to: &mut Vec<u8>, kind: Kind, sizes: [usize; 2], codes: [u32; 3], weights: &[f32]) -> Result<(), ModelError> {
    let [inputs, units] = sizes;
    let [activation, recurrent_activation, flags] = codes;
    let header = [
        kind as u32,
        u32_of(4 * weights.len())?,
        u32_of(inputs)?,
        u32_of(units)?,
        activation,
        recurrent_activation,
        flags,
        0,
    ];
    to.extend(header.iter().flat_map(|word| word.to_le_bytes()));
    to.extend(weights.iter().flat_map(|weight| weight.to_le_bytes()));
    Ok(())
}

/// A record as a layer; everything the record says is used or refused.
fn layer_kind(record: &Record<'_>) -> Result<LayerKind, ModelError> {
    let wrong = |problem| Err(ModelError::Layer { layer: record.layer, problem });
    let Record { inputs, units, flags, .. } = *record;
    let each = |activation| match activation {
        Some(OutputKind::Each(kind)) => Some(kind),
        _ => None,
    };
    let cell = match record.kind {
        Some(Kind::SimpleRnn) => Some(Cell::SimpleRnn),
        Some(Kind::Lstm) => Some(Cell::Lstm),
        Some(Kind::Gru) => Some(Cell::Gru { reset_after: flags & FLAG_RESET_AFTER != 0 }),
        _ => None,
    };
    let kind = match (record.kind, cell) {
        (_, Some(cell)) => {
            let (Some(activation), Some(mut recurrent_activation)) =
                (each(record.activation), each(record.recurrent_activation))
            else {
                return wrong("its activation is not known to this release");
            };
            if cell == Cell::SimpleRnn {
                if recurrent_activation != ActivationKind::Linear {
                    return wrong("a simple_rnn has no recurrent activation");
                }
                recurrent_activation = ActivationKind::Sigmoid;
            }
            let return_sequences = flags & FLAG_SEQUENCES != 0;
            LayerKind::Recurrent(Recurrent { cell, inputs, units, activation, recurrent_activation, return_sequences })
        }
        (Some(Kind::Dense), _) => match record.activation {
            Some(activation) => LayerKind::Dense { inputs, units, activation },
            None => return wrong("its activation is not known to this release"),
        },
        (Some(Kind::Normalize), _) if inputs == units => LayerKind::Normalize { size: inputs },
        (Some(Kind::Normalize), _) => return wrong("a normalize has as many outputs as inputs"),
        _ => return wrong("its kind is not known to this release"),
    };
    let [activation, recurrent_activation, known_flags] = codes(&kind);
    let code = |kind: Option<OutputKind>| kind.map_or(u32::MAX, OutputKind::code);
    if [code(record.activation), code(record.recurrent_activation), flags]
        != [activation, recurrent_activation, known_flags]
    {
        return wrong("it says something that its kind of layer cannot be");
    }
    // Sizes are compared with the bytes that are there before anything of that size is made.
    let expected = match kind {
        _ if inputs > 1 << 14 || units > 1 << 14 => return wrong("it is too large"),
        kind => kind.weights(),
    };
    if record.weights.len() != 4 * expected {
        return wrong("it has more or fewer weights than its sizes ask for");
    }
    Ok(kind)
}
