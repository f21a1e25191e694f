//! The receiving end of a broadcast.
#![forbid(unsafe_code)]

use super::{BroadcastStatistics, RecvError, RecvTimeoutError, Shared, TryRecvError};
use crate::waiters::{Ticket, block_on, deadline_after, each_then_panic, poll_fairly};
use futures::Stream;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// The receiving end of [`channel`](super::channel), and a [`Stream`]; a clone
/// gets the same values from here on.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// The number of the value that it gets next.
    next: u64,
    ticket: Ticket,
}

impl<T> Receiver<T> {
    /// For one that was counted under the lock.
    pub(super) fn new(shared: Arc<Shared<T>>, next: u64) -> Self {
        Self {
            shared,
            next,
            ticket: Ticket::new(),
        }
    }

    /// What is inside, who is there and who waits.
    #[must_use]
    pub fn statistics(&self) -> BroadcastStatistics {
        self.shared.statistics()
    }

    /// How many values wait for this receiver; if it is too far behind, without
    /// those it has lost.
    pub fn len(&self) -> usize {
        let inside = self.shared.inside.lock();
        inside.slots.len() - inside.index(self.next)
    }

    /// Does no value wait for this receiver?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Is the channel closed? What was sent can still be received.
    pub fn is_closed(&self) -> bool {
        self.shared.inside.lock().closed
    }

    fn leave(&mut self) {
        if !self.ticket.is_nowhere() {
            let old = self.shared.inside.lock().line.leave(&mut self.ticket);
            drop(old);
        }
    }
}

impl<T: Clone> Receiver<T> {
    /// The next value, when it is there.
    ///
    /// # Cancel safety
    /// A future that is dropped before it is ready has taken nothing.
    ///
    /// # Errors
    /// The future gives [`RecvError::Lagged`] if values were lost, once, and
    /// [`RecvError::Closed`] when there are no more.
    pub fn recv(&mut self) -> Receiving<'_, T> {
        Receiving { receiver: self }
    }

    /// The next value, if it is there.
    ///
    /// # Errors
    /// [`TryRecvError`] says whether more may come.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let mut removed = Vec::new();
        let taken = self.shared.inside.lock().take(&mut self.next, &mut removed);
        drop(removed);
        taken.map(own)
    }

    /// Blocks the calling thread until a value comes. Not for a loop's thread.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    pub fn recv_blocking(&mut self) -> Result<T, RecvError> {
        match block_on(None, |cx| self.poll_recv(cx)) {
            Ok(answer) => answer,
            // Not without a deadline.
            Err(_) => Err(RecvError::Closed),
        }
    }

    /// Blocks the calling thread until a value comes, `timeout` at most.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv), and [`RecvTimeoutError::TimedOut`].
    pub fn recv_blocking_timeout(&mut self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let answer = block_on(deadline_after(timeout), |cx| self.poll_recv(cx));
        self.leave();
        match answer {
            Ok(answer) => answer.map_err(RecvTimeoutError::from),
            Err(_) => Err(RecvTimeoutError::TimedOut),
        }
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let waker = cx.waker().clone();
        // All are dropped after the lock's guard is.
        let mut removed = Vec::new();
        let old;
        let mut inside = self.shared.inside.lock();
        let answer = match inside.take(&mut self.next, &mut removed) {
            Ok(value) => Ok(value),
            Err(TryRecvError::Lagged(lost)) => Err(RecvError::Lagged(lost)),
            Err(TryRecvError::Closed) => Err(RecvError::Closed),
            Err(TryRecvError::Empty) => {
                old = inside.line.join(&mut self.ticket, waker, ());
                drop(inside);
                drop(old);
                return Poll::Pending;
            }
        };
        old = inside.line.leave(&mut self.ticket);
        drop(inside);
        drop((old, removed));
        Poll::Ready(answer.map(own))
    }
}

/// The value itself if this is the last one who has it, else a clone.
fn own<T: Clone>(value: Arc<T>) -> T {
    Arc::try_unwrap(value).unwrap_or_else(|shared| T::clone(&shared))
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        let mut inside = self.shared.inside.lock();
        inside.receivers += 1;
        let from = inside.index(self.next);
        for slot in inside.slots.iter_mut().skip(from) {
            slot.left += 1;
        }
        Self::new(self.shared.clone(), self.next)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // Both are dropped after the lock's guard is.
        let mut removed = Vec::new();
        let old;
        let mut inside = self.shared.inside.lock();
        old = inside.line.leave(&mut self.ticket);
        inside.receivers -= 1;
        let from = inside.index(self.next);
        for slot in inside.slots.iter_mut().skip(from) {
            slot.left -= 1;
        }
        inside.remove_taken(&mut removed);
        drop(inside);
        drop(old);
        each_then_panic(removed, drop);
    }
}

/// Ends when the channel is closed and this receiver has had everything. An
/// item that is an error says how many values were lost.
impl<T: Clone> Stream for Receiver<T> {
    type Item = Result<T, u64>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let answer = poll_fairly(cx, |cx| self.get_mut().poll_recv(cx));
        answer.map(|answer| match answer {
            Ok(value) => Some(Ok(value)),
            Err(RecvError::Lagged(lost)) => Some(Err(lost)),
            Err(RecvError::Closed) => None,
        })
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("broadcast::Receiver")
            .field("len", &self.len())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// The future of [`Receiver::recv`].
#[must_use = "nothing is received unless this is awaited"]
pub struct Receiving<'a, T> {
    receiver: &'a mut Receiver<T>,
}

impl<T: Clone> Future for Receiving<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        poll_fairly(cx, |cx| self.get_mut().receiver.poll_recv(cx))
    }
}

impl<T> Drop for Receiving<'_, T> {
    fn drop(&mut self) {
        self.receiver.leave();
    }
}

impl<T> fmt::Debug for Receiving<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("broadcast::Receiving")
            .finish_non_exhaustive()
    }
}
