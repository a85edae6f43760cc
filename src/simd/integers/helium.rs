//! Helium, the vectors of a Cortex-M55 or M85, for which the compiler has no names either.

use core::arch::asm;

/// Products of eight `k` with three rows.
macro_rules! eight_of_three {
    () => {
        concat!(
            "vldrh.u16 q0, [{x}], #16\n",
            "vldrb.s16 q1, [r1], #8\n",
            "vldrb.s16 q2, [r2], #8\n",
            "vmladava.s16 r0, q0, q1\n",
            "vldrb.s16 q3, [r3], #8\n",
            "vmladava.s16 r10, q0, q2\n",
            "vmladava.s16 r12, q0, q3\n",
        )
    };
}

/// `sums[row] + Σ_k weights[row][k] · x[k]`, where each row of weights lies in one piece, `stride` bytes behind the one before it.
///
/// Most loops count numbers and not turns, and the last turn leaves out what is beyond them.
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
            macro_rules! three_rows {
                ([$($line:expr),+] $($turns:tt)*) => {
                    asm!(
                        $($line),+,
                        x = inout(reg) x.as_ptr() => _,
                        $($turns)*
                        inout("r0") *a, inout("r10") *b, inout("r12") *c,
                        inout("r1") row(0) => _, inout("r2") row(1) => _, inout("r3") row(2) => _,
                        out("lr") _,
                        out("d0") _, out("d1") _, out("d2") _, out("d3") _, out("d4") _, out("d5") _, out("d6") _, out("d7") _,
                        options(nostack, readonly),
                    )
                };
            }
            // SAFETY: as above.
            unsafe {
                match (x.len(), x.len() % 32) {
                    // A turn's end costs the same as beside four rows: where nothing has to be left out, there are fewer of them.
                    (16, _) => three_rows!([eight_of_three!(), eight_of_three!()]),
                    (_, 0) => three_rows!(
                        ["dls lr, {k}", "2:", eight_of_three!(), eight_of_three!(), eight_of_three!(), eight_of_three!(), "le lr, 2b"]
                        k = in(reg) x.len() / 32,
                    ),
                    _ => three_rows!(["dlstp.16 lr, {k}", "2:", eight_of_three!(), "letp lr, 2b"] k = in(reg) x.len(),),
                }
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
