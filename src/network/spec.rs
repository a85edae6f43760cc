//! Layers of run-time sizes, without their weights.

use super::NetworkError;
use crate::format::Kind;
use crate::math::{ActivationKind, OutputKind};
use nalgebra::{DMatrixView, Scalar};

/// The kind of a recurrent cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// [`SimpleRnn`](crate::SimpleRnn)
    SimpleRnn,
    /// [`Lstm`](crate::Lstm)
    Lstm,
    /// [`Gru`](crate::Gru)
    Gru {
        /// Whether the reset gate multiplies the product `U h` or `h`.
        reset_after: bool,
    },
}

impl Cell {
    /// Weight rows per unit.
    #[must_use]
    pub const fn gates(self) -> usize {
        match self {
            Cell::SimpleRnn => 1,
            Cell::Lstm => 4,
            Cell::Gru { .. } => 3,
        }
    }

    /// Bias rows per unit.
    #[must_use]
    pub const fn biases(self) -> usize {
        match self {
            Cell::SimpleRnn => 1,
            Cell::Lstm | Cell::Gru { .. } => 4,
        }
    }

    /// The kind of its record in a model file.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Cell::SimpleRnn => Kind::SimpleRnn,
            Cell::Lstm => Kind::Lstm,
            Cell::Gru { .. } => Kind::Gru,
        }
    }
}

/// A recurrent layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recurrent {
    /// Its cell.
    pub cell: Cell,
    /// Inputs.
    pub inputs: usize,
    /// Units.
    pub units: usize,
    /// Activation (of the candidate and the output).
    pub activation: ActivationKind,
    /// Activation of the gates; a simple recurrent layer has none and ignores it.
    pub recurrent_activation: ActivationKind,
    /// Whether it gives every output of a sequence or only the last one.
    pub return_sequences: bool,
    /// Whether it goes through a sequence from its end; its outputs are in the order in which it gives them, as Keras's are.
    pub go_backwards: bool,
    /// Whether a masked step gives zeros, and not the last output once more.
    pub zero_output_for_mask: bool,
}

impl Recurrent {
    /// A layer with Keras's default activations that gives its last output.
    #[must_use]
    pub const fn new(cell: Cell, inputs: usize, units: usize) -> Self {
        Recurrent {
            cell,
            inputs,
            units,
            activation: ActivationKind::Tanh,
            recurrent_activation: ActivationKind::Sigmoid,
            return_sequences: false,
            go_backwards: false,
            zero_output_for_mask: false,
        }
    }

    /// How many numbers its weights are.
    #[must_use]
    pub const fn weights(&self) -> usize {
        let [recurrent, input, bias] = self.lengths();
        recurrent + input + bias
    }

    /// Numbers in its state: h and, of an LSTM, c.
    #[must_use]
    pub const fn state(&self) -> usize {
        match self.cell {
            Cell::Lstm => 2 * self.units,
            _ => self.units,
        }
    }

    /// Words in front of an integer layer's weights: the fraction bits of h and, of an LSTM, c.
    #[must_use]
    pub const fn formats(&self) -> usize {
        match self.cell {
            Cell::Lstm => 2,
            _ => 1,
        }
    }

    /// Bytes of an integer layer's formats, biases, scales and weights.
    #[must_use]
    pub const fn integer_bytes(&self) -> usize {
        let [recurrent, input, bias] = self.lengths();
        4 * self.formats() + 8 * bias + recurrent + input
    }

    /// Lengths of the recurrent kernel, the kernel and the bias.
    #[must_use]
    pub const fn lengths(&self) -> [usize; 3] {
        let rows = self.cell.gates() * self.units;
        [rows * self.units, rows * self.inputs, self.cell.biases() * self.units]
    }

    /// The layer's parameters as U, W and b.
    pub(crate) fn split<'a, T: Scalar>(
        &self,
        parameters: &'a [T],
    ) -> (DMatrixView<'a, T>, DMatrixView<'a, T>, &'a [T]) {
        let [recurrent, input, _] = self.lengths();
        let rows = self.cell.gates() * self.units;
        let (recurrent, rest) = parameters.split_at(recurrent);
        let (input, bias) = rest.split_at(input);
        (DMatrixView::from_slice(recurrent, rows, self.units), DMatrixView::from_slice(input, rows, self.inputs), bias)
    }
}

