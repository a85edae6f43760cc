//! Weights of Keras's layers, by the names that a file gives them.

use super::super::ImportError;
use super::super::tensors::Tensors;
use super::config::Layer;
use super::hdf5::Hdf5;
use std::collections::BTreeMap;

/// Weights that belong together: where they are in a file that numbers classes, their names and their shapes.
pub(super) struct Part<'a> {
    pub(super) place: &'a str,
    pub(super) wanted: Vec<(&'static str, Vec<usize>)>,
}

/// The weights that no layer has taken yet.
pub(super) struct Weights {
    tensors: Tensors,
    /// The names of each layer's tensors, in a file that calls layers by name; other files number them.
    names: Option<BTreeMap<String, Vec<String>>>,
    /// The layers with weights, in the file's order.
    pub(super) order: Vec<String>,
}

impl Weights {
    /// Those of `.keras` and of Keras 3's files of weights: `layers/lstm_1/cell/vars/0`.
    pub(super) fn numbered(file: &Hdf5) -> Result<Self, ImportError> {
        // An optimiser's state, and that of random numbers, which are drawn in training alone.
        let trains = |name: &str| name.starts_with("optimizer/") || name.contains("/seed_generator/");
        let tensors = Tensors::of(file.tensors(|name| !trains(name))?);
        Ok(Weights { tensors, names: None, order: Vec::new() })
    }

    /// Those of files in which layers are called by name: `model_weights/lstm_1/lstm_1/kernel:0`.
    pub(super) fn named(file: &Hdf5, group: &str) -> Result<Self, ImportError> {
        let folder = if group.is_empty() { String::new() } else { format!("{group}/") };
        let mut names = BTreeMap::new();
        let mut order = Vec::new();
        for layer in file.texts(group, "layer_names")?.unwrap_or_default() {
            let own = file.texts(&format!("{folder}{layer}"), "weight_names")?.unwrap_or_default();
            if !own.is_empty() {
                order.push(layer.clone());
            }
            let own = own.into_iter().map(|name| format!("{folder}{layer}/{name}")).collect();
            names.insert(layer, own);
        }
        let tensors = Tensors::of(file.tensors(|name| !name.starts_with("optimizer_weights/"))?);
        Ok(Weights { tensors, names: Some(names), order })
    }

    /// How many numbers there are.
    pub(super) fn numbers(&self) -> usize {
        self.tensors.names().filter_map(|name| self.tensors.get(name)).map(|tensor| tensor.values.len()).sum()
    }

    /// Whether layers have numbers, and not names.
    pub(super) fn are_numbered(&self) -> bool {
        self.names.is_none()
    }

    /// How many weights a part of a layer has.
    pub(super) fn count(&self, layer: &Layer, place: &str) -> usize {
        match &self.names {
            Some(names) => names.get(&layer.name).map_or(0, Vec::len),
            None => (0..).take_while(|&i| self.tensors.get(&numbered(layer, place, i)).is_some()).count(),
        }
    }

    /// The shape of the first of a layer's weights.
    pub(super) fn first_shape(&self, layer: &Layer, place: &str) -> Result<&[usize], ImportError> {
        let name = match &self.names {
            Some(names) => names.get(&layer.name).and_then(|names| names.first()).cloned(),
            None => Some(numbered(layer, place, 0)),
        };
        let name = name.unwrap_or_else(|| layer.name.clone());
        let tensor = self.tensors.get(&name).ok_or_else(|| self.tensors.missing(&name, &layer.title()))?;
        Ok(&tensor.shape)
    }

    /// The numbers of a layer's weights, part by part.
    pub(super) fn take(&mut self, layer: &Layer, parts: &[Part<'_>]) -> Result<Vec<Vec<f32>>, ImportError> {
        let by = layer.title();
        let names = self.names.as_ref().map(|names| names.get(&layer.name).cloned().unwrap_or_default());
        let mut taken = Vec::new();
        for part in parts {
            for (i, (what, shape)) in part.wanted.iter().enumerate() {
                let name = match &names {
                    None => numbered(layer, part.place, i),
                    Some(names) => match names.get(taken.len()) {
                        Some(name) if is_called(name, what) => name.clone(),
                        _ => return Err(self.tensors.missing(&format!("{}/…/{what}", layer.name), &by)),
                    },
                };
                taken.push(self.tensors.take(&name, shape, &by)?);
            }
        }
        Ok(taken)
    }

    /// That every tensor has been taken.
    pub(super) fn finish(self) -> Result<(), ImportError> {
        match self.tensors.names().next() {
            Some(name) => {
                let (name, tensor) = (name.to_owned(), self.tensors.get(name));
                Err(ImportError::Unused { shape: tensor.map(|tensor| tensor.shape.clone()).unwrap_or_default(), name })
            }
            None => Ok(()),
        }
    }
}

fn numbered(layer: &Layer, place: &str, i: usize) -> String {
    let place = if place.is_empty() { String::new() } else { format!("/{place}") };
    format!("{}{place}/vars/{i}", layer.path)
}

/// Whether a path ends in a weight's name, behind which TensorFlow has put numbers: `lstm/kernel_1:0`.
fn is_called(path: &str, what: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.split(':').next().unwrap_or(name);
    name.strip_prefix(what).is_some_and(|rest| {
        rest.is_empty() || rest.strip_prefix('_').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
    })
}
