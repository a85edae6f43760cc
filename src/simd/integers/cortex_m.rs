//! Instructions of Cortex-M's DSP extension that the compiler has no names for.

use crate::math::fixed;
use core::arch::asm;

/// [`fixed::tanh`] in eight instructions and an addition or shift of the caller's.
#[inline(always)]
pub(super) fn tanh(z: i32) -> i32 {
    let value;
    // SAFETY: the clamp keeps the address within the table.
    unsafe {
        asm!(
            "ssat {z}, #19, {z}",
            "ubfx {f}, {z}, #0, #12",
            "asr {z}, {z}, #12",
            "add {z}, {table}, {z}, lsl #3",
            "smulbb {f2}, {f}, {f}",
            "pkhbt {f}, {f}, {f2}, lsl #4",
            "ldrd {z}, {f2}, [{z}]",
            "smlad {z}, {f2}, {f}, {z}",
            z = inout(reg) z => value,
            f = out(reg) _,
            f2 = out(reg) _,
            table = in(reg) &raw const fixed::table()[64],
            options(pure, readonly, nostack),
        );
    }
    value
}

/// `a / 2ⁿ`, where n is the lowest byte of `n`, which the processor looks at alone.
#[inline(always)]
pub(super) fn shift_right(a: i32, n: i32) -> i32 {
    let shifted;
    // SAFETY: a shift of one register by another.
    unsafe {
        asm!("asr {a}, {a}, {n}", a = inout(reg) a => shifted, n = in(reg) n, options(pure, nomem, nostack, preserves_flags));
    }
    shifted
}

/// Products of four `k` with three rows.
macro_rules! four_of_three {
    () => {
        concat!(
            "ldm {weights}!, {{r0, r1, r2}}\n",
            "ldrd {x0}, {x1}, [{x}], #8\n",
            "sxtb16 {t}, r0\n",
            "sxtb16 r0, r0, ror #8\n",
            "smlad {a}, {t}, {x0}, {a}\n",
            "smlad {a}, r0, {x1}, {a}\n",
            "sxtb16 {t}, r1\n",
            "sxtb16 r1, r1, ror #8\n",
            "smlad {b}, {t}, {x0}, {b}\n",
            "smlad {b}, r1, {x1}, {b}\n",
            "sxtb16 {t}, r2\n",
            "sxtb16 r2, r2, ror #8\n",
            "smlad {c}, {t}, {x0}, {c}\n",
            "smlad {c}, r2, {x1}, {c}\n",
        )
    };
}

/// Products of four `k` with four rows.
macro_rules! four_of_four {
    () => {
        concat!(
            "ldrd {w0}, {w1}, [{weights}], #8\n",
            "ldrd {x0}, {x1}, [{x}], #8\n",
            "sxtb16 {t}, {w0}\n",
            "sxtb16 {w0}, {w0}, ror #8\n",
            "smlad {a}, {t}, {x0}, {a}\n",
            "smlad {a}, {w0}, {x1}, {a}\n",
            "sxtb16 {t}, {w1}\n",
            "sxtb16 {w1}, {w1}, ror #8\n",
            "smlad {b}, {t}, {x0}, {b}\n",
            "smlad {b}, {w1}, {x1}, {b}\n",
            "ldrd {w0}, {w1}, [{weights}], #8\n",
            "sxtb16 {t}, {w0}\n",
            "sxtb16 {w0}, {w0}, ror #8\n",
            "smlad {c}, {t}, {x0}, {c}\n",
            "smlad {c}, {w0}, {x1}, {c}\n",
            "sxtb16 {t}, {w1}\n",
            "sxtb16 {w1}, {w1}, ror #8\n",
            "smlad {d}, {t}, {x0}, {d}\n",
            "smlad {d}, {w1}, {x1}, {d}\n",
        )
    };
}

