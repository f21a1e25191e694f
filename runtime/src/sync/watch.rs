//! The latest value of something, and the wait for the next one.
//!
//! [`channel`] makes a sender and a receiver; both can be cloned. A receiver sees
//! the latest value, not each one.
//!
//! ```
//! use polyloop::sync::watch;
//!
//! # fn main() -> std::io::Result<()> {
//! polyloop::run(async {
//!     let (sender, mut receiver) = watch::channel("off");
//!     let task = polyloop::create_task(async move {
//!         receiver.changed().await.expect("the sender lives");
//!         *receiver.borrow()
//!     });
//!     sender.send("on").expect("a receiver lives");
//!     assert_eq!(task.await.expect("not cancelled"), "on");
//! })
//! # }
//! ```

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::wait_queue::{WaitQueue, Waiter};

/// A channel that holds `value`.
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(Shared {
        value: RefCell::new(Rc::new(value)),
        version: Cell::new(0),
        senders: Cell::new(1),
        receivers: Cell::new(1),
        changed: WaitQueue::new(),
        closed: WaitQueue::new(),
    });
    let receiver = Receiver {
        shared: Rc::clone(&shared),
        seen: Cell::new(0),
    };
    (Sender { shared }, receiver)
}

struct Shared<T> {
    value: RefCell<Rc<T>>,
    version: Cell<u64>,
    senders: Cell<usize>,
    receivers: Cell<usize>,
    changed: WaitQueue,
    closed: WaitQueue,
}

impl<T> Shared<T> {
    fn get(&self) -> Rc<T> {
        Rc::clone(&self.value.borrow())
    }

    fn statistics(&self) -> WatchStatistics {
        WatchStatistics {
            senders: self.senders.get(),
            receivers: self.receivers.get(),
            waiting: self.changed.waiting(),
        }
    }
}

/// A look at a channel, from [`Sender::statistics`] or [`Receiver::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchStatistics {
    /// Senders alive.
    pub senders: usize,
    /// Receivers alive.
    pub receivers: usize,
    /// Tasks that wait for a change and have not been woken.
    pub waiting: usize,
}

/// The end that sets the value, from [`channel`].
pub struct Sender<T> {
    shared: Rc<Shared<T>>,
}

impl<T> Sender<T> {
    /// Sets the value and wakes all who wait for a change.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the value if no receiver is left;
    /// [`send_replace`](Self::send_replace) sets it nevertheless.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.is_closed() {
            return Err(SendError(value));
        }
        drop(self.send_replace(value));
        Ok(())
    }

    /// Sets the value, receivers or not, and returns the one before.
    pub fn send_replace(&self, value: T) -> Rc<T> {
        let before = self.shared.value.replace(Rc::new(value));
        self.shared.version.set(self.shared.version.get() + 1);
        self.shared.changed.wake_all();
        before
    }

    /// Changes a copy of the value with `change` and sets that.
    pub fn send_modify(&self, change: impl FnOnce(&mut T))
    where
        T: Clone,
    {
        let mut value = T::clone(&self.borrow());
        change(&mut value);
        drop(self.send_replace(value));
    }

    /// The latest value. Keeping it keeps nobody from setting another.
    #[must_use]
    pub fn borrow(&self) -> Rc<T> {
        self.shared.get()
    }

    /// A receiver that has seen the present value.
    #[must_use]
    pub fn subscribe(&self) -> Receiver<T> {
        let shared = Rc::clone(&self.shared);
        shared.receivers.set(shared.receivers.get() + 1);
        let seen = Cell::new(shared.version.get());
        Receiver { shared, seen }
    }

    /// Is no receiver left?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.receivers.get() == 0
    }

    /// Waits until no receiver is left.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing for anybody else.
    pub fn closed(&self) -> Closed<'_, T> {
        Closed {
            sender: self,
            waiter: Waiter::new(&self.shared.closed, ()),
        }
    }

    /// Who has an end of the channel and who waits.
    #[must_use]
    pub fn statistics(&self) -> WatchStatistics {
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
            self.shared.changed.wake_all();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.borrow();
        f.debug_struct("Sender").field("value", &value).finish()
    }
}

