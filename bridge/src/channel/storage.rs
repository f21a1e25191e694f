//! Where a queue keeps its values: one of three, chosen by measurement.
//!
//! | kind      | storage                | why                                      |
//! |-----------|------------------------|------------------------------------------|
//! | bounded   | [`Ring`]               | nothing is allocated, claims are ordered |
//! | unbounded | [`List`]               | blocks of slots; a look costs producers little, claims are ordered |
//! | priority  | a [`Heap`] under a lock | there is no order without looking at others |
//!
//! All of them answer alike: a push comes before the close or comes back.
#![forbid(unsafe_code)]

use super::heap::{Heap, Shelf};
use super::list::List;
use super::ring::Ring;
use concurrent_queue::{PopError, PushError};

pub(super) enum Storage<T> {
    Ring(Ring<T>),
    List(List<T>),
    Heap(Box<dyn Shelf<T>>),
}

impl<T> Storage<T> {
    pub(super) fn bounded(capacity: usize) -> Self {
        Self::Ring(Ring::new(capacity))
    }

    pub(super) fn unbounded() -> Self {
        Self::List(List::new())
    }

    pub(super) fn priority(capacity: Option<usize>) -> Self
    where
        T: Ord + Send + 'static,
    {
        Self::Heap(Box::new(Heap::new(capacity)))
    }

    #[inline]
    pub(super) fn push(&self, value: T) -> Result<(), PushError<T>> {
        match self {
            Self::Ring(ring) => ring.push(value),
            Self::List(list) => list.push(value),
            Self::Heap(heap) => heap.push(value),
        }
    }

    #[inline]
    pub(super) fn pop(&self) -> Result<T, PopError> {
        match self {
            Self::Ring(ring) => ring.pop(),
            Self::List(list) => list.pop(),
            Self::Heap(heap) => heap.pop(),
        }
    }

    /// Moves up to `limit` values, at least one, to the end of `to`; says how
    /// many.
    pub(super) fn pop_many(&self, to: &mut Vec<T>, limit: usize) -> Result<usize, PopError> {
        match self {
            Self::Ring(ring) => return ring.pop_many(to, limit),
            Self::List(list) => return list.pop_many(to, limit),
            Self::Heap(_) => {}
        }
        // Room first: a value that was popped has nowhere else to go.
        to.reserve(1);
        to.push(self.pop()?);
        let mut count = 1;
        while count < limit {
            to.reserve(1);
            match self.pop() {
                Ok(value) => to.push(value),
                Err(_) => break,
            }
            count += 1;
        }
        Ok(count)
    }

    /// Is there a value, `ahead` places behind the next one? A guess that costs
    /// little, here and at the other end.
    #[inline]
    pub(super) fn has_value(&self, ahead: usize) -> bool {
        match self {
            Self::Ring(ring) => ring.has_value(ahead),
            Self::List(list) => list.has_value(ahead),
            Self::Heap(heap) => heap.len() > ahead,
        }
    }

    /// Is there a free slot, `ahead` places behind the next one? A guess as well.
    #[inline]
    pub(super) fn has_room(&self, ahead: usize) -> bool {
        match self {
            Self::Ring(ring) => ring.has_room(ahead),
            Self::List(_) => true,
            Self::Heap(heap) => heap.capacity().is_none_or(|most| heap.len() + ahead < most),
        }
    }

    /// How many values one end should let the other get ahead.
    #[inline]
    pub(super) fn worth_ahead(&self) -> usize {
        match self {
            Self::Ring(ring) => AHEAD.min(ring.capacity() / 4),
            Self::List(_) => AHEAD,
            // One lock for everything: nothing is gained.
            Self::Heap(_) => 1,
        }
    }

    /// Does a push ever wait for a pop?
    #[inline]
    pub(super) fn is_bounded(&self) -> bool {
        match self {
            Self::Ring(_) => true,
            Self::List(_) => false,
            Self::Heap(heap) => heap.capacity().is_some(),
        }
    }

    /// False if it was closed before.
    pub(super) fn close(&self) -> bool {
        match self {
            Self::Ring(ring) => ring.close(),
            Self::List(list) => list.close(),
            Self::Heap(heap) => heap.close(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Ring(ring) => ring.is_closed(),
            Self::List(list) => list.is_closed(),
            Self::Heap(heap) => heap.is_closed(),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Ring(ring) => ring.len(),
            Self::List(list) => list.len(),
            Self::Heap(heap) => heap.len(),
        }
    }

    pub(super) fn capacity(&self) -> Option<usize> {
        match self {
            Self::Ring(ring) => Some(ring.capacity()),
            Self::List(_) => None,
            Self::Heap(heap) => heap.capacity(),
        }
    }
}

/// Some cache lines of small values.
const AHEAD: usize = 16;
