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

/// ⌊a r / 2¹⁷⌋ by two products, where r is from 0 to 2¹⁵.
#[inline(always)]
pub(super) fn mul_gate(a: i32, r: i32) -> i32 {
    let low = ((a & 0xffff) * r) >> 16;
    ((a >> 16) * r + low) >> 1
}

/// Products of one `k` with three rows.
macro_rules! one_of_three {
    () => {
        concat!(
            "ldrsh r6, [r1, r2]\n",
            "ldrsb r3, [r0, r7]\n",
            "muls r3, r6, r3\n",
            "add r8, r3\n",
            "ldrsb r3, [r0, r4]\n",
            "muls r3, r6, r3\n",
            "add r9, r3\n",
            "ldrsb r3, [r0, r5]\n",
            "muls r3, r6, r3\n",
            "add r10, r3\n",
            "adds r0, #3\n",
            "adds r2, #2\n",
        )
    };
}

/// Products of one `k` with four rows.
macro_rules! one_of_four {
    () => {
        concat!(
            "ldrsh r6, [r1, r2]\n",
            "ldrb r3, [r0]\n",
            "sxtb r3, r3\n",
            "muls r3, r6, r3\n",
            "add r8, r3\n",
            "ldrsb r3, [r0, r4]\n",
            "muls r3, r6, r3\n",
            "add r9, r3\n",
            "ldrsb r3, [r0, r5]\n",
            "muls r3, r6, r3\n",
            "add r10, r3\n",
            "ldrsb r3, [r0, r7]\n",
            "muls r3, r6, r3\n",
            "add r11, r3\n",
            "adds r0, #4\n",
            "adds r2, #2\n",
        )
    };
}

/// `sums[row] + Σ_k weights[k][row] · x[k]` for three or four rows in `[[i32; N]; G]`, whose weights for one k are side by side.
///
/// # Safety
/// `weights` is valid for reads of a byte for each row and number in `x`.
#[inline(always)]
pub(super) unsafe fn ones<const N: usize, const G: usize>(
    sums: [[i32; N]; G],
    weights: &mut *const i8,
    x: &mut &[i16],
) -> [[i32; N]; G] {
    // What it takes to begin is more than the products of one number.
    if x.len() < 2 {
        return sums;
    }
    let mut rows = sums;
    let (weights, from) = (*weights, sums.as_ptr());
    let numbers = core::mem::take(x);
    let (end, bytes) = (numbers.as_ptr_range().end, -2 * numbers.len() as i32);
    // The sums are in r8 to r11, which asm! does not take as operands here. r6 and r7 are the compiler's own.
    match rows.as_flattened_mut() {
        [a, b, c] => {
            macro_rules! three_rows {
                ($enter:literal) => {
                    asm!(
                        "push {{r6, r7}}",
                        "ldm r3!, {{r4, r5, r6}}",
                        "mov r8, r4",
                        "mov r9, r5",
                        "mov r10, r6",
                        "movs r7, #0",
                        "movs r4, #1",
                        "movs r5, #2",
                        $enter,
                        "2:",
                        one_of_three!(),
                        "3:",
                        one_of_three!(),
                        "4:",
                        one_of_three!(),
                        "5:",
                        one_of_three!(),
                        "bne 2b",
                        "mov r0, r8",
                        "mov r1, r9",
                        "mov r2, r10",
                        "pop {{r6, r7}}",
                        inout("r0") weights => *a, inout("r1") end => *b, inout("r2") bytes => *c, inout("r3") from => _,
                        out("r4") _, out("r5") _, out("r8") _, out("r9") _, out("r10") _,
                        options(readonly),
                    )
                };
            }
            // SAFETY: as promised to this function; there is a first number.
            unsafe {
                match numbers.len() % 4 {
                    0 => three_rows!(""),
                    1 => three_rows!("b 5f"),
                    2 => three_rows!("b 4f"),
                    _ => three_rows!("b 3f"),
                }
            }
        }
        [a, b, c, d] => {
            macro_rules! four_rows {
                ($enter:literal) => {
                    asm!(
                        "push {{r6, r7}}",
                        "ldm r3!, {{r4, r5, r6, r7}}",
                        "mov r8, r4",
                        "mov r9, r5",
                        "mov r10, r6",
                        "mov r11, r7",
                        "movs r4, #1",
                        "movs r5, #2",
                        "movs r7, #3",
                        $enter,
                        "2:",
                        one_of_four!(),
                        "3:",
                        one_of_four!(),
                        "bne 2b",
                        "mov r0, r8",
                        "mov r1, r9",
                        "mov r2, r10",
                        "mov r3, r11",
                        "pop {{r6, r7}}",
                        inout("r0") weights => *a, inout("r1") end => *b, inout("r2") bytes => *c, inout("r3") from => *d,
                        out("r4") _, out("r5") _, out("r8") _, out("r9") _, out("r10") _, out("r11") _,
                        options(readonly),
                    )
                };
            }
            // SAFETY: as above.
            unsafe { if numbers.len().is_multiple_of(2) { four_rows!("") } else { four_rows!("b 3f") } }
        }
        _ => unreachable!("the caller has looked"),
    }
    rows
}
