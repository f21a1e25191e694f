//! The storage of an unbounded queue, and of a pool's jobs: linked blocks of slots.
//!
//! Producers meet as in crossbeam's list channel: one compare-exchange claims a
//! place, and the claimer of a block's last slot brings the next block.
//! Consumers take turns. That costs a pop one read-modify-write, as a claim of
//! its own would; but a consumer whose turn it is may look before it takes, so
//! that an empty queue is told from its slot, and a block that is used up is
//! nobody's any more: no count of its readers is kept.
//!
//! # Protocol
//! A *position* counts slots; of each [`LAP`] positions the last one is no slot,
//! but says "the next block is about to come". `tail.index` is the next position
//! to push at, and the closed mark. `head.index` is the next one to pop at.
//!
//! | step    | push                                     | pop                       |
//! |---------|------------------------------------------|---------------------------|
//! | claim   | compare-exchange of `tail.index`, unless closed | take the turn      |
//! | look    |                                          | is the slot full?         |
//! | block   | with the last slot: put the next block in place, step over the odd position, link it | with the last slot: go to the next block, give the old one away |
//! | use     | write the value                          | read the value            |
//! | release | mark the slot full                       | give the turn back        |
//!
//! 1. *Slot*: a claimed slot is the producer's alone until it is full, and then
//!    the consumer's whose turn it is: `tail.index` passes each position once,
//!    and so does `head.index`. Full is a Release store and an Acquire load.
//! 2. *Tail*: `tail.block` is the block of `tail.index`, except while that is at
//!    an odd position, where nobody claims. It is read after the index, and a
//!    claim succeeds only if the index has not moved since the first reading
//!    (it never returns to a value), so the claimer holds the right block. Before
//!    that it does not touch it.
//! 3. *End of a block*: marking its slot full is the last thing that a producer
//!    does to a block. So a block whose slots were all full is touched by no
//!    producer any more, and its link was set before the last slot was marked.
//!    The consumer whose turn it is owns it then.
//! 4. *Closed*: the mark is in the word that a push claims by, so a push comes
//!    before the close or comes back.
//! 5. *Empty* is said only after looking at `tail.index`, and a claim of that is
//!    sequentially consistent: a look at who waits needs no fence after it. A
//!    place that is claimed but not full yet is waited for: its owner is between
//!    two instructions.
//! 6. *Turn*: who has the turn calls no foreign code.

use super::patience::Patience;
use crate::loom::{AtomicBool, AtomicPtr, AtomicUsize, UnsafeCell};
use concurrent_queue::{PopError, PushError};
use crossbeam_utils::CachePadded;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

pub(crate) struct List<T> {
    tail: CachePadded<Tail<T>>,
    head: CachePadded<Head<T>>,
    /// A block that is used up, for whoever needs one next; or null.
    spare: CachePadded<AtomicPtr<Block<T>>>,
    _values: PhantomData<*mut T>,
}

/// The producers' words.
struct Tail<T> {
    /// Position, and [`CLOSED`].
    index: AtomicUsize,
    block: AtomicPtr<Block<T>>,
}

/// The consumers' words; all but the first are written in turn.
struct Head<T> {
    /// Has somebody the turn?
    taken: AtomicBool,
    /// Was the next slot full, when the last one was taken? A guess.
    more: AtomicBool,
    index: AtomicUsize,
    block: AtomicPtr<Block<T>>,
}

struct Block<T> {
    slots: [Slot<T>; BLOCK],
    next: AtomicPtr<Block<T>>,
}

