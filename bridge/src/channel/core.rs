//! What both ends of a queue share.
//!
//! # Protocol
//! The values are in a `ConcurrentQueue`, chosen because its closed mark is a
//! bit of the very word that a push claims its slot with: a push comes before
//! the close, and then a pop finds its value, or after it, and then the value
//! comes back. So "accepted" is a single instant, and there is no message that
//! was accepted by a channel whose receivers had seen its end.
//!
//! Waiting is by the two lines of waiters, one at each end, whose module has
//! the fence protocol: an operation that finds what it needs and nobody waiting
//! at the other end takes no lock.
//!
//! | who                  | makes true          | wakes                         |
//! |----------------------|---------------------|-------------------------------|
//! | push                 | a value is there    | one receiver                  |
//! | pop, of a bounded    | a slot is free      | one sender                    |
//! | close, by either end | nothing more comes  | everybody                     |
//!
//! The last receiver that goes closes the queue and then empties it: values
//! that nobody will take are dropped at once and not when the last sender goes,
//! for somebody may be waiting for what their drop says.
#![forbid(unsafe_code)]

use super::TrySendError;
use crate::waiters::{Waiters, each_then_panic};
use concurrent_queue::{ConcurrentQueue, PopError, PushError};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};

pub(super) struct Core<T> {
    queue: ConcurrentQueue<T>,
    pub(super) senders: End,
    pub(super) receivers: End,
}

/// One kind of end: how many there are, and those of them that wait.
pub(super) struct End {
    alive: AtomicUsize,
    pub(super) waiters: Waiters,
}

impl<T> Core<T> {
    pub(super) fn bounded(capacity: usize) -> Self {
        Self::new(ConcurrentQueue::bounded(capacity))
    }

    pub(super) fn unbounded() -> Self {
        Self::new(ConcurrentQueue::unbounded())
    }

    fn new(queue: ConcurrentQueue<T>) -> Self {
        Self {
            queue,
            senders: End::new(),
            receivers: End::new(),
        }
    }

    pub(super) fn push(&self, value: T) -> Result<(), TrySendError<T>> {
        match self.queue.push(value) {
            Ok(()) => {
                self.receivers.waiters.wake_one();
                Ok(())
            }
            Err(PushError::Full(value)) => Err(TrySendError::Full(value)),
            Err(PushError::Closed(value)) => Err(TrySendError::Closed(value)),
        }
    }

    pub(super) fn pop(&self) -> Result<T, PopError> {
        let value = self.queue.pop()?;
        if self.queue.capacity().is_some() {
            self.senders.waiters.wake_one();
        }
        Ok(value)
    }

    /// Accepts nothing more; what is there can be received. False if it was so.
    pub(super) fn close(&self) -> bool {
        if !self.queue.close() {
            return false;
        }
        // Both lines are woken even if a waker panics in the first.
        each_then_panic([&self.senders, &self.receivers], |end| {
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
}

impl End {
    fn new() -> Self {
        Self {
            alive: AtomicUsize::new(1),
            waiters: Waiters::new(),
        }
    }

    pub(super) fn enter(&self) {
        // Ends that are forgotten rather than dropped could wrap the count,
        // and a wrapped count would close a channel that is in use.
        if self.alive.fetch_add(1, Relaxed) > isize::MAX as usize {
            std::process::abort();
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
