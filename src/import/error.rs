//! Why a file is no model.

use crate::network::{DescriptionError, NetworkError};
use std::path::{Path, PathBuf};

/// Why a model could not be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {error}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// What is wrong with a file.
    #[error("{}: {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<ImportError>,
    },
    /// The file's name does not say what it is.
    #[error("`{name}` is not the name of a file that can be imported: {advice}")]
    UnknownFormat {
        /// Its name.
        name: String,
        /// What can be done.
        advice: &'static str,
    },
    /// The file is not what its name says, or cut off.
    #[error("not a whole {format} file: {problem}")]
    Damaged {
        /// What it should be.
        format: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A tensor that the model needs is not there.
    #[error("there is no tensor `{name}`, which {by} needs; `--list` shows what there is")]
    Missing {
        /// Its name.
        name: String,
        /// What needs it.
        by: String,
    },
    /// A tensor that no layer needs.
    #[error(
        "tensor `{name}` {shape:?} belongs to no layer that is known here; --prefix leaves out what is no part of the model"
    )]
    LeftOver {
        /// Its name.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A tensor that no layer of a model that says its layers needs.
    #[error("tensor `{name}` {shape:?} belongs to no layer of the model")]
    Unused {
        /// Its name.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A tensor has another shape than its layer.
    #[error("tensor `{name}` has the shape {found:?}, but {by} needs {expected}")]
    Shape {
        /// Its name.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape it should have.
        expected: String,
        /// What needs it.
        by: String,
    },
    /// A tensor's numbers are of a type that is not read.
    #[error("tensor `{name}` holds {data_type} numbers; write it as 32-bit floats (PyTorch: `.float()`)")]
    DataType {
        /// Its name.
        name: String,
        /// Its type.
        data_type: String,
    },
    /// A number that is NaN, infinite, or beyond 32 bits.
    #[error("tensor `{name}`: number {index} is {value}")]
    NotFinite {
        /// The tensor's name.
        name: String,
        /// Which number, from 0, in the order of the file.
        index: usize,
        /// The number.
        value: f64,
    },
    /// Something that is understood, and not to be had here.
    #[error("{what} cannot be imported: {advice}")]
    Unsupported {
        /// What.
        what: String,
        /// Why, or what could be done.
        advice: String,
    },
    /// The file does not say enough.
    #[error("{problem}; say it with --model, such as --model '{example}'")]
    NeedsModel {
        /// What it does not say.
        problem: String,
        /// A description that could be meant.
        example: String,
    },
    /// The description is not of what is in the file.
    #[error("--model: {0}")]
    Model(String),
    /// An option that this kind of file has no use for.
    #[error("--{option} is of no use with a model of {format}, which says everything itself; leave it out")]
    Option {
        /// Which one.
        option: &'static str,
        /// The kind of file.
        format: &'static str,
    },
    /// The description is no network.
    #[error("--model: {0}")]
    Description(#[from] DescriptionError),
    /// The layers make no network.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

impl ImportError {
    /// The same, said of a file.
    pub(super) fn of(self, path: &Path) -> Self {
        ImportError::File { path: path.to_owned(), error: Box::new(self) }
    }
}

/// That something is understood, and not to be had here: what it is, and why not or what could be done.
pub(super) fn unsupported<T>(what: impl Into<String>, advice: impl Into<String>) -> Result<T, ImportError> {
    Err(ImportError::Unsupported { what: what.into(), advice: advice.into() })
}
