//! The storage of a bounded queue: a ring of slots, each with a stamp.
//!
//! The algorithm is Dmitry Vyukov's bounded queue for many producers and many
//! consumers, with laps as in crossbeam's array channel, so that any capacity is
//! exact. It is ours for three reasons: its order of operations is what lets a
//! push and a pop ask "does anybody wait?" without a fence of their own, a
//! batch is claimed by one operation, and its closed mark is part of the claim.
//!
//! # Protocol
//! A *position* counts slots, lap after lap: the low bits are the slot's index,
//! the rest the lap. `tail` is the next position to push at, and the closed
//! mark; `head` is the next one to pop at.
//!
//! ```text
//!  stamp:   FREE at p ──── push at p ────▶ FULL at p ──── pop at p ────▶ FREE at p + a lap
//! ```
//! | step    | push                                   | pop                            |
//! |---------|----------------------------------------|--------------------------------|
//! | look    | the slot is FREE at `tail`             | the slot is FULL at `head`     |
//! | claim   | compare-exchange of `tail`, unless closed | compare-exchange of `head`  |
//! | use     | write the value                        | read the value                 |
//! | release | stamp FULL                             | stamp FREE for the next lap    |
//!
//! 1. *Slot*: between claim and release the slot belongs to the claimer alone:
//!    `tail` and `head` pass each position once, and nobody else acts on a
//!    stamp that is neither FREE at `tail` nor FULL at `head`. The release and
//!    the next look are a Release store and an Acquire load.
//! 2. *Closed*: the mark is in the word that a push claims by, so a push comes
//!    before the close or comes back.
//! 3. *Empty* and *full* are said only after looking at the other side's word.
//!    A position that is claimed but not released yet is waited for: its owner
//!    is between two instructions.
//! 4. *Claims are sequentially consistent*, and "empty" and "full" are read from
//!    the claims. So of a claim followed by a look at who waits, and a waiter's
//!    joining (with its fence) followed by this ring's "empty", one sees the
//!    other: no fence is needed between the claim and the look.

use super::patience::Patience;
use crate::loom::{AtomicUsize, UnsafeCell};
use concurrent_queue::{PopError, PushError};
use crossbeam_utils::CachePadded;
use std::mem::MaybeUninit;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

pub(super) struct Ring<T> {
    /// Position, and [`CLOSED`]: the producers' word.
    tail: CachePadded<AtomicUsize>,
    /// Position: the consumers' word.
    head: CachePadded<AtomicUsize>,
    slots: Box<[Slot<T>]>,
    /// A lap in positions: the power of two that holds all indices.
    lap: usize,
}

