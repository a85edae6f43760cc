//! Steps of an LSTM and a GRU on a Cortex-M4, M7 or M33.
//!
//! Four sums, four words of weights and two of h take all registers of the inner loop. The compiler puts away what it needs behind the
//! loop, and gets it back, once for each unit and number; here pointers only move, and wait on the stack in the meantime.

use crate::math::fixed::{self, Quadratic};
use crate::quant::lstm::Formats;
use core::arch::asm;

/// What a step works with, in the order in which it lies on the stack, with the ½ of a sigmoid behind it.
#[repr(C)]
struct Work {
    /// Of the next unit: four biases and four scales.
    constants: *const i32,
    recurrent: *const i8,
    h: *const i16,
    h_end: *const i16,
    /// Of the next unit: its weights for x in fours, and those for what is left of x.
    input: *const i8,
    x: *const i16,
    x_rest: *const i16,
    input_rest: *const i8,
    /// Of an LSTM: its formats, and how far its cell is behind its hidden state.
    product_shift: u32,
    to_cell: usize,
    cell_factor: i32,
    /// The next unit's number.
    hidden: *mut i16,
    hidden_end: *const i16,
    table: *const Quadratic,
}

// In what follows r8 to r11 are the sums; while there are products r12 has the weights, and lr or r4 the numbers.

/// Products of four numbers in r5 and r6 with one row.
macro_rules! row {
    ($sum:literal, $weights:literal) => {
        concat!(
            "sxtb16 r7, ",
            $weights,
            "\n",
            "sxtb16 ",
            $weights,
            ", ",
            $weights,
            ", ror #8\n",
            "smlad ",
            $sum,
            ", r7, r5, ",
            $sum,
            "\n",
            "smlad ",
            $sum,
            ", ",
            $weights,
            ", r6, ",
            $sum,
            "\n",
        )
    };
}

/// Products of four numbers, in an LSTM.
macro_rules! lstm_four {
    () => {
        concat!(
            "ldm r12!, {{r0, r1, r2, r3}}\n",
            "ldrd r5, r6, [lr], #8\n",
            row!("r8", "r0"),
            row!("r9", "r1"),
            row!("r10", "r2"),
            row!("r11", "r3"),
        )
    };
}

/// Of two.
macro_rules! lstm_pair {
    () => {
        concat!(
            "ldr r7, [r4], #4\n",
            "ldm r12!, {{r5, r6}}\n",
            "sxtb16 lr, r5\n",
            "sxtb16 r5, r5, ror #8\n",
            "smlabb r8, lr, r7, r8\n",
            "smlatb r9, lr, r7, r9\n",
            "smlabt r8, r5, r7, r8\n",
            "smlatt r9, r5, r7, r9\n",
            "sxtb16 lr, r6\n",
            "sxtb16 r6, r6, ror #8\n",
            "smlabb r10, lr, r7, r10\n",
            "smlatb r11, lr, r7, r11\n",
            "smlabt r10, r6, r7, r10\n",
            "smlatt r11, r6, r7, r11\n",
        )
    };
}

/// Of one.
macro_rules! lstm_one {
    () => {
        concat!(
            "ldrsh r7, [r4]\n",
            "ldr r5, [r12], #4\n",
            "sxtb16 lr, r5\n",
            "sxtb16 r5, r5, ror #8\n",
            "smlabb r8, lr, r7, r8\n",
            "smlabb r9, r5, r7, r9\n",
            "smlatb r10, lr, r7, r10\n",
            "smlatb r11, r5, r7, r11\n",
        )
    };
}

/// Products of four numbers, in a GRU. Of the candidate's sums r10 is that of x, r11 that of h.
macro_rules! gru_four {
    ($candidate:literal) => {
        concat!(
            "ldm r12!, {{r0, r1, r2}}\n",
            "ldrd r5, r6, [lr], #8\n",
            row!("r8", "r0"),
            row!("r9", "r1"),
            row!($candidate, "r2"),
        )
    };
}

