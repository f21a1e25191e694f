//! Every receiver gets every value, or is told how many it missed.
//!
//! [`channel`] makes a sender and a receiver. It keeps the last `capacity` values:
//! a receiver that is slower than that does not hold up the sender, and is told
//! how many values it [lagged](RecvError::lagged) behind.
//!
//! ```
//! use polyloop::sync::broadcast;
//!
//! # fn main() -> std::io::Result<()> {
//! polyloop::run(async {
//!     let (sender, mut one) = broadcast::channel(16);
//!     let mut other = sender.subscribe();
//!     sender.send("to all").expect("receivers live");
//!     assert_eq!(one.recv().await, Ok("to all"));
//!     assert_eq!(other.recv().await, Ok("to all"));
//! })
//! # }
//! ```

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::wait_queue::{WaitQueue, Waiter};

/// A channel that keeps the last `capacity` values.
///
/// # Panics
///
/// If `capacity` is zero.
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a broadcast channel keeps one value at least");
    let shared = Rc::new(Shared {
        values: RefCell::new(VecDeque::new()),
        capacity,
        sent: Cell::new(0),
        senders: Cell::new(1),
        receivers: Cell::new(0),
        waiters: WaitQueue::new(),
    });
    let sender = Sender { shared };
    let receiver = sender.subscribe();
    (sender, receiver)
}

struct Shared<T> {
    /// The last values; the newest has the number `sent` less one.
    values: RefCell<VecDeque<Rc<T>>>,
    capacity: usize,
    sent: Cell<u64>,
    senders: Cell<usize>,
    receivers: Cell<usize>,
    waiters: WaitQueue,
}

impl<T> Shared<T> {
    fn kept(&self) -> usize {
        self.values.borrow().len()
    }

    fn statistics(&self) -> BroadcastStatistics {
        BroadcastStatistics {
            kept: self.kept(),
            capacity: self.capacity,
            senders: self.senders.get(),
            receivers: self.receivers.get(),
            waiting: self.waiters.waiting(),
        }
    }
}

/// A look at a channel, from [`Sender::statistics`] or [`Receiver::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BroadcastStatistics {
    /// Values kept, read or not.
    pub kept: usize,
    /// The most values it keeps.
    pub capacity: usize,
    /// Senders alive.
    pub senders: usize,
    /// Receivers alive.
    pub receivers: usize,
    /// Tasks that wait for a value and have not been woken.
    pub waiting: usize,
}

/// The end that sends, from [`channel`].
pub struct Sender<T> {
    shared: Rc<Shared<T>>,
}

impl<T> Sender<T> {
    /// Sends `value` to all receivers there are, and says how many.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the value if there is none.
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        let shared = &*self.shared;
        let receivers = shared.receivers.get();
        if receivers == 0 {
            return Err(SendError(value));
        }
        let value = Rc::new(value);
        let oldest = {
            let mut values = shared.values.borrow_mut();
            let full = values.len() == shared.capacity;
            let oldest = if full { values.pop_front() } else { None };
            values.push_back(value);
            oldest
        };
        shared.sent.set(shared.sent.get() + 1);
        shared.waiters.wake_all();
        drop(oldest);
        Ok(receivers)
    }

    /// A receiver of the values that are sent from now on.
    #[must_use]
    pub fn subscribe(&self) -> Receiver<T> {
        let shared = Rc::clone(&self.shared);
        shared.receivers.set(shared.receivers.get() + 1);
        let next = Cell::new(shared.sent.get());
        Receiver { shared, next }
    }

    /// Who has an end of the channel, what it keeps, and who waits.
    #[must_use]
    pub fn statistics(&self) -> BroadcastStatistics {
        self.shared.statistics()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        let shared = Rc::clone(&self.shared);
        shared.senders.set(shared.senders.get() + 1);
        Self { shared }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.senders.set(self.shared.senders.get() - 1);
        if self.shared.senders.get() == 0 {
            self.shared.waiters.wake_all();
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.statistics()).finish()
    }
}

