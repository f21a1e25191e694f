//! Queues between the tasks of one loop.

#![forbid(unsafe_code)]

mod error;
mod order;
mod wait;

use std::cell::{Cell, RefCell};
use std::fmt;

use super::event::Event;
use super::wait_queue::{WaitQueue, Waiter};
use super::wake_on_drop::{WakeAll, WakeFirst};

pub use error::{QueuePutError, QueueShutDown, TaskDoneError, TryGetError, TryPutError};
pub use order::{Fifo, Lifo, LifoQueue, LowestFirst, PriorityQueue, QueueOrder};
pub use wait::{QueueGet, QueueJoin, QueuePut};

/// A queue that tasks of one loop put items in and get them from, first in,
/// first out: `asyncio.Queue`.
///
/// Items come out in the order in which they went in; [`LifoQueue`] and
/// [`PriorityQueue`] are queues with another order `O`. Tasks that wait are woken
/// in the order in which they came, but a task that comes between the wake and
/// the run of a woken one may get in before it, which then waits again.
///
/// ```
/// use std::rc::Rc;
/// use polyloop::sync::Queue;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let orders = Rc::new(Queue::new(2));
///     let cook = polyloop::create_task({
///         let orders = Rc::clone(&orders);
///         async move {
///             let mut cooked = Vec::new();
///             while let Ok(order) = orders.get().await {
///                 cooked.push(order);
///                 orders.task_done().expect("called once for each item");
///             }
///             cooked
///         }
///     });
///     for order in ["soup", "salad", "cake"] {
///         orders.put(order).await.expect("not shut down yet");
///     }
///     orders.join().await;
///     orders.shutdown(false);
///     assert_eq!(cook.await.expect("not cancelled"), ["soup", "salad", "cake"]);
/// })
/// # }
/// ```
#[doc(alias = "mpsc")]
#[doc(alias = "channel")]
pub struct Queue<T, O: QueueOrder<T> = Fifo> {
    items: RefCell<O::Items>,
    maxsize: usize,
    unfinished: Cell<usize>,
    finished: Event,
    shut_down: Cell<bool>,
    getters: WaitQueue,
    putters: WaitQueue,
}

impl<T> Queue<T> {
    /// An empty queue for at most `maxsize` items; zero stands for no limit.
    #[must_use]
    pub fn new(maxsize: usize) -> Self {
        Self::with_order(maxsize)
    }
}

impl<T, O: QueueOrder<T>> Queue<T, O> {
    pub(super) fn with_order(maxsize: usize) -> Self {
        let finished = Event::new();
        finished.set();
        Self {
            items: RefCell::default(),
            maxsize,
            unfinished: Cell::new(0),
            finished,
            shut_down: Cell::new(false),
            getters: WaitQueue::new(),
            putters: WaitQueue::new(),
        }
    }

