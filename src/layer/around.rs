//! What stands around a layer and changes how it is used.

use super::{Layer, SequenceLayer, Vector};
use crate::format::{
    Cursor, Embed, EmbedState, FLAG_BACKWARDS, FLAG_ZERO_OUTPUT, FileState, Flagged, FormatError, Next, ReadInto,
    Reader, StateAt, read_state,
};
use crate::simd::Backend;

/// What a layer in a layer does as if it were alone.
macro_rules! as_inside {
    ($inside:tt) => {
        #[inline(always)]
        fn step_on<B: Backend>(&self, b: B, state: &mut Self::State, x: &Self::Input, y: &mut Self::Output) {
            self.$inside.step_on(b, state, x, y);
        }

        const MASKS: bool = L::MASKS;

        const LOOKS_AHEAD: bool = L::LOOKS_AHEAD;

        #[inline(always)]
        fn run_ahead_on<B: Backend, const T: usize>(
            &self,
            b: B,
            state: &mut Self::State,
            xs: &[[Self::Input; T]],
            ys: &mut [[Self::Output; T]],
        ) {
            self.$inside.run_ahead_on(b, state, xs, ys);
        }

        #[inline(always)]
        fn step_streams_on<B: Backend, const T: usize>(
            &self,
            b: B,
            states: [&mut Self::State; T],
            xs: [&Self::Input; T],
            ys: [&mut Self::Output; T],
        ) {
            self.$inside.step_streams_on(b, states, xs, ys);
        }

        #[inline(always)]
        fn advance_on<B: Backend>(&self, b: B, state: &mut Self::State, x: &Self::Input) {
            self.$inside.advance_on(b, state, x);
        }
    };
}

/// A recurrent layer that gives zeros in a masked step, and not its last output once more (Keras `zero_output_for_mask=True`).
///
/// ```
/// use gatelet::{Chain, Gru, HiddenState, Layer, Masking, ZeroOutput, chain};
/// type Net = chain!(Masking<1>, ZeroOutput<Gru<1, 2>>);
/// let net: Net = Chain(Masking::new(-1.0), ZeroOutput(Gru::EMPTY));
/// let mut state = ((), HiddenState::new([0.5, 1.0]));
/// let mut y = [0.0; 2];
/// net.step(&mut state, &[-1.0], &mut y);
/// assert_eq!((y, state.1.h), ([0.0, 0.0], [0.5, 1.0]));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct ZeroOutput<L>(
    /// The recurrent layer.
    pub L,
);

impl<L: Layer> Layer for ZeroOutput<L> {
    around!(0);

    as_inside!(0);

    #[inline(always)]
    fn step_masked_on<B: Backend>(
        &self,
        b: B,
        masked: bool,
        state: &mut L::State,
        x: &L::Input,
        y: &mut L::Output,
    ) -> bool {
        if masked {
            *y = L::Output::ZERO;
        } else {
            self.0.step_on(b, state, x, y);
        }
        masked
    }
}

impl<C: Cursor, L: Embed<Flagged<C, FLAG_ZERO_OUTPUT, 0>>> Embed<C> for ZeroOutput<L> {
    const VALUE: Self = ZeroOutput(L::VALUE);
    type Rest = L::Rest;
}

impl<L: ReadInto> ReadInto for ZeroOutput<L> {
    const EMPTY: Self = ZeroOutput(L::EMPTY);

    fn check(reader: &mut Reader<'_>) -> Result<(), FormatError> {
        *reader = reader.around(FLAG_ZERO_OUTPUT, 0);
        L::check(reader)
    }

    fn fill(&mut self, reader: &mut Reader<'_>) -> Result<(), FormatError> {
        *reader = reader.around(FLAG_ZERO_OUTPUT, 0);
        self.0.fill(reader)
    }
}

/// A recurrent layer that begins at a sequence's end (Keras `go_backwards=True`). Its outputs are in the order in which it gives
/// them, as Keras's are, and so the output for the whole sequence is that of the first time step.
///
/// ```
/// use gatelet::{Backwards, Linear, SequenceLayer, SimpleRnn};
/// // A running total, from the end.
/// let layer = Backwards(SimpleRnn::<1, 1, Linear>::new(&[[1.0]], &[[1.0]], &[0.0]));
/// let mut ys = [[0.0]; 3];
/// layer.run_sequence::<3>(&mut layer.initial_state(), &[[1.0], [2.0], [4.0]], &mut ys)?;
/// assert_eq!(ys, [[4.0], [6.0], [7.0]]);
/// # Ok::<(), gatelet::SequenceError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Backwards<L>(
    /// The recurrent layer.
    pub L,
);

impl<L: Layer> SequenceLayer for Backwards<L> {
    around!(0);

    /// A mask stays in the order of the inputs: that is what Keras does.
    #[inline(always)]
    fn run_sequence_on<B: Backend, const T: usize>(
        &self,
        b: B,
        state: &mut L::State,
        xs: &[L::Input],
        masked: &mut [bool],
        ys: &mut [L::Output],
    ) {
        for ((x, &mut masked), y) in xs.iter().zip(masked).rev().zip(ys) {
            self.0.step_masked_on(b, masked, state, x, y);
        }
    }

