//! Named tensors: each is taken by one layer, or the import fails.

use super::ImportError;
use super::json::{Array, NamedArrays, damaged_json};
use crate::export::DESCRIPTION;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use std::collections::BTreeMap;

/// A tensor as a file lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The type of its numbers.
    pub data_type: String,
}

pub(super) struct Tensor {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// The tensors that no layer has taken yet.
pub(super) struct Tensors {
    all: BTreeMap<String, Tensor>,
    /// What was cut off in front of each name.
    prefix: String,
    /// The layers in words, of a file that says what they are.
    pub(super) description: Option<Description>,
}

/// What a file itself says of its layers.
pub(super) struct Description {
    /// The layers in words.
    pub(super) layers: String,
    /// What says it, with "its".
    pub(super) from: &'static str,
    pub(super) format: &'static str,
}

fn open(bytes: &[u8]) -> Result<SafeTensors<'_>, ImportError> {
    SafeTensors::deserialize(bytes).map_err(damaged)
}

/// Of a file that this crate has written.
fn description(bytes: &[u8]) -> Result<Option<Description>, ImportError> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let layers = header.metadata().as_ref().and_then(|metadata| metadata.get(DESCRIPTION)).cloned();
    Ok(layers.map(|layers| Description { layers, from: "its metadata", format: ".safetensors" }))
}

fn damaged(error: SafeTensorError) -> ImportError {
    ImportError::Damaged { format: ".safetensors", problem: error.to_string() }
}

pub(super) fn safetensors_entries(bytes: &[u8]) -> Result<Vec<Entry>, ImportError> {
    let file = open(bytes)?;
    let mut entries: Vec<_> = file
        .iter()
        .map(|(name, view)| Entry {
            name: name.to_owned(),
            shape: view.shape().to_vec(),
            data_type: format!("{:?}", view.dtype()).to_lowercase(),
        })
        .collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

impl Tensors {
    /// Those whose names begin with `prefix` and a point, or all of them if it is empty; none yet.
    fn new(prefix: &str) -> Self {
        let prefix = match prefix.trim_end_matches('.') {
            "" => String::new(),
            prefix => format!("{prefix}."),
        };
        Tensors { all: BTreeMap::new(), prefix, description: None }
    }

    /// That there are some.
    fn checked(self) -> Result<Self, ImportError> {
        match self.all.len() {
            0 => Err(ImportError::Missing { name: format!("{}…", self.prefix), by: "the model".into() }),
            _ => Ok(self),
        }
    }

    /// These, with all of their names.
    pub(super) fn of(tensors: Vec<(String, Tensor)>) -> Self {
        Tensors { all: tensors.into_iter().collect(), ..Self::new("") }
    }

    /// The tensors of a `.safetensors` file whose names begin with `prefix`.
    pub(super) fn from_safetensors(bytes: &[u8], prefix: &str) -> Result<Self, ImportError> {
        let mut tensors = Self::new(prefix);
        for (whole, view) in open(bytes)?.iter() {
            let Some(name) = whole.strip_prefix(&tensors.prefix) else { continue };
            let data = view.data();
            let values: Vec<f64> = match view.dtype() {
                Dtype::F32 => data.as_chunks().0.iter().map(|&bytes| f64::from(f32::from_le_bytes(bytes))).collect(),
                Dtype::F64 => data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect(),
                other => {
                    let data_type = format!("{other:?}").to_lowercase();
                    return Err(ImportError::DataType { name: whole.to_owned(), data_type });
                }
            };
            let tensor = Tensor { shape: view.shape().to_vec(), values: finite(whole, &values)? };
            tensors.all.insert(name.to_owned(), tensor);
        }
        tensors.description = description(bytes)?;
        tensors.checked()
    }

    /// The arrays of a `.json` file whose names begin with `prefix`.
    pub(super) fn from_json(bytes: &[u8], prefix: &str) -> Result<Self, ImportError> {
        Self::from_arrays(serde_json::from_slice(bytes).map_err(damaged_json)?, prefix)
    }

    /// Those of arrays.
    pub(super) fn from_arrays(NamedArrays(arrays): NamedArrays, prefix: &str) -> Result<Self, ImportError> {
        let mut tensors = Self::new(prefix);
        for (whole, mut array) in arrays {
            let Some(name) = whole.strip_prefix(&tensors.prefix) else { continue };
            let shape = core::mem::take(&mut array.shape);
            tensors.all.insert(name.to_owned(), Tensor { shape, values: array.into_floats(&whole)? });
        }
        tensors.checked()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.keys().map(String::as_str)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Tensor> {
        self.all.get(name)
    }

    /// The numbers of a tensor that must be there, `by` a layer, and have this shape.
    pub(super) fn take(&mut self, name: &str, shape: &[usize], by: &str) -> Result<Vec<f32>, ImportError> {
        match self.all.get(name) {
            None => Err(self.missing(name, by)),
            Some(tensor) if tensor.shape != shape => Err(self.wrong_shape(name, &format!("{shape:?}"), by)),
            Some(_) => Ok(self.all.remove(name).map(|tensor| tensor.values).unwrap_or_default()),
        }
    }

    /// What to say about a tensor that `by` needs and that is not there.
    pub(super) fn missing(&self, name: &str, by: &str) -> ImportError {
        ImportError::Missing { name: format!("{}{name}", self.prefix), by: by.to_owned() }
    }

    /// What to say about the shape of a tensor that is there.
    pub(super) fn wrong_shape(&self, name: &str, expected: &str, by: &str) -> ImportError {
        let found = self.all.get(name).map(|tensor| tensor.shape.clone()).unwrap_or_default();
        let (name, expected, by) = (format!("{}{name}", self.prefix), expected.to_owned(), by.to_owned());
        ImportError::Shape { name, found, expected, by }
    }

    /// What to say about a tensor that no layer takes.
    pub(super) fn left_over(&self, name: &str) -> ImportError {
        let shape = self.all.get(name).map(|tensor| tensor.shape.clone()).unwrap_or_default();
        ImportError::LeftOver { name: format!("{}{name}", self.prefix), shape }
    }
}

impl NamedArrays {
    /// What `--list` shows of them.
    pub(super) fn entries(self) -> Vec<Entry> {
        let entry = |(name, array): (String, Array)| Entry { name, shape: array.shape, data_type: "number".into() };
        self.0.into_iter().map(entry).collect()
    }
}

/// Numbers as 32-bit floats, all of which are finite.
pub(super) fn finite(name: &str, values: &[f64]) -> Result<Vec<f32>, ImportError> {
    let to_f32 = |(index, &value): (usize, &f64)| {
        let rounded = value as f32;
        let name = name.to_owned();
        if rounded.is_finite() { Ok(rounded) } else { Err(ImportError::NotFinite { name, index, value }) }
    };
    values.iter().enumerate().map(to_f32).collect()
}

/// A matrix in the order `[row][column]` as `[column][row]`.
pub(crate) fn transposed(matrix: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut transposed = Vec::with_capacity(matrix.len());
    for column in 0..columns {
        transposed.extend((0..rows).map(|row| matrix[row * columns + column]));
    }
    transposed
}