struct Slot<T> {
    full: AtomicBool,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: values are moved in by one thread and out by another, never shared;
// slots and blocks are handed over by *Slot* and *End of a block*.
unsafe impl<T: Send> Send for List<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for List<T> {}

impl<T> List<T> {
    pub(crate) fn new() -> Self {
        let first = Box::into_raw(Block::new());
        Self {
            tail: CachePadded::new(Tail {
                index: AtomicUsize::new(0),
                block: AtomicPtr::new(first),
            }),
            head: CachePadded::new(Head {
                taken: AtomicBool::new(false),
                more: AtomicBool::new(false),
                index: AtomicUsize::new(0),
                block: AtomicPtr::new(first),
            }),
            spare: CachePadded::new(AtomicPtr::new(null_mut())),
            _values: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn push(&self, value: T) -> Result<(), PushError<T>> {
        let mut patience = Patience::new();
        let mut next = None;
        let mut tail = self.tail.index.load(Acquire);
        loop {
            if tail & CLOSED != 0 {
                self.keep(next);
                return Err(PushError::Closed(value));
            }
            let offset = position(tail) % LAP;
            if offset == BLOCK {
                patience.wait();
                tail = self.tail.index.load(Acquire);
                continue;
            }
            // *Tail*: read after the index.
            let block = self.tail.block.load(Acquire);
            // Before the claim: the allocator may panic.
            if offset == BLOCK - 1 && next.is_none() {
                next = Some(self.new_block());
            }
            let claim = (self.tail.index).compare_exchange_weak(tail, tail + ONE, SeqCst, Acquire);
            if let Err(now) = claim {
                tail = now;
                continue;
            }
            // SAFETY: *Tail*: it is the block of the claimed position, and lives
            // until that is full, *End of a block*.
            let block = unsafe { &*block };
            if offset == BLOCK - 1 {
                self.append(block, next.take());
            }
            self.keep(next);
            let slot = &block.slots[offset];
            // SAFETY: *Slot*: claimed just now.
            slot.value.with_mut(|to| unsafe { (*to).write(value) });
            slot.full.store(true, Release);
            return Ok(());
        }
    }

    /// By the claimer of the last slot: lets the others claim in the next block.
    #[cold]
    fn append(&self, block: &Block<T>, next: Option<Box<Block<T>>>) {
        let next = Box::into_raw(next.unwrap_or_else(Block::new));
        self.tail.block.store(next, Release);
        self.tail.index.fetch_add(ONE, SeqCst);
        block.next.store(next, Release);
    }

    #[inline]
    pub(crate) fn pop(&self) -> Result<T, PopError> {
        self.turn().pop()
    }

    /// Moves 1 to `limit` values to the end of `to`; says how many.
    pub(super) fn pop_many(&self, to: &mut Vec<T>, limit: usize) -> Result<usize, PopError> {
        let turn = self.turn();
        // Room first: a value that was popped has nowhere else to go.
        to.reserve(1);
        to.push(turn.pop()?);
        let mut count = 1;
        while count < limit && turn.is_full(0) {
            to.reserve(1);
            to.push(turn.pop()?);
            count += 1;
        }
        Ok(count)
    }

    /// Is there a value, `ahead` places behind the next one? A guess that reads
    /// nothing but a slot of what producers write.
    #[inline]
    pub(crate) fn has_value(&self, ahead: usize) -> bool {
        if ahead == 0 && self.head.more.load(Relaxed) {
            return true;
        }
        // The block may be given away by whoever has the turn.
        self.try_turn().is_some_and(|turn| turn.is_full(ahead))
    }

    /// False if it was closed before.
    pub(crate) fn close(&self) -> bool {
        self.tail.index.fetch_or(CLOSED, SeqCst) & CLOSED == 0
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.tail.index.load(SeqCst) & CLOSED != 0
    }

    /// How many values were taken in all, as of a moment ago.
    pub(crate) fn taken(&self) -> usize {
        values_before(self.head.index.load(SeqCst))
    }

    /// An estimate, for it reads two words; but 0 only if nothing was there.
    pub(crate) fn len(&self) -> usize {
        let taken = self.taken();
        values_before(position(self.tail.index.load(SeqCst))).saturating_sub(taken)
    }

    #[inline]
    fn turn(&self) -> Turn<'_, T> {
        let mut patience = Patience::new();
        loop {
            if let Some(turn) = self.try_turn() {
                return turn;
            }
            patience.wait();
        }
    }

    #[inline]
    fn try_turn(&self) -> Option<Turn<'_, T>> {
        // Made by need only: one that is made and dropped gives the turn back.
        (!self.head.taken.swap(true, Acquire)).then(|| Turn(self))
    }

    #[cold]
    fn new_block(&self) -> Box<Block<T>> {
        let spare = self.spare.swap(null_mut(), Acquire);
        if spare.is_null() {
            return Block::new();
        }
        // SAFETY: only *End of a block* and `keep` put blocks here, each its
        // own, and the swap took it out.
        let mut block = unsafe { Box::from_raw(spare) };
        block.empty();
        block
    }

    /// Keeps a block that nobody uses for the next who needs one.
    #[inline]
    fn keep(&self, block: Option<Box<Block<T>>>) {
        let Some(block) = block else { return };
        let before = self.spare.swap(Box::into_raw(block), AcqRel);
        if !before.is_null() {
            // SAFETY: as in `new_block`.
            drop(unsafe { Box::from_raw(before) });
        }
    }
}

/// The turn of a consumer; given back when it is dropped.
struct Turn<'a, T>(&'a List<T>);

