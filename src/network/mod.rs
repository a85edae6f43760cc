//! Networks with sizes known at run time: what the trainer trains, files hold and the command line tool works on.
//!
//! A [`Network`] is a list of [`LayerSpec`]s and all of its parameters in one vector, unpacked, in the order of the
//! [model file](crate::format). [`Network::inference`] packs them for the same kernels that the types with constant sizes
//! run, with the same bits. A [`Model`] is a network with its class labels and where it comes from.

mod describe;
mod file;
mod inference;
mod initialize;
pub(crate) mod integers;
mod real;
mod spec;
mod summary;

pub use describe::DescriptionError;
pub use file::{Metadata, Model, ModelError, Provenance, Training, write_atomically};
pub use inference::{Inference, State};
pub use real::Real;
pub(crate) use spec::check_integer;
pub use spec::{Cell, Conv1d, LayerKind, LayerSpec, Merge, Recurrent};
pub use summary::{LayerSummary, Summary};

use core::ops::Range;
use nalgebra::DMatrixView;

/// Why layers do not make a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// There is no layer.
    #[error("a network needs at least one layer")]
    Empty,
    /// A size is zero.
    #[error("layer {layer}: {what} is 0; give it at least 1")]
    ZeroSize {
        /// Which layer, from 1.
        layer: usize,
        /// Which size.
        what: &'static str,
    },
    /// A layer's input size is not the output size of the layer before it.
    #[error("layer {layer} takes {inputs} inputs, but layer {} gives {outputs} outputs", layer - 1)]
    SizeMismatch {
        /// Which layer, from 1.
        layer: usize,
        /// What it takes.
        inputs: usize,
        /// What it is given.
        outputs: usize,
    },
    /// A layer that works on a sequence behind a recurrent one that gives only its last output.
    #[error(
        "layer {layer} needs a sequence, but layer {giver} gives only its last output: \
         write `{name}({units}, sequences)` for layer {giver} (Keras: return_sequences=True)"
    )]
    NeedsSequence {
        /// The layer that needs a sequence, from 1.
        layer: usize,
        /// The layer that gives none.
        giver: usize,
        /// The giver's kind.
        name: &'static str,
        /// The giver's units.
        units: usize,
    },
    /// A way around a layer of another output size, around one that gives only its last output, or around one that masks.
    #[error(
        "layer {layer}: residual({name}) needs as many outputs as inputs, the whole sequence of a recurrent layer, and \
         none that masks"
    )]
    Residual {
        /// Which layer, from 1.
        layer: usize,
        /// Its kind.
        name: &'static str,
    },
    /// There are more or fewer parameters than the layer has.
    #[error("layer {layer} has {expected} parameters, not {found}")]
    ParameterCount {
        /// Which layer, from 1.
        layer: usize,
        /// How many were given.
        found: usize,
        /// How many it has.
        expected: usize,
    },
    /// A size that is beyond what a model file can hold.
    #[error("layer {layer}: {what} is {size}, and {most} is the most there can be")]
    TooLarge {
        /// Which layer, from 1.
        layer: usize,
        /// Which size.
        what: &'static str,
        /// The size.
        size: usize,
        /// The most it can be.
        most: usize,
    },
    /// A convolution whose channels cannot be shared out among its groups.
    #[error("layer {layer}: {inputs} inputs and {units} outputs cannot both be shared out among {groups} groups")]
    Groups {
        /// Which layer, from 1.
        layer: usize,
        /// Its inputs.
        inputs: usize,
        /// Its outputs.
        units: usize,
        /// Its groups.
        groups: usize,
    },
    /// A layer that works on a sequence behind one that gives a single output for all of it.
    #[error("layer {layer} needs a sequence, but layer {giver}, {name}, gives one output for the whole of it")]
    BehindLast {
        /// The layer that needs a sequence, from 1.
        layer: usize,
        /// The layer that gives none.
        giver: usize,
        /// Its kind.
        name: &'static str,
    },
    /// A layer behind a bidirectional one whose two outputs are not merged.
    #[error(
        "layer {layer} is behind a bidirectional layer with merge=none, which gives two outputs and can only be the last"
    )]
    TwoOutputs {
        /// The layer behind it, from 1.
        layer: usize,
    },
    /// A bidirectional layer of layers that go backwards.
    #[error("layer {layer}: bidirectional goes both ways; leave go_backwards out")]
    Backwards {
        /// Which layer, from 1.
        layer: usize,
    },
    /// A layer that has no integer form.
    #[error("layer {layer}: there is no integer {name} {problem}")]
    Integer {
        /// Which layer, from 1.
        layer: usize,
        /// Its kind.
        name: &'static str,
        /// What there is not.
        problem: &'static str,
    },
    /// A layer in single precision behind an integer one, or the other way round.
    #[error(
        "layer {layer}, {name}, is given {} numbers: between layers in single precision and integer layers stands a quantize \
         or a dequantize", if *integer { "int16" } else { "f32" }
    )]
    Numbers {
        /// Which layer, from 1.
        layer: usize,
        /// Its kind.
        name: &'static str,
        /// Whether the layer before gives integers.
        integer: bool,
    },
    /// A state to begin with for a layer that is not recurrent.
    #[error("layer {layer}: {name} has no state to begin with; recurrent layers do")]
    InitialState {
        /// Which layer, from 1.
        layer: usize,
        /// Its kind.
        name: &'static str,
    },
}

