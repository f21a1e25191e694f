//! Receiving what is there in one go.
#![forbid(unsafe_code)]

use super::core::Core;
use super::receiver::{poll_pop, wait_for_pop};
use super::{Receiver, RecvError, RecvTimeoutError, TryRecvError};
use crate::waiters::{Ticket, deadline_after, poll_fairly};
use concurrent_queue::PopError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

impl<T> Receiver<T> {
    /// Waits for a value, then moves all that are there, `limit` at most, to
    /// the end of `to`, and says how many. With a `limit` of 0 it does nothing.
    ///
    /// One claim for all of them: cheaper than one receive a value.
    ///
    /// # Cancel safety
    /// A future that is dropped before it is ready has taken nothing, and `to`
    /// is as it was.
    ///
    /// # Errors
    /// The future gives [`RecvError`] when the channel is closed and empty.
    ///
    /// # Examples
    /// ```
    /// use polyloop_bridge::channel;
    ///
    /// let (sender, receiver) = channel::bounded(8);
    /// for n in 0..5 {
    ///     sender.try_send(n).unwrap();
    /// }
    /// polyloop::run(async {
    ///     let mut batch = Vec::new();
    ///     assert_eq!(receiver.recv_many(&mut batch, 3).await, Ok(3));
    ///     assert_eq!(receiver.recv_many(&mut batch, 3).await, Ok(2));
    ///     assert_eq!(batch, [0, 1, 2, 3, 4]);
    /// })
    /// .unwrap();
    /// ```
    pub fn recv_many<'a>(&'a self, to: &'a mut Vec<T>, limit: usize) -> ReceivingMany<'a, T> {
        ReceivingMany {
            core: self.core(),
            ticket: Ticket::new(),
            to,
            limit,
        }
    }

    /// Moves what is there now, `limit` values at most, to the end of `to`.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] while more may come, else [`TryRecvError::Closed`].
    pub fn try_recv_many(&self, to: &mut Vec<T>, limit: usize) -> Result<usize, TryRecvError> {
        pop_many(self.core(), to, limit).map_err(TryRecvError::from_pop)
    }

    /// As [`recv_many`](Self::recv_many), blocking the calling thread. Not for
    /// a loop's thread.
    ///
    /// # Errors
    /// [`RecvError`] when the channel is closed and empty.
    pub fn recv_many_blocking(&self, to: &mut Vec<T>, limit: usize) -> Result<usize, RecvError> {
        match wait_for_pop(self.core(), None, |core| pop_many(core, to, limit)) {
            Ok(count) => Ok(count),
            // Without a deadline it is not late.
            Err(RecvTimeoutError::Closed | RecvTimeoutError::TimedOut) => Err(RecvError),
        }
    }

    /// As [`recv_many_blocking`](Self::recv_many_blocking), `timeout` at most.
    ///
    /// # Errors
    /// [`RecvTimeoutError::TimedOut`], or [`RecvTimeoutError::Closed`] when the
    /// channel is closed and empty.
    pub fn recv_many_blocking_timeout(
        &self,
        to: &mut Vec<T>,
        limit: usize,
        timeout: Duration,
    ) -> Result<usize, RecvTimeoutError> {
        let deadline = deadline_after(timeout);
        wait_for_pop(self.core(), deadline, |core| pop_many(core, to, limit))
    }
}

/// The future of [`Receiver::recv_many`].
#[must_use = "nothing is received unless this is awaited"]
pub struct ReceivingMany<'a, T> {
    core: &'a Core<T>,
    ticket: Ticket,
    to: &'a mut Vec<T>,
    limit: usize,
}

impl<T> Future for ReceivingMany<'_, T> {
    type Output = Result<usize, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            core,
            ticket,
            to,
            limit,
        } = self.get_mut();
        poll_fairly(cx, |cx| {
            poll_pop(core, ticket, cx, |core| pop_many(core, to, *limit))
        })
    }
}

impl<T> Drop for ReceivingMany<'_, T> {
    fn drop(&mut self) {
        self.core.receivers.waiters.pass(&mut self.ticket);
    }
}

impl<T> fmt::Debug for ReceivingMany<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("channel::ReceivingMany")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

fn pop_many<T>(core: &Core<T>, to: &mut Vec<T>, limit: usize) -> Result<usize, PopError> {
    match limit {
        0 => Ok(0),
        _ => core.pop_many(to, limit),
    }
}
