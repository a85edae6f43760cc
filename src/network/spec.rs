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
        }
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

/// What a layer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

impl LayerKind {
    /// Inputs.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        match self {
            LayerKind::Normalize { size } => *size,
            LayerKind::Dense { inputs, .. } => *inputs,
            LayerKind::Recurrent(recurrent) => recurrent.inputs,
        }
    }

    /// Outputs.
    #[must_use]
    pub const fn outputs(&self) -> usize {
        match self {
            LayerKind::Normalize { size } => *size,
            LayerKind::Dense { units, .. } => *units,
            LayerKind::Recurrent(recurrent) => recurrent.units,
        }
    }

    /// How many numbers its weights are.
    #[must_use]
    pub const fn weights(&self) -> usize {
        match self {
            LayerKind::Normalize { size } => 2 * *size,
            LayerKind::Dense { inputs, units, .. } => *units * (*inputs + 1),
            LayerKind::Recurrent(recurrent) => {
                let [recurrent, input, bias] = recurrent.lengths();
                recurrent + input + bias
            }
        }
    }

    /// Numbers in its state.
    #[must_use]
    pub const fn state(&self) -> usize {
        match self {
            LayerKind::Recurrent(Recurrent { cell: Cell::Lstm, units, .. }) => 2 * *units,
            LayerKind::Recurrent(recurrent) => recurrent.units,
            _ => 0,
        }
    }

    /// Whether a sequence stays one.
    #[must_use]
    pub const fn keeps_sequence(&self) -> bool {
        match self {
            LayerKind::Recurrent(recurrent) => recurrent.return_sequences,
            _ => true,
        }
    }

    /// The kind of its record in a model file.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            LayerKind::Normalize { .. } => Kind::Normalize,
            LayerKind::Dense { .. } => Kind::Dense,
            LayerKind::Recurrent(recurrent) => recurrent.cell.kind(),
        }
    }
}

/// A layer of a [`Network`](super::Network).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerSpec {
    /// What it does.
    pub kind: LayerKind,
    /// Whether its input is added to its output ([`Residual`](crate::Residual)).
    pub residual: bool,
}

impl From<LayerKind> for LayerSpec {
    fn from(kind: LayerKind) -> Self {
        LayerSpec { kind, residual: false }
    }
}

/// Checks that layers make a network.
pub(super) fn check(layers: &[LayerSpec]) -> Result<(), NetworkError> {
    let mut before: Option<&LayerSpec> = None;
    let mut last_only: Option<(usize, &Recurrent)> = None;
    for (layer, spec) in (1..).zip(layers) {
        let kind = &spec.kind;
        for (size, what) in [(kind.inputs(), "the number of inputs"), (kind.outputs(), "the number of units")] {
            if size == 0 {
                return Err(NetworkError::ZeroSize { layer, what });
            }
            // Four gates of this many units and inputs stay below 2³⁰ numbers.
            if size > 1 << 14 {
                return Err(NetworkError::TooLarge { layer });
            }
        }
        if let Some(before) = before
            && before.kind.outputs() != kind.inputs()
        {
            return Err(NetworkError::SizeMismatch { layer, inputs: kind.inputs(), outputs: before.kind.outputs() });
        }
        if let LayerKind::Recurrent(recurrent) = kind {
            if let Some((giver, giving)) = last_only {
                let (name, units) = (giving.cell.kind().name(), giving.units);
                return Err(NetworkError::NeedsSequence { layer, giver, name, units });
            }
            if !recurrent.return_sequences {
                last_only = Some((layer, recurrent));
            }
        }
        if spec.residual && (kind.inputs() != kind.outputs() || !kind.keeps_sequence()) {
            return Err(NetworkError::Residual { layer, name: kind.kind().name() });
        }
        before = Some(spec);
    }
    if before.is_none() { Err(NetworkError::Empty) } else { Ok(()) }
}
