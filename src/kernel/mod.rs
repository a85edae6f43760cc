//! The loops over weights: products of packed matrices with a vector, several gates at a time, handed in registers to a
//! cell's equations.
//!
//! Each cell has one kernel, over slices and sizes: const-generic layers and run-time networks call the same one, and
//! constant sizes fold because everything here is inlined. For every unit the sum runs in one order, whatever the backend's
//! width: bias, then inputs, then hidden state, each by rising index.

#[cfg(all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))]
mod cortex_m;
mod dense;
mod gru;
mod lstm;
mod panel;
mod simple_rnn;
mod storage;

pub(crate) use dense::dense;
pub(crate) use gru::{GruWeights, gru};
pub(crate) use lstm::lstm;
pub(crate) use panel::{Gates, Source, pack};
pub(crate) use simple_rnn::simple_rnn;
pub(crate) use storage::{KernelPanels, Panels};

use crate::math::Activation;
use crate::simd::Backend;

/// Work on a block of `B::LANES` neighbouring units.
trait Block {
    /// Does it for the units from `unit` on. `panel` is the first unit of their panel and `width` the number of its units.
    ///
    /// # Safety
    /// `unit + B::LANES` is at most `panel + width`, and that at most the number of units the work is for.
    unsafe fn run<B: Backend>(&mut self, b: B, unit: usize, panel: usize, width: usize);
}

/// Runs `work` over all of `units`, panel by panel and block by block.
#[inline(always)]
fn for_each_unit<B: Backend>(b: B, units: usize, work: &mut impl Block) {
    const { assert!(panel::PANEL.is_multiple_of(B::LANES)) };
    let mut panel = 0;
    while units - panel >= panel::PANEL {
        let mut unit = panel;
        while unit < panel + panel::PANEL {
            // SAFETY: panels are whole here and `LANES` divides them, as asserted above.
            unsafe { work.run(b, unit, panel, panel::PANEL) };
            unit += B::LANES;
        }
        panel += panel::PANEL;
    }
    if panel < units {
        // SAFETY: the last panel begins at `panel` and has the units that are left.
        unsafe { narrow(b, panel, panel, units - panel, work) };
    }
}

/// Runs `work` over the units of one panel from `unit` on, in blocks that shrink towards its end.
///
/// # Safety
/// `unit` is at most `panel + width`, and that at most the number of units the work is for.
#[inline(always)]
unsafe fn narrow<B: Backend>(b: B, mut unit: usize, panel: usize, width: usize, work: &mut impl Block) {
    while panel + width - unit >= B::LANES {
        // SAFETY: the loop's condition.
        unsafe { work.run(b, unit, panel, width) };
        unit += B::LANES;
    }
    if B::LANES > 1 && unit < panel + width {
        // SAFETY: as promised to this function.
        unsafe { narrow(b.half(), unit, panel, width, work) };
    }
}

/// Applies an activation to a slice in place.
#[inline(always)]
pub(crate) fn for_each_block<B: Backend>(b: B, values: &mut [f32], activation: impl Activation) {
    struct Apply<'a, A>(&'a mut [f32], A);
    impl<A: Activation> Block for Apply<'_, A> {
        #[inline(always)]
        unsafe fn run<B: Backend>(&mut self, b: B, unit: usize, _: usize, _: usize) {
            // SAFETY: `unit + LANES` is within the slice, whose length is the number of units.
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

/// `sums[g] + Σ_k weights[k][g] · x[k]` for `N` neighbouring rows `g` of a panel whose matrices have `gates` rows.
///
/// # Safety
/// `weights` points at the block's units in the first of the `N` rows of `k = 0`, in a panel `width` units wide: reads of
/// `LANES` numbers at `(k · gates + g) · width` from there are valid for every `k` below `x.len()` and `g` below `N`.
#[inline(always)]
unsafe fn accumulate<B: Backend, const N: usize>(
    b: B,
    mut sums: [B::Vector; N],
    mut weights: *const f32,
    width: usize,
    gates: usize,
    x: &[f32],
) -> [B::Vector; N] {
    #[cfg(all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))]
    if B::LANES == 4 && width == 4 && gates == N && matches!(N, 1 | 3 | 4) {
        // SAFETY: four lanes are four numbers; a panel of four units has all rows of a `k` side by side.
        unsafe { cortex_m::accumulate::<N>(&mut *(&raw mut sums).cast::<[[f32; 4]; N]>(), weights, x) };
        return sums;
    }
    for &x in x {
        let x = b.splat(x);
        for_each_row!(g < N, {
            // SAFETY: as promised to this function.
            sums[g] = b.mul_add(unsafe { b.load(weights.add(g * width)) }, x, sums[g]);
        });
        weights = weights.wrapping_add(gates * width);
    }
    sums
}

/// `N` neighbouring rows of a panel's biases.
///
/// # Safety
/// Reads of `LANES` numbers at `bias + g · width` are valid for every `g` below `N`.
#[inline(always)]
unsafe fn biases<B: Backend, const N: usize>(b: B, bias: *const f32, width: usize) -> [B::Vector; N] {
    let mut rows = [b.splat(0.0); N];
    for_each_row!(g < N, {
        // SAFETY: as promised to this function.
        rows[g] = unsafe { b.load(bias.add(g * width)) };
    });
    rows
}

/// `y = (x - offset) ⊙ scale`
#[inline(always)]
pub(crate) fn normalize(offset: &[f32], scale: &[f32], x: &[f32], y: &mut [f32]) {
    for (((y, x), offset), scale) in y.iter_mut().zip(x).zip(offset).zip(scale) {
        *y = (x - offset) * scale;
    }
}

/// `y += x`
#[inline(always)]
pub(crate) fn add(y: &mut [f32], x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += x;
    }
}
