//! Models of other frameworks.
//!
//! [`import`] reads a file into a [`Model`], whose answers are the framework's to within rounding. Everything in the file is
//! used, or the import fails and names what is not: a tensor that is missing, left over, of another shape or not a number is
//! an error, never a guess. What a file cannot say is assumed as the framework has it by default, and told in
//! [`Imported::notes`]; [`Options::model`] says otherwise. A file of [`to_safetensors`](crate::export::to_safetensors) says all.
//!
//! | file | what is read |
//! |---|---|
//! | `.keras` | Keras 3's models: sequential ones, and graphs that are a series of layers |
//! | `.h5` | the same of Keras 2 and 3; files of weights alone, with [`Options::model`] |
//! | `.onnx` | chains of `RNN`, `LSTM`, `GRU`, `Gemm`, `MatMul` and activations, with what exporters put around them |
//! | `.safetensors` | PyTorch state dicts of `nn.RNN`, `nn.LSTM`, `nn.GRU`, both ways too, their cells, and `nn.Linear`; with [`Options::model`] also of `nn.Embedding`, `nn.Conv1d`, `nn.PReLU` and a Linear without bias |
//! | `.json` | the same state dicts as lists of lists by name; RTNeural's models of `lstm`, `gru`, `dense`, `conv1d`, `batchnorm`, `prelu` and `activation`; Automated-GuitarAmpModelling's and GuitarML's LSTM, GRU and RNN |
//! | `.nam` | Neural Amp Modeler's models of the LSTM architecture, with the state that they begin with |
//!
//! # What PyTorch's words are here
//!
//! | PyTorch | [`Options::model`] |
//! |---|---|
//! | `nn.LSTM(n, 9, num_layers=2)` and all of its outputs | `lstm(9, sequences), lstm(9, sequences)` |
//! | … and `out[:, -1]`, or `h_n[-1]` | `lstm(9, sequences), lstm(9)` |
//! | `bidirectional=True` and all of its outputs | `bidirectional(lstm(9, sequences))` |
//! | … and both final states, `cat([h_n[-2], h_n[-1]], 1)` | `bidirectional(lstm(9))` |
//! | … and `out[:, -1]`, for which the backward layer has seen a single step | `bidirectional(lstm(9, sequences)), last` |
//! | `nn.Embedding(100, 16)` | `embedding(100, 16)`; a matrix without a bias might be a `dense(100)` as well |
//! | `nn.Conv1d(n, 8, 3, dilation=2)` behind `pad(x, (4, 0))` | `conv1d(8, 3, dilation=2)`, which is causal; PyTorch's own padding is not |
//! | `nn.PReLU()`, `nn.PReLU(8)` | `prelu(8)` |
//! | `torch.tanh(…)` | `activation(tanh)`, or `dense(8, tanh)` behind a Linear |
//! | `h0`, `c0` | [`State::values_mut`](crate::network::State::values_mut), where [`Inference::state_of`](crate::network::Inference::state_of) says |
//! | `pack_padded_sequence` | each series in a run of its own length |

mod cells;
mod error;
mod guitarml;
mod json;
mod keras;
mod nam;
mod onnx;
mod pytorch;
mod rtneural;
mod tensors;

pub use error::ImportError;
use error::unsupported;
pub use tensors::Entry;

use crate::network::{LayerSpec, Model, Network};
use std::path::Path;
use tensors::Tensors;
pub(crate) use tensors::transposed;

/// What a file cannot say about its model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The layers, as [`Network::describe`](crate::network::Network::describe) has them.
    pub model: Option<String>,
    /// Only the tensors whose names begin with it and a point are the model.
    pub prefix: Option<String>,
}

impl Options {
    /// That there are none, for a kind of file that says everything itself.
    fn none(&self, format: &'static str) -> Result<(), ImportError> {
        match [("model", self.model.is_some()), ("prefix", self.prefix.is_some())].into_iter().find(|(_, given)| *given)
        {
            Some((option, _)) => Err(ImportError::Option { option, format }),
            None => Ok(()),
        }
    }
}

/// A model, and what was assumed about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The model.
    pub model: Model,
    /// What the file does not say and was taken as the framework has it by default, in sentences.
    pub notes: Vec<String>,
}

#[derive(Clone, Copy)]
enum Format {
    Safetensors,
    Json,
    Keras,
    H5,
    Nam,
    Onnx,
}

