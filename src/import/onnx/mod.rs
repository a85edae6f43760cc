//! ONNX: a graph of operators on tensors, which has to be a chain of layers on vectors.
//!
//! Nodes are looked at in the order of the file. What is known of a tensor is a [`Value`]; where vectors flow, that is the
//! layer that they come from, a [`Step`], and what its axes are, a [`Flow`]. Steps know the one before them, so the network is
//! found backwards from the output, and every node that has made a step must be on that way.

mod flow;
mod node;
mod operators;
mod proto;
mod recurrent;
mod tensor;
mod value;

use super::{Budget, Entry, ImportError, Imported, Options, imported, network_of, unsupported};
use crate::network::{LayerKind, LayerSpec};
use flow::{Axis, Factor, Flow, Source, inner};
use node::{Node, is_default_domain};
use prost::Message;
use proto::{GraphProto, ModelProto, TensorProto, ValueInfoProto};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use tensor::Content;
use value::{Integers, Value};

/// The most axes of a tensor.
const MOST_AXES: usize = 8;
/// The most numbers in a shape, and tensors in a stack of them.
const MOST_ENTRIES: usize = 64;
/// The most places on an axis that does not hold a vector's numbers, and far more numbers than a vector can have.
const LONGEST_AXIS: usize = 1 << 31;

fn damaged(problem: impl core::fmt::Display) -> ImportError {
    ImportError::Damaged { format: ".onnx", problem: problem.to_string() }
}

fn graph_of(bytes: &[u8]) -> Result<(GraphProto, i64), ImportError> {
    let model = ModelProto::decode(bytes).map_err(damaged)?;
    let graph = model.graph.ok_or_else(|| damaged("there is no graph in it"))?;
    let default = model.opset_import.iter().find(|set| is_default_domain(&set.domain));
    let opset = default.ok_or_else(|| damaged("it does not say which version of the operators it uses"))?.version;
    if !model.functions.is_empty() {
        return unsupported("a model with functions of its own", "export it with operators of ONNX alone");
    }
    if !graph.sparse_initializer.is_empty() {
        return unsupported("a sparse tensor", "save the weights as dense tensors");
    }
    Ok((graph, opset))
}

fn initializers(graph: &GraphProto) -> impl Iterator<Item = Result<TensorProto, ImportError>> {
    graph.initializer.iter().map(|bytes| TensorProto::decode(&**bytes).map_err(damaged))
}

/// What `--list` shows of it.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry>, ImportError> {
    let (graph, _) = graph_of(bytes)?;
    initializers(&graph).map(|tensor| tensor::entry(&tensor?)).collect()
}

pub(super) fn import(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    options.none("ONNX")?;
    let (graph, opset) = graph_of(bytes)?;
    let mut walk = Walk {
        opset,
        values: HashMap::new(),
        inputs: Vec::new(),
        outers: 0,
        steps: Vec::new(),
        time: None,
        // Weights may be shared and biases be left out, but not beyond measure.
        budget: Budget::of(bytes.len()),
        notes: Vec::new(),
    };
    for tensor in initializers(&graph) {
        let tensor = tensor?;
        let value = walk.constant(&tensor.name, &tensor)?;
        walk.define(&tensor.name, value)?;
    }
    walk.begin(&graph)?;
    let nodes: Vec<Node> = (0..).zip(&graph.node).map(|(i, node)| Node::read(i, node)).collect::<Result<_, _>>()?;
    let outputs = graph.output.iter().map(|output| Ok(ValueInfoProto::decode(&**output).map_err(damaged)?.name));
    let outputs = outputs.collect::<Result<Vec<String>, ImportError>>()?;
    check_use(&graph, &walk, &nodes, &outputs)?;
    let creators: Vec<String> = nodes.iter().map(Node::to_string).collect();
    for mut node in nodes {
        walk.run(&mut node)?;
    }
    walk.finish(&outputs, &creators)
}

/// That everything in the graph leads to an output.
fn check_use(graph: &GraphProto, walk: &Walk, nodes: &[Node], outputs: &[String]) -> Result<(), ImportError> {
    let mut wanted: HashSet<&str> = outputs.iter().map(String::as_str).collect();
    for node in nodes.iter().rev() {
        if !node.outputs.iter().any(|output| !output.is_empty() && wanted.contains(output.as_str())) {
            return node.refused("", "no output of the model depends on it; take it out of the graph");
        }
        wanted.extend(node.inputs.iter().map(String::as_str));
    }
    for tensor in initializers(graph) {
        let tensor = tensor?;
        if !wanted.contains(tensor.name.as_str()) {
            let shape = tensor::entry(&tensor)?.shape;
            return unsupported(
                format!("tensor `{}` {shape:?}", tensor.name),
                "no node uses it; take it out of the file",
            );
        }
    }
    match walk.inputs.iter().find(|input| !wanted.contains(input.name.as_str())) {
        Some(input) => unsupported(format!("input `{}`", input.name), "no node uses it; take it out of the graph"),
        None => Ok(()),
    }
}