/// How a bidirectional layer's two outputs become one (Keras `merge_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// The forward layer's outputs, then the backward layer's.
    Concat,
    /// Their sum.
    Sum,
    /// Their product, number by number.
    Mul,
    /// Their mean.
    Ave,
    /// They stay two: the same numbers as [`Concat`](Merge::Concat), and nothing can follow.
    None,
}

impl Merge {
    /// Every one.
    pub const ALL: [Merge; 5] = [Merge::Concat, Merge::Sum, Merge::Mul, Merge::Ave, Merge::None];

    /// Keras's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Merge::Concat => "concat",
            Merge::Sum => "sum",
            Merge::Mul => "mul",
            Merge::Ave => "ave",
            Merge::None => "none",
        }
    }

    /// The code in a model file.
    #[must_use]
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// Outputs of two layers of so many units.
    #[must_use]
    pub const fn outputs(self, units: usize) -> usize {
        match self {
            Merge::Concat | Merge::None => units.saturating_mul(2),
            Merge::Sum | Merge::Mul | Merge::Ave => units,
        }
    }
}

/// A causal convolution over time: an output sees its own time step and those before it (Keras `Conv1D` with `padding="causal"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv1d {
    /// Inputs (channels).
    pub inputs: usize,
    /// Outputs (Keras `filters`).
    pub units: usize,
    /// Time steps that an output sees.
    pub kernel_size: usize,
    /// From each of them to the next one, in time steps.
    pub dilation: usize,
    /// Groups of inputs, each of which has its own outputs.
    pub groups: usize,
    /// Activation.
    pub activation: ActivationKind,
}

impl Conv1d {
    /// Time steps before its own that an output depends on.
    #[must_use]
    pub const fn history(&self) -> usize {
        (self.kernel_size - 1).saturating_mul(self.dilation)
    }

    /// Numbers in its kernel.
    #[must_use]
    pub const fn kernel(&self) -> usize {
        self.kernel_size.saturating_mul(self.inputs / self.groups).saturating_mul(self.units)
    }
}

/// What a layer does.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum LayerKind {
    /// [`Normalize`](crate::Normalize)
    Normalize {
        /// Inputs and outputs.
        size: usize,
    },
    /// [`Dense`](crate::Dense)
    Dense {
        /// Inputs.
        inputs: usize,
        /// Outputs.
        units: usize,
        /// Activation.
        activation: OutputKind,
    },
    /// A recurrent layer.
    Recurrent(Recurrent),
    /// Two recurrent layers, one of which begins at a sequence's end (Keras `Bidirectional`). Outputs of the same time step are
    /// merged; of layers that give only their last outputs, these.
    Bidirectional {
        /// Both of them.
        layer: Recurrent,
        /// What becomes of their outputs.
        merge: Merge,
    },
    /// Masks the time steps whose numbers are all `value`, for the layers behind it (Keras `Masking`).
    Masking {
        /// Inputs and outputs.
        size: usize,
        /// The value.
        value: f32,
    },
    /// A row of a table for each whole number (Keras `Embedding`). Any other number gives NaN.
    Embedding {
        /// Rows: inputs are 0 to one less.
        tokens: usize,
        /// Outputs.
        size: usize,
        /// Whether 0 masks its time step.
        mask_zero: bool,
    },
    /// A causal convolution.
    Conv1d(Conv1d),
    /// The mean of the last time steps, zeros before the first one (Keras `ZeroPadding1D((steps - 1, 0))` and
    /// `AveragePooling1D(steps, strides=1)`).
    AveragePooling {
        /// Inputs and outputs.
        size: usize,
        /// Time steps.
        steps: usize,
    },
    /// The last time steps as one vector, oldest first, zeros before the first one (Keras `Flatten` of a sequence of so many).
    Flatten {
        /// Inputs.
        size: usize,
        /// Time steps.
        steps: usize,
    },
    /// The last output of the layer before it alone (`y[:, -1]`).
    Last {
        /// Inputs and outputs.
        size: usize,
    },
    /// Each vector divided by its length (Keras `UnitNormalization`).
    UnitNormalization {
        /// Inputs and outputs.
        size: usize,
    },
    /// An activation on its own (Keras `Activation`, `ReLU`, `ELU`, `Softmax`).
    Activation {
        /// Inputs and outputs.
        size: usize,
        /// The activation.
        activation: OutputKind,
    },
    /// x above zero, below it times a slope of each channel (Keras `PReLU` with `shared_axes=[1]`, `LeakyReLU`).
    Prelu {
        /// Inputs and outputs.
        size: usize,
    },
    /// To the int16 numbers of the integer layers behind it ([`quant::Quantize`](crate::quant::Quantize)).
    Quantize {
        /// Inputs and outputs.
        size: usize,
    },
    /// From the int16 numbers of the integer layers in front of it ([`quant::Dequantize`](crate::quant::Dequantize)).
    Dequantize {
        /// Inputs and outputs.
        size: usize,
    },
}

