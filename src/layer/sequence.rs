//! Layers that work on whole sequences.

use super::{
    Activate, AveragePooling, Conv1d, Dense, Embedding, Flatten, Last, Layer, LengthMismatch, Masking, Normalize,
    Number, Prelu, UnitNormalization, Vector, ZeroOutput,
};
use crate::cell::{Gru, Lstm, SimpleRnn};
use crate::math::{Activation, Named, OutputActivation};
use crate::quant::{self, IntegerActivation, IntegerOutput};
use crate::simd::{Backend, Visitor, dispatch};

/// Why a sequence was not run; nothing has been done then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SequenceError {
    /// There is not one output for each input.
    Lengths(LengthMismatch),
    /// The sequence is longer than the room between layers.
    TooLong {
        /// Time steps of the input.
        steps: usize,
        /// Time steps that there is room for.
        most: usize,
    },
    /// There is no last output of no time steps.
    Empty,
}

impl core::fmt::Display for SequenceError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            SequenceError::Lengths(error) => error.fmt(f),
            SequenceError::TooLong { steps, most } => {
                write!(f, "a sequence of {steps} steps, and room between the layers for {most}")
            }
            SequenceError::Empty => f.write_str("a sequence of no steps has no last output"),
        }
    }
}

impl core::error::Error for SequenceError {}

/// A network, or a part of one, that may have to see the whole of a sequence: [`Bidirectional`](crate::Bidirectional) and
/// [`Backwards`](crate::Backwards) layers, every layer of this crate that goes step by step, and chains of both. What goes
/// step by step alone is better off with the methods of [`Layer`]; bring one of the two traits into scope.
///
/// There is no allocator: what flows between two layers lies on the stack, with room for `T` time steps. Layers that go step by
/// step need no such room between them: a chain of their own, within the chain, makes the most of it.
///
/// ```
/// use gatelet::{Bidirectional, Dense, Gru, SequenceLayer, chain};
/// type Net = chain!(Bidirectional<Gru<2, 3>, 6>, Dense<6, 1>);
/// let net: Net = gatelet::Chain(Bidirectional::new(Gru::EMPTY, Gru::EMPTY), Dense::new(&[[1.0]; 6], &[0.5]));
///
/// // An output for each of at most ten steps …
/// let mut ys = [[0.0]; 3];
/// net.run_sequence::<10>(&mut net.initial_state(), &[[1.0, 2.0]; 3], &mut ys)?;
/// assert_eq!(ys, [[0.5]; 3]);
///
/// // … or one for the whole sequence.
/// let y = net.last::<10>(&mut net.initial_state(), &[[1.0, 2.0]; 3])?;
/// assert_eq!(y, [0.5]);
/// # Ok::<(), gatelet::SequenceError>(())
/// ```
pub trait SequenceLayer {
    /// One time step's input.
    type Input: Vector;
    /// One time step's output.
    type Output: Vector;
    /// What is carried from sequence to sequence; of a bidirectional layer the forward and the backward layer's state.
    type State: Copy;
    /// The state at the beginning, where the model brings no other.
    const ZERO_STATE: Self::State;
    /// Bytes of constants in a microcontroller's flash.
    const FLASH_BYTES: usize;
    /// Bytes of one stream's state.
    const STATE_BYTES: usize;

    /// Whether it goes step by step.
    #[doc(hidden)]
    const STREAMS: bool = false;

    /// Whether it does the same to every time step, whatever comes before or behind it.
    #[doc(hidden)]
    const WORKS_ON_STEPS: bool = false;

    /// The state that the model begins with: zeros, but where it has brought another one.
    fn initial_state(&self) -> Self::State;

    /// Every output of a sequence, on a given backend. `masked` says which steps are, and afterwards which are for the layers
    /// behind. All slices have the same length, `T` at most.
    fn run_sequence_on<B: Backend, const T: usize>(
        &self,
        b: B,
        state: &mut Self::State,
        xs: &[Self::Input],
        masked: &mut [bool],
        ys: &mut [Self::Output],
    );

    /// The output for the whole of a sequence, on a given backend.
    fn last_on<B: Backend, const T: usize>(
        &self,
        b: B,
        state: &mut Self::State,
        xs: &[Self::Input],
        masked: &mut [bool],
        y: &mut Self::Output,
    );

