//! An allocator that puts vectors of numbers right in front of a page that may not be touched: what reads or writes one number
//! too many crashes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{c_int, c_void};

struct Fence;

#[global_allocator]
static FENCE: Fence = Fence;

/// A multiple of every machine's page size.
const PAGE: usize = 1 << 16;

const FORBIDDEN: c_int = 0;
const READ_AND_WRITE: c_int = 3;

unsafe extern "C" {
    /// Of the C library that the standard library links.
    fn mprotect(start: *mut c_void, length: usize, protection: c_int) -> c_int;
}

/// Where numbers lie: `Vec<f32>` and arrays, int16 as well; and layers with constant sizes, which are aligned to cache lines.
fn is_fenced(layout: Layout) -> bool {
    matches!(layout.align(), 2 | 4 | 64) && layout.size().is_multiple_of(layout.align())
}

/// The pages for `layout`, and how many bytes are in front of the forbidden one.
fn pages(layout: Layout) -> Option<(Layout, usize)> {
    let usable = layout.size().next_multiple_of(PAGE);
    Some((Layout::from_size_align(usable + PAGE, PAGE).ok()?, usable))
}

// SAFETY: a block ends where the forbidden page begins, which is a multiple of its alignment; it is as long as asked for, and
// nobody else's.
unsafe impl GlobalAlloc for Fence {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !is_fenced(layout) {
            // SAFETY: as promised to this function.
            return unsafe { System.alloc(layout) };
        }
        let Some((pages, usable)) = pages(layout) else { return std::ptr::null_mut() };
        // SAFETY: there is at least one page. The last one is within the block.
        unsafe {
            let block = System.alloc(pages);
            if block.is_null() || mprotect(block.add(usable).cast(), PAGE, FORBIDDEN) != 0 {
                return std::ptr::null_mut();
            }
            block.add(usable - layout.size())
        }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        match pages(layout) {
            // SAFETY: this is the block that `alloc` has got.
            Some((pages, usable)) if is_fenced(layout) => unsafe {
                let block = start.add(layout.size()).sub(usable);
                // An allocator must not panic.
                if mprotect(block.add(usable).cast(), PAGE, READ_AND_WRITE) != 0 {
                    std::process::abort();
                }
                System.dealloc(block, pages);
            },
            // SAFETY: as promised to this function.
            _ => unsafe { System.dealloc(start, layout) },
        }
    }
}