impl LayerKind {
    /// Inputs.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        match *self {
            LayerKind::Dense { inputs, .. } => inputs,
            LayerKind::Recurrent(layer) | LayerKind::Bidirectional { layer, .. } => layer.inputs,
            LayerKind::Embedding { .. } => 1,
            LayerKind::Conv1d(layer) => layer.inputs,
            LayerKind::Normalize { size }
            | LayerKind::Masking { size, .. }
            | LayerKind::AveragePooling { size, .. }
            | LayerKind::Flatten { size, .. }
            | LayerKind::Last { size }
            | LayerKind::UnitNormalization { size }
            | LayerKind::Activation { size, .. }
            | LayerKind::Prelu { size }
            | LayerKind::Quantize { size }
            | LayerKind::Dequantize { size } => size,
        }
    }

    /// Outputs.
    #[must_use]
    pub const fn outputs(&self) -> usize {
        match *self {
            LayerKind::Dense { units, .. } => units,
            LayerKind::Recurrent(layer) => layer.units,
            LayerKind::Bidirectional { layer, merge } => merge.outputs(layer.units),
            LayerKind::Embedding { size, .. } => size,
            LayerKind::Conv1d(layer) => layer.units,
            LayerKind::Flatten { size, steps } => size.saturating_mul(steps),
            _ => self.inputs(),
        }
    }

    /// How many numbers its weights are.
    #[must_use]
    pub const fn weights(&self) -> usize {
        match *self {
            LayerKind::Normalize { size } => 2 * size,
            LayerKind::Dense { inputs, units, .. } => units * (inputs + 1),
            LayerKind::Recurrent(layer) => layer.weights(),
            LayerKind::Bidirectional { layer, .. } => layer.weights().saturating_mul(2),
            LayerKind::Embedding { tokens, size, .. } => tokens.saturating_mul(size),
            LayerKind::Conv1d(layer) => layer.kernel().saturating_add(layer.units),
            LayerKind::Prelu { size } => size,
            _ => 0,
        }
    }

    /// Numbers in its state.
    #[must_use]
    pub const fn state(&self) -> usize {
        match *self {
            LayerKind::Recurrent(layer) => layer.state(),
            LayerKind::Bidirectional { layer, .. } => 2 * layer.state(),
            LayerKind::Conv1d(layer) => layer.history().saturating_mul(layer.inputs),
            LayerKind::AveragePooling { size, steps } | LayerKind::Flatten { size, steps } => {
                size.saturating_mul(steps - 1)
            }
            _ => 0,
        }
    }

    /// Whether a sequence stays one.
    #[must_use]
    pub const fn keeps_sequence(&self) -> bool {
        match self {
            LayerKind::Recurrent(layer) | LayerKind::Bidirectional { layer, .. } => layer.return_sequences,
            LayerKind::Last { .. } | LayerKind::Flatten { .. } => false,
            _ => true,
        }
    }

    /// Whether its first output depends on the last input, so that it cannot go through a sequence step by step.
    #[must_use]
    pub const fn needs_whole_sequence(&self) -> bool {
        match self {
            LayerKind::Recurrent(layer) => layer.go_backwards,
            LayerKind::Bidirectional { .. } => true,
            _ => false,
        }
    }

    /// Whether it does the same to every time step, whatever comes before or behind it.
    const fn works_on_steps(&self) -> bool {
        !self.needs_whole_sequence() && self.state() == 0 && self.keeps_sequence()
    }

    /// The kind of its record in a model file.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            LayerKind::Normalize { .. } => Kind::Normalize,
            LayerKind::Dense { .. } => Kind::Dense,
            LayerKind::Recurrent(layer) => layer.cell.kind(),
            LayerKind::Bidirectional { .. } => Kind::Bidirectional,
            LayerKind::Masking { .. } => Kind::Masking,
            LayerKind::Embedding { .. } => Kind::Embedding,
            LayerKind::Conv1d(_) => Kind::Conv1d,
            LayerKind::AveragePooling { .. } => Kind::AveragePooling,
            LayerKind::Flatten { .. } => Kind::Flatten,
            LayerKind::Last { .. } => Kind::Last,
            LayerKind::UnitNormalization { .. } => Kind::UnitNormalization,
            LayerKind::Activation { .. } => Kind::Activation,
            LayerKind::Prelu { .. } => Kind::Prelu,
            LayerKind::Quantize { .. } => Kind::Quantize,
            LayerKind::Dequantize { .. } => Kind::Dequantize,
        }
    }
}

