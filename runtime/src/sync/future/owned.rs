//! A wait that owns the future it waits for, so that a future can be awaited by
//! value, put into a collection, or given to a task.
//!
//! # Why the borrow for ever is sound
//!
//! The waiter borrows the queue inside the [`Rc`](std::rc::Rc) that the field
//! beside it holds:
//! 1. *The queue stays where it is*: it is in the `Rc`'s allocation, which does
//!    not move when this value does.
//! 2. *The queue outlives the waiter*: the `Rc` is never replaced, and fields are
//!    dropped in the order in which they stand, the waiter first. If this value
//!    is leaked, so are both.
//! 3. *The borrow does not get out*: the waiter is private, and hands out nothing
//!    that lives as long as it claims to.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::super::wait_queue::{WaitQueue, Waiter};
use super::{Future, FutureError};

pin_project! {
    /// The wait for a clone of a result: a [`Future`] that is awaited by value.
    #[must_use = "nothing waits until the future is awaited"]
    pub struct FutureOutput<T> {
        // Dropped before what it borrows.
        #[pin]
        waiter: Waiter<'static>,
        future: Future<T>,
    }
}

impl<T: Clone> IntoFuture for Future<T> {
    type Output = Result<T, FutureError>;
    type IntoFuture = FutureOutput<T>;

    fn into_future(self) -> FutureOutput<T> {
        let queue: *const WaitQueue = &raw const self.shared.waiters;
        FutureOutput {
            // SAFETY: (1) to (3) of the module's head.
            waiter: Waiter::new(unsafe { &*queue }, ()),
            future: self,
        }
    }
}

impl<T: Clone> std::future::Future for FutureOutput<T> {
    type Output = Result<T, FutureError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        while !this.future.done() {
            ready!(this.waiter.as_mut().poll_woken(cx));
        }
        let _ = this.waiter.abandon();
        Poll::Ready(this.future.result().cloned())
    }
}

impl<T> fmt::Debug for FutureOutput<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FutureOutput").finish_non_exhaustive()
    }
}
