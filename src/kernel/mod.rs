//! The loops over weights: products of packed matrices with a vector, several gates at a time, handed in registers to a
//! cell's equations.
//!
//! Each cell has one kernel, over slices and sizes: const-generic layers and run-time networks call the same one, and
//! constant sizes fold because everything here is inlined. On the scalar backend the sum of every unit runs in one order,
//! whatever its width: bias, then inputs, then hidden state, each by rising index. Others take sums apart where too few would run
//! side by side, in a way that depends on the sizes alone: steps, runs and streams of a network give the same bits.
//!
//! In a debug build nothing here is inlined: without optimisation every inlined operation would keep its place on the stack, which
//! adds up to megabytes.

#[cfg(all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))]
mod cortex_m;
mod dense;
mod elementwise;
mod gru;
mod history;
pub(crate) mod integer;
mod lstm;
mod panel;
mod simple_rnn;
mod storage;
mod streams;

pub(crate) use dense::dense;
pub(crate) use elementwise::{add, normalize, prelu, token, unit_normalize};
pub(crate) use gru::{GruWeights, gru, gru_steps, gru_streams};
pub(crate) use history::{Convolution, conv1d, mean, remember};
pub(crate) use integer::place;
pub(crate) use lstm::{lstm, lstm_steps, lstm_streams};
use panel::Rows;
pub(crate) use panel::{Gates, Source, is_large, looks_ahead, pack, pack_dense, pack_dense_columns, serve_together};
pub(crate) use simple_rnn::simple_rnn;
pub(crate) use storage::{GroupPanels, KernelPanels, Panels};

use crate::math::Activation;
use crate::simd::{Backend, Partial, TINY, Wide};

/// Work on a block of neighbouring units, as many as the backend loads and stores at a time.
trait Block {
    /// Does it for the units from `unit` on. `panel` is the first unit of their panel and `width` the number of its units.
    ///
    /// # Safety
    /// All units that `b` touches from `unit` on are in the panel or, where `b` has twice as many lanes as the panel has units, in it
    /// and the next one of the same width; and these are within the units the work is for.
    unsafe fn run<B: Backend>(&mut self, b: B, unit: usize, panel: usize, width: usize);

    /// Does it for a panel of half as many units as `b` has lanes, where two rows of a matrix fit into a vector.
    ///
    /// # Safety
    /// As for [`run`](Block::run) with `b.half()`, where `unit` is the panel's first unit.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run_in_pairs<B: Backend>(&mut self, b: B, panel: usize, width: usize) {
        // SAFETY: as promised to this function.
        unsafe { self.run(b.half(), panel, panel, width) };
    }

    /// Does it for a panel of a quarter as many units as `b` has lanes, where four rows of a matrix fit into a vector.
    ///
    /// # Safety
    /// As for [`run`](Block::run) with `b.half().half()`, where `unit` is the panel's first unit.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run_in_fours<B: Backend>(&mut self, b: B, panel: usize, width: usize) {
        // SAFETY: as promised to this function.
        unsafe { self.run_in_pairs(b.half(), panel, width) };
    }
}

const WIDE: usize = panel::WIDTHS[0];
const NARROW: usize = panel::WIDTHS[1];

/// Runs `work` over all of `units`, panel by panel and block by block.
#[cfg_attr(not(debug_assertions), inline(always))]
fn for_each_unit<B: Backend>(b: B, units: usize, work: &mut impl Block) {
    for_each_unit_from(b, units, Order::USUAL, work);
}

/// How to go through the wide panels.
#[derive(Clone, Copy, Debug)]
struct Order {
    /// Whether to begin with the last.
    backward: bool,
    /// Whether to take two at a time, where a wide panel is one register. Sums are taken apart otherwise, so this decides about
    /// bits: it has to come from the whole of a layer's weights, in a step, a run and with streams alike.
    pairs: bool,
}

impl Order {
    const USUAL: Self = Order { backward: false, pairs: true };
}

