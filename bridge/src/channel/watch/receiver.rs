//! The receiving end of a watched value.
#![forbid(unsafe_code)]

use super::super::{RecvError, RecvTimeoutError};
use super::{Shared, WatchStatistics};
use crate::waiters::{Ticket, Woken, block_on, deadline_after, poll_fairly};
use futures::Stream;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// The receiving end of [`channel`](super::channel); as a [`Stream`] it gives
/// the latest value after each change. A clone has seen what this one has.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// The version that was seen last.
    seen: u64,
    ticket: Ticket,
}

impl<T> Receiver<T> {
    /// For one that was counted under the lock.
    pub(super) fn new(shared: Arc<Shared<T>>, seen: u64) -> Self {
        Self {
            shared,
            seen,
            ticket: Ticket::new(),
        }
    }

    /// The value; it does not count as seen.
    pub fn get(&self) -> Arc<T> {
        self.shared.inside.lock().value.clone()
    }

    /// The value, which counts as seen: [`changed`](Self::changed) waits for
    /// another one.
    pub fn get_and_see(&mut self) -> Arc<T> {
        let inside = self.shared.inside.lock();
        self.seen = inside.version;
        inside.value.clone()
    }

    /// Is there a value that was not seen?
    ///
    /// # Errors
    /// [`RecvError`] if there is none, and no sender is left.
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        let inside = self.shared.inside.lock();
        match inside.version != self.seen {
            false if inside.senders == 0 => Err(RecvError),
            changed => Ok(changed),
        }
    }

    /// Waits for a value that was not seen, which counts as seen then.
    ///
    /// # Cancel safety
    /// A future that is dropped before it is ready has seen nothing.
    ///
    /// # Errors
    /// The future gives [`RecvError`] if all values were seen and no sender is
    /// left.
    pub fn changed(&mut self) -> Changed<'_, T> {
        Changed { receiver: self }
    }

    /// Waits until `predicate` says `true` of the value, which it is asked first
    /// at once and then after each change, and gives that value.
    ///
    /// # Cancel safety
    /// A future that is dropped has at most seen values that were not wanted.
    ///
    /// # Errors
    /// [`RecvError`] if no sender is left.
    pub async fn wait_for(
        &mut self,
        mut predicate: impl FnMut(&T) -> bool,
    ) -> Result<Arc<T>, RecvError> {
        loop {
            let value = self.get_and_see();
            if predicate(&value) {
                return Ok(value);
            }
            self.changed().await?;
        }
    }

    /// As [`changed`](Self::changed), blocking the calling thread. Not for a
    /// loop's thread.
    ///
    /// # Errors
    /// As for [`changed`](Self::changed).
    pub fn changed_blocking(&mut self) -> Result<(), RecvError> {
        match block_on(None, |cx| self.poll_changed(cx)) {
            Ok(answer) => answer.map(drop),
            // Not without a deadline.
            Err(_) => Err(RecvError),
        }
    }

    /// As [`changed_blocking`](Self::changed_blocking), `timeout` at most.
    ///
    /// # Errors
    /// [`RecvTimeoutError`] says whether the time ran out.
    pub fn changed_blocking_timeout(&mut self, timeout: Duration) -> Result<(), RecvTimeoutError> {
        let answer = block_on(deadline_after(timeout), |cx| self.poll_changed(cx));
        self.leave();
        match answer {
            Ok(answer) => answer
                .map(drop)
                .map_err(|RecvError| RecvTimeoutError::Closed),
            Err(_) => Err(RecvTimeoutError::TimedOut),
        }
    }

    /// Who is there and who waits.
    #[must_use]
    pub fn statistics(&self) -> WatchStatistics {
        self.shared.statistics()
    }

    fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<Result<Arc<T>, RecvError>> {
        let waker = cx.waker().clone();
        // Dropped after the lock's guard is.
        let old;
        let mut inside = self.shared.inside.lock();
        let answer = if inside.version != self.seen {
            self.seen = inside.version;
            Ok(inside.value.clone())
        } else if inside.senders == 0 {
            Err(RecvError)
        } else {
            old = inside.watching.join(&mut self.ticket, waker, ());
            drop(inside);
            drop(old);
            return Poll::Pending;
        };
        old = inside.watching.leave(&mut self.ticket);
        drop(inside);
        drop(old);
        Poll::Ready(answer)
    }

    fn leave(&mut self) {
        if !self.ticket.is_nowhere() {
            let old = self.shared.inside.lock().watching.leave(&mut self.ticket);
            drop(old);
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.inside.lock().receivers += 1;
        Self::new(self.shared.clone(), self.seen)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // Both are dropped after the lock's guard is.
        let mut woken = Woken::new();
        let old;
        let mut inside = self.shared.inside.lock();
        old = inside.watching.leave(&mut self.ticket);
        inside.receivers -= 1;
        if inside.receivers == 0 {
            woken.extend(inside.parting.wake_all());
        }
        drop(inside);
        drop(old);
    }
}

/// Ends when all values were seen and no sender is left.
impl<T> Stream for Receiver<T> {
    type Item = Arc<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Arc<T>>> {
        poll_fairly(cx, |cx| self.get_mut().poll_changed(cx)).map(Result::ok)
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("watch::Receiver")
            .field("changed", &self.has_changed())
            .finish_non_exhaustive()
    }
}

/// The future of [`Receiver::changed`].
#[must_use = "nothing waits unless this is awaited"]
pub struct Changed<'a, T> {
    receiver: &'a mut Receiver<T>,
}

impl<T> Future for Changed<'_, T> {
    type Output = Result<(), RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let changed = poll_fairly(cx, |cx| self.get_mut().receiver.poll_changed(cx));
        changed.map(|answer| answer.map(drop))
    }
}

impl<T> Drop for Changed<'_, T> {
    fn drop(&mut self) {
        self.receiver.leave();
    }
}

impl<T> fmt::Debug for Changed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("watch::Changed").finish_non_exhaustive()
    }
}
