//! Cortex-M. It has no counter of instructions, but where the emulator makes every instruction take the same time, SysTick
//! counts them in portions.

use cortex_m::asm;
use cortex_m::peripheral::{Peripherals, SYST, syst::SystClkSource};
pub use cortex_m_rt::entry;

const RANGE: u32 = 0x00FF_FFFF;

/// Counts instructions to within one tick of SysTick: 40 on mps2-an386, 62.5 on microbit.
pub struct Stopwatch {
    last: u32,
    ticks: u64,
}

impl Stopwatch {
    /// Begins to count.
    pub fn start() -> Self {
        // SAFETY: nothing else in these images uses a peripheral.
        let mut systick = unsafe { Peripherals::steal() }.SYST;
        systick.set_clock_source(SystClkSource::Core);
        systick.set_reload(RANGE);
        systick.clear_current();
        systick.enable_counter();
        Stopwatch { last: SYST::get_current(), ticks: 0 }
    }

    /// To be called before the counter has come round, which takes 2²⁴ ticks.
    #[inline(always)]
    pub fn lap(&mut self) {
        let now = SYST::get_current();
        // It counts down, and begins with zero.
        self.ticks += u64::from(self.last.wrapping_sub(now) & RANGE);
        self.last = now;
    }

    /// Instructions until the last lap.
    pub fn instructions(&self) -> u64 {
        // Two instructions in each of the loop's turns, one turn more than the number given.
        const TURNS: u32 = 40_000;
        let mut known = Stopwatch::start();
        asm::delay(TURNS - 1);
        known.lap();
        // A tick is some quarters of an instruction, which leaves nothing to chance.
        let quarters = (8 * u64::from(TURNS) + known.ticks / 2) / known.ticks;
        self.ticks * quarters / 4
    }
}
