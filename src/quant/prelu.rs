//! The integer parametric rectifier.

use super::{numbers_from, word};
use crate::format::{Kind, Shape, leaf_layer};
use crate::layer::Layer;
use crate::simd::Backend;

/// An integer [`Prelu`](crate::Prelu): x above zero, below it x times a slope of each channel, rounded and saturated. Fraction bits are those
/// of the input.
///
/// ```
/// use gatelet::{Layer, quant};
/// let mut y = [0; 2];
/// // Slopes of ½ and ¼.
/// quant::Prelu::new([4, 2], 3).step(&mut (), &[3000, -4000], &mut y);
/// assert_eq!(y, [3000, -1000]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Prelu<const N: usize> {
    fraction_bits: u32,
    slope: [i16; N],
}

impl<const N: usize> Prelu<N> {
    /// All slopes zero: a place for a model that is read at run time.
    pub const EMPTY: Self = Prelu { fraction_bits: 0, slope: [0; N] };

    const SHAPE: Shape = Shape::integer(Kind::Prelu, N, N, 4 + 2 * N);

    /// From the slopes below zero, which have so many fraction bits, 15 at most.
    #[must_use]
    pub const fn new(slope: [i16; N], fraction_bits: u32) -> Self {
        Prelu { fraction_bits: if fraction_bits > 15 { 15 } else { fraction_bits }, slope }
    }

    const fn fill_from(&mut self, bytes: &[u8]) {
        let (format, slopes) = bytes.split_at(4);
        *self = Self::new(self.slope, word(format, 0));
        numbers_from(&mut self.slope, slopes);
    }
}

/// `y = x` above zero, below it x times the slope of so many fraction bits, 15 at most.
#[inline(always)]
pub(crate) fn prelu(slope: &[i16], fraction_bits: u32, x: &[i16], y: &mut [i16]) {
    let half = (1 << fraction_bits) >> 1;
    for ((y, &x), &slope) in y.iter_mut().zip(x).zip(slope) {
        let below = (i32::from(x) * i32::from(slope) + half) >> fraction_bits;
        *y = if x < 0 { below.clamp(i16::MIN.into(), i16::MAX.into()) as i16 } else { x };
    }
}

impl<const N: usize> Layer for Prelu<N> {
    type Input = [i16; N];
    type Output = [i16; N];
    type State = ();
    const ZERO_STATE: () = ();
    const FLASH_BYTES: usize = 4 + 2 * N;
    const STATE_BYTES: usize = 0;

    #[inline(always)]
    fn step_on<B: Backend>(&self, _: B, (): &mut (), x: &[i16; N], y: &mut [i16; N]) {
        prelu(&self.slope, self.fraction_bits, x, y);
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, (): &mut (), _: &[i16; N]) {}
}

leaf_layer!([const N: usize] Prelu<N>);