/// Runs `work` over all of `units`.
#[cfg_attr(not(debug_assertions), inline(always))]
fn for_each_unit_from<B: Backend>(b: B, units: usize, order: Order, work: &mut impl Block) {
    // The order of `panel_width`, spelt out so that every width but the last stands in the code as a constant.
    let wide = units / WIDE;
    let pairs = if order.pairs && B::SUMS > 1 && B::LANES == WIDE { wide / 2 } else { 0 };
    for i in 0..pairs {
        let panel = 2 * WIDE * if order.backward { pairs - 1 - i } else { i };
        // SAFETY: two panels of `WIDE` units begin at `panel`.
        unsafe { work.run(Wide(b), panel, panel, WIDE) };
    }
    let wide = wide - 2 * pairs;
    for i in 0..wide {
        let panel = WIDE * (2 * pairs + if order.backward { wide - 1 - i } else { i });
        // SAFETY: the panel begins at `panel` and has `WIDE` units.
        unsafe { for_each_in_panel(b, panel, WIDE, work) };
    }
    let mut panel = (2 * pairs + wide) * WIDE;
    while units - panel >= NARROW {
        // SAFETY: the panel begins at `panel` and has `NARROW` units.
        unsafe { for_each_in_panel(b, panel, NARROW, work) };
        panel += NARROW;
    }
    if panel < units {
        // SAFETY: the last panel begins at `panel` and has the units that are left.
        unsafe { for_each_in_panel(b, panel, units - panel, work) };
    }
}

/// Runs `work` over the units of one panel: two registers at a time where the backend gains by it, then one, then what is left.
///
/// # Safety
/// `panel + width` is at most the number of units the work is for.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn for_each_in_panel<B: Backend>(b: B, panel: usize, width: usize, work: &mut impl Block) {
    let mut unit = panel;
    if B::SUMS > 1 {
        while panel + width - unit >= 2 * B::LANES {
            // SAFETY: the loop's condition.
            unsafe { work.run(Wide(b), unit, panel, width) };
            unit += 2 * B::LANES;
        }
    }
    // SAFETY: as promised to this function.
    unsafe { narrow(b, unit, panel, width, work) };
}

/// Runs `work` over the units of one panel from `unit` on, in blocks that shrink towards its end.
///
/// # Safety
/// `unit` is at most `panel + width`, and that at most the number of units the work is for.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn narrow<B: Backend>(b: B, mut unit: usize, panel: usize, width: usize, work: &mut impl Block) {
    while panel + width - unit >= B::LANES {
        // SAFETY: the loop's condition.
        unsafe { work.run(b, unit, panel, width) };
        unit += B::LANES;
    }
    let left = panel + width - unit;
    if B::LANES == 1 || left == 0 {
        return;
    }
    // SAFETY: a partial backend touches what is left; the rest is as promised to this function.
    unsafe {
        if B::MASKS && (left > B::Half::LANES || !B::Half::MASKS) {
            work.run(Partial::new(b, left), unit, panel, width);
        } else if B::MASKS && left == B::Half::LANES && unit == panel {
            work.run_in_pairs(b, panel, width);
        } else if <<B::Half as Backend>::Half as Backend>::MASKS && 4 * left == B::LANES && unit == panel {
            work.run_in_fours(b, panel, width);
        } else {
            narrow(b.half(), unit, panel, width, work);
        }
    }
}

/// Copies `from` to `to`, from registers where it has just been written.
#[cfg_attr(not(debug_assertions), inline(always))]
fn copy<B: Backend>(b: B, from: &[f32], to: &mut [f32]) {
    struct Copy<'a>(&'a [f32], &'a mut [f32]);
    impl Block for Copy<'_> {
        #[cfg_attr(not(debug_assertions), inline(always))]
        unsafe fn run<B: Backend>(&mut self, b: B, unit: usize, _: usize, _: usize) {
            // SAFETY: the block is within both slices, whose length is the number of units.
            unsafe { b.store(self.1.as_mut_ptr().add(unit), b.load(self.0.as_ptr().add(unit))) }
        }
    }
    assert!(from.len() == to.len());
    for_each_unit(b, from.len(), &mut Copy(from, to));
}