impl Format {
    fn of(path: &Path) -> Result<Self, ImportError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match extension.as_str() {
            "safetensors" => Ok(Format::Safetensors),
            "json" => Ok(Format::Json),
            "keras" => Ok(Format::Keras),
            "h5" | "hdf5" => Ok(Format::H5),
            "nam" => Ok(Format::Nam),
            "onnx" => Ok(Format::Onnx),
            "pt" | "pth" | "bin" => Err(ImportError::UnknownFormat {
                name,
                advice: "PyTorch's own files hold programs; in Python, \
                         `safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")` writes one that does not",
            }),
            _ => Err(ImportError::UnknownFormat {
                name,
                advice: "there are .keras, .h5, .onnx, .safetensors, .json and .nam",
            }),
        }
    }
}

/// Reads a model of another framework; the end of the file's name says of which one.
///
/// # Errors
/// If the file cannot be read, is damaged, or has something in it that is not understood.
pub fn import(path: &Path, options: &Options) -> Result<Imported, ImportError> {
    let format = Format::of(path)?;
    let bytes = read(path)?;
    let imported = match format {
        Format::Safetensors => from_safetensors(&bytes, options),
        Format::Json => from_json(&bytes, options),
        Format::Keras => from_keras(&bytes, options),
        Format::H5 => from_h5(&bytes, options),
        Format::Nam => from_nam(&bytes, options),
        Format::Onnx => from_onnx(&bytes, options),
    };
    imported.map_err(|error| error.of(path))
}

/// The tensors of a file, by name.
///
/// # Errors
/// If the file cannot be read or is damaged.
pub fn list(path: &Path) -> Result<Vec<Entry>, ImportError> {
    let format = Format::of(path)?;
    let bytes = read(path)?;
    let listed = match format {
        Format::Safetensors => tensors::safetensors_entries(&bytes),
        Format::Json => json_entries(&bytes),
        Format::Keras => keras::keras_entries(&bytes),
        Format::H5 => keras::h5_entries(&bytes),
        Format::Nam => nam::entries(&bytes),
        Format::Onnx => onnx::entries(&bytes),
    };
    listed.map_err(|error| error.of(path))
}

/// Reads a PyTorch state dict from the content of a `.safetensors` file.
///
/// # Errors
/// If it is damaged, or has something in it that is not understood.
pub fn from_safetensors(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    pytorch::import(Tensors::from_safetensors(bytes, options.prefix.as_deref().unwrap_or(""))?, options)
}

/// Reads an RTNeural model, a model of Automated-GuitarAmpModelling, or a PyTorch state dict that is written as lists of lists by name,
/// from the content of a `.json` file.
///
/// # Errors
/// If it is damaged, or has something in it that is not understood.
pub fn from_json(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let keys = json::keys(bytes)?;
    if guitarml::is_document(&keys) {
        return guitarml::import(bytes, &keys, options);
    }
    if rtneural::is_document(&keys) {
        return rtneural::import(bytes, keys, options);
    }
    pytorch::import(Tensors::from_json(bytes, options.prefix.as_deref().unwrap_or(""))?, options)
}

/// Reads a model of Neural Amp Modeler, of the LSTM architecture, from the content of a `.nam` file.
///
/// It begins with the file's own state, [`Inference::initial_state`](crate::network::Inference::initial_state). The program itself
/// lets half a second of silence through before it listens.
///
/// # Errors
/// If it is damaged, or has something in it that is not understood.
pub fn from_nam(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    nam::import(bytes, options)
}

/// Reads a Keras model from the content of a `.keras` file.
///
/// # Errors
/// If it is damaged, or has something in it that is not understood.
pub fn from_keras(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    keras::from_keras(bytes, options)
}

/// Reads a Keras model from the content of an `.h5` file; one of weights alone takes [`Options::model`].
///
/// # Errors
/// If it is damaged, or has something in it that is not understood.
pub fn from_h5(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    keras::from_h5(bytes, options)
}

/// Reads a model from the content of an `.onnx` file, whose graph has to be a chain of layers from one input to its first output.
///
/// Series in a batch are streams of their own here, and the time axis is as long as a series is. States that are inputs of the
/// graph begin with zeros; states that are constants become the layers' initial states.
///
/// # Errors
/// If it is damaged, or has something in it that is not understood.
pub fn from_onnx(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    onnx::import(bytes, options)
}

fn json_entries(bytes: &[u8]) -> Result<Vec<Entry>, ImportError> {
    let keys = json::keys(bytes)?;
    if guitarml::is_document(&keys) {
        guitarml::entries(bytes)
    } else if rtneural::is_document(&keys) {
        rtneural::entries(bytes)
    } else {
        let arrays: json::NamedArrays = serde_json::from_slice(bytes).map_err(json::damaged_json)?;
        Ok(arrays.entries())
    }
}

/// How many numbers an importer may still make: few bytes can ask for one number many times.
struct Budget(usize);

impl Budget {
    /// Twice what `numbers` are, and what small models need.
    fn of(numbers: usize) -> Self {
        Budget(numbers.saturating_mul(2).saturating_add(1 << 16))
    }

    fn charge(&mut self, numbers: usize) -> Result<(), ImportError> {
        let Some(left) = self.0.checked_sub(numbers) else {
            return unsupported("a model many times larger than its file", "give every layer weights of its own");
        };
        self.0 = left;
        Ok(())
    }
}

/// These layers with their numbers, one layer's behind the other's.
fn network_of(layers: Vec<LayerSpec>, parameters: &[f32]) -> Result<Network, ImportError> {
    let mut network = Network::new(layers)?;
    if parameters.len() != network.parameters().len() {
        let what =
            format!("a model of {} numbers where its layers need {}", parameters.len(), network.parameters().len());
        return unsupported(what, "its layers and its weights are not of one model");
    }
    network.parameters_mut().copy_from_slice(parameters);
    Ok(network)
}

/// The model of this network, if every number is one: a sum or a product of finite numbers need not be finite.
fn imported(network: Network, notes: Vec<String>) -> Result<Imported, ImportError> {
    for (i, spec) in network.layers().iter().enumerate() {
        if let Some(value) = network.parameters()[network.range(i)].iter().find(|value| !value.is_finite()) {
            let what = format!("layer {}, {spec}, with a weight that is {value}", i + 1);
            return unsupported(what, "sums of its biases or products are too large");
        }
    }
    Ok(Imported { model: Model::new(network), notes })
}

fn read(path: &Path) -> Result<Vec<u8>, ImportError> {
    std::fs::read(path).map_err(|error| ImportError::Io { path: path.to_owned(), error })
}