/// Of two.
macro_rules! gru_pair {
    () => {
        concat!(
            "ldr r7, [r4], #4\n",
            "ldr r5, [r12], #4\n",
            "sxtb16 lr, r5\n",
            "sxtb16 r5, r5, ror #8\n",
            "smlabb r8, lr, r7, r8\n",
            "smlatb r9, lr, r7, r9\n",
            "smlabt r8, r5, r7, r8\n",
            "smlatt r9, r5, r7, r9\n",
            "ldrsb r5, [r12], #1\n",
            "smlabb r10, r5, r7, r10\n",
            "ldrsb r5, [r12], #1\n",
            "smlabt r10, r5, r7, r10\n",
        )
    };
}

/// Of one.
macro_rules! gru_one {
    () => {
        concat!(
            "ldrsh r7, [r4]\n",
            "ldrsb r5, [r12], #1\n",
            "smlabb r8, r5, r7, r8\n",
            "ldrsb r5, [r12], #1\n",
            "smlabb r9, r5, r7, r9\n",
            "ldrsb r5, [r12], #1\n",
            "smlabb r10, r5, r7, r10\n",
        )
    };
}

/// [`fixed::tanh`]; r12 has the table.
macro_rules! tanh {
    ($z:literal) => {
        concat!(
            "ssat ",
            $z,
            ", #19, ",
            $z,
            "\n",
            "ubfx r5, ",
            $z,
            ", #0, #12\n",
            "asr ",
            $z,
            ", ",
            $z,
            ", #12\n",
            "add ",
            $z,
            ", r12, ",
            $z,
            ", lsl #3\n",
            "smulbb r6, r5, r5\n",
            "pkhbt r5, r5, r6, lsl #4\n",
            "ldrd ",
            $z,
            ", r6, [",
            $z,
            "]\n",
            "smlad ",
            $z,
            ", r6, r5, ",
            $z,
            "\n",
        )
    };
}

/// ½ + ½ tanh; lr has the ½.
macro_rules! sigmoid {
    ($z:literal) => {
        concat!(tanh!($z), "add ", $z, ", lr, ", $z, ", asr #16\n")
    };
}

/// All units of an LSTM, with the products of x that `$input` makes. `$enter` jumps over what the first turn has too many.
macro_rules! lstm_units {
    ($work:ident, $enter:literal, $input:expr) => {
        asm!(
            "mov r1, #16384",
            "push {{r1, r6, r7}}",
            "ldm r0, {{r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, lr}}",
            "push {{r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, lr}}",
            // ⌊(b + U h) / 2ᵈ⌋
            "6:",
            "ldr r0, [sp]",
            "ldm r0!, {{r8, r9, r10, r11}}",
            "str r0, [sp]",
            "ldrd r12, lr, [sp, #4]",
            "ldr r4, [sp, #12]",
            $enter,
            "2:",
            lstm_four!(),
            "3:",
            lstm_four!(),
            "cmp lr, r4",
            "bne 2b",
            "str r12, [sp, #4]",
            "ldr r4, [sp]",
            "ldm r4!, {{r0, r1, r2, r3}}",
            "str r4, [sp]",
            "asr r8, r8, r0",
            "asr r9, r9, r1",
            "asr r10, r10, r2",
            "asr r11, r11, r3",
            // + W x
            $input,
            "smmul r8, r8, r0",
            "smmul r9, r9, r1",
            "smmul r10, r10, r2",
            "smmul r11, r11, r3",
            "add lr, sp, #32",
            "ldm lr, {{r0, r1, r2, r4, r7, r12, lr}}",
            sigmoid!("r8"),
            sigmoid!("r9"),
            tanh!("r10"),
            "asr r10, r10, #15",
            sigmoid!("r11"),
            // c' = sat16(⌊(f c + 2¹⁴ + ⌊i g / 2ᵖ⁻ᶠ⌋) / 2¹⁵⌋)
            "ldrsh r3, [r4, r1]",
            "mul r8, r8, r10",
            "asr r8, r8, r0",
            "mla r3, r9, r3, lr",
            "add r3, r3, r8",
            "ssat r3, #16, r3, asr #15",
            "strh r3, [r4, r1]",
            // h' = ⌊(o tanh(c') + 2¹⁴) / 2¹⁵⌋
            "mul r3, r3, r2",
            tanh!("r3"),
            "asr r3, r3, #15",
            "mla r3, r11, r3, lr",
            "asr r3, r3, #15",
            "strh r3, [r4], #2",
            "str r4, [sp, #44]",
            "cmp r4, r7",
            "bne 6b",
            "add sp, #60",
            "pop {{r6, r7}}",
            inout("r0") &raw const $work => _,
            out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _, out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            out("r12") _, out("lr") _,
        )
    };
}

