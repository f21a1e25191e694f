//! Memory of cells, used again: by size class of 32-byte steps.
//!
//! A loop makes and frees cells of a few sizes all day, and senders make cells
//! that the loop frees. The general allocator takes several times as long as a
//! pop from a list, and fresh pages cost more than all the rest. So:
//!
//! ```text
//!   own tasks      loop ── make ──▶ cell ── end ──▶ the loop's pool ──▶ loop
//!   submissions    sender ── make ──▶ cell ── end on the loop ──▶ chain
//!                     ▲                                             │ returned whole,
//!                     └── the sender's cache ◀── Returns ◀──────────┘ one a class
//! ```
//!
//! * [`CellPool`]: a loop's own free lists. Bounded; [`CellPool::trim`] gives
//!   back what a calm loop did not use.
//! * [`Returns`]: one pointer a class, in the mailbox. The loop, the only one
//!   that ever fills it, stores a chain of blocks there when it is empty;
//!   whoever needs one takes the whole chain with a swap. So a block is in one
//!   place at any time, and the hand-over is one release and one acquire.
//! * The sender's cache: thread-local, refilled by one chain, freed with the
//!   thread. A cell that ends on its sender's thread goes straight into it.
//!
//! A submission's cell begins with a line of cache. It changes its core twice,
//! and one that lay across a border would take a line more along, which it
//! shares with a cell that another core writes at that time. A loop's own cells
//! do not travel, and are packed more tightly.
//!
//! An unused block holds the link to the next one in its first word. All memory
//! is the general allocator's, with one layout for the loop's own blocks of a
//! class and one for the senders', so a block may be freed wherever there is no
//! room for it.

use crate::loom::AtomicPtr;
use crate::util::prefetch_lines;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::{AcqRel, Relaxed, Release};

/// The smallest class: a header, and the result of a task whose future is nothing.
/// Together with what the general allocator adds, 8 bytes, it is a whole multiple
/// of [`ALIGN`], as it is in each step.
const LEAST: usize = 104;
const STEP: usize = 32;
const CLASSES: usize = 30;
/// The largest.
const MOST: usize = LEAST + STEP * (CLASSES - 1);
/// What the general allocator aligns to for nothing.
const ALIGN: usize = 16;
/// A line of cache, where a submission's cell begins.
const LINE: usize = 64;
/// The most that one loop keeps for itself.
const LIMIT: usize = 4 << 20;
/// Blocks in a chain that goes back to the senders, at least.
const CHAIN_LEAST: usize = 32;
/// The most that a chain, or a sender's cache, holds of one class.
const CHAIN_BYTES: usize = 1 << 20;

/// A cell's memory, with nothing alive in it.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    start: NonNull<u8>,
    layout: Layout,
    /// Made by a sender, for a submission.
    foreign: bool,
}

impl Memory {
    /// # Safety
    /// The memory came from this module with this layout, and is unused.
    pub(crate) unsafe fn new(start: NonNull<u8>, layout: Layout, foreign: bool) -> Self {
        Self {
            start,
            layout,
            foreign,
        }
    }
}

/// Where a block of the one kind or the other begins.
const fn align_of(foreign: bool) -> usize {
    if foreign { LINE } else { ALIGN }
}

/// The layout that a cell of this layout is allocated with, everywhere;
/// `foreign`: by senders.
pub(crate) const fn rounded(layout: Layout, foreign: bool) -> Layout {
    let align = align_of(foreign);
    if layout.align() > align || layout.size() > MOST {
        return layout;
    }
    let beyond = layout.size().saturating_sub(LEAST);
    match Layout::from_size_align(LEAST + beyond.next_multiple_of(STEP), align) {
        Ok(layout) => layout,
        Err(_) => layout,
    }
}

/// The class of a rounded layout; `None` for what is not recycled.
#[inline(always)]
fn class_of(layout: Layout, foreign: bool) -> Option<usize> {
    if layout.align() != align_of(foreign) || layout.size() > MOST {
        return None;
    }
    // `rounded` made it the size of a class.
    Some((layout.size() - LEAST) / STEP)
}