/// Applies an activation to a slice in place.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn for_each_block<B: Backend>(b: B, values: &mut [f32], activation: impl Activation) {
    struct Apply<'a, A>(&'a mut [f32], A);
    impl<A: Activation> Block for Apply<'_, A> {
        #[cfg_attr(not(debug_assertions), inline(always))]
        unsafe fn run<B: Backend>(&mut self, b: B, unit: usize, _: usize, _: usize) {
            // SAFETY: the block is within the slice, whose length is the number of units.
            unsafe {
                let at = self.0.as_mut_ptr().add(unit);
                b.store(at, self.1.apply(b, b.load(at)));
            }
        }
    }
    for_each_unit(b, values.len(), &mut Apply(values, activation));
}

/// A loop over the rows of a cell, four at most, written out: where the compiler saves code it would stay a loop, and keep the
/// sums in memory.
macro_rules! for_each_row {
    ($g:ident < $n:expr, $body:block) => {
        const { assert!($n <= 4) };
        for_each_row!(@ 0, $g, $n, $body);
        for_each_row!(@ 1, $g, $n, $body);
        for_each_row!(@ 2, $g, $n, $body);
        for_each_row!(@ 3, $g, $n, $body);
    };
    (@ $row:literal, $g:ident, $n:expr, $body:block) => {
        if $row < $n {
            let $g: usize = $row;
            $body
        }
    };
}

/// `sums[g] + Σ_k weights[k][g] · x[k]` for `N` rows `g`.
///
/// # Safety
/// Reads of a block's numbers in `N` rows are valid for every `k` below `x.len()`.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn accumulate<B: Backend, const N: usize>(
    b: B,
    #[allow(unused_mut, reason = "the Cortex-M loop adds to it")] mut sums: [B::Vector; N],
    weights: Rows,
    x: &[f32],
) -> [B::Vector; N] {
    #[cfg(all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))]
    if B::LANES == 4 && weights.width == 4 && weights.step == 4 * N && matches!(N, 1 | 3 | 4) {
        // SAFETY: four lanes are four numbers; a panel of four units has all rows of a `k` side by side.
        unsafe { cortex_m::accumulate::<N>(&mut *(&raw mut sums).cast::<[[f32; 4]; N]>(), weights.at, x) };
        return sums;
    }
    // One product after another waits for the one before; where that shows, neighbouring `k` go to sums of their own.
    // SAFETY: as promised to this function.
    unsafe {
        match sums_apart::<B>(N) {
            1 => accumulate_apart::<B, N, 1>(b, sums, weights, x),
            2 => accumulate_apart::<B, N, 2>(b, sums, weights, x),
            _ => accumulate_apart::<B, N, 4>(b, sums, weights, x),
        }
    }
}

/// `items`, of a number that the compiler does not know where it would write all products out one after another, which are then
/// ordered by gate and run out of registers. More than that it leaves in a loop, and fewer do not matter.
#[cfg_attr(not(debug_assertions), inline(always))]
fn as_a_loop<B: Backend, T, const N: usize>(items: &[T]) -> &[T] {
    let numbers = size_of_val(items) / size_of::<f32>();
    if B::SUMS > 1 && matches!(N * B::REGISTERS, 3..8) && numbers > 16 && numbers < 32 {
        &items[..core::hint::black_box(items.len()).min(items.len())]
    } else {
        items
    }
}

/// In how many parts the sums of `rows` rows are taken, so that enough of them run side by side.
const fn sums_apart<B: Backend>(rows: usize) -> usize {
    match B::SUMS.div_ceil(rows * B::REGISTERS) {
        0 | 1 => 1,
        2 => 2,
        _ => 4,
    }
}

