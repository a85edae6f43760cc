//! The integer table of vectors.

use crate::format::{Kind, Shape, leaf_layer};
use crate::layer::Layer;
use crate::simd::Backend;

/// An integer [`Embedding`](crate::Embedding): a row of `O` int8 numbers q, which stand behind it as 2⁸ q, for each of the whole numbers from 0 to
/// `TOKENS - 1`. Any other input gives zeros. With `MASK_ZERO` a 0 masks its time step for the layers behind.
///
/// ```
/// use gatelet::{Layer, quant};
/// let layer: quant::Embedding<3, 2> = quant::Embedding::new([[0, 1], [10, 11], [-20, 21]]);
/// let mut y = [0; 2];
/// layer.step(&mut (), &[2], &mut y);
/// assert_eq!(y, [-20 * 256, 21 * 256]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Embedding<const TOKENS: usize, const O: usize, const MASK_ZERO: bool = false> {
    table: [[i8; O]; TOKENS],
}

impl<const TOKENS: usize, const O: usize, const MASK_ZERO: bool> Embedding<TOKENS, O, MASK_ZERO> {
    /// All rows zero: a place for a model that is read at run time.
    pub const EMPTY: Self = Embedding { table: [[0; O]; TOKENS] };

    const SHAPE: Shape = Shape { mask_zero: MASK_ZERO, ..Shape::integer(Kind::Embedding, TOKENS, O, O + TOKENS * O) };

    /// From the rows.
    #[must_use]
    pub const fn new(table: [[i8; O]; TOKENS]) -> Self {
        Embedding { table }
    }

    const fn fill_from(&mut self, bytes: &[u8]) {
        // In front are the fraction bits of each output, which the layers behind have made use of.
        let rows = bytes.split_at(O).1;
        let table = self.table.as_flattened_mut();
        let mut i = 0;
        while i < table.len() {
            table[i] = rows[i].cast_signed();
            i += 1;
        }
    }
}

/// The row of a token in a table of rows, as it is given.
#[inline(always)]
pub(crate) fn row(table: &[i8], token: i16, y: &mut [i16]) {
    let first = usize::try_from(token).ok().and_then(|token| token.checked_mul(y.len()));
    let row = first.and_then(|first| table.get(first..)).and_then(|rows| rows.get(..y.len()));
    y.fill(0);
    for (y, &q) in y.iter_mut().zip(row.unwrap_or_default()) {
        *y = i16::from(q) << 8;
    }
}

impl<const TOKENS: usize, const O: usize, const MASK_ZERO: bool> Layer for Embedding<TOKENS, O, MASK_ZERO> {
    type Input = [i16; 1];
    type Output = [i16; O];
    type State = ();
    const ZERO_STATE: () = ();
    const FLASH_BYTES: usize = TOKENS * O;
    const STATE_BYTES: usize = 0;

    #[inline(always)]
    fn step_on<B: Backend>(&self, _: B, (): &mut (), x: &[i16; 1], y: &mut [i16; O]) {
        row(self.table.as_flattened(), x[0], y);
    }

    const MASKS: bool = MASK_ZERO;

    #[inline(always)]
    fn step_masked_on<B: Backend>(&self, b: B, _: bool, (): &mut (), x: &[i16; 1], y: &mut [i16; O]) -> bool {
        self.step_on(b, &mut (), x, y);
        MASK_ZERO && x[0] == 0
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, (): &mut (), _: &[i16; 1]) {}
}

leaf_layer!([const TOKENS: usize, const O: usize, const MASK_ZERO: bool] Embedding<TOKENS, O, MASK_ZERO>);
