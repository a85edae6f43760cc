//! The numbers in an HDF5 file, by their paths.

use super::super::ImportError;
use super::super::tensors::{Entry, Tensor, finite};
use hdf5_pure::{DType, Dataset, File, Group};

/// Groups in groups that Keras makes are six at most.
const DEEPEST: usize = 16;

pub(super) struct Hdf5 {
    format: &'static str,
    file: File,
    /// Bytes in the file.
    length: usize,
}

impl Hdf5 {
    pub(super) fn open(bytes: Vec<u8>, format: &'static str) -> Result<Self, ImportError> {
        let length = bytes.len();
        let file = File::from_bytes(bytes).map_err(|error| damaged(format, &error))?;
        Ok(Hdf5 { format, file, length })
    }

    fn damaged(&self, error: &hdf5_pure::Error) -> ImportError {
        damaged(self.format, error)
    }

    fn problem<T>(&self, problem: &str) -> Result<T, ImportError> {
        Err(ImportError::Damaged { format: self.format, problem: problem.into() })
    }

    /// A group's attribute of texts, which Keras splits in parts if it is long.
    pub(super) fn texts(&self, group: &str, name: &str) -> Result<Option<Vec<String>>, ImportError> {
        let group = if group.is_empty() { Ok(self.file.root()) } else { self.file.group(group) };
        let attributes = group.and_then(|group| group.attrs()).map_err(|error| self.damaged(&error))?;
        let texts = |name: &str| {
            let value = attributes.get(name)?;
            match (value.as_str(), value.as_strings()) {
                (Some(text), _) => Some(vec![text.to_owned()]),
                (None, Some(texts)) => Some(texts.to_vec()),
                // An empty list has no texts by which its type could be told.
                (None, None) => Some(Vec::new()),
            }
        };
        let parts: Vec<String> = (0..).map_while(|part| texts(&format!("{name}{part}"))).flatten().collect();
        Ok(texts(name).or_else(|| (!parts.is_empty()).then_some(parts)))
    }

    /// An attribute of the file that is one text.
    pub(super) fn text(&self, group: &str, name: &str) -> Result<Option<String>, ImportError> {
        Ok(self.texts(group, name)?.and_then(|texts| texts.into_iter().next()))
    }

    /// Every dataset and its path.
    pub(super) fn datasets(&self) -> Result<Vec<(String, Dataset)>, ImportError> {
        let mut found = Vec::new();
        // No object and no name is smaller; a hostile file has groups in circles.
        let mut most = self.length.saturating_mul(4);
        self.walk(&self.file.root(), "", 0, &mut most, &mut found)?;
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    fn walk(
        &self,
        group: &Group,
        path: &str,
        depth: usize,
        most: &mut usize,
        found: &mut Vec<(String, Dataset)>,
    ) -> Result<(), ImportError> {
        if depth > DEEPEST {
            return self.problem("groups in groups without end");
        }
        let mut charge = |path: &str| match most.checked_sub(path.len() + 32) {
            Some(left) => {
                *most = left;
                Ok(())
            }
            None => self.problem("more tensors and groups than it has room for"),
        };
        for (name, dataset) in group.iter_datasets().map_err(|error| self.damaged(&error))? {
            let path = format!("{path}{name}");
            charge(&path)?;
            found.push((path, dataset));
        }
        let mut groups = Vec::new();
        for (name, group) in group.iter_groups().map_err(|error| self.damaged(&error))? {
            let path = format!("{path}{name}/");
            charge(&path)?;
            groups.push((path, group));
        }
        for (path, group) in groups {
            self.walk(&group, &path, depth + 1, most, found)?;
        }
        Ok(())
    }

    fn shape(&self, dataset: &Dataset) -> Result<Vec<usize>, ImportError> {
        let shape = dataset.shape().map_err(|error| self.damaged(&error))?;
        Ok(shape.into_iter().map(|size| usize::try_from(size).unwrap_or(usize::MAX)).collect())
    }

    /// What `--list` shows of it.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, ImportError> {
        let entry = |(name, dataset): (String, Dataset)| {
            let data_type = dataset.dtype().map_err(|error| self.damaged(&error))?;
            Ok(Entry { name, shape: self.shape(&dataset)?, data_type: type_name(&data_type) })
        };
        self.datasets()?.into_iter().map(entry).collect()
    }

    /// The tensors that `wanted` says yes to.
    pub(super) fn tensors(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<(String, Tensor)>, ImportError> {
        // Keras does not compress, and a hostile file may hold the same bytes under many names.
        let mut room = self.length.saturating_mul(4);
        let mut tensors = Vec::new();
        for (name, dataset) in self.datasets()? {
            if !wanted(&name) {
                continue;
            }
            let size = match dataset.dtype().map_err(|error| self.damaged(&error))? {
                DType::F32 => 4,
                DType::F64 => 8,
                other => return Err(ImportError::DataType { name, data_type: type_name(&other) }),
            };
            let shape = self.shape(&dataset)?;
            let length = shape.iter().try_fold(size, |bytes: usize, &size| bytes.checked_mul(size));
            let Some(left) = length.and_then(|length| room.checked_sub(length)) else {
                return self.problem(&format!("tensor `{name}` {shape:?} has more numbers than the file"));
            };
            room = left;
            // A chunk is made whole, however little of it the tensor is.
            let chunk = dataset.chunk_shape().map_err(|error| self.damaged(&error))?.unwrap_or_default();
            let chunk = chunk.into_iter().try_fold(size as u64, |bytes, size| bytes.checked_mul(size));
            if chunk.is_none_or(|bytes| bytes > self.length.saturating_mul(4) as u64) {
                return self.problem(&format!("tensor `{name}` {shape:?} is in chunks that are larger than the file"));
            }
            let values = dataset.read_f64().map_err(|error| ImportError::Damaged {
                format: self.format,
                problem: format!("tensor `{name}`: {error}"),
            })?;
            if length != values.len().checked_mul(size) {
                return self.problem(&format!("tensor `{name}` {shape:?} has {} numbers", values.len()));
            }
            let tensor = Tensor { shape, values: finite(&name, &values)? };
            tensors.push((name, tensor));
        }
        Ok(tensors)
    }
}

/// What a message calls a type, without the types in it.
fn type_name(data_type: &DType) -> String {
    match data_type {
        DType::Compound(_) => "compound".into(),
        DType::Enum(_) => "enumerated".into(),
        DType::Array(..) => "array".into(),
        DType::Other(_) => "other".into(),
        plain => format!("{plain:?}").to_lowercase(),
    }
}

/// Room for types in types: a message of 64 KiB nests 8192 of them, and `hdf5-pure` calls itself for each.
const DEEP: usize = 1 << 28;

/// Reads where there is room for what a hostile file makes of it. Only what is used of it is memory.
pub(super) fn read<T: Send>(
    format: &'static str,
    read: impl FnOnce() -> Result<T, ImportError> + Send,
) -> Result<T, ImportError> {
    let stopped = |problem: String| Err(ImportError::Damaged { format, problem });
    std::thread::scope(|scope| {
        match std::thread::Builder::new().stack_size(DEEP).spawn_scoped(scope, read).map(|thread| thread.join()) {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => stopped("the reader of HDF5 cannot follow it".into()),
            Err(error) => stopped(format!("no thread could be started to read it: {error}")),
        }
    })
}

fn damaged(format: &'static str, error: &hdf5_pure::Error) -> ImportError {
    ImportError::Damaged { format, problem: error.to_string() }
}
