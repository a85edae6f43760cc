//! What the images share.
#![no_std]

#[cfg_attr(target_arch = "arm", path = "board/cortex_m.rs")]
#[cfg_attr(target_arch = "riscv32", path = "board/riscv.rs")]
pub mod board;
mod speaker;
pub mod stack;

pub use speaker::speaker;
