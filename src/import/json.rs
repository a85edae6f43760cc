//! Arrays in JSON, read into one vector: a list of lists of lists costs as much memory as its numbers.

use super::ImportError;
use super::tensors::finite;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

pub(super) fn damaged_json(error: serde_json::Error) -> ImportError {
    ImportError::Damaged { format: ".json", problem: error.to_string() }
}

/// The names in an object.
pub(super) type Keys = BTreeMap<String, IgnoredAny>;

pub(super) fn keys(bytes: &[u8]) -> Result<Keys, ImportError> {
    serde_json::from_slice(bytes).map_err(damaged_json)
}

/// A number, a list, a list of lists …, all of the same length.
#[derive(Debug, Default)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    values: Vec<f64>,
    /// How deep the numbers are, once there is one.
    rank: Option<usize>,
}

impl Array {
    /// The numbers, if there is a number for each place.
    pub(super) fn into_floats(self, name: &str) -> Result<Vec<f32>, ImportError> {
        finite(name, &self.values)
    }
}

impl<'de> Deserialize<'de> for Array {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut array = Array::default();
        Depth { array: &mut array, depth: 0 }.deserialize(deserializer)?;
        array.shape.truncate(array.rank.unwrap_or(array.shape.len()));
        Ok(array)
    }
}

/// A place in an array, so many lists deep.
struct Depth<'a> {
    array: &'a mut Array,
    depth: usize,
}

impl Depth<'_> {
    fn number<E: Error>(self, value: f64) -> Result<(), E> {
        if *self.array.rank.get_or_insert(self.depth) != self.depth {
            return Err(E::custom("a number beside a list"));
        }
        self.array.values.push(value);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Depth<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth<'_> {
    type Value = ();

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("numbers, or lists of them")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.number(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.number(value as f64)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.number(value as f64)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Depth { array, depth } = self;
        if array.rank.is_some_and(|rank| rank <= depth) {
            return Err(A::Error::custom("a list beside a number"));
        }
        let mut length = 0;
        while list.next_element_seed(Depth { array: &mut *array, depth: depth + 1 })?.is_some() {
            length += 1;
        }
        // Inner lists end before outer ones, so a place may be reached before those in front of it.
        while array.shape.len() <= depth {
            array.shape.push(usize::MAX);
        }
        match &mut array.shape[depth] {
            known if *known == usize::MAX => *known = length,
            known if *known != length => {
                return Err(A::Error::custom(format!("a list of {length} beside one of {known}")));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Named arrays, each name once.
#[derive(Debug)]
pub(super) struct NamedArrays(pub(super) Vec<(String, Array)>);

impl<'de> Deserialize<'de> for NamedArrays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = NamedArrays;

            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("an object with a tensor for each name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NamedArrays, A::Error> {
                let mut arrays: Vec<(String, Array)> = Vec::new();
                let mut names = std::collections::HashSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom(format!("tensor `{name}` is there twice")));
                    }
                    arrays.push((name, map.next_value()?));
                }
                Ok(NamedArrays(arrays))
            }
        }
        deserializer.deserialize_map(Names)
    }
}
