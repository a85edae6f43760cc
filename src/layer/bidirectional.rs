//! Two directions.

use super::{Layer, Number, SequenceLayer, Vector};
use crate::format::{
    Cursor, Embed, FLAG_BACKWARDS, FLAG_ZERO_OUTPUT, Flagged, FormatError, Kind, Next, ReadInto, Reader, Shape,
};
use crate::simd::{Backend, Visitor};
use core::marker::PhantomData;

/// How the outputs of two directions become one (Keras `merge_mode`).
pub trait MergeMode {
    /// The code in a model file.
    const CODE: u32;
    /// How many times as many numbers there are.
    const TIMES: usize;
    /// Puts an output where the forward layer's goes or, behind that, the backward layer's.
    fn put<T: Number>(backward: bool, from: &[T], to: &mut [T]);
}

macro_rules! side_by_side {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub struct $name;

            impl MergeMode for $name {
                const CODE: u32 = $code;
                const TIMES: usize = 2;

                #[inline(always)]
                fn put<T: Number>(backward: bool, from: &[T], to: &mut [T]) {
                    let first = if backward { from.len() } else { 0 };
                    for (to, from) in to.iter_mut().skip(first).zip(from) {
                        *to = *from;
                    }
                }
            }
        )*
    };
}

side_by_side! {
    /// The forward layer's outputs, then the backward layer's: Keras's usual one.
    Concat = 0;
    /// They stay two (Keras `merge_mode=None`): the same numbers as [`Concat`], for no layer behind.
    Unmerged = 4;
}

macro_rules! number_by_number {
    ($($(#[$doc:meta])* $name:ident = $code:literal: $merge:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub struct $name;

            impl MergeMode for $name {
                const CODE: u32 = $code;
                const TIMES: usize = 1;

                #[inline(always)]
                fn put<T: Number>(backward: bool, from: &[T], to: &mut [T]) {
                    for (to, from) in to.iter_mut().zip(from) {
                        *to = if backward { T::$merge(*to, *from) } else { *from };
                    }
                }
            }
        )*
    };
}

number_by_number! {
    /// The sum of both outputs.
    Sum = 1: sum;
    /// Their product, number by number.
    Mul = 2: product;
    /// Their mean.
    Ave = 3: mean;
}

/// Two recurrent layers, one of which begins at a sequence's end (Keras `Bidirectional`, PyTorch `bidirectional=True`). Outputs
/// of the same time step are merged to `O` numbers: twice as many as `L` gives, with `M` other than [`Concat`] and [`Unmerged`] as
/// many. Around the one output for a whole sequence are the last steps of each direction.
///
/// Masked steps leave the states as they are, and give zeros.
///
/// ```
/// use gatelet::{Bidirectional, SequenceLayer, SimpleRnn, Linear, Sum};
/// // Running totals from both ends.
/// type Total = SimpleRnn<1, 1, Linear>;
/// let total = || Total::new(&[[1.0]], &[[1.0]], &[0.0]);
/// let both: Bidirectional<Total, 2> = Bidirectional::new(total(), total());
/// let mut ys = [[0.0; 2]; 3];
/// both.run_sequence::<3>(&mut both.initial_state(), &[[1.0], [2.0], [4.0]], &mut ys)?;
/// assert_eq!(ys, [[1.0, 7.0], [3.0, 6.0], [7.0, 4.0]]);
///
/// let sum: Bidirectional<Total, 1, Sum> = Bidirectional::new(total(), total());
/// assert_eq!(sum.last::<3>(&mut sum.initial_state(), &[[1.0], [2.0], [4.0]])?, [14.0]);
/// # Ok::<(), gatelet::SequenceError>(())
/// ```
///
/// Another number of outputs is no layer:
/// ```compile_fail
/// use gatelet::{Bidirectional, Gru};
/// let layer: Bidirectional<Gru<2, 3>, 5> = Bidirectional::new(Gru::EMPTY, Gru::EMPTY);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Bidirectional<L, const O: usize, M = Concat> {
    forward: L,
    backward: L,
    merge: PhantomData<M>,
}

impl<L: Layer, const O: usize, M: MergeMode> Bidirectional<L, O, M> {
    const FITS: () = assert!(
        O == M::TIMES * L::Output::LEN,
        "a Bidirectional has as many outputs as its layers, or with Concat twice as many"
    );

    const SHAPE: Shape = Shape {
        detail: M::CODE,
        integer: NumberOf::<L>::INTEGER,
        ..Shape::new(Kind::Bidirectional, L::Input::LEN, O, 0)
    };

    /// From the layer that begins at a sequence's beginning and the one that begins at its end.
    #[must_use]
    pub const fn new(forward: L, backward: L) -> Self {
        let () = Self::FITS;
        Bidirectional { forward, backward, merge: PhantomData }
    }
}

/// What a layer's outputs consist of.
type NumberOf<L> = <<L as Layer>::Output as Vector>::Number;

/// One of the directions.
struct Direction<'a, L: Layer, M, const O: usize> {
    layer: &'a L,
    state: &'a mut L::State,
    xs: &'a [L::Input],
    masked: &'a [bool],
    backward: bool,
    /// Every output or, if there is one alone, the last one.
    ys: &'a mut [[NumberOf<L>; O]],
    last: bool,
    merge: PhantomData<M>,
}

