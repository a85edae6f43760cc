//! What the speed of memory is measured with; no part of the interface.

use super::Backend;

/// Vectors that are read side by side: so many that no sum waits for the one before it, so few that all are in registers.
const SUMS: usize = 12;

/// The sum of all numbers in whole blocks of `12 · LANES`, which takes as long as it takes to read them: `gatelet bench`
/// measures with it how fast this machine's caches are.
#[doc(hidden)]
#[inline(always)]
pub fn sum_of_blocks<B: Backend>(b: B, numbers: &[f32]) -> f32 {
    let mut sums = [b.splat(0.0); SUMS];
    for block in numbers.chunks_exact(SUMS * B::LANES) {
        for (i, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the block has `SUMS` vectors, of which this is the `i`th.
            *sum = b.add(*sum, unsafe { b.load(block.as_ptr().add(i * B::LANES)) });
        }
    }
    let mut total = 0.0;
    for sum in sums {
        total = b.add_up(total, sum);
    }
    total
}