    /// A sequence of one step, on a given backend; gives whether it is masked for the layers behind.
    #[doc(hidden)]
    #[inline(always)]
    fn sequence_step_on<B: Backend>(
        &self,
        b: B,
        mut masked: bool,
        state: &mut Self::State,
        x: &Self::Input,
        y: &mut Self::Output,
    ) -> bool {
        let (xs, ys) = (core::slice::from_ref(x), core::slice::from_mut(y));
        self.run_sequence_on::<B, 1>(b, state, xs, core::slice::from_mut(&mut masked), ys);
        masked
    }

    /// Runs a sequence of at most `T` time steps from `state` on and gives the output of every step (Keras
    /// `return_sequences=True`); `state` is the final state afterwards.
    ///
    /// # Errors
    /// If there is not one output for each input, or the sequence is longer than `T`; nothing has been done then.
    #[inline]
    fn run_sequence<const T: usize>(
        &self,
        state: &mut Self::State,
        xs: &[Self::Input],
        ys: &mut [Self::Output],
    ) -> Result<(), SequenceError> {
        if xs.len() != ys.len() {
            return Err(SequenceError::Lengths(LengthMismatch { inputs: xs.len(), outputs: ys.len() }));
        }
        let mut masked = [false; T];
        let Some(masked) = masked.get_mut(..xs.len()) else {
            return Err(SequenceError::TooLong { steps: xs.len(), most: T });
        };
        dispatch(Run::<_, T>(self, state, xs, masked, ys));
        Ok(())
    }

    /// Runs a sequence of at most `T` time steps from `state` on and gives one output for the whole of it: that of the last
    /// recurrent layer's last step (Keras `return_sequences=False`; of a bidirectional layer the last step of each direction),
    /// through the layers behind it. The last of all outputs instead (`y[:, -1]`) is what a [`Last`] behind that layer gives.
    ///
    /// # Errors
    /// If the sequence is empty, or longer than `T`; nothing has been done then.
    #[inline]
    fn last<const T: usize>(&self, state: &mut Self::State, xs: &[Self::Input]) -> Result<Self::Output, SequenceError> {
        let mut masked = [false; T];
        let Some(masked) = masked.get_mut(..xs.len()) else {
            return Err(SequenceError::TooLong { steps: xs.len(), most: T });
        };
        if xs.is_empty() {
            return Err(SequenceError::Empty);
        }
        let mut y = Self::Output::ZERO;
        dispatch(RunLast::<_, T>(self, state, xs, masked, &mut y));
        Ok(y)
    }
}

/// [`SequenceLayer::run_sequence_on`] step by step.
#[inline(always)]
pub(crate) fn sequence_by_steps<L: SequenceLayer + ?Sized, B: Backend>(
    layer: &L,
    b: B,
    state: &mut L::State,
    xs: &[L::Input],
    masked: &mut [bool],
    ys: &mut [L::Output],
) {
    for ((x, masked), y) in xs.iter().zip(masked).zip(ys) {
        *masked = layer.sequence_step_on(b, *masked, state, x, y);
    }
}

/// [`SequenceLayer::last_on`] step by step.
#[inline(always)]
pub(crate) fn last_by_steps<L: SequenceLayer + ?Sized, B: Backend>(
    layer: &L,
    b: B,
    state: &mut L::State,
    xs: &[L::Input],
    masked: &mut [bool],
    y: &mut L::Output,
) {
    for (x, masked) in xs.iter().zip(masked) {
        layer.sequence_step_on(b, *masked, state, x, y);
    }
}

pub(crate) struct Run<'a, L: SequenceLayer + ?Sized, const T: usize>(
    pub(crate) &'a L,
    pub(crate) &'a mut L::State,
    pub(crate) &'a [L::Input],
    pub(crate) &'a mut [bool],
    pub(crate) &'a mut [L::Output],
);

impl<L: SequenceLayer + ?Sized, const T: usize> Visitor for Run<'_, L, T> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        self.0.run_sequence_on::<B, T>(b, self.1, self.2, self.3, self.4);
    }
}

pub(crate) struct RunLast<'a, L: SequenceLayer + ?Sized, const T: usize>(
    pub(crate) &'a L,
    pub(crate) &'a mut L::State,
    pub(crate) &'a [L::Input],
    pub(crate) &'a mut [bool],
    pub(crate) &'a mut L::Output,
);

impl<L: SequenceLayer + ?Sized, const T: usize> Visitor for RunLast<'_, L, T> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        self.0.last_on::<B, T>(b, self.1, self.2, self.3, self.4);
    }
}

