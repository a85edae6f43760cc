//! A table of vectors.

use super::Layer;
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::{Source, pack, token};
use crate::simd::Backend;

/// A row of `O` numbers for each of the whole numbers from 0 to `TOKENS - 1` (Keras and PyTorch `Embedding`). Any other input
/// gives NaN.
///
/// ```
/// use gatelet::{Embedding, Layer};
/// let layer = Embedding::new([[0.0, 0.1], [1.0, 1.1], [2.0, 2.1]]);
/// let mut y = [0.0; 2];
/// layer.step(&mut (), &[2.0], &mut y);
/// assert_eq!(y, [2.0, 2.1]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Embedding<const TOKENS: usize, const O: usize> {
    table: [[f32; O]; TOKENS],
}

impl<const TOKENS: usize, const O: usize> Embedding<TOKENS, O> {
    /// All rows zero: a place for a model that is read at run time.
    pub const EMPTY: Self = Embedding { table: [[0.0; O]; TOKENS] };

    const SHAPE: Shape = Shape::new(Kind::Embedding, TOKENS, O, TOKENS * O);

    /// From the rows.
    #[must_use]
    pub const fn new(table: [[f32; O]; TOKENS]) -> Self {
        Embedding { table }
    }

    const fn fill_from(&mut self, bytes: &[u8]) {
        pack(self.table.as_flattened_mut(), Source::Bytes(bytes), 1, TOKENS * O);
    }
}

impl<const TOKENS: usize, const O: usize> Layer for Embedding<TOKENS, O> {
    type Input = [f32; 1];
    type Output = [f32; O];
    type State = ();
    const ZERO_STATE: () = ();
    const FLASH_BYTES: usize = 4 * TOKENS * O;
    const STATE_BYTES: usize = 0;

    #[inline(always)]
    fn step_on<B: Backend>(&self, _: B, (): &mut (), x: &[f32; 1], y: &mut [f32; O]) {
        let row = token(x[0], TOKENS).and_then(|row| self.table.get(row));
        *y = *row.unwrap_or(&[f32::NAN; O]);
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, (): &mut (), _: &[f32; 1]) {}
}

leaf_layer!([const TOKENS: usize, const O: usize] Embedding<TOKENS, O>);
