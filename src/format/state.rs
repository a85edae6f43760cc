//! The state that a model begins with, from its record.

use super::{Cursor, FormatError, Kind, Reader, Shape};
use crate::cell::{HiddenState, LstmState};
use crate::quant;
use core::marker::PhantomData;

/// A state that a model file can bring.
pub trait FileState: Copy {
    /// How many numbers it is.
    const NUMBERS: usize;
    /// Whether these are int16 numbers.
    const INTEGER: bool = false;
    /// Bytes of these in a model file.
    const BYTES: usize = if Self::INTEGER { 2 } else { 4 } * Self::NUMBERS;

    /// From the bytes of at least so many numbers.
    fn from_bytes(bytes: &[u8]) -> Self;
}

/// [`FileState`] in const evaluation, from the bytes that `P` stands for.
pub trait EmbedState<P: Part>: FileState {
    /// The state.
    const VALUE: Self;
}

/// A part of a model file.
pub trait Part {
    /// Its bytes.
    const BYTES: &'static [u8];
}

/// The state in the record at a position.
pub struct StateAt<C, S>(PhantomData<(C, S)>);

impl<C: Cursor, S: FileState> Part for StateAt<C, S> {
    const BYTES: &'static [u8] = match state_shape(S::NUMBERS, S::INTEGER).expect(&mut { C::READER }) {
        Ok(bytes) => bytes,
        Err(error) => error.fail(),
    };
}

/// What is behind a state in a part.
pub struct Behind<P, S>(PhantomData<(P, S)>);

impl<P: Part, S: FileState> Part for Behind<P, S> {
    const BYTES: &'static [u8] = P::BYTES.split_at(S::BYTES).1;
}

const fn state_shape(numbers: usize, integer: bool) -> Shape {
    if integer {
        Shape::integer(Kind::InitialState, numbers, numbers, 2 * numbers)
    } else {
        Shape::new(Kind::InitialState, numbers, numbers, numbers)
    }
}

/// Reads the record of a state.
pub(crate) fn read_state<S: FileState>(reader: &mut Reader<'_>) -> Result<S, FormatError> {
    state_shape(S::NUMBERS, S::INTEGER).expect(reader).map(S::from_bytes)
}

macro_rules! file_states {
    ($($state:ty: $numbers:expr, $integer:literal;)*) => {$(
        impl<const H: usize> FileState for $state {
            const NUMBERS: usize = $numbers;
            const INTEGER: bool = $integer;

            fn from_bytes(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes)
            }
        }

        impl<P: Part, const H: usize> EmbedState<P> for $state {
            const VALUE: Self = Self::from_le_bytes(P::BYTES);
        }
    )*};
}

file_states! {
    HiddenState<H>: H, false;
    LstmState<H>: 2 * H, false;
    quant::HiddenState<H>: H, true;
    quant::LstmState<H>: 2 * H, true;
}

/// Of both directions.
impl<S: FileState> FileState for (S, S) {
    const NUMBERS: usize = 2 * S::NUMBERS;
    const INTEGER: bool = S::INTEGER;

    fn from_bytes(bytes: &[u8]) -> Self {
        let (forward, backward) = bytes.split_at(S::BYTES);
        (S::from_bytes(forward), S::from_bytes(backward))
    }
}

impl<P: Part, S: EmbedState<P> + EmbedState<Behind<P, S>>> EmbedState<P> for (S, S) {
    const VALUE: Self = (<S as EmbedState<P>>::VALUE, <S as EmbedState<Behind<P, S>>>::VALUE);
}
