//! RNN, LSTM and GRU.

use super::flow::{Axis, Dim, Factor, Flow, Source, inner};
use super::node::Node;
use super::tensor::Tensor;
use super::value::Value;
use super::{Step, Walk, damaged};
use crate::import::ImportError;
use crate::math::ActivationKind;
use crate::network::{Cell, LayerKind, LayerSpec, Merge, Recurrent};
use std::rc::Rc;

/// ONNX's gates are i, o, f, c and z, r, h; here is where ours are among them.
const fn gate_order(cell: Cell) -> &'static [usize] {
    match cell {
        Cell::SimpleRnn => &[0],
        Cell::Lstm => &[0, 2, 3, 1],
        Cell::Gru { .. } => &[1, 0, 2],
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Reverse,
    Both,
}

/// An activation with its parameters, if it is one of ours.
fn activation(
    node: &Node,
    name: &str,
    alphas: &mut impl Iterator<Item = f32>,
    betas: &mut impl Iterator<Item = f32>,
) -> Result<ActivationKind, ImportError> {
    let mut alpha = |default| alphas.next().unwrap_or(default);
    let mut beta = |default| betas.next().unwrap_or(default);
    let (kind, given, wanted): (_, &[f32], &[f32]) = match name.to_ascii_lowercase().as_str() {
        "tanh" => (ActivationKind::Tanh, &[], &[]),
        "sigmoid" => (ActivationKind::Sigmoid, &[], &[]),
        "relu" => (ActivationKind::Relu, &[], &[]),
        "softsign" => (ActivationKind::Softsign, &[], &[]),
        "softplus" => (ActivationKind::Softplus, &[], &[]),
        "hardsigmoid" => (ActivationKind::HardSigmoid, &[alpha(0.2), beta(0.5)], &[1.0 / 6.0, 0.5]),
        "affine" => (ActivationKind::Linear, &[alpha(1.0), beta(0.0)], &[1.0, 0.0]),
        "elu" => (ActivationKind::Elu, &[alpha(1.0)], &[1.0]),
        "leakyrelu" => (ActivationKind::LeakyRelu, &[alpha(0.01)], &[0.2]),
        _ => {
            let advice = "there are Tanh, Sigmoid, Relu, Softsign, Softplus, HardSigmoid, Affine, Elu and LeakyRelu";
            return node.refused(&format!("activation `{name}`"), advice);
        }
    };
    let same = |(given, wanted): (&f32, &f32)| (given - wanted).abs() <= 1e-6;
    if !given.iter().zip(wanted).all(same) {
        let what = format!("activation `{name}` with the parameters {given:?}");
        return node.refused(&what, format!("only {wanted:?} can be"));
    }
    Ok(kind)
}

/// Activation and recurrent activation, which are the same in every direction.
fn activations(
    node: &mut Node,
    cell: Cell,
    directions: usize,
) -> Result<(ActivationKind, ActivationKind), ImportError> {
    let defaults: &[&str] = match cell {
        Cell::SimpleRnn => &["Tanh"],
        Cell::Lstm => &["Sigmoid", "Tanh", "Tanh"],
        Cell::Gru { .. } => &["Sigmoid", "Tanh"],
    };
    let mut names = node.strings("activations")?;
    if names.is_empty() {
        names = defaults.repeat(directions).into_iter().map(str::to_owned).collect();
    }
    if names.len() != directions * defaults.len() {
        let advice = format!("it has {} for each direction", defaults.len());
        return node.refused(&format!("attribute `activations` of {} functions", names.len()), advice);
    }
    let mut alphas = node.floats("activation_alpha")?.into_iter();
    let mut betas = node.floats("activation_beta")?.into_iter();
    let kinds: Vec<ActivationKind> =
        names.iter().map(|name| activation(node, name, &mut alphas, &mut betas)).collect::<Result<_, _>>()?;
    if alphas.next().is_some() || betas.next().is_some() {
        return node.refused(
            "attributes `activation_alpha` and `activation_beta`",
            "they are of more functions than use them",
        );
    }
    let (first, others) = kinds.split_at(defaults.len());
    if others.iter().zip(first.iter().cycle()).any(|(other, first)| other != first) {
        return node.refused("attribute `activations`", "they have to be the same in both directions");
    }
    match *first {
        [one] => Ok((one, ActivationKind::Sigmoid)),
        [gates, candidate] => Ok((candidate, gates)),
        [gates, candidate, output] if candidate == output => Ok((candidate, gates)),
        _ => node.refused("attribute `activations`", "those of the candidate and of the output have to be the same"),
    }
}

