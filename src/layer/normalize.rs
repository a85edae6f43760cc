//! Shift and scale per channel.

use super::Layer;
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::Source;
use crate::kernel::pack;
use crate::simd::Backend;

/// `y = (x - offset) ⊙ scale`: in front of a network with the mean and the inverse of the standard deviation of the training
/// data (Keras `Normalization`), behind a regression to return to the target's units.
///
/// ```
/// use gatelet::{Layer, Normalize};
/// let layer = Normalize::new([10.0], [0.5]);
/// let mut y = [0.0];
/// layer.step(&mut (), &[14.0], &mut y);
/// assert_eq!(y, [2.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Normalize<const N: usize> {
    offset: [f32; N],
    scale: [f32; N],
}

impl<const N: usize> Normalize<N> {
    /// Changes nothing: a place for a model that is read at run time.
    pub const EMPTY: Self = Normalize { offset: [0.0; N], scale: [1.0; N] };

    const SHAPE: Shape = Shape::new(Kind::Normalize, N, N, 2 * N);

    /// From what is taken away, then what is multiplied.
    #[must_use]
    pub const fn new(offset: [f32; N], scale: [f32; N]) -> Self {
        Normalize { offset, scale }
    }

    const fn fill_from(&mut self, bytes: &[u8]) {
        let (offset, scale) = bytes.split_at(4 * N);
        pack(&mut self.offset, Source::Bytes(offset), 1, N);
        pack(&mut self.scale, Source::Bytes(scale), 1, N);
    }
}

impl<const N: usize> Layer for Normalize<N> {
    type Input = [f32; N];
    type Output = [f32; N];
    type State = ();
    const ZERO_STATE: () = ();
    const FLASH_BYTES: usize = 8 * N;
    const STATE_BYTES: usize = 0;

    #[inline(always)]
    fn step_on<B: Backend>(&self, _: B, (): &mut (), x: &[f32; N], y: &mut [f32; N]) {
        crate::kernel::normalize(&self.offset, &self.scale, x, y);
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, (): &mut (), _: &[f32; N]) {}
}

leaf_layer!([const N: usize] Normalize<N>);
