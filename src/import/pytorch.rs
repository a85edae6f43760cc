//! PyTorch's state dicts: weights by name, and nothing about how they are put together.
//!
//! A description says what shapes cannot: a matrix without a bias is an `nn.Embedding` or an `nn.Linear`, and an `nn.Conv1d` is
//! padded somewhere outside of it.

use super::tensors::{Tensors, transposed};
use super::{ImportError, Imported, Options, imported};
use crate::math::{ActivationKind, OutputKind};
use crate::network::{Cell, Conv1d, LayerKind, Merge, Network, Recurrent};
use std::collections::BTreeSet;

/// Modules that a state dict may have. Which one follows which is searched for, so their number is bounded.
const MOST_MODULES: usize = 32;

/// What the names of a backward layer's tensors end in.
const REVERSE: &str = "_reverse";

/// How it is told what a state dict does not say.
const ASSUMED: &str = "unless --model says otherwise,";

/// A layer whose weights are named.
#[derive(Clone)]
struct Layer {
    /// What the names begin with: `encoder.lstm.`
    module: String,
    /// What they end in: `_l0`, or nothing for a cell or a module without layers of its own.
    end: String,
    /// What it can be: a matrix without a bias, whose kind nobody knows, is an embedding; a convolution is that of one group.
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
    let of_cell = |layer: &Recurrent| match layer.cell {
        Cell::SimpleRnn => "RNN",
        Cell::Lstm => "LSTM",
        Cell::Gru { .. } => "GRU",
    };
    match kind {
        LayerKind::Recurrent(layer) => format!("{}({}, {})", of_cell(layer), layer.inputs, layer.units),
        LayerKind::Bidirectional { layer, .. } => {
            format!("{}({}, {}, bidirectional)", of_cell(layer), layer.inputs, layer.units)
        }
        LayerKind::Embedding { tokens, size, .. } => {
            format!("Embedding({tokens}, {size}) or Linear({size}, {tokens}) without bias")
        }
        LayerKind::Conv1d(Conv1d { inputs, units, kernel_size, .. }) => {
            format!("Conv1d({inputs} · groups, {units}, {kernel_size})")
        }
        LayerKind::Prelu { size } => format!("PReLU({size})"),
        kind => format!("Linear({}, {})", kind.inputs(), kind.outputs()),
    }
}

const LINEAR: OutputKind = OutputKind::Each(ActivationKind::Linear);

pub(super) fn import(mut tensors: Tensors, options: &Options) -> Result<Imported, ImportError> {
    let modules = modules(&tensors)?;
    let mut notes = Vec::new();
    let description = tensors.description.take();
    let (mut network, layers) = match (&options.model, description) {
        (Some(model), _) => arranged(modules, model)?,
        (None, Some(description)) => arranged(modules, &description.layers).map_err(|error| {
            let problem = format!("{} name other layers than it has: {error}", description.from);
            ImportError::Damaged { format: description.format, problem }
        })?,
        (None, None) => {
            let layers = in_series(modules, &mut notes)?;
            let specs = layers.iter().map(|layer| layer.kind.into()).collect();
            (Network::new(specs)?, layers.into_iter().map(Some).collect())
        }
    };
    for (i, layer) in layers.iter().enumerate() {
        let Some(layer) = layer else { continue };
        let parameters = parameters(layer, network.layers()[i].kind, &mut tensors)?;
        let range = network.range(i);
        network.parameters_mut()[range].copy_from_slice(&parameters);
    }
    if let Some(name) = tensors.names().next() {
        return Err(tensors.left_over(name));
    }
    imported(network, notes)
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
    if let Some(name) = own.iter().find(|name| name.starts_with("weight_hr_l")) {
        let what = format!("an LSTM with projections, `proj_size` (tensor `{module}{name}`)");
        return Err(ImportError::Unsupported { what, advice: "this release has none".into() });
    }
    // Of one of them, the other is missed by its name.
    let ends = own.iter().filter_map(|name| name.strip_prefix("weight_hh").or(name.strip_prefix("weight_ih")));
    let ends: BTreeSet<&str> = ends.map(|end| end.strip_suffix(REVERSE).unwrap_or(end)).collect();
    if ends.is_empty() {
        return Ok(vec![weight(module, &own, tensors)?]);
    }
    let mut ends: Vec<&str> = ends.into_iter().collect();
    ends.sort_by_key(|end| numbers_as_such(end));
    ends.into_iter().map(|end| recurrent(module, end, tensors)).collect()
}