fn allocate(layout: Layout) -> NonNull<u8> {
    // SAFETY: a cell is never of size zero, it has a header.
    NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout))
}

/// Gives memory back to the general allocator.
///
/// # Safety
/// It came from this module with this layout, and is unused.
pub(crate) unsafe fn free(memory: NonNull<u8>, layout: Layout) {
    // SAFETY: passed on from the caller.
    unsafe { dealloc(memory.as_ptr(), layout) }
}

/// An unused block: the link to the next lies in the block itself.
struct Block {
    next: Option<NonNull<Block>>,
}

/// A list of unused blocks of one class.
#[derive(Default)]
struct Chain {
    first: Cell<Option<NonNull<Block>>>,
    length: Cell<usize>,
}

impl Chain {
    #[inline]
    fn pop(&self) -> Option<NonNull<u8>> {
        let block = self.first.get()?;
        // SAFETY: blocks of a chain are unused memory that holds a Block.
        self.first.set(unsafe { block.as_ref() }.next);
        self.length.set(self.length.get().saturating_sub(1));
        Some(block.cast())
    }

    #[inline]
    fn push(&self, memory: NonNull<u8>) {
        let block = memory.cast::<Block>();
        let next = self.first.get();
        // SAFETY: at least LEAST unused bytes, aligned to ALIGN.
        unsafe { block.write(Block { next }) };
        self.first.set(Some(block));
        self.length.set(self.length.get() + 1);
    }

    /// Frees everything.
    fn clear(&self, class: usize, foreign: bool) {
        while let Some(block) = self.pop() {
            // SAFETY: blocks of this class and kind came with this layout.
            unsafe { free(block, class_layout(class, foreign)) };
        }
    }
}

// ---- the loop's side ----

#[derive(Default)]
struct Class {
    kept: Chain,
    /// The shortest that `kept` has been since the last trim: so many blocks
    /// nobody needed.
    unused: Cell<usize>,
    /// Blocks of senders, to be returned.
    returning: Chain,
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
        let Some(class) = class_of(layout, false).map(|class| &self.classes[class]) else {
            return allocate(layout);
        };
        match class.kept.pop() {
            Some(block) => {
                let left = class.kept.length.get();
                class.unused.set(class.unused.get().min(left));
                self.bytes.set(self.bytes.get() - layout.size());
                block
            }
            None => allocate(layout),
        }
    }

    /// Keeps the memory of a cell, returns it, or frees it.
    ///
    /// # Safety
    /// The caller gives the memory up.
    #[inline(always)]
    pub(crate) unsafe fn recycle(&self, memory: Memory, returns: &Returns) {
        let Some(class) = class_of(memory.layout, memory.foreign) else {
            // SAFETY: passed on from the caller.
            return unsafe { free(memory.start, memory.layout) };
        };
        if memory.foreign {
            return self.send_back(class, memory.start, returns);
        }
        self.keep(class, memory.start);
    }

    #[inline(always)]
    fn keep(&self, class: usize, start: NonNull<u8>) {
        let layout = class_layout(class, false);
        if self.bytes.get() < LIMIT {
            self.bytes.set(self.bytes.get() + layout.size());
            self.classes[class].kept.push(start);
        } else {
            // SAFETY: the caller of `recycle` gave it up.
            unsafe { free(start, layout) };
        }
    }

    #[inline(never)]
    fn send_back(&self, class: usize, start: NonNull<u8>, returns: &Returns) {
        let returning = &self.classes[class].returning;
        if returning.length.get() >= most_blocks(class) {
            // SAFETY: the caller of `recycle` gave it up; a sender made it.
            return unsafe { free(start, class_layout(class, true)) };
        }
        returning.push(start);
        if returning.length.get() >= CHAIN_LEAST {
            returns.offer(class, returning);
        }
    }

    /// The bytes kept now.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.get()
    }

    /// Gives back the blocks that were not needed since the last call.
    pub(crate) fn trim(&self, returns: &Returns) {
        for (index, class) in self.classes.iter().enumerate() {
            let layout = class_layout(index, false);
            for _ in 0..class.unused.get() {
                let Some(block) = class.kept.pop() else { break };
                self.bytes.set(self.bytes.get() - layout.size());
                // SAFETY: blocks of this class came with this layout.
                unsafe { free(block, layout) };
            }
            class.unused.set(class.kept.length.get());
            if class.returning.length.get() > 0 {
                returns.offer(index, &class.returning);
            }
        }
    }
}

