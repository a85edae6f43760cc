//! The loops over int8 weights. As for single precision each cell has one kernel over slices and sizes, for const-generic
//! layers and run-time networks; sums of integers are the same in every order.

mod dense;
mod gru;
mod lstm;
mod pack;
mod simple_rnn;
mod storage;

pub(crate) use dense::dense;
pub(crate) use gru::{GruRows, gru};
pub(crate) use lstm::lstm;
pub(crate) use pack::{Words, bytes_of, pack, pack_rows, place};
pub(crate) use simple_rnn::simple_rnn;
pub(crate) use storage::{KernelPanels, Panels};

use crate::simd::integers::{Integers, Strides};
use pack::{FOURS, in_fours, widest};

/// Neighbouring units: `LANES` of the token from `unit` on, in the panel of `width` units that begins at `panel`.
#[derive(Clone, Copy)]
struct Place {
    unit: usize,
    panel: usize,
    width: usize,
}

/// Work on a block of neighbouring units, which have `N` sums each.
trait Block<const N: usize> {
    /// The sums before the activations.
    ///
    /// # Safety
    /// The units of `at` are within the panel, and the panel within the units that the work is for.
    unsafe fn sums<I: Integers>(&self, i: I, at: Place) -> [I::Vector; N];

    /// What becomes of them.
    ///
    /// # Safety
    /// As for [`sums`](Block::sums).
    unsafe fn finish<I: Integers>(&mut self, i: I, at: Place, sums: [I::Vector; N]);
}

/// Blocks whose sums are made before the first one is finished. What is finished waits for itself all the time, and a processor looks
/// some five hundred instructions ahead: less than to the next block's products, which wait for nothing.
const AHEAD: usize = 4;

/// Runs `work` over all of `units`, whose weights have so many gates.
#[cfg_attr(not(debug_assertions), inline(always))]
fn for_each_unit<I: Integers, const N: usize>(i: I, gates: usize, units: usize, work: &mut impl Block<N>) {
    let mut panel = 0;
    if I::MASKS {
        // Here a panel is a block.
        while panel < units {
            let at = |block| Place { unit: panel + block * I::LANES, panel: panel + block * I::LANES, width: I::LANES };
            let blocks = ((units - panel) / I::LANES).min(AHEAD);
            let rest = if blocks < AHEAD { units - panel - blocks * I::LANES } else { 0 };
            let (last, last_at) = (i.first(rest), Place { width: rest, ..at(blocks) });
            let mut sums = [[i.splat(0); N]; AHEAD];
            let mut last_sums = [i.splat(0); N];
            // SAFETY: the blocks are within the units, and so is what is left, if anything.
            unsafe {
                for (block, sums) in sums.iter_mut().enumerate().take(blocks) {
                    *sums = work.sums(i, at(block));
                }
                if rest > 0 {
                    last_sums = work.sums(last, last_at);
                }
                for (block, sums) in sums.iter().enumerate().take(blocks) {
                    work.finish(i, at(block), *sums);
                }
                if rest > 0 {
                    work.finish(last, last_at, last_sums);
                }
            }
            panel += AHEAD * I::LANES;
        }
        return;
    }
    while units - panel >= widest(gates) {
        // SAFETY: the loop's condition.
        unsafe { for_each_in_panel(i, Place { unit: panel, panel, width: widest(gates) }, work) };
        panel += widest(gates);
    }
    if panel < units {
        // SAFETY: the last panel has the units that are left.
        unsafe { for_each_in_panel(i, Place { unit: panel, panel, width: units - panel }, work) };
    }
}

/// Runs `work` over the units of a panel from `at.unit` on, in blocks that shrink towards its end.
///
/// # Safety
/// The panel is within the units that the work is for.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn for_each_in_panel<I: Integers, const N: usize>(i: I, mut at: Place, work: &mut impl Block<N>) {
    let end = at.panel + at.width;
    while end - at.unit >= I::LANES {
        // SAFETY: the loop's condition.
        unsafe {
            let sums = work.sums(i, at);
            work.finish(i, at, sums);
        }
        at.unit += I::LANES;
    }
    if I::LANES > 1 && at.unit < end {
        // SAFETY: as promised to this function.
        unsafe { for_each_in_panel(i.half(), at, work) };
    }
}

/// Biases and scales in panel order, rows of them for each unit: first the biases of a panel, then its scales.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a>(pub(crate) &'a [i32]);

impl Rows<'_> {
    /// A block's biases in `N` rows from `first` on, of `rows`.
    ///
    /// # Safety
    /// There are that many rows for each unit, and the block is within the units.
    #[inline(always)]
    unsafe fn biases<I: Integers, const N: usize>(
        self,
        i: I,
        (rows, first): (usize, usize),
        at: Place,
    ) -> [I::Vector; N] {
        let mut block = [i.splat(0); N];
        for (row, numbers) in block.iter_mut().enumerate() {
            let from = 2 * at.panel * rows + (first + row) * at.width + at.unit - at.panel;
            // SAFETY: as promised to this function.
            *numbers = unsafe { i.load(self.0.as_ptr().add(from)) };
        }
        block
    }

    /// A block's scales in such rows.
    ///
    /// # Safety
    /// As for [`biases`](Rows::biases).
    #[inline(always)]
    unsafe fn scales<I: Integers, const N: usize>(
        self,
        i: I,
        (rows, first): (usize, usize),
        at: Place,
    ) -> [I::Vector; N] {
        // SAFETY: as promised to this function; behind the biases' rows are as many of scales.
        unsafe { Rows(self.0).biases(i, (rows, first + rows), at) }
    }
}