impl<T> Turn<'_, T> {
    #[inline]
    fn pop(&self) -> Result<T, PopError> {
        let head = &self.0.head;
        let at = head.index.load(Relaxed);
        let slot = &self.block().slots[at % LAP];
        if !slot.full.load(Acquire) {
            self.wait_for(slot, at)?;
        }
        // SAFETY: *Slot*: it is full, and this is the turn to pop at it.
        let value = slot
            .value
            .with_mut(|from| unsafe { (*from).assume_init_read() });
        if at % LAP == BLOCK - 1 {
            self.go_to_next_block(at);
        } else {
            head.index.store(at + 1, Relaxed);
        }
        head.more.store(self.is_full(0), Relaxed);
        Ok(value)
    }

    /// Says that it is empty or closed, unless somebody is about to fill it.
    fn wait_for(&self, slot: &Slot<T>, at: usize) -> Result<(), PopError> {
        let tail = self.0.tail.index.load(SeqCst);
        if position(tail) == at {
            self.0.head.more.store(false, Relaxed);
            return Err(match tail & CLOSED {
                0 => PopError::Empty,
                _ => PopError::Closed,
            });
        }
        let mut patience = Patience::new();
        while !slot.full.load(Acquire) {
            patience.wait();
        }
        Ok(())
    }

    #[cold]
    fn go_to_next_block(&self, at: usize) {
        let head = &self.0.head;
        let next = self.block().next.load(Acquire);
        let old = head.block.swap(next, Relaxed);
        // One more: the odd position.
        head.index.store(at + 2, Relaxed);
        // SAFETY: *End of a block*: this turn's alone since the last slot was
        // full, and no reference to it is used after this.
        self.0.keep(Some(unsafe { Box::from_raw(old) }));
    }

    /// Is the slot full, `ahead` places behind the next one? If that is in the
    /// next block, the last one of this block tells.
    #[inline]
    fn is_full(&self, ahead: usize) -> bool {
        let at = self.0.head.index.load(Relaxed) % LAP;
        let slot = &self.block().slots[(at + ahead).min(BLOCK - 1)];
        slot.full.load(Relaxed)
    }

    #[inline]
    fn block(&self) -> &Block<T> {
        // SAFETY: the head's block is given away in turn only, and this is it.
        unsafe { &*self.0.head.block.load(Relaxed) }
    }
}

impl<T> Drop for Turn<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let taken = &self.0.head.taken;
        if cfg!(loom) {
            // loom lets a swap come before a store that was made long ago, as
            // often as it likes: whoever waits for the turn would wait for ever.
            taken.swap(false, Release);
        } else {
            taken.store(false, Release);
        }
    }
}

impl<T> Block<T> {
    /// Made in its place: many large values would not fit on the stack.
    fn new() -> Box<Self> {
        let mut block = Box::<Self>::new_uninit();
        let to = block.as_mut_ptr();
        for index in 0..BLOCK {
            let slot = Slot {
                full: AtomicBool::new(false),
                value: UnsafeCell::new(MaybeUninit::uninit()),
            };
            // SAFETY: inside the allocation, which is this function's alone.
            unsafe { (&raw mut (*to).slots[index]).write(slot) };
        }
        // SAFETY: as above.
        unsafe { (&raw mut (*to).next).write(AtomicPtr::new(null_mut())) };
        // SAFETY: every slot and the link, which is all there is, were written.
        unsafe { block.assume_init() }
    }

    /// Makes it as new; its values were taken out.
    fn empty(&mut self) {
        for slot in &mut self.slots {
            slot.full.store(false, Relaxed);
        }
        self.next.store(null_mut(), Relaxed);
    }
}

impl<T> Drop for List<T> {
    fn drop(&mut self) {
        while let Ok(value) = self.pop() {
            drop(value);
        }
        for block in [&self.head.block, &self.spare] {
            let block = block.swap(null_mut(), Relaxed);
            if !block.is_null() {
                // SAFETY: the list is this thread's alone, and both are its own.
                drop(unsafe { Box::from_raw(block) });
            }
        }
    }
}

/// Slots before a position.
fn values_before(position: usize) -> usize {
    position - position / LAP
}

fn position(word: usize) -> usize {
    word >> 1
}

/// The lowest bit of `tail.index`.
const CLOSED: usize = 1;
/// A position more.
const ONE: usize = 2;

/// Positions from a block to the next; few in a model, so that it gets there.
const LAP: usize = if cfg!(loom) { 3 } else { 32 };
/// Slots of a block.
const BLOCK: usize = LAP - 1;
