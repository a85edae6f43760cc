//! Helium, the vectors of a Cortex-M55 or M85, for which the compiler has no names either.

use core::arch::asm;

/// `sums[row] + Σ_k weights[row][k] · x[k]`, where each row of weights lies in one piece, `stride` bytes behind the one before it.
///
/// The loop counts numbers and not turns, and the last turn leaves out what is beyond them.
///
/// # Safety
/// `weights` is valid for reads of each row, which has as many weights as `x` has numbers.
#[inline(always)]
pub(super) unsafe fn rows<const N: usize, const G: usize>(
    sums: [[i32; N]; G],
    weights: *const i8,
    stride: usize,
    x: &[i16],
) -> [[i32; N]; G] {
    if x.is_empty() {
        return sums;
    }
    let mut rows = sums;
    let row = |i| weights.wrapping_add(i * stride);
    // A sum is in a register with an even number, and where widened weights come from in one of the lower eight. Of the vectors those are taken that nobody expects to find again.
    match rows.as_flattened_mut() {
        [a, b, c, d] => {
            // SAFETY: as promised to this function; there is a first turn.
            unsafe {
                asm!(
                    "dlstp.16 lr, {k}",
                    "2:",
                    "vldrh.u16 q0, [{x}], #16",
                    "vldrb.s16 q1, [r1], #8",
                    "vldrb.s16 q2, [r2], #8",
                    "vmladava.s16 r0, q0, q1",
                    "vldrb.s16 q3, [r3], #8",
                    "vmladava.s16 r10, q0, q2",
                    "vldrb.s16 q1, [r5], #8",
                    "vmladava.s16 r12, q0, q3",
                    "vmladava.s16 r8, q0, q1",
                    "letp lr, 2b",
                    x = inout(reg) x.as_ptr() => _, k = in(reg) x.len(),
                    inout("r0") *a, inout("r10") *b, inout("r12") *c, inout("r8") *d,
                    inout("r1") row(0) => _, inout("r2") row(1) => _,
                    inout("r3") row(2) => _, inout("r5") row(3) => _,
                    out("lr") _,
                    out("d0") _, out("d1") _, out("d2") _, out("d3") _, out("d4") _, out("d5") _, out("d6") _, out("d7") _,
                    options(nostack, readonly),
                );
            }
        }
        [a, b, c] => {
            // SAFETY: as above.
            unsafe {
                asm!(
                    "dlstp.16 lr, {k}",
                    "2:",
                    "vldrh.u16 q0, [{x}], #16",
                    "vldrb.s16 q1, [r1], #8",
                    "vldrb.s16 q2, [r2], #8",
                    "vmladava.s16 r0, q0, q1",
                    "vldrb.s16 q3, [r3], #8",
                    "vmladava.s16 r10, q0, q2",
                    "vmladava.s16 r12, q0, q3",
                    "letp lr, 2b",
                    x = inout(reg) x.as_ptr() => _, k = in(reg) x.len(),
                    inout("r0") *a, inout("r10") *b, inout("r12") *c,
                    inout("r1") row(0) => _, inout("r2") row(1) => _, inout("r3") row(2) => _,
                    out("lr") _,
                    out("d0") _, out("d1") _, out("d2") _, out("d3") _, out("d4") _, out("d5") _, out("d6") _, out("d7") _,
                    options(nostack, readonly),
                );
            }
        }
        each => {
            for (i, sum) in each.iter_mut().enumerate() {
                // SAFETY: as above.
                unsafe {
                    asm!(
                        "dlstp.16 lr, {k}",
                        "2:",
                        "vldrh.u16 q0, [{x}], #16",
                        "vldrb.s16 q1, [r1], #8",
                        "vmladava.s16 r0, q0, q1",
                        "letp lr, 2b",
                        x = inout(reg) x.as_ptr() => _, k = in(reg) x.len(),
                        inout("r0") *sum,
                        inout("r1") row(i) => _,
                        out("lr") _,
                        out("d0") _, out("d1") _, out("d2") _, out("d3") _,
                        options(nostack, readonly),
                    );
                }
            }
        }
    }
    rows
}
