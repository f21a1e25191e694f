//! What both ends of a queue share.
//!
//! # Protocol
//! The values are in a [`Storage`], whose closed mark is part of the very step
//! that a push claims its place with: a push comes before the close, and then a
//! pop finds its value, or after it, and then the value comes back. So
//! "accepted" is a single instant, and there is no message that was accepted by
//! a channel whose receivers had seen its end.
//!
//! Waiting is by the two lines of waiters, one at each end, whose module has
//! the fence protocol: an operation that finds what it needs and nobody waiting
//! at the other end takes no lock.
//!
//! | who                  | makes true          | wakes                         |
//! |----------------------|---------------------|-------------------------------|
//! | push                 | a value is there    | one receiver                  |
//! | pop, of a bounded    | a slot is free      | one sender                    |
//! | pop of many          | slots are free      | as many senders               |
//! | close, by either end | nothing more comes  | everybody                     |
//!
//! An end looks before it asks the queue: a push or a pop that is turned down
//! has read the other end's word, and the look reads one slot ([`Look`]). Two
//! threads in conversation exchange the slots' cache lines and nothing else, and
//! neither locks nor wakes.
//!
//! The last receiver that goes closes the queue and then empties it: values
//! that nobody will take are dropped at once and not when the last sender goes,
//! for somebody may be waiting for what their drop says.
#![forbid(unsafe_code)]

use super::heap::Shelf;
use super::look::Look;
use super::storage::Storage;
use super::{ChannelStatistics, TrySendError};
use crate::waiters::{Ticket, Waiters, each_then_panic, quietly};
use concurrent_queue::{PopError, PushError};
use crossbeam_utils::CachePadded;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};

pub(super) struct Core<T> {
    queue: Storage<T>,
    // Apart from each other: each is written by its own end.
    pub(super) senders: CachePadded<End>,
    pub(super) receivers: CachePadded<End>,
}

/// One kind of end: how many there are, and those of them that wait.
pub(super) struct End {
    alive: AtomicUsize,
    pub(super) waiters: Waiters,
    look: Look,
}

impl<T> Core<T> {
    pub(super) fn new(queue: Storage<T>) -> Self {
        Self {
            queue,
            senders: CachePadded::new(End::new()),
            receivers: CachePadded::new(End::new()),
        }
    }

    #[inline]
    pub(super) fn push(&self, value: T) -> Result<(), TrySendError<T>> {
        let pushed = match &self.queue {
            Storage::Heap(heap) => self.push_compared(&**heap, value),
            queue => queue.push(value).map(|()| {
                // The claim of a slot stands in for the fence.
                self.receivers.waiters.wake_one_after_claim();
            }),
        };
        pushed.map_err(|error| match error {
            PushError::Full(value) => TrySendError::Full(value),
            PushError::Closed(value) => TrySendError::Closed(value),
        })
    }

    #[inline]
    pub(super) fn pop(&self) -> Result<T, PopError> {
        if let Storage::Heap(heap) = &self.queue {
            return self.pop_compared(&**heap);
        }
        let value = self.queue.pop()?;
        if self.queue.is_bounded() {
            self.senders.waiters.wake_one_quietly(true);
        }
        Ok(value)
    }

    #[inline(never)]
    fn push_compared(&self, heap: &dyn Shelf<T>, value: T) -> Result<(), PushError<T>> {
        self.receivers.wake_if_it_panics(|| heap.push(value))?;
        self.receivers.waiters.wake_one();
        Ok(())
    }

    #[inline(never)]
    fn pop_compared(&self, heap: &dyn Shelf<T>) -> Result<T, PopError> {
        let value = self.senders.wake_if_it_panics(|| heap.pop())?;
        if heap.capacity().is_some() {
            self.senders.waiters.wake_one_quietly(false);
        }
        Ok(value)
    }

    /// Moves what is there, `limit` values at most, to the end of `to`.
    pub(super) fn pop_many(&self, to: &mut Vec<T>, limit: usize) -> Result<usize, PopError> {
        let pop_many = || self.queue.pop_many(to, limit);
        let count = self.senders.wake_if_it_panics(pop_many)?;
        if self.queue.is_bounded() {
            quietly(|| self.senders.waiters.wake_some(count));
        }
        Ok(count)
    }

