//! Models in files: a network, its class labels, and where it comes from.

use super::{Cell, Conv1d, LayerKind, LayerSpec, Merge, Network, NetworkError, Recurrent, integers, spec};
use crate::data;
use crate::format::{
    self, FLAG_BACKWARDS, FLAG_INTEGER, FLAG_MASK_ZERO, FLAG_RESET_AFTER, FLAG_SEQUENCES, FLAG_ZERO_OUTPUT,
    FormatError, HEADER_LENGTH, Kind, MAGIC, Reader, Record, VERSION, crc32,
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
    /// The share of recurrent layers' outputs that was dropped at random; nothing was, where it is not said.
    #[serde(skip_serializing_if = "is_zero")]
    pub dropout: f64,
}

fn is_zero(x: &f64) -> bool {
    *x == 0.0
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
        let mut records = Records::default();
        for (layer, spec) in self.network.layers().iter().enumerate() {
            if spec.integer {
                records.integer_layer(spec, self.network.integers(layer))?;
            } else {
                records.layer(spec, &self.network.parameters()[self.network.range(layer)])?;
            }
        }
        let Records { count, bytes: records } = records;
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
        let mut integers = Vec::new();
        while !reader.is_at_end() {
            let mut of_layer = Vec::new();
            layers.push(read_layer(&mut reader, &mut parameters, &mut of_layer)?);
            integers.push(of_layer);
        }
        reader.end()?;
        let mut network = Network::new(layers)?;
        network.parameters_mut().copy_from_slice(&parameters);
        for (layer, of_layer) in integers.iter().enumerate() {
            network.integers_mut(layer).copy_from_slice(of_layer);
        }
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

/// The words of a record's header behind its sizes: activation, the second word, flags, detail.
type Words = [u32; 4];

const fn recurrent_words(layer: &Recurrent) -> Words {
    let recurrent_activation = match layer.cell {
        Cell::SimpleRnn => 0,
        Cell::Lstm | Cell::Gru { .. } => layer.recurrent_activation.code(),
    };
    let reset_after = matches!(layer.cell, Cell::Gru { reset_after: true });
    let flags = if layer.return_sequences { FLAG_SEQUENCES } else { 0 }
        | if reset_after { FLAG_RESET_AFTER } else { 0 }
        | if layer.zero_output_for_mask { FLAG_ZERO_OUTPUT } else { 0 }
        | if layer.go_backwards { FLAG_BACKWARDS } else { 0 };
    [layer.activation.code(), recurrent_activation, flags, 0]
}

/// Sizes and words of a layer's record.
fn header(kind: &LayerKind) -> ([usize; 2], Words) {
    let sizes = [kind.inputs(), kind.outputs()];
    match *kind {
        LayerKind::Dense { activation, .. } | LayerKind::Activation { activation, .. } => {
            (sizes, [activation.code(), 0, 0, 0])
        }
        LayerKind::Recurrent(layer) => (sizes, recurrent_words(&layer)),
        LayerKind::Bidirectional { merge, .. } => (sizes, [0, 0, 0, merge.code()]),
        LayerKind::Masking { value, .. } => (sizes, [0, 0, 0, value.to_bits()]),
        LayerKind::Embedding { tokens, size, mask_zero } => {
            ([tokens, size], [0, 0, if mask_zero { FLAG_MASK_ZERO } else { 0 }, 0])
        }
        LayerKind::Quantize { .. } | LayerKind::Dequantize { .. } => (sizes, [0; 4]),
        // The network has checked the sizes.
        LayerKind::Conv1d(layer) => {
            let detail = layer.kernel_size as u32 | (layer.dilation as u32) << 16;
            (sizes, [layer.activation.code(), layer.groups as u32, 0, detail])
        }
        LayerKind::AveragePooling { size, steps } | LayerKind::Flatten { size, steps } => {
            ([size; 2], [0, 0, 0, steps as u32])
        }
        LayerKind::Normalize { .. }
        | LayerKind::Last { .. }
        | LayerKind::UnitNormalization { .. }
        | LayerKind::Prelu { .. } => (sizes, [0; 4]),
    }
}

/// The same of an integer layer or of one in single precision.
fn header_of(kind: &LayerKind, integer: bool) -> ([usize; 2], Words) {
    let (sizes, mut words) = header(kind);
    words[2] |= if integer { FLAG_INTEGER } else { 0 };
    (sizes, words)
}

/// The records of a file.
#[derive(Default)]
struct Records {
    bytes: Vec<u8>,
    count: usize,
}

impl Records {
    fn header(&mut self, kind: Kind, (sizes, words): ([usize; 2], Words), bytes: usize) -> Result<(), ModelError> {
        let [inputs, units] = sizes;
        let header = [kind as u32, u32_of(bytes)?, u32_of(inputs)?, u32_of(units)?];
        self.bytes.extend(header.into_iter().chain(words).flat_map(u32::to_le_bytes));
        self.count += 1;
        Ok(())
    }

    fn push(&mut self, kind: Kind, header: ([usize; 2], Words), weights: &[f32]) -> Result<(), ModelError> {
        self.header(kind, header, 4 * weights.len())?;
        self.bytes.extend(weights.iter().flat_map(|weight| weight.to_le_bytes()));
        Ok(())
    }

    fn push_integers(&mut self, kind: Kind, header: ([usize; 2], Words), bytes: &[u8]) -> Result<(), ModelError> {
        let length = bytes.len().next_multiple_of(4);
        self.header(kind, header, length)?;
        self.bytes.extend(bytes);
        self.bytes.resize(self.bytes.len() + length - bytes.len(), 0);
        Ok(())
    }

    fn integer_layer(&mut self, spec: &LayerSpec, numbers: &[u8]) -> Result<(), ModelError> {
        let kind = &spec.kind;
        let (weights, rest) = numbers.split_at(kind.integer_bytes());
        let (shifts, state) = rest.split_at(if spec.residual { 2 * kind.inputs() } else { 0 });
        let words = [0, 0, FLAG_INTEGER, 0];
        if spec.residual {
            self.push_integers(Kind::Residual, ([kind.inputs(); 2], words), shifts)?;
        }
        if spec.initial_state {
            self.push_integers(Kind::InitialState, ([kind.state(); 2], words), state)?;
        }
        let LayerKind::Bidirectional { layer, .. } = *kind else {
            return self.push_integers(kind.kind(), header_of(kind, true), weights);
        };
        self.push_integers(Kind::Bidirectional, header_of(kind, true), &[])?;
        for weights in weights.chunks_exact(layer.integer_bytes()) {
            let kind = LayerKind::Recurrent(layer);
            self.push_integers(kind.kind(), header_of(&kind, true), weights)?;
        }
        Ok(())
    }

    fn layer(&mut self, spec: &LayerSpec, parameters: &[f32]) -> Result<(), ModelError> {
        let kind = &spec.kind;
        let size = kind.inputs();
        let (weights, state) = parameters.split_at(kind.weights());
        if spec.residual {
            self.push(Kind::Residual, ([size; 2], [0; 4]), &[])?;
        }
        if spec.initial_state {
            self.push(Kind::InitialState, ([state.len(); 2], [0; 4]), state)?;
        }
        let LayerKind::Bidirectional { layer, .. } = *kind else {
            return self.push(kind.kind(), header(kind), weights);
        };
        self.push(Kind::Bidirectional, header(kind), &[])?;
        for weights in weights.chunks_exact(layer.weights()) {
            let kind = LayerKind::Recurrent(layer);
            self.push(kind.kind(), header(&kind), weights)?;
        }
        Ok(())
    }
}

fn wrong<T>(record: &Record<'_>, problem: &'static str) -> Result<T, ModelError> {
    Err(ModelError::Layer { layer: record.layer, problem })
}

/// Reads a layer and what stands in front of it. Its parameters are appended, or the bytes of an integer layer.
fn read_layer(
    reader: &mut Reader<'_>,
    parameters: &mut Vec<f32>,
    integers: &mut Vec<u8>,
) -> Result<LayerSpec, ModelError> {
    let before = *reader;
    let mut record = reader.record()?;
    let around = (record.kind == Some(Kind::Residual)).then_some(record);
    if let Some(around) = around {
        format::residual(&mut { before }, around.flags & FLAG_INTEGER != 0)?;
        record = reader.record()?;
    }
    let begin = (record.kind == Some(Kind::InitialState)).then_some(record);
    if begin.is_some() {
        record = reader.record()?;
    }
    let integer = record.flags & FLAG_INTEGER != 0;
    let kind = if record.kind == Some(Kind::Bidirectional) {
        let (first, second) = (reader.record()?, reader.record()?);
        let (LayerKind::Recurrent(layer), LayerKind::Recurrent(other)) =
            (layer_kind(&first, integer)?, layer_kind(&second, integer)?)
        else {
            return wrong(&record, "a bidirectional layer consists of recurrent ones");
        };
        if layer != other {
            return wrong(&record, "the two layers of a bidirectional one differ");
        }
        let Some(merge) = Merge::ALL.into_iter().find(|merge| merge.code() == record.detail) else {
            return wrong(&record, "its merge mode is not known to this release");
        };
        let kind = LayerKind::Bidirectional { layer, merge };
        if header_of(&kind, integer) != ([record.inputs, record.units], words(&record)) || !record.weights.is_empty() {
            return wrong(&record, "it says something that its kind of layer cannot be");
        }
        for weights in [first.weights, second.weights] {
            if integer {
                integers.extend(&weights[..layer.integer_bytes()]);
            } else {
                parameters.extend(numbers(weights));
            }
        }
        kind
    } else {
        let kind = layer_kind(&record, integer)?;
        if integer {
            integers.extend(&record.weights[..kind.integer_bytes()]);
        } else {
            parameters.extend(numbers(record.weights));
        }
        kind
    };
    let is_integer = [0, 0, if integer { FLAG_INTEGER } else { 0 }, 0];
    if let Some(around) = around {
        if [around.inputs; 2] != [kind.inputs(), kind.outputs()] || words(&around) != is_integer {
            return wrong(&record, "the way around it has another size or other numbers");
        }
        if integer {
            integers.extend(&around.weights[..2 * around.inputs]);
        }
    }
    if let Some(begin) = begin {
        let bytes = if integer { 2 } else { 4 } * kind.state();
        let is_whole = begin.weights.len() == bytes.next_multiple_of(4);
        if [begin.inputs, begin.units] != [kind.state(); 2] || words(&begin) != is_integer || !is_whole {
            return wrong(&record, "the state that it begins with is of another size or of other numbers");
        }
        if integer {
            integers.extend(&begin.weights[..bytes]);
        } else {
            parameters.extend(numbers(begin.weights));
        }
    }
    Ok(LayerSpec { kind, residual: around.is_some(), initial_state: begin.is_some(), integer })
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes))
}

