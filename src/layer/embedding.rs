//! A table of vectors.

use super::Layer;
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::{Source, pack, token};
use crate::simd::Backend;

/// A row of `O` numbers for each of the whole numbers from 0 to `TOKENS - 1` (Keras and PyTorch `Embedding`). Any other input
/// gives NaN. With `MASK_ZERO` (Keras `mask_zero=True`) a 0 masks its time step for the layers behind.
///
/// ```
/// use gatelet::{Embedding, Layer};
/// let layer: Embedding<3, 2> = Embedding::new([[0.0, 0.1], [1.0, 1.1], [2.0, 2.1]]);
/// let mut y = [0.0; 2];
/// layer.step(&mut (), &[2.0], &mut y);
/// assert_eq!(y, [2.0, 2.1]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Embedding<const TOKENS: usize, const O: usize, const MASK_ZERO: bool = false> {
    table: [[f32; O]; TOKENS],
}

impl<const TOKENS: usize, const O: usize, const MASK_ZERO: bool> Embedding<TOKENS, O, MASK_ZERO> {
    /// All rows zero: a place for a model that is read at run time.
    pub const EMPTY: Self = Embedding { table: [[0.0; O]; TOKENS] };

    const SHAPE: Shape = Shape { mask_zero: MASK_ZERO, ..Shape::new(Kind::Embedding, TOKENS, O, TOKENS * O) };

    /// From the rows.
    #[must_use]
    pub const fn new(table: [[f32; O]; TOKENS]) -> Self {
        Embedding { table }
    }

    const fn fill_from(&mut self, bytes: &[u8]) {
        pack(self.table.as_flattened_mut(), Source::Bytes(bytes), 1, TOKENS * O);
    }
}

impl<const TOKENS: usize, const O: usize, const MASK_ZERO: bool> Layer for Embedding<TOKENS, O, MASK_ZERO> {
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

    const MASKS: bool = MASK_ZERO;

    #[inline(always)]
    fn step_masked_on<B: Backend>(&self, b: B, _: bool, (): &mut (), x: &[f32; 1], y: &mut [f32; O]) -> bool {
        self.step_on(b, &mut (), x, y);
        MASK_ZERO && x[0] == 0.0
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, (): &mut (), _: &[f32; 1]) {}
}

leaf_layer!([const TOKENS: usize, const O: usize, const MASK_ZERO: bool] Embedding<TOKENS, O, MASK_ZERO>);
