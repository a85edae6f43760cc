//! The [`Layer`] trait, and the layers that are not recurrent.

/// Types, sizes and the state at the beginning of a layer around another one, `L`: as if that were alone.
macro_rules! around {
    ($inside:tt) => {
        type Input = L::Input;
        type Output = L::Output;
        type State = L::State;
        const ZERO_STATE: L::State = L::ZERO_STATE;
        const FLASH_BYTES: usize = L::FLASH_BYTES;
        const STATE_BYTES: usize = L::STATE_BYTES;

        #[inline(always)]
        fn initial_state(&self) -> L::State {
            self.$inside.initial_state()
        }
    };
}

mod around;
mod bidirectional;
mod chain;
mod conv1d;
mod dense;
mod elementwise;
mod embedding;
mod history;
mod masking;
#[cfg(feature = "nalgebra")]
mod matrix;
mod normalize;
mod residual;
mod sequence;

pub use around::{Backwards, InitialState, ZeroOutput};
pub use bidirectional::{Ave, Bidirectional, Concat, MergeMode, Mul, Sum, Unmerged};
pub use chain::Chain;
pub use conv1d::Conv1d;
pub use dense::Dense;
pub use elementwise::{Activate, Prelu, UnitNormalization};
pub use embedding::Embedding;
pub use history::{AveragePooling, Flatten, Last};
pub use masking::Masking;
#[cfg(feature = "nalgebra")]
pub use matrix::MatrixLayer;
pub use normalize::Normalize;
pub use residual::Residual;
pub(crate) use residual::way_around;
pub(crate) use sequence::last_by_steps;
pub use sequence::{SequenceError, SequenceLayer};

use crate::simd::{Backend, Visitor, dispatch};

/// A number that flows between layers: `f32`, or `i16` in integer networks ([`quant`](crate::quant)).
pub trait Number: Copy + PartialEq + sealed::Sealed {
    /// Whether it is one of integer networks.
    const INTEGER: bool;
    /// 0
    const ZERO: Self;

    /// `a + b`; of int16 numbers half of it, so that it needs no more bits.
    #[doc(hidden)]
    fn sum(a: Self, b: Self) -> Self;

    /// `a · b`; of int16 numbers in units of 2⁻¹⁵, as an activation's values are.
    #[doc(hidden)]
    fn product(a: Self, b: Self) -> Self;

    /// `(a + b) / 2`
    #[doc(hidden)]
    fn mean(a: Self, b: Self) -> Self;

    /// The mean of so many vectors.
    #[doc(hidden)]
    fn mean_of<'a>(xs: impl Iterator<Item = &'a [Self]> + Clone, count: usize, y: &mut [Self])
    where
        Self: 'a;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for i16 {}
}

impl Number for f32 {
    const INTEGER: bool = false;
    const ZERO: f32 = 0.0;

    #[inline(always)]
    fn sum(a: f32, b: f32) -> f32 {
        a + b
    }

    #[inline(always)]
    fn product(a: f32, b: f32) -> f32 {
        a * b
    }

    #[inline(always)]
    fn mean(a: f32, b: f32) -> f32 {
        (a + b) / 2.0
    }

    #[inline(always)]
    fn mean_of<'a>(xs: impl Iterator<Item = &'a [f32]> + Clone, count: usize, y: &mut [f32]) {
        crate::kernel::mean(xs, count, y);
    }
}

impl Number for i16 {
    const INTEGER: bool = true;
    const ZERO: i16 = 0;

    #[inline(always)]
    fn sum(a: i16, b: i16) -> i16 {
        Self::mean(a, b)
    }

    #[inline(always)]
    fn product(a: i16, b: i16) -> i16 {
        let product = (i32::from(a) * i32::from(b) + (1 << 14)) >> 15;
        // -1 times -1 is beyond the range.
        product.min(i16::MAX.into()) as i16
    }

    #[inline(always)]
    fn mean(a: i16, b: i16) -> i16 {
        ((i32::from(a) + i32::from(b) + 1) >> 1) as i16
    }

    #[inline(always)]
    fn mean_of<'a>(xs: impl Iterator<Item = &'a [i16]> + Clone, count: usize, y: &mut [i16]) {
        crate::kernel::integer::mean(xs, count, y);
    }
}

/// A fixed-size vector of numbers: what flows between layers.
pub trait Vector: Copy {
    /// What it consists of.
    type Number: Number;
    /// All zero.
    const ZERO: Self;
    /// How many numbers.
    const LEN: usize;
    /// As a slice.
    fn as_slice(&self) -> &[Self::Number];
    /// As a slice to write to.
    fn as_mut_slice(&mut self) -> &mut [Self::Number];
}

