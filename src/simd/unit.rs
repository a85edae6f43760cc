//! What the speed of memory is measured with; no part of the interface.

use super::Backend;
use core::hint::black_box;

/// Sums side by side: so many that none waits for the one before it.
const SUMS: usize = 6;

/// Reads `numbers` from beginning to end, so many `times`, in whole blocks of `12 · LANES`, and gives the sum of products of
/// neighbouring vectors: two are read for each operation, so that it takes as long as the reading. `gatelet bench` measures
/// with it how fast this machine's caches are.
#[doc(hidden)]
#[inline(always)]
pub fn read<B: Backend>(b: B, numbers: &[f32], times: usize) -> f32 {
    let mut sums = [b.splat(0.0); SUMS];
    for _ in 0..times {
        for block in black_box(numbers).chunks_exact(2 * SUMS * B::LANES) {
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the block has two vectors for each sum, and these are the `i`th two.
                unsafe {
                    let pair = block.as_ptr().add(2 * i * B::LANES);
                    *sum = b.mul_add(b.load(pair), b.load(pair.add(B::LANES)), *sum);
                }
            }
        }
    }
    let mut total = 0.0;
    for sum in sums {
        total = b.add_up(total, sum);
    }
    total
}
