//! One layer after another.

use super::sequence::{self, last_by_steps, sequence_by_steps};
use super::{Aligned, Layer, Run, SequenceLayer, Vector, one_by_one, step_by_step};
use crate::format::{Cursor, Embed, FormatError, ReadInto, Reader};
use crate::kernel::is_large;
use crate::simd::{Backend, Visitor};

/// Two layers in series; [`chain!`](crate::chain) nests them.
///
/// The second one's input type is the first one's output type: a network whose sizes do not fit is not a type.
///
/// ```compile_fail
/// use gatelet::{Dense, Gru, Layer, chain};
/// type Net = chain!(Gru<2, 4>, Dense<5, 1>);
/// let _ = Net::ZERO_STATE;
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Chain<A, B>(
    /// The layer that sees the input.
    pub A,
    /// The layer that gives the output.
    pub B,
);

/// Names the type of layers in series: `chain!(A, B, C)` is `Chain<A, Chain<B, C>>`.
///
/// ```
/// use gatelet::{Dense, Gru, Layer, Normalize, Softmax, chain};
/// type Net = chain!(Normalize<6>, Gru<6, 16>, Dense<16, 4, Softmax>);
/// assert_eq!(Net::STATE_BYTES, 64);
/// ```
#[macro_export]
macro_rules! chain {
    ($layer:ty $(,)?) => { $layer };
    ($first:ty, $($rest:ty),+ $(,)?) => { $crate::Chain<$first, $crate::chain!($($rest),+)> };
}

/// Steps that a layer takes before the next one's turn.
const AHEAD: usize = 8;

impl<A: Layer, B: Layer> Chain<A, B> {
    /// Whether each part is compiled in a function of its own: see [`Backend::apart`].
    const APART: bool = is_large(A::FLASH_BYTES) && is_large(B::FLASH_BYTES);

    #[inline(always)]
    fn part<K: Backend>(b: K, work: impl Visitor<Out = ()>) {
        if const { Self::APART } {
            b.apart(work);
        } else {
            work.visit(b);
        }
    }
}

impl<A: Layer, B: Layer<Input = A::Output>> Layer for Chain<A, B> {
    type Input = A::Input;
    type Output = B::Output;
    type State = (A::State, B::State);
    const ZERO_STATE: Self::State = (A::ZERO_STATE, B::ZERO_STATE);
    const FLASH_BYTES: usize = A::FLASH_BYTES + B::FLASH_BYTES;
    const STATE_BYTES: usize = A::STATE_BYTES + B::STATE_BYTES;

    #[inline(always)]
    fn initial_state(&self) -> Self::State {
        (self.0.initial_state(), self.1.initial_state())
    }

    #[inline(always)]
    fn step_on<K: Backend>(&self, b: K, state: &mut Self::State, x: &Self::Input, y: &mut Self::Output) {
        if const { A::MASKS } {
            self.step_masked_on(b, false, state, x, y);
            return;
        }
        let mut between = Aligned(A::Output::ZERO);
        Self::part(b, Step(&self.0, &mut state.0, x, &mut between.0));
        Self::part(b, Step(&self.1, &mut state.1, &between.0, y));
    }

    const MASKS: bool = A::MASKS || B::MASKS;

    #[inline(always)]
    fn step_masked_on<K: Backend>(
        &self,
        b: K,
        mut masked: bool,
        state: &mut Self::State,
        x: &Self::Input,
        y: &mut Self::Output,
    ) -> bool {
        let mut between = Aligned(A::Output::ZERO);
        Self::part(b, StepMasked(&self.0, &mut masked, &mut state.0, x, &mut between.0));
        Self::part(b, StepMasked(&self.1, &mut masked, &mut state.1, &between.0, y));
        masked
    }

    const LOOKS_AHEAD: bool = !A::MASKS && (A::LOOKS_AHEAD || B::LOOKS_AHEAD);

    /// Some steps of one layer, then of the other, where one of them gains by it.
    #[inline(always)]
    fn run_on<K: Backend>(&self, b: K, state: &mut Self::State, xs: &[Self::Input], ys: &mut [Self::Output]) {
        if const { !Self::LOOKS_AHEAD } || xs.len() == 1 {
            step_by_step(self, b, state, xs, ys);
            return;
        }
        let mut between = [A::Output::ZERO; AHEAD];
        for (xs, ys) in xs.chunks(AHEAD).zip(ys.chunks_mut(AHEAD)) {
            let between = &mut between[..xs.len()];
            b.apart(Run(&self.0, &mut state.0, xs, between));
            b.apart(Run(&self.1, &mut state.1, between, ys));
        }
    }

    #[inline(always)]
    fn step_streams_on<K: Backend, const T: usize>(
        &self,
        b: K,
        mut states: [&mut Self::State; T],
        xs: [&Self::Input; T],
        ys: [&mut Self::Output; T],
    ) {
        if const { A::MASKS } {
            one_by_one(self, b, states, xs, ys);
            return;
        }
        let mut between = [Aligned(A::Output::ZERO); T];
        let firsts = states.each_mut().map(|state| &mut state.0);
        Self::part(b, StepTogether(&self.0, firsts, xs, between.each_mut().map(|y| &mut y.0)));
        let seconds = states.map(|state| &mut state.1);
        Self::part(b, StepTogether(&self.1, seconds, between.each_ref().map(|x| &x.0), ys));
    }

