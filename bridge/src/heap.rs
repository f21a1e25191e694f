//! A heap that gives the smallest value first, and of equal ones the one that
//! came first.
#![forbid(unsafe_code)]

use std::cmp::Ordering;
use std::collections::BinaryHeap;

pub(crate) struct StableHeap<T> {
    entries: BinaryHeap<Entry<T>>,
    /// The number of the next value that comes.
    next: u64,
}

impl<T: Ord> StableHeap<T> {
    pub(crate) fn push(&mut self, value: T) {
        let number = self.next;
        self.next += 1;
        self.entries.push(Entry { value, number });
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        self.entries.pop().map(|first| first.value)
    }
}

impl<T> StableHeap<T> {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

impl<T: Ord> Default for StableHeap<T> {
    fn default() -> Self {
        Self {
            entries: BinaryHeap::new(),
            next: 0,
        }
    }
}

struct Entry<T> {
    value: T,
    number: u64,
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
        self.cmp(other).is_eq()
    }
}

impl<T: Ord> Eq for Entry<T> {}
