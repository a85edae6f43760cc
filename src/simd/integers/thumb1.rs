//! The instructions of a Cortex-M0, M0+, M1 and M23. They work on eight registers, and the compiler keeps half of the sums in memory.

use core::arch::asm;

/// The upper half of `a · b` by four products instead of a call.
#[inline(always)]
pub(super) fn mul_high(a: i32, b: i32) -> i32 {
    let ([a0, a1], [b0, b1]) = ([a & 0xffff, a >> 16], [b & 0xffff, b >> 16]);
    let low = (a0.wrapping_mul(b0) as u32 >> 16) as i32;
    let middle = a1 * b0 + low;
    let other = a0 * b1 + (middle & 0xffff);
    a1 * b1 + (middle >> 16) + (other >> 16)
}

/// `sums[row] + Σ_k weights[k][row] · x[k]` for three or four rows in `[[i32; N]; G]`, whose weights for one k are side by side.
///
/// # Safety
/// `weights` is valid for reads of a byte for each row and number in `x`; of four rows it is a multiple of four.
#[inline(always)]
pub(super) unsafe fn ones<const N: usize, const G: usize>(
    sums: [[i32; N]; G],
    weights: *const i8,
    x: &[i16],
) -> [[i32; N]; G] {
    if x.is_empty() {
        return sums;
    }
    let mut rows = sums;
    let from = sums.as_ptr();
    let (end, bytes) = (x.as_ptr_range().end, -2 * x.len() as i32);
    // The sums are in r8 to r11, of which the compiler is not told: asm! knows no such registers here. They are put back.
    match rows.as_flattened_mut() {
        [a, b, c] => {
            // SAFETY: as promised to this function; there is a first turn.
            unsafe {
                asm!(
                    "mov r4, r8",
                    "mov r5, r9",
                    "push {{r4, r5, r6}}",
                    "mov r6, r10",
                    "push {{r6}}",
                    "ldm r3!, {{r4, r5, r6}}",
                    "mov r8, r4",
                    "mov r9, r5",
                    "mov r10, r6",
                    "movs r4, #1",
                    "movs r5, #2",
                    "2:",
                    "ldrsh r6, [r1, r2]",
                    "ldrb r3, [r0]",
                    "sxtb r3, r3",
                    "muls r3, r6, r3",
                    "add r8, r3",
                    "ldrsb r3, [r0, r4]",
                    "muls r3, r6, r3",
                    "add r9, r3",
                    "ldrsb r3, [r0, r5]",
                    "muls r3, r6, r3",
                    "add r10, r3",
                    "adds r0, #3",
                    "adds r2, #2",
                    "bne 2b",
                    "mov r0, r8",
                    "mov r1, r9",
                    "mov r2, r10",
                    "pop {{r3}}",
                    "mov r10, r3",
                    "pop {{r4, r5, r6}}",
                    "mov r8, r4",
                    "mov r9, r5",
                    inout("r0") weights => *a, inout("r1") end => *b, inout("r2") bytes => *c, inout("r3") from => _,
                    out("r4") _, out("r5") _,
                    options(readonly),
                );
            }
        }
        [a, b, c, d] => {
            // SAFETY: as above.
            unsafe {
                asm!(
                    "mov r4, r8",
                    "mov r5, r9",
                    "push {{r4, r5}}",
                    "mov r4, r10",
                    "mov r5, r11",
                    "push {{r4, r5}}",
                    "ldm r3!, {{r4, r5}}",
                    "mov r8, r4",
                    "mov r9, r5",
                    "ldm r3!, {{r4, r5}}",
                    "mov r10, r4",
                    "mov r11, r5",
                    "2:",
                    "ldrsh r4, [r1, r2]",
                    "ldm r0!, {{r5}}",
                    "sxtb r3, r5",
                    "muls r3, r4, r3",
                    "add r8, r3",
                    "asrs r5, r5, #8",
                    "sxtb r3, r5",
                    "muls r3, r4, r3",
                    "add r9, r3",
                    "asrs r5, r5, #8",
                    "sxtb r3, r5",
                    "muls r3, r4, r3",
                    "add r10, r3",
                    "asrs r5, r5, #8",
                    "muls r5, r4, r5",
                    "add r11, r5",
                    "adds r2, #2",
                    "bne 2b",
                    "mov r0, r8",
                    "mov r1, r9",
                    "mov r2, r10",
                    "mov r3, r11",
                    "pop {{r4, r5}}",
                    "mov r10, r4",
                    "mov r11, r5",
                    "pop {{r4, r5}}",
                    "mov r8, r4",
                    "mov r9, r5",
                    inout("r0") weights => *a, inout("r1") end => *b, inout("r2") bytes => *c, inout("r3") from => *d,
                    out("r4") _, out("r5") _,
                    options(readonly),
                );
            }
        }
        _ => unreachable!("the caller has looked"),
    }
    rows
}
