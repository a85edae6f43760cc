//! PyTorch's state dicts: weights by name, and nothing about how they are put together.

use super::tensors::{Tensors, transposed};
use super::{ImportError, Imported, Options};
use crate::math::{ActivationKind, OutputKind};
use crate::network::{Cell, LayerKind, LayerSpec, Model, Network, Recurrent};
use std::collections::BTreeSet;

/// Modules that a state dict may have. Which one follows which is searched for, so their number is bounded.
const MOST_MODULES: usize = 32;

/// How it is told what a state dict does not say.
const ASSUMED: &str = "unless --model says otherwise,";

/// A layer whose weights are named.
#[derive(Clone)]
struct Layer {
    /// What the names begin with: `encoder.lstm.`
    module: String,
    /// What they end in: `_l0`, or nothing for a cell or a linear layer.
    end: String,
    kind: LayerKind,
}

impl Layer {
    /// How messages call it.
    fn name(&self) -> String {
        let module = self.module.trim_end_matches('.');
        let module = if module.is_empty() { String::new() } else { format!("`{module}`, ") };
        let end = self.end.trim_start_matches('_');
        let end = if end.is_empty() { String::new() } else { format!("{end}, ") };
        format!("{module}{end}{}", described(&self.kind))
    }
}

/// A module: a linear layer, a cell, or the layers of an `nn.LSTM` in series.
type Module = Vec<Layer>;

fn inputs(module: &Module) -> usize {
    module.first().map_or(0, |layer| layer.kind.inputs())
}

fn outputs(module: &Module) -> usize {
    module.last().map_or(0, |layer| layer.kind.outputs())
}

fn described(kind: &LayerKind) -> String {
    let name = match kind {
        LayerKind::Recurrent(Recurrent { cell: Cell::SimpleRnn, .. }) => "RNN",
        LayerKind::Recurrent(Recurrent { cell: Cell::Lstm, .. }) => "LSTM",
        LayerKind::Recurrent(Recurrent { cell: Cell::Gru { .. }, .. }) => "GRU",
        _ => "Linear",
    };
    format!("{name}({}, {})", kind.inputs(), kind.outputs())
}

pub(super) fn import(mut tensors: Tensors, options: &Options) -> Result<Imported, ImportError> {
    let modules = modules(&tensors)?;
    let mut notes = Vec::new();
    let description = tensors.description.take();
    let layers = match (&options.model, description) {
        (Some(model), _) => arranged(modules, model)?,
        (None, Some(description)) => arranged(modules, &description).map_err(|error| {
            let problem = format!("its metadata name other layers than it has: {error}");
            ImportError::Damaged { format: ".safetensors", problem }
        })?,
        (None, None) => in_series(modules, &mut notes)?,
    };
    let specs: Vec<LayerSpec> = layers.iter().map(|layer| layer.kind.into()).collect();
    let mut network = Network::new(specs)?;
    for (i, layer) in layers.iter().enumerate() {
        let parameters = parameters(layer, &mut tensors)?;
        let range = network.range(i);
        network.parameters_mut()[range].copy_from_slice(&parameters);
    }
    if let Some(name) = tensors.names().next() {
        return Err(tensors.left_over(name));
    }
    Ok(Imported { model: Model::new(network), notes })
}

/// `name` as the module and what is its own.
fn split(name: &str) -> (&str, &str) {
    name.split_at(name.rfind('.').map_or(0, |dot| dot + 1))
}

/// The modules, in the order of their names, in which `fc2` stands before `fc10`.
fn modules(tensors: &Tensors) -> Result<Vec<Module>, ImportError> {
    let names: BTreeSet<&str> = tensors.names().map(|name| split(name).0).collect();
    let mut names: Vec<&str> = names.into_iter().collect();
    if names.len() > MOST_MODULES {
        let what = format!("a state dict of {} modules", names.len());
        let advice = format!("at most {MOST_MODULES} are; choose a part of it with --prefix");
        return Err(ImportError::Unsupported { what, advice });
    }
    names.sort_by_key(|name| numbers_as_such(name));
    names.into_iter().map(|module| module_of(module, tensors)).collect()
}