impl NetworkError {
    /// The layer to look at, from 1.
    #[must_use]
    pub const fn layer(&self) -> Option<usize> {
        match *self {
            NetworkError::Empty => None,
            NetworkError::ZeroSize { layer, .. }
            | NetworkError::SizeMismatch { layer, .. }
            | NetworkError::Residual { layer, .. }
            | NetworkError::ParameterCount { layer, .. }
            | NetworkError::TooLarge { layer, .. }
            | NetworkError::Groups { layer, .. }
            | NetworkError::TwoOutputs { layer }
            | NetworkError::Backwards { layer }
            | NetworkError::Integer { layer, .. }
            | NetworkError::Numbers { layer, .. }
            | NetworkError::InitialState { layer, .. } => Some(layer),
            NetworkError::NeedsSequence { giver, .. } | NetworkError::BehindLast { giver, .. } => Some(giver),
        }
    }
}

/// A network of run-time sizes.
///
/// ```
/// use gatelet::network::Network;
/// let network = Network::<f32>::describe(12, "gru(32), dense(9, softmax)")?.initialized(1);
/// assert_eq!((network.inputs(), network.outputs()), (12, 9));
///
/// let inference = network.inference();
/// let mut state = inference.zero_state();
/// let mut y = [0.0; 9];
/// inference.step(&mut state, &[0.1; 12], &mut y);
/// assert!((y.iter().sum::<f32>() - 1.0).abs() < 1e-6);
/// # Ok::<(), gatelet::network::DescriptionError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Network<T = f32> {
    layers: Vec<LayerSpec>,
    /// Where each layer's parameters begin, and behind the last one's where they end.
    offsets: Vec<usize>,
    parameters: Vec<T>,
    /// Each integer layer's weights, as in a file; of other layers nothing.
    integers: Vec<Vec<u8>>,
}

impl<T: Real> Network<T> {
    /// A network with all parameters zero, but for a [`Normalize`](crate::Normalize)'s scale, which is one.
    ///
    /// # Errors
    /// If the layers do not fit each other.
    pub fn new(layers: Vec<LayerSpec>) -> Result<Self, NetworkError> {
        spec::check(&layers)?;
        let mut offsets = vec![0];
        let mut parameters = Vec::new();
        for layer in &layers {
            parameters.resize(parameters.len() + layer.parameters(), T::zero());
            if let LayerKind::Normalize { size } = layer.kind {
                let scale = parameters.len() - size;
                parameters[scale..].fill(T::one());
            }
            offsets.push(parameters.len());
        }
        let integers = layers.iter().map(|layer| vec![0; layer.integer_bytes()]).collect();
        Ok(Network { layers, offsets, parameters, integers })
    }

    /// A network from a description such as `gru(32, sequences), dense(9, softmax)`, all parameters zero.
    ///
    /// Layers are `simple_rnn`, `lstm`, `gru` and `dense`, each with its number of units, and `bidirectional(…)` and
    /// `residual(…)` around them; `embedding(100, 16)`, `masking(-1)`, `conv1d(16, 3, dilation=2)`, `average_pooling(3)`,
    /// `flatten(5)`, `last`, `unit_normalization`, `activation(relu)`. Options bear Keras's names: `sequences` (or
    /// `return_sequences=true`), `reset_after=false`, `go_backwards`, `zero_output_for_mask`, `mask_zero`, `merge=sum`,
    /// `activation=relu` (or `relu` alone), `recurrent_activation=hard_sigmoid`.
    ///
    /// # Errors
    /// At the place that is not understood, with what would be.
    pub fn describe(inputs: usize, description: &str) -> Result<Self, DescriptionError> {
        describe::parse(inputs, description)
    }

    /// The layers of a description whose inputs are not known yet; what depends on them is meaningless.
    #[cfg(feature = "import")]
    pub(crate) fn described_layers(description: &str) -> Result<Vec<LayerSpec>, DescriptionError> {
        Ok(describe::parse_layers(1, description)?.0)
    }

