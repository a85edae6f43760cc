//! The order of int8 weights in memory.
//!
//! Panels of a few units as for single precision, and within a panel `[four k][gate][unit][k of the four]`, so that a unit's products
//! with four numbers are next to each other; then, behind the fours of all panels, what is left of each: `[gate][unit][two k]` and
//! `[gate][unit]`. Microcontrollers without instructions for several products at a time keep `[k][gate][unit]`, and those with
//! vectors, which add up along a row, have `[gate][unit][k]` in each panel.

/// Units in a panel of a matrix with so many gates, where there are as many left. A microcontroller has registers for four sums.
pub(super) const fn widest(gates: usize) -> usize {
    if cfg!(not(target_os = "none")) {
        16
    } else if gates == 1 {
        4
    } else {
        1
    }
}

/// Whether four `k` of a unit stand side by side.
pub(super) const FOURS: bool = cfg!(any(not(target_os = "none"), all(gatelet_dsp, not(gatelet_mve))));

/// Where the `k`-th of four weights stands. Cortex-M's `sxtb16` takes every other byte.
pub(crate) const fn place(k: usize) -> usize {
    if cfg!(gatelet_dsp) { [0, 2, 1, 3][k] } else { k }
}

/// How many of so many `k` stand in fours.
pub(super) const fn in_fours(inputs: usize) -> usize {
    if FOURS { inputs / 4 * 4 } else { 0 }
}

/// Writes a matrix `[k][gate][unit]` of int8 weights in panel order, and to `offsets`, if it is not empty, minus 2¹⁵ times each row's
/// sum over the weights in fours: what an instruction for products with unsigned numbers has to be put right by.
///
/// Const evaluation counts calls and turns of loops: there is one turn and no call for each weight.
pub(crate) const fn pack(packed: &mut [i8], offsets: &mut [i32], source: &[u8], gates: usize, units: usize) {
    if units == 0 || source.is_empty() {
        return;
    }
    let row = gates * units;
    let inputs = source.len() / row;
    assert!(packed.len() >= source.len() && inputs * row == source.len());
    let fours = in_fours(inputs);
    let mut to = 0;
    let mut first = 0;
    // The fours, then the pairs and single ones, of each panel.
    while first < inputs {
        let end = if first < fours { fours } else { inputs };
        let mut panel = 0;
        while panel < units {
            let width = if units - panel < widest(gates) { units - panel } else { widest(gates) };
            let mut k = first;
            #[cfg(gatelet_mve)]
            while k < end {
                let mut row_in_panel = 0;
                while row_in_panel < gates * width {
                    let (gate, unit) = (row_in_panel / width, row_in_panel % width);
                    packed[(panel * gates + row_in_panel) * inputs + k] =
                        source[k * row + gate * units + panel + unit] as i8;
                    row_in_panel += 1;
                }
                k += 1;
            }
            while k < end {
                let group = if k < fours {
                    4
                } else if FOURS && end - k >= 2 {
                    2
                } else {
                    1
                };
                let mut gate = 0;
                while gate < gates {
                    let mut i = 0;
                    while i < width * group {
                        let (unit, j) = (i / group, i % group);
                        let weight = source[(k + j) * row + gate * units + panel + unit] as i8;
                        let place = if group == 4 { place(j) } else { j };
                        packed[to + i - j + place] = weight;
                        if group == 4 && !offsets.is_empty() {
                            // In panel order, as biases are.
                            offsets[panel * gates + gate * width + unit] -= (weight as i32) << 15;
                        }
                        i += 1;
                    }
                    to += width * group;
                    gate += 1;
                }
                k += group;
            }
            panel += width;
        }
        first = end;
    }
}

/// Where unpacked numbers of 32 bits come from.
#[derive(Clone, Copy)]
pub(crate) enum Words<'a> {
    /// Numbers.
    Numbers(&'a [i32]),
    /// Little-endian bytes of numbers.
    Bytes(&'a [u8]),
}

/// The bytes that int8 weights are.
pub(crate) const fn bytes_of(weights: &[i8]) -> &[u8] {
    // SAFETY: the same memory; every byte is a number of either kind.
    unsafe { core::slice::from_raw_parts(weights.as_ptr().cast(), weights.len()) }
}

/// Writes biases and scales `[row][unit]` in panel order, the scales of a panel behind its biases, for panels of a matrix with
/// `gates` gates.
pub(crate) const fn pack_rows(packed: &mut [i32], [bias, scale]: [Words<'_>; 2], gates: usize, units: usize) {
    if units == 0 {
        return;
    }
    let rows = packed.len() / units / 2;
    let mut to = 0;
    let mut panel = 0;
    while panel < units {
        let width = if units - panel < widest(gates) { units - panel } else { widest(gates) };
        let mut row = 0;
        while row < 2 * rows {
            let (source, row_of) = if row < rows { (bias, row) } else { (scale, row - rows) };
            let mut unit = 0;
            while unit < width {
                let at = row_of * units + panel + unit;
                packed[to] = match source {
                    Words::Numbers(numbers) => numbers[at],
                    Words::Bytes(bytes) => {
                        let at = 4 * at;
                        i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
                    }
                };
                to += 1;
                unit += 1;
            }
            row += 1;
        }
        panel += width;
    }
}