/// All units of a GRU, as of an LSTM.
macro_rules! gru_units {
    ($work:ident, $enter:literal, $input:expr) => {
        asm!(
            "mov r1, #16384",
            "push {{r1, r6, r7}}",
            "ldm r0, {{r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, lr}}",
            "push {{r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, lr}}",
            // ⌊(b + U h) / 2ᵈ⌋
            "6:",
            "ldr r0, [sp]",
            "ldm r0!, {{r8, r9, r10, r11}}",
            "str r0, [sp]",
            "ldrd r12, lr, [sp, #4]",
            "ldr r4, [sp, #12]",
            $enter,
            // The end of a turn weighs more beside three gates' products than beside four's: there are half as many.
            "2:",
            gru_four!("r11"),
            "3:",
            gru_four!("r11"),
            "7:",
            gru_four!("r11"),
            "8:",
            gru_four!("r11"),
            "cmp lr, r4",
            "bne 2b",
            "str r12, [sp, #4]",
            "ldr r4, [sp]",
            "ldm r4!, {{r0, r1, r2, r3}}",
            "str r4, [sp]",
            "asr r8, r8, r0",
            "asr r9, r9, r1",
            // + W x
            $input,
            "smmul r8, r8, r0",
            "smmul r9, r9, r1",
            "smmul r10, r10, r2",
            "smmul r11, r11, r3",
            "add lr, sp, #44",
            "ldm lr, {{r4, r7, r12, lr}}",
            // n = tanh(z_n + ⌊u (2¹⁵ r) / 2³²⌋)
            sigmoid!("r8"),
            "lsl r8, r8, #15",
            "smmla r10, r11, r8, r10",
            tanh!("r10"),
            "asr r10, r10, #15",
            sigmoid!("r9"),
            // h' = n + ⌊(z (h - n) + 2¹⁴) / 2¹⁵⌋
            "ldrsh r3, [r4]",
            "sub r3, r3, r10",
            "mla r3, r9, r3, lr",
            "add r3, r10, r3, asr #15",
            "strh r3, [r4], #2",
            "str r4, [sp, #44]",
            "cmp r4, r7",
            "bne 6b",
            "add sp, #60",
            "pop {{r6, r7}}",
            inout("r0") &raw const $work => _,
            out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _, out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            out("r12") _, out("lr") _,
        )
    };
}

/// Products of x in fours, which take the registers of the scales.
macro_rules! fours_of_x {
    ($enter:literal, $four:expr) => {
        concat!(
            "ldrd r12, lr, [sp, #16]\n",
            "ldr r4, [sp, #24]\n",
            $enter,
            "4:\n",
            $four,
            "5:\n",
            $four,
            "cmp lr, r4\n",
            "bne 4b\n",
            "str r12, [sp, #16]\n",
            "ldr r4, [sp]\n",
            "ldmdb r4, {{r0, r1, r2, r3}}\n",
        )
    };
}

/// The units' code with what x takes behind its fours.
macro_rules! with_rest {
    ($units:ident, $work:ident, $enter:literal, $x:expr, $fours:expr, $pair:expr, $one:expr) => {
        match $x % 4 {
            0 => $units!($work, $enter, $fours),
            1 => $units!($work, $enter, concat!($fours, "ldrd r4, r12, [sp, #24]\n", $one, "str r12, [sp, #28]")),
            2 => $units!($work, $enter, concat!($fours, "ldrd r4, r12, [sp, #24]\n", $pair, "str r12, [sp, #28]")),
            _ => {
                $units!($work, $enter, concat!($fours, "ldrd r4, r12, [sp, #24]\n", $pair, $one, "str r12, [sp, #28]"))
            }
        }
    };
}

