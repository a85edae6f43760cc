//! The other operators: layers without a state, changes of shape, and arithmetic on shapes.

use super::flow::{Axis, Dim, Factor, Flow, Source, inner};
use super::node::Node;
use super::tensor::Tensor;
use super::value::{Integers, Value};
use super::{MOST_AXES, MOST_ENTRIES, Step, Walk, damaged};
use crate::import::{ImportError, transposed};
use crate::math::{ActivationKind, OutputKind};
use crate::network::{Cell, LayerKind, Merge};
use std::rc::Rc;

/// What is taken of an axis: one place, or places from one to before another.
#[derive(Clone, Copy)]
enum Part {
    One(i64),
    Range(i64, i64),
}

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

    /// Puts a layer behind a flow that has whole vectors. Whatever their axes are, they stay.
    fn layer(
        &mut self,
        node: &Node,
        flow: &Flow,
        kind: LayerKind,
        parameters: Vec<f32>,
        axes: Vec<Axis>,
    ) -> Result<Value, ImportError> {
        let from = self.settled(flow.source, &node.to_string())?;
        let lacks_bias = node.operator == "MatMul";
        let parameters = parameters.into();
        let source =
            self.push(Step { from, spec: kind.into(), parameters, nodes: vec![node.index], lacks_bias, last: None });
        Ok(Value::Flow(Rc::new(Flow { source, start: 0, axes })))
    }

    /// The size of a flow's vectors, all of whose numbers it has to have in order.
    fn whole(&self, node: &Node, flow: &Flow) -> Result<usize, ImportError> {
        let size = self.size(flow.source);
        if flow.is_whole(size) {
            return Ok(size);
        }
        node.refused("its input", "it has not every number of a layer's output, or not in their order")
    }

    /// The size of a flow's vectors, which are its last axis.
    fn last_axis(&self, node: &Node, flow: &Flow) -> Result<usize, ImportError> {
        let size = self.size(flow.source);
        if flow.axes.len().checked_sub(1).is_some_and(|last| flow.has_vector_on(last, size)) {
            return Ok(size);
        }
        node.refused("its input", "the last axis has to be a layer's whole output, and nothing else")
    }

    fn dense(&mut self, node: &Node, flow: &Flow, kernel: Vec<f32>, bias: &[f32]) -> Result<Value, ImportError> {
        let inputs = self.last_axis(node, flow)?;
        let units = bias.len();
        let mut axes = flow.axes.clone();
        axes.pop();
        axes.push(inner(units, 1));
        let kind = LayerKind::Dense { inputs, units, activation: OutputKind::Each(ActivationKind::Linear) };
        self.layer(node, flow, kind, [&kernel, bias].concat(), axes)
    }

    /// A matrix with a row for each input and a column for each output, and how many these are.
    fn matrix(&mut self, node: &Node, inputs: usize, is_transposed: bool) -> Result<(Vec<f32>, usize), ImportError> {
        let tensor = self.floats(node, 1)?;
        let units = match tensor.shape[..] {
            [rows, units] if !is_transposed && rows == inputs && units > 0 => units,
            [units, columns] if is_transposed && columns == inputs && units > 0 => units,
            _ => {
                return Err(ImportError::Shape {
                    name: node.input(1).unwrap_or_default().to_owned(),
                    found: tensor.shape.clone(),
                    expected: if is_transposed {
                        format!("[outputs, {inputs}]")
                    } else {
                        format!("[{inputs}, outputs]")
                    },
                    by: node.to_string(),
                });
            }
        };
        self.budget.charge(tensor.values.len() + units)?;
        let values = if is_transposed { transposed(&tensor.values, units, inputs) } else { tensor.values.clone() };
        Ok((values, units))
    }

    fn gemm(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        let is_set = |flag: Option<i64>| flag.is_some_and(|flag| flag != 0);
        let (trans_a, trans_b) = (is_set(node.int("transA")?), is_set(node.int("transB")?));
        let (alpha, beta) = (node.float("alpha")?.unwrap_or(1.0), node.float("beta")?.unwrap_or(1.0));
        node.finish(3)?;
        let mut flow = self.flow(node, 0)?.as_ref().clone();
        if flow.axes.len() != 2 {
            return node.refused("its input", format!("it has {} axes, not two", flow.axes.len()));
        }
        if trans_a {
            flow.axes.swap(0, 1);
        }
        let inputs = self.last_axis(node, &flow)?;
        let (mut kernel, units) = self.matrix(node, inputs, trans_b)?;
        let mut bias = match self.value(node, 2)? {
            None => vec![0.0; units],
            Some(_) => self.repeated(node, 2, units)?,
        };
        kernel.iter_mut().for_each(|weight| *weight *= alpha);
        bias.iter_mut().for_each(|weight| *weight *= beta);
        if !kernel.iter().chain(&bias).all(|weight| weight.is_finite()) {
            return node.refused("attributes `alpha` and `beta`", "they bring weights beyond 32 bits");
        }
        self.dense(node, &flow, kernel, &bias)
    }

    fn matmul(&mut self, node: &Node) -> Result<Value, ImportError> {
        node.finish(2)?;
        let flow = self.flow(node, 0)?;
        let inputs = self.last_axis(node, &flow)?;
        let (kernel, units) = self.matrix(node, inputs, false)?;
        self.dense(node, &flow, kernel, &vec![0.0; units])
    }

    /// A constant with one number for all of a vector, or one for each.
    fn repeated(&mut self, node: &Node, index: usize, size: usize) -> Result<Vec<f32>, ImportError> {
        let tensor = self.floats(node, index)?;
        self.budget.charge(size)?;
        match tensor.values[..] {
            [value] => Ok(vec![value; size]),
            _ if tensor.values.len() == size && tensor.shape.last() == Some(&size) => Ok(tensor.values.clone()),
            _ => Err(ImportError::Shape {
                name: node.input(index).unwrap_or_default().to_owned(),
                found: tensor.shape.clone(),
                expected: format!("[{size}]"),
                by: node.to_string(),
            }),
        }
    }

    /// As [`repeated`](Self::repeated) for a flow, whose last axis is the vector if there is a number for each.
    fn for_each_number(&mut self, node: &Node, flow: &Flow, index: usize) -> Result<Vec<f32>, ImportError> {
        let size = self.whole(node, flow)?;
        let tensor = self.floats(node, index)?;
        if tensor.values.len() != 1 {
            self.last_axis(node, flow)?;
        }
        if tensor.shape.len() > flow.axes.len() {
            return node.refused("its constant", "it has more axes than what flows");
        }
        self.repeated(node, index, size)
    }

    /// A flow and a constant, two directions, or sizes.
    fn arithmetic(&mut self, node: &Node) -> Result<Value, ImportError> {
        node.finish(2)?;
        let (a, b) = (self.needed(node, 0)?, self.needed(node, 1)?);
        match (&a, &b) {
            (Value::Flow(a), Value::Flow(b)) => {
                let merge = match node.operator.as_str() {
                    "Add" => Merge::Sum,
                    "Mul" => Merge::Mul,
                    _ => return node.refused("", "of two layers' outputs it is not known"),
                };
                let (size, axes) = (self.size(a.source), &a.axes);
                let whole = a.is_whole(size) && b.is_whole(size) && axes == &b.axes;
                let pairs = [(a.source, b.source), (b.source, a.source)];
                if let Some(flow) =
                    self.merged(node.index, a, b, merge).or_else(|| self.merged(node.index, b, a, merge))
                {
                    return Ok(Value::Flow(Rc::new(flow)));
                }
                for (forward, backward) in pairs.into_iter().filter(|_| whole) {
                    if let Some(source) = self.both_directions(node.index, forward, backward, merge)? {
                        return Ok(Value::Flow(Rc::new(Flow { source, start: 0, axes: axes.clone() })));
                    }
                }
                node.refused(
                    "",
                    "its inputs are not the two directions of one recurrent layer: ways that part are not known",
                )
            }
            (Value::Integers(a), Value::Integers(b)) if node.operator == "Mul" && a.dims.len() == b.dims.len() => {
                let products = a.dims.iter().zip(b.dims.iter()).map(|(a, b)| a.times(b));
                let Some(dims) = products.collect() else { return node.refused("", "the product is too large") };
                Ok(Value::Integers(Integers { scalar: a.scalar && b.scalar, dims }))
            }
            (Value::Flow(flow), _) => self.scaled(node, flow, 1),
            (_, Value::Flow(flow)) if matches!(node.operator.as_str(), "Add" | "Mul") => self.scaled(node, flow, 0),
            _ => node.refused("", "it is known for a layer's output and a constant"),
        }
    }

    /// A constant added to what flows, or what flows times a constant.
    fn scaled(&mut self, node: &Node, flow: &Flow, constant: usize) -> Result<Value, ImportError> {
        let numbers = self.for_each_number(node, flow, constant)?;
        let size = numbers.len();
        if let ("Add", Source::Step(step)) = (node.operator.as_str(), flow.source)
            && self.steps[step].lacks_bias
        {
            let mut step = self.steps[step].clone();
            self.budget.charge(step.parameters.len())?;
            let kernel = step.parameters.len() - size;
            step.parameters = [&step.parameters[..kernel], &numbers].concat().into();
            step.lacks_bias = false;
            step.nodes.push(node.index);
            let source = self.push(step);
            return Ok(Value::Flow(Rc::new(Flow { source, ..flow.clone() })));
        }
        self.budget.charge(2 * size)?;
        // A normalisation is (x - offset) · scale.
        let (offset, scale) = match node.operator.as_str() {
            "Add" => (numbers.iter().map(|number| -number).collect(), vec![1.0; size]),
            "Sub" => (numbers, vec![1.0; size]),
            "Mul" => (vec![0.0; size], numbers),
            _ => (vec![0.0; size], numbers.iter().map(|number| 1.0 / number).collect::<Vec<f32>>()),
        };
        if !scale.iter().all(|number| number.is_finite()) {
            return node.refused("its constant", "a quotient by it is not finite");
        }
        self.layer(node, flow, LayerKind::Normalize { size }, [offset, scale].concat(), flow.axes.clone())
    }

    fn activation(&mut self, node: &Node, kind: ActivationKind) -> Result<Value, ImportError> {
        node.finish(1)?;
        let flow = self.flow(node, 0)?;
        let size = self.whole(node, &flow)?;
        self.activated(node, &flow, size, OutputKind::Each(kind))
    }

    /// An activation is the dense layer's before it if that has none.
    fn activated(
        &mut self,
        node: &Node,
        flow: &Flow,
        size: usize,
        activation: OutputKind,
    ) -> Result<Value, ImportError> {
        if let Source::Step(step) = flow.source
            && let LayerKind::Dense { inputs, units, activation: OutputKind::Each(ActivationKind::Linear) } =
                self.steps[step].spec.kind
        {
            let mut step = self.steps[step].clone();
            step.spec.kind = LayerKind::Dense { inputs, units, activation };
            step.lacks_bias = false;
            step.nodes.push(node.index);
            let source = self.push(step);
            return Ok(Value::Flow(Rc::new(Flow { source, ..flow.clone() })));
        }
        self.layer(node, flow, LayerKind::Activation { size, activation }, Vec::new(), flow.axes.clone())
    }

    fn softmax(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        // Older ones take all axes from this one on together.
        let default = if self.opset < 13 { 1 } else { -1 };
        let axis = node.int("axis")?.unwrap_or(default);
        node.finish(1)?;
        let flow = self.flow(node, 0)?;
        let at = axis_of(node, axis, flow.axes.len())?;
        let size = self.size(flow.source);
        if !flow.has_vector_on(at, size) || self.opset < 13 && at + 1 != flow.axes.len() {
            return node.refused(&format!("axis {axis}"), "it has to be a layer's whole output, and nothing else");
        }
        self.activated(node, &flow, size, OutputKind::Softmax)
    }

    /// That an attribute has the value that can be.
    fn wanted(&self, node: &mut Node, name: &str, default: f32, wanted: f32) -> Result<(), ImportError> {
        let value = node.float(name)?.unwrap_or(default);
        if (value - wanted).abs() <= 1e-6 {
            return Ok(());
        }
        node.refused(&format!("attribute `{name}` = {value}"), format!("only {wanted} can be"))
    }

    fn prelu(&mut self, node: &Node, slopes: &Rc<Tensor>) -> Result<Value, ImportError> {
        let flow = self.flow(node, 0)?;
        let parameters = if node.operator == "PRelu" {
            self.for_each_number(node, &flow, 1)?
        } else {
            let size = self.whole(node, &flow)?;
            self.budget.charge(size)?;
            slopes.values.repeat(size)
        };
        let kind = LayerKind::Prelu { size: parameters.len() };
        self.layer(node, &flow, kind, parameters, flow.axes.clone())
    }

    fn dropout(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        node.float("ratio")?;
        node.int("seed")?;
        node.finish(3)?;
        if self.value(node, 2)?.is_some() && self.numbers(node, 2)? != [0] {
            return node.refused("input `training_mode`", "export the model for inference (PyTorch: `model.eval()`)");
        }
        self.needed(node, 0)
    }

    /// Numbers stay what they are.
    fn cast(&self, node: &mut Node) -> Result<Value, ImportError> {
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

    fn constant_node(&mut self, node: &mut Node) -> Result<Value, ImportError> {
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

    /// A flow in another shape, and states as what they are.
    fn view(&self, node: &Node, change: impl FnOnce(&Flow) -> Result<Flow, ImportError>) -> Result<Value, ImportError> {
        match self.needed(node, 0)? {
            Value::Flow(flow) => {
                let changed = change(&flow)?;
                if changed.axes.len() > MOST_AXES {
                    return node.refused("", format!("more than {MOST_AXES} axes are not known"));
                }
                Ok(Value::Flow(Rc::new(changed)))
            }
            states @ (Value::States(_) | Value::InputPart(_)) => Ok(states),
            Value::Stack(_, flows) => Ok(Value::States(self.nodes_of(&flows))),
            _ => node.refused("", "of a constant it is not known; fold constants (onnxsim does)"),
        }
    }

    /// The nodes that have made some flows.
    fn nodes_of(&self, flows: &[Flow]) -> Rc<[usize]> {
        let steps = flows.iter().filter_map(|flow| match flow.source {
            Source::Step(step) => Some(&self.steps[step]),
            Source::Input(_) => None,
        });
        steps.flat_map(|step| step.nodes.iter().copied()).take(MOST_ENTRIES).collect()
    }

    fn transpose(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        let order = node.ints("perm")?;
        node.finish(1)?;
        if let Value::Floats(tensor) = self.needed(node, 0)? {
            return self.transposed_constant(node, &tensor, order.as_deref());
        }
        let wrong = || node.refused("attribute `perm`", "it has to name each axis once");
        self.view(node, |flow| {
            let order = order.unwrap_or_else(|| (0..flow.axes.len() as i64).rev().collect());
            let mut left: Vec<Option<&Axis>> = flow.axes.iter().map(Some).collect();
            let mut axes = Vec::new();
            for axis in &order {
                let axis = usize::try_from(*axis).ok().and_then(|axis| left.get_mut(axis)?.take());
                let Some(axis) = axis else { return wrong() };
                axes.push(axis.clone());
            }
            if axes.len() == flow.axes.len() { Ok(flow.with_axes(axes)) } else { wrong() }
        })
    }

    fn transposed_constant(
        &mut self,
        node: &Node,
        tensor: &Tensor,
        order: Option<&[i64]>,
    ) -> Result<Value, ImportError> {
        match (&tensor.shape[..], order) {
            (&[rows, columns], None | Some([1, 0])) => {
                self.budget.charge(tensor.values.len())?;
                let (shape, values) = (vec![columns, rows], transposed(&tensor.values, rows, columns));
                Ok(Value::Floats(Rc::new(Tensor { shape, values })))
            }
            _ => node
                .refused("", "of a constant with other than two axes it is not known; fold constants (onnxsim does)"),
        }
    }

    /// Axes that are an attribute in older models, and an input in newer ones.
    fn axes(&self, node: &mut Node) -> Result<Option<Vec<i64>>, ImportError> {
        let attribute = node.ints("axes")?;
        node.finish(2)?;
        match (attribute, self.value(node, 1)?) {
            (axes, None) => Ok(axes),
            (None, Some(_)) => self.numbers(node, 1).map(Some),
            _ => node.refused("attribute `axes`", "it is given twice"),
        }
    }

    fn squeeze(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        let chosen = self.axes(node)?;
        let chosen = chosen.as_deref();
        let is_one = |dim: &Dim| *dim == Dim::known(1);
        match self.needed(node, 0)? {
            Value::Integers(integers) => match (integers.dims.len(), integers.scalar) {
                (1, false) => Ok(Value::Integers(Integers { scalar: true, ..integers })),
                _ => node.refused("its input", "it is no list of one number"),
            },
            Value::Spread(tensor, dims) if tensor.values.len() == 1 => {
                Ok(Value::Spread(tensor, without_ones(node, &dims, chosen, is_one)?.into()))
            }
            _ => self.view(node, |flow| {
                let is_one = |axis: &Axis| Dim::of(axis).as_ref().is_some_and(is_one);
                Ok(flow.with_axes(without_ones(node, &flow.axes, chosen, is_one)?))
            }),
        }
    }

    fn unsqueeze(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        let Some(chosen) = self.axes(node)? else { return Err(damaged(format!("{node} has no axes"))) };
        match self.needed(node, 0)? {
            Value::Integers(integers) => match (integers.scalar, &chosen[..]) {
                (true, [0 | -1]) => Ok(Value::Integers(Integers { scalar: false, ..integers })),
                _ => node.refused("its input", "a number can become a list of one, and nothing else"),
            },
            Value::Spread(tensor, dims) if tensor.values.len() == 1 => {
                Ok(Value::Spread(tensor, with_ones(node, &dims, &chosen, Dim::known(1))?.into()))
            }
            _ => self.view(node, |flow| Ok(flow.with_axes(with_ones(node, &flow.axes, &chosen, Vec::new())?))),
        }
    }

    fn reshape(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        let zero_copies = node.int("allowzero")?.unwrap_or(0) == 0;
        node.finish(2)?;
        let shape = self.integers(node, 1)?;
        if let Value::Integers(integers) = self.needed(node, 0)? {
            return match (integers.dims.len(), &*shape.dims) {
                (count, [dim]) if dim.value() == Some(-1) || dim.value() == i64::try_from(count).ok() => {
                    Ok(Value::Integers(Integers { scalar: false, ..integers }))
                }
                (1, []) => Ok(Value::Integers(Integers { scalar: true, ..integers })),
                _ => node.refused("its input", "whole numbers can be a list, and nothing else"),
            };
        }
        self.view(node, |flow| match flow.reshaped(&shape.dims, zero_copies) {
            Some(flow) => Ok(flow),
            None => node.refused("its shape", "it does not say what becomes of series, time steps and vectors"),
        })
    }

    fn flatten(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        let axis = node.int("axis")?.unwrap_or(1);
        node.finish(1)?;
        self.view(node, |flow| {
            // One more than the last axis can be.
            let at = axis_of(node, axis, flow.axes.len() + usize::from(axis >= 0))?;
            let (front, back) = flow.axes.split_at(at);
            Ok(flow.with_axes(vec![front.concat(), back.concat()]))
        })
    }

    fn gather(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        let axis = node.int("axis")?.unwrap_or(0);
        node.finish(2)?;
        let index = self.integers(node, 1)?;
        let value = self.needed(node, 0)?;
        if let Value::Integers(integers) = &value {
            let counted = |dim: &Dim| {
                let index = dim.value()?;
                let index = if index < 0 { index.checked_add_unsigned(integers.dims.len() as u64)? } else { index };
                integers.dims.get(usize::try_from(index).ok()?).cloned()
            };
            let dims = index.dims.iter().map(counted).collect::<Option<_>>();
            return match dims {
                Some(dims) if axis == 0 && !integers.scalar => {
                    Ok(Value::Integers(Integers { scalar: index.scalar, dims }))
                }
                _ => node.refused("its indices", "there is no such number in the list"),
            };
        }
        let Some(place) = index.single() else {
            return node.refused("its indices", "one constant index can be");
        };
        let value = self.part(node, value, axis, Part::One(place))?;
        match value {
            // A list of one index keeps the axis.
            Value::Flow(flow) if !index.scalar => {
                let mut axes = flow.axes.clone();
                axes.insert(axis_of(node, axis, axes.len() + 1)?, Vec::new());
                Ok(Value::Flow(Rc::new(flow.with_axes(axes))))
            }
            value => Ok(value),
        }
    }

    fn slice(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        let (mut starts, mut ends) = (node.ints("starts")?, node.ints("ends")?);
        let mut axes = node.ints("axes")?;
        node.finish(5)?;
        let inputs = [(&mut starts, 1), (&mut ends, 2), (&mut axes, 3)];
        for (numbers, input) in inputs {
            if node.input(input).is_some() {
                *numbers = Some(self.numbers(node, input)?);
            }
        }
        let (Some(starts), Some(ends)) = (starts, ends) else { return Err(damaged(format!("{node} has no ends"))) };
        let axes = axes.unwrap_or_else(|| (0..starts.len().min(MOST_AXES) as i64).collect());
        let steps = if node.input(4).is_some() { self.numbers(node, 4)? } else { vec![1; starts.len()] };
        if starts.len() != ends.len() || starts.len() != axes.len() || starts.len() != steps.len() {
            return Err(damaged(format!("{node} has not as many starts as ends, axes and steps")));
        }
        if let Some(step) = steps.iter().find(|&&step| step != 1) {
            return node.refused(&format!("step {step}"), "only 1 can be");
        }
        let mut value = self.needed(node, 0)?;
        for ((axis, start), end) in axes.into_iter().zip(starts).zip(ends) {
            value = self.part(node, value, axis, Part::Range(start, end))?;
        }
        Ok(value)
    }

    /// A part of a value on one axis.
    fn part(&mut self, node: &Node, value: Value, axis: i64, part: Part) -> Result<Value, ImportError> {
        match value {
            Value::Flow(flow) => self.part_of_flow(node, &flow, axis, part),
            Value::Stack(along, flows) => {
                let count = flows.first().map_or(0, |flow| flow.axes.len());
                let at = axis_of(node, axis, count)?;
                if at != along {
                    return Ok(Value::States(self.nodes_of(&flows)));
                }
                self.part_of_stack(node, along, &flows, part)
            }
            Value::Integers(integers) => match part {
                Part::Range(start, end) if !integers.scalar && matches!(axis, 0 | -1) => {
                    let (start, end) = range(start, end, integers.dims.len());
                    Ok(Value::Integers(Integers::list(integers.dims[start..end].iter().cloned())))
                }
                _ => node.refused("", "a list has one axis"),
            },
            // The same number everywhere: only the shape changes.
            Value::Spread(tensor, dims) if tensor.values.len() == 1 => {
                let at = axis_of(node, axis, dims.len())?;
                let mut dims = dims.to_vec();
                match (part, dims[at].value().and_then(|size| usize::try_from(size).ok())) {
                    (Part::One(_), _) => drop(dims.remove(at)),
                    (Part::Range(start, end), Some(size)) => {
                        let (start, end) = range(start, end, size);
                        dims[at] = Dim::known((end - start) as i64);
                    }
                    (Part::Range(0, i64::MAX), None) => {}
                    _ => return node.refused(&format!("axis {axis}"), "its size is not known"),
                }
                Ok(Value::Spread(tensor, dims.into()))
            }
            states @ (Value::States(_) | Value::InputPart(_)) => Ok(states),
            _ => node.refused("", "of a constant it is not known; fold constants (onnxsim does)"),
        }
    }

    fn part_of_flow(&mut self, node: &Node, flow: &Flow, axis: i64, part: Part) -> Result<Value, ImportError> {
        let at = axis_of(node, axis, flow.axes.len())?;
        let size = Dim::of(&flow.axes[at]).and_then(|dim| dim.value()).and_then(|size| usize::try_from(size).ok());
        let (start, end) = match (part, size) {
            (Part::One(index), _) => (index, index.saturating_add(1)),
            // The last place of an open axis.
            (Part::Range(-1, end), None) if end > i64::from(i32::MAX) - 1 => (-1, 0),
            (Part::Range(start, _), None) if start < 0 => {
                return node.refused(&format!("axis {axis}"), "nobody knows how long it is; take its last place alone");
            }
            (Part::Range(start, end), None) => (start, end),
            (Part::Range(start, end), Some(size)) => {
                let (start, end) = range(start, end, size);
                (start as i64, end as i64)
            }
        };
        let whole = start == 0 && (size.map(|size| size as i64) == Some(end) || end >= i64::from(i32::MAX));
        let mut axes = flow.axes.clone();
        let is_one = matches!(part, Part::One(_));
        if whole && !is_one {
            return Ok(Value::Flow(Rc::new(flow.clone())));
        }
        let without = |axes: &mut Vec<Axis>| if is_one { drop(axes.remove(at)) } else { axes[at].clear() };
        let length = end.checked_sub(start).and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        match (&flow.axes[at][..], size) {
            (&[Factor::Outer { id, .. }], size) if self.time == Some(id) && length == 1 => {
                let last = start == -1 || size.is_some_and(|size| start == size as i64 - 1);
                without(&mut axes);
                let Some(source) = self.at_end(node, flow, start == 0, last)? else {
                    let advice =
                        "only the last time step can be taken (of a node in the direction `reverse`, the first)";
                    return node.refused(&format!("time step {start}"), advice);
                };
                Ok(Value::Flow(Rc::new(Flow { source, start: flow.start, axes })))
            }
            (&[Factor::Inner { size, stride }], _) => {
                let start = if start < 0 { start + size as i64 } else { start };
                let Some(first) =
                    usize::try_from(start).ok().filter(|first| length > 0 && length <= size - first.min(&size))
                else {
                    return node.refused(&format!("axis {axis}"), format!("it has {size} places"));
                };
                without(&mut axes);
                if !is_one {
                    axes[at] = inner(length, stride);
                }
                Ok(Value::Flow(Rc::new(Flow { source: flow.source, start: flow.start + first * stride, axes })))
            }
            (_, Some(1)) if length == 1 && matches!(start, 0 | -1) => {
                without(&mut axes);
                Ok(Value::Flow(Rc::new(flow.with_axes(axes))))
            }
            _ => match flow.source {
                Source::Input(input) => Ok(Value::InputPart(input)),
                Source::Step(_) => {
                    let advice = "of time steps only the last one can be taken, and of series no part; if the exporter has \
                                  written time steps out one by one, use another one (PyTorch: `dynamo=False`)";
                    node.refused(&format!("axis {axis}"), advice)
                }
            },
        }
    }

    /// What a layer gives at the end of its way: going forward the last output, in reverse the first. Of both directions that is
    /// for either half to say.
    fn at_end(&mut self, node: &Node, flow: &Flow, first: bool, last: bool) -> Result<Option<Source>, ImportError> {
        if let Source::Step(index) = flow.source
            && let Step { spec, last: Some(single), .. } = &self.steps[index]
            && match spec.kind {
                LayerKind::Recurrent(layer) if layer.go_backwards => first,
                LayerKind::Recurrent(_) => last,
                LayerKind::Bidirectional { layer, merge: Merge::Concat } => {
                    last && flow.is_part(0, layer.units) || first && flow.is_part(layer.units, layer.units)
                }
                _ => false,
            }
        {
            return Ok(Some(Source::Step(*single)));
        }
        if !last {
            return Ok(None);
        }
        let from = self.settled(flow.source, &node.to_string())?;
        let spec = LayerKind::Last { size: self.size(flow.source) }.into();
        let step = Step { from, spec, parameters: Rc::new([]), nodes: vec![node.index], lacks_bias: false, last: None };
        Ok(Some(self.push(step)))
    }

    fn part_of_stack(&mut self, node: &Node, along: usize, flows: &[Flow], part: Part) -> Result<Value, ImportError> {
        // One entry for each place on the axis.
        let mut places = Vec::new();
        for (index, flow) in flows.iter().enumerate() {
            let size = flow.axes.get(along).and_then(|axis| Dim::of(axis)?.value()).unwrap_or(0);
            places.extend((0..size.min(MOST_ENTRIES as i64)).map(|place| (index, place)));
        }
        let outside = || node.refused("its index", format!("there are {} places", places.len()));
        match part {
            Part::One(index) => {
                let index = if index < 0 { index.saturating_add_unsigned(places.len() as u64) } else { index };
                let Some(&(flow, place)) = usize::try_from(index).ok().and_then(|index| places.get(index)) else {
                    return outside();
                };
                self.part_of_flow(node, &flows[flow], along as i64, Part::One(place))
            }
            Part::Range(start, end) => {
                let (start, end) = range(start, end, places.len());
                match &places[start..end] {
                    [] => outside(),
                    [(only, from), .., (last, to)] if only == last => {
                        self.part_of_flow(node, &flows[*only], along as i64, Part::Range(*from, to + 1))
                    }
                    [(only, place)] => {
                        self.part_of_flow(node, &flows[*only], along as i64, Part::Range(*place, place + 1))
                    }
                    _ => Ok(Value::States(self.nodes_of(flows))),
                }
            }
        }
    }

    fn concat(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        let Some(axis) = node.int("axis")? else { return Err(damaged(format!("{node} has no axis"))) };
        node.finish(MOST_ENTRIES)?;
        let values = (0..node.inputs.len()).map(|input| self.needed(node, input)).collect::<Result<Vec<_>, _>>()?;
        if let Some(value) = filled(&values, axis) {
            return Ok(value);
        }
        let mut dims = Vec::new();
        let mut flows = Vec::new();
        let mut states: Vec<usize> = Vec::new();
        for value in &values {
            match value {
                Value::Integers(integers) if !integers.scalar => dims.extend(integers.dims.iter().cloned()),
                Value::Flow(flow) => flows.push(flow.as_ref().clone()),
                Value::States(nodes) => states.extend_from_slice(nodes),
                Value::Stack(_, flows) => states.extend_from_slice(&self.nodes_of(flows)),
                _ => return node.refused("", "constants and layers' outputs cannot be put one behind the other"),
            }
        }
        if dims.len() > MOST_ENTRIES {
            return node.refused("", "shapes have fewer numbers");
        }
        match (dims.is_empty(), flows.is_empty(), states.is_empty()) {
            (false, true, true) if matches!(axis, 0 | -1) => Ok(Value::Integers(Integers::list(dims))),
            (true, false, true) => self.joined(node, flows, axis),
            (true, _, false) => {
                states.extend_from_slice(&self.nodes_of(&flows));
                states.sort_unstable();
                states.dedup();
                states.truncate(MOST_ENTRIES);
                Ok(Value::States(states.into()))
            }
            _ => node.refused("", "its inputs do not go together"),
        }
    }

    /// Flows one behind the other: parts of one vector, two directions, or a stack.
    fn joined(&mut self, node: &Node, flows: Vec<Flow>, axis: i64) -> Result<Value, ImportError> {
        let Some((first, others)) = flows.split_first() else { return Err(damaged(format!("{node} has no input"))) };
        let at = axis_of(node, axis, first.axes.len())?;
        if flows.iter().any(|flow| flow.axes.len() != first.axes.len()) {
            return node.refused("", "its inputs have not the same number of axes");
        }
        let mut joined = first.clone();
        for flow in others {
            let next = match in_series(&joined, flow, at) {
                Some(joined) => Some(joined),
                None => self.as_directions(node, &joined, flow, at)?,
            };
            match next {
                Some(next) => joined = next,
                None => return Ok(Value::Stack(at, flows.into())),
            }
        }
        Ok(Value::Flow(Rc::new(joined)))
    }

    /// The outputs of a layer that goes forward and one that goes backward, one behind the other.
    fn as_directions(&mut self, node: &Node, a: &Flow, b: &Flow, at: usize) -> Result<Option<Flow>, ImportError> {
        let size = self.size(a.source);
        let vector_on_axis = a.has_vector_on(at, size);
        if a.axes != b.axes || !a.is_whole(size) || !b.is_whole(size) || !(vector_on_axis || a.axes[at].is_empty()) {
            return Ok(None);
        }
        let Some(source) = self.both_directions(node.index, a.source, b.source, Merge::Concat)? else {
            return Ok(None);
        };
        let mut axes = a.axes.clone();
        axes[at] = if vector_on_axis { inner(2 * size, 1) } else { inner(2, size) };
        Ok(Some(Flow { source, start: 0, axes }))
    }

    fn shape(&mut self, node: &mut Node) -> Result<Value, ImportError> {
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
    fn product(&mut self, node: &mut Node) -> Result<Value, ImportError> {
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

    fn constant_of_shape(&mut self, node: &mut Node) -> Result<Value, ImportError> {
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
    fn expand(&mut self, node: &Node) -> Result<Value, ImportError> {
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
fn filled(values: &[Value], axis: i64) -> Option<Value> {
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

/// Axes without the chosen ones, or without all whose size is 1.
fn without_ones<T: Clone>(
    node: &Node,
    axes: &[T],
    chosen: Option<&[i64]>,
    is_one: impl Fn(&T) -> bool,
) -> Result<Vec<T>, ImportError> {
    let mut gone: Vec<bool> = axes.iter().map(|axis| chosen.is_none() && is_one(axis)).collect();
    for &axis in chosen.into_iter().flatten() {
        let at = axis_of(node, axis, axes.len())?;
        if !is_one(&axes[at]) {
            return node.refused(&format!("axis {axis}"), "its size is not 1, or not known to be");
        }
        gone[at] = true;
    }
    Ok(axes.iter().zip(gone).filter(|(_, gone)| !gone).map(|(axis, _)| axis.clone()).collect())
}

/// Axes, and new ones of size 1 at the chosen places.
fn with_ones<T: Clone>(node: &Node, axes: &[T], chosen: &[i64], one: T) -> Result<Vec<T>, ImportError> {
    let count = axes.len() + chosen.len();
    if count > MOST_AXES {
        return node.refused("", format!("more than {MOST_AXES} axes are not known"));
    }
    let mut all: Vec<Option<T>> = vec![None; count];
    for &axis in chosen {
        all[axis_of(node, axis, count)?] = Some(one.clone());
    }
    let mut old = axes.iter().cloned();
    let all: Option<Vec<T>> = all.into_iter().map(|axis| axis.or_else(|| old.next())).collect();
    match all {
        Some(all) => Ok(all),
        None => node.refused("its axes", "one of them is there twice"),
    }
}

/// `b` behind `a` on an axis, if these are parts of the same vector that follow each other.
fn in_series(a: &Flow, b: &Flow, at: usize) -> Option<Flow> {
    let others = |flow: &Flow| {
        flow.axes.iter().enumerate().filter(|&(axis, _)| axis != at).map(|(_, a)| a.clone()).collect::<Vec<_>>()
    };
    if a.source != b.source || others(a) != others(b) {
        return None;
    }
    let part = |axis: &Axis| match axis[..] {
        [] => Some((1, None)),
        [Factor::Inner { size, stride }] => Some((size, Some(stride))),
        _ => None,
    };
    let ((first, a_stride), (second, b_stride)) = (part(&a.axes[at])?, part(&b.axes[at])?);
    let stride = a_stride.or(b_stride).unwrap_or(b.start.checked_sub(a.start)?);
    let follows = b.start == a.start + first * stride && b_stride.is_none_or(|b_stride| b_stride == stride);
    if !follows || stride == 0 {
        return None;
    }
    let mut axes = a.axes.clone();
    axes[at] = inner(first + second, stride);
    Some(a.with_axes(axes))
}

/// Places from one to before another, counted from behind if they are negative, and cut off.
fn range(start: i64, end: i64, size: usize) -> (usize, usize) {
    let cut = |place: i64| {
        let place = if place < 0 { place.saturating_add_unsigned(size as u64) } else { place };
        usize::try_from(place).unwrap_or(0).min(size)
    };
    let (start, end) = (cut(start), cut(end));
    (start, end.max(start))
}
