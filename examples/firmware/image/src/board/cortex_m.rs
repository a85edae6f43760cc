//! Cortex-M. It has no counter of instructions, but where the emulator makes every instruction take the same time, SysTick
//! counts them in portions.

use cortex_m::asm;
use cortex_m::peripheral::{Peripherals, SYST, syst::SystClkSource};
pub use cortex_m_rt::entry;

/// Instructions that `work` takes, to within one tick of SysTick (40 on mps2-an386, 62.5 on microbit).
pub fn instructions(work: impl FnOnce()) -> u64 {
    // Two instructions in each of the loop's turns, one turn more than the number given.
    const TURNS: u32 = 4_000_000;
    let known = ticks(|| asm::delay(TURNS - 1));
    u64::from(ticks(work)) * 2 * u64::from(TURNS) / u64::from(known)
}

fn ticks(work: impl FnOnce()) -> u32 {
    const RANGE: u32 = 0x00FF_FFFF;
    // SAFETY: nothing else in these images uses a peripheral.
    let mut systick = unsafe { Peripherals::steal() }.SYST;
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(RANGE);
    systick.clear_current();
    systick.enable_counter();
    let before = SYST::get_current();
    work();
    let after = SYST::get_current();
    assert!(!systick.has_wrapped(), "too much work for one turn of SysTick");
    // It counts down, and begins with zero.
    before.wrapping_sub(after) & RANGE
}
