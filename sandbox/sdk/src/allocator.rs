//! The guest's heap: made for an instance that lives for one sample.
//!
//! Blocks come in powers of two; freed ones are kept in a list a size, fresh ones are cut from the memory that the module
//! starts with. That memory is large enough for an ordinary reward, so a call asks the engine for nothing, and what was
//! never touched costs nothing to clear. The regular-expression module has the same heap: the host keeps every page of its
//! memory that is not zero (`warm.rs`), so large blocks are cleared when they are freed. There is `unsafe` here because an
//! allocator hands out raw memory.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::arch::wasm32::{memory_grow, memory_size};
use std::cell::UnsafeCell;
use std::ptr;

/// Alignment and least size of a block.
const GRAIN: usize = 16;
const PAGE: usize = 65_536;
/// Freed blocks of this size and more are cleared.
const LARGE: usize = 4096;
/// Pages asked for at once, a MiB: memory limits come in whole MiB, so that the last of it can be had.
const GROWTH: usize = 16;

struct Heap {
    state: UnsafeCell<State>,
}

struct State {
    /// First byte never handed out; 0 before the first call.
    next: usize,
    /// End of the memory.
    end: usize,
    /// Freed blocks by the logarithm of their size, each holding the address of the following one.
    free: [*mut u8; 32],
}

// SAFETY: guests have one thread.
unsafe impl Sync for Heap {}

#[global_allocator]
static HEAP: Heap = Heap {
    state: UnsafeCell::new(State {
        next: 0,
        end: 0,
        free: [ptr::null_mut(); 32],
    }),
};

unsafe extern "C" {
    /// Where the linker's data ends; only its address means anything.
    static __heap_base: u8;
}

/// Size of the block for a layout: a power of two. `None` beyond what 32 bits can address.
fn block_size(layout: Layout) -> Option<usize> {
    layout.size().max(GRAIN).checked_next_power_of_two()
}

impl State {
    /// Memory that was never handed out, and is therefore zero. Null where there is no more.
    fn fresh(&mut self, size: usize, align: usize) -> *mut u8 {
        if self.next == 0 {
            self.next = (&raw const __heap_base).addr();
            self.end = memory_size(0) * PAGE;
        }
        let start = self.next.next_multiple_of(align.max(GRAIN));
        let Some(next) = start.checked_add(size) else {
            return ptr::null_mut();
        };
        if next > self.end {
            let pages = (next - self.end).div_ceil(PAGE * GROWTH) * GROWTH;
            if memory_grow(0, pages) == usize::MAX {
                return ptr::null_mut();
            }
            self.end += pages * PAGE;
        }
        self.next = next;
        ptr::with_exposed_provenance_mut(start)
    }

    /// A block for a layout, and whether it is known to be zero.
    fn take(&mut self, layout: Layout) -> (*mut u8, bool) {
        let Some(size) = block_size(layout) else {
            return (ptr::null_mut(), false);
        };
        let list = &mut self.free[size.trailing_zeros() as usize];
        if list.is_null() || layout.align() > GRAIN {
            return (self.fresh(size, layout.align()), true);
        }
        let block = *list;
        // SAFETY: a block in the list is free, at least `GRAIN` large, and begins with the address of the next.
        *list = unsafe { block.cast::<*mut u8>().read() };
        (block, false)
    }
}

// SAFETY: blocks are as large and as aligned as their layout asks and do not overlap: fresh ones are cut from the end of
// what was handed out, and a block enters a list only when it is freed.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one thread, and no call from within another.
        unsafe { &mut *self.state.get() }.take(layout).0
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let (block, zero) = unsafe { &mut *self.state.get() }.take(layout);
        if !zero && !block.is_null() {
            // SAFETY: the block has at least this size.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // A block of unusual alignment is not kept: it would have to be found by alignment again.
        let Some(size) = block_size(layout).filter(|_| layout.align() <= GRAIN) else {
            return;
        };
        // SAFETY: one thread; the block was handed out for this layout and is the caller's no more.
        unsafe {
            if size >= LARGE {
                block.write_bytes(0, layout.size());
            }
            let list = &mut (*self.state.get()).free[size.trailing_zeros() as usize];
            block.cast::<*mut u8>().write(*list);
            *list = block;
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Ok(wanted) = Layout::from_size_align(new_size, layout.align()) else {
            return ptr::null_mut();
        };
        if block_size(layout) == block_size(wanted) {
            return block;
        }
        // SAFETY: both blocks have at least the smaller size, and a new block does not overlap the old one.
        unsafe {
            let moved = self.alloc(wanted);
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}