/// The units' code for so many numbers in x.
macro_rules! with_x {
    ($units:ident, $work:ident, $enter:literal, $x:expr, [$four:expr, $pair:expr, $one:expr]) => {
        match ($x / 4, $x / 4 % 2) {
            (0, _) => with_rest!($units, $work, $enter, $x, "", $pair, $one),
            (_, 0) => with_rest!($units, $work, $enter, $x, fours_of_x!("", $four), $pair, $one),
            _ => with_rest!($units, $work, $enter, $x, fours_of_x!("b 5f\n", $four), $pair, $one),
        }
    };
}

/// The units' code for so many numbers in h, by the fours that they have beyond whole turns, and in x. Sizes are constants: the compiler leaves one of all these.
macro_rules! for_sizes {
    ($units:ident, $work:ident, $fours:expr, [$($left:pat => $enter:literal),+], $x:expr, $parts:tt) => {
        match $fours {
            $($left => with_x!($units, $work, $enter, $x, $parts),)+
        }
    };
}

impl Work {
    /// For so many gates. Behind the hidden state there is no cell.
    #[inline(always)]
    fn new(
        gates: usize,
        constants: &[i32],
        [recurrent, input]: [&[i8]; 2],
        [x, h]: [&[i16]; 2],
        hidden: &mut [i16],
    ) -> Self {
        let in_fours = x.len() / 4 * 4;
        Work {
            constants: constants.as_ptr(),
            recurrent: recurrent.as_ptr(),
            h: h.as_ptr(),
            h_end: h.as_ptr_range().end,
            input: input.as_ptr(),
            x: x.as_ptr(),
            x_rest: x.as_ptr().wrapping_add(in_fours),
            input_rest: input.as_ptr().wrapping_add(gates * h.len() * in_fours),
            product_shift: 0,
            to_cell: 0,
            cell_factor: 0,
            hidden: hidden.as_mut_ptr(),
            hidden_end: hidden.as_ptr_range().end,
            table: &raw const fixed::table()[64],
        }
    }
}

/// One step of an LSTM with tanh and sigmoid; `hidden` becomes the new h and `cell` the new c.
///
/// # Safety
/// `x` and `h` are prepared, `hidden` and `cell` as long as `h`, whose length is a multiple of four and not zero; constants and weights
/// are packed for these sizes.
#[inline(always)]
pub(crate) unsafe fn lstm(
    formats: Formats,
    constants: &[i32],
    weights: [&[i8]; 2],
    [x, h]: [&[i16]; 2],
    [hidden, cell]: [&mut [i16]; 2],
) {
    let mut work = Work::new(4, constants, weights, [x, h], hidden);
    work.cell_factor = formats.cell_factor;
    work.product_shift = formats.product_shift.into();
    work.to_cell = cell.as_mut_ptr().expose_provenance().wrapping_sub(work.hidden.addr());
    // SAFETY: as promised to this function.
    unsafe {
        for_sizes!(
            lstm_units, work, h.len() / 4 % 2, [0 => "", _ => "b 3f"], x.len(), [lstm_four!(), lstm_pair!(), lstm_one!()]
        )
    }
}

/// One step of a GRU, `reset_after`, with tanh and sigmoid; `hidden` becomes the new h.
///
/// # Safety
/// As for [`lstm`].
#[inline(always)]
pub(crate) unsafe fn gru(constants: &[i32], weights: [&[i8]; 2], [x, h]: [&[i16]; 2], hidden: &mut [i16]) {
    let work = Work::new(3, constants, weights, [x, h], hidden);
    // SAFETY: as promised to this function.
    unsafe {
        for_sizes!(
            gru_units, work, h.len() / 4 % 4, [0 => "", 1 => "b 8f", 2 => "b 7f", _ => "b 3f"], x.len(),
            [gru_four!("r10"), gru_pair!(), gru_one!()]
        )
    }
}
