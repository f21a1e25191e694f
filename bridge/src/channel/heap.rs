//! The storage of a priority queue: a heap under a lock.
//!
//! The comparison of values is called with the lock held, since the heap has
//! no order without it: the one exception to the rule that foreign code is
//! called outside of locks, and documented at [`priority`](super::priority).
#![forbid(unsafe_code)]

use crate::heap::StableHeap;
use crate::loom::Mutex;
use concurrent_queue::{PopError, PushError};

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
    values: StableHeap<T>,
    closed: bool,
}

impl<T: Ord> Heap<T> {
    pub(super) fn new(capacity: Option<usize>) -> Self {
        Self {
            capacity,
            inside: Mutex::new(Inside {
                values: StableHeap::default(),
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
        inside.values.push(value);
        Ok(())
    }

    fn pop(&self) -> Result<T, PopError> {
        let mut inside = self.inside.lock();
        match inside.values.pop() {
            Some(first) => Ok(first),
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
