//! The sending end of a queue.
#![forbid(unsafe_code)]

use super::core::Core;
use super::{ChannelStatistics, SendError, SendTimeoutError, TrySendError};
use crate::waiters::{Ticket, block_on_ready, deadline_after, poll_fairly};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// The sending end of [`bounded`](super::bounded) and
/// [`unbounded`](super::unbounded); clones send into the same queue.
///
/// The channel closes when the last sender is dropped.
pub struct Sender<T> {
    core: Arc<Core<T>>,
}

impl<T> Sender<T> {
    pub(super) fn first(core: Arc<Core<T>>) -> Self {
        Self { core }
    }

    /// Sends when there is room.
    ///
    /// Stands for `Queue.put`. Senders that wait get room in the order in which
    /// they began to wait.
    ///
    /// # Cancel safety
    /// A future that is dropped before it is ready has sent nothing; the value
    /// is dropped with it, unless [`Sending::into_inner`] took it out.
    ///
    /// # Errors
    /// The future gives [`SendError`] with the value when the channel is closed.
    pub fn send(&self, value: T) -> Sending<'_, T> {
        Sending {
            core: &self.core,
            value: Some(value),
            ticket: Ticket::new(),
        }
    }

    /// Sends if there is room now; `Queue.put_nowait`.
    ///
    /// # Errors
    /// Gives the value back when the channel is full or closed.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.core.push(value)
    }

    /// Blocks the calling thread until there is room. Not for a loop's thread.
    ///
    /// # Errors
    /// Gives the value back when the channel is closed.
    pub fn send_blocking(&self, value: T) -> Result<(), SendError<T>> {
        // What has room needs no seat.
        self.core.look_for_room();
        let value = match self.core.push(value) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(value)) => return Err(SendError(value)),
            Err(TrySendError::Full(value)) => value,
        };
        match self.send(value).block(None) {
            Ok(()) => Ok(()),
            Err(SendTimeoutError::Closed(value) | SendTimeoutError::TimedOut(value)) => {
                Err(SendError(value))
            }
        }
    }

    /// Blocks the calling thread until there is room, `timeout` at most.
    ///
    /// # Errors
    /// Gives the value back when the time ran out or the channel is closed.
    #[doc(alias = "send_timeout")]
    pub fn send_blocking_timeout(
        &self,
        value: T,
        timeout: Duration,
    ) -> Result<(), SendTimeoutError<T>> {
        self.send(value).block(deadline_after(timeout))
    }

    /// Accepts nothing more, from any sender; what was sent is received.
    ///
    /// Stands for `Queue.shutdown()`. False if the channel was closed before.
    pub fn close(&self) -> bool {
        self.core.close()
    }

    /// Is the channel closed, by a call or because one side has gone?
    pub fn is_closed(&self) -> bool {
        self.core.is_closed()
    }

    /// The values that wait to be received.
    pub fn len(&self) -> usize {
        self.core.len()
    }

    /// Does no value wait to be received?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values it holds; `None` without a limit.
    pub fn capacity(&self) -> Option<usize> {
        self.core.capacity()
    }

    /// What is inside, who is there and who waits.
    #[must_use]
    pub fn statistics(&self) -> ChannelStatistics {
        self.core.statistics()
    }

    pub(super) fn poll_send(
        &self,
        value: &mut Option<T>,
        ticket: &mut Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        poll_push(&self.core, value, ticket, cx)
    }

    /// Gives up the place of a send that is not wanted any more.
    pub(super) fn pass(&self, ticket: &mut Ticket) {
        self.core.senders.waiters.pass(ticket);
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.core.senders.enter();
        Self {
            core: self.core.clone(),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.core.senders.exit() {
            self.core.close();
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("channel::Sender")
            .field("len", &self.len())
            .field("closed", &self.is_closed())
            .field("waiting", &self.core.senders.waiters.len())
            .field("senders", &self.core.senders.alive())
            .finish()
    }
}

/// The future of [`Sender::send`].
#[must_use = "nothing is sent unless this is awaited"]
pub struct Sending<'a, T> {
    core: &'a Core<T>,
    value: Option<T>,
    ticket: Ticket,
}

impl<T> Sending<'_, T> {
    /// Gives up, with the value; `None` if it was sent or given back.
    pub fn into_inner(mut self) -> Option<T> {
        self.value.take()
    }

    fn block(&mut self, deadline: Option<Instant>) -> Result<(), SendTimeoutError<T>> {
        let can_push = |send: &Self, thorough| send.core.can_push(thorough);
        match block_on_ready(deadline, self, can_push, |send, cx| send.poll_send(cx)) {
            Ok(sent) => sent.map_err(|SendError(value)| SendTimeoutError::Closed(value)),
            Err(_) => {
                let value = self
                    .value
                    .take()
                    .expect("a send that is not ready has its value");
                Err(SendTimeoutError::TimedOut(value))
            }
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        poll_push(self.core, &mut self.value, &mut self.ticket, cx)
    }
}

/// Pushes the value, or takes a place in line and pushes once more.
fn poll_push<T>(
    core: &Core<T>,
    slot: &mut Option<T>,
    ticket: &mut Ticket,
    cx: &mut Context<'_>,
) -> Poll<Result<(), SendError<T>>> {
    let mut value = slot
        .take()
        .expect("a send is not polled after it was ready");
    // Whoever stands in line is woken, and needs no look.
    if ticket.is_nowhere() {
        core.look_for_room();
    }
    let mut joined = false;
    loop {
        let answer = match core.push(value) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(value)) => Err(SendError(value)),
            Err(TrySendError::Full(back)) if joined => {
                *slot = Some(back);
                return Poll::Pending;
            }
            Err(TrySendError::Full(back)) => {
                value = back;
                core.senders.waiters.join(ticket, cx.waker());
                joined = true;
                continue;
            }
        };
        core.senders.settle(ticket, joined);
        return Poll::Ready(answer);
    }
}

impl<T> Future for Sending<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        poll_fairly(cx, |cx| self.get_mut().poll_send(cx))
    }
}

// The value is moved in and out, never pinned.
impl<T> Unpin for Sending<'_, T> {}

impl<T> Drop for Sending<'_, T> {
    fn drop(&mut self) {
        self.core.senders.waiters.pass(&mut self.ticket);
    }
}

impl<T> fmt::Debug for Sending<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("channel::Sending")
            .field("sent", &self.value.is_none())
            .finish_non_exhaustive()
    }
}
