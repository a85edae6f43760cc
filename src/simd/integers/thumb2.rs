//! Loops for a Cortex-M3, and for others that have its registers and no DSP extension. The compiler's load so far ahead that they put
//! sums away in each turn.

use core::arch::asm;

/// Products of one `k` with three rows.
macro_rules! one_of_three {
    () => {
        concat!(
            "ldrsh {x}, [{from}], #2\n",
            "ldrsb {w}, [{weights}], #1\n",
            "mla {a}, {w}, {x}, {a}\n",
            "ldrsb {w}, [{weights}], #1\n",
            "mla {b}, {w}, {x}, {b}\n",
            "ldrsb {w}, [{weights}], #1\n",
            "mla {c}, {w}, {x}, {c}\n",
        )
    };
}

/// Products of four `k` with three rows.
macro_rules! four_of_three {
    () => {
        concat!(one_of_three!(), one_of_three!(), one_of_three!(), one_of_three!())
    };
}

/// Products of one `k` with four rows.
macro_rules! one_of_four {
    () => {
        concat!(one_of_three!(), "ldrsb {w}, [{weights}], #1\n", "mla {d}, {w}, {x}, {d}\n")
    };
}

/// `sums[row] + Σ_k weights[k][row] · x[k]` for three or four rows in `[[i32; N]; G]`, whose weights for one k are side by side, as far as
/// `x` has whole fours; others are left in `x` with their `weights`.
///
/// A turn of the loop is four k; of three rows, beside which its end weighs more, it is eight, and an odd four comes into its middle.
///
/// # Safety
/// `weights` is valid for reads of a byte for each row and number in `x`.
#[inline(always)]
pub(super) unsafe fn ones<const N: usize, const G: usize>(
    sums: [[i32; N]; G],
    weights: &mut *const i8,
    x: &mut &[i16],
) -> [[i32; N]; G] {
    let (fours, rest) = x.as_chunks::<4>();
    if fours.is_empty() {
        return sums;
    }
    *x = rest;
    let mut rows = sums;
    let end = fours.as_ptr_range().end;
    match rows.as_flattened_mut() {
        [a, b, c] => {
            macro_rules! three_rows {
                ($enter:literal) => {
                    asm!(
                        $enter,
                        "2:",
                        four_of_three!(),
                        "3:",
                        four_of_three!(),
                        "cmp {from}, {end}",
                        "bne 2b",
                        a = inout(reg) *a, b = inout(reg) *b, c = inout(reg) *c,
                        weights = inout(reg) *weights,
                        from = inout(reg) fours.as_ptr() => _,
                        end = in(reg) end,
                        x = out(reg) _, w = out(reg) _,
                        options(nostack, readonly),
                    )
                };
            }
            // SAFETY: as promised to this function; there is a first four.
            unsafe { if fours.len().is_multiple_of(2) { three_rows!("") } else { three_rows!("b 3f") } }
        }
        [a, b, c, d] => {
            // SAFETY: as above.
            unsafe {
                asm!(
                    "2:",
                    one_of_four!(),
                    one_of_four!(),
                    one_of_four!(),
                    one_of_four!(),
                    "cmp {from}, {end}",
                    "bne 2b",
                    a = inout(reg) *a, b = inout(reg) *b, c = inout(reg) *c, d = inout(reg) *d,
                    weights = inout(reg) *weights,
                    from = inout(reg) fours.as_ptr() => _,
                    end = in(reg) end,
                    x = out(reg) _, w = out(reg) _,
                    options(nostack, readonly),
                );
            }
        }
        _ => unreachable!("the caller has looked"),
    }
    rows
}