/// From here on tanh and sigmoid are ±1, 1, and less than 2.1e-9.
const NO_CLIP: f32 = 20.0;

impl Walk {
    pub(super) fn recurrent(&mut self, node: &mut Node, cell: Cell) -> Result<(), ImportError> {
        let direction = match node.string("direction")?.as_deref() {
            None | Some("forward") => Direction::Forward,
            Some("reverse") => Direction::Reverse,
            Some("bidirectional") => Direction::Both,
            Some(other) => return node.refused(&format!("direction `{other}`"), "there is no such direction"),
        };
        let directions = if direction == Direction::Both { 2 } else { 1 };
        let batch_first = match node.int("layout")? {
            None | Some(0) => false,
            Some(1) => true,
            Some(other) => return node.refused(&format!("layout {other}"), "there are 0 and 1"),
        };
        let clip = node.float("clip")?;
        let (cell, inputs) = match cell {
            Cell::SimpleRnn => (cell, 6),
            Cell::Lstm if node.int("input_forget")?.is_some_and(|coupled| coupled != 0) => {
                return node.refused("attribute `input_forget`", "gates that depend on each other are not known here");
            }
            Cell::Lstm => (cell, 7),
            Cell::Gru { .. } => {
                (Cell::Gru { reset_after: node.int("linear_before_reset")?.is_some_and(|after| after != 0) }, 6)
            }
        };
        let (activation, recurrent_activation) = activations(node, cell, directions)?;
        if let Some(clip) = clip {
            let bounded = |kind| matches!(kind, ActivationKind::Tanh | ActivationKind::Sigmoid);
            // A simple recurrent layer has no gates.
            let gates = cell == Cell::SimpleRnn || bounded(recurrent_activation);
            if !(clip >= NO_CLIP && bounded(activation) && gates) {
                let advice = "sums are not cut off here, which changes nothing for tanh and sigmoid from 20 on";
                return node.refused(&format!("attribute `clip` = {clip}"), advice);
            }
            self.notes.push(format!("{node}: sums beyond {clip} are not cut off, where tanh and sigmoid are level"));
        }
        let hidden = node.int("hidden_size")?;
        if let (Cell::Lstm, Some(name)) = (cell, node.input(7)) {
            return node.refused(&format!("input `{name}` (P)"), "peepholes are not known here");
        }
        node.finish(inputs)?;

        let (flow, time, batch) = self.series(node, batch_first)?;
        let size = self.size(flow.source);
        let mut layer = Recurrent { activation, recurrent_activation, ..Recurrent::new(cell, size, 0) };
        layer.go_backwards = direction == Direction::Reverse;
        let weights = self.weights(node, &mut layer, directions, hidden)?;
        self.lengths(node, &flow.axes[usize::from(batch_first)])?;
        let mut parts = vec![weights];
        let mut initial_state = false;
        let mut states = Vec::new();
        for input in [5, 6].into_iter().take(if cell == Cell::Lstm { 2 } else { 1 }) {
            states.push(self.initial(node, input, [directions, layer.units], batch_first)?);
        }
        if states.iter().flatten().flatten().any(|&value| value != 0.0) {
            initial_state = true;
            self.budget.charge(directions * layer.state())?;
            for direction in 0..directions {
                for state in &states {
                    let units = direction * layer.units..(direction + 1) * layer.units;
                    parts.push(state.as_ref().map_or_else(|| vec![0.0; layer.units], |state| state[units].to_vec()));
                }
            }
        }
        let from = self.settled(flow.source, &node.to_string())?;
        let parameters: Rc<[f32]> = parts.concat().into();
        let kind = match direction {
            Direction::Both => LayerKind::Bidirectional { layer, merge: Merge::Concat },
            _ => LayerKind::Recurrent(layer),
        };
        let spec = LayerSpec { initial_state, ..kind.into() };
        let [sequence, last] =
            self.push_both(Step { from, spec, parameters, nodes: vec![node.index], lacks_bias: false, last: None });
        let (directions, units) = (inner(directions, layer.units), inner(layer.units, 1));
        let (sequence_axes, last_axes) = if batch_first {
            (vec![batch.clone(), time, directions.clone(), units.clone()], vec![batch, directions, units])
        } else {
            (vec![time, directions.clone(), batch.clone(), units.clone()], vec![directions, batch, units])
        };
        let outputs = [
            Value::Flow(Rc::new(Flow { source: sequence, start: 0, axes: sequence_axes })),
            Value::Flow(Rc::new(Flow { source: last, start: 0, axes: last_axes })),
            Value::States([node.index].into()),
        ];
        let outputs = outputs.into_iter().take(if cell == Cell::Lstm { 3 } else { 2 });
        self.give(node, outputs)
    }

