//! Work that was sent to a value on a loop.
#![forbid(unsafe_code)]

use super::InvokeError;
use crate::submit::{Answer, Submission};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Work that was sent to a [`Foreign`](super::Foreign) or to a shard: await it
/// from any loop or executor, or ask for its [`result`](Self::result) on a plain
/// thread. It is a [`Submission`] that may also find its value stopped.
///
/// # Cancel safety
/// Dropping it detaches the work, which runs on. Awaiting `&mut invocation`
/// loses nothing.
#[must_use = "without it nobody learns the outcome; drop it to detach the work"]
pub struct Invocation<R> {
    /// Gives `None` if the value was not there.
    sent: Submission<Option<R>>,
}

impl<R> Invocation<R> {
    pub(super) fn new(sent: Submission<Option<R>>) -> Self {
        Self { sent }
    }

    /// Blocks the calling thread until the work is done.
    ///
    /// # Errors
    /// See [`InvokeError`]; at once on the loop's own thread or in a ring of threads
    /// that block on each other, where blocking would be for ever, and after a
    /// second or two if [nobody runs](InvokeError::is_not_running) the loop. The
    /// work is then detached.
    pub fn result(self) -> Result<R, InvokeError> {
        answer(self.sent.result())
    }

    /// Blocks the calling thread until the work is done, `timeout` at most. A
    /// time-out does not cancel.
    ///
    /// # Errors
    /// As [`result`](Self::result); it waits that long also for somebody to run the
    /// loop.
    pub fn result_timeout(&mut self, timeout: Duration) -> Result<R, InvokeError> {
        answer(self.sent.result_timeout(timeout))
    }

    /// Asks the work to end: its future is dropped on its loop. False if it has
    /// ended.
    pub fn cancel(&self) -> bool {
        self.sent.cancel()
    }

    /// Has the work ended, in whatever way?
    pub fn is_done(&self) -> bool {
        self.sent.is_done()
    }
}

impl<R> Future for Invocation<R> {
    type Output = Result<R, InvokeError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.get_mut().sent).poll(cx).map(answer)
    }
}

impl<R> fmt::Debug for Invocation<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation")
            .field("done", &self.is_done())
            .finish()
    }
}

fn answer<R>(outcome: Answer<Option<R>>) -> Result<R, InvokeError> {
    outcome?.ok_or(InvokeError::Stopped)
}