    /// The layers.
    #[must_use]
    pub fn layers(&self) -> &[LayerSpec] {
        &self.layers
    }

    /// Numbers in one time step's input.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.kind.inputs())
    }

    /// Numbers in one output.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.kind.outputs())
    }

    /// Whether there is an output for each time step; otherwise there is one for the sequence (Keras `return_sequences` of
    /// the last recurrent layer).
    #[must_use]
    pub fn gives_sequence(&self) -> bool {
        self.layers.iter().all(|layer| layer.kind.keeps_sequence())
    }

    /// Whether it can go through a sequence step by step: no layer has to see the end of it first.
    #[must_use]
    pub fn is_causal(&self) -> bool {
        !self.layers.iter().any(|layer| layer.kind.needs_whole_sequence())
    }

    /// All parameters, layer by layer, in the order of the model file.
    #[must_use]
    pub fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// All parameters, to write to.
    pub fn parameters_mut(&mut self) -> &mut [T] {
        &mut self.parameters
    }

    /// An integer layer's weights, as its record in a [model file](crate::format) has them; layers are counted from 0. Empty for
    /// other layers.
    #[must_use]
    pub fn integers(&self, layer: usize) -> &[u8] {
        self.integers.get(layer).map_or(&[], Vec::as_slice)
    }

    /// An integer layer's weights, to write to.
    pub fn integers_mut(&mut self, layer: usize) -> &mut [u8] {
        self.integers.get_mut(layer).map_or(&mut [], Vec::as_mut_slice)
    }

    /// Whether there is an integer layer.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.layers.iter().any(|layer| layer.integer)
    }

    /// Where a layer's parameters stand; layers are counted from 0. Empty if there is no such layer.
    #[must_use]
    pub fn range(&self, layer: usize) -> Range<usize> {
        match self.offsets.get(layer..layer + 2) {
            Some(&[start, end]) => start..end,
            _ => 0..0,
        }
    }

    /// A recurrent layer's or dense layer's kernel W, as a matrix with a row per gate and unit and a column per input.
    /// Nothing is copied.
    #[must_use]
    pub fn kernel(&self, layer: usize) -> Option<DMatrixView<'_, T>> {
        let parameters = &self.parameters[self.range(layer)];
        match self.layers.get(layer)?.kind {
            LayerKind::Dense { inputs, units, .. } => {
                Some(DMatrixView::from_slice(&parameters[..inputs * units], units, inputs))
            }
            LayerKind::Recurrent(recurrent) => Some(recurrent.split(parameters).1),
            _ => None,
        }
    }

    /// A recurrent layer's recurrent kernel U, as a matrix with a row per gate and unit and a column per unit.
    /// Nothing is copied.
    #[must_use]
    pub fn recurrent_kernel(&self, layer: usize) -> Option<DMatrixView<'_, T>> {
        match self.layers.get(layer)?.kind {
            LayerKind::Recurrent(recurrent) => Some(recurrent.split(&self.parameters[self.range(layer)]).0),
            _ => None,
        }
    }

    /// The same network in another precision.
    #[must_use]
    pub fn cast<U: Real>(&self) -> Network<U> {
        Network {
            layers: self.layers.clone(),
            offsets: self.offsets.clone(),
            parameters: self.parameters.iter().map(|&p| U::rounded(p.widened())).collect(),
            integers: self.integers.clone(),
        }
    }

    /// Puts a layer in front or at the end, with its parameters.
    ///
    /// # Errors
    /// If it does not fit, or has another number of parameters.
    pub fn with_layer(self, position: usize, layer: LayerSpec, parameters: &[T]) -> Result<Self, NetworkError> {
        let mut layers = self.layers;
        let position = position.min(layers.len());
        layers.insert(position, layer);
        let mut network = Network::new(layers)?;
        let inserted = network.range(position);
        if parameters.len() != inserted.len() {
            let (layer, found, expected) = (position + 1, parameters.len(), inserted.len());
            return Err(NetworkError::ParameterCount { layer, found, expected });
        }
        let (before, after) = self.parameters.split_at(inserted.start);
        let all = before.iter().chain(parameters).chain(after);
        for (to, from) in network.parameters.iter_mut().zip(all) {
            *to = *from;
        }
        let mut integers = self.integers;
        integers.insert(position, network.integers.swap_remove(position));
        network.integers = integers;
        Ok(network)
    }
}

impl Network<f32> {
    /// Packs the parameters for the kernels.
    #[must_use]
    pub fn inference(&self) -> Inference {
        Inference::new(self)
    }

    /// The table that Keras prints, with bytes of flash and state.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary::new(self)
    }
}
