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

impl<L: Layer<Input: Vector<Number = f32>, Output = <L as Layer>::Input>> Layer for Residual<L> {
    around!(0);

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, state: &mut L::State, x: &L::Input, y: &mut L::Output) {
        self.0.step_on(b, state, x, y);
        crate::kernel::add(y.as_mut_slice(), x.as_slice());
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
        let masked = self.0.step_masked_on(b, masked, state, x, y);
        crate::kernel::add(y.as_mut_slice(), x.as_slice());
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
        self.0.run_ahead_on(b, state, xs, ys);
        for (y, x) in ys.as_flattened_mut().iter_mut().zip(xs.as_flattened()) {
            crate::kernel::add(y.as_mut_slice(), x.as_slice());
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
        self.0.step_streams_on(b, states, xs, ys.each_mut().map(|y| &mut **y));
        for (y, x) in ys.into_iter().zip(xs) {
            crate::kernel::add(y.as_mut_slice(), x.as_slice());
        }
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, b: B, state: &mut L::State, x: &L::Input) {
        self.0.advance_on(b, state, x);
    }
}

impl<L: SequenceLayer<Input: Vector<Number = f32>, Output = <L as SequenceLayer>::Input>> SequenceLayer
    for Residual<L>
{
    around!(0);

    const STREAMS: bool = L::STREAMS;
    const WORKS_ON_STEPS: bool = L::WORKS_ON_STEPS;

    #[inline(always)]
    fn run_sequence_on<B: Backend, const T: usize>(
        &self,
        b: B,
        state: &mut L::State,
        xs: &[L::Input],
        masked: &mut [bool],
        ys: &mut [L::Output],
    ) {
        self.0.run_sequence_on::<B, T>(b, state, xs, masked, ys);
        for (y, x) in ys.iter_mut().zip(xs) {
            crate::kernel::add(y.as_mut_slice(), x.as_slice());
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
        let masked = self.0.sequence_step_on(b, masked, state, x, y);
        crate::kernel::add(y.as_mut_slice(), x.as_slice());
        masked
    }
}

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