/// A layer of a [`Network`](super::Network).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerSpec {
    /// What it does.
    pub kind: LayerKind,
    /// Whether its input is added to its output ([`Residual`](crate::Residual)).
    pub residual: bool,
    /// Whether the model has a state of its own that the layer begins with; it stands behind the layer's weights. Otherwise
    /// the layer begins with zeros.
    pub initial_state: bool,
    /// Whether it is an integer layer ([`quant`](crate::quant)), whose weights are bytes of the network's and no parameters.
    pub integer: bool,
}

impl LayerSpec {
    /// How many numbers its parameters are: weights, and the state it begins with.
    #[must_use]
    pub const fn parameters(&self) -> usize {
        if self.integer { 0 } else { self.kind.weights() + if self.initial_state { self.kind.state() } else { 0 } }
    }

    /// How many bytes an integer layer's numbers are: its weights as in a model file, but for zeros at the end; behind them the shifts
    /// of a way around it, and the state that it begins with.
    #[must_use]
    pub const fn integer_bytes(&self) -> usize {
        if !self.integer {
            return 0;
        }
        let shifts = if self.residual { 2 * self.kind.inputs() } else { 0 };
        let state = if self.initial_state { 2 * self.kind.state() } else { 0 };
        self.kind.integer_bytes() + shifts + state
    }
}

impl LayerKind {
    /// How many bytes the weights of an integer layer of this kind are: formats, biases, scales and int8 weights.
    pub(crate) const fn integer_bytes(&self) -> usize {
        match *self {
            LayerKind::Quantize { size } | LayerKind::Dequantize { size } => size,
            LayerKind::Dense { inputs, units, .. } => 4 + 8 * units + inputs * units,
            LayerKind::Recurrent(layer) => layer.integer_bytes(),
            LayerKind::Bidirectional { layer, .. } => 2 * layer.integer_bytes(),
            LayerKind::Conv1d(layer) => 4 + 8 * layer.units + layer.kernel(),
            LayerKind::Masking { size, .. } => 2 * size,
            LayerKind::Embedding { tokens, size, .. } => size + tokens * size,
            LayerKind::Prelu { size } => 4 + 2 * size,
            LayerKind::Activation { size, .. } => size,
            _ => 0,
        }
    }
}

impl From<LayerKind> for LayerSpec {
    fn from(kind: LayerKind) -> Self {
        let integer = matches!(kind, LayerKind::Quantize { .. } | LayerKind::Dequantize { .. });
        LayerSpec { kind, residual: false, initial_state: false, integer }
    }
}

impl From<Recurrent> for LayerSpec {
    fn from(layer: Recurrent) -> Self {
        LayerKind::Recurrent(layer).into()
    }
}

/// The most inputs or units of a layer.
const MOST_UNITS: usize = 1 << 14;
/// The most numbers in a layer's weights: their bytes can be counted on a machine of 32 bits.
const MOST_WEIGHTS: usize = (1 << 29) - 1;
/// The most numbers in a network's state, which a few bytes of a file can ask for.
const MOST_STATE: usize = 1 << 21;
/// The most rows of a table, steps of a pool or a kernel, and time steps between a kernel's.
const MOST_STEPS: usize = (1 << 16) - 1;

