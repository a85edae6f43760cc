//! What the images share.
#![no_std]

#[cfg_attr(target_arch = "arm", path = "board/cortex_m.rs")]
#[cfg_attr(target_arch = "riscv32", path = "board/riscv.rs")]
pub mod board;
mod speaker;
pub mod stack;

pub use speaker::speaker;

/// Instructions that `work` takes, as exactly as the board's stopwatch tells; on Cortex-M less than 2²⁴ ticks.
pub fn instructions(work: impl FnOnce()) -> u64 {
    let mut watch = board::Stopwatch::start();
    work();
    watch.lap();
    watch.instructions()
}