impl<T: Number, const N: usize> Vector for [T; N] {
    type Number = T;
    const ZERO: Self = [T::ZERO; N];
    const LEN: usize = N;

    #[inline(always)]
    fn as_slice(&self) -> &[T] {
        self
    }

    #[inline(always)]
    fn as_mut_slice(&mut self) -> &mut [T] {
        self
    }
}

/// What flows between layers, in a place where a register's worth of it does not cross cache lines.
#[derive(Clone, Copy)]
#[cfg_attr(target_os = "none", repr(align(4)))]
#[cfg_attr(not(target_os = "none"), repr(align(64)))]
pub(crate) struct Aligned<T>(pub(crate) T);

/// The slices given to [`Layer::run`] have different lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthMismatch {
    /// Time steps of the input.
    pub inputs: usize,
    /// Room for outputs.
    pub outputs: usize,
}

impl core::fmt::Display for LengthMismatch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} inputs but room for {} outputs: a run gives one output per step", self.inputs, self.outputs)
    }
}

impl core::error::Error for LengthMismatch {}

/// The slices given to [`Layer::step_streams`] have different lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamMismatch {
    /// Streams.
    pub states: usize,
    /// Their inputs.
    pub inputs: usize,
    /// Room for their outputs.
    pub outputs: usize,
}

impl core::fmt::Display for StreamMismatch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let StreamMismatch { states, inputs, outputs } = self;
        write!(f, "{states} streams, but {inputs} inputs and room for {outputs} outputs: each stream has one of both")
    }
}

impl core::error::Error for StreamMismatch {}

/// A network, or a part of one, that goes through a sequence step by step.
///
/// Weights and state are apart: the layer is shared and constant (a `static` in flash), the state is a plain value, one per
/// stream, that can be copied, saved, compared and put back.
///
/// ```
/// use gatelet::{Dense, Gru, Layer, chain};
/// type Net = chain!(Gru<2, 4>, Dense<4, 1>);
/// let net: Net = gatelet::Chain(Gru::EMPTY, Dense::new(&[[1.0]; 4], &[0.5]));
///
/// // One step at a time …
/// let mut state = Net::ZERO_STATE;
/// let mut y = [0.0];
/// net.step(&mut state, &[1.0, 2.0], &mut y);
///
/// // … or a sequence at once, with the same bits.
/// let mut again = Net::ZERO_STATE;
/// let mut ys = [[0.0]; 1];
/// net.run(&mut again, &[[1.0, 2.0]], &mut ys).unwrap();
/// assert_eq!((ys[0], again), (y, state));
/// ```
pub trait Layer {
    /// One time step's input.
    type Input: Vector;
    /// One time step's output.
    type Output: Vector;
    /// What is carried from step to step; `()` if nothing is.
    type State: Copy;
    /// The state at the beginning of a sequence, where the model brings no other ([`initial_state`](Layer::initial_state)).
    const ZERO_STATE: Self::State;
    /// Bytes of constants in a microcontroller's flash.
    const FLASH_BYTES: usize;
    /// Bytes of one stream's state.
    const STATE_BYTES: usize;

    /// The state that the model begins a sequence with: zeros, but where it has brought another one.
    #[inline(always)]
    fn initial_state(&self) -> Self::State {
        Self::ZERO_STATE
    }

    /// One time step on a given backend: reads `x`, updates `state`, writes `y`. Never panics, never allocates.
    fn step_on<B: Backend>(&self, b: B, state: &mut Self::State, x: &Self::Input, y: &mut Self::Output);

    /// Whether it masks time steps for the layers behind it. A layer around another one passes this on, and the next two.
    const MASKS: bool = false;

    /// Whether a mask ends in it, as it looks at several time steps.
    const ENDS_MASK: bool = false;

    /// What it gives once more in a masked step: the last output, of a recurrent layer.
    #[inline(always)]
    fn last_output(_: &Self::State) -> Option<&Self::Output> {
        None
    }

    /// One time step that may be masked, on a given backend; gives whether it is masked for the layers behind. In a masked step a
    /// recurrent layer leaves its state as it is and gives its last output once more; other layers do what they always do. What
    /// looks at several time steps ends a mask, as it does in Keras.
    #[inline(always)]
    fn step_masked_on<B: Backend>(
        &self,
        b: B,
        masked: bool,
        state: &mut Self::State,
        x: &Self::Input,
        y: &mut Self::Output,
    ) -> bool {
        match Self::last_output(state) {
            Some(last) if masked => *y = *last,
            _ => self.step_on(b, state, x, y),
        }
        masked && !Self::ENDS_MASK
    }

