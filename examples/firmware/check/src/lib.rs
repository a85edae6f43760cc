//! What the programs on the host share: images, and boards that run them.

pub mod elf;
pub mod qemu;
pub mod reach;
pub mod trace;