/// What a module is whose tensors are `weight` and perhaps `bias`.
fn weight(module: &str, own: &[&str], tensors: &Tensors) -> Result<Layer, ImportError> {
    let name = format!("{module}weight");
    if let Some(other) = own.iter().find(|name| !["weight", "bias"].contains(*name)) {
        return Err(tensors.left_over(&format!("{module}{other}")));
    }
    let Some(tensor) = tensors.get(&name) else {
        return Err(tensors.missing(&name, &format!("`{module}bias`")));
    };
    let kind = match *tensor.shape.as_slice() {
        // With a bias it is some normalisation.
        [_] if own.contains(&"bias") => return Err(tensors.left_over(&name)),
        [size] => LayerKind::Prelu { size },
        [tokens, size] if !own.contains(&"bias") => LayerKind::Embedding { tokens, size, mask_zero: false },
        [units, inputs] => LayerKind::Dense { inputs, units, activation: LINEAR },
        [units, inputs, kernel_size] => {
            let activation = ActivationKind::Linear;
            LayerKind::Conv1d(Conv1d { inputs, units, kernel_size, dilation: 1, groups: 1, activation })
        }
        _ => return Err(tensors.wrong_shape(&name, "[outputs, inputs]", "a Linear")),
    };
    Ok(Layer { module: module.into(), end: String::new(), kind })
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
    let layer = Recurrent { return_sequences: true, ..Recurrent::new(cell, inputs, units) };
    let backward = [&of_state, &of_inputs].map(|name| format!("{name}{REVERSE}"));
    let kind = match backward.each_ref().map(|name| tensors.get(name).is_some()) {
        [false, false] => LayerKind::Recurrent(layer),
        [true, true] => LayerKind::Bidirectional { layer, merge: Merge::Concat },
        [found, _] => return Err(tensors.missing(&backward[usize::from(found)], "a bidirectional layer")),
    };
    Ok(Layer { module: module.into(), end: end.into(), kind })
}

/// The modules in the only order in which each takes what the one before gives.
fn in_series(modules: Vec<Module>, notes: &mut Vec<String>) -> Result<Vec<Layer>, ImportError> {
    let linear = |module: &Module| matches!(module[..], [Layer { kind: LayerKind::Dense { .. }, .. }]);
    let example = |modules: &[Module]| {
        let mut layers: Vec<(bool, LayerKind)> = modules.iter().flatten().map(likely).collect();
        // A linear module is rather a head than anything else.
        layers.sort_by_key(|&(first, kind)| (!first, matches!(kind, LayerKind::Dense { .. })));
        layers.iter().map(|(_, kind)| kind.to_string()).collect::<Vec<_>>().join(", ")
    };
    let unknown = |layer: &&Layer| {
        matches!(layer.kind, LayerKind::Embedding { .. } | LayerKind::Conv1d(_) | LayerKind::Prelu { .. })
    };
    if let Some(layer) = modules.iter().flatten().find(unknown) {
        let problem = format!("a state dict does not say what to make of {}", layer.name());
        return Err(ImportError::NeedsModel { problem, example: example(&modules) });
    }
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
            LayerKind::Recurrent(Recurrent { cell: Cell::SimpleRnn, .. })
            | LayerKind::Bidirectional { layer: Recurrent { cell: Cell::SimpleRnn, .. }, .. } => {
                Some(format!("{}: {ASSUMED} tanh, PyTorch's usual nonlinearity", layer.name()))
            }
            LayerKind::Dense { .. } => Some(format!("{}: {ASSUMED} no activation behind it", layer.name())),
            _ => None,
        });
    }
    if let Some(last) = layers.iter().rfind(|layer| !matches!(layer.kind, LayerKind::Dense { .. })) {
        notes.push(format!("{}: {ASSUMED} an output for every time step", last.name()));
    }
    Ok(layers)
}