fn words(record: &Record<'_>) -> Words {
    // An activation that is not known is not 0 either.
    let activation = record.activation.map_or(u32::MAX, OutputKind::code);
    [activation, record.second, record.flags, record.detail]
}

/// A record as a layer, an integer one or not; everything the record says is used or refused.
fn layer_kind(record: &Record<'_>, integer: bool) -> Result<LayerKind, ModelError> {
    let Record { inputs, units, flags, detail, .. } = *record;
    let size = inputs;
    let Some(activation) = record.activation else {
        return wrong(record, "its activation is not known to this release");
    };
    let each = |activation| match activation {
        OutputKind::Each(kind) => Ok(kind),
        OutputKind::Softmax => wrong(record, "softmax is no activation of such a layer"),
    };
    let recurrent = |cell| {
        let recurrent_activation = match (cell, record.recurrent_activation) {
            (_, None) => return wrong(record, "its recurrent activation is not known to this release"),
            (Cell::SimpleRnn, Some(OutputKind::Each(ActivationKind::Linear))) => ActivationKind::Sigmoid,
            (Cell::SimpleRnn, _) => return wrong(record, "a simple_rnn has no recurrent activation"),
            (_, Some(activation)) => each(activation)?,
        };
        Ok(LayerKind::Recurrent(Recurrent {
            activation: each(activation)?,
            recurrent_activation,
            return_sequences: flags & FLAG_SEQUENCES != 0,
            go_backwards: flags & FLAG_BACKWARDS != 0,
            zero_output_for_mask: flags & FLAG_ZERO_OUTPUT != 0,
            ..Recurrent::new(cell, inputs, units)
        }))
    };
    let kind = match record.kind {
        Some(Kind::SimpleRnn) => recurrent(Cell::SimpleRnn)?,
        Some(Kind::Lstm) => recurrent(Cell::Lstm)?,
        Some(Kind::Gru) => recurrent(Cell::Gru { reset_after: flags & FLAG_RESET_AFTER != 0 })?,
        Some(Kind::Dense) => LayerKind::Dense { inputs, units, activation },
        Some(Kind::Normalize) => LayerKind::Normalize { size },
        Some(Kind::Masking) if !f32::from_bits(detail).is_finite() => {
            return wrong(record, "the value that masks is not a finite number");
        }
        Some(Kind::Masking) => LayerKind::Masking { size, value: f32::from_bits(detail) },
        Some(Kind::Embedding) => {
            LayerKind::Embedding { tokens: inputs, size: units, mask_zero: flags & FLAG_MASK_ZERO != 0 }
        }
        Some(Kind::Conv1d) => LayerKind::Conv1d(Conv1d {
            inputs,
            units,
            kernel_size: (detail & 0xffff) as usize,
            dilation: (detail >> 16) as usize,
            groups: record.second as usize,
            activation: each(activation)?,
        }),
        Some(Kind::AveragePooling) => LayerKind::AveragePooling { size, steps: detail as usize },
        Some(Kind::Flatten) => LayerKind::Flatten { size, steps: detail as usize },
        Some(Kind::Last) => LayerKind::Last { size },
        Some(Kind::UnitNormalization) => LayerKind::UnitNormalization { size },
        Some(Kind::Activation) => LayerKind::Activation { size, activation },
        Some(Kind::Prelu) => LayerKind::Prelu { size },
        Some(Kind::Residual | Kind::InitialState | Kind::Bidirectional) => {
            return wrong(record, "it stands where a single layer should");
        }
        Some(Kind::Quantize) => LayerKind::Quantize { size },
        Some(Kind::Dequantize) => LayerKind::Dequantize { size },
        None => return wrong(record, "its kind is not known to this release"),
    };
    // Sizes are checked, and compared with the bytes that are there, before anything of that size is made.
    let spec = LayerSpec { integer, ..kind.into() };
    spec::check_layer(record.layer, &spec)?;
    if header_of(&kind, integer) != ([inputs, units], words(record)) {
        return wrong(record, "it says something that its kind of layer cannot be");
    }
    let bytes = if integer { kind.integer_bytes() } else { 4 * kind.weights() };
    if record.weights.len() != bytes.next_multiple_of(4) {
        return wrong(record, "it has more or fewer weights than its sizes ask for");
    }
    if integer {
        check_integers(record, &kind, &record.weights[..bytes])?;
    }
    Ok(kind)
}

/// Whether an integer layer's numbers are what its specification allows: no sum can overflow.
fn check_integers(record: &Record<'_>, kind: &LayerKind, bytes: &[u8]) -> Result<(), ModelError> {
    let Some(rows) = integers::rows(kind, bytes) else { return Ok(()) };
    if rows.formats.iter().any(|&bits| bits > 15) {
        return wrong(record, "an integer layer has more fraction bits than a number of 16 bits");
    }
    if !rows.fit() {
        return wrong(record, "an integer layer has weights with which a sum can exceed 32 bits");
    }
    Ok(())
}
