//! How deep the stack gets: its free part is painted, and later one looks how much of the paint is left.

use core::arch::asm;
use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

const PAINT: u32 = 0xA5A5_5A5A;

unsafe extern "C" {
    // The linker scripts' names for what lies behind the statics and for the beginning of the stack, which grows down.
    static __sheap: u32;
    static _stack_start: u32;
}

/// Where the stack would run into the statics.
fn bottom() -> usize {
    (&raw const __sheap).expose_provenance()
}

/// The stack since it was painted.
pub struct Painted {
    top: usize,
}

/// Paints what is below the caller's frame.
#[inline(always)]
pub fn paint() -> Painted {
    let top: usize;
    // SAFETY: copies the stack pointer.
    unsafe {
        #[cfg(target_arch = "arm")]
        asm!("mov {}, sp", out(reg) top, options(nomem, nostack, preserves_flags));
        #[cfg(target_arch = "riscv32")]
        asm!("mv {}, sp", out(reg) top, options(nomem, nostack, preserves_flags));
    }
    for address in (bottom()..top).step_by(size_of::<u32>()) {
        // SAFETY: between the statics and the stack pointer is RAM that nobody uses: there is no heap, and no interrupt.
        unsafe { with_exposed_provenance_mut::<u32>(address).write_volatile(PAINT) };
    }
    Painted { top }
}

impl Painted {
    /// Bytes of what was called since, below the frame of `paint`'s caller.
    pub fn below_caller(&self) -> usize {
        self.top - self.deepest()
    }

    /// Bytes of the whole stack, from where the program began.
    pub fn in_all(&self) -> usize {
        (&raw const _stack_start).addr() - self.deepest()
    }

    fn deepest(&self) -> usize {
        let painted = |address: usize| {
            // SAFETY: as in `paint`.
            unsafe { with_exposed_provenance::<u32>(address).read_volatile() == PAINT }
        };
        (bottom()..self.top).step_by(size_of::<u32>()).find(|&address| !painted(address)).unwrap_or(self.top)
    }
}