/// A key by which names sort as people count.
fn numbers_as_such(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (before, from) = rest.split_at(text);
        let digits = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (number, after) = from.split_at(digits);
        parts.push((before.to_owned(), number.parse().unwrap_or(u64::MAX)));
        rest = after;
    }
    parts
}

fn module_of(module: &str, tensors: &Tensors) -> Result<Module, ImportError> {
    let own: Vec<&str> = tensors.names().filter(|name| split(name).0 == module).map(|name| split(name).1).collect();
    for name in &own {
        let unsupported = |what: &str, advice: &str| {
            let what = format!("{what} (tensor `{module}{name}`)");
            Err(ImportError::Unsupported { what, advice: advice.into() })
        };
        if name.ends_with("_reverse") {
            return unsupported("a bidirectional layer", "this release has none");
        }
        if name.starts_with("weight_hr_l") {
            return unsupported("an LSTM with projections, `proj_size`", "this release has none");
        }
    }
    let ends: BTreeSet<&str> = own.iter().filter_map(|name| name.strip_prefix("weight_hh")).collect();
    if ends.is_empty() {
        return Ok(vec![linear(module, &own, tensors)?]);
    }
    let mut ends: Vec<&str> = ends.into_iter().collect();
    ends.sort_by_key(|end| numbers_as_such(end));
    ends.into_iter().map(|end| recurrent(module, end, tensors)).collect()
}

fn linear(module: &str, own: &[&str], tensors: &Tensors) -> Result<Layer, ImportError> {
    let name = format!("{module}weight");
    let Some(tensor) = tensors.get(&name) else {
        return Err(tensors.left_over(&format!("{module}{}", own.first().unwrap_or(&""))));
    };
    let &[units, inputs] = tensor.shape.as_slice() else {
        return Err(tensors.wrong_shape(&name, "[outputs, inputs]", "a Linear"));
    };
    let activation = OutputKind::Each(ActivationKind::Linear);
    Ok(Layer { module: module.into(), end: String::new(), kind: LayerKind::Dense { inputs, units, activation } })
}

/// The layer of a recurrent module whose tensors' names end in `end`. The recurrent weights say which cell it is.
fn recurrent(module: &str, end: &str, tensors: &Tensors) -> Result<Layer, ImportError> {
    let (of_inputs, of_state) = (format!("{module}weight_ih{end}"), format!("{module}weight_hh{end}"));
    let shape = |name: &str| match tensors.get(name) {
        Some(tensor) => Ok(tensor.shape.as_slice()),
        None => Err(tensors.missing(name, "a recurrent layer")),
    };
    let cells = [(1, Cell::SimpleRnn), (3, Cell::Gru { reset_after: true }), (4, Cell::Lstm)];
    let cell_of = |&(gates, _): &(usize, Cell), rows: usize, units: usize| units.checked_mul(gates) == Some(rows);
    let (units, (gates, cell)) = match *shape(&of_state)? {
        [rows, units] => match cells.into_iter().find(|cell| units > 0 && cell_of(cell, rows, units)) {
            Some(cell) => (units, cell),
            None => {
                return Err(tensors.wrong_shape(
                    &of_state,
                    "[gates · units, units] with 1, 3 or 4 gates",
                    "a recurrent layer",
                ));
            }
        },
        _ => return Err(tensors.wrong_shape(&of_state, "[gates · units, units]", "a recurrent layer")),
    };
    let inputs = match *shape(&of_inputs)? {
        [rows, inputs] if rows == gates * units => inputs,
        _ => {
            let expected = format!("[{}, inputs]", gates * units);
            return Err(tensors.wrong_shape(&of_inputs, &expected, &format!("the layer of `{of_state}`")));
        }
    };
    let kind = LayerKind::Recurrent(Recurrent { return_sequences: true, ..Recurrent::new(cell, inputs, units) });
    Ok(Layer { module: module.into(), end: end.into(), kind })
}