/// `sums[row] + Σ_k weights[k][row] · x[k]` for one, three or four rows in `[[i32; N]; G]`, whose weights for four k are side by side in the
/// order 0, 2, 1, 3: `sxtb16` takes out bytes 0 and 2. A turn of the loop is eight k; an odd four comes into its middle.
///
/// # Safety
/// `weights` is valid for reads of 4 bytes for each row and `x`, and a multiple of four.
#[inline(always)]
pub(super) unsafe fn fours<const N: usize, const G: usize>(
    sums: [[i32; N]; G],
    weights: *const i8,
    x: &[[i16; 4]],
) -> [[i32; N]; G] {
    if x.is_empty() {
        return sums;
    }
    let mut rows = sums;
    let end = x.as_ptr_range().end;
    let rows_flat = rows.as_flattened_mut();
    match rows_flat {
        [a] => {
            // SAFETY: `x` is not empty, and aligned to four bytes as `prepare` has made it.
            unsafe {
                asm!(
                    "2:",
                    "ldr {w0}, [{weights}], #4",
                    "ldrd {x0}, {x1}, [{x}], #8",
                    "cmp {x}, {end}",
                    "sxtb16 {t}, {w0}",
                    "sxtb16 {w0}, {w0}, ror #8",
                    "smlad {a}, {t}, {x0}, {a}",
                    "smlad {a}, {w0}, {x1}, {a}",
                    "bne 2b",
                    a = inout(reg) *a,
                    weights = inout(reg) weights => _,
                    x = inout(reg) x.as_ptr() => _,
                    end = in(reg) end,
                    w0 = out(reg) _, t = out(reg) _, x0 = out(reg) _, x1 = out(reg) _,
                    options(nostack, readonly),
                );
            }
        }
        [a, b, c] => {
            macro_rules! three_rows {
                ($enter:literal) => {
                    asm!(
                        $enter,
                        "2:",
                        four_of_three!(),
                        "3:",
                        four_of_three!(),
                        "cmp {x}, {end}",
                        "bne 2b",
                        a = inout(reg) *a, b = inout(reg) *b, c = inout(reg) *c,
                        weights = inout(reg) weights => _,
                        x = inout(reg) x.as_ptr() => _,
                        end = in(reg) end,
                        t = out(reg) _, x0 = out(reg) _, x1 = out(reg) _, out("r0") _, out("r1") _, out("r2") _,
                        options(nostack, readonly),
                    )
                };
            }
            // SAFETY: as above.
            unsafe { if x.len().is_multiple_of(2) { three_rows!("") } else { three_rows!("b 3f") } }
        }
        [a, b, c, d] => {
            macro_rules! four_rows {
                ($enter:literal) => {
                    asm!(
                        $enter,
                        "2:",
                        four_of_four!(),
                        "3:",
                        four_of_four!(),
                        "cmp {x}, {end}",
                        "bne 2b",
                        a = inout(reg) *a, b = inout(reg) *b, c = inout(reg) *c, d = inout(reg) *d,
                        weights = inout(reg) weights => _,
                        x = inout(reg) x.as_ptr() => _,
                        end = in(reg) end,
                        w0 = out(reg) _, w1 = out(reg) _, t = out(reg) _, x0 = out(reg) _, x1 = out(reg) _,
                        options(nostack, readonly),
                    )
                };
            }
            // SAFETY: as above.
            unsafe { if x.len().is_multiple_of(2) { four_rows!("") } else { four_rows!("b 3f") } }
        }
        _ => unreachable!("the caller has looked"),
    }
    rows
}

/// `sums[row] + Σ_k weights[row][k] · x[k]` for four rows of two weights.
///
/// # Safety
/// `weights` is valid for reads of eight bytes.
#[inline(always)]
pub(super) unsafe fn pair<const N: usize, const G: usize>(
    mut sums: [[i32; N]; G],
    weights: *const i8,
    [x0, x1]: [i16; 2],
) -> [[i32; N]; G] {
    if let [a, b, c, d] = sums.as_flattened_mut() {
        // SAFETY: as promised to this function. Single words, whose address may be any.
        unsafe {
            asm!(
                "ldr {u}, [{weights}, #4]",
                "ldr {w}, [{weights}]",
                "sxtb16 {t}, {w}",
                "sxtb16 {w}, {w}, ror #8",
                "smlabb {a}, {t}, {x0}, {a}",
                "smlatb {b}, {t}, {x0}, {b}",
                "smlabb {a}, {w}, {x1}, {a}",
                "smlatb {b}, {w}, {x1}, {b}",
                "sxtb16 {t}, {u}",
                "sxtb16 {u}, {u}, ror #8",
                "smlabb {c}, {t}, {x0}, {c}",
                "smlatb {d}, {t}, {x0}, {d}",
                "smlabb {c}, {u}, {x1}, {c}",
                "smlatb {d}, {u}, {x1}, {d}",
                a = inout(reg) *a, b = inout(reg) *b, c = inout(reg) *c, d = inout(reg) *d,
                weights = in(reg) weights, x0 = in(reg) i32::from(x0), x1 = in(reg) i32::from(x1),
                w = out(reg) _, u = out(reg) _, t = out(reg) _,
                options(pure, readonly, nostack),
            );
        }
    }
    sums
}

/// `sums[row] + weights[row] · x` for four rows.
///
/// # Safety
/// `weights` is valid for reads of four bytes.
#[inline(always)]
pub(super) unsafe fn one<const N: usize, const G: usize>(
    mut sums: [[i32; N]; G],
    weights: *const i8,
    x: i16,
) -> [[i32; N]; G] {
    if let [a, b, c, d] = sums.as_flattened_mut() {
        // SAFETY: as promised to this function. A single word, whose address may be any.
        unsafe {
            asm!(
                "ldr {w}, [{weights}]",
                "sxtb16 {t}, {w}",
                "sxtb16 {w}, {w}, ror #8",
                "smlabb {a}, {t}, {x}, {a}",
                "smlabb {b}, {w}, {x}, {b}",
                "smlatb {c}, {t}, {x}, {c}",
                "smlatb {d}, {w}, {x}, {d}",
                a = inout(reg) *a, b = inout(reg) *b, c = inout(reg) *c, d = inout(reg) *d,
                weights = in(reg) weights, x = in(reg) i32::from(x),
                w = out(reg) _, t = out(reg) _,
                options(pure, readonly, nostack),
            );
        }
    }
    sums
}