    /// The input of a recurrent node, and which of its axes are time and series.
    fn series(&mut self, node: &Node, batch_first: bool) -> Result<(Rc<Flow>, Axis, Axis), ImportError> {
        let flow = self.flow(node, 0)?;
        let size = self.size(flow.source);
        let order = if batch_first { "series, time, vector" } else { "time, series, vector" };
        let [first, second, _] = &*flow.axes else {
            return node.refused(&format!("an input of {} axes", flow.axes.len()), format!("it has three: {order}"));
        };
        let (time, batch) = if batch_first { (second, first) } else { (first, second) };
        let id = match time[..] {
            [Factor::Outer { id, .. }] if flow.has_vector_on(2, size) && self.time.is_none_or(|time| time == id) => id,
            _ => return node.refused("its input", format!("its axes are not those that are wanted, {order}")),
        };
        self.time = Some(id);
        Ok((Rc::clone(&flow), time.clone(), batch.clone()))
    }

    /// Kernel, recurrent kernel and bias of each direction in our order.
    fn weights(
        &mut self,
        node: &Node,
        layer: &mut Recurrent,
        directions: usize,
        hidden: Option<i64>,
    ) -> Result<Vec<f32>, ImportError> {
        let kernel = self.floats(node, 1)?;
        let recurrent = self.floats(node, 2)?;
        let wrong = |input: usize, tensor: &Tensor, expected: String| ImportError::Shape {
            name: node.input(input).unwrap_or_default().to_owned(),
            found: tensor.shape.clone(),
            expected,
            by: node.to_string(),
        };
        let order = gate_order(layer.cell);
        let gates = order.len();
        let units = match recurrent.shape[..] {
            [d, rows, units] if d == directions && units > 0 && units.checked_mul(gates) == Some(rows) => units,
            _ => return Err(wrong(2, &recurrent, format!("[{directions}, {gates} · units, units]"))),
        };
        if hidden.is_some_and(|hidden| usize::try_from(hidden) != Ok(units)) {
            return node.refused("attribute `hidden_size`", format!("its weights have {units} units"));
        }
        let inputs = layer.inputs;
        let rows = gates * units;
        if kernel.shape != [directions, rows, inputs] {
            return Err(wrong(1, &kernel, format!("{:?}", [directions, rows, inputs])));
        }
        let bias = match self.value(node, 3)? {
            None => None,
            Some(_) => Some(self.floats(node, 3)?),
        };
        if let Some(bias) = bias.as_ref().filter(|bias| bias.shape != [directions, 2 * rows]) {
            return Err(wrong(3, bias, format!("{:?}", [directions, 2 * rows])));
        }
        layer.units = units;
        self.budget.charge(directions * layer.weights())?;
        let mut weights = Vec::with_capacity(directions * layer.weights());
        for direction in 0..directions {
            for (matrix, columns) in [(&recurrent, units), (&kernel, inputs)] {
                let matrix = &matrix.values[direction * rows * columns..][..rows * columns];
                for column in 0..columns {
                    for gate in order {
                        weights.extend((0..units).map(|unit| matrix[(gate * units + unit) * columns + column]));
                    }
                }
            }
            let zeros;
            let bias = match &bias {
                Some(bias) => &bias.values[direction * 2 * rows..][..2 * rows],
                None => {
                    zeros = vec![0.0; 2 * rows];
                    &zeros
                }
            };
            let (of_inputs, of_state) = bias.split_at(rows);
            let sums = |gate: &usize| (gate * units..(gate + 1) * units).map(|row| of_inputs[row] + of_state[row]);
            match layer.cell {
                Cell::Gru { .. } => {
                    weights.extend(order[..2].iter().flat_map(sums));
                    weights.extend_from_slice(&of_inputs[2 * units..]);
                    weights.extend_from_slice(&of_state[2 * units..]);
                }
                _ => weights.extend(order.iter().flat_map(sums)),
            }
        }
        // Sums of two finite numbers need not be.
        match weights.iter().position(|value| !value.is_finite()) {
            Some(_) => node.refused("the sum of its biases", "it is beyond 32 bits"),
            None => Ok(weights),
        }
    }