/// Sizes beside the numbers of inputs and outputs.
fn other_sizes(kind: &LayerKind) -> Vec<(usize, &'static str, usize)> {
    match *kind {
        LayerKind::Embedding { tokens, .. } => vec![(tokens, "the number of tokens", 1 << 20)],
        LayerKind::Conv1d(layer) => vec![
            (layer.kernel_size, "the kernel size", MOST_STEPS),
            (layer.dilation, "the dilation", MOST_STEPS),
            (layer.groups, "the number of groups", MOST_UNITS),
        ],
        LayerKind::AveragePooling { steps, .. } | LayerKind::Flatten { steps, .. } => {
            vec![(steps, "the number of time steps", MOST_STEPS)]
        }
        _ => Vec::new(),
    }
}

/// Checks that a layer can be, before anything of its size is made.
pub(super) fn check_layer(layer: usize, spec: &LayerSpec) -> Result<(), NetworkError> {
    let kind = &spec.kind;
    let mut sizes = other_sizes(kind);
    // First, as the others are computed from them.
    if let Some(&(_, what, _)) = sizes.iter().find(|(size, ..)| *size == 0) {
        return Err(NetworkError::ZeroSize { layer, what });
    }
    sizes.insert(0, (kind.outputs(), "the number of units", MOST_UNITS));
    sizes.insert(0, (kind.inputs(), "the number of inputs", MOST_UNITS));
    for (size, what, most) in sizes {
        match size {
            0 => return Err(NetworkError::ZeroSize { layer, what }),
            size if size > most => return Err(NetworkError::TooLarge { layer, what, size, most }),
            _ => {}
        }
    }
    if let LayerKind::Conv1d(Conv1d { inputs, units, groups, .. }) = *kind
        && !(inputs.is_multiple_of(groups) && units.is_multiple_of(groups))
    {
        return Err(NetworkError::Groups { layer, inputs, units, groups });
    }
    let (size, most) = (kind.weights(), MOST_WEIGHTS);
    if size > most {
        return Err(NetworkError::TooLarge { layer, what: "the number of weights", size, most });
    }
    let masks = matches!(kind, LayerKind::Masking { .. } | LayerKind::Embedding { .. });
    if spec.residual && (kind.inputs() != kind.outputs() || !kind.keeps_sequence() || masks) {
        return Err(NetworkError::Residual { layer, name: kind.kind().name() });
    }
    if let LayerKind::Bidirectional { layer: Recurrent { go_backwards: true, .. }, .. } = kind {
        return Err(NetworkError::Backwards { layer });
    }
    if spec.initial_state && !matches!(kind, LayerKind::Recurrent(_) | LayerKind::Bidirectional { .. }) {
        return Err(NetworkError::InitialState { layer, name: kind.kind().name() });
    }
    if spec.integer
        && let Err(problem) = check_integer(spec)
    {
        return Err(NetworkError::Integer { layer, name: kind.kind().name(), problem });
    }
    if !spec.integer && matches!(kind, LayerKind::Quantize { .. } | LayerKind::Dequantize { .. }) {
        return Err(NetworkError::Integer { layer, name: kind.kind().name(), problem: "without integers" });
    }
    Ok(())
}

/// The most time steps that int16 numbers are added of.
pub(crate) const MOST_INTEGER_STEPS: usize = 1 << 14;

