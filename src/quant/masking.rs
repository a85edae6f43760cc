//! Masks of integer networks.

use super::numbers_from;
use crate::format::{Kind, Shape, leaf_layer};
use crate::layer::Layer;
use crate::simd::Backend;

/// An integer [`Masking`](crate::Masking): masks the time steps whose numbers all equal what the value is in the fraction bits of each
/// channel. Inputs that differ from the value by less than half a unit in every channel are masked, too.
///
/// ```
/// use gatelet::{Chain, Layer, chain, quant};
/// type Net = chain!(quant::Masking<1>, quant::Gru<1, 2>);
/// let net: Net = Chain(quant::Masking::new([-32768]), quant::Gru::EMPTY);
/// let mut state = ((), quant::HiddenState { h: [5, 10] });
/// let mut y = [0; 2];
/// net.step(&mut state, &[-32768], &mut y);
/// assert_eq!((y, state.1.h), ([5, 10], [5, 10]));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Masking<const N: usize> {
    values: [i16; N],
}

impl<const N: usize> Masking<N> {
    /// Masks zeros: a place for a model that is read at run time.
    pub const EMPTY: Self = Masking { values: [0; N] };

    const SHAPE: Shape = Shape::integer(Kind::Masking, N, N, 2 * N);

    /// From the number that masks, of each channel.
    #[must_use]
    pub const fn new(values: [i16; N]) -> Self {
        Masking { values }
    }

    const fn fill_from(&mut self, bytes: &[u8]) {
        numbers_from(&mut self.values, bytes);
    }
}

impl<const N: usize> Layer for Masking<N> {
    type Input = [i16; N];
    type Output = [i16; N];
    type State = ();
    const ZERO_STATE: () = ();
    const FLASH_BYTES: usize = 2 * N;
    const STATE_BYTES: usize = 0;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, (): &mut (), x: &[i16; N], y: &mut [i16; N]) {
        self.step_masked_on(b, false, &mut (), x, y);
    }

    const MASKS: bool = true;

    #[inline(always)]
    fn step_masked_on<B: Backend>(&self, _: B, _: bool, (): &mut (), x: &[i16; N], y: &mut [i16; N]) -> bool {
        let masks = *x == self.values;
        *y = if masks { [0; N] } else { *x };
        masks
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, (): &mut (), _: &[i16; N]) {}
}

leaf_layer!([const N: usize] Masking<N>);
