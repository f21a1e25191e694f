//! Every value to every receiver.
//!
//! # Protocol
//! The last values stand in a ring under one lock, numbered from the first that
//! was ever sent; each receiver knows the number that it gets next. A value
//! knows how many receivers have not had it: it goes when the last one takes
//! it, which then gets the value itself and not a clone, or when the ring is
//! full and it is the oldest; who had not had it then is told how many it lost.
//!
//! Senders never wait: one slow receiver must not hold up the others. Values are
//! cloned and dropped, and wakers called, when the lock is not held.
#![forbid(unsafe_code)]

mod error;
mod receiver;
mod sink;
#[cfg(all(test, not(loom)))]
mod tests;

pub use error::{RecvError, RecvTimeoutError, TryRecvError};
pub use receiver::{Receiver, Receiving};
pub use sink::SenderSink;

use super::SendError;
use crate::loom::Mutex;
use crate::waiters::{Line, Woken};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// A channel whose every receiver gets every value that is sent while it is
/// there. It holds the last `capacity` values; a receiver that is further behind
/// is told how many it has lost, and goes on with the oldest that is left.
///
/// # Panics
/// If `capacity` is 0.
///
/// # Examples
/// ```
/// use polyloop_bridge::channel::broadcast;
///
/// let (sender, mut first) = broadcast::channel(16);
/// let mut second = sender.subscribe();
/// sender.send("news").unwrap();
/// assert_eq!(first.recv_blocking(), Ok("news"));
/// polyloop::run(async move { assert_eq!(second.recv().await, Ok("news")) }).unwrap();
/// ```
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a broadcast channel needs room for one value");
    let shared = Arc::new(Shared {
        capacity,
        inside: Mutex::new(Inside {
            slots: VecDeque::new(),
            first: 0,
            senders: 1,
            receivers: 1,
            closed: false,
            line: Line::new(),
        }),
    });
    let receiver = Receiver::new(shared.clone(), 0);
    (Sender { shared }, receiver)
}

struct Shared<T> {
    capacity: usize,
    inside: Mutex<Inside<T>>,
}

struct Inside<T> {
    slots: VecDeque<Slot<T>>,
    /// The number of the value in the first slot.
    first: u64,
    senders: usize,
    receivers: usize,
    closed: bool,
    line: Line,
}

struct Slot<T> {
    value: Arc<T>,
    /// Receivers that have not had it.
    left: usize,
}

impl<T> Inside<T> {
    /// The number that the next value will have.
    fn next(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    /// Where the value of this number stands, or the first that is left.
    fn index(&self, number: u64) -> usize {
        // Not longer than the ring.
        usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }

    /// The value that a receiver gets next, which has had all before `next`.
    fn take(&mut self, next: &mut u64, removed: &mut Vec<Slot<T>>) -> Result<Arc<T>, TryRecvError> {
        if *next < self.first {
            let lost = self.first - *next;
            *next = self.first;
            return Err(TryRecvError::Lagged(lost));
        }
        let index = self.index(*next);
        let Some(slot) = self.slots.get_mut(index) else {
            return Err(match self.closed {
                true => TryRecvError::Closed,
                false => TryRecvError::Empty,
            });
        };
        slot.left -= 1;
        let value = slot.value.clone();
        *next += 1;
        self.remove_taken(removed);
        Ok(value)
    }

    /// What nobody will take, to be dropped outside of the lock.
    fn remove_taken(&mut self, removed: &mut Vec<Slot<T>>) {
        while self.slots.front().is_some_and(|slot| slot.left == 0) {
            removed.extend(self.slots.pop_front());
            self.first += 1;
        }
    }
}

/// The sending end of [`channel`]; clones send to the same receivers.
///
/// The channel closes when the last sender is dropped.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    /// Sends to all receivers, and says how many those are; never waits.
    ///
    /// # Errors
    /// Gives the value back when there is no receiver, or the channel is closed.
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        // Dropped, and so woken, after the lock's guard is.
        let mut woken = Woken::new();
        let mut _oldest = None;
        let mut inside = self.shared.inside.lock();
        if inside.closed || inside.receivers == 0 {
            return Err(SendError(value));
        }
        if inside.slots.len() == self.shared.capacity {
            _oldest = inside.slots.pop_front();
            inside.first += 1;
        }
        let left = inside.receivers;
        inside.slots.push_back(Slot {
            value: Arc::new(value),
            left,
        });
        woken.extend(inside.line.wake_all());
        Ok(left)
    }

    /// One more receiver, for what is sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        let mut inside = self.shared.inside.lock();
        inside.receivers += 1;
        Receiver::new(self.shared.clone(), inside.next())
    }

    /// Accepts nothing more; what was sent is received. False if it was so.
    pub fn close(&self) -> bool {
        close(&self.shared)
    }

    /// Is the channel closed?
    pub fn is_closed(&self) -> bool {
        self.shared.inside.lock().closed
    }

    /// What is inside, who is there and who waits.
    #[must_use]
    pub fn statistics(&self) -> BroadcastStatistics {
        self.shared.statistics()
    }
}

fn close<T>(shared: &Shared<T>) -> bool {
    let mut woken = Woken::new();
    let mut inside = shared.inside.lock();
    woken.extend(inside.line.wake_all());
    !std::mem::replace(&mut inside.closed, true)
}

impl<T> Shared<T> {
    fn statistics(&self) -> BroadcastStatistics {
        let inside = self.inside.lock();
        BroadcastStatistics {
            items: inside.slots.len(),
            capacity: self.capacity,
            senders: inside.senders,
            receivers: inside.receivers,
            receivers_waiting: inside.line.waiting(),
            closed: inside.closed,
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
        let last = {
            let mut inside = self.shared.inside.lock();
            inside.senders -= 1;
            inside.senders == 0
        };
        if last {
            close(&self.shared);
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("broadcast::Sender")
            .field(&self.statistics())
            .finish()
    }
}

/// A look at a [`channel`], from [`Sender::statistics`] or
/// [`Receiver::statistics`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BroadcastStatistics {
    /// Values that some receiver has not had.
    pub items: usize,
    /// The most values it holds.
    pub capacity: usize,
    /// Sending ends that are alive.
    pub senders: usize,
    /// Receiving ends that are alive.
    pub receivers: usize,
    /// Receives that wait for a value and were not woken yet.
    pub receivers_waiting: usize,
    /// Is it closed?
    pub closed: bool,
}
