//! Constants, and arithmetic on shapes.

use super::super::flow::{Dim, Source};
use super::super::node::Node;
use super::super::tensor::Tensor;
use super::super::value::{Integers, Value};
use super::super::{MOST_AXES, MOST_ENTRIES, Walk};
use super::views::range;
use crate::import::ImportError;
use std::rc::Rc;

impl Walk {
    /// Numbers stay what they are.
    pub(super) fn cast(&self, node: &mut Node) -> Result<Value, ImportError> {
        let to = node.int("to")?;
        node.int("saturate")?;
        node.finish(1)?;
        let value = self.needed(node, 0)?;
        match (&value, to) {
            (Value::Integers(_), Some(6 | 7)) | (Value::Floats(_) | Value::Spread(..), Some(1 | 11)) => Ok(value),
            (Value::Flow(flow), Some(1 | 11)) if !matches!(flow.source, Source::Input(i) if !self.inputs[i].is_float) => {
                Ok(value)
            }
            // Lengths of series, which are not looked at.
            (Value::Flow(flow), Some(6 | 7)) if matches!(flow.source, Source::Input(i) if !self.inputs[i].is_float) => {
                Ok(value)
            }
            _ => node.refused("attribute `to`", "numbers can only stay of the kind that they are of"),
        }
    }

    pub(super) fn constant_node(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        let name = node.outputs.first().cloned().unwrap_or_default();
        let value = if let Some(tensor) = node.tensor("value")? {
            self.constant(&name, &tensor)?
        } else if let Some(number) = node.int("value_int")? {
            Value::Integers(Integers { scalar: true, dims: [Dim::known(number)].into() })
        } else if let Some(numbers) = node.ints("value_ints")? {
            if numbers.len() > MOST_ENTRIES {
                return node.refused("attribute `value_ints`", "whole numbers can be shapes, axes and indices");
            }
            Value::Integers(Integers::list(numbers.into_iter().map(Dim::known)))
        } else if let Some(number) = node.float("value_float")? {
            let values = crate::import::tensors::finite(&name, &[f64::from(number)])?;
            Value::Floats(Rc::new(Tensor { shape: Vec::new(), values }))
        } else {
            let numbers: Vec<f64> = node.floats("value_floats")?.into_iter().map(f64::from).collect();
            let values = crate::import::tensors::finite(&name, &numbers)?;
            Value::Floats(Rc::new(Tensor { shape: vec![values.len()], values }))
        };
        node.finish(0)?;
        Ok(value)
    }

    pub(super) fn shape(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        let (start, end) = (node.int("start")?.unwrap_or(0), node.int("end")?.unwrap_or(i64::MAX));
        node.finish(1)?;
        let dims: Option<Vec<Dim>> = match self.needed(node, 0)? {
            Value::Flow(flow) => flow.axes.iter().map(|axis| Dim::of(axis)).collect(),
            Value::Floats(tensor) => {
                tensor.shape.iter().map(|&size| i64::try_from(size).ok().map(Dim::known)).collect()
            }
            Value::Spread(_, dims) => Some(dims.to_vec()),
            _ => None,
        };
        let Some(dims) = dims else { return node.refused("", "the sizes of its input are not known") };
        let (start, end) = range(start, end, dims.len());
        Ok(Value::Integers(Integers::list(dims[start..end].iter().cloned())))
    }

    /// The product of a list of sizes.
    pub(super) fn product(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        let scalar = node.int("keepdims")? == Some(0);
        node.int("noop_with_empty_axes")?;
        let axes = self.axes(node)?;
        let sizes = self.integers(node, 0)?;
        let product = sizes.dims.iter().try_fold(Dim::known(1), |product, dim| product.times(dim));
        match product {
            Some(product) if matches!(axes.as_deref(), Some([0 | -1])) && !sizes.scalar => {
                Ok(Value::Integers(Integers { scalar, dims: [product].into() }))
            }
            _ => node.refused("", "it is known for the one axis of a list of sizes"),
        }
    }

    pub(super) fn constant_of_shape(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        let value = node.tensor("value")?;
        node.finish(1)?;
        let shape = self.integers(node, 0)?;
        let name = node.outputs.first().cloned().unwrap_or_default();
        let value = match value {
            Some(tensor) => self.constant(&name, &tensor)?,
            None => Value::Floats(Rc::new(Tensor { shape: Vec::new(), values: vec![0.0] })),
        };
        match value {
            Value::Floats(tensor) if tensor.values.len() == 1 && shape.dims.len() <= MOST_AXES => {
                Ok(Value::Spread(tensor, shape.dims))
            }
            _ => node.refused("", "it is known for floating-point numbers, for states to begin with"),
        }
    }

    /// A constant repeated; the shape may be the shorter one.
    pub(super) fn expand(&mut self, node: &Node) -> Result<Value, ImportError> {
        node.finish(2)?;
        let shape = self.integers(node, 1)?.dims;
        let tensor = self.floats(node, 0)?;
        let axes = shape.len().max(tensor.shape.len());
        let mut dims = Vec::new();
        for axis in 0..axes {
            let of_shape = (axis + shape.len()).checked_sub(axes).and_then(|at| shape.get(at));
            let of_tensor = (axis + tensor.shape.len()).checked_sub(axes).and_then(|at| tensor.shape.get(at)).copied();
            dims.push(match (of_shape, of_tensor.unwrap_or(1)) {
                (Some(dim), 1) => dim.clone(),
                (dim, size) => {
                    let size = Dim::known(size as i64);
                    if dim.is_some_and(|dim| *dim != Dim::known(1) && *dim != size) {
                        return node.refused("its shape", "its input cannot be repeated to fill it");
                    }
                    size
                }
            });
        }
        if dims.len() > MOST_AXES {
            return node.refused("", format!("more than {MOST_AXES} axes are not known"));
        }
        Ok(Value::Spread(tensor, dims.into()))
    }
}

/// Tensors that are full of the same number, one behind the other.
pub(super) fn filled(values: &[Value], axis: i64) -> Option<Value> {
    let Some((Value::Spread(tensor, dims), others)) = values.split_first() else { return None };
    let at = usize::try_from(if axis < 0 { axis.checked_add_unsigned(dims.len() as u64)? } else { axis }).ok()?;
    let mut dims = dims.to_vec();
    for other in others {
        let Value::Spread(more, shape) = other else { return None };
        let (size, more_size) = (dims.get(at)?.value()?, shape.get(at)?.value()?);
        let mut shape = shape.to_vec();
        dims[at] = Dim::known(size.checked_add(more_size)?);
        shape[at] = dims[at].clone();
        if tensor.values.len() != 1 || more.values != tensor.values || shape != dims {
            return None;
        }
    }
    Some(Value::Spread(Rc::clone(tensor), dims.into()))
}