/// An input of the graph that is no constant.
struct Input {
    name: String,
    /// Numbers on its last axis, if that is not open.
    size: usize,
    is_float: bool,
    /// Whether it is the state that a series begins with, or the series' lengths.
    is_aside: bool,
}

/// A layer, and where its input comes from.
#[derive(Clone)]
struct Step {
    from: Source,
    spec: LayerSpec,
    parameters: Rc<[f32]>,
    /// The nodes that it is made of.
    nodes: Vec<usize>,
    /// Whether it is a product that has got no bias yet.
    lacks_bias: bool,
    /// The step that gives the last output of what this one gives all outputs of.
    last: Option<usize>,
}

impl Step {
    /// Whether its outputs are in the order of time though it goes backwards, as no layer here has them.
    fn is_reverse_sequence(&self) -> bool {
        matches!(self.spec.kind, LayerKind::Recurrent(layer) if layer.go_backwards && layer.return_sequences)
    }
}

/// What is known so far.
struct Walk {
    opset: i64,
    values: HashMap<String, Value>,
    inputs: Vec<Input>,
    /// How many axes inputs have beside those of vectors.
    outers: usize,
    steps: Vec<Step>,
    /// The axis that recurrent nodes go along.
    time: Option<usize>,
    budget: Budget,
    notes: Vec<String>,
}