/// A packed matrix of int8 weights, and its offsets where the packing has written some.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a> {
    pub(crate) weights: &'a [i8],
    pub(crate) offsets: &'a [i32],
}

impl Matrix<'_> {
    /// `sums[g] + Σ_k weights[k][first + g] · x[k]` for a block and `G` of the matrix's `gates` gates. `x` is prepared.
    ///
    /// # Safety
    /// The matrix has that many gates, as many inputs as `x` has numbers, and the block's units; its offsets are there if the
    /// token's functions want them.
    #[inline(always)]
    unsafe fn add_products<I: Integers, const G: usize>(
        self,
        i: I,
        mut sums: [I::Vector; G],
        (gates, first): (usize, usize),
        units: usize,
        at: Place,
        x: &[i16],
    ) -> [I::Vector; G] {
        let Place { unit, panel, width } = at;
        let lane = unit - panel;
        #[cfg(gatelet_mve)]
        if G == 1 || width == 1 {
            let row = panel * gates + first * width + lane;
            // SAFETY: as promised to this function. A panel has one unit or one gate: the block's rows follow each other.
            return unsafe { i.rows(sums, self.weights.as_ptr().add(row * x.len()), x) };
        }
        let fours = in_fours(x.len());
        let (before, rest) = x.split_at(fours);
        if FOURS {
            let strides = Strides { gate: 4 * width, step: 4 * gates * width };
            let place = panel * gates * fours + 4 * (first * width + lane);
            let offsets = self.offsets.as_ptr().wrapping_add(panel * gates + first * width + lane);
            // SAFETY: as promised to this function.
            sums = unsafe { i.fours(sums, self.weights.as_ptr().add(place), strides, offsets, before.as_chunks().0) };
        }
        // What is left stands behind all fours.
        let mut at = self.weights.as_ptr().wrapping_add(units * gates * fours + panel * gates * rest.len());
        let mut ones = rest;
        if FOURS && let [a, b, more @ ..] = rest {
            // SAFETY: as promised to this function.
            sums = unsafe { i.pair(sums, at.add(2 * (first * width + lane)), 2 * width, [*a, *b]) };
            at = at.wrapping_add(2 * gates * width);
            ones = more;
        }
        let strides = Strides { gate: width, step: gates * width };
        // SAFETY: as promised to this function.
        unsafe { i.ones(sums, at.add(first * width + lane), strides, ones) }
    }
}

/// The weights of a recurrent layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gates<'a> {
    pub(crate) recurrent: Matrix<'a>,
    pub(crate) input: Matrix<'a>,
    pub(crate) constants: Rows<'a>,
}

impl Gates<'_> {
    /// The number of units, once every length is known to agree with it.
    ///
    /// # Panics
    /// If the lengths do not agree. With constant sizes nothing is left of the check.
    #[inline(always)]
    fn units(&self, (gates, rows): (usize, usize), x: &[i16], h: &[i16], state: &[i16]) -> usize {
        let units = h.len();
        let offsets = if cfg!(target_arch = "x86_64") { gates * units } else { 0 };
        assert!(
            state.len() == units
                && self.recurrent.weights.len() >= gates * units * units
                && self.input.weights.len() >= gates * units * x.len()
                && self.recurrent.offsets.len() >= offsets
                && self.input.offsets.len() >= offsets
                && self.constants.0.len() == 2 * rows * units
        );
        units
    }

    /// `(⌊(b + U h) / 2ᵈ⌋ + W x) · s / 2³²` of `N` gates from `first` on, of `gates`: the sums before the activations in the units
    /// that these want. d is the lowest byte of s.
    ///
    /// # Safety
    /// The lengths are those that [`units`](Gates::units) has found right, with as many rows as gates or more.
    #[inline(always)]
    unsafe fn sums<I: Integers, const N: usize>(
        &self,
        i: I,
        (gates, rows, first): (usize, usize, usize),
        at: Place,
        x: &[i16],
        h: &[i16],
    ) -> [I::Vector; N] {
        let units = h.len();
        // SAFETY: as promised to this function.
        unsafe {
            let mut sums = self.constants.biases::<I, N>(i, (rows, first), at);
            sums = self.recurrent.add_products(i, sums, (gates, first), units, at, h);
            let scales = self.constants.scales::<I, N>(i, (rows, first), at);
            for g in 0..N {
                sums[g] = i.shift_right_each(sums[g], scales[g]);
            }
            sums = self.input.add_products(i, sums, (gates, first), units, at, x);
            for g in 0..N {
                sums[g] = i.mul_high(sums[g], scales[g]);
            }
            sums
        }
    }
}

/// The mean of so many vectors, rounded: ⌊(Σ x + ⌊n / 2⌋) / n⌋. No sum of up to 2¹⁴ of them exceeds 32 bits.
#[inline(always)]
pub(crate) fn mean<'a>(xs: impl Iterator<Item = &'a [i16]> + Clone, count: usize, y: &mut [i16]) {
    let count = count as i32;
    for (i, y) in y.iter_mut().enumerate() {
        let sum: i32 = xs.clone().filter_map(|x| x.get(i)).map(|&x| i32::from(x)).sum();
        *y = (sum + count / 2).div_euclid(count) as i16;
    }
}