    /// Looks for a moment whether a value comes; the pop then tells.
    #[inline]
    pub(super) fn look_for_value(&self) {
        let look = &self.receivers.look;
        look.for_a_moment(self.queue.worth_ahead(), |n| self.queue.has_value(n));
    }

    /// Looks for a moment whether room comes; the push then tells.
    #[inline]
    pub(super) fn look_for_room(&self) {
        let look = &self.senders.look;
        look.for_a_moment(self.queue.worth_ahead(), |n| self.queue.has_room(n));
    }

    /// Would a pop have something to say at once? A guess; it misses the close
    /// unless it is `thorough`, which costs the senders more.
    #[inline]
    pub(super) fn can_pop(&self, thorough: bool) -> bool {
        self.queue.has_value(0) || thorough && self.is_closed()
    }

    /// Would a push have something to say at once? As [`can_pop`](Self::can_pop).
    #[inline]
    pub(super) fn can_push(&self, thorough: bool) -> bool {
        self.queue.has_room(0) || thorough && self.is_closed()
    }

    /// Accepts nothing more; what is there can be received. False if it was so.
    pub(super) fn close(&self) -> bool {
        if !self.queue.close() {
            return false;
        }
        // Both lines are woken even if a waker panics in the first.
        each_then_panic([&*self.senders, &*self.receivers], |end| {
            end.waiters.wake_all();
        });
        true
    }

    /// Closes, and drops what nobody will take.
    pub(super) fn abandon(&self) {
        let close: fn(&Self) = |core| {
            core.close();
        };
        let empty: fn(&Self) = |core| {
            each_then_panic(std::iter::from_fn(|| core.queue.pop().ok()), drop);
        };
        each_then_panic([close, empty], |step| step(self));
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn capacity(&self) -> Option<usize> {
        self.queue.capacity()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    pub(super) fn statistics(&self) -> ChannelStatistics {
        ChannelStatistics {
            items: self.len(),
            capacity: self.capacity(),
            senders: self.senders.alive(),
            receivers: self.receivers.alive(),
            senders_waiting: self.senders.waiters.len(),
            receivers_waiting: self.receivers.waiters.len(),
            closed: self.is_closed(),
        }
    }
}

impl End {
    fn new() -> Self {
        Self {
            alive: AtomicUsize::new(1),
            waiters: Waiters::new(),
            look: Look::new(),
        }
    }

    /// Calls what compares values. That may panic, with a value that is in the queue,
    /// or out of it, nevertheless: then all at this end look for themselves.
    fn wake_if_it_panics<R>(&self, compare: impl FnOnce() -> R) -> R {
        struct WakeAll<'a>(&'a Waiters);
        impl Drop for WakeAll<'_> {
            fn drop(&mut self) {
                quietly(|| self.0.wake_all());
            }
        }
        let panicked = WakeAll(&self.waiters);
        let done = compare();
        std::mem::forget(panicked);
        done
    }

    pub(super) fn enter(&self) {
        // Ends that are forgotten rather than dropped could wrap the count,
        // and a wrapped count would close a channel that is in use.
        if self.alive.fetch_add(1, Relaxed) > isize::MAX as usize {
            std::process::abort();
        }
    }

    /// A wait has its answer, and gives its place up. `joined`: it found it in the
    /// look after it took the place. That was there before and woke nobody, so a
    /// wake that came meanwhile was for somebody else.
    #[inline]
    pub(super) fn settle(&self, ticket: &mut Ticket, joined: bool) {
        if joined {
            self.waiters.pass(ticket);
        } else {
            self.waiters.leave(ticket);
        }
    }

    /// True for the last one.
    pub(super) fn exit(&self) -> bool {
        self.alive.fetch_sub(1, AcqRel) == 1
    }

    pub(super) fn alive(&self) -> usize {
        self.alive.load(Relaxed)
    }
}
