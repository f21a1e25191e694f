//! In which order items leave a queue, and the two queues that are not first in,
//! first out.

#![forbid(unsafe_code)]

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;
use std::ops::Deref;

use super::Queue;

/// In which order items leave a [`Queue`]: [`Fifo`], [`Lifo`] or [`LowestFirst`].
///
/// There are no others: the trait cannot be implemented outside this crate.
pub trait QueueOrder<T>: sealed::Order<T> {}

impl<T, O: sealed::Order<T>> QueueOrder<T> for O {}

pub(super) mod sealed {
    pub trait Order<T> {
        type Items: Default;

        fn push(items: &mut Self::Items, item: T);
        fn pop(items: &mut Self::Items) -> Option<T>;
        fn len(items: &Self::Items) -> usize;
    }
}

/// First in, first out: the order of a [`Queue`].
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

/// Last in, first out: the order of a [`LifoQueue`].
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

/// The lowest item first: the order of a [`PriorityQueue`].
#[derive(Clone, Copy, Debug)]
pub enum LowestFirst {}

impl<T: Ord> sealed::Order<T> for LowestFirst {
    type Items = Heap<T>;

    fn push(items: &mut Heap<T>, item: T) {
        items.entries.push(Entry {
            item,
            number: items.next,
        });
        items.next += 1;
    }

    fn pop(items: &mut Heap<T>) -> Option<T> {
        items.entries.pop().map(|entry| entry.item)
    }

    fn len(items: &Heap<T>) -> usize {
        items.entries.len()
    }
}

/// Items, each with its number in the order in which they came.
pub struct Heap<T> {
    entries: BinaryHeap<Entry<T>>,
    next: u64,
}

impl<T: Ord> Default for Heap<T> {
    fn default() -> Self {
        Self {
            entries: BinaryHeap::new(),
            next: 0,
        }
    }
}

struct Entry<T> {
    item: T,
    number: u64,
}

/// The other way round, for a [`BinaryHeap`] pops the greatest.
impl<T: Ord> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_item = other.item.cmp(&self.item);
        by_item.then_with(|| other.number.cmp(&self.number))
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

/// A queue whose newest item comes out first: `asyncio.LifoQueue`.
///
/// All that a [`Queue`] can do, it can: its methods are the queue's.
///
/// ```
/// use polyloop::sync::LifoQueue;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let stack = LifoQueue::new(0);
///     for plate in ["lowest", "middle", "top"] {
///         stack.put(plate).await.expect("not shut down");
///     }
///     assert_eq!(stack.get().await, Ok("top"));
/// })
/// # }
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

/// A queue whose lowest item comes out first: `asyncio.PriorityQueue`.
///
/// All that a [`Queue`] can do, it can: its methods are the queue's. Of items
/// that compare as equal the one that was put first comes out first. Put pairs
/// of a priority and a value, or [`Reverse`](std::cmp::Reverse) for the highest
/// first.
///
/// # Panics
///
/// Putting and getting panic if comparing two items does, or if it uses the same
/// queue. No item is lost then, but the order may be.
///
/// ```
/// use polyloop::sync::PriorityQueue;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let jobs = PriorityQueue::new(0);
///     jobs.put((2, "sweep")).await.expect("not shut down");
///     jobs.put((1, "extinguish")).await.expect("not shut down");
///     assert_eq!(jobs.get().await, Ok((1, "extinguish")));
/// })
/// # }
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
