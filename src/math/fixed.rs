//! Activations on integers: no floating point, the same bits on every machine.
//!
//! The argument of [`tanh`] is in units of 1 / 49 152 (2¹⁸ of them are 16/3, behind which tanh rounds to 1), its value in units of
//! 2⁻³⁰. The other functions give units of 2⁻¹⁵. Largest errors in these units over all arguments, by `tests/integers.rs`:
//!
//! | function | promised | measured |
//! |---|---|---|
//! | tanh, rounded to 2⁻¹⁵ | 1 | 1.000 |
//! | sigmoid, rounded to 2⁻¹⁵ | 1 | 1.000 |
//!
//! Both are reached where the function is so near to 1 that 32 767 stands for it.

use super::fixed_table::TANH;

/// The argument of the integer tanh that stands for 1; half of it for the integer sigmoid.
pub const TANH_ONE: i32 = 49_152;

/// `v + b·f + c·f²`, where f, of 12 bits, is how far the argument is in its interval.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub(crate) struct Quadratic {
    /// v
    pub(crate) value: i32,
    /// b in the lower half, c in the upper one: two products are one instruction.
    pub(crate) slopes: i32,
}

/// Bits of an argument that tell where it is in its interval.
pub(crate) const FRACTION_BITS: u32 = 12;
/// The least argument, and the negative of the one behind the last.
pub(crate) const LEAST: i32 = -(1 << 18);
/// Half of a unit of 2⁻¹⁵, which makes a shift round.
const HALF: i32 = 1 << 14;

impl Quadratic {
    pub(super) const fn new(value: i32, b: i16, c: i16) -> Self {
        Quadratic { value: value + HALF, slopes: (b as u16 as i32) | ((c as i32) << 16) }
    }
}

/// The table, with the interval of argument 0 in the middle.
#[cfg(any(gatelet_dsp, target_arch = "x86_64", target_arch = "aarch64", target_arch = "wasm32"))]
#[allow(dead_code, reason = "not without vectors")]
#[inline(always)]
pub(crate) fn table() -> &'static [Quadratic; 128] {
    &TANH
}

/// The table's values and its slopes.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn columns() -> &'static [[i32; 128]; 2] {
    /// As a cache line is aligned.
    #[repr(align(64))]
    struct Columns([[i32; 128]; 2]);
    static COLUMNS: Columns = Columns({
        let mut columns = [[0; 128]; 2];
        let mut i = 0;
        while i < 128 {
            columns[0][i] = TANH[i].value;
            columns[1][i] = TANH[i].slopes;
            i += 1;
        }
        columns
    });
    &COLUMNS.0
}

/// tanh(z / [`TANH_ONE`]) in units of 2⁻¹⁵, as integer layers have it.
///
/// ```
/// assert_eq!(gatelet::math::tanh_of_integer(49_152), 24_956); // 0.7616
/// ```
#[must_use]
pub const fn tanh_of_integer(z: i32) -> i16 {
    (tanh(z) >> 15) as i16
}

/// The sigmoid of 2z / [`TANH_ONE`] in units of 2⁻¹⁵, as integer layers have it: from 0 to 32 768, which is 1.
///
/// ```
/// assert_eq!(gatelet::math::sigmoid_of_integer(0), 16_384); // 0.5
/// ```
#[must_use]
pub const fn sigmoid_of_integer(z: i32) -> u16 {
    ((tanh(z) >> 16) + 16_384) as u16
}

/// 2³⁰ tanh(z / [`TANH_ONE`]) and half a unit of 2⁻¹⁵: a shift by 15 rounds.
#[inline(always)]
pub(crate) const fn tanh(z: i32) -> i32 {
    let z = if z < LEAST {
        LEAST
    } else if z > -LEAST - 1 {
        -LEAST - 1
    } else {
        z
    };
    let f = z & ((1 << FRACTION_BITS) - 1);
    let f2 = (f * f) >> FRACTION_BITS;
    // In range whatever the clamp says: the compiler need not know.
    let Quadratic { value, slopes } = TANH[((z >> FRACTION_BITS) + 64) as usize & 127];
    value + (slopes as i16 as i32) * f + (slopes >> 16) * f2
}
