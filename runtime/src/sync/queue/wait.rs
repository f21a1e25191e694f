//! The waits for a queue: for room, for an item, for the end of all work.

#![forbid(unsafe_code)]

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::super::event::EventWait;
use super::super::wait_queue::Waiter;
use super::Queue;
use super::error::{QueuePutError, QueueShutDown};
use super::order::{Fifo, QueueOrder};

pin_project! {
    /// The wait for room in a [`Queue`], from [`Queue::put`].
    #[must_use = "nothing is put until the future is awaited"]
    pub struct QueuePut<'a, T, O: QueueOrder<T> = Fifo> {
        pub(super) queue: &'a Queue<T, O>,
        pub(super) item: Option<T>,
        #[pin]
        pub(super) waiter: Waiter<'a>,
    }

    impl<T, O: QueueOrder<T>> PinnedDrop for QueuePut<'_, T, O> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.waiter.abandon() && !this.queue.full() {
                this.queue.putters.wake_first();
            }
        }
    }
}

impl<T, O: QueueOrder<T>> Future for QueuePut<'_, T, O> {
    type Output = Result<(), QueuePutError<T>>;

    /// # Panics
    ///
    /// If it is polled after it was ready.
    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            if this.waiter.is_idle() {
                let item = this.item.take().expect("put is polled after it was ready");
                match this.queue.put_nowait(item) {
                    Ok(()) => return Poll::Ready(Ok(())),
                    Err(error) if error.is_full() => *this.item = Some(error.into_inner()),
                    Err(error) => return Poll::Ready(Err(QueuePutError(error.into_inner()))),
                }
            }
            ready!(this.waiter.as_mut().poll_woken(cx));
        }
    }
}

impl<T, O: QueueOrder<T>> fmt::Debug for QueuePut<'_, T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuePut").finish_non_exhaustive()
    }
}

pin_project! {
    /// The wait for an item of a [`Queue`], from [`Queue::get`].
    #[must_use = "nothing is taken until the future is awaited"]
    pub struct QueueGet<'a, T, O: QueueOrder<T> = Fifo> {
        pub(super) queue: &'a Queue<T, O>,
        #[pin]
        pub(super) waiter: Waiter<'a>,
    }

    impl<T, O: QueueOrder<T>> PinnedDrop for QueueGet<'_, T, O> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.waiter.abandon() && !this.queue.empty() {
                this.queue.getters.wake_first();
            }
        }
    }
}

impl<T, O: QueueOrder<T>> Future for QueueGet<'_, T, O> {
    type Output = Result<T, QueueShutDown>;

    #[inline]
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

impl<T, O: QueueOrder<T>> fmt::Debug for QueueGet<'_, T, O> {
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
        pub(super) wait: EventWait<'a>,
    }
}

impl Future for QueueJoin<'_> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().wait.poll(cx)
    }
}