    /// That series have the length that they have.
    fn lengths(&mut self, node: &Node, time: &Axis) -> Result<(), ImportError> {
        let what = || format!("input `{}` (sequence_lens)", node.input(4).unwrap_or_default());
        match self.value(node, 4)? {
            None => Ok(()),
            Some(Value::Flow(flow)) if matches!(flow.source, Source::Input(_)) => {
                self.put_aside(flow.source, "has the lengths of series: here each series is as long as it is");
                Ok(())
            }
            Some(Value::Integers(lengths)) => {
                let whole = Dim::of(time).and_then(|dim| dim.value());
                if whole.is_some() && lengths.dims.iter().all(|length| length.value() == whole) {
                    return Ok(());
                }
                node.refused(&what(), "here each series is as long as it is; make it an input of the model")
            }
            Some(_) => node.refused(&what(), "it is neither constant nor an input of the model"),
        }
    }

    /// The state that a series begins with, for each direction, unless that is for the model's user to say.
    fn initial(
        &mut self,
        node: &Node,
        input: usize,
        [directions, units]: [usize; 2],
        batch_first: bool,
    ) -> Result<Option<Vec<f32>>, ImportError> {
        let Some(name) = node.input(input) else { return Ok(None) };
        let (tensor, shape) = match self.needed(node, input)? {
            Value::Flow(flow) if matches!(flow.source, Source::Input(_)) => {
                self.put_aside(
                    flow.source,
                    "is a state: here a series begins with zeros, or with a state that it is given",
                );
                return Ok(None);
            }
            Value::InputPart(input) => {
                let says = "is a state: here a series begins with zeros, or with a state that it is given";
                self.put_aside(Source::Input(input), says);
                return Ok(None);
            }
            Value::Floats(tensor) => {
                let shape = tensor.shape.iter().map(|&size| i64::try_from(size).ok()).collect();
                (tensor, shape)
            }
            Value::Spread(tensor, dims) => {
                let shape: Vec<Option<i64>> = dims.iter().map(Dim::value).collect();
                (tensor, shape)
            }
            _ => return node.refused(&format!("input `{name}`"), "a state is a constant, or an input of the model"),
        };
        let (direction_axis, batch_axis) = if batch_first { (1, 0) } else { (0, 1) };
        let known = |axis: usize| shape.get(axis).copied().flatten().and_then(|size| usize::try_from(size).ok());
        if shape.len() != 3 || known(direction_axis) != Some(directions) || known(2) != Some(units) {
            let sizes = tensor.shape.clone();
            let expected = format!("{directions} directions and {units} units");
            return Err(ImportError::Shape { name: name.to_owned(), found: sizes, expected, by: node.to_string() });
        }
        // What it is repeated from has fewer axes, or those of size 1.
        let mut from = [1; 3];
        from[3 - tensor.shape.len().min(3)..].copy_from_slice(&tensor.shape[tensor.shape.len().saturating_sub(3)..]);
        let fits = |axis: usize, size: usize| from[axis] == 1 || from[axis] == size;
        if tensor.shape.len() > 3 || !fits(direction_axis, directions) || !fits(2, units) {
            return Err(damaged(format!("`{name}` {:?} cannot be repeated to make a state", tensor.shape)));
        }
        self.budget.charge(directions * units)?;
        let mut state = Vec::with_capacity(directions * units);
        for direction in 0..directions {
            for unit in 0..units {
                let of = |series: usize| {
                    let mut at = [0, 0, unit.min(from[2].saturating_sub(1))];
                    at[direction_axis] = direction.min(from[direction_axis].saturating_sub(1));
                    at[batch_axis] = series;
                    tensor.values.get((at[0] * from[1] + at[1]) * from[2] + at[2]).copied().unwrap_or_default()
                };
                if (1..from[batch_axis]).any(|series| of(series) != of(0)) {
                    return node.refused(&format!("input `{name}`"), "it is another state for each series");
                }
                state.push(of(0));
            }
        }
        Ok(Some(state))
    }

    /// Remembers that an input is not the network's.
    fn put_aside(&mut self, source: Source, says: &str) {
        if let Source::Input(input) = source
            && let Some(input) = self.inputs.get_mut(input)
            && !input.is_aside
        {
            input.is_aside = true;
            self.notes.push(format!("input `{}` {says}", input.name));
        }
    }

