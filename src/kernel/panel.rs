//! The order of weights in memory: panels of a few units, and within a panel `[k][gate][unit]`, so that the weights a block
//! of units meets in one product stand side by side.

use super::{Block, Order, for_each_unit_from};
use crate::cell::Turn;
use crate::simd::Backend;

/// Units in a panel: as many wide ones as fit, then a narrow one if it fits, and the last panel of a layer has what is left. It
/// is storage: how many lanes work on it at a time is the backend's affair. On x86 a wide one is AVX-512's register and two of
/// AVX2's, on other hosts two registers; there is no narrow one on x86.
pub(super) const WIDTHS: [usize; 2] = if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
    [16, 16]
} else if cfg!(any(target_arch = "aarch64", target_arch = "wasm32")) {
    [8, 4]
} else {
    [4, 4]
};

/// Units in the next panel, when `left` units have none yet.
const fn panel_width(left: usize) -> usize {
    if left >= WIDTHS[0] {
        WIDTHS[0]
    } else if left >= WIDTHS[1] {
        WIDTHS[1]
    } else {
        left
    }
}

/// Where unpacked weights come from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// Numbers.
    Floats(&'a [f32]),
    /// Little-endian bytes of numbers.
    Bytes(&'a [u8]),
}

impl Source<'_> {
    /// How many numbers there are.
    pub(crate) const fn len(&self) -> usize {
        match self {
            Source::Floats(floats) => floats.len(),
            Source::Bytes(bytes) => bytes.len() / 4,
        }
    }
}

/// A dense layer with fewer units than this keeps its kernel in rows, one after another: `[unit][k]`.
pub(super) const ROWS_BELOW: usize = 4;

/// Writes a dense layer's kernel `[k][unit]` in the order that [`dense`](super::dense()) reads.
pub(crate) const fn pack_dense(packed: &mut [f32], source: Source<'_>, units: usize) {
    pack_dense_columns(packed, source, 0, units, units);
}

/// [`pack_dense`] of `units` columns, from `first` on, of a kernel of `columns`.
pub(crate) const fn pack_dense_columns(
    packed: &mut [f32],
    source: Source<'_>,
    first: usize,
    units: usize,
    columns: usize,
) {
    pack_panels(packed, source, (first, units, columns), if units < ROWS_BELOW { 1 } else { usize::MAX });
}

/// Writes a matrix `[k][gate][unit]` in panel order. A bias is a matrix of one `k`.
///
/// The same function packs in const evaluation, in a reader on the device and on the host. Const evaluation counts calls
/// and turns of loops, so there is one turn and no avoidable call per weight.
pub(crate) const fn pack(packed: &mut [f32], source: Source<'_>, gates: usize, units: usize) {
    debug_assert!(units == 0 || source.len().is_multiple_of(gates * units));
    pack_panels(packed, source, (0, units, units), usize::MAX);
}

/// Writes `units` columns, from `first` on, of a matrix that has `columns`.
const fn pack_panels(
    packed: &mut [f32],
    source: Source<'_>,
    (first, units, columns): (usize, usize, usize),
    widest: usize,
) {
    if units == 0 {
        return;
    }
    let rows = source.len() / columns;
    debug_assert!(packed.len() == rows * units && rows * columns == source.len());
    let mut to = 0;
    let mut panel = 0;
    while panel < units {
        let width = if units - panel < widest { panel_width(units - panel) } else { panel_width(widest) };
        let mut row = 0;
        while row < rows {
            let mut from = row * columns + first + panel;
            let end = to + width;
            match source {
                Source::Floats(floats) => {
                    while to < end {
                        packed[to] = floats[from];
                        from += 1;
                        to += 1;
                    }
                }
                Source::Bytes(bytes) => {
                    while to < end {
                        let at = 4 * from;
                        let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
                        packed[to] = f32::from_le_bytes(word);
                        from += 1;
                        to += 1;
                    }
                }
            }
            row += 1;
        }
        panel += width;
    }
}

/// The packed weights of a recurrent layer, of `gates` weight rows and `biases` bias rows per unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gates<'a> {
    pub(crate) recurrent: &'a [f32],
    pub(crate) input: &'a [f32],
    pub(crate) bias: &'a [f32],
    order: Order,
}

/// Whether a layer of so many inputs and bytes of weights gains by reading its input weights once for several steps.
pub(crate) const fn looks_ahead(inputs: usize, bytes: usize) -> bool {
    inputs >= 8 && is_large(bytes)
}

/// Whether a step of `T` streams together is faster than `T` steps: where so many bytes of weights, which come from afar, serve all
/// of them, and the sums of one register's units are enough to run side by side.
pub(crate) const fn serve_together<B: Backend, const T: usize>(gates: usize, bytes: usize) -> bool {
    T > 1 && T * gates >= B::SUMS && is_large(bytes)
}

/// Whether so many bytes of weights leave a host's first cache before the next step comes to them.
pub(crate) const fn is_large(bytes: usize) -> bool {
    cfg!(not(target_os = "none")) && bytes > 40 * 1024
}

