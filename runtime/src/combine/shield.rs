//! Awaiting a task without passing a cancellation on to it.
#![forbid(unsafe_code)]

use crate::error::TaskError;
use crate::task::Task;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Awaits `task` so that neither cancelling nor dropping this reaches it;
/// asyncio's `shield`.
///
/// When the code that awaits it is cancelled, the task runs on; if it panics
/// then, the exception handler is told, once. Cancelling the task itself comes
/// through. For a coroutine: `shield(create_task(future))`.
///
/// # Cancel safety
/// Dropping it detaches the task; [`into_inner`](Shield::into_inner) keeps it.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// # polyloop::run(async {
/// let saving = polyloop::create_task(async {
///     polyloop::sleep(Duration::from_millis(5)).await;
///     "saved"
/// });
/// let mut shielded = polyloop::shield(saving);
/// let limited = polyloop::timeout(Duration::from_millis(1), &mut shielded).await;
/// assert!(limited.is_err());
/// assert_eq!(shielded.await.unwrap(), "saved");
/// # }).unwrap();
/// ```
pub fn shield<T>(task: Task<T>) -> Shield<T> {
    Shield {
        task,
        cancelled: false,
        waiter: None,
    }
}

/// The handle of [`shield`]; awaiting it is awaiting the task.
#[must_use = "dropping it detaches the task"]
pub struct Shield<T> {
    task: Task<T>,
    cancelled: bool,
    waiter: Option<Waker>,
}

impl<T> Shield<T> {
    /// Cancels the wait, not the task: who awaits this is told so. `false` if
    /// the task is done, or this was cancelled before.
    pub fn cancel(&mut self) -> bool {
        if self.cancelled || self.task.is_finished() {
            return false;
        }
        self.cancelled = true;
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
        true
    }

    /// The task that it protects.
    pub fn into_inner(self) -> Task<T> {
        self.task
    }

    /// The task that it protects.
    pub fn task(&self) -> &Task<T> {
        &self.task
    }
}

impl<T> Future for Shield<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.cancelled {
            return Poll::Ready(Err(TaskError::cancelled(self.task.as_ref().is_started())));
        }
        let polled = Pin::new(&mut self.task).poll(cx);
        if polled.is_pending() {
            self.waiter = Some(cx.waker().clone());
        }
        polled
    }
}

impl<T> fmt::Debug for Shield<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shield")
            .field("task", &self.task)
            .field("cancelled", &self.cancelled)
            .finish()
    }
}