    /// A source whose outputs come in an order that layers here have: `by` needs it.
    pub(super) fn settled(&mut self, source: Source, by: &str) -> Result<Source, ImportError> {
        let Source::Step(index) = source else { return Ok(source) };
        let step = self.steps[index].clone();
        if !step.is_reverse_sequence() {
            return Ok(source);
        }
        let LayerKind::Recurrent(layer) = step.spec.kind else { return Ok(source) };
        use ActivationKind::{HardSigmoid, Sigmoid, Softplus};
        if matches!(layer.activation, Sigmoid | HardSigmoid | Softplus) {
            let what = format!("every output of a recurrent node in the direction `reverse`, for {by}");
            let advice = format!("with the activation {} it cannot be", layer.activation.name());
            return super::unsupported(what, advice);
        }
        // Without weights, the forward layer's outputs are zeros, and its states, too.
        self.budget.charge(2 * step.parameters.len())?;
        let (weights, state) = step.parameters.split_at(layer.weights());
        let zeros = |numbers: &[f32]| vec![0.0; numbers.len()];
        let parameters = [&zeros(weights), weights, &zeros(state), state].concat().into();
        let layer = Recurrent { go_backwards: false, ..layer };
        let kind = LayerKind::Bidirectional { layer, merge: Merge::Sum };
        self.notes.push(format!(
            "every output of a recurrent node in the direction `reverse`, for {by}: here a bidirectional layer, whose forward \
             half has no weights"
        ));
        Ok(self.push(Step { spec: LayerSpec { kind, ..step.spec }, parameters, last: None, ..step }))
    }

    /// A forward and a backward layer on the same input as one.
    pub(super) fn both_directions(
        &mut self,
        node: usize,
        forward: Source,
        backward: Source,
        merge: Merge,
    ) -> Result<Option<Source>, ImportError> {
        let (Source::Step(forward), Source::Step(backward)) = (forward, backward) else { return Ok(None) };
        let (forward, backward) = (self.steps[forward].clone(), self.steps[backward].clone());
        let (LayerKind::Recurrent(layer), LayerKind::Recurrent(other)) = (forward.spec.kind, backward.spec.kind) else {
            return Ok(None);
        };
        let turned = Recurrent { go_backwards: false, ..other };
        if forward.from != backward.from || !other.go_backwards || layer != turned {
            return Ok(None);
        }
        let initial_state = forward.spec.initial_state || backward.spec.initial_state;
        self.budget.charge(2 * (layer.weights() + layer.state()))?;
        let mut parameters = Vec::new();
        let mut states = Vec::new();
        for step in [&forward, &backward] {
            let (weights, state) = step.parameters.split_at(layer.weights());
            parameters.extend_from_slice(weights);
            states.extend_from_slice(state);
            states.resize(states.len() + if state.is_empty() { layer.state() } else { 0 }, 0.0);
        }
        if initial_state {
            parameters.append(&mut states);
        }
        let nodes = [forward.nodes, backward.nodes, vec![node]].concat();
        let spec = LayerSpec { initial_state, ..LayerKind::Bidirectional { layer, merge }.into() };
        let step =
            Step { from: forward.from, spec, parameters: parameters.into(), nodes, lacks_bias: false, last: None };
        let [sequence, last] = self.push_both(step);
        Ok(Some(if layer.return_sequences { sequence } else { last }))
    }

    /// The two halves of a bidirectional layer's outputs as one.
    pub(super) fn merged(&mut self, node: usize, forward: &Flow, backward: &Flow, merge: Merge) -> Option<Flow> {
        let Source::Step(index) = forward.source else { return None };
        let step = &self.steps[index];
        let LayerKind::Bidirectional { layer, merge: Merge::Concat } = step.spec.kind else { return None };
        let units = layer.units;
        let same = forward.source == backward.source && forward.axes == backward.axes;
        if !(same && forward.is_part(0, units) && backward.is_part(units, units)) {
            return None;
        }
        let mut step = step.clone();
        step.spec.kind = LayerKind::Bidirectional { layer, merge };
        step.nodes.push(node);
        let [sequence, last] = self.push_both(step);
        let source = if layer.return_sequences { sequence } else { last };
        Some(Flow { source, ..forward.clone() })
    }
}