/// The end that sees the value, from [`channel`] or [`Sender::subscribe`].
pub struct Receiver<T> {
    shared: Rc<Shared<T>>,
    seen: Cell<u64>,
}

impl<T> Receiver<T> {
    /// The latest value; whether it counts as seen does not change.
    #[must_use]
    pub fn borrow(&self) -> Rc<T> {
        self.shared.get()
    }

    /// The latest value, which counts as seen from now on.
    pub fn borrow_and_update(&mut self) -> Rc<T> {
        self.seen.set(self.shared.version.get());
        self.shared.get()
    }

    /// Was a value set that was not seen?
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.seen.get() != self.shared.version.get()
    }

    /// Waits until a value was set that was not seen, and counts it as seen.
    ///
    /// # Errors
    ///
    /// [`ClosedError`] if the latest value was seen and no sender is left.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has seen nothing.
    pub fn changed(&mut self) -> Changed<'_, T> {
        Changed {
            waiter: Waiter::new(&self.shared.changed, ()),
            receiver: self,
        }
    }

    /// Waits until `predicate` says `true` of the value, and returns it.
    ///
    /// # Errors
    ///
    /// [`ClosedError`] if it does not say so of the last one.
    ///
    /// # Cancel safety
    ///
    /// The values that the predicate was asked about count as seen.
    pub async fn wait_for(
        &mut self,
        mut predicate: impl FnMut(&T) -> bool,
    ) -> Result<Rc<T>, ClosedError> {
        loop {
            let value = self.borrow_and_update();
            if predicate(&value) {
                return Ok(value);
            }
            self.changed().await?;
        }
    }

    /// Who has an end of the channel and who waits.
    #[must_use]
    pub fn statistics(&self) -> WatchStatistics {
        self.shared.statistics()
    }
}

impl<T> Clone for Receiver<T> {
    /// The clone has seen what this one has.
    fn clone(&self) -> Self {
        let shared = Rc::clone(&self.shared);
        shared.receivers.set(shared.receivers.get() + 1);
        let seen = self.seen.clone();
        Self { shared, seen }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.receivers.set(self.shared.receivers.get() - 1);
        if self.shared.receivers.get() == 0 {
            self.shared.closed.wake_all();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.borrow();
        f.debug_struct("Receiver").field("value", &value).finish()
    }
}

/// No receiver is left, so the value comes back.
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
        f.write_str("no receiver is left: stop sending, or use send_replace")
    }
}

impl<T> Error for SendError<T> {}

/// The latest value was seen, and no sender is left to set another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosedError(());

impl fmt::Display for ClosedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no sender is left: the value that was seen is the last")
    }
}

impl Error for ClosedError {}

pin_project! {
    /// The wait for a change, from [`Receiver::changed`].
    #[must_use = "nothing waits until the future is awaited"]
    pub struct Changed<'a, T> {
        receiver: &'a Receiver<T>,
        #[pin]
        waiter: Waiter<'a>,
    }
}

impl<T> Future for Changed<'_, T> {
    type Output = Result<(), ClosedError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            if this.waiter.is_idle() {
                let latest = this.receiver.shared.version.get();
                if this.receiver.seen.replace(latest) != latest {
                    return Poll::Ready(Ok(()));
                }
                if this.receiver.shared.senders.get() == 0 {
                    return Poll::Ready(Err(ClosedError(())));
                }
            }
            ready!(this.waiter.as_mut().poll_woken(cx));
        }
    }
}

impl<T> fmt::Debug for Changed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changed").finish_non_exhaustive()
    }
}

pin_project! {
    /// The wait for the last receiver to go, from [`Sender::closed`].
    #[must_use = "nothing waits until the future is awaited"]
    pub struct Closed<'a, T> {
        sender: &'a Sender<T>,
        #[pin]
        waiter: Waiter<'a>,
    }
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        loop {
            if this.waiter.is_idle() && this.sender.is_closed() {
                return Poll::Ready(());
            }
            ready!(this.waiter.as_mut().poll_woken(cx));
        }
    }
}

impl<T> fmt::Debug for Closed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
