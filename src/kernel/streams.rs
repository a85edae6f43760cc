//! One step of several streams that share their weights: what is read once serves them all.
//!
//! Each stream gets the bits of a step of its own: its sums are taken apart where the step's are.

use super::panel::Rows;
use super::{Block, sums_apart};
use crate::simd::Backend;

/// Work of several streams on a block of neighbouring units.
pub(super) trait StreamBlock {
    /// Rows of a matrix for each `k`.
    const GATES: usize;

    /// As [`Block::run`], with sums in `S` parts.
    ///
    /// # Safety
    /// As for [`Block::run`].
    unsafe fn run<B: Backend, const S: usize>(&mut self, b: B, unit: usize, panel: usize, width: usize);

    /// As [`Block::run_in_pairs`].
    ///
    /// # Safety
    /// As for [`Block::run_in_pairs`].
    unsafe fn run_in_pairs<B: Backend>(&mut self, b: B, panel: usize, width: usize);

    /// As [`Block::run_in_fours`].
    ///
    /// # Safety
    /// As for [`Block::run_in_fours`].
    unsafe fn run_in_fours<B: Backend>(&mut self, b: B, panel: usize, width: usize);
}

/// The two for panels with several rows in a vector, of which there is one at most: it is not worth a step together.
macro_rules! one_by_one {
    ($streams:expr) => {
        #[cfg_attr(not(debug_assertions), inline(always))]
        unsafe fn run_in_pairs<B: Backend>(&mut self, b: B, panel: usize, width: usize) {
            for stream in 0..$streams {
                // SAFETY: as promised to this function.
                unsafe { self.alone(stream).run_in_pairs(b, panel, width) };
            }
        }

        #[cfg_attr(not(debug_assertions), inline(always))]
        unsafe fn run_in_fours<B: Backend>(&mut self, b: B, panel: usize, width: usize) {
            for stream in 0..$streams {
                // SAFETY: as promised to this function.
                unsafe { self.alone(stream).run_in_fours(b, panel, width) };
            }
        }
    };
}
pub(super) use one_by_one;

/// The work as a [`Block`]: one register at a time, since the streams fill the others.
pub(super) struct Streams<W>(pub(super) W);

impl<W: StreamBlock> Streams<W> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run_by_half<B: Backend, const S: usize>(&mut self, b: B, unit: usize, panel: usize, width: usize) {
        // SAFETY: as promised to this function. The second register's units are in the same panel, or in the next one.
        unsafe {
            if B::REGISTERS == 1 {
                self.0.run::<B, S>(b, unit, panel, width);
            } else {
                let next = unit + B::LANES / 2;
                self.0.run::<B::Half, S>(b.half(), unit, panel, width);
                self.0.run::<B::Half, S>(b.half(), next, if B::LANES > width { panel + width } else { panel }, width);
            }
        }
    }
}

impl<W: StreamBlock> Block for Streams<W> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run<B: Backend>(&mut self, b: B, unit: usize, panel: usize, width: usize) {
        // SAFETY: as promised to this function.
        unsafe {
            match sums_apart::<B>(W::GATES) {
                1 => self.run_by_half::<B, 1>(b, unit, panel, width),
                2 => self.run_by_half::<B, 2>(b, unit, panel, width),
                _ => self.run_by_half::<B, 4>(b, unit, panel, width),
            }
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run_in_pairs<B: Backend>(&mut self, b: B, panel: usize, width: usize) {
        // SAFETY: as promised to this function.
        unsafe { self.0.run_in_pairs(b, panel, width) };
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run_in_fours<B: Backend>(&mut self, b: B, panel: usize, width: usize) {
        // SAFETY: as promised to this function.
        unsafe { self.0.run_in_fours(b, panel, width) };
    }
}

/// [`accumulate`](super::accumulate) for `T` streams, in `S` parts one after another: each part's sums fill the registers.
///
/// # Safety
/// Reads of a block's numbers in `N` rows are valid for every `k` below the length of each of `xs`, which is the same.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) unsafe fn accumulate<B: Backend, const N: usize, const S: usize, const T: usize>(
    b: B,
    mut sums: [[B::Vector; N]; T],
    weights: Rows,
    xs: [&[f32]; T],
) -> [[B::Vector; N]; T] {
    let length = xs[0].len();
    /// Every `S`th product from `k` on.
    macro_rules! products {
        ($sums:expr, $from:expr, $to:expr, $step:expr) => {
            let mut k = $from;
            while k < $to {
                let mut x = [b.splat(0.0); T];
                for t in 0..T {
                    // SAFETY: `k` is below the length.
                    x[t] = b.splat(unsafe { *xs[t].get_unchecked(k) });
                }
                let row = Rows { at: weights.at.wrapping_add(k * weights.step), ..weights };
                for g in 0..N {
                    // SAFETY: as promised to this function.
                    let weight = unsafe { row.load(b, g) };
                    for t in 0..T {
                        $sums[t][g] = b.mul_add(weight, x[t], $sums[t][g]);
                    }
                }
                k += $step;
            }
        };
    }
    let mut done = 0;
    if S > 1 && length >= 2 * S {
        done = length / S * S;
        products!(sums, 0, done, S);
        let mut apart = [[[b.splat(0.0); N]; T]; S];
        for (s, apart) in apart.iter_mut().enumerate().skip(1) {
            products!(apart, s, done, S);
        }
        for t in 0..T {
            for g in 0..N {
                sums[t][g] = b.add(sums[t][g], apart[1 % S][t][g]);
                if S == 4 {
                    sums[t][g] = b.add(sums[t][g], b.add(apart[2 % S][t][g], apart[3 % S][t][g]));
                }
            }
        }
    }
    products!(sums, done, length, 1);
    sums
}