    /// Puts `item`, waiting while the queue is full.
    ///
    /// # Errors
    ///
    /// [`QueuePutError`] with the item if the queue is shut down, before or
    /// during the wait.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has put nothing; its item is dropped with it. To
    /// keep the item, put it with [`put_nowait`](Self::put_nowait), which gives
    /// it back.
    #[doc(alias = "send")]
    #[inline]
    pub fn put(&self, item: T) -> QueuePut<'_, T, O> {
        QueuePut {
            queue: self,
            item: Some(item),
            waiter: Waiter::new(&self.putters, ()),
        }
    }

    /// Puts `item` if there is room.
    ///
    /// # Errors
    ///
    /// [`TryPutError`] with the item if the queue is full or shut down.
    #[doc(alias = "try_send")]
    #[inline]
    pub fn put_nowait(&self, item: T) -> Result<(), TryPutError<T>> {
        let shut_down = self.shut_down.get();
        if shut_down || self.full() {
            return Err(TryPutError { item, shut_down });
        }
        self.unfinished.set(self.unfinished.get() + 1);
        self.finished.clear();
        // If comparing items panics, the item is inside nevertheless.
        let wake = WakeFirst(&self.getters);
        O::push(&mut self.items.borrow_mut(), item);
        drop(wake);
        Ok(())
    }

    /// Takes the next item, waiting while the queue is empty.
    ///
    /// # Errors
    ///
    /// [`QueueShutDown`] if the queue is empty and shut down.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has taken nothing; had it been woken for an
    /// item, another task in line is woken for it.
    #[doc(alias = "recv")]
    #[inline]
    pub fn get(&self) -> QueueGet<'_, T, O> {
        QueueGet {
            queue: self,
            waiter: Waiter::new(&self.getters, ()),
        }
    }

    /// Takes the next item if there is one.
    ///
    /// # Errors
    ///
    /// [`TryGetError`] if the queue is empty; it says whether it is shut down
    /// as well.
    #[doc(alias = "try_recv")]
    #[inline]
    pub fn get_nowait(&self) -> Result<T, TryGetError> {
        let item = O::pop(&mut self.items.borrow_mut());
        let item = item.ok_or(TryGetError {
            shut_down: self.shut_down.get(),
        })?;
        self.putters.wake_first();
        Ok(item)
    }

    /// Says that the work on one item that was got is done; [`join`](Self::join)
    /// waits for as many calls as items were put.
    ///
    /// # Errors
    ///
    /// [`TaskDoneError`] if it is called more often than items were put.
    pub fn task_done(&self) -> Result<(), TaskDoneError> {
        let left = self.unfinished.get().checked_sub(1);
        self.unfinished.set(left.ok_or(TaskDoneError(()))?);
        self.check_finished();
        Ok(())
    }

    /// Waits until [`task_done`](Self::task_done) was called for every item.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing for anybody else.
    pub fn join(&self) -> QueueJoin<'_> {
        QueueJoin {
            wait: self.finished.wait(),
        }
    }

    /// Ends the queue: nothing can be put any more, and once it is empty getting
    /// answers [`QueueShutDown`]. Every task that waits is woken to see this.
    ///
    /// With `immediate`, the items still inside are taken out, returned, and
    /// count as done for [`join`](Self::join); items got earlier still need their
    /// [`task_done`](Self::task_done). Without, the result is empty. Calling it
    /// again is allowed.
    pub fn shutdown(&self, immediate: bool) -> Vec<T> {
        self.shut_down.set(true);
        let mut taken = Vec::new();
        if immediate {
            let mut items = self.items.take();
            taken.extend(std::iter::from_fn(|| O::pop(&mut items)));
            // Every item inside counts as unfinished, unless it was wrongly
            // reported as done before it was got.
            self.unfinished
                .set(self.unfinished.get().saturating_sub(taken.len()));
            self.check_finished();
        }
        // Should a waker panic, the others are woken all the same.
        let then = WakeAll(&self.putters);
        self.getters.wake_all();
        drop(then);
        taken
    }

    /// How many items are inside.
    #[doc(alias = "len")]
    #[must_use]
    #[inline]
    pub fn qsize(&self) -> usize {
        O::len(&self.items.borrow())
    }

    /// The most items the queue holds; zero stands for no limit.
    #[must_use]
    pub fn maxsize(&self) -> usize {
        self.maxsize
    }

    /// Is there no item inside?
    #[doc(alias = "is_empty")]
    #[must_use]
    #[inline]
    pub fn empty(&self) -> bool {
        self.qsize() == 0
    }

    /// Is there no room for another item?
    #[doc(alias = "is_full")]
    #[must_use]
    #[inline]
    pub fn full(&self) -> bool {
        self.maxsize > 0 && self.qsize() >= self.maxsize
    }

    /// Was [`shutdown`](Self::shutdown) called?
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.shut_down.get()
    }

    /// What is inside and who waits.
    #[must_use]
    pub fn statistics(&self) -> QueueStatistics {
        QueueStatistics {
            items: self.qsize(),
            maxsize: self.maxsize,
            unfinished: self.unfinished.get(),
            getters_waiting: self.getters.waiting(),
            putters_waiting: self.putters.waiting(),
            shut_down: self.is_shut_down(),
        }
    }

    fn check_finished(&self) {
        if self.unfinished.get() == 0 {
            self.finished.set();
        }
    }

    fn describe(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("items", &self.qsize())
            .field("maxsize", &self.maxsize)
            .field("unfinished", &self.unfinished.get())
            .field("getters", &self.getters.waiting())
            .field("putters", &self.putters.waiting())
            .field("shut_down", &self.is_shut_down())
            .finish()
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
    /// Tasks that wait for an item and have not been woken.
    pub getters_waiting: usize,
    /// Tasks that wait for room and have not been woken.
    pub putters_waiting: usize,
    /// Was it shut down?
    pub shut_down: bool,
}

#[cfg(test)]
mod tests;
