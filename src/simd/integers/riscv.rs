//! Loops for a 32-bit RISC-V. The compiler's have one `k` in a turn, or load so far ahead that sums are put away.

use core::arch::asm;

/// Products of the `$k`-th `k` of a turn with three rows.
macro_rules! one_of_three {
    ($k:literal) => {
        concat!(
            "lh {x}, 2*",
            $k,
            "({from})\n",
            "lb {u}, 3*",
            $k,
            "({weights})\n",
            "lb {v}, 3*",
            $k,
            "+1({weights})\n",
            "lb {w}, 3*",
            $k,
            "+2({weights})\n",
            "mul {u}, {u}, {x}\n",
            "mul {v}, {v}, {x}\n",
            "mul {w}, {w}, {x}\n",
            "add {a}, {a}, {u}\n",
            "add {b}, {b}, {v}\n",
            "add {c}, {c}, {w}\n",
        )
    };
}

/// Products of the `$k`-th `k` of a turn with four rows.
macro_rules! one_of_four {
    ($k:literal) => {
        concat!(
            "lh {x}, 2*",
            $k,
            "({from})\n",
            "lb {t}, 4*",
            $k,
            "({weights})\n",
            "lb {u}, 4*",
            $k,
            "+1({weights})\n",
            "lb {v}, 4*",
            $k,
            "+2({weights})\n",
            "lb {w}, 4*",
            $k,
            "+3({weights})\n",
            "mul {t}, {t}, {x}\n",
            "mul {u}, {u}, {x}\n",
            "mul {v}, {v}, {x}\n",
            "mul {w}, {w}, {x}\n",
            "add {a}, {a}, {t}\n",
            "add {b}, {b}, {u}\n",
            "add {c}, {c}, {v}\n",
            "add {d}, {d}, {w}\n",
        )
    };
}

/// `sums[row] + Σ_k weights[k][row] · x[k]` for three or four rows in `[[i32; N]; G]`, whose weights for one k are side by side, as far as
/// `x` has whole fours; others are left in `x` with their `weights`, and so is a short `x`.
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
    // The compiler writes out what is as short.
    if x.len() <= 8 {
        return sums;
    }
    let (fours, rest) = x.as_chunks::<4>();
    *x = rest;
    let mut rows = sums;
    let end = fours.as_ptr_range().end;
    match rows.as_flattened_mut() {
        [a, b, c] => {
            macro_rules! three_rows {
                ($enter:literal, $first:expr) => {
                    asm!(
                        $enter,
                        "2:",
                        one_of_three!(0), one_of_three!(1), one_of_three!(2), one_of_three!(3),
                        "3:",
                        one_of_three!(4), one_of_three!(5), one_of_three!(6), one_of_three!(7),
                        "addi {weights}, {weights}, 24",
                        "addi {from}, {from}, 16",
                        "bne {from}, {end}, 2b",
                        a = inout(reg) *a, b = inout(reg) *b, c = inout(reg) *c,
                        weights = inout(reg) weights.wrapping_sub(12 * $first) => *weights,
                        from = inout(reg) fours.as_ptr().wrapping_sub($first) => _,
                        end = in(reg) end,
                        x = out(reg) _, u = out(reg) _, v = out(reg) _, w = out(reg) _,
                        options(nostack, readonly),
                    )
                };
            }
            // SAFETY: as promised to this function; there is a first four.
            unsafe { if fours.len().is_multiple_of(2) { three_rows!("", 0) } else { three_rows!("j 3f", 1) } }
        }
        [a, b, c, d] => {
            // SAFETY: as above.
            unsafe {
                asm!(
                    "2:",
                    one_of_four!(0), one_of_four!(1), one_of_four!(2), one_of_four!(3),
                    "addi {weights}, {weights}, 16",
                    "addi {from}, {from}, 8",
                    "bne {from}, {end}, 2b",
                    a = inout(reg) *a, b = inout(reg) *b, c = inout(reg) *c, d = inout(reg) *d,
                    weights = inout(reg) *weights,
                    from = inout(reg) fours.as_ptr() => _,
                    end = in(reg) end,
                    x = out(reg) _, t = out(reg) _, u = out(reg) _, v = out(reg) _, w = out(reg) _,
                    options(nostack, readonly),
                );
            }
        }
        _ => unreachable!("the caller has looked"),
    }
    rows
}
