//! The latest value, and word of its changes.
//!
//! One value with a version under one lock; a receiver knows the version that
//! it saw last. Nothing is queued: who looks late sees the latest value alone.
//! The value is given as an [`Arc`], so that nobody looks at it with the lock
//! held, and values and wakers are dropped and called without it.
#![forbid(unsafe_code)]

mod receiver;
#[cfg(all(test, not(loom)))]
mod tests;

pub use receiver::{Changed, Receiver};

use super::SendError;
use crate::loom::Mutex;
use crate::waiters::{Line, Stand, Ticket, Woken, block_on, deadline_after};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// A channel that holds one value, which senders replace and receivers watch.
///
/// A receiver has seen the value that was there when it was made.
///
/// # Examples
/// ```
/// use polyloop_bridge::channel::watch;
///
/// let (sender, mut receiver) = watch::channel("starting");
/// std::thread::spawn(move || sender.send("ready"));
/// polyloop::run(async move {
///     receiver.changed().await.unwrap();
///     assert_eq!(*receiver.get(), "ready");
/// })
/// .unwrap();
/// ```
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        inside: Mutex::new(Inside {
            value: Arc::new(value),
            version: 0,
            senders: 1,
            receivers: 1,
            watching: Line::new(),
            parting: Line::new(),
        }),
    });
    let receiver = Receiver::new(shared.clone(), 0);
    (Sender { shared }, receiver)
}

struct Shared<T> {
    inside: Mutex<Inside<T>>,
}

struct Inside<T> {
    value: Arc<T>,
    version: u64,
    senders: usize,
    receivers: usize,
    /// Receivers that wait for a change.
    watching: Line,
    /// Senders that wait until no receiver is left.
    parting: Line,
}

/// The sending end of [`channel`]; clones replace the same value.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    /// Replaces the value, and wakes those who wait for a change.
    ///
    /// # Errors
    /// Gives the value back when there is no receiver;
    /// [`replace`](Self::replace) replaces it all the same.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        // Both are dropped after the lock's guard is.
        let mut woken = Woken::new();
        let _old;
        let mut inside = self.shared.inside.lock();
        if inside.receivers == 0 {
            return Err(SendError(value));
        }
        _old = inside.put(Arc::new(value), &mut woken);
        Ok(())
    }

    /// Replaces the value, also if there is no receiver, and gives the old one.
    pub fn replace(&self, value: T) -> Arc<T> {
        let mut woken = Woken::new();
        let mut inside = self.shared.inside.lock();
        inside.put(Arc::new(value), &mut woken)
    }

    /// Changes the value: `change` gets a copy, which takes the value's place.
    /// It is called again if another sender was faster.
    pub fn modify(&self, mut change: impl FnMut(&mut T))
    where
        T: Clone,
    {
        loop {
            let (seen, version) = {
                let inside = self.shared.inside.lock();
                (inside.value.clone(), inside.version)
            };
            let mut value = T::clone(&seen);
            change(&mut value);
            // All are dropped after the lock's guard is.
            let mut woken = Woken::new();
            let value = Arc::new(value);
            let _old;
            let mut inside = self.shared.inside.lock();
            if inside.version == version {
                _old = inside.put(value, &mut woken);
                return;
            }
        }
    }

    /// The value.
    pub fn get(&self) -> Arc<T> {
        self.shared.inside.lock().value.clone()
    }

    /// One more receiver, which has seen the value that is there now.
    pub fn subscribe(&self) -> Receiver<T> {
        let mut inside = self.shared.inside.lock();
        inside.receivers += 1;
        Receiver::new(self.shared.clone(), inside.version)
    }

    /// Is no receiver left?
    pub fn is_closed(&self) -> bool {
        self.shared.inside.lock().receivers == 0
    }

    /// Waits until no receiver is left.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing for anybody else.
    pub fn closed(&self) -> Closed<'_, T> {
        Closed {
            shared: &self.shared,
            ticket: Ticket::new(),
        }
    }

    /// As [`closed`](Self::closed), blocking the calling thread. Not for a
    /// loop's thread.
    pub fn closed_blocking(&self) {
        let mut closed = self.closed();
        // Without a deadline it is not late.
        let _ = block_on(None, |cx| closed.poll_closed(cx));
    }

    /// As [`closed_blocking`](Self::closed_blocking), `timeout` at most; false
    /// if a receiver is left.
    pub fn closed_blocking_timeout(&self, timeout: Duration) -> bool {
        let mut closed = self.closed();
        block_on(deadline_after(timeout), |cx| closed.poll_closed(cx)).is_ok()
    }

    /// Who is there and who waits.
    #[must_use]
    pub fn statistics(&self) -> WatchStatistics {
        self.shared.statistics()
    }
}

impl<T> Inside<T> {
    /// Returns the old value, to be dropped outside of the lock.
    fn put(&mut self, value: Arc<T>, woken: &mut Woken) -> Arc<T> {
        self.version += 1;
        woken.extend(self.watching.wake_all());
        std::mem::replace(&mut self.value, value)
    }
}

impl<T> Shared<T> {
    fn statistics(&self) -> WatchStatistics {
        let inside = self.inside.lock();
        WatchStatistics {
            version: inside.version,
            senders: inside.senders,
            receivers: inside.receivers,
            receivers_waiting: inside.watching.waiting(),
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.inside.lock().senders += 1;
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut woken = Woken::new();
        let mut inside = self.shared.inside.lock();
        inside.senders -= 1;
        if inside.senders == 0 {
            woken.extend(inside.watching.wake_all());
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("watch::Sender")
            .field(&self.statistics())
            .finish()
    }
}

/// A look at a [`channel`], from [`Sender::statistics`] or
/// [`Receiver::statistics`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchStatistics {
    /// How often the value was replaced.
    pub version: u64,
    /// Sending ends that are alive.
    pub senders: usize,
    /// Receiving ends that are alive.
    pub receivers: usize,
    /// Receivers that wait for a change and were not woken yet.
    pub receivers_waiting: usize,
}

/// The future of [`Sender::closed`].
#[must_use = "nothing waits unless this is awaited"]
pub struct Closed<'a, T> {
    shared: &'a Shared<T>,
    ticket: Ticket,
}

impl<T> Closed<'_, T> {
    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        // Dropped after the lock's guard is.
        let old;
        let mut inside = self.shared.inside.lock();
        if inside.receivers == 0 || inside.parting.stand(&self.ticket) == Stand::Woken {
            old = inside.parting.leave(&mut self.ticket);
            drop(inside);
            drop(old);
            return Poll::Ready(());
        }
        old = inside.parting.join(&mut self.ticket, waker, ());
        drop(inside);
        drop(old);
        Poll::Pending
    }
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().poll_closed(cx)
    }
}

impl<T> Drop for Closed<'_, T> {
    fn drop(&mut self) {
        if !self.ticket.is_nowhere() {
            let old = self.shared.inside.lock().parting.leave(&mut self.ticket);
            drop(old);
        }
    }
}

impl<T> fmt::Debug for Closed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("watch::Closed").finish_non_exhaustive()
    }
}
