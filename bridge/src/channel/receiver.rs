//! The receiving end of a queue.
#![forbid(unsafe_code)]

use super::core::Core;
use super::{ChannelStatistics, RecvError, RecvTimeoutError, TryRecvError};
use crate::waiters::{Ticket, block_on_ready, deadline_after, poll_fairly};
use concurrent_queue::PopError;
use futures::Stream;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// The receiving end of [`bounded`](super::bounded) and
/// [`unbounded`](super::unbounded), and a [`Stream`] of the values.
///
/// Each value goes to one of the clones. The channel closes when the last one
/// is dropped; values that are in it then are dropped at once.
pub struct Receiver<T> {
    core: Arc<Core<T>>,
    /// The place in line of this receiver as a stream.
    ticket: Ticket,
}

impl<T> Receiver<T> {
    pub(super) fn first(core: Arc<Core<T>>) -> Self {
        Self {
            core,
            ticket: Ticket::new(),
        }
    }

    /// The next value; `Queue.get`.
    ///
    /// # Cancel safety
    /// A future that is dropped before it is ready has taken nothing, and a wake
    /// that it was given goes on to the next receiver.
    ///
    /// # Errors
    /// The future gives [`RecvError`] when the channel is closed and empty.
    pub fn recv(&self) -> Receiving<'_, T> {
        Receiving {
            core: &self.core,
            ticket: Ticket::new(),
        }
    }

    /// The next value, if there is one now; `Queue.get_nowait`.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] while more may come, else [`TryRecvError::Closed`].
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.core.pop().map_err(TryRecvError::from_pop)
    }

    /// Blocks the calling thread until a value comes. Not for a loop's thread.
    ///
    /// # Errors
    /// [`RecvError`] when the channel is closed and empty.
    pub fn recv_blocking(&self) -> Result<T, RecvError> {
        match wait_for_pop(&self.core, None, Core::pop) {
            Ok(value) => Ok(value),
            // Without a deadline it is not late.
            Err(RecvTimeoutError::Closed | RecvTimeoutError::TimedOut) => Err(RecvError),
        }
    }

    /// Blocks the calling thread until a value comes, `timeout` at most.
    ///
    /// # Errors
    /// [`RecvTimeoutError::TimedOut`], or [`RecvTimeoutError::Closed`] when the
    /// channel is closed and empty.
    #[doc(alias = "recv_timeout")]
    pub fn recv_blocking_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        wait_for_pop(&self.core, deadline_after(timeout), Core::pop)
    }

    /// Accepts nothing more; what was sent before can still be received.
    ///
    /// False if the channel was closed before.
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

    pub(super) fn core(&self) -> &Core<T> {
        &self.core
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.core.receivers.enter();
        Self::first(self.core.clone())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.core.receivers.waiters.pass(&mut self.ticket);
        if self.core.receivers.exit() {
            self.core.abandon();
        }
    }
}

/// Ends when the channel is closed and empty.
impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.get_mut();
        let value = poll_fairly(cx, |cx| {
            poll_pop(&this.core, &mut this.ticket, cx, Core::pop)
        });
        value.map(Result::ok)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // Another receiver may take what is there now.
        (0, None)
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("channel::Receiver")
            .field("len", &self.len())
            .field("closed", &self.is_closed())
            .field("waiting", &self.core.receivers.waiters.len())
            .field("receivers", &self.core.receivers.alive())
            .finish()
    }
}

/// The future of [`Receiver::recv`].
#[must_use = "nothing is received unless this is awaited"]
pub struct Receiving<'a, T> {
    core: &'a Core<T>,
    ticket: Ticket,
}

impl<T> Future for Receiving<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        poll_fairly(cx, |cx| {
            poll_pop(this.core, &mut this.ticket, cx, Core::pop)
        })
    }
}

impl<T> Drop for Receiving<'_, T> {
    fn drop(&mut self) {
        self.core.receivers.waiters.pass(&mut self.ticket);
    }
}

impl<T> fmt::Debug for Receiving<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("channel::Receiving").finish_non_exhaustive()
    }
}

/// Pops, or takes a place in line and pops once more.
pub(super) fn poll_pop<T, R>(
    core: &Core<T>,
    ticket: &mut Ticket,
    cx: &mut Context<'_>,
    mut pop: impl FnMut(&Core<T>) -> Result<R, PopError>,
) -> Poll<Result<R, RecvError>> {
    // Whoever stands in line is woken, and needs no look.
    if ticket.is_nowhere() {
        core.look_for_value();
    }
    let mut joined = false;
    loop {
        let answer = match pop(core) {
            Ok(value) => Ok(value),
            Err(PopError::Closed) => Err(RecvError),
            Err(PopError::Empty) if joined => return Poll::Pending,
            Err(PopError::Empty) => {
                core.receivers.waiters.join(ticket, cx.waker());
                joined = true;
                continue;
            }
        };
        core.receivers.settle(ticket, joined);
        return Poll::Ready(answer);
    }
}

/// Pops, or blocks the calling thread until it can.
pub(super) fn wait_for_pop<T, R>(
    core: &Core<T>,
    deadline: Option<Instant>,
    mut pop: impl FnMut(&Core<T>) -> Result<R, PopError>,
) -> Result<R, RecvTimeoutError> {
    // What is there needs no seat.
    core.look_for_value();
    match pop(core) {
        Ok(value) => return Ok(value),
        Err(PopError::Closed) => return Err(RecvTimeoutError::Closed),
        Err(PopError::Empty) => {}
    }
    let mut place = Receiving {
        core,
        ticket: Ticket::new(),
    };
    let can_pop = |place: &Receiving<'_, T>, thorough| place.core.can_pop(thorough);
    let answer = block_on_ready(deadline, &mut place, can_pop, |place, cx| {
        poll_pop(place.core, &mut place.ticket, cx, &mut pop)
    });
    match answer {
        Ok(answer) => answer.map_err(|RecvError| RecvTimeoutError::Closed),
        Err(_) => Err(RecvTimeoutError::TimedOut),
    }
}
