//! RISC-V, which counts its instructions.

use riscv::register::minstret;
pub use riscv_rt::entry;

/// Counts instructions.
pub struct Stopwatch {
    start: u64,
    last: u64,
}

impl Stopwatch {
    /// Begins to count.
    pub fn start() -> Self {
        let start = minstret::read64();
        Stopwatch { start, last: start }
    }

    /// Looks at the counter.
    #[inline(always)]
    pub fn lap(&mut self) {
        self.last = minstret::read64();
    }

    /// Instructions until the last lap.
    pub fn instructions(&self) -> u64 {
        self.last - self.start
    }
}
