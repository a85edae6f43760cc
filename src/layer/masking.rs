//! Masks.

use super::Layer;
use crate::format::{Cursor, Embed, FormatError, Kind, Next, ReadInto, Reader, Shape};
use crate::simd::Backend;

/// Masks the time steps whose numbers all equal a value, for the layers behind it (Keras `Masking`): recurrent layers leave their
/// state as it is there and give their last output once more, or zeros in a [`ZeroOutput`](crate::ZeroOutput). To other layers
/// a masked step is one of zeros. What looks at several time steps, such as a [`Conv1d`](crate::Conv1d), ends the mask.
///
/// ```
/// use gatelet::{Chain, Gru, HiddenState, Layer, Masking, chain};
/// type Net = chain!(Masking<1>, Gru<1, 2>);
/// let net: Net = Chain(Masking::new(-1.0), Gru::EMPTY);
/// let mut state = ((), HiddenState::new([0.5, 1.0]));
/// let mut y = [0.0; 2];
/// net.step(&mut state, &[-1.0], &mut y);
/// assert_eq!((y, state.1.h), ([0.5, 1.0], [0.5, 1.0]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Masking<const N: usize> {
    value: f32,
}

impl<const N: usize> Masking<N> {
    const SHAPE: Shape = Shape::new(Kind::Masking, N, N, 0);

    /// From the value that masks.
    #[must_use]
    pub const fn new(value: f32) -> Self {
        Masking { value }
    }

    const fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        match Self::SHAPE.expect_record(reader) {
            Ok(record) => Ok(Masking { value: f32::from_bits(record.detail) }),
            Err(error) => Err(error),
        }
    }
}

impl<const N: usize> Layer for Masking<N> {
    type Input = [f32; N];
    type Output = [f32; N];
    type State = ();
    const ZERO_STATE: () = ();
    const FLASH_BYTES: usize = 4;
    const STATE_BYTES: usize = 0;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, (): &mut (), x: &[f32; N], y: &mut [f32; N]) {
        self.step_masked_on(b, false, &mut (), x, y);
    }

    const MASKS: bool = true;

    #[inline(always)]
    fn step_masked_on<B: Backend>(&self, _: B, _: bool, (): &mut (), x: &[f32; N], y: &mut [f32; N]) -> bool {
        let masks = x.iter().all(|&x| x == self.value);
        *y = if masks { [0.0; N] } else { *x };
        masks
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, (): &mut (), _: &[f32; N]) {}
}

impl<C: Cursor, const N: usize> Embed<C> for Masking<N> {
    const VALUE: Self = {
        let mut reader = C::READER;
        match Self::read(&mut reader) {
            Ok(layer) => layer,
            Err(error) => error.fail(),
        }
    };
    type Rest = Next<C>;
}

impl<const N: usize> ReadInto for Masking<N> {
    const EMPTY: Self = Self::new(0.0);

    fn check(reader: &mut Reader<'_>) -> Result<(), FormatError> {
        Self::read(reader).map(|_| ())
    }

    fn fill(&mut self, reader: &mut Reader<'_>) -> Result<(), FormatError> {
        *self = Self::read(reader)?;
        Ok(())
    }
}
