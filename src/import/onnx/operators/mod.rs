//! The other operators: layers without a state, changes of shape, and arithmetic on shapes.

mod layers;
mod shapes;
mod views;

use super::Walk;
use super::flow::Flow;
use super::node::Node;
use super::tensor::Tensor;
use super::value::{Integers, Value};
use crate::import::ImportError;
use crate::math::ActivationKind;
use crate::network::Cell;
use std::rc::Rc;

/// An axis that may be counted from behind.
fn axis_of(node: &Node, axis: i64, axes: usize) -> Result<usize, ImportError> {
    let counted = if axis < 0 { axis.checked_add_unsigned(axes as u64) } else { Some(axis) };
    match counted.and_then(|axis| usize::try_from(axis).ok()).filter(|&axis| axis < axes) {
        Some(axis) => Ok(axis),
        None => node.refused(&format!("axis {axis}"), format!("its input has {axes} axes")),
    }
}

impl Walk {
    /// Gives a node's outputs their values.
    pub(super) fn give(&mut self, node: &Node, values: impl IntoIterator<Item = Value>) -> Result<(), ImportError> {
        for (name, value) in node.outputs.iter().zip(values) {
            if !name.is_empty() {
                self.define(name, value)?;
            }
        }
        Ok(())
    }

    pub(super) fn run(&mut self, node: &mut Node) -> Result<(), ImportError> {
        use ActivationKind::{Elu, HardSigmoid, Relu, Sigmoid, Softplus, Softsign, Tanh};
        let value = match node.operator.as_str() {
            "RNN" => return self.recurrent(node, Cell::SimpleRnn),
            "LSTM" => return self.recurrent(node, Cell::Lstm),
            "GRU" => return self.recurrent(node, Cell::Gru { reset_after: false }),
            "Gemm" => self.gemm(node)?,
            "MatMul" => self.matmul(node)?,
            "Add" | "Sub" | "Mul" | "Div" => self.arithmetic(node)?,
            "Softmax" => self.softmax(node)?,
            "Tanh" => self.activation(node, Tanh)?,
            "Sigmoid" => self.activation(node, Sigmoid)?,
            "Relu" => self.activation(node, Relu)?,
            "Softsign" => self.activation(node, Softsign)?,
            "Softplus" => self.activation(node, Softplus)?,
            "Elu" => {
                self.wanted(node, "alpha", 1.0, 1.0)?;
                self.activation(node, Elu)?
            }
            "HardSigmoid" => {
                self.wanted(node, "alpha", 0.2, 1.0 / 6.0)?;
                self.wanted(node, "beta", 0.5, 0.5)?;
                self.activation(node, HardSigmoid)?
            }
            "LeakyRelu" => {
                let slope = node.float("alpha")?.unwrap_or(0.01);
                node.finish(1)?;
                let slopes = Rc::new(Tensor { shape: Vec::new(), values: vec![slope] });
                self.prelu(node, &slopes)?
            }
            "PRelu" => {
                node.finish(2)?;
                let slopes = self.floats(node, 1)?;
                self.prelu(node, &slopes)?
            }
            "Identity" => {
                node.finish(1)?;
                self.needed(node, 0)?
            }
            "Dropout" => self.dropout(node)?,
            "Cast" => self.cast(node)?,
            "Constant" => self.constant_node(node)?,
            "Transpose" => self.transpose(node)?,
            "Squeeze" => self.squeeze(node)?,
            "Unsqueeze" => self.unsqueeze(node)?,
            "Reshape" => self.reshape(node)?,
            "Flatten" => self.flatten(node)?,
            "Gather" => self.gather(node)?,
            "Slice" => self.slice(node)?,
            "Concat" => self.concat(node)?,
            "Shape" => self.shape(node)?,
            "ConstantOfShape" => self.constant_of_shape(node)?,
            "Expand" => self.expand(node)?,
            "ReduceProd" => self.product(node)?,
            _ => {
                let advice = "there are RNN, LSTM, GRU, Gemm, MatMul, Add, Sub, Mul, Div, Softmax, Tanh, Sigmoid, Relu, \
                              Elu, LeakyRelu, PRelu, HardSigmoid, Softsign, Softplus, Dropout, and operators on shapes";
                return node.refused("", advice);
            }
        };
        self.give(node, [value])
    }

    pub(super) fn flow(&self, node: &Node, index: usize) -> Result<Rc<Flow>, ImportError> {
        let name = node.input(index).unwrap_or_default();
        match self.needed(node, index)? {
            Value::Flow(flow) => Ok(flow),
            Value::Floats(_) | Value::Spread(..) | Value::Integers(_) => {
                node.refused(&format!("input `{name}`"), "it is constant; fold constants (onnxsim does)")
            }
            Value::Stack(..) => node.refused(&format!("input `{name}`"), "it is made of several layers' outputs"),
            Value::States(_) => node.refused(&format!("input `{name}`"), "it is a state, and no layer's output"),
            Value::InputPart(_) => node.refused(&format!("input `{name}`"), "it is a part of the model's input"),
        }
    }

    pub(super) fn floats(&self, node: &Node, index: usize) -> Result<Rc<Tensor>, ImportError> {
        match self.needed(node, index)? {
            Value::Floats(tensor) => Ok(tensor),
            _ => {
                let name = node.input(index).unwrap_or_default();
                node.refused(&format!("input `{name}`"), "it has to be a constant; fold constants (onnxsim does)")
            }
        }
    }

    fn integers(&self, node: &Node, index: usize) -> Result<Integers, ImportError> {
        match self.needed(node, index)? {
            Value::Integers(integers) => Ok(integers),
            _ => {
                let name = node.input(index).unwrap_or_default();
                node.refused(&format!("input `{name}`"), "it has to follow from constants and sizes of inputs")
            }
        }
    }

    /// Known whole numbers.
    fn numbers(&self, node: &Node, index: usize) -> Result<Vec<i64>, ImportError> {
        match self.integers(node, index)?.values() {
            Some(numbers) => Ok(numbers),
            None => {
                let name = node.input(index).unwrap_or_default();
                node.refused(&format!("input `{name}`"), "it has to be constant, but depends on the input's sizes")
            }
        }
    }
}
