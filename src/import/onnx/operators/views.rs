//! Changes of shape: the same numbers on other axes, and parts of them.

use super::super::flow::{Axis, Dim, Factor, Flow, Source, inner};
use super::super::node::Node;
use super::super::tensor::Tensor;
use super::super::value::{Integers, Value};
use super::super::{MOST_AXES, MOST_ENTRIES, Step, Walk, damaged};
use super::axis_of;
use super::shapes::filled;
use crate::import::{ImportError, transposed};
use crate::network::{LayerKind, Merge};
use std::rc::Rc;

/// What is taken of an axis: one place, or places from one to before another.
#[derive(Clone, Copy)]
enum Part {
    One(i64),
    Range(i64, i64),
}

impl Walk {
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

    pub(super) fn transpose(&mut self, node: &mut Node) -> Result<Value, ImportError> {
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
    pub(super) fn axes(&self, node: &mut Node) -> Result<Option<Vec<i64>>, ImportError> {
        let attribute = node.ints("axes")?;
        node.finish(2)?;
        match (attribute, self.value(node, 1)?) {
            (axes, None) => Ok(axes),
            (None, Some(_)) => self.numbers(node, 1).map(Some),
            _ => node.refused("attribute `axes`", "it is given twice"),
        }
    }

    pub(super) fn squeeze(&mut self, node: &mut Node) -> Result<Value, ImportError> {
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

    pub(super) fn unsqueeze(&mut self, node: &mut Node) -> Result<Value, ImportError> {
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

    pub(super) fn reshape(&mut self, node: &mut Node) -> Result<Value, ImportError> {
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

    pub(super) fn flatten(&mut self, node: &mut Node) -> Result<Value, ImportError> {
        let axis = node.int("axis")?.unwrap_or(1);
        node.finish(1)?;
        self.view(node, |flow| {
            // One more than the last axis can be.
            let at = axis_of(node, axis, flow.axes.len() + usize::from(axis >= 0))?;
            let (front, back) = flow.axes.split_at(at);
            Ok(flow.with_axes(vec![front.concat(), back.concat()]))
        })
    }

    pub(super) fn gather(&mut self, node: &mut Node) -> Result<Value, ImportError> {
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

    pub(super) fn slice(&mut self, node: &mut Node) -> Result<Value, ImportError> {
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

    pub(super) fn concat(&mut self, node: &mut Node) -> Result<Value, ImportError> {
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
pub(super) fn range(start: i64, end: i64, size: usize) -> (usize, usize) {
    let cut = |place: i64| {
        let place = if place < 0 { place.saturating_add_unsigned(size as u64) } else { place };
        usize::try_from(place).unwrap_or(0).min(size)
    };
    let (start, end) = (cut(start), cut(end));
    (start, end.max(start))
}
