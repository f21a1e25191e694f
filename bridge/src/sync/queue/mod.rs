//! Queues between loops and threads that know when all work is done.
//!
//! Everything is under one lock: a queue with `task_done` and `join` counts at
//! each end, and an order by priority looks at other items. Where neither is
//! needed, `channel` is the faster way.
#![forbid(unsafe_code)]

mod error;
mod order;
mod wait;

use crate::loom::Mutex;
use crate::waiters::{Line, Ticket, Woken};
use std::fmt;
use std::time::Duration;

pub use error::{
    QueueGetTimeoutError, QueuePutError, QueuePutTimeoutError, QueueShutDown, TaskDoneError,
    TryGetError, TryPutError,
};
pub use order::{Fifo, Lifo, LifoQueue, LowestFirst, PriorityQueue, QueueOrder};
pub use wait::{QueueGet, QueueJoin, QueuePut};

/// A queue that tasks of any loop and threads put items in and get them from,
/// first in, first out: `asyncio.Queue` and `queue.Queue` in one.
///
/// Those who wait are woken in the order in which they came, but one that comes
/// between the wake and the run of a woken one may get in before it, which then
/// waits again.
///
/// # Examples
/// ```
/// use polyloop_bridge::sync::Queue;
/// use std::sync::Arc;
///
/// let orders = Arc::new(Queue::new(2));
/// let cook = std::thread::spawn({
///     let orders = orders.clone();
///     move || {
///         while let Ok(_order) = orders.get_blocking() {
///             orders.task_done().expect("called once for each item");
///         }
///     }
/// });
/// polyloop::run(async {
///     for order in ["soup", "salad", "cake"] {
///         orders.put(order).await.expect("not shut down yet");
///     }
///     orders.join().await;
/// })
/// .unwrap();
/// orders.shutdown(false);
/// cook.join().unwrap();
/// ```
pub struct Queue<T, O: QueueOrder<T> = Fifo> {
    maxsize: usize,
    inside: Mutex<Inside<O::Items>>,
}

struct Inside<I> {
    items: I,
    unfinished: usize,
    shut_down: bool,
    getters: Line,
    putters: Line,
    joiners: Line,
}

impl<T> Queue<T> {
    /// An empty queue for at most `maxsize` items; zero stands for no limit.
    #[must_use]
    pub fn new(maxsize: usize) -> Self {
        Self::with_order(maxsize)
    }
}

impl<T, O: QueueOrder<T>> Queue<T, O> {
    fn with_order(maxsize: usize) -> Self {
        Self {
            maxsize,
            inside: Mutex::new(Inside {
                items: O::Items::default(),
                unfinished: 0,
                shut_down: false,
                getters: Line::new(),
                putters: Line::new(),
                joiners: Line::new(),
            }),
        }
    }

