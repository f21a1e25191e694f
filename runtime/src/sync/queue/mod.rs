//! A first-in-first-out queue between the tasks of one loop.

#![forbid(unsafe_code)]

mod error;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::event::{Event, EventWait};
use super::wait_queue::{WaitQueue, Waiter};

pub use error::{QueuePutError, QueueShutDown, TaskDoneError, TryGetError, TryPutError};

/// A queue that tasks of one loop put items in and get them from, first in,
/// first out: `asyncio.Queue`.
///
/// Items come out in the order in which they went in. Tasks that wait are woken
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
pub struct Queue<T> {
    items: RefCell<VecDeque<T>>,
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
        let finished = Event::new();
        finished.set();
        Self {
            items: RefCell::new(VecDeque::new()),
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
    pub fn put(&self, item: T) -> QueuePut<'_, T> {
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
    pub fn put_nowait(&self, item: T) -> Result<(), TryPutError<T>> {
        let shut_down = self.shut_down.get();
        if shut_down || self.full() {
            return Err(TryPutError { item, shut_down });
        }
        self.items.borrow_mut().push_back(item);
        self.unfinished.set(self.unfinished.get() + 1);
        self.finished.clear();
        self.getters.wake_first();
        Ok(())
    }

    /// Takes the oldest item, waiting while the queue is empty.
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
    pub fn get(&self) -> QueueGet<'_, T> {
        QueueGet {
            queue: self,
            waiter: Waiter::new(&self.getters, ()),
        }
    }

    /// Takes the oldest item if there is one.
    ///
    /// # Errors
    ///
    /// [`TryGetError`] if the queue is empty; it says whether it is shut down
    /// as well.
    #[doc(alias = "try_recv")]
    pub fn get_nowait(&self) -> Result<T, TryGetError> {
        let item = self.items.borrow_mut().pop_front();
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
            taken.extend(self.items.take());
            // Every item inside counts as unfinished, unless it was wrongly
            // reported as done before it was got.
            self.unfinished
                .set(self.unfinished.get().saturating_sub(taken.len()));
            self.check_finished();
        }
        self.getters.wake_all();
        self.putters.wake_all();
        taken
    }

    /// How many items are inside.
    #[doc(alias = "len")]
    #[must_use]
    pub fn qsize(&self) -> usize {
        self.items.borrow().len()
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
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("items", &self.qsize())
            .field("maxsize", &self.maxsize)
            .field("unfinished", &self.unfinished.get())
            .field("shut_down", &self.is_shut_down())
            .finish_non_exhaustive()
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

pin_project! {
    /// The wait for room in a [`Queue`], from [`Queue::put`].
    #[must_use = "nothing is put until the future is awaited"]
    pub struct QueuePut<'a, T> {
        queue: &'a Queue<T>,
        item: Option<T>,
        #[pin]
        waiter: Waiter<'a>,
    }

    impl<T> PinnedDrop for QueuePut<'_, T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.waiter.abandon() && !this.queue.full() {
                this.queue.putters.wake_first();
            }
        }
    }
}

impl<T> Future for QueuePut<'_, T> {
    type Output = Result<(), QueuePutError<T>>;

    /// # Panics
    ///
    /// If it is polled after it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            if this.waiter.is_idle() {
                let item = this.item.take().expect("put is polled after it was ready");
                match this.queue.put_nowait(item) {
                    Ok(()) => return Poll::Ready(Ok(())),
                    Err(error) if error.is_full() => *this.item = Some(error.into_item()),
                    Err(error) => return Poll::Ready(Err(QueuePutError(error.into_item()))),
                }
            }
            ready!(this.waiter.as_mut().poll_woken(cx));
        }
    }
}

impl<T> fmt::Debug for QueuePut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuePut").finish_non_exhaustive()
    }
}

pin_project! {
    /// The wait for an item of a [`Queue`], from [`Queue::get`].
    #[must_use = "nothing is taken until the future is awaited"]
    pub struct QueueGet<'a, T> {
        queue: &'a Queue<T>,
        #[pin]
        waiter: Waiter<'a>,
    }

    impl<T> PinnedDrop for QueueGet<'_, T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.waiter.abandon() && !this.queue.empty() {
                this.queue.getters.wake_first();
            }
        }
    }
}

impl<T> Future for QueueGet<'_, T> {
    type Output = Result<T, QueueShutDown>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            if this.waiter.is_idle() {
                match this.queue.get_nowait() {
                    Ok(item) => return Poll::Ready(Ok(item)),
                    Err(error) if error.is_empty() => {}
                    Err(_) => return Poll::Ready(Err(QueueShutDown(()))),
                }
            }
            ready!(this.waiter.as_mut().poll_woken(cx));
        }
    }
}

impl<T> fmt::Debug for QueueGet<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueGet").finish_non_exhaustive()
    }
}

pin_project! {
    /// The wait until all work is done, from [`Queue::join`].
    #[must_use = "nothing waits until the future is awaited"]
    #[derive(Debug)]
    pub struct QueueJoin<'a> {
        #[pin]
        wait: EventWait<'a>,
    }
}

impl Future for QueueJoin<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().wait.poll(cx)
    }
}

#[cfg(test)]
mod tests;
