//! A handle whose drop cancels.
#![forbid(unsafe_code)]

use super::handle::Task;
use crate::error::TaskError;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A task that is cancelled when this handle is dropped; see
/// [`Task::abort_on_drop`]. Awaiting it is awaiting the task.
#[must_use = "dropping it cancels the task at once"]
#[derive(Debug)]
// `None` once it is detached.
pub struct AbortOnDrop<T>(pub(super) Option<Task<T>>);

impl<T> AbortOnDrop<T> {
    /// The task itself.
    pub fn task(&self) -> &Task<T> {
        self.0.as_ref().expect("detaching takes the whole handle")
    }

    /// The task as a handle again whose drop lets it run on.
    pub fn detach(mut self) -> Task<T> {
        self.0.take().expect("detaching takes the whole handle")
    }
}

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let task = self.0.as_mut().expect("detaching takes the whole handle");
        Pin::new(task).poll(cx)
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.cancel();
        }
    }
}