/// What a module is by its name, if its shape leaves a choice, and whether it is likely to be in front of the others.
fn likely(layer: &Layer) -> (bool, LayerKind) {
    match layer.kind {
        LayerKind::Embedding { .. } if layer.module.to_lowercase().contains("emb") => (true, layer.kind),
        LayerKind::Embedding { tokens: units, size: inputs, .. } => {
            (false, LayerKind::Dense { inputs, units, activation: LINEAR })
        }
        kind => (false, kind),
    }
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

/// The network that a description names, and of each layer that has tensors the first module left that fits.
fn arranged(modules: Vec<Module>, description: &str) -> Result<(Network<f32>, Vec<Option<Layer>>), ImportError> {
    let mut left: Vec<Layer> = modules.into_iter().flatten().collect();
    let mut layers = Vec::new();
    // The network's inputs are the only size that a description does not have: its first module says it.
    let mut inputs = None;
    let mut width: Option<usize> = None;
    // What is in front of the first module may make several inputs of one.
    let mut steps_in_front = 1_usize;
    for (i, spec) in Network::<f32>::described_layers(description)?.iter().enumerate() {
        let model = |problem: String| Err(ImportError::Model(format!("layer {}{problem}", i + 1)));
        if spec.residual {
            return model(": a residual layer has no counterpart in a state dict".into());
        }
        if spec.initial_state {
            return model(": a state dict has no state to begin with".into());
        }
        if has_no_tensors(&spec.kind) {
            if let LayerKind::Flatten { steps, .. } = spec.kind {
                width = width.map(|width| width.saturating_mul(steps));
                steps_in_front = if width.is_none() { steps_in_front.saturating_mul(steps) } else { 1 };
            }
            layers.push(None);
            continue;
        }
        let of_module = |layer: &Layer| inputs_of(layer, &spec.kind);
        let fits = |layer: &Layer| of_module(layer).is_some_and(|found| width.is_none_or(|width| width == found));
        let Some(at) = left.iter().position(fits) else {
            let there = left.iter().map(Layer::name).collect::<Vec<_>>().join("; ");
            let behind = width.map_or(String::new(), |width| format!(" with {width} inputs"));
            return model(format!(" is {spec}{behind}, but what is left in the file is {there}"));
        };
        let layer = left.remove(at);
        if inputs.is_none() {
            inputs = of_module(&layer).and_then(|found| found.checked_div(steps_in_front));
        }
        width = Some(spec.kind.outputs());
        layers.push(Some(layer));
    }
    match left.first() {
        None => Ok((Network::describe(inputs.unwrap_or(1), description)?, layers)),
        Some(layer) => Err(ImportError::Model(format!("{} is in the file, but not in the description", layer.name()))),
    }
}

const fn has_no_tensors(kind: &LayerKind) -> bool {
    matches!(
        kind,
        LayerKind::Masking { .. }
            | LayerKind::AveragePooling { .. }
            | LayerKind::Flatten { .. }
            | LayerKind::Last { .. }
            | LayerKind::UnitNormalization { .. }
            | LayerKind::Activation { .. }
    )
}

/// A module's inputs, if it can be the layer that is wanted, whatever the inputs of that one.
fn inputs_of(layer: &Layer, wanted: &LayerKind) -> Option<usize> {
    let alike = |found: &Recurrent, wanted: &Recurrent| (found.cell, found.units) == (wanted.cell, wanted.units);
    match (&layer.kind, wanted) {
        (LayerKind::Recurrent(found), LayerKind::Recurrent(wanted)) if alike(found, wanted) => Some(found.inputs),
        (LayerKind::Bidirectional { layer: found, .. }, LayerKind::Bidirectional { layer: wanted, .. })
            if alike(found, wanted) =>
        {
            Some(found.inputs)
        }
        (LayerKind::Dense { inputs, units, .. }, LayerKind::Dense { units: wanted, .. }) if units == wanted => {
            Some(*inputs)
        }
        // One without a bias.
        (LayerKind::Embedding { tokens, size, .. }, LayerKind::Dense { units, .. }) if tokens == units => Some(*size),
        (
            LayerKind::Embedding { tokens, size, .. },
            LayerKind::Embedding { tokens: wanted_tokens, size: wanted_size, .. },
        ) if (tokens, size) == (wanted_tokens, wanted_size) => Some(1),
        (LayerKind::Conv1d(found), LayerKind::Conv1d(wanted))
            if (found.units, found.kernel_size) == (wanted.units, wanted.kernel_size) =>
        {
            found.inputs.checked_mul(wanted.groups)
        }
        // Of one slope for all inputs, or of one for each.
        (LayerKind::Prelu { size: found }, LayerKind::Prelu { size }) if *found == 1 || found == size => Some(*size),
        _ => None,
    }
}

/// The parameters of a layer of this kind, in the order of the model file.
fn parameters(layer: &Layer, kind: LayerKind, tensors: &mut Tensors) -> Result<Vec<f32>, ImportError> {
    let (by, Layer { module, end, .. }) = (layer.name(), layer);
    let (weight, bias) = (format!("{module}weight"), format!("{module}bias"));
    match kind {
        LayerKind::Recurrent(of) => cell_parameters(of, |what| format!("{module}{what}{end}"), &by, tensors),
        LayerKind::Bidirectional { layer: of, .. } => {
            let forward = cell_parameters(of, |what| format!("{module}{what}{end}"), &by, tensors)?;
            let backward = cell_parameters(of, |what| format!("{module}{what}{end}{REVERSE}"), &by, tensors)?;
            Ok([forward, backward].concat())
        }
        LayerKind::Embedding { tokens, size, .. } => tensors.take(&weight, &[tokens, size], &by),
        LayerKind::Prelu { size } => match layer.kind {
            LayerKind::Prelu { size: 1 } => Ok(tensors.take(&weight, &[1], &by)?.repeat(size)),
            _ => tensors.take(&weight, &[size], &by),
        },
        LayerKind::Conv1d(Conv1d { inputs, units, kernel_size, groups, .. }) => {
            let of_group = inputs / groups;
            let kernel = tensors.take(&weight, &[units, of_group, kernel_size], &by)?;
            // [unit][input][step] to [step][input][unit].
            let kernel = transposed(&kernel, units, of_group * kernel_size);
            let steps = (0..kernel_size).flat_map(|step| (0..of_group).map(move |input| input * kernel_size + step));
            let mut numbers: Vec<f32> = steps.flat_map(|row| kernel[row * units..][..units].iter().copied()).collect();
            numbers.extend(optional_bias(&bias, units, &by, tensors)?);
            Ok(numbers)
        }
        kind => {
            let (inputs, units) = (kind.inputs(), kind.outputs());
            let kernel = tensors.take(&weight, &[units, inputs], &by)?;
            Ok([transposed(&kernel, units, inputs), optional_bias(&bias, units, &by, tensors)?].concat())
        }
    }
}

/// Zeros where there is none: `bias=False`.
fn optional_bias(name: &str, units: usize, by: &str, tensors: &mut Tensors) -> Result<Vec<f32>, ImportError> {
    match tensors.get(name) {
        Some(_) => tensors.take(name, &[units], by),
        None => Ok(vec![0.0; units]),
    }
}

/// The parameters of a recurrent layer that goes one way.
fn cell_parameters(
    Recurrent { cell, inputs, units, .. }: Recurrent,
    name: impl Fn(&str) -> String,
    by: &str,
    tensors: &mut Tensors,
) -> Result<Vec<f32>, ImportError> {
    let rows = cell.gates() * units;
    let of_state = tensors.take(&name("weight_hh"), &[rows, units], by)?;
    let of_inputs = tensors.take(&name("weight_ih"), &[rows, inputs], by)?;
    // Both or none: `bias=False`.
    let biased = [name("bias_ih"), name("bias_hh")].iter().any(|name| tensors.get(name).is_some());
    let bias = if biased {
        let of_inputs = tensors.take(&name("bias_ih"), &[rows], by)?;
        let of_state = tensors.take(&name("bias_hh"), &[rows], by)?;
        // What is added to the candidate inside the reset gate's product stays apart.
        let apart = if cell == (Cell::Gru { reset_after: true }) { 2 * units } else { rows };
        let sums = of_inputs.iter().zip(&of_state).take(apart).map(|(a, b)| a + b);
        sums.chain(of_inputs[apart..].iter().copied()).chain(of_state[apart..].iter().copied()).collect()
    } else {
        vec![0.0; cell.biases() * units]
    };
    Ok([transposed(&of_state, rows, units), transposed(&of_inputs, rows, inputs), bias].concat())
}