impl Drop for CellPool {
    fn drop(&mut self) {
        for (index, class) in self.classes.iter().enumerate() {
            class.kept.clear(index, false);
            class.returning.clear(index, true);
        }
    }
}

// ---- the way back ----

/// Chains on their way from a loop to those who send to it, one a class.
pub(crate) struct Returns([AtomicPtr<Block>; CLASSES]);

impl Returns {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())))
    }

    /// Home: puts the chain there, if the last one has been taken.
    fn offer(&self, class: usize, chain: &Chain) {
        if self.0[class].load(Relaxed).is_null()
            && let Some(first) = chain.first.take()
        {
            chain.length.set(0);
            // Only this thread ever stores a chain, so it is still null.
            self.0[class].store(first.as_ptr(), Release);
        }
    }

    /// Any thread: takes the whole chain.
    fn take(&self, class: usize) -> Option<NonNull<Block>> {
        if self.0[class].load(Relaxed).is_null() {
            return None;
        }
        NonNull::new(self.0[class].swap(ptr::null_mut(), AcqRel))
    }
}

impl Drop for Returns {
    fn drop(&mut self) {
        for class in 0..CLASSES {
            let rest = Chain::default();
            rest.first.set(self.take(class));
            rest.clear(class, true);
        }
    }
}

// ---- the senders' side ----

/// A sending thread's blocks.
struct Cache([Chain; CLASSES]);

impl Drop for Cache {
    fn drop(&mut self) {
        for (class, chain) in self.0.iter().enumerate() {
            chain.clear(class, true);
        }
    }
}

std::thread_local! {
    static CACHE: Cache = Cache(Default::default());
}

/// Memory for a cell that is made away from its loop.
#[inline]
pub(crate) fn allocate_elsewhere(layout: Layout, returns: &Returns) -> NonNull<u8> {
    // The model checker wants the same steps in every run of a model; a cache
    // that outlives a run would change them.
    let class = if cfg!(loom) {
        None
    } else {
        class_of(layout, true)
    };
    let recycled = class.and_then(|class| {
        CACHE
            .try_with(|cache| {
                let chain = &cache.0[class];
                if chain.first.get().is_none() {
                    chain.first.set(returns.take(class));
                    chain.length.set(0);
                }
                let block = chain.pop();
                if let Some(next) = chain.first.get() {
                    // The next one lies in the loop's cache still: it travels
                    // while this one is filled and sent.
                    prefetch_lines(next.as_ptr(), layout.size().div_ceil(LINE));
                }
                block
            })
            .ok()
            .flatten()
    });
    recycled.unwrap_or_else(|| allocate(layout))
}

/// Takes the memory of a cell that ended away from its loop.
///
/// # Safety
/// The caller gives the memory up.
pub(crate) unsafe fn free_elsewhere(memory: Memory) {
    let class = class_of(memory.layout, true).filter(|_| memory.foreign && !cfg!(loom));
    let kept = class.is_some_and(|class| {
        CACHE
            .try_with(|cache| {
                let room = cache.0[class].length.get() < most_blocks(class);
                if room {
                    cache.0[class].push(memory.start);
                }
                room
            })
            .unwrap_or(false)
    });
    if !kept {
        // SAFETY: passed on from the caller.
        unsafe { free(memory.start, memory.layout) };
    }
}

fn most_blocks(class: usize) -> usize {
    CHAIN_BYTES / (LEAST + class * STEP)
}

#[inline(always)]
fn class_layout(index: usize, foreign: bool) -> Layout {
    Layout::from_size_align(LEAST + index * STEP, align_of(foreign)).expect("a small size")
}

#[cfg(test)]
#[path = "recycle_tests.rs"]
mod tests;
