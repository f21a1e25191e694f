//! The waits for a queue: for room, for an item, for the end of all work.
#![forbid(unsafe_code)]

use super::error::{QueueGetTimeoutError, QueuePutError, QueuePutTimeoutError, QueueShutDown};
use super::order::{Fifo, QueueOrder};
use super::{Queue, TryGetError};
use crate::waiters::{Stand, Ticket, Woken, block_on, deadline_after, poll_fairly};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// The wait for room in a [`Queue`], from [`Queue::put`].
#[must_use = "nothing is put until the future is awaited"]
pub struct QueuePut<'a, T, O: QueueOrder<T> = Fifo> {
    pub(super) queue: &'a Queue<T, O>,
    pub(super) item: Option<T>,
    pub(super) ticket: Ticket,
}

impl<T, O: QueueOrder<T>> QueuePut<'_, T, O> {
    pub(super) fn block(
        mut self,
        timeout: Option<Duration>,
    ) -> Result<(), QueuePutTimeoutError<T>> {
        let deadline = timeout.and_then(deadline_after);
        match block_on(deadline, |cx| self.poll_put(cx)) {
            Ok(put) => put.map_err(|QueuePutError(item)| QueuePutTimeoutError {
                item,
                timed_out: false,
            }),
            Err(_) => {
                let item = self.item.take().expect("a put that is not ready has it");
                let timed_out = true;
                Err(QueuePutTimeoutError { item, timed_out })
            }
        }
    }

    fn poll_put(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), QueuePutError<T>>> {
        let waker = cx.waker().clone();
        // Both are dropped after the lock's guard is.
        let mut woken = Woken::new();
        let old;
        let mut inside = self.queue.inside.lock();
        if inside.putters.stand(&self.ticket) != Stand::Waiting {
            inside.putters.leave(&mut self.ticket);
            let item = self.item.take().expect("put is polled after it was ready");
            match self.queue.push(&mut inside, item, &mut woken) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(error) if error.is_full() => self.item = Some(error.into_inner()),
                Err(error) => return Poll::Ready(Err(QueuePutError(error.into_inner()))),
            }
        }
        old = inside.putters.join(&mut self.ticket, waker, ());
        drop(inside);
        drop(old);
        Poll::Pending
    }
}

impl<T, O: QueueOrder<T>> Future for QueuePut<'_, T, O> {
    type Output = Result<(), QueuePutError<T>>;

    /// # Panics
    /// If it is polled after it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        poll_fairly(cx, |cx| self.get_mut().poll_put(cx))
    }
}

// The item is moved in and out, never pinned.
impl<T, O: QueueOrder<T>> Unpin for QueuePut<'_, T, O> {}

impl<T, O: QueueOrder<T>> Drop for QueuePut<'_, T, O> {
    fn drop(&mut self) {
        if self.ticket.is_nowhere() {
            return;
        }
        // Both are dropped after the lock's guard is.
        let mut woken = Woken::new();
        let old;
        let mut inside = self.queue.inside.lock();
        old = inside.putters.leave(&mut self.ticket);
        if old.is_none() && !self.queue.is_full(&inside) {
            woken.extend(inside.putters.wake_first());
        }
        drop(inside);
        drop(old);
    }
}

impl<T, O: QueueOrder<T>> fmt::Debug for QueuePut<'_, T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuePut").finish_non_exhaustive()
    }
}

/// The wait for an item of a [`Queue`], from [`Queue::get`].
#[must_use = "nothing is taken until the future is awaited"]
pub struct QueueGet<'a, T, O: QueueOrder<T> = Fifo> {
    pub(super) queue: &'a Queue<T, O>,
    pub(super) ticket: Ticket,
}

impl<T, O: QueueOrder<T>> QueueGet<'_, T, O> {
    pub(super) fn block(mut self, timeout: Option<Duration>) -> Result<T, QueueGetTimeoutError> {
        let deadline = timeout.and_then(deadline_after);
        match block_on(deadline, |cx| self.poll_get(cx)) {
            Ok(got) => got.map_err(|_| QueueGetTimeoutError { timed_out: false }),
            Err(_) => Err(QueueGetTimeoutError { timed_out: true }),
        }
    }

    fn poll_get(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, QueueShutDown>> {
        let waker = cx.waker().clone();
        // Both are dropped after the lock's guard is.
        let mut woken = Woken::new();
        let old;
        let mut inside = self.queue.inside.lock();
        if inside.getters.stand(&self.ticket) != Stand::Waiting {
            inside.getters.leave(&mut self.ticket);
            match self.queue.pop(&mut inside, &mut woken) {
                Ok(item) => return Poll::Ready(Ok(item)),
                Err(TryGetError { shut_down: true }) => {
                    return Poll::Ready(Err(QueueShutDown(())));
                }
                Err(TryGetError { shut_down: false }) => {}
            }
        }
        old = inside.getters.join(&mut self.ticket, waker, ());
        drop(inside);
        drop(old);
        Poll::Pending
    }
}

impl<T, O: QueueOrder<T>> Future for QueueGet<'_, T, O> {
    type Output = Result<T, QueueShutDown>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        poll_fairly(cx, |cx| self.get_mut().poll_get(cx))
    }
}

impl<T, O: QueueOrder<T>> Drop for QueueGet<'_, T, O> {
    fn drop(&mut self) {
        if self.ticket.is_nowhere() {
            return;
        }
        // Both are dropped after the lock's guard is.
        let mut woken = Woken::new();
        let old;
        let mut inside = self.queue.inside.lock();
        old = inside.getters.leave(&mut self.ticket);
        if old.is_none() && O::len(&inside.items) > 0 {
            woken.extend(inside.getters.wake_first());
        }
        drop(inside);
        drop(old);
    }
}

impl<T, O: QueueOrder<T>> fmt::Debug for QueueGet<'_, T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueGet").finish_non_exhaustive()
    }
}

/// The wait until all work is done, from [`Queue::join`].
#[must_use = "nothing waits until the future is awaited"]
pub struct QueueJoin<'a, T, O: QueueOrder<T> = Fifo> {
    pub(super) queue: &'a Queue<T, O>,
    pub(super) ticket: Ticket,
}

impl<T, O: QueueOrder<T>> QueueJoin<'_, T, O> {
    pub(super) fn block(mut self, timeout: Option<Duration>) -> bool {
        let deadline = timeout.and_then(deadline_after);
        block_on(deadline, |cx| self.poll_finished(cx)).is_ok()
    }

    fn poll_finished(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        // Dropped after the lock's guard is.
        let old;
        let mut inside = self.queue.inside.lock();
        let finished = match inside.joiners.stand(&self.ticket) {
            Stand::Nowhere => inside.unfinished == 0,
            Stand::Waiting => false,
            // Also if an item was put meanwhile: there was an end.
            Stand::Woken => true,
        };
        if finished {
            inside.joiners.leave(&mut self.ticket);
            return Poll::Ready(());
        }
        old = inside.joiners.join(&mut self.ticket, waker, ());
        drop(inside);
        drop(old);
        Poll::Pending
    }
}

impl<T, O: QueueOrder<T>> Future for QueueJoin<'_, T, O> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().poll_finished(cx)
    }
}

impl<T, O: QueueOrder<T>> Drop for QueueJoin<'_, T, O> {
    fn drop(&mut self) {
        if self.ticket.is_nowhere() {
            return;
        }
        let old = self.queue.inside.lock().joiners.leave(&mut self.ticket);
        drop(old);
    }
}

impl<T, O: QueueOrder<T>> fmt::Debug for QueueJoin<'_, T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueJoin").finish_non_exhaustive()
    }
}
