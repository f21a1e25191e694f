//! Free lists of cell memory, one set a loop, by size class of 64-byte steps.
//!
//! A loop makes and frees cells of a few sizes all day; the general allocator
//! takes several times as long as a pop from a list. Memory of a cell that is
//! freed on another thread goes back to the general allocator. The lists are
//! bounded, and [`CellPool::trim`] gives back what a calm loop did not use.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ptr::NonNull;

const STEP: usize = 64;
const CLASSES: usize = 16;
/// What the general allocator aligns to for nothing.
const ALIGN: usize = 16;
/// The most that one loop keeps.
const LIMIT: usize = 4 << 20;

/// The layout that a cell of this layout is allocated with, everywhere.
pub(crate) const fn rounded(layout: Layout) -> Layout {
    if layout.align() > ALIGN || layout.size() > STEP * CLASSES {
        return layout;
    }
    match Layout::from_size_align(layout.size().next_multiple_of(STEP), ALIGN) {
        Ok(layout) => layout,
        Err(_) => layout,
    }
}

/// Memory from the general allocator, for a cell made away from its loop.
pub(crate) fn allocate(layout: Layout) -> NonNull<u8> {
    // SAFETY: a cell is never of size zero, it has a header.
    NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout))
}

/// Gives memory back to the general allocator.
///
/// # Safety
/// It came from [`allocate`] or a pool, with this layout, and is unused.
pub(crate) unsafe fn free(memory: NonNull<u8>, layout: Layout) {
    // SAFETY: passed on from the caller.
    unsafe { dealloc(memory.as_ptr(), layout) }
}

/// An unused block: the link to the next lies in the block itself.
struct Block {
    next: Option<NonNull<Block>>,
}

#[derive(Default)]
struct Class {
    first: Cell<Option<NonNull<Block>>>,
    length: Cell<usize>,
    /// The shortest that the list has been since the last trim: so many
    /// blocks nobody needed.
    unused: Cell<usize>,
}

/// One loop's lists.
#[derive(Default)]
pub(crate) struct CellPool {
    classes: [Class; CLASSES],
    bytes: Cell<usize>,
}

impl CellPool {
    /// Memory for a cell, recycled where possible.
    #[inline]
    pub(crate) fn allocate(&self, layout: Layout) -> NonNull<u8> {
        if let Some(class) = self.class(layout)
            && let Some(block) = class.pop()
        {
            self.bytes.set(self.bytes.get() - layout.size());
            return block;
        }
        allocate(layout)
    }

    /// Keeps the memory of a cell, or gives it back if enough is kept.
    ///
    /// # Safety
    /// It came from [`allocate`] or a pool, with this layout, and is unused.
    #[inline]
    pub(crate) unsafe fn recycle(&self, memory: NonNull<u8>, layout: Layout) {
        match self.class(layout) {
            Some(class) if self.bytes.get() < LIMIT => {
                self.bytes.set(self.bytes.get() + layout.size());
                class.push(memory);
            }
            // SAFETY: passed on from the caller.
            _ => unsafe { free(memory, layout) },
        }
    }

    /// The bytes kept now.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.get()
    }

    /// Gives back the blocks that were not needed since the last call.
    pub(crate) fn trim(&self) {
        for (index, class) in self.classes.iter().enumerate() {
            let layout = class_layout(index);
            for _ in 0..class.unused.get() {
                let Some(block) = class.pop() else { break };
                self.bytes.set(self.bytes.get() - layout.size());
                // SAFETY: blocks of this class came with this layout.
                unsafe { free(block, layout) };
            }
            class.unused.set(class.length.get());
        }
    }

    #[inline]
    fn class(&self, layout: Layout) -> Option<&Class> {
        if layout.align() != ALIGN || layout.size() > STEP * CLASSES {
            return None;
        }
        // `rounded` made the size a multiple of STEP, and a cell has a header.
        self.classes.get(layout.size() / STEP - 1)
    }
}

impl Class {
    #[inline]
    fn pop(&self) -> Option<NonNull<u8>> {
        let block = self.first.get()?;
        // SAFETY: blocks in the list are unused memory that holds a Block.
        self.first.set(unsafe { block.as_ref() }.next);
        let left = self.length.get() - 1;
        self.length.set(left);
        if left < self.unused.get() {
            self.unused.set(left);
        }
        Some(block.cast())
    }

    #[inline]
    fn push(&self, memory: NonNull<u8>) {
        let block = memory.cast::<Block>();
        // SAFETY: at least STEP unused bytes, aligned to ALIGN.
        unsafe {
            block.write(Block {
                next: self.first.get(),
            })
        };
        self.first.set(Some(block));
        self.length.set(self.length.get() + 1);
    }
}

impl Drop for CellPool {
    fn drop(&mut self) {
        for (index, class) in self.classes.iter().enumerate() {
            while let Some(block) = class.pop() {
                // SAFETY: as in `trim`.
                unsafe { free(block, class_layout(index)) };
            }
        }
    }
}

fn class_layout(index: usize) -> Layout {
    Layout::from_size_align((index + 1) * STEP, ALIGN).expect("a small multiple of 64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calm_pool_gives_back_what_it_did_not_use() {
        let pool = CellPool::default();
        let layout = rounded(Layout::new::<[u8; 100]>());
        assert_eq!(layout.size(), 128);
        let blocks: Vec<_> = (0..10).map(|_| pool.allocate(layout)).collect();
        for block in blocks {
            // SAFETY: allocated above with this layout.
            unsafe { pool.recycle(block, layout) };
        }
        assert_eq!(pool.bytes(), 1280);
        pool.trim(); // learns that ten were there
        let used = pool.allocate(layout);
        // SAFETY: allocated above with this layout.
        unsafe { pool.recycle(used, layout) };
        pool.trim();
        assert_eq!(pool.bytes(), 128, "one was used, nine were not");
    }

    #[test]
    fn large_and_overaligned_cells_are_not_pooled() {
        #[repr(align(64))]
        struct Wide(#[allow(dead_code)] u8);
        let pool = CellPool::default();
        for layout in [Layout::new::<[u8; 5000]>(), Layout::new::<Wide>()] {
            let layout = rounded(layout);
            let memory = pool.allocate(layout);
            // SAFETY: allocated on the line above with this layout.
            unsafe { pool.recycle(memory, layout) };
        }
        assert_eq!(pool.bytes(), 0);
    }
}