impl<L: Layer, M: MergeMode, const O: usize> Visitor for Direction<'_, L, M, O> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        let mut y = L::Output::ZERO;
        let steps = self.xs.len();
        for i in 0..steps {
            let t = if self.backward { steps - 1 - i } else { i };
            let (Some(x), Some(&masked)) = (self.xs.get(t), self.masked.get(t)) else { break };
            self.layer.step_masked_on(b, masked, self.state, x, &mut y);
            if let Some(to) = self.ys.get_mut(t).filter(|_| !self.last) {
                let y = if masked { L::Output::ZERO } else { y };
                M::put(self.backward, y.as_slice(), to);
            }
        }
        if let Some(to) = self.ys.first_mut().filter(|_| self.last) {
            M::put(self.backward, y.as_slice(), to);
        }
    }
}

impl<L: Layer, const O: usize, M: MergeMode> Bidirectional<L, O, M> {
    /// Both directions, which are one function: it is not called often enough to be there twice.
    #[inline(always)]
    fn both<B: Backend>(
        &self,
        b: B,
        (forward, backward): &mut (L::State, L::State),
        xs: &[L::Input],
        masked: &[bool],
        ys: &mut [[NumberOf<L>; O]],
        last: bool,
    ) {
        let () = Self::FITS;
        for (layer, state, from_end) in [(&self.forward, forward, false), (&self.backward, backward, true)] {
            let ys = &mut *ys;
            b.apart(Direction { layer, state, xs, masked, backward: from_end, ys, last, merge: PhantomData::<M> });
        }
    }
}

impl<L: Layer, const O: usize, M: MergeMode> SequenceLayer for Bidirectional<L, O, M> {
    type Input = L::Input;
    type Output = [NumberOf<L>; O];
    type State = (L::State, L::State);
    const ZERO_STATE: Self::State = (L::ZERO_STATE, L::ZERO_STATE);
    const FLASH_BYTES: usize = 2 * L::FLASH_BYTES;
    const STATE_BYTES: usize = 2 * L::STATE_BYTES;

    #[inline(always)]
    fn initial_state(&self) -> Self::State {
        (self.forward.initial_state(), self.backward.initial_state())
    }

    #[inline(always)]
    fn run_sequence_on<B: Backend, const T: usize>(
        &self,
        b: B,
        state: &mut Self::State,
        xs: &[L::Input],
        masked: &mut [bool],
        ys: &mut [[NumberOf<L>; O]],
    ) {
        self.both(b, state, xs, masked, ys, false);
    }

    #[inline(always)]
    fn last_on<B: Backend, const T: usize>(
        &self,
        b: B,
        state: &mut Self::State,
        xs: &[L::Input],
        masked: &mut [bool],
        y: &mut [NumberOf<L>; O],
    ) {
        self.both(b, state, xs, masked, core::slice::from_mut(y), true);
    }
}

/// What Keras gives masked steps of a bidirectional layer does not depend on what its layers say.
const NOT_THEIRS: u32 = FLAG_BACKWARDS | FLAG_ZERO_OUTPUT;

/// Where the forward layer is, in the file of a bidirectional one at `C`, and the backward layer behind it.
type Forward<C> = Flagged<Next<C>, 0, NOT_THEIRS>;
type Backward<C, L> = Flagged<<L as Embed<Forward<C>>>::Rest, 0, NOT_THEIRS>;

impl<C: Cursor, L, const O: usize, M: MergeMode> Embed<C> for Bidirectional<L, O, M>
where
    L: Layer + Embed<Forward<C>> + Embed<Backward<C, L>>,
{
    const VALUE: Self = {
        if let Err(error) = Self::SHAPE.expect(&mut { C::READER }) {
            error.fail();
        }
        let layer = C::READER.layer();
        let forward = <<L as Embed<Forward<C>>>::Rest as Cursor>::READER.layer();
        let backward = <<L as Embed<Backward<C, L>>>::Rest as Cursor>::READER.layer();
        if forward != layer || backward != layer + 1 {
            FormatError::Block { layer, around: "bidirectional" }.fail();
        }
        Self::new(<L as Embed<Forward<C>>>::VALUE, <L as Embed<Backward<C, L>>>::VALUE)
    };
    type Rest = <L as Embed<Backward<C, L>>>::Rest;
}

impl<L: Layer + ReadInto, const O: usize, M: MergeMode> ReadInto for Bidirectional<L, O, M> {
    const EMPTY: Self = Self::new(L::EMPTY, L::EMPTY);

    fn check(reader: &mut Reader<'_>) -> Result<(), FormatError> {
        Self::SHAPE.expect(reader)?;
        let layer = reader.layer();
        // Both are one layer, which is counted behind the second one.
        for end in [layer, layer + 1] {
            *reader = reader.around(0, NOT_THEIRS);
            L::check(reader)?;
            if reader.layer() != end {
                return Err(FormatError::Block { layer, around: "bidirectional" });
            }
        }
        Ok(())
    }

    fn fill(&mut self, reader: &mut Reader<'_>) -> Result<(), FormatError> {
        Self::SHAPE.expect(reader)?;
        for layer in [&mut self.forward, &mut self.backward] {
            *reader = reader.around(0, NOT_THEIRS);
            layer.fill(reader)?;
        }
        Ok(())
    }
}