struct Slot<T> {
    stamp: AtomicUsize,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: values are moved in by one thread and out by another, never shared;
// the slots are handed over by their stamps (*Slot*).
unsafe impl<T: Send> Send for Ring<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Ring<T> {}

impl<T> Ring<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let slot = |index| Slot {
            stamp: AtomicUsize::new(free_at(index)),
            value: UnsafeCell::new(MaybeUninit::uninit()),
        };
        Self {
            tail: CachePadded::new(AtomicUsize::new(0)),
            head: CachePadded::new(AtomicUsize::new(0)),
            slots: (0..capacity).map(slot).collect(),
            // Two at least: a lap must differ from the next position.
            lap: capacity.next_power_of_two().max(2),
        }
    }

    #[inline]
    pub(super) fn push(&self, value: T) -> Result<(), PushError<T>> {
        let mut tail = self.tail.load(Relaxed);
        let mut patience = Patience::new();
        loop {
            if tail & CLOSED != 0 {
                return Err(PushError::Closed(value));
            }
            let at = position(tail);
            let slot = self.slot(at);
            let stamp = slot.stamp.load(Acquire);
            if stamp == free_at(at) {
                let next = word(self.after(at));
                match self.tail.compare_exchange_weak(tail, next, SeqCst, Relaxed) {
                    Ok(_) => {
                        // SAFETY: *Slot*: claimed, and free until then.
                        slot.value.with_mut(|to| unsafe { (*to).write(value) });
                        slot.stamp.store(full_at(at), Release);
                        return Ok(());
                    }
                    Err(now) => tail = now,
                }
                continue;
            }
            let lap_ago = at.wrapping_sub(self.lap) & POSITIONS;
            if stamp == full_at(lap_ago) && position(self.head.load(SeqCst)) == lap_ago {
                return Err(PushError::Full(value));
            }
            patience.wait();
            tail = self.tail.load(Relaxed);
        }
    }

    #[inline]
    pub(super) fn pop(&self) -> Result<T, PopError> {
        let mut head = self.head.load(Relaxed);
        let mut patience = Patience::new();
        loop {
            let at = position(head);
            let slot = self.slot(at);
            let stamp = slot.stamp.load(Acquire);
            if stamp == full_at(at) {
                let next = word(self.after(at));
                match self.head.compare_exchange_weak(head, next, SeqCst, Relaxed) {
                    // SAFETY: claimed just now.
                    Ok(_) => return Ok(unsafe { self.take(at) }),
                    Err(now) => head = now,
                }
                continue;
            }
            if stamp == free_at(at) {
                let tail = self.tail.load(SeqCst);
                if position(tail) == at {
                    return Err(match tail & CLOSED {
                        0 => PopError::Empty,
                        _ => PopError::Closed,
                    });
                }
            }
            patience.wait();
            head = self.head.load(Relaxed);
        }
    }

    /// Moves up to `limit` values that are there to the end of `to`, by one
    /// claim; says how many, which is at least one.
    pub(super) fn pop_many(&self, to: &mut Vec<T>, limit: usize) -> Result<usize, PopError> {
        let limit = limit.min(self.slots.len());
        // Before the claim: the allocator may panic.
        to.reserve(limit.min(self.len().max(1)));
        let limit = limit.min(to.capacity() - to.len());
        loop {
            let head = self.head.load(Relaxed);
            let first = position(head);
            let mut end = first;
            let mut count = 0;
            while count < limit && self.slot(end).stamp.load(Acquire) == full_at(end) {
                end = self.after(end);
                count += 1;
            }
            if count == 0 {
                // Says empty or closed, or finds what has come since.
                to.push(self.pop()?);
                return Ok(1);
            }
            let claim = self.head.compare_exchange(head, word(end), SeqCst, Relaxed);
            if claim.is_ok() {
                let mut at = first;
                while at != end {
                    // SAFETY: claimed just now, and full since the look: only
                    // who claims a position takes its value.
                    to.push(unsafe { self.take(at) });
                    at = self.after(at);
                }
                return Ok(count);
            }
        }
    }

    /// Is the slot FULL, `ahead` places behind `head`? Reads nothing else that a
    /// producer writes. `ahead` is less than the capacity.
    #[inline]
    pub(super) fn has_value(&self, ahead: usize) -> bool {
        let at = self.beyond(position(self.head.load(Relaxed)), ahead);
        self.slot(at).stamp.load(Relaxed) == full_at(at)
    }

    /// Is the slot FREE, `ahead` places behind `tail`? Reads nothing else that a
    /// consumer writes. `ahead` is less than the capacity.
    #[inline]
    pub(super) fn has_room(&self, ahead: usize) -> bool {
        let at = self.beyond(position(self.tail.load(Relaxed)), ahead);
        self.slot(at).stamp.load(Relaxed) == free_at(at)
    }

    /// False if it was closed before.
    pub(super) fn close(&self) -> bool {
        self.tail.fetch_or(CLOSED, SeqCst) & CLOSED == 0
    }

    pub(super) fn is_closed(&self) -> bool {
        self.tail.load(SeqCst) & CLOSED != 0
    }

    pub(super) fn len(&self) -> usize {
        // Two words, so an estimate: bounded by the capacity all the same.
        let head = position(self.head.load(SeqCst));
        let tail = position(self.tail.load(SeqCst));
        let laps = (tail & !(self.lap - 1)).wrapping_sub(head & !(self.lap - 1)) & POSITIONS;
        let (head, tail) = (head & (self.lap - 1), tail & (self.lap - 1));
        let length = match laps {
            0 => tail.saturating_sub(head),
            _ => (self.slots.len() + tail).saturating_sub(head),
        };
        length.min(self.slots.len())
    }

    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// # Safety
    /// The caller has claimed `at` for a pop, when the slot was FULL at it.
    #[inline]
    unsafe fn take(&self, at: usize) -> T {
        let slot = self.slot(at);
        // SAFETY: *Slot*: the claimer's alone, and full.
        let value = slot
            .value
            .with_mut(|from| unsafe { (*from).assume_init_read() });
        let next = at.wrapping_add(self.lap) & POSITIONS;
        slot.stamp.store(free_at(next), Release);
        value
    }

    #[inline]
    fn slot(&self, at: usize) -> &Slot<T> {
        &self.slots[at & (self.lap - 1)]
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        self.beyond(at, 1)
    }

    /// The position `by` slots after `at`; `by` is no more than the capacity.
    #[inline]
    fn beyond(&self, at: usize, by: usize) -> usize {
        let index = at & (self.lap - 1);
        if index + by < self.slots.len() {
            at + by
        } else {
            let index_then = index + by - self.slots.len();
            (at - index + index_then).wrapping_add(self.lap) & POSITIONS
        }
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        while let Ok(value) = self.pop() {
            drop(value);
        }
    }
}

/// The lowest bit of `tail`.
const CLOSED: usize = 1;

/// Positions have one bit less than a word; they wrap.
const POSITIONS: usize = usize::MAX >> 1;

fn position(word: usize) -> usize {
    word >> 1
}

fn word(position: usize) -> usize {
    position << 1
}

fn free_at(position: usize) -> usize {
    position << 1
}

fn full_at(position: usize) -> usize {
    position << 1 | 1
}
