//! Layers without a state.

use super::super::flow::{Axis, Flow, Source, inner};
use super::super::node::Node;
use super::super::tensor::Tensor;
use super::super::value::{Integers, Value};
use super::super::{Step, Walk};
use super::axis_of;
use crate::import::{ImportError, transposed};
use crate::math::{ActivationKind, OutputKind};
use crate::network::{LayerKind, Merge};
use std::rc::Rc;

impl Walk {
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

    pub(super) fn gemm(&mut self, node: &mut Node) -> Result<Value, ImportError> {
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

    pub(super) fn matmul(&mut self, node: &Node) -> Result<Value, ImportError> {
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
    pub(super) fn arithmetic(&mut self, node: &Node) -> Result<Value, ImportError> {
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

    pub(super) fn activation(&mut self, node: &Node, kind: ActivationKind) -> Result<Value, ImportError> {
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

    pub(super) fn softmax(&mut self, node: &mut Node) -> Result<Value, ImportError> {
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
    pub(super) fn wanted(&self, node: &mut Node, name: &str, default: f32, wanted: f32) -> Result<(), ImportError> {
        let value = node.float(name)?.unwrap_or(default);
        if (value - wanted).abs() <= 1e-6 {
            return Ok(());
        }
        node.refused(&format!("attribute `{name}` = {value}"), format!("only {wanted} can be"))
    }

    pub(super) fn prelu(&mut self, node: &Node, slopes: &Rc<Tensor>) -> Result<Value, ImportError> {
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

    pub(super) fn dropout(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        node.float("ratio")?;
        node.int("seed")?;
        node.finish(3)?;
        if self.value(node, 2)?.is_some() && self.numbers(node, 2)? != [0] {
            return node.refused("input `training_mode`", "export the model for inference (PyTorch: `model.eval()`)");
        }
        self.needed(node, 0)
    }
}