    /// Whether a run is worth more than its steps on a host: input weights are read once for several of them.
    #[doc(hidden)]
    const LOOKS_AHEAD: bool = false;

    /// [`run_on`](Layer::run_on), `T` steps at a time, of a layer that looks ahead.
    #[doc(hidden)]
    #[inline(always)]
    fn run_ahead_on<B: Backend, const T: usize>(
        &self,
        b: B,
        state: &mut Self::State,
        xs: &[[Self::Input; T]],
        ys: &mut [[Self::Output; T]],
    ) {
        step_by_step(self, b, state, xs.as_flattened(), ys.as_flattened_mut());
    }

    /// Time steps in order on a given backend, as [`step_on`](Layer::step_on) does it for each of them. There are as many
    /// outputs as inputs.
    #[inline(always)]
    fn run_on<B: Backend>(&self, b: B, state: &mut Self::State, xs: &[Self::Input], ys: &mut [Self::Output]) {
        // Constants, so that even without optimisation there is only the code that runs.
        if const { Self::LOOKS_AHEAD && B::STREAMS == 4 } {
            run_ahead::<_, _, 4>(self, b, state, xs, ys);
        } else if const { Self::LOOKS_AHEAD && B::STREAMS == 2 } {
            run_ahead::<_, _, 2>(self, b, state, xs, ys);
        } else {
            step_by_step(self, b, state, xs, ys);
        }
    }

    /// One time step on a given backend where only the state matters: the same state as after
    /// [`step_on`](Layer::step_on), without the work that only the output needs.
    #[inline(always)]
    fn advance_on<B: Backend>(&self, b: B, state: &mut Self::State, x: &Self::Input) {
        let mut unused = Self::Output::ZERO;
        self.step_on(b, state, x, &mut unused);
    }

    /// One time step of `T` streams on a given backend, as [`step_on`](Layer::step_on) does it for each of them.
    #[inline(always)]
    fn step_streams_on<B: Backend, const T: usize>(
        &self,
        b: B,
        states: [&mut Self::State; T],
        xs: [&Self::Input; T],
        ys: [&mut Self::Output; T],
    ) {
        one_by_one(self, b, states, xs, ys);
    }

    /// One time step of many streams that share this model, with the bits that [`step`](Layer::step) gives each of them. Weights are
    /// read once for several streams, which takes less time than one after another.
    ///
    /// ```
    /// use gatelet::{Gru, Layer};
    /// let layer: Gru<2, 4> = Gru::EMPTY;
    /// let mut states = [Gru::<2, 4>::ZERO_STATE; 3];
    /// let mut ys = [[0.0; 4]; 3];
    /// layer.step_streams(&mut states, &[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], &mut ys).unwrap();
    /// ```
    ///
    /// # Errors
    /// If there are not as many inputs and outputs as states; nothing has been done then.
    #[inline]
    fn step_streams(
        &self,
        states: &mut [Self::State],
        xs: &[Self::Input],
        ys: &mut [Self::Output],
    ) -> Result<(), StreamMismatch> {
        if states.len() != xs.len() || states.len() != ys.len() {
            return Err(StreamMismatch { states: states.len(), inputs: xs.len(), outputs: ys.len() });
        }
        dispatch(StepStreams(self, states, xs, ys));
        Ok(())
    }

    /// One time step on this machine's best backend.
    #[inline]
    fn step(&self, state: &mut Self::State, x: &Self::Input, y: &mut Self::Output) {
        // A run of one step: the code is there once.
        dispatch(Run(self, state, core::slice::from_ref(x), core::slice::from_mut(y)));
    }

    /// Runs a sequence from `state` on and gives the output of every step (Keras `return_sequences=True`); `state` is the
    /// final state afterwards.
    ///
    /// # Errors
    /// If there is not one output for each input; nothing has been done then.
    #[inline]
    fn run(&self, state: &mut Self::State, xs: &[Self::Input], ys: &mut [Self::Output]) -> Result<(), LengthMismatch> {
        if xs.len() != ys.len() {
            return Err(LengthMismatch { inputs: xs.len(), outputs: ys.len() });
        }
        dispatch(Run(self, state, xs, ys));
        Ok(())
    }

    /// Runs a sequence from `state` on and gives the output of its last step (Keras `return_sequences=False`); `None` for an
    /// empty one. Layers behind the last recurrent one only work on the last step, unless steps can be masked.
    #[inline]
    fn run_last(&self, state: &mut Self::State, xs: &[Self::Input]) -> Option<Self::Output> {
        let (last, before) = xs.split_last()?;
        dispatch(Advance(self, state, before));
        let mut y = Self::Output::ZERO;
        self.step(state, last, &mut y);
        Some(y)
    }

