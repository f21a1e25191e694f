//! One value, once, from one side to the other.
//!
//! Both ends share one outcome cell in one allocation; its module has the protocol.

use super::{RecvError, RecvTimeoutError, TryRecvError};
use crate::outcome::{OutcomeCell, Taker};
use crate::waiters::deadline_after;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// A channel for one value.
///
/// Stands for a `concurrent.futures.Future` that is used to hand one result
/// from thread to thread. One allocation, no lock.
///
/// # Examples
/// ```
/// use polyloop_bridge::channel::oneshot;
///
/// let (sender, receiver) = oneshot::channel();
/// std::thread::spawn(move || sender.send(42));
/// assert_eq!(receiver.recv_blocking(), Ok(42));
/// ```
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let cell = Arc::new(OutcomeCell::new());
    // SAFETY: the cell is new, and this is the only `Taker` made for it.
    let taker = unsafe { Taker::new(cell.clone()) };
    (Sender { cell: Some(cell) }, Receiver { taker })
}

/// The end that gives the value; dropping it tells the receiver that none comes.
#[must_use = "dropping the sender tells the receiver that no value comes"]
pub struct Sender<T> {
    /// Taken out by the one call of `finish`.
    cell: Option<Arc<OutcomeCell<T>>>,
}

impl<T> Sender<T> {
    /// Gives the value; never waits.
    ///
    /// # Errors
    /// Gives the value back when the receiver is gone or closed. `Ok` says that
    /// the receiver was there, not that it will look: one that is dropped later
    /// drops the value.
    pub fn send(mut self, value: T) -> Result<(), T> {
        self.finish(Some(value))
    }

    /// Is the receiver gone or closed, so that a value would come back?
    pub fn is_closed(&self) -> bool {
        self.cell.as_ref().is_none_or(|cell| cell.is_gone())
    }

    fn finish(&mut self, answer: Option<T>) -> Result<(), T> {
        match self.cell.take() {
            // SAFETY: there is one sender, and it has given its cell away now:
            // this is the only call.
            Some(cell) => unsafe { cell.finish(answer) },
            None => answer.map_or(Ok(()), Err),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // Nothing was sent, so nothing can come back.
        let _ = self.finish(None);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("oneshot::Sender")
            .field("closed", &self.is_closed())
            .finish()
    }
}

/// The end that takes the value: a future, or a blocking call.
///
/// # Cancel safety
/// Awaiting `&mut receiver` and dropping that future loses nothing.
#[must_use = "a receiver that is dropped sends the value back to the sender"]
pub struct Receiver<T> {
    taker: Taker<T, Arc<OutcomeCell<T>>>,
}

impl<T> Receiver<T> {
    /// Blocks the calling thread until the value comes.
    ///
    /// # Errors
    /// [`RecvError`] when the sender was dropped without sending.
    pub fn recv_blocking(mut self) -> Result<T, RecvError> {
        match self.taker.block(None) {
            Ok(answer) => answer.ok_or(RecvError),
            // Not without a deadline.
            Err(_) => Err(RecvError),
        }
    }

    /// Blocks the calling thread until the value comes, `timeout` at most.
    ///
    /// After a time-out the receiver can be asked again.
    ///
    /// # Errors
    /// [`RecvTimeoutError::TimedOut`], or [`RecvTimeoutError::Closed`] when the
    /// sender was dropped without sending.
    #[doc(alias = "recv_timeout")]
    pub fn recv_blocking_timeout(&mut self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        match self.taker.block(deadline_after(timeout)) {
            Ok(answer) => answer.ok_or(RecvTimeoutError::Closed),
            Err(_) => Err(RecvTimeoutError::TimedOut),
        }
    }

    /// The value, if it is there.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] while the sender may still send,
    /// [`TryRecvError::Closed`] when no value comes any more.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match self.taker.try_take() {
            Some(answer) => answer.ok_or(TryRecvError::Closed),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Refuses a value that has not come yet: the sender gets it back. One that
    /// has come can still be taken.
    pub fn close(&mut self) {
        self.taker.close();
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = self.get_mut().taker.poll(cx);
        answer.map(|answer| answer.ok_or(RecvError))
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = self.taker.holder().is_done();
        f.debug_struct("oneshot::Receiver")
            .field("done", &done)
            .finish()
    }
}
