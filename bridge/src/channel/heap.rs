//! The storage of a priority queue: a heap under a lock.
//!
//! The comparison of values is called with the lock held, since the heap has
//! no order without it: the one exception to the rule that foreign code is
//! called outside of locks, and documented at [`priority`](super::priority).
#![forbid(unsafe_code)]

use crate::loom::Mutex;
use concurrent_queue::{PopError, PushError};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A storage whose values need more than their type to be kept in order.
pub(super) trait Shelf<T>: Send + Sync {
    fn push(&self, value: T) -> Result<(), PushError<T>>;
    fn pop(&self) -> Result<T, PopError>;
    fn close(&self) -> bool;
    fn is_closed(&self) -> bool;
    fn len(&self) -> usize;
    fn capacity(&self) -> Option<usize>;
}

pub(super) struct Heap<T> {
    capacity: Option<usize>,
    inside: Mutex<Inside<T>>,
}

struct Inside<T> {
    values: BinaryHeap<Entry<T>>,
    /// The number of the next value that comes.
    next: u64,
    closed: bool,
}

/// The smallest value comes first, and of equal ones the one that came first.
struct Entry<T> {
    value: T,
    number: u64,
}

impl<T: Ord> Heap<T> {
    pub(super) fn new(capacity: Option<usize>) -> Self {
        Self {
            capacity,
            inside: Mutex::new(Inside {
                values: BinaryHeap::new(),
                next: 0,
                closed: false,
            }),
        }
    }
}

impl<T: Ord + Send> Shelf<T> for Heap<T> {
    fn push(&self, value: T) -> Result<(), PushError<T>> {
        let mut inside = self.inside.lock();
        if inside.closed {
            return Err(PushError::Closed(value));
        }
        if self
            .capacity
            .is_some_and(|most| inside.values.len() >= most)
        {
            return Err(PushError::Full(value));
        }
        let number = inside.next;
        inside.next += 1;
        inside.values.push(Entry { value, number });
        Ok(())
    }

    fn pop(&self) -> Result<T, PopError> {
        let mut inside = self.inside.lock();
        match inside.values.pop() {
            Some(first) => Ok(first.value),
            None if inside.closed => Err(PopError::Closed),
            None => Err(PopError::Empty),
        }
    }

    fn close(&self) -> bool {
        !std::mem::replace(&mut self.inside.lock().closed, true)
    }

    fn is_closed(&self) -> bool {
        self.inside.lock().closed
    }

    fn len(&self) -> usize {
        self.inside.lock().values.len()
    }

    fn capacity(&self) -> Option<usize> {
        self.capacity
    }
}

impl<T: Ord> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_value = other.value.cmp(&self.value);
        by_value.then_with(|| other.number.cmp(&self.number))
    }
}

impl<T: Ord> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T: Ord> Eq for Entry<T> {}
