//! A layer's configuration: each key is looked at, or it is known not to change an output.

use super::super::{ImportError, unsupported};
use super::config::Layer;
use crate::math::{ActivationKind, OutputKind};
use serde_json::{Map, Value};

/// What is used in training, to initialise or to compute faster.
const OF_NO_EFFECT: &[&str] = &[
    "name",
    "trainable",
    "batch_shape",
    "batch_input_shape",
    "input_dtype",
    "seed",
    "unroll",
    "implementation",
    "dropout",
    "recurrent_dropout",
    "unit_forget_bias",
    "use_cudnn",
    "momentum",
    "renorm_momentum",
    "synchronized",
    "fused",
];

/// The most that is made of a size before the weights' shapes have confirmed it.
const MOST: usize = 1 << 20;

pub(super) struct Keys {
    title: String,
    config: Map<String, Value>,
}

impl Keys {
    pub(super) fn of(layer: &Layer) -> Result<Self, ImportError> {
        let mut keys = Keys { title: layer.title(), config: layer.config.clone() };
        keys.check_data_type()?;
        Ok(keys)
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// The layer in this one's configuration.
    pub(super) fn inner(&mut self, key: &str) -> Result<Option<(String, Keys)>, ImportError> {
        let value = self.take(key);
        if value.is_null() {
            return Ok(None);
        }
        let (Some(class), Some(config)) = (value["class_name"].as_str(), value["config"].as_object()) else {
            return self.refused(key, &value, "a layer can be");
        };
        let title = format!("{}, its {key} ({class})", self.title);
        let mut keys = Keys { title, config: config.clone() };
        keys.check_data_type()?;
        Ok(Some((class.to_owned(), keys)))
    }

    fn take(&mut self, key: &str) -> Value {
        self.config.remove(key).unwrap_or(Value::Null)
    }

    pub(super) fn refused<T>(&self, key: &str, value: impl std::fmt::Display, advice: &str) -> Result<T, ImportError> {
        unsupported(format!("{}, `{key}`: {value}", self.title), advice)
    }

    /// Where layers compute with fewer bits, outputs are others.
    fn check_data_type(&mut self) -> Result<(), ImportError> {
        let value = self.take("dtype");
        let name = value.as_str().or_else(|| value["config"]["name"].as_str());
        match name {
            None if value.is_null() => Ok(()),
            Some("float32" | "float64") => Ok(()),
            // Of an input.
            Some("int32" | "int64" | "uint8" | "int16") if self.config.contains_key("sparse") => Ok(()),
            _ => self.refused("dtype", name.unwrap_or("?"), "float32 and float64 can be"),
        }
    }

    pub(super) fn truth(&mut self, key: &str) -> Result<bool, ImportError> {
        match self.take(key) {
            Value::Null => Ok(false),
            Value::Bool(value) => Ok(value),
            value => self.refused(key, value, "true and false can be"),
        }
    }

    /// True unless it says otherwise.
    pub(super) fn truth_or_true(&mut self, key: &str) -> Result<bool, ImportError> {
        Ok(!self.config.contains_key(key) || self.truth(key)?)
    }

    /// A whole number, or `usual` where there is none.
    pub(super) fn size_or(&mut self, key: &str, usual: Option<usize>) -> Result<usize, ImportError> {
        let value = self.take(key);
        // Sizes of a single dimension may stand in a list.
        let number = match value.as_array().map(Vec::as_slice) {
            Some([one]) => one.as_u64(),
            _ => value.as_u64(),
        };
        match (number.and_then(|number| usize::try_from(number).ok()), usual) {
            (Some(size), _) if (1..=MOST).contains(&size) => Ok(size),
            (None, Some(usual)) if value.is_null() => Ok(usual),
            _ => self.refused(key, &value, "whole numbers from 1 to 1048576 can be"),
        }
    }

    pub(super) fn size(&mut self, key: &str) -> Result<usize, ImportError> {
        self.size_or(key, None)
    }

    pub(super) fn number_or(&mut self, key: &str, usual: f64) -> Result<f64, ImportError> {
        match self.take(key) {
            Value::Null => Ok(usual),
            // LeakyReLU had its slope in an object once.
            value => match value.as_f64().or_else(|| value["value"].as_f64()) {
                Some(number) if (number as f32).is_finite() => Ok(number),
                _ => self.refused(key, &value, "a number can be"),
            },
        }
    }

    /// One of the texts, the first of which is the usual one.
    pub(super) fn one_of(&mut self, key: &str, texts: &[&'static str]) -> Result<&'static str, ImportError> {
        let value = self.take(key);
        let found =
            if value.is_null() { texts.first() } else { texts.iter().find(|text| value.as_str() == Some(text)) };
        match found {
            Some(text) => Ok(text),
            None => self.refused(key, &value, &format!("{} can be", texts.join(" and "))),
        }
    }

    /// How many zeros are put in front and behind.
    pub(super) fn padding(&mut self) -> Result<[usize; 2], ImportError> {
        let value = self.take("padding");
        let size =
            |value: &Value| value.as_u64().and_then(|size| usize::try_from(size).ok()).filter(|&size| size <= MOST);
        let padding = match value.as_array().map(Vec::as_slice) {
            Some([before, behind]) => size(before).zip(size(behind)),
            _ => size(&value).map(|both| (both, both)),
        };
        match padding {
            Some((before, behind)) => Ok([before, behind]),
            None => self.refused("padding", &value, "two whole numbers can be"),
        }
    }

    /// That an axis is the last one of `rank`, the batch's included.
    pub(super) fn last_axis(&mut self, rank: usize) -> Result<(), ImportError> {
        let value = self.take("axis");
        let axis = match value.as_array().map(Vec::as_slice) {
            Some([one]) => one.as_i64(),
            None if value.is_null() => Some(-1),
            _ => value.as_i64(),
        };
        match axis {
            Some(-1) => Ok(()),
            Some(axis) if usize::try_from(axis).is_ok_and(|axis| axis + 1 == rank) => Ok(()),
            _ => self.refused("axis", &value, "the last axis can be"),
        }
    }

    /// The activation that a key names.
    pub(super) fn output_activation(&mut self, key: &str) -> Result<OutputKind, ImportError> {
        let value = self.take(key);
        let name = match &value {
            Value::Null => "linear",
            // A class or a function of Keras's may be written out.
            value => value.as_str().or_else(|| value["config"].as_str()).unwrap_or("?"),
        };
        let name = match name {
            "swish" => "silu",
            name => name,
        };
        match ActivationKind::ALL.iter().find(|kind| kind.name() == name) {
            Some(&kind) => Ok(OutputKind::Each(kind)),
            None if name == "softmax" => Ok(OutputKind::Softmax),
            None => {
                let known: Vec<_> = ActivationKind::ALL.iter().map(|kind| kind.name()).collect();
                self.refused(key, &value, &format!("there are softmax, {}", known.join(", ")))
            }
        }
    }

    /// An activation of each number, or `usual` where there is no such key.
    pub(super) fn activation(&mut self, key: &str, usual: ActivationKind) -> Result<ActivationKind, ImportError> {
        if !self.config.contains_key(key) {
            return Ok(usual);
        }
        match self.output_activation(key)? {
            OutputKind::Each(kind) => Ok(kind),
            OutputKind::Softmax => self.refused(key, "softmax", "softmax can be behind dense layers alone"),
        }
    }

    /// Keys of which this layer's outputs know nothing.
    pub(super) fn ignore(&mut self, keys: &[&str]) {
        self.config.retain(|key, _| !keys.contains(&key.as_str()));
    }

    /// That no key is left that may change an output.
    pub(super) fn finish(self) -> Result<(), ImportError> {
        let trains = |key: &str| {
            OF_NO_EFFECT.contains(&key)
                || ["_initializer", "_regularizer", "_constraint"].iter().any(|end| key.ends_with(end))
        };
        // What a later Keras has added and nobody has set is null or false.
        let unset = |value: &Value| matches!(value, Value::Null | Value::Bool(false));
        match self.config.iter().find(|(key, value)| !trains(key) && !unset(value)) {
            Some((key, value)) => self.refused(key, value, "it may change the outputs, and is not known here"),
            None => Ok(()),
        }
    }
}