impl<'a> Gates<'a> {
    pub(crate) const fn new(recurrent: &'a [f32], input: &'a [f32], bias: &'a [f32]) -> Self {
        Gates { recurrent, input, bias, order: Order::USUAL }
    }

    const fn are_large(&self) -> bool {
        is_large(4 * (self.recurrent.len() + self.input.len() + self.bias.len()))
    }

    /// The same weights without the input's, and with the input's part of the sums in place of the bias.
    ///
    /// The order stays, and with it every result: what is left may fit into the cache.
    #[inline(always)]
    pub(super) const fn without_input<'b>(self, sums: &'b [f32]) -> Gates<'b>
    where
        'a: 'b,
    {
        Gates { input: &[], bias: sums, ..self }
    }

    /// The same weights, gone through in the other direction than in the step before if that is of any use.
    #[inline(always)]
    pub(crate) fn in_turn(self, turn: &mut Turn) -> Self {
        if !self.are_large() {
            return self;
        }
        // What is gone through at a time should survive in the cache. Four gates keep the processor busy with one panel.
        let units = self.bias.len() / 4;
        let pairs = self.recurrent.len() != 4 * units * units;
        Gates { order: Order { backward: turn.next(), pairs }, ..self }
    }
}

impl Gates<'_> {
    /// Runs `work` over all of `units`, wide panels in the direction that these weights are gone through.
    #[inline(always)]
    pub(super) fn for_each_unit<B: Backend>(self, b: B, units: usize, work: &mut impl Block) {
        for_each_unit_from(b, units, self.order, work);
    }

    /// The number of units, once every length is known to agree with it.
    ///
    /// # Panics
    /// If the lengths do not agree. With constant sizes nothing is left of the check.
    #[inline(always)]
    pub(super) fn units(&self, gates: usize, biases: usize, x: &[f32], h: &[f32], y: &[f32]) -> usize {
        let units = h.len();
        assert!(
            y.len() == units
                && self.recurrent.len() == gates * units * units
                && self.input.len() == gates * units * x.len()
                && self.bias.len() == biases * units
        );
        units
    }

    /// A block's rows in the bias, the input and the recurrent weights. The lengths are those that [`units`](Gates::units) checks for
    /// the same `gates`, `biases` and `inputs`.
    #[inline(always)]
    pub(super) fn block<B: Backend>(
        &self,
        gates: usize,
        biases: usize,
        inputs: usize,
        (unit, panel, width): (usize, usize, usize),
    ) -> BlockWeights {
        let units = self.bias.len() / biases;
        BlockWeights {
            bias: Rows::new::<B>(self.bias, biases, biases, (unit, panel, width)),
            input: Rows::new::<B>(self.input, gates, gates * inputs, (unit, panel, width)),
            recurrent: Rows::new::<B>(self.recurrent, gates, gates * units, (unit, panel, width)),
        }
    }
}

/// A block's rows, one for each matrix.
pub(super) struct BlockWeights {
    pub(super) bias: Rows,
    pub(super) input: Rows,
    pub(super) recurrent: Rows,
}

/// The rows of a block of units in a packed matrix.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    /// The first unit's number in the first row.
    pub(super) at: *const f32,
    /// From row to row.
    pub(super) width: usize,
    /// From `k` to `k`.
    pub(super) step: usize,
    /// From a register to the next one, of a backend of two.
    pub(super) apart: usize,
}

impl Rows {
    /// The block `(unit, panel, width)` of a matrix with `rows` rows for each `k`, and `numbers` numbers for each unit.
    ///
    /// An empty matrix has no blocks, and none is read from it.
    #[inline(always)]
    pub(super) fn new<B: Backend>(
        matrix: &[f32],
        rows: usize,
        numbers: usize,
        (unit, panel, width): (usize, usize, usize),
    ) -> Self {
        Rows {
            // A panel's part of a matrix with n numbers per unit begins at n times the units before it.
            at: matrix.as_ptr().wrapping_add(panel * numbers + unit - panel),
            width,
            step: rows * width,
            apart: if B::LANES > width { width * numbers } else { B::LANES / 2 },
        }
    }

    /// The same without the first `rows` rows.
    #[inline(always)]
    pub(super) fn skip(self, rows: usize) -> Self {
        Rows { at: self.at.wrapping_add(rows * self.width), ..self }
    }

    /// The same with two rows as one.
    #[inline(always)]
    pub(super) fn in_pairs(self) -> Self {
        Rows { width: 2 * self.width, ..self }
    }

    /// The block's numbers in a row.
    ///
    /// # Safety
    /// They are within the matrix.
    #[inline(always)]
    pub(super) unsafe fn load<B: Backend>(self, b: B, row: usize) -> B::Vector {
        // SAFETY: as promised to this function.
        unsafe { b.load_apart(self.at.add(row * self.width), self.apart) }
    }
}