    /// Puts `item`, waiting while the queue is full.
    ///
    /// # Cancel safety
    /// A future that is dropped has put nothing; its item is dropped with it. To
    /// keep the item, put it with [`put_nowait`](Self::put_nowait), which gives
    /// it back.
    ///
    /// # Errors
    /// The future gives [`QueuePutError`] with the item if the queue is shut
    /// down, before or during the wait.
    #[doc(alias = "send")]
    pub fn put(&self, item: T) -> QueuePut<'_, T, O> {
        QueuePut {
            queue: self,
            item: Some(item),
            ticket: Ticket::new(),
        }
    }

    /// Puts `item` if there is room.
    ///
    /// # Errors
    /// [`TryPutError`] with the item if the queue is full or shut down.
    #[doc(alias = "try_send")]
    pub fn put_nowait(&self, item: T) -> Result<(), TryPutError<T>> {
        // Dropped, and so woken, after the lock is: also if comparing items
        // panics, for the item is inside nevertheless.
        let mut woken = Woken::new();
        let mut inside = self.inside.lock();
        self.push(&mut inside, item, &mut woken)
    }

    /// As [`put`](Self::put), blocking the calling thread. Not for a loop's
    /// thread: a task of that loop cannot make room meanwhile.
    ///
    /// # Errors
    /// [`QueuePutError`] with the item if the queue is shut down.
    pub fn put_blocking(&self, item: T) -> Result<(), QueuePutError<T>> {
        let put = self.put(item).block(None);
        put.map_err(|error| QueuePutError(error.into_inner()))
    }

    /// As [`put_blocking`](Self::put_blocking), `timeout` at most.
    ///
    /// # Errors
    /// [`QueuePutTimeoutError`] with the item.
    pub fn put_blocking_timeout(
        &self,
        item: T,
        timeout: Duration,
    ) -> Result<(), QueuePutTimeoutError<T>> {
        self.put(item).block(Some(timeout))
    }

    /// Takes the next item, waiting while the queue is empty.
    ///
    /// # Cancel safety
    /// A future that is dropped has taken nothing; had it been woken for an
    /// item, another one in line is woken for it.
    ///
    /// # Errors
    /// The future gives [`QueueShutDown`] if the queue is empty and shut down.
    #[doc(alias = "recv")]
    pub fn get(&self) -> QueueGet<'_, T, O> {
        QueueGet {
            queue: self,
            ticket: Ticket::new(),
        }
    }

    /// Takes the next item if there is one.
    ///
    /// # Errors
    /// [`TryGetError`] if the queue is empty; it says whether it is shut down
    /// as well.
    #[doc(alias = "try_recv")]
    pub fn get_nowait(&self) -> Result<T, TryGetError> {
        let mut woken = Woken::new();
        let mut inside = self.inside.lock();
        self.pop(&mut inside, &mut woken)
    }

    /// As [`get`](Self::get), blocking the calling thread. Not for a loop's
    /// thread: a task of that loop cannot put an item meanwhile.
    ///
    /// # Errors
    /// [`QueueShutDown`] if the queue is empty and shut down.
    pub fn get_blocking(&self) -> Result<T, QueueShutDown> {
        self.get().block(None).map_err(|_| QueueShutDown(()))
    }

    /// As [`get_blocking`](Self::get_blocking), `timeout` at most.
    ///
    /// # Errors
    /// [`QueueGetTimeoutError`] says whether the time ran out.
    pub fn get_blocking_timeout(&self, timeout: Duration) -> Result<T, QueueGetTimeoutError> {
        self.get().block(Some(timeout))
    }

    /// Says that the work on one item that was got is done; [`join`](Self::join)
    /// waits for as many calls as items were put.
    ///
    /// # Errors
    /// [`TaskDoneError`] if it is called more often than items were put.
    pub fn task_done(&self) -> Result<(), TaskDoneError> {
        let mut woken = Woken::new();
        let mut inside = self.inside.lock();
        let left = inside.unfinished.checked_sub(1);
        inside.unfinished = left.ok_or(TaskDoneError(()))?;
        inside.check_finished(&mut woken);
        Ok(())
    }

    /// Waits until [`task_done`](Self::task_done) was called for every item.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing for anybody else.
    pub fn join(&self) -> QueueJoin<'_, T, O> {
        QueueJoin {
            queue: self,
            ticket: Ticket::new(),
        }
    }

    /// As [`join`](Self::join), blocking the calling thread. Not for a loop's
    /// thread: a task of that loop cannot do the work meanwhile.
    pub fn join_blocking(&self) {
        self.join().block(None);
    }

    /// As [`join_blocking`](Self::join_blocking); false if the work was not done
    /// within `timeout`.
    pub fn join_blocking_timeout(&self, timeout: Duration) -> bool {
        self.join().block(Some(timeout))
    }

    /// Ends the queue: nothing can be put any more, and once it is empty getting
    /// answers [`QueueShutDown`]. All who wait are woken to see this.
    ///
    /// With `immediate`, the items still inside are taken out, returned, and
    /// count as done for [`join`](Self::join); items got earlier still need their
    /// [`task_done`](Self::task_done). Without, the result is empty. Calling it
    /// again is allowed.
    pub fn shutdown(&self, immediate: bool) -> Vec<T> {
        let mut items = O::Items::default();
        {
            let mut woken = Woken::new();
            let mut inside = self.inside.lock();
            inside.shut_down = true;
            if immediate {
                std::mem::swap(&mut items, &mut inside.items);
                // Every item inside counts as unfinished, unless it was wrongly
                // reported as done before it was got.
                inside.unfinished = inside.unfinished.saturating_sub(O::len(&items));
                inside.check_finished(&mut woken);
            }
            woken.extend(inside.getters.wake_all());
            woken.extend(inside.putters.wake_all());
        }
        std::iter::from_fn(|| O::pop(&mut items)).collect()
    }

    /// How many items are inside.
    #[doc(alias = "len")]
    #[must_use]
    pub fn qsize(&self) -> usize {
        O::len(&self.inside.lock().items)
    }

    /// The most items the queue holds; zero stands for no limit.
    #[must_use]
    pub fn maxsize(&self) -> usize {
        self.maxsize
    }

    /// Is there no item inside?
    #[doc(alias = "is_empty")]
    #[must_use]
    pub fn empty(&self) -> bool {
        self.qsize() == 0
    }

    /// Is there no room for another item?
    #[doc(alias = "is_full")]
    #[must_use]
    pub fn full(&self) -> bool {
        self.is_full(&self.inside.lock())
    }

    /// Was [`shutdown`](Self::shutdown) called?
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.inside.lock().shut_down
    }

    /// What is inside and who waits.
    #[must_use]
    pub fn statistics(&self) -> QueueStatistics {
        let inside = self.inside.lock();
        QueueStatistics {
            items: O::len(&inside.items),
            maxsize: self.maxsize,
            unfinished: inside.unfinished,
            getters_waiting: inside.getters.waiting(),
            putters_waiting: inside.putters.waiting(),
            shut_down: inside.shut_down,
        }
    }

    fn is_full(&self, inside: &Inside<O::Items>) -> bool {
        self.maxsize > 0 && O::len(&inside.items) >= self.maxsize
    }

    fn push(
        &self,
        inside: &mut Inside<O::Items>,
        item: T,
        woken: &mut Woken,
    ) -> Result<(), TryPutError<T>> {
        let shut_down = inside.shut_down;
        if shut_down || self.is_full(inside) {
            return Err(TryPutError { item, shut_down });
        }
        inside.unfinished += 1;
        woken.extend(inside.getters.wake_first());
        O::push(&mut inside.items, item);
        Ok(())
    }

    fn pop(&self, inside: &mut Inside<O::Items>, woken: &mut Woken) -> Result<T, TryGetError> {
        if O::len(&inside.items) > 0 {
            // Also if comparing items panics: the first one is out nevertheless.
            woken.extend(inside.putters.wake_first());
        }
        let shut_down = inside.shut_down;
        O::pop(&mut inside.items).ok_or(TryGetError { shut_down })
    }

    fn describe(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.statistics();
        f.debug_struct(name)
            .field("items", &now.items)
            .field("maxsize", &now.maxsize)
            .field("unfinished", &now.unfinished)
            .field("shut_down", &now.shut_down)
            .finish_non_exhaustive()
    }
}

impl<I> Inside<I> {
    fn check_finished(&mut self, woken: &mut Woken) {
        if self.unfinished == 0 {
            woken.extend(self.joiners.wake_all());
        }
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe("Queue", f)
    }
}

/// A look at a [`Queue`], from [`Queue::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStatistics {
    /// Items inside.
    pub items: usize,
    /// The most items it holds; zero stands for no limit.
    pub maxsize: usize,
    /// Items put for which `task_done` was not called yet.
    pub unfinished: usize,
    /// Those who wait for an item and have not been woken.
    pub getters_waiting: usize,
    /// Those who wait for room and have not been woken.
    pub putters_waiting: usize,
    /// Was it shut down?
    pub shut_down: bool,
}
