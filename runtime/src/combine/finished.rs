//! Waiting for a task to end without taking its result.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::task::Task;

/// A task that [`wait`](super::wait()) and [`as_completed`](super::as_completed())
/// can wait for: a [`Task`] or a `&mut Task`.
///
/// It cannot be implemented outside of this crate.
pub trait Waitable: sealed::Waitable {}

impl<T> Waitable for Task<T> {}
impl<T> Waitable for &mut Task<T> {}

/// A [`Waitable`] whose task gives a `Result`, so that it can also fail by an
/// `Err`; for [`wait_results`](super::wait_results()).
///
/// It cannot be implemented outside of this crate.
pub trait WaitableResult: Waitable + sealed::WaitableResult {}

impl<T, E> WaitableResult for Task<Result<T, E>> {}
impl<T, E> WaitableResult for &mut Task<Result<T, E>> {}

mod sealed {
    use std::task::{Context, Poll};

    use crate::task::Task;

    pub trait Waitable: Unpin {
        /// Ready once the task has ended; its result stays where it is.
        fn poll_finished(&self, cx: &mut Context<'_>) -> Poll<()>;
        fn is_finished(&self) -> bool;
        fn has_panicked(&self) -> bool;
    }

    pub trait WaitableResult {
        /// Did the task end by a panic or an `Err`?
        fn has_failed(&self) -> bool;
    }

    impl<T, E> WaitableResult for Task<Result<T, E>> {
        fn has_failed(&self) -> bool {
            self.has_panicked() || matches!(self.peek(), Some(Ok(Err(_))))
        }
    }

    impl<T, E> WaitableResult for &mut Task<Result<T, E>> {
        fn has_failed(&self) -> bool {
            WaitableResult::has_failed(&**self)
        }
    }

    impl<T> Waitable for Task<T> {
        fn poll_finished(&self, cx: &mut Context<'_>) -> Poll<()> {
            Task::poll_finished(self, cx)
        }

        fn is_finished(&self) -> bool {
            Task::is_finished(self)
        }

        fn has_panicked(&self) -> bool {
            Task::has_panicked(self)
        }
    }

    impl<T> Waitable for &mut Task<T> {
        fn poll_finished(&self, cx: &mut Context<'_>) -> Poll<()> {
            Task::poll_finished(self, cx)
        }

        fn is_finished(&self) -> bool {
            Task::is_finished(self)
        }

        fn has_panicked(&self) -> bool {
            Task::has_panicked(self)
        }
    }
}

/// A future that gives the task back once it has ended.
pub(super) struct Finished<W> {
    /// Taken when the task has ended.
    task: Option<W>,
    /// Where the caller had it.
    index: usize,
}

impl<W: Waitable> Finished<W> {
    pub(super) fn new((index, task): (usize, W)) -> Self {
        Self {
            task: Some(task),
            index,
        }
    }

    /// The task of a future that has not been ready.
    pub(super) fn into_task(self) -> (usize, W) {
        let task = self.task.expect("a future that was ready is not kept");
        (self.index, task)
    }
}

impl<W: Waitable> Future for Finished<W> {
    type Output = (usize, W);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let task = self.task.as_ref();
        ready!(task.expect("polled after it was ready").poll_finished(cx));
        let task = self.task.take().expect("it was there a line ago");
        Poll::Ready((self.index, task))
    }
}