impl Walk {
    fn define(&mut self, name: &str, value: Value) -> Result<(), ImportError> {
        match self.values.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(damaged(format!("`{name}` is there twice"))),
        }
    }

    fn constant(&self, name: &str, tensor: &TensorProto) -> Result<Value, ImportError> {
        match tensor::read(name, tensor)? {
            Content::Floats(tensor) => Ok(Value::Floats(Rc::new(tensor))),
            Content::Integers(shape, numbers) if shape.len() <= 1 && numbers.len() <= MOST_ENTRIES => {
                let dims = numbers.into_iter().map(flow::Dim::known).collect();
                Ok(Value::Integers(Integers { scalar: shape.is_empty(), dims }))
            }
            Content::Integers(shape, _) => {
                unsupported(format!("tensor `{name}` {shape:?}"), "whole numbers can be shapes, axes and indices")
            }
        }
    }

    /// The graph's inputs; those of the same name as a constant are that constant.
    fn begin(&mut self, graph: &GraphProto) -> Result<(), ImportError> {
        for bytes in &graph.input {
            let ValueInfoProto { name, r#type } = ValueInfoProto::decode(&**bytes).map_err(damaged)?;
            if self.values.contains_key(&name) {
                continue;
            }
            let Some(tensor) = r#type.and_then(|kind| kind.tensor_type) else {
                return unsupported(format!("input `{name}`"), "it is no tensor");
            };
            let dims = tensor.shape.map(|shape| shape.dim).unwrap_or_default();
            if dims.is_empty() || dims.len() > MOST_AXES {
                return unsupported(format!("input `{name}` of {} axes", dims.len()), "a series' has 2 or 3 of them");
            }
            let mut axes: Vec<Axis> = Vec::new();
            let mut vector = 1;
            for (axis, dim) in dims.iter().enumerate() {
                let size = match dim.dim_value {
                    None => None,
                    Some(size) => match usize::try_from(size) {
                        // Older exporters write open axes as 0.
                        Ok(0) => None,
                        Ok(size) if size <= LONGEST_AXIS => Some(size),
                        _ => {
                            return unsupported(
                                format!("input `{name}`, axis {axis} of size {size}"),
                                "it is too long",
                            );
                        }
                    },
                };
                match size {
                    Some(size) if axis > 0 && axis + 1 == dims.len() => {
                        vector = size;
                        axes.push(inner(size, 1));
                    }
                    size => {
                        axes.push(vec![Factor::Outer { id: self.outers, size }]);
                        self.outers += 1;
                    }
                }
            }
            let flow = Flow { source: Source::Input(self.inputs.len()), start: 0, axes };
            self.define(&name, Value::Flow(Rc::new(flow)))?;
            let is_float = tensor::is_float(tensor.elem_type);
            self.inputs.push(Input { name, size: vector, is_float, is_aside: false });
        }
        Ok(())
    }

    /// How many numbers a vector has.
    fn size(&self, source: Source) -> usize {
        match source {
            Source::Input(input) => self.inputs[input].size,
            Source::Step(step) => self.steps[step].spec.kind.outputs(),
        }
    }

    fn push(&mut self, step: Step) -> Source {
        self.steps.push(step);
        Source::Step(self.steps.len() - 1)
    }

    /// A recurrent step that gives every output, and one that gives only the last.
    fn push_both(&mut self, step: Step) -> [Source; 2] {
        let returning = |return_sequences| {
            let mut spec = step.spec;
            if let LayerKind::Recurrent(layer) | LayerKind::Bidirectional { layer, .. } = &mut spec.kind {
                layer.return_sequences = return_sequences;
            }
            Step { spec, ..step.clone() }
        };
        let [sequence, single] = [true, false].map(returning);
        let single = self.push(single);
        let last = Some(self.steps.len() - 1);
        [self.push(Step { last, ..sequence }), single]
    }

    /// A constant or what a node before this one has made.
    fn value(&self, node: &Node, index: usize) -> Result<Option<Value>, ImportError> {
        let Some(name) = node.input(index) else { return Ok(None) };
        match self.values.get(name) {
            Some(value) => Ok(Some(value.clone())),
            None => Err(ImportError::Missing { name: name.to_owned(), by: node.to_string() }),
        }
    }

    fn needed(&self, node: &Node, index: usize) -> Result<Value, ImportError> {
        match self.value(node, index)? {
            Some(value) => Ok(value),
            None => Err(damaged(format!("{node} has no input {index}"))),
        }
    }

    fn finish(mut self, outputs: &[String], creators: &[String]) -> Result<Imported, ImportError> {
        let Some((first, others)) = outputs.split_first() else { return Err(damaged("the graph has no output")) };
        let flow = match self.values.get(first) {
            Some(Value::Flow(flow)) => Rc::clone(flow),
            Some(_) => return unsupported(format!("output `{first}`"), "it is no layer's output"),
            None => return Err(damaged(format!("output `{first}` is made by no node"))),
        };
        if !flow.is_whole(self.size(flow.source)) {
            let advice = "it has not every number of a layer's output, or not in their order";
            return unsupported(format!("output `{first}`"), advice);
        }
        let source = self.settled(flow.source, &format!("output `{first}`"))?;
        let (path, input) = self.path(source);
        let used: HashSet<usize> = path.iter().flat_map(|&step| self.steps[step].nodes.iter().copied()).collect();
        for name in others {
            if !self.is_state_of(name, &used) {
                let advice =
                    format!("a network has one, here `{first}`; only states of its layers can be there beside it");
                return unsupported(format!("output `{name}`"), advice);
            }
            self.notes.push(format!("output `{name}` is a state: it is kept, but no output of the network"));
        }
        if let Some(node) = self.steps.iter().flat_map(|step| &step.nodes).find(|node| !used.contains(node)) {
            let advice = format!("it is not on the one way from an input to the output `{first}`");
            return unsupported(creators.get(*node).cloned().unwrap_or_default(), advice);
        }
        self.check_inputs(input)?;
        let layers = path.iter().map(|&step| self.steps[step].spec).collect();
        let parameters: Vec<f32> = path.iter().flat_map(|&step| self.steps[step].parameters.iter().copied()).collect();
        imported(network_of(layers, &parameters)?, self.notes)
    }

    /// The steps up to one, and the input that they begin with.
    fn path(&self, mut source: Source) -> (Vec<usize>, usize) {
        let mut path = Vec::new();
        loop {
            match source {
                Source::Input(input) => {
                    path.reverse();
                    return (path, input);
                }
                Source::Step(step) => {
                    path.push(step);
                    source = self.steps[step].from;
                }
            }
        }
    }

    /// Whether a value consists of final states of these nodes.
    fn is_state_of(&self, name: &str, nodes: &HashSet<usize>) -> bool {
        let is_state = |flow: &Flow| {
            let Source::Step(step) = flow.source else { return false };
            let Step { spec, nodes: made_of, .. } = &self.steps[step];
            let (LayerKind::Recurrent(layer) | LayerKind::Bidirectional { layer, .. }) = spec.kind else {
                return false;
            };
            !layer.return_sequences && made_of.iter().all(|node| nodes.contains(node))
        };
        match self.values.get(name) {
            Some(Value::Flow(flow)) => is_state(flow),
            Some(Value::Stack(_, flows)) => flows.iter().all(is_state),
            Some(Value::States(states)) => states.iter().all(|node| nodes.contains(node)),
            _ => false,
        }
    }

    /// That one input is the network's, and the others are not looked at.
    fn check_inputs(&mut self, main: usize) -> Result<(), ImportError> {
        for (index, Input { name, is_float, is_aside, .. }) in self.inputs.iter().enumerate() {
            if (index == main) == *is_aside {
                let advice = "a network has one input; others can be the states or lengths of series";
                return unsupported(format!("input `{name}`"), advice);
            }
            if index == main && !is_float {
                return unsupported(format!("input `{name}`"), "it is not of floating-point numbers");
            }
        }
        Ok(())
    }
}