/// [`SequenceLayer`] for layers that go step by step and are no composition. Not for every [`Layer`]: that would also be said of
/// chains, whose parts need not be.
macro_rules! sequence_layers {
    ($works_on_steps:literal: $([$($parameters:tt)*] $layer:ty;)*) => {
        $(
            impl<$($parameters)*> SequenceLayer for $layer {
                type Input = <Self as Layer>::Input;
                type Output = <Self as Layer>::Output;
                type State = <Self as Layer>::State;
                const ZERO_STATE: <Self as Layer>::State = <Self as Layer>::ZERO_STATE;
                const FLASH_BYTES: usize = <Self as Layer>::FLASH_BYTES;
                const STATE_BYTES: usize = <Self as Layer>::STATE_BYTES;
                const STREAMS: bool = true;
                const WORKS_ON_STEPS: bool = $works_on_steps;

                #[inline(always)]
                fn initial_state(&self) -> <Self as Layer>::State {
                    Layer::initial_state(self)
                }

                #[inline(always)]
                fn run_sequence_on<B: Backend, const T: usize>(
                    &self,
                    b: B,
                    state: &mut <Self as Layer>::State,
                    xs: &[<Self as Layer>::Input],
                    masked: &mut [bool],
                    ys: &mut [<Self as Layer>::Output],
                ) {
                    sequence_by_steps(self, b, state, xs, masked, ys);
                }

                #[inline(always)]
                fn last_on<B: Backend, const T: usize>(
                    &self,
                    b: B,
                    state: &mut <Self as Layer>::State,
                    xs: &[<Self as Layer>::Input],
                    masked: &mut [bool],
                    y: &mut <Self as Layer>::Output,
                ) {
                    last_by_steps(self, b, state, xs, masked, y);
                }

                #[inline(always)]
                fn sequence_step_on<B: Backend>(
                    &self,
                    b: B,
                    masked: bool,
                    state: &mut <Self as Layer>::State,
                    x: &<Self as Layer>::Input,
                    y: &mut <Self as Layer>::Output,
                ) -> bool {
                    self.step_masked_on(b, masked, state, x, y)
                }
            }
        )*
    };
}

sequence_layers! { true:
    [const N: usize] Normalize<N>;
    [const N: usize] Masking<N>;
    [const N: usize] UnitNormalization<N>;
    [const N: usize] Prelu<N>;
    [const N: usize, A: OutputActivation + Named] Activate<N, A>;
    [const I: usize, const O: usize, A: OutputActivation + Named] Dense<I, O, A>;
    [const TOKENS: usize, const O: usize, const MASK_ZERO: bool] Embedding<TOKENS, O, MASK_ZERO>;
    [const N: usize] quant::Quantize<N>;
    [const N: usize] quant::Dequantize<N>;
    [const N: usize] quant::Fixed<N>;
    [const N: usize] quant::Masking<N>;
    [const N: usize] quant::Prelu<N>;
    [const N: usize, A: Named] quant::Activate<N, A>;
    [const I: usize, const O: usize, A: IntegerOutput + Named] quant::Dense<I, O, A>;
    [const TOKENS: usize, const O: usize, const MASK_ZERO: bool] quant::Embedding<TOKENS, O, MASK_ZERO>;
}

sequence_layers! { false:
    [const N: usize, E: Number] Last<N, E>;
    [const N: usize, const STEPS: usize, E: Number] AveragePooling<N, STEPS, E>;
    [const N: usize, const STEPS: usize, const O: usize, E: Number] Flatten<N, STEPS, O, E>;
    [const I: usize, const O: usize, const K: usize, A: Activation + Named, const D: usize, const GROUP: usize]
        Conv1d<I, O, K, A, D, GROUP>;
    [const I: usize, const H: usize, A: Activation + Named] SimpleRnn<I, H, A>;
    [const I: usize, const H: usize, A: Activation + Named, R: Activation + Named] Lstm<I, H, A, R>;
    [const I: usize, const H: usize, const RESET_AFTER: bool, A: Activation + Named, R: Activation + Named]
        Gru<I, H, RESET_AFTER, A, R>;
    [L: Layer] ZeroOutput<L>;
    [const I: usize, const O: usize, const K: usize, A: IntegerActivation + Named, const D: usize]
        quant::Conv1d<I, O, K, A, D>;
    [const I: usize, const H: usize, A: IntegerActivation + Named] quant::SimpleRnn<I, H, A>;
    [const I: usize, const H: usize, A: IntegerActivation + Named, R: IntegerActivation + Named]
        quant::Lstm<I, H, A, R>;
    [const I: usize, const H: usize, const RESET_AFTER: bool, A: IntegerActivation + Named, R: IntegerActivation + Named]
        quant::Gru<I, H, RESET_AFTER, A, R>;
}