/// The end that receives, from [`channel`] or [`Sender::subscribe`].
pub struct Receiver<T> {
    shared: Rc<Shared<T>>,
    next: Cell<u64>,
}

impl<T: Clone> Receiver<T> {
    /// Waits for the next value and returns a clone of it.
    ///
    /// # Errors
    ///
    /// [`RecvError`] if values were missed, after which the oldest one that is
    /// kept comes next; or if all were received and no sender is left.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has received nothing.
    pub fn recv(&mut self) -> Recv<'_, T> {
        Recv {
            waiter: Waiter::new(&self.shared.waiters, ()),
            receiver: self,
        }
    }

    /// Returns a clone of the next value if there is one; `None` if not.
    ///
    /// # Errors
    ///
    /// As for [`recv`](Self::recv).
    pub fn try_recv(&mut self) -> Result<Option<T>, RecvError> {
        self.take()
    }

    fn take(&self) -> Result<Option<T>, RecvError> {
        let shared = &*self.shared;
        let (next, sent) = (self.next.get(), shared.sent.get());
        if next == sent {
            let open = shared.senders.get() > 0;
            return if open { Ok(None) } else { Err(RecvError(None)) };
        }
        let kept = shared.kept() as u64;
        let oldest = sent - kept;
        if next < oldest {
            self.next.set(oldest);
            return Err(RecvError(Some(oldest - next)));
        }
        let value = Rc::clone(&shared.values.borrow()[(next - oldest) as usize]);
        self.next.set(next + 1);
        Ok(Some(T::clone(&value)))
    }
}

impl<T> Receiver<T> {
    /// A receiver of the values that are sent from now on.
    #[must_use]
    pub fn resubscribe(&self) -> Self {
        let shared = Rc::clone(&self.shared);
        shared.receivers.set(shared.receivers.get() + 1);
        let next = Cell::new(shared.sent.get());
        Self { shared, next }
    }

    /// How many values were sent and not received, missed ones among them.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.shared.sent.get() - self.next.get()
    }

    /// Who has an end of the channel, what it keeps, and who waits.
    #[must_use]
    pub fn statistics(&self) -> BroadcastStatistics {
        self.shared.statistics()
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.receivers.set(self.shared.receivers.get() - 1);
        if self.shared.receivers.get() == 0 {
            // Nobody can receive them: who subscribes gets only what is new.
            drop(self.shared.values.take());
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiver").field(&self.statistics()).finish()
    }
}

/// There is no receiver, so the value comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(T);

impl<T> SendError<T> {
    /// The value that was not sent.
    pub fn into_value(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no receiver: subscribe one, or stop sending")
    }
}

impl<T> Error for SendError<T> {}

/// No value was received: some were missed, or there are no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecvError(Option<u64>);

impl RecvError {
    /// How many values were missed, if that is what happened. The next call
    /// receives the oldest one that is kept.
    #[must_use]
    pub fn lagged(&self) -> Option<u64> {
        self.0
    }

    /// Is no sender left, and nothing to receive?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(missed) => write!(f, "{missed} values were missed: receive on, or faster"),
            None => f.write_str("no sender is left: stop receiving"),
        }
    }
}

impl Error for RecvError {}

pin_project! {
    /// The wait for a value, from [`Receiver::recv`].
    #[must_use = "nothing is received until the future is awaited"]
    pub struct Recv<'a, T> {
        receiver: &'a Receiver<T>,
        #[pin]
        waiter: Waiter<'a>,
    }
}

impl<T: Clone> Future for Recv<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            if this.waiter.is_idle()
                && let Some(answer) = this.receiver.take().transpose()
            {
                return Poll::Ready(answer);
            }
            ready!(this.waiter.as_mut().poll_woken(cx));
        }
    }
}

impl<T> fmt::Debug for Recv<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recv").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "broadcast_tests.rs"]
mod tests;