/// The modules in the only order in which each takes what the one before gives.
fn in_series(modules: Vec<Module>, notes: &mut Vec<String>) -> Result<Vec<Layer>, ImportError> {
    let linear = |module: &Module| matches!(module[..], [Layer { kind: LayerKind::Dense { .. }, .. }]);
    let example = |modules: &[Module]| {
        let words: Vec<_> = modules.iter().flatten().map(|layer| LayerSpec::from(layer.kind).to_string()).collect();
        words.join(", ")
    };
    let (heads, mut modules): (Vec<_>, Vec<_>) = modules.into_iter().partition(linear);
    let recurrent = modules.len();
    modules.extend(heads);
    let new_search =
        |recurrent| Orders { modules: &modules, recurrent, order: Vec::new(), found: Vec::new(), steps: 0 };
    // Where sizes leave a choice, linear modules are behind the recurrent ones.
    let (mut orders, mut usual) = (new_search(0), new_search(recurrent));
    orders.search();
    usual.search();
    if orders.found.len() > 1 && usual.found.len() == 1 && usual.steps <= Orders::MOST_STEPS {
        let names: Vec<_> = usual.found.iter().flatten().filter_map(|&module| modules[module].first()).collect();
        let names: Vec<_> = names.iter().map(|layer| format!("`{}`", layer.module.trim_end_matches('.'))).collect();
        notes.push(format!("{ASSUMED} the order {}", names.join(", ")));
        orders = usual;
    }
    let list = || modules.iter().flatten().map(Layer::name).collect::<Vec<_>>().join("; ");
    let example = example(&modules);
    let order = match (orders.found.len(), orders.steps > Orders::MOST_STEPS) {
        (1, false) => orders.found.remove(0),
        (0, false) => {
            let problem = format!("no order of the modules fits their sizes: {}", list());
            return Err(ImportError::Unsupported { what: "this state dict".into(), advice: problem });
        }
        _ => {
            let problem = format!("the sizes do not say in which order the modules are: {}", list());
            return Err(ImportError::NeedsModel { problem, example });
        }
    };
    if modules.iter().filter(|module| linear(module)).count() > 1 {
        let problem = format!("a state dict does not say which activations are between Linear modules: {}", list());
        return Err(ImportError::NeedsModel { problem, example });
    }
    let layers: Vec<Layer> = order.into_iter().flat_map(|module| modules[module].clone()).collect();
    for layer in &layers {
        notes.extend(match layer.kind {
            LayerKind::Recurrent(Recurrent { cell: Cell::SimpleRnn, .. }) => {
                Some(format!("{}: {ASSUMED} tanh, PyTorch's usual nonlinearity", layer.name()))
            }
            LayerKind::Dense { .. } => Some(format!("{}: {ASSUMED} no activation behind it", layer.name())),
            _ => None,
        });
    }
    if let Some(last) = layers.iter().rfind(|layer| matches!(layer.kind, LayerKind::Recurrent(_))) {
        notes.push(format!("{}: {ASSUMED} an output for every time step", last.name()));
    }
    Ok(layers)
}

/// A search for the orders in which modules fit each other.
struct Orders<'a> {
    modules: &'a [Module],
    /// How many of them have to be in front of all others.
    recurrent: usize,
    order: Vec<usize>,
    /// Two at most: more do not matter.
    found: Vec<Vec<usize>>,
    steps: usize,
}

impl Orders<'_> {
    /// Beyond this the sizes do not say enough.
    const MOST_STEPS: usize = 10_000;

    fn search(&mut self) {
        self.steps += 1;
        if self.steps > Self::MOST_STEPS || self.found.len() > 1 {
            return;
        }
        if self.order.len() == self.modules.len() {
            self.found.push(self.order.clone());
            return;
        }
        for next in 0..self.modules.len() {
            let fits =
                self.order.last().is_none_or(|&last| outputs(&self.modules[last]) == inputs(&self.modules[next]));
            let in_turn = next < self.recurrent || self.order.len() >= self.recurrent;
            if fits && in_turn && !self.order.contains(&next) {
                self.order.push(next);
                self.search();
                self.order.pop();
            }
        }
    }
}