/// [`accumulate`] with `S` sums for each row, which are added at the end.
///
/// # Safety
/// As for [`accumulate`].
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn accumulate_apart<B: Backend, const N: usize, const S: usize>(
    b: B,
    mut sums: [B::Vector; N],
    mut weights: Rows,
    x: &[f32],
) -> [B::Vector; N] {
    /// The products with one `x`. Not a closure, which the compiler may leave apart.
    macro_rules! product {
        ($sums:expr, $x:expr) => {
            let x = b.splat($x);
            for_each_row!(g < N, {
                // SAFETY: as promised to this function.
                $sums[g] = b.mul_add(unsafe { weights.load(b, g) }, x, $sums[g]);
            });
            weights.at = weights.at.wrapping_add(weights.step);
        };
    }
    let mut rest = x;
    if S > 1 && x.len() >= 2 * S {
        let mut apart = [[b.splat(0.0); N]; S];
        apart[0] = sums;
        let blocks;
        (blocks, rest) = x.as_chunks::<S>();
        for x in as_a_loop::<B, _, N>(blocks) {
            for_each_row!(s < S, {
                product!(apart[s], x[s]);
            });
        }
        for_each_row!(g < N, {
            sums[g] = b.add(apart[0][g], apart[1 % S][g]);
            if S == 4 {
                sums[g] = b.add(sums[g], b.add(apart[2 % S][g], apart[3 % S][g]));
            }
        });
    }
    if S == 1 && cfg!(target_arch = "aarch64") {
        // There, four factors are one load, and a product takes its factor from a lane.
        let fours;
        (fours, rest) = rest.as_chunks::<4>();
        for x in fours {
            for_each_row!(i < 4, {
                product!(sums, x[i]);
            });
        }
    }
    for &x in if S == 1 { as_a_loop::<B, _, N>(rest) } else { rest } {
        product!(sums, x);
    }
    sums
}

/// `N` neighbouring rows of a panel's biases.
///
/// # Safety
/// Reads of a block's numbers in `N` rows are valid.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn biases<B: Backend, const N: usize>(b: B, bias: Rows) -> [B::Vector; N] {
    let mut rows = [b.splat(0.0); N];
    for_each_row!(g < N, {
        // SAFETY: as promised to this function.
        rows[g] = unsafe { bias.load(b, g) };
    });
    rows
}

/// A cell's input, kept from denormal numbers where they are slow: `x` itself, or its copy in `room`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn flushed<'a, B: Backend>(b: B, x: &'a [f32], room: &'a mut [f32]) -> &'a [f32] {
    if !B::FLUSHES {
        return x;
    }
    assert!(room.len() == x.len());
    let mut whole = 0;
    // Vectors by hand: the compiler would put each together from single numbers. None is partial, since what is read
    // back one number at a time would wait for a masked store.
    while x.len() - whole >= B::LANES {
        // SAFETY: the loop's condition; both slices have one length.
        unsafe {
            let x = b.load(x.as_ptr().add(whole));
            b.store(room.as_mut_ptr().add(whole), b.flush(x, x));
        }
        whole += B::LANES;
    }
    for (to, &x) in room.iter_mut().zip(x).skip(whole) {
        // Not `>=`, so that a NaN stays one.
        *to = if x.abs() < TINY { 0.0 } else { x };
    }
    room
}

/// [`flushed`] for each of `xs`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn each_flushed<'a, B: Backend, const I: usize, const T: usize>(
    b: B,
    xs: [&'a [f32; I]; T],
    rooms: &'a mut [[f32; I]; T],
) -> [&'a [f32]; T] {
    if !B::FLUSHES {
        return xs.map(|x| &x[..]);
    }
    for (x, room) in xs.into_iter().zip(&mut *rooms) {
        flushed(b, x, room);
    }
    rooms.each_ref().map(|x| &x[..])
}
