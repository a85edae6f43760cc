//! An integer layer with a way around it.

use crate::format::{Cursor, Embed, FormatError, Next, ReadInto, Reader, residual};
use crate::layer::{Layer, SequenceLayer, Vector, last_by_steps, way_around};
use crate::simd::Backend;

/// An integer [`Residual`](crate::Residual): `y = L(x) + x`, saturated, for `N` channels, each with two numbers of bits by which its input and
/// the layer's output are shifted to the right before they are added.
///
/// ```
/// use gatelet::{Layer, quant};
/// let layer = quant::Residual::new([[1], [0]], quant::Prelu::new([0], 0));
/// let mut y = [0];
/// layer.step(&mut (), &[300], &mut y);
/// assert_eq!(y, [450]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Residual<L, const N: usize> {
    layer: L,
    shifts: [[u8; N]; 2],
}

impl<L, const N: usize> Residual<L, N> {
    /// From the shifts of inputs and outputs, 15 at most, and the layer.
    #[must_use]
    pub const fn new(shifts: [[u8; N]; 2], layer: L) -> Self {
        Residual { layer, shifts }
    }

    /// From a record's bytes.
    const fn shifts_from(bytes: &[u8]) -> [[u8; N]; 2] {
        let mut shifts = [[0; N]; 2];
        let mut i = 0;
        while i < N {
            shifts[0][i] = bytes[i];
            shifts[1][i] = bytes[N + i];
            i += 1;
        }
        shifts
    }

    #[inline(always)]
    fn add_input(&self, x: &[i16; N], y: &mut [i16; N]) {
        let [of_x, of_y] = &self.shifts;
        add(x, of_x, y, of_y);
    }
}

/// Adds inputs to outputs, both shifted.
#[inline(always)]
pub(crate) fn add(x: &[i16], shifts_of_x: &[u8], y: &mut [i16], shifts_of_y: &[u8]) {
    let shifted = |number: i16, shift: u8| {
        let shift = shift.min(15);
        (i32::from(number) + ((1 << shift) >> 1)) >> shift
    };
    for ((y, &x), (&of_x, &of_y)) in y.iter_mut().zip(x).zip(shifts_of_x.iter().zip(shifts_of_y)) {
        let sum = shifted(x, of_x) + shifted(*y, of_y);
        *y = sum.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
    }
}

way_around!([const N: usize] Residual<L, N>, layer, [Input = [i16; N]], 2 * N, |this, x, y| this.add_input(x, y));

impl<C: Cursor, L: Embed<Next<C>>, const N: usize> Embed<C> for Residual<L, N> {
    const VALUE: Self = {
        let mut reader = C::READER;
        match residual(&mut reader, true) {
            Ok(bytes) if <L::Rest as Cursor>::READER.layer() - reader.layer() == 1 && bytes.len() >= 2 * N => {
                Self::new(Self::shifts_from(bytes), L::VALUE)
            }
            Ok(_) => FormatError::Block { layer: reader.layer(), around: "residual" }.fail(),
            Err(error) => error.fail(),
        }
    };
    type Rest = L::Rest;
}

impl<L: ReadInto, const N: usize> ReadInto for Residual<L, N> {
    const EMPTY: Self = Self::new([[0; N]; 2], L::EMPTY);

    fn check(reader: &mut Reader<'_>) -> Result<(), FormatError> {
        let bytes = residual(reader, true)?;
        let layer = reader.layer();
        L::check(reader)?;
        if reader.layer() - layer == 1 && bytes.len() >= 2 * N {
            Ok(())
        } else {
            Err(FormatError::Block { layer, around: "residual" })
        }
    }

    fn fill(&mut self, reader: &mut Reader<'_>) -> Result<(), FormatError> {
        self.shifts = Self::shifts_from(residual(reader, true)?);
        self.layer.fill(reader)
    }
}
