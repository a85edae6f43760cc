//! One operation of the graph, whose attributes are taken one by one.

use super::proto::{AttributeProto, NodeProto, TensorProto};
use super::{damaged, unsupported};
use crate::import::ImportError;
use prost::Message;

/// What an attribute is, in the numbers of the format.
const FLOAT: i32 = 1;
const INT: i32 = 2;
const STRING: i32 = 3;
const TENSOR: i32 = 4;
const FLOATS: i32 = 6;
const INTS: i32 = 7;
const STRINGS: i32 = 8;

#[derive(Debug)]
pub(super) struct Node {
    /// Its place among the nodes.
    pub(super) index: usize,
    pub(super) operator: String,
    name: String,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    /// Those that nothing has asked for yet.
    attributes: Vec<AttributeProto>,
}

/// How messages call it.
impl core::fmt::Display for Node {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "node `{}` ({})", self.name, self.operator)
    }
}

const MOST_ATTRIBUTES: usize = 64;

impl Node {
    pub(super) fn read(index: usize, bytes: &[u8]) -> Result<Self, ImportError> {
        let node = NodeProto::decode(bytes).map_err(damaged)?;
        let NodeProto { input: inputs, output: outputs, name, op_type: operator, attribute, domain } = node;
        let first = outputs.iter().find(|output| !output.is_empty()).cloned();
        let name = if name.is_empty() { first.unwrap_or_else(|| format!("number {index}")) } else { name };
        if operator.is_empty() {
            return Err(damaged(format!("node `{name}` has no operator")));
        }
        if !is_default_domain(&domain) {
            let advice = "only the operators of ONNX itself are known";
            return unsupported(format!("node `{name}` ({domain}.{operator})"), advice);
        }
        // No operator has as many, and each takes much more memory than an empty one has bytes.
        if attribute.len() > MOST_ATTRIBUTES {
            return Err(damaged(format!("node `{name}` has {} attributes", attribute.len())));
        }
        let attributes = attribute.iter().map(|bytes| AttributeProto::decode(&**bytes).map_err(damaged));
        Ok(Node { index, operator, name, inputs, outputs, attributes: attributes.collect::<Result<_, _>>()? })
    }

    /// The name of an input, if it is given.
    pub(super) fn input(&self, index: usize) -> Option<&str> {
        self.inputs.get(index).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Something about it that cannot be imported.
    pub(super) fn refused<T>(&self, what: &str, advice: impl Into<String>) -> Result<T, ImportError> {
        unsupported(if what.is_empty() { self.to_string() } else { format!("{self}, {what}") }, advice)
    }

    fn take(&mut self, name: &str, kind: i32) -> Result<Option<AttributeProto>, ImportError> {
        let Some(at) = self.attributes.iter().position(|attribute| attribute.name == name) else { return Ok(None) };
        let attribute = self.attributes.swap_remove(at);
        if attribute.r#type != kind {
            return self.refused(&format!("attribute `{name}`"), "it is of another type than the operator has it");
        }
        Ok(Some(attribute))
    }

    pub(super) fn int(&mut self, name: &str) -> Result<Option<i64>, ImportError> {
        Ok(self.take(name, INT)?.map(|attribute| attribute.i))
    }

    pub(super) fn float(&mut self, name: &str) -> Result<Option<f32>, ImportError> {
        Ok(self.take(name, FLOAT)?.map(|attribute| attribute.f))
    }

    pub(super) fn string(&mut self, name: &str) -> Result<Option<String>, ImportError> {
        Ok(self.take(name, STRING)?.map(|attribute| String::from_utf8_lossy(&attribute.s).into_owned()))
    }

    pub(super) fn tensor(&mut self, name: &str) -> Result<Option<TensorProto>, ImportError> {
        Ok(self.take(name, TENSOR)?.and_then(|attribute| attribute.t))
    }

    pub(super) fn ints(&mut self, name: &str) -> Result<Option<Vec<i64>>, ImportError> {
        Ok(self.take(name, INTS)?.map(|attribute| attribute.ints))
    }

    pub(super) fn floats(&mut self, name: &str) -> Result<Vec<f32>, ImportError> {
        Ok(self.take(name, FLOATS)?.map(|attribute| attribute.floats).unwrap_or_default())
    }

    pub(super) fn strings(&mut self, name: &str) -> Result<Vec<String>, ImportError> {
        let strings = self.take(name, STRINGS)?.map(|attribute| attribute.strings).unwrap_or_default();
        Ok(strings.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect())
    }

    /// That it has no more inputs than so many, and that every attribute has been asked for.
    pub(super) fn finish(&self, inputs: usize) -> Result<(), ImportError> {
        if let Some(name) = self.inputs.iter().skip(inputs).find(|name| !name.is_empty()) {
            return self.refused(&format!("input `{name}`"), format!("it takes {inputs} inputs"));
        }
        match self.attributes.first() {
            Some(attribute) => {
                self.refused(&format!("attribute `{}`", attribute.name), "the operator is known, but not with that")
            }
            None => Ok(()),
        }
    }
}

pub(super) fn is_default_domain(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}
