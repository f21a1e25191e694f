//! Channels between loops and threads: await on any loop, block on any thread.
//!
//! - [`oneshot`]: one value, once.
//! - [`bounded`]: a queue with a limit; senders wait for room.
//! - [`unbounded`]: a queue without one; sending never waits.
//!
//! Both queues have any number of senders and of receivers; each value goes to
//! one receiver. Nothing is lost: what `send` accepted is received, or dropped
//! with the last receiver; what it did not accept comes back in the error.
//!
//! Within one loop `polyloop::sync::Queue` does the same without atomics.
#![doc(alias = "mpsc")]
#![doc(alias = "mpmc")]

mod core;
mod error;
#[cfg(all(test, loom))]
mod loom_tests;
pub mod oneshot;
mod receiver;
mod sender;
#[cfg(all(test, not(loom)))]
mod tests;

pub use error::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};
pub use receiver::{Receiver, Receiving};
pub use sender::{Sender, Sending};

use std::sync::Arc;

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
    ends(core::Core::bounded(capacity))
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
    ends(core::Core::unbounded())
}

fn ends<T>(core: core::Core<T>) -> (Sender<T>, Receiver<T>) {
    let core = Arc::new(core);
    (Sender::first(core.clone()), Receiver::first(core))
}
