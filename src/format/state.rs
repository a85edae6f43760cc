//! The state that a model begins with, from its record.

use super::{Cursor, FormatError, Kind, Reader, Shape};
use crate::cell::{HiddenState, LstmState};
use core::marker::PhantomData;

/// A state that a model file can bring.
pub trait FileState: Copy {
    /// How many numbers it is.
    const NUMBERS: usize;

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
    const BYTES: &'static [u8] = match state_shape(S::NUMBERS).expect(&mut { C::READER }) {
        Ok(bytes) => bytes,
        Err(error) => error.fail(),
    };
}

/// What is behind a state in a part.
pub struct Behind<P, S>(PhantomData<(P, S)>);

impl<P: Part, S: FileState> Part for Behind<P, S> {
    const BYTES: &'static [u8] = P::BYTES.split_at(4 * S::NUMBERS).1;
}

const fn state_shape(numbers: usize) -> Shape {
    Shape::new(Kind::InitialState, numbers, numbers, numbers)
}

/// Reads the record of a state.
pub(crate) fn read_state<S: FileState>(reader: &mut Reader<'_>) -> Result<S, FormatError> {
    state_shape(S::NUMBERS).expect(reader).map(S::from_bytes)
}

impl<const H: usize> FileState for HiddenState<H> {
    const NUMBERS: usize = H;

    fn from_bytes(bytes: &[u8]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

impl<P: Part, const H: usize> EmbedState<P> for HiddenState<H> {
    const VALUE: Self = Self::from_le_bytes(P::BYTES);
}

impl<const H: usize> FileState for LstmState<H> {
    const NUMBERS: usize = 2 * H;

    fn from_bytes(bytes: &[u8]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

impl<P: Part, const H: usize> EmbedState<P> for LstmState<H> {
    const VALUE: Self = Self::from_le_bytes(P::BYTES);
}

/// Of both directions.
impl<S: FileState> FileState for (S, S) {
    const NUMBERS: usize = 2 * S::NUMBERS;

    fn from_bytes(bytes: &[u8]) -> Self {
        let (forward, backward) = bytes.split_at(4 * S::NUMBERS);
        (S::from_bytes(forward), S::from_bytes(backward))
    }
}

impl<P: Part, S: EmbedState<P> + EmbedState<Behind<P, S>>> EmbedState<P> for (S, S) {
    const VALUE: Self = (<S as EmbedState<P>>::VALUE, <S as EmbedState<Behind<P, S>>>::VALUE);
}
