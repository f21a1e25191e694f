//! In which order items leave a queue, and the two queues that are not first in,
//! first out.
#![forbid(unsafe_code)]

use super::Queue;
use crate::heap::StableHeap;
use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;

/// The order in which a [`Queue`] gives its items: [`Fifo`], [`Lifo`] or
/// [`LowestFirst`].
pub trait QueueOrder<T>: sealed::Order<T> {}

impl<T, O: sealed::Order<T>> QueueOrder<T> for O {}

pub(super) mod sealed {
    /// How items are kept.
    pub trait Order<T> {
        type Items: Default;

        fn push(items: &mut Self::Items, item: T);
        fn pop(items: &mut Self::Items) -> Option<T>;
        fn len(items: &Self::Items) -> usize;
    }
}

/// First in, first out.
#[derive(Clone, Copy, Debug)]
pub enum Fifo {}

impl<T> sealed::Order<T> for Fifo {
    type Items = VecDeque<T>;

    fn push(items: &mut VecDeque<T>, item: T) {
        items.push_back(item);
    }

    fn pop(items: &mut VecDeque<T>) -> Option<T> {
        items.pop_front()
    }

    fn len(items: &VecDeque<T>) -> usize {
        items.len()
    }
}

/// Last in, first out.
#[derive(Clone, Copy, Debug)]
pub enum Lifo {}

impl<T> sealed::Order<T> for Lifo {
    type Items = Vec<T>;

    fn push(items: &mut Vec<T>, item: T) {
        items.push(item);
    }

    fn pop(items: &mut Vec<T>) -> Option<T> {
        items.pop()
    }

    fn len(items: &Vec<T>) -> usize {
        items.len()
    }
}

/// The lowest first, and of equal ones the one that was put first.
#[derive(Clone, Copy, Debug)]
pub enum LowestFirst {}

impl<T: Ord> sealed::Order<T> for LowestFirst {
    type Items = Heap<T>;

    fn push(items: &mut Heap<T>, item: T) {
        items.0.push(item);
    }

    fn pop(items: &mut Heap<T>) -> Option<T> {
        items.0.pop()
    }

    fn len(items: &Heap<T>) -> usize {
        items.0.len()
    }
}

/// The items of a [`PriorityQueue`].
pub struct Heap<T>(StableHeap<T>);

impl<T: Ord> Default for Heap<T> {
    fn default() -> Self {
        Self(StableHeap::default())
    }
}

/// A [`Queue`] that gives the newest item first: `asyncio.LifoQueue`,
/// `queue.LifoQueue`.
///
/// # Examples
/// ```
/// use polyloop_bridge::sync::LifoQueue;
///
/// let queue = LifoQueue::new(0);
/// queue.put_nowait(1).unwrap();
/// queue.put_nowait(2).unwrap();
/// assert_eq!(queue.get_blocking(), Ok(2));
/// ```
pub struct LifoQueue<T>(Queue<T, Lifo>);

impl<T> LifoQueue<T> {
    /// An empty queue for at most `maxsize` items; zero stands for no limit.
    #[must_use]
    pub fn new(maxsize: usize) -> Self {
        Self(Queue::with_order(maxsize))
    }
}

impl<T> Deref for LifoQueue<T> {
    type Target = Queue<T, Lifo>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> fmt::Debug for LifoQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("LifoQueue", f)
    }
}

/// A [`Queue`] that gives the lowest item first, and of equal ones the one that
/// was put first: `asyncio.PriorityQueue`, `queue.PriorityQueue`.
///
/// Wrap the items in [`Reverse`](std::cmp::Reverse) for the highest first. The
/// comparison of items is called with the queue's lock held: it must not use
/// the queue.
///
/// # Examples
/// ```
/// use polyloop_bridge::sync::PriorityQueue;
///
/// let queue = PriorityQueue::new(0);
/// queue.put_nowait((2, "later")).unwrap();
/// queue.put_nowait((1, "soon")).unwrap();
/// assert_eq!(queue.get_blocking().unwrap().1, "soon");
/// ```
pub struct PriorityQueue<T: Ord>(Queue<T, LowestFirst>);

impl<T: Ord> PriorityQueue<T> {
    /// An empty queue for at most `maxsize` items; zero stands for no limit.
    #[must_use]
    pub fn new(maxsize: usize) -> Self {
        Self(Queue::with_order(maxsize))
    }
}

impl<T: Ord> Deref for PriorityQueue<T> {
    type Target = Queue<T, LowestFirst>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T: Ord> fmt::Debug for PriorityQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("PriorityQueue", f)
    }
}
