//! A layer with a way around it.

use super::sequence::last_by_steps;
use super::{Layer, SequenceLayer, Vector};
use crate::format::{Cursor, Embed, FormatError, Next, ReadInto, Reader, residual};
use crate::simd::Backend;

/// `y = L(x) + x` (He et al. 2016): for stacks deeper than two or three layers. `L` gives as many outputs as it has inputs.
/// Read from a file, `L` is one layer; made in code, it can be a [`Chain`](crate::Chain).
///
/// ```
/// use gatelet::{Dense, Layer, Residual};
/// let layer = Residual(Dense::<1, 1>::new(&[[2.0]], &[0.0]));
/// let mut y = [0.0];
/// layer.step(&mut (), &[3.0], &mut y);
/// assert_eq!(y, [9.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Residual<L>(
    /// The layer whose input is added to its output.
    pub L,
);

/// What a layer with a way around it does: what is inside, and then the addition.
macro_rules! way_around {
    ([$($parameters:tt)*] $residual:ty, $inside:tt, [$($vectors:tt)*], $bytes:expr, |$this:ident, $x:ident, $y:ident| $add:expr) => {
        impl<L: Layer<$($vectors)*, Output = <L as Layer>::Input>, $($parameters)*> Layer for $residual {
            type Input = L::Input;
            type Output = L::Output;
            type State = L::State;
            const ZERO_STATE: L::State = L::ZERO_STATE;
            const FLASH_BYTES: usize = L::FLASH_BYTES + $bytes;
            const STATE_BYTES: usize = L::STATE_BYTES;

            #[inline(always)]
            fn initial_state(&self) -> L::State {
                self.$inside.initial_state()
            }

            #[inline(always)]
            fn step_on<B: Backend>(&self, b: B, state: &mut L::State, x: &L::Input, y: &mut L::Output) {
                self.$inside.step_on(b, state, x, y);
                let ($this, $x, $y) = (self, x, y);
                $add;
            }

            const MASKS: bool = L::MASKS;

            #[inline(always)]
            fn step_masked_on<B: Backend>(
                &self,
                b: B,
                masked: bool,
                state: &mut L::State,
                x: &L::Input,
                y: &mut L::Output,
            ) -> bool {
                let masked = self.$inside.step_masked_on(b, masked, state, x, y);
                let ($this, $x, $y) = (self, x, y);
                $add;
                masked
            }

            const LOOKS_AHEAD: bool = L::LOOKS_AHEAD;

            #[inline(always)]
            fn run_ahead_on<B: Backend, const T: usize>(
                &self,
                b: B,
                state: &mut L::State,
                xs: &[[L::Input; T]],
                ys: &mut [[L::Output; T]],
            ) {
                self.$inside.run_ahead_on(b, state, xs, ys);
                let $this = self;
                for ($y, $x) in ys.as_flattened_mut().iter_mut().zip(xs.as_flattened()) {
                    $add;
                }
            }

            #[inline(always)]
            fn step_streams_on<B: Backend, const T: usize>(
                &self,
                b: B,
                states: [&mut L::State; T],
                xs: [&L::Input; T],
                mut ys: [&mut L::Output; T],
            ) {
                self.$inside.step_streams_on(b, states, xs, ys.each_mut().map(|y| &mut **y));
                let $this = self;
                for ($y, $x) in ys.into_iter().zip(xs) {
                    $add;
                }
            }

            #[inline(always)]
            fn advance_on<B: Backend>(&self, b: B, state: &mut L::State, x: &L::Input) {
                self.$inside.advance_on(b, state, x);
            }
        }

        impl<L: SequenceLayer<$($vectors)*, Output = <L as SequenceLayer>::Input>, $($parameters)*> SequenceLayer
            for $residual
        {
            type Input = L::Input;
            type Output = L::Output;
            type State = L::State;
            const ZERO_STATE: L::State = L::ZERO_STATE;
            const FLASH_BYTES: usize = L::FLASH_BYTES + $bytes;
            const STATE_BYTES: usize = L::STATE_BYTES;
            const STREAMS: bool = L::STREAMS;
            const WORKS_ON_STEPS: bool = L::WORKS_ON_STEPS;

            #[inline(always)]
            fn initial_state(&self) -> L::State {
                self.$inside.initial_state()
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
                self.$inside.run_sequence_on::<B, T>(b, state, xs, masked, ys);
                let $this = self;
                for ($y, $x) in ys.iter_mut().zip(xs) {
                    $add;
                }
            }

            /// The last of the whole sequence: around a layer that gives one output for it there is no way.
            #[inline(always)]
            fn last_on<B: Backend, const T: usize>(
                &self,
                b: B,
                state: &mut L::State,
                xs: &[L::Input],
                masked: &mut [bool],
                y: &mut L::Output,
            ) {
                if const { L::STREAMS } {
                    last_by_steps(self, b, state, xs, masked, y);
                } else {
                    let mut ys = [L::Output::ZERO; T];
                    let Some(ys) = ys.get_mut(..xs.len()) else { return };
                    self.run_sequence_on::<B, T>(b, state, xs, masked, ys);
                    if let Some(last) = ys.last() {
                        *y = *last;
                    }
                }
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
                let masked = self.$inside.sequence_step_on(b, masked, state, x, y);
                let ($this, $x, $y) = (self, x, y);
                $add;
                masked
            }
        }
    };
}

pub(crate) use way_around;

way_around!([] Residual<L>, 0, [Input: Vector<Number = f32>], 0, |_this, x, y| {
    crate::kernel::add(y.as_mut_slice(), x.as_slice());
});

impl<C: Cursor, L: Embed<Next<C>>> Embed<C> for Residual<L> {
    const VALUE: Self = {
        let mut reader = C::READER;
        match residual(&mut reader, false) {
            Ok(_) if <L::Rest as Cursor>::READER.layer() - reader.layer() == 1 => Residual(L::VALUE),
            Ok(_) => FormatError::Block { layer: reader.layer(), around: "residual" }.fail(),
            Err(error) => error.fail(),
        }
    };
    type Rest = L::Rest;
}

impl<L: ReadInto> ReadInto for Residual<L> {
    const EMPTY: Self = Residual(L::EMPTY);

    fn check(reader: &mut Reader<'_>) -> Result<(), FormatError> {
        residual(reader, false)?;
        let layer = reader.layer();
        L::check(reader)?;
        if reader.layer() - layer == 1 { Ok(()) } else { Err(FormatError::Block { layer, around: "residual" }) }
    }

    fn fill(&mut self, reader: &mut Reader<'_>) -> Result<(), FormatError> {
        residual(reader, false)?;
        self.0.fill(reader)
    }
}