    /// Like [`run`](Layer::run), with the outputs in a vector of fixed capacity.
    ///
    /// # Errors
    /// If `xs` is longer than the capacity `T`; nothing has been done then.
    #[inline]
    fn run_to_vec<const T: usize>(
        &self,
        state: &mut Self::State,
        xs: &[Self::Input],
    ) -> Result<heapless::Vec<Self::Output, T>, LengthMismatch> {
        let mut ys = heapless::Vec::new();
        ys.resize(xs.len(), Self::Output::ZERO).map_err(|_| LengthMismatch { inputs: xs.len(), outputs: T })?;
        self.run(state, xs, &mut ys)?;
        Ok(ys)
    }
}

/// [`Layer::run_on`] where there is nothing to gain.
#[inline(always)]
pub(crate) fn step_by_step<L: Layer + ?Sized, B: Backend>(
    layer: &L,
    b: B,
    state: &mut L::State,
    xs: &[L::Input],
    ys: &mut [L::Output],
) {
    for (x, y) in xs.iter().zip(ys) {
        layer.step_on(b, state, x, y);
    }
}

/// [`Layer::step_streams_on`] where there is nothing to gain.
#[inline(always)]
pub(crate) fn one_by_one<L: Layer + ?Sized, B: Backend, const T: usize>(
    layer: &L,
    b: B,
    states: [&mut L::State; T],
    xs: [&L::Input; T],
    ys: [&mut L::Output; T],
) {
    for ((state, x), y) in states.into_iter().zip(xs).zip(ys) {
        layer.step_on(b, state, x, y);
    }
}

/// [`Layer::run_on`] by `T` steps at a time, and what is left one by one.
#[inline(always)]
fn run_ahead<L: Layer + ?Sized, B: Backend, const T: usize>(
    layer: &L,
    b: B,
    state: &mut L::State,
    xs: &[L::Input],
    ys: &mut [L::Output],
) {
    let ((xs, more_xs), (ys, more_ys)) = (xs.as_chunks::<T>(), ys.as_chunks_mut::<T>());
    if !xs.is_empty() {
        b.apart(RunAhead(layer, &mut *state, xs, ys));
    }
    step_by_step(layer, b, state, more_xs, more_ys);
}

struct RunAhead<'a, L: Layer + ?Sized, const T: usize>(
    &'a L,
    &'a mut L::State,
    &'a [[L::Input; T]],
    &'a mut [[L::Output; T]],
);

impl<L: Layer + ?Sized, const T: usize> Visitor for RunAhead<'_, L, T> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        self.0.run_ahead_on(b, self.1, self.2, self.3);
    }
}

struct StepStreams<'a, L: Layer + ?Sized>(&'a L, &'a mut [L::State], &'a [L::Input], &'a mut [L::Output]);

impl<L: Layer + ?Sized> StepStreams<'_, L> {
    #[inline(always)]
    fn together<B: Backend, const T: usize>(self, b: B) {
        let ((states, rest), (xs, more_xs)) = (self.1.as_chunks_mut::<T>(), self.2.as_chunks::<T>());
        let (ys, more_ys) = self.3.as_chunks_mut::<T>();
        for ((states, xs), ys) in states.iter_mut().zip(xs).zip(ys) {
            self.0.step_streams_on(b, states.each_mut(), xs.each_ref(), ys.each_mut());
        }
        for ((state, x), y) in rest.iter_mut().zip(more_xs).zip(more_ys) {
            self.0.step_on(b, state, x, y);
        }
    }
}

impl<L: Layer + ?Sized> Visitor for StepStreams<'_, L> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        if const { B::STREAMS == 4 } {
            self.together::<B, 4>(b);
        } else if const { B::STREAMS == 2 } {
            self.together::<B, 2>(b);
        } else {
            self.together::<B, 1>(b);
        }
    }
}

struct Run<'a, L: Layer + ?Sized>(&'a L, &'a mut L::State, &'a [L::Input], &'a mut [L::Output]);

impl<L: Layer + ?Sized> Visitor for Run<'_, L> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        self.0.run_on(b, self.1, self.2, self.3);
    }
}

struct Advance<'a, L: Layer + ?Sized>(&'a L, &'a mut L::State, &'a [L::Input]);

impl<L: Layer + ?Sized> Visitor for Advance<'_, L> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        for x in self.2 {
            self.0.advance_on(b, self.1, x);
        }
    }
}