    #[inline(always)]
    fn advance_on<K: Backend>(&self, b: K, state: &mut Self::State, x: &Self::Input) {
        if size_of::<B::State>() == 0 {
            self.0.advance_on(b, &mut state.0, x);
        } else if const { A::MASKS } {
            self.step_masked_on(b, false, state, x, &mut { B::Output::ZERO });
        } else {
            let mut between = Aligned(A::Output::ZERO);
            Self::part(b, Step(&self.0, &mut state.0, x, &mut between.0));
            self.1.advance_on(b, &mut state.1, &between.0);
        }
    }
}

impl<A: SequenceLayer, B: SequenceLayer<Input = A::Output>> SequenceLayer for Chain<A, B> {
    type Input = A::Input;
    type Output = B::Output;
    type State = (A::State, B::State);
    const ZERO_STATE: Self::State = (A::ZERO_STATE, B::ZERO_STATE);
    const FLASH_BYTES: usize = A::FLASH_BYTES + B::FLASH_BYTES;
    const STATE_BYTES: usize = A::STATE_BYTES + B::STATE_BYTES;
    const STREAMS: bool = A::STREAMS && B::STREAMS;
    const WORKS_ON_STEPS: bool = A::WORKS_ON_STEPS && B::WORKS_ON_STEPS;

    #[inline(always)]
    fn initial_state(&self) -> Self::State {
        (self.0.initial_state(), self.1.initial_state())
    }

    #[inline(always)]
    fn run_sequence_on<K: Backend, const T: usize>(
        &self,
        b: K,
        state: &mut Self::State,
        xs: &[Self::Input],
        masked: &mut [bool],
        ys: &mut [Self::Output],
    ) {
        if const { Self::STREAMS } {
            sequence_by_steps(self, b, state, xs, masked, ys);
            return;
        }
        let mut between = [A::Output::ZERO; T];
        let Some(between) = between.get_mut(..xs.len()) else { return };
        b.apart(sequence::Run::<_, T>(&self.0, &mut state.0, xs, masked, between));
        b.apart(sequence::Run::<_, T>(&self.1, &mut state.1, between, masked, ys));
    }

    /// One layer gives the output for the whole; those behind it work on that alone.
    #[inline(always)]
    fn last_on<K: Backend, const T: usize>(
        &self,
        b: K,
        state: &mut Self::State,
        xs: &[Self::Input],
        masked: &mut [bool],
        y: &mut Self::Output,
    ) {
        if const { B::WORKS_ON_STEPS } {
            let mut between = A::Output::ZERO;
            self.0.last_on::<K, T>(b, &mut state.0, xs, masked, &mut between);
            self.1.sequence_step_on(b, false, &mut state.1, &between, y);
        } else if const { Self::STREAMS } {
            last_by_steps(self, b, state, xs, masked, y);
        } else {
            let mut between = [A::Output::ZERO; T];
            let Some(between) = between.get_mut(..xs.len()) else { return };
            b.apart(sequence::Run::<_, T>(&self.0, &mut state.0, xs, masked, between));
            b.apart(sequence::RunLast::<_, T>(&self.1, &mut state.1, between, masked, y));
        }
    }

    #[inline(always)]
    fn sequence_step_on<K: Backend>(
        &self,
        b: K,
        masked: bool,
        state: &mut Self::State,
        x: &Self::Input,
        y: &mut Self::Output,
    ) -> bool {
        let mut between = Aligned(A::Output::ZERO);
        let masked = self.0.sequence_step_on(b, masked, &mut state.0, x, &mut between.0);
        self.1.sequence_step_on(b, masked, &mut state.1, &between.0, y)
    }
}

struct Step<'a, L: Layer>(&'a L, &'a mut L::State, &'a L::Input, &'a mut L::Output);

impl<L: Layer> Visitor for Step<'_, L> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        self.0.step_on(b, self.1, self.2, self.3);
    }
}

/// A step that may be masked.
struct StepMasked<'a, L: Layer>(&'a L, &'a mut bool, &'a mut L::State, &'a L::Input, &'a mut L::Output);

impl<L: Layer> Visitor for StepMasked<'_, L> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        *self.1 = self.0.step_masked_on(b, *self.1, self.2, self.3, self.4);
    }
}

/// A step of `T` streams.
struct StepTogether<'a, L: Layer, const T: usize>(
    &'a L,
    [&'a mut L::State; T],
    [&'a L::Input; T],
    [&'a mut L::Output; T],
);

impl<L: Layer, const T: usize> Visitor for StepTogether<'_, L, T> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        self.0.step_streams_on(b, self.1, self.2, self.3);
    }
}

impl<C: Cursor, A: Embed<C>, B: Embed<A::Rest>> Embed<C> for Chain<A, B> {
    const VALUE: Self = Chain(A::VALUE, B::VALUE);
    type Rest = B::Rest;
}

impl<A: ReadInto, B: ReadInto> ReadInto for Chain<A, B> {
    const EMPTY: Self = Chain(A::EMPTY, B::EMPTY);

    fn check(reader: &mut Reader<'_>) -> Result<(), FormatError> {
        A::check(reader)?;
        B::check(reader)
    }

    fn fill(&mut self, reader: &mut Reader<'_>) -> Result<(), FormatError> {
        self.0.fill(reader)?;
        self.1.fill(reader)
    }
}