/// The layers that a description names, each with the first module left that fits.
fn arranged(modules: Vec<Module>, description: &str) -> Result<Vec<Layer>, ImportError> {
    let mut left: Vec<Layer> = modules.into_iter().flatten().collect();
    let mut layers: Vec<Layer> = Vec::new();
    // The inputs of the first layer are the only size that a description does not have, and not used here.
    let specs = Network::<f32>::describe(1, description)?;
    for (i, spec) in specs.layers().iter().enumerate() {
        if spec.residual {
            return Err(ImportError::Model(format!(
                "layer {}: a residual layer has no counterpart in a state dict",
                i + 1
            )));
        }
        let width = layers.last().map(|layer| layer.kind.outputs());
        let fits = |layer: &Layer| {
            let same = match (layer.kind, spec.kind) {
                (LayerKind::Dense { units, .. }, LayerKind::Dense { units: wanted, .. }) => units == wanted,
                (LayerKind::Recurrent(layer), LayerKind::Recurrent(wanted)) => {
                    layer.cell == wanted.cell && layer.units == wanted.units
                }
                _ => false,
            };
            same && width.is_none_or(|width| width == layer.kind.inputs())
        };
        let Some(at) = left.iter().position(fits) else {
            let there = left.iter().map(Layer::name).collect::<Vec<_>>().join("; ");
            let behind = width.map_or(String::new(), |width| format!(" with {width} inputs"));
            return Err(ImportError::Model(format!(
                "layer {} is {spec}{behind}, but what is left in the file is {there}",
                i + 1
            )));
        };
        let mut layer = left.remove(at);
        layer.kind = match (layer.kind, spec.kind) {
            (LayerKind::Recurrent(found), LayerKind::Recurrent(wanted)) => {
                LayerKind::Recurrent(Recurrent { inputs: found.inputs, ..wanted })
            }
            (LayerKind::Dense { inputs, .. }, LayerKind::Dense { units, activation, .. }) => {
                LayerKind::Dense { inputs, units, activation }
            }
            (found, _) => found,
        };
        layers.push(layer);
    }
    match left.first() {
        None => Ok(layers),
        Some(layer) => Err(ImportError::Model(format!("{} is in the file, but not in the description", layer.name()))),
    }
}

/// The layer's parameters in the order of the model file.
fn parameters(layer: &Layer, tensors: &mut Tensors) -> Result<Vec<f32>, ImportError> {
    let (by, Layer { module, end, .. }) = (layer.name(), layer);
    let name = |what: &str| format!("{module}{what}{end}");
    match layer.kind {
        LayerKind::Recurrent(Recurrent { cell, inputs, units, .. }) => {
            let rows = cell.gates() * units;
            let of_state = tensors.take(&name("weight_hh"), &[rows, units], &by)?;
            let of_inputs = tensors.take(&name("weight_ih"), &[rows, inputs], &by)?;
            // Both or none: `bias=False`.
            let biased = [name("bias_ih"), name("bias_hh")].iter().any(|name| tensors.get(name).is_some());
            let bias = if biased {
                let of_inputs = tensors.take(&name("bias_ih"), &[rows], &by)?;
                let of_state = tensors.take(&name("bias_hh"), &[rows], &by)?;
                // What is added to the candidate inside the reset gate's product stays apart.
                let apart = if cell == (Cell::Gru { reset_after: true }) { 2 * units } else { rows };
                let sums = of_inputs.iter().zip(&of_state).take(apart).map(|(a, b)| a + b);
                sums.chain(of_inputs[apart..].iter().copied()).chain(of_state[apart..].iter().copied()).collect()
            } else {
                vec![0.0; cell.biases() * units]
            };
            Ok([transposed(&of_state, rows, units), transposed(&of_inputs, rows, inputs), bias].concat())
        }
        kind => {
            let (inputs, units) = (kind.inputs(), kind.outputs());
            let kernel = tensors.take(&name("weight"), &[units, inputs], &by)?;
            let bias = match tensors.get(&name("bias")) {
                Some(_) => tensors.take(&name("bias"), &[units], &by)?,
                None => vec![0.0; units],
            };
            Ok([transposed(&kernel, units, inputs), bias].concat())
        }
    }
}
