//! RISC-V, which counts its instructions.

use riscv::register::minstret;
pub use riscv_rt::entry;

/// Instructions that `work` takes.
pub fn instructions(work: impl FnOnce()) -> u64 {
    let before = minstret::read64();
    work();
    minstret::read64() - before
}