/// Whether a layer has an integer form.
pub(crate) fn check_integer(spec: &LayerSpec) -> Result<(), &'static str> {
    use ActivationKind::{HardSigmoid, Linear, Relu, Sigmoid, Tanh};
    match spec.kind {
        LayerKind::Quantize { .. } | LayerKind::Dequantize { .. } if spec.residual => Err("with a way around it"),
        LayerKind::Quantize { .. }
        | LayerKind::Dequantize { .. }
        | LayerKind::Masking { .. }
        | LayerKind::Flatten { .. }
        | LayerKind::Last { .. }
        | LayerKind::Prelu { .. } => Ok(()),
        LayerKind::Dense { activation, .. } => match activation {
            OutputKind::Softmax | OutputKind::Each(Tanh | Sigmoid | HardSigmoid | Linear | Relu) => Ok(()),
            OutputKind::Each(_) => {
                Err("of this activation: tanh, sigmoid, hard_sigmoid, relu, softmax and linear have one")
            }
        },
        LayerKind::Conv1d(layer) => match layer.activation {
            Tanh | Sigmoid | HardSigmoid | Linear | Relu if layer.groups == 1 => Ok(()),
            Tanh | Sigmoid | HardSigmoid | Linear | Relu => Err("of several groups"),
            _ => Err("of this activation: tanh, sigmoid, hard_sigmoid, relu and linear have one"),
        },
        LayerKind::Recurrent(layer) | LayerKind::Bidirectional { layer, .. } => {
            match (layer.cell, layer.activation, layer.recurrent_activation) {
                (Cell::SimpleRnn, Tanh | Sigmoid | HardSigmoid | Linear | Relu, _)
                | (Cell::Gru { .. }, Tanh | Sigmoid | HardSigmoid | Linear | Relu, Sigmoid | HardSigmoid)
                | (Cell::Lstm, Tanh | Sigmoid | Linear | Relu, Sigmoid | HardSigmoid) => Ok(()),
                _ => Err(
                    "of these activations: tanh, sigmoid, relu and linear have one, and gates with sigmoid or hard_sigmoid",
                ),
            }
        }
        LayerKind::AveragePooling { steps, .. } if steps > MOST_INTEGER_STEPS => Err("of so many time steps"),
        LayerKind::AveragePooling { .. } => Ok(()),
        LayerKind::Embedding { tokens, .. } if tokens > 1 << 15 => Err("of more than 32768 tokens"),
        LayerKind::Embedding { .. } => Ok(()),
        LayerKind::Activation { activation, .. } => match activation {
            OutputKind::Each(Tanh | Sigmoid | Linear | Relu) => Ok(()),
            _ => Err("that stands neither behind a linear layer nor at the end"),
        },
        LayerKind::Normalize { .. } => {
            Err("here: no layer beside it can take it in; leave it out, or put it at the beginning")
        }
        LayerKind::UnitNormalization { .. } => Err("that does not stand at the end"),
    }
}

/// Checks that layers make a network.
pub(super) fn check(layers: &[LayerSpec]) -> Result<(), NetworkError> {
    let mut before: Option<&LayerSpec> = None;
    let mut last_only: Option<(usize, &LayerKind)> = None;
    let mut state = 0_usize;
    let mut integer = false;
    for (layer, spec) in (1..).zip(layers) {
        let kind = &spec.kind;
        check_layer(layer, spec)?;
        // What it takes: what a Quantize gives are integers, what a Dequantize gives are none.
        let takes_integers = spec.integer && !matches!(kind, LayerKind::Quantize { .. });
        if takes_integers != integer {
            return Err(NetworkError::Numbers { layer, name: kind.kind().name(), integer });
        }
        integer = spec.integer && !matches!(kind, LayerKind::Dequantize { .. });
        if let Some(before) = before {
            if before.kind.outputs() != kind.inputs() {
                return Err(NetworkError::SizeMismatch {
                    layer,
                    inputs: kind.inputs(),
                    outputs: before.kind.outputs(),
                });
            }
            if let LayerKind::Bidirectional { merge: Merge::None, .. } = before.kind {
                return Err(NetworkError::TwoOutputs { layer });
            }
        }
        if let Some((giver, giving)) = last_only
            && !kind.works_on_steps()
        {
            return Err(match giving {
                LayerKind::Recurrent(giving) | LayerKind::Bidirectional { layer: giving, .. } => {
                    let (name, units) = (giving.cell.kind().name(), giving.units);
                    NetworkError::NeedsSequence { layer, giver, name, units }
                }
                giving => NetworkError::BehindLast { layer, giver, name: giving.kind().name() },
            });
        }
        if !kind.keeps_sequence() {
            last_only = Some((layer, kind));
        }
        state = state.saturating_add(kind.state());
        if state > MOST_STATE {
            let what = "the number of values in the state up to here";
            return Err(NetworkError::TooLarge { layer, what, size: state, most: MOST_STATE });
        }
        before = Some(spec);
    }
    if before.is_none() { Err(NetworkError::Empty) } else { Ok(()) }
}
