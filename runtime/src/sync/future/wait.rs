//! The waits that borrow a future or a promise.

#![forbid(unsafe_code)]

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::super::wait_queue::Waiter;
use super::{Future, FutureError, Promise};

pin_project! {
    /// The wait for a result, from [`Future::wait`].
    #[must_use = "nothing waits until the future is awaited"]
    pub struct FutureWait<'a, T> {
        pub(super) future: &'a Future<T>,
        #[pin]
        pub(super) waiter: Waiter<'a>,
    }
}

impl<'a, T> std::future::Future for FutureWait<'a, T> {
    type Output = Result<&'a T, FutureError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let future: &'a Future<T> = this.future;
        while !future.done() {
            ready!(this.waiter.as_mut().poll_woken(cx));
        }
        let _ = this.waiter.abandon();
        Poll::Ready(future.result())
    }
}

impl<'a, T> IntoFuture for &'a Future<T> {
    type Output = Result<&'a T, FutureError>;
    type IntoFuture = FutureWait<'a, T>;

    fn into_future(self) -> FutureWait<'a, T> {
        self.wait()
    }
}

impl<T> fmt::Debug for FutureWait<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FutureWait").finish_non_exhaustive()
    }
}

pin_project! {
    /// The wait for a cancel, from [`Promise::wait_cancelled`].
    #[must_use = "nothing waits until the future is awaited"]
    pub struct PromiseCancelled<'a, T> {
        pub(super) promise: &'a Promise<T>,
        #[pin]
        pub(super) waiter: Waiter<'a>,
    }
}

impl<T> std::future::Future for PromiseCancelled<'_, T> {
    type Output = ();

    /// A future that is done otherwise is never cancelled: the wait goes on.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        while !this.promise.cancelled() {
            ready!(this.waiter.as_mut().poll_woken(cx));
        }
        let _ = this.waiter.abandon();
        Poll::Ready(())
    }
}

impl<T> fmt::Debug for PromiseCancelled<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PromiseCancelled").finish_non_exhaustive()
    }
}
