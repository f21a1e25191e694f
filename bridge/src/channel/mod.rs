//! Channels between loops and threads: await on any loop, block on any thread.
//!
//! - [`oneshot`]: one value, once.
//! - [`bounded`]: a queue with a limit; senders wait for room.
//! - [`unbounded`]: a queue without one; sending never waits.
//! - [`priority`], [`unbounded_priority`]: the smallest value first.
//! - [`broadcast`]: every value to every receiver.
//! - [`watch`]: one value, and word of its changes.
//!
//! The queues have any number of senders and of receivers; each value goes to
//! one receiver. Nothing is lost: what `send` accepted is received, or dropped
//! with the last receiver; what it did not accept comes back in the error.
//!
//! Within one loop `polyloop::sync::Queue` does the same without atomics.
#![doc(alias = "mpsc")]
#![doc(alias = "mpmc")]

mod batch;
pub mod broadcast;
mod core;
mod error;
mod heap;
mod list;
#[cfg(all(test, not(loom)))]
mod list_tests;
mod look;
#[cfg(all(test, loom))]
mod loom_tests;
pub mod oneshot;
#[cfg(all(test, not(loom)))]
mod passing_tests;
mod patience;
#[cfg(all(test, not(loom)))]
mod queue_tests;
mod receiver;
mod ring;
mod sender;
mod sink;
mod storage;
#[cfg(all(test, not(loom)))]
mod tests;
pub mod watch;

pub use batch::ReceivingMany;
pub use error::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};
pub use receiver::{Receiver, Receiving};
pub use sender::{Sender, Sending};
pub use sink::SenderSink;

pub(crate) use list::List;
pub(crate) use look::Look;
use std::sync::Arc;
use storage::Storage;

/// A queue that holds `capacity` values; senders wait while it is full.
///
/// Stands for `asyncio.Queue(maxsize)` used across threads, which asyncio's own
/// cannot be.
///
/// # Panics
/// If `capacity` is 0; a hand-over of single values is [`oneshot`]'s work.
///
/// # Examples
/// ```
/// use polyloop_bridge::channel;
///
/// let (sender, receiver) = channel::bounded(2);
/// std::thread::spawn(move || {
///     for n in 0..5 {
///         sender.send_blocking(n).unwrap();
///     }
/// });
/// let mut sum = 0;
/// while let Ok(n) = receiver.recv_blocking() {
///     sum += n;
/// }
/// assert_eq!(sum, 10);
/// ```
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a bounded channel needs room for one value");
    ends(Storage::bounded(capacity))
}

/// A queue without a limit; sending never waits.
///
/// Stands for `queue.SimpleQueue`. Nothing slows a sender down that is faster
/// than its receiver: memory is the limit.
///
/// # Examples
/// ```
/// use polyloop_bridge::channel;
///
/// let (sender, receiver) = channel::unbounded();
/// sender.try_send("hello").unwrap();
/// drop(sender);
/// assert_eq!(receiver.recv_blocking(), Ok("hello"));
/// assert!(receiver.recv_blocking().is_err());
/// ```
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    ends(Storage::unbounded())
}

/// A queue of at most `capacity` values that gives the smallest first, and of
/// equal ones the one that was sent first.
///
/// Stands for `asyncio.PriorityQueue(maxsize)` used across threads. Wrap the
/// values in [`Reverse`](std::cmp::Reverse) for the greatest first.
///
/// The comparison of values is called with the channel's lock held: it must not
/// use the channel.
///
/// # Panics
/// If `capacity` is 0.
///
/// # Examples
/// ```
/// use polyloop_bridge::channel;
///
/// let (sender, receiver) = channel::priority(10);
/// for urgency in [3, 1, 2] {
///     sender.try_send((urgency, "a job")).unwrap();
/// }
/// assert_eq!(receiver.recv_blocking().unwrap().0, 1);
/// ```
pub fn priority<T: Ord + Send + 'static>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a bounded channel needs room for one value");
    ends(Storage::priority(Some(capacity)))
}

/// As [`priority`], without a limit; sending never waits.
///
/// # Examples
/// ```
/// use polyloop_bridge::channel;
///
/// let (sender, receiver) = channel::unbounded_priority();
/// sender.try_send(2).unwrap();
/// sender.try_send(1).unwrap();
/// assert_eq!(receiver.try_recv(), Ok(1));
/// ```
pub fn unbounded_priority<T: Ord + Send + 'static>() -> (Sender<T>, Receiver<T>) {
    ends(Storage::priority(None))
}

fn ends<T>(storage: Storage<T>) -> (Sender<T>, Receiver<T>) {
    let core = Arc::new(core::Core::new(storage));
    (Sender::first(core.clone()), Receiver::first(core))
}

/// A look at a queue, from [`Sender::statistics`] or [`Receiver::statistics`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelStatistics {
    /// Values that wait to be received.
    pub items: usize,
    /// The most values it holds; `None` without a limit.
    pub capacity: Option<usize>,
    /// Sending ends that are alive.
    pub senders: usize,
    /// Receiving ends that are alive.
    pub receivers: usize,
    /// Sends that wait for room and were not woken yet.
    pub senders_waiting: usize,
    /// Receives that wait for a value and were not woken yet.
    pub receivers_waiting: usize,
    /// Is it closed, by a call or because one side has gone?
    pub closed: bool,
}
