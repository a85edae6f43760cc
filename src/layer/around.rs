//! What stands around a layer and changes how it is used.

use super::{Layer, Vector};
use crate::format::{Cursor, Embed, FLAG_ZERO_OUTPUT, Flagged, FormatError, ReadInto, Reader};
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
    type Input = L::Input;
    type Output = L::Output;
    type State = L::State;
    const ZERO_STATE: L::State = L::ZERO_STATE;
    const FLASH_BYTES: usize = L::FLASH_BYTES;
    const STATE_BYTES: usize = L::STATE_BYTES;

    #[inline(always)]
    fn initial_state(&self) -> L::State {
        self.0.initial_state()
    }

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