    #[inline(always)]
    fn last_on<B: Backend, const T: usize>(
        &self,
        b: B,
        state: &mut L::State,
        xs: &[L::Input],
        masked: &mut [bool],
        y: &mut L::Output,
    ) {
        for (x, &mut masked) in xs.iter().zip(masked).rev() {
            self.0.step_masked_on(b, masked, state, x, y);
        }
    }
}

impl<C: Cursor, L: Embed<Flagged<C, FLAG_BACKWARDS, 0>>> Embed<C> for Backwards<L> {
    const VALUE: Self = Backwards(L::VALUE);
    type Rest = L::Rest;
}

impl<L: ReadInto> ReadInto for Backwards<L> {
    const EMPTY: Self = Backwards(L::EMPTY);

    fn check(reader: &mut Reader<'_>) -> Result<(), FormatError> {
        *reader = reader.around(FLAG_BACKWARDS, 0);
        L::check(reader)
    }

    fn fill(&mut self, reader: &mut Reader<'_>) -> Result<(), FormatError> {
        *reader = reader.around(FLAG_BACKWARDS, 0);
        self.0.fill(reader)
    }
}

/// A recurrent layer with the state that the model begins with (Keras `initial_state`, ONNX `initial_h`):
/// [`Layer::initial_state`] gives it. A step itself is that of the layer.
///
/// ```
/// use gatelet::{Gru, HiddenState, InitialState, Layer};
/// let layer: InitialState<Gru<1, 2>> = InitialState::new(HiddenState::new([0.5, 1.0]), Gru::EMPTY);
/// let mut y = [0.0; 2];
/// layer.step(&mut layer.initial_state(), &[3.0], &mut y);
/// assert_eq!(y, [0.25, 0.5]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct InitialState<L: SequenceLayer> {
    state: L::State,
    layer: L,
}

impl<L: SequenceLayer> InitialState<L> {
    /// From the state and the layer.
    #[must_use]
    pub const fn new(state: L::State, layer: L) -> Self {
        InitialState { state, layer }
    }
}

impl<L: Layer + SequenceLayer<State = <L as Layer>::State>> Layer for InitialState<L> {
    type Input = <L as Layer>::Input;
    type Output = <L as Layer>::Output;
    type State = <L as Layer>::State;
    const ZERO_STATE: Self::State = <L as Layer>::ZERO_STATE;
    const FLASH_BYTES: usize = <L as Layer>::FLASH_BYTES + <L as Layer>::STATE_BYTES;
    const STATE_BYTES: usize = <L as Layer>::STATE_BYTES;

    #[inline(always)]
    fn initial_state(&self) -> Self::State {
        self.state
    }

    as_inside!(layer);

    #[inline(always)]
    fn step_masked_on<B: Backend>(
        &self,
        b: B,
        masked: bool,
        state: &mut Self::State,
        x: &Self::Input,
        y: &mut Self::Output,
    ) -> bool {
        self.layer.step_masked_on(b, masked, state, x, y)
    }
}

impl<L: SequenceLayer> SequenceLayer for InitialState<L> {
    type Input = L::Input;
    type Output = L::Output;
    type State = L::State;
    const ZERO_STATE: L::State = L::ZERO_STATE;
    const FLASH_BYTES: usize = L::FLASH_BYTES + L::STATE_BYTES;
    const STATE_BYTES: usize = L::STATE_BYTES;
    const STREAMS: bool = L::STREAMS;

    #[inline(always)]
    fn initial_state(&self) -> L::State {
        self.state
    }

    #[inline(always)]
    fn run_sequence_on<B: Backend, const T: usize>(
        &self,
        b: B,
        state: &mut L::State,
        xs: &[L::Input],
        masked: &mut [bool],
        ys: &mut [L::Output],
    ) {
        self.layer.run_sequence_on::<B, T>(b, state, xs, masked, ys);
    }

    #[inline(always)]
    fn last_on<B: Backend, const T: usize>(
        &self,
        b: B,
        state: &mut L::State,
        xs: &[L::Input],
        masked: &mut [bool],
        y: &mut L::Output,
    ) {
        self.layer.last_on::<B, T>(b, state, xs, masked, y);
    }

    #[inline(always)]
    fn sequence_step_on<B: Backend>(
        &self,
        b: B,
        masked: bool,
        state: &mut L::State,
        x: &L::Input,
        y: &mut L::Output,
    ) -> bool {
        self.layer.sequence_step_on(b, masked, state, x, y)
    }
}

impl<C: Cursor, L> Embed<C> for InitialState<L>
where
    L: SequenceLayer + Embed<Next<C>>,
    L::State: EmbedState<StateAt<C, L::State>>,
{
    const VALUE: Self = InitialState { state: <L::State as EmbedState<_>>::VALUE, layer: L::VALUE };
    type Rest = L::Rest;
}

impl<L: SequenceLayer<State: FileState> + ReadInto> ReadInto for InitialState<L> {
    const EMPTY: Self = InitialState { state: L::ZERO_STATE, layer: L::EMPTY };

    fn check(reader: &mut Reader<'_>) -> Result<(), FormatError> {
        read_state::<L::State>(reader)?;
        L::check(reader)
    }

    fn fill(&mut self, reader: &mut Reader<'_>) -> Result<(), FormatError> {
        self.state = read_state(reader)?;
        self.layer.fill(reader)
    }
}
