//! A flag between loops and threads that can be waited for.
//!
//! # Protocol
//! One word: SET, and LINED, which says that somebody waits.
//!
//! Without LINED the word alone decides: setting, clearing and looking are one
//! operation each. LINED is set and cleared under the line's lock, by a
//! compare-exchange from a word without SET: a `set` comes before it, and then
//! the waiter sees SET, or after it, and then `set` sees LINED. That `set` sets
//! the flag and empties the line with the lock held, so that it wakes exactly
//! those who came before it, whatever clears the flag meanwhile.
#![forbid(unsafe_code)]

use crate::loom::{AtomicUsize, Mutex};
use crate::waiters::{Line, Stand, Ticket, Woken, block_on_ready, deadline_after};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// A flag that tasks of any loop and threads wait for: `asyncio.Event`,
/// `threading.Event`.
///
/// # Examples
/// ```
/// use polyloop_bridge::sync::Event;
/// use std::sync::Arc;
///
/// let ready = Arc::new(Event::new());
/// let waiting = std::thread::spawn({
///     let ready = ready.clone();
///     move || polyloop::run(async move { ready.wait().await })
/// });
/// ready.set();
/// waiting.join().unwrap().unwrap();
/// ready.wait_blocking();
/// ```
#[doc(alias = "Notify")]
pub struct Event {
    word: AtomicUsize,
    line: Mutex<Line>,
}

impl Event {
    /// An event that is not set.
    #[must_use]
    pub fn new() -> Self {
        Self {
            word: AtomicUsize::new(0),
            line: Mutex::new(Line::new()),
        }
    }

    /// Is it set?
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.word.load(Acquire) & SET != 0
    }

    /// Sets the flag and wakes all who wait; who waits from now on need not.
    ///
    /// # Panics
    /// With the first panic of a waker, after all were woken.
    pub fn set(&self) {
        let mut word = self.word.load(Relaxed);
        while word & LINED == 0 {
            // Also if it is set: who waits next sees what came before this call.
            let change = self
                .word
                .compare_exchange_weak(word, word | SET, Release, Relaxed);
            match change {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
        // Dropped, and so woken, after the lock is.
        let mut woken = Woken::new();
        let mut line = self.line.lock();
        self.word.fetch_or(SET, Release);
        woken.extend(line.wake_all());
        self.word.fetch_and(!LINED, Release);
    }

    /// Takes the flag back. Who waited when it was set goes on nevertheless.
    pub fn clear(&self) {
        self.word.fetch_and(!SET, AcqRel);
    }

    /// Waits until the flag is set.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing for anybody else.
    pub fn wait(&self) -> EventWait<'_> {
        EventWait {
            event: self,
            ticket: Ticket::new(),
        }
    }

    /// Blocks the calling thread until the flag is set. Not for a loop's
    /// thread: a task of that loop cannot set it meanwhile.
    pub fn wait_blocking(&self) {
        self.block(None);
    }

    /// As [`wait_blocking`](Self::wait_blocking); false if the flag was not set
    /// within `timeout`.
    pub fn wait_blocking_timeout(&self, timeout: Duration) -> bool {
        self.block(deadline_after(timeout))
    }

    /// Whether it is set and who waits.
    #[must_use]
    pub fn statistics(&self) -> EventStatistics {
        EventStatistics {
            set: self.is_set(),
            waiting: self.line.lock().waiting(),
        }
    }

    fn block(&self, deadline: Option<Instant>) -> bool {
        let is_set = |wait: &EventWait<'_>, _| wait.event.is_set();
        let mut wait = self.wait();
        self.is_set()
            || block_on_ready(deadline, &mut wait, is_set, |wait, cx| wait.poll_set(cx)).is_ok()
    }

    /// With the lock held: is it set? If not, sees to it that LINED is.
    fn set_or_mark(&self) -> bool {
        let mut word = self.word.load(Acquire);
        while word & (SET | LINED) == 0 {
            let mark = self
                .word
                .compare_exchange_weak(word, LINED, Relaxed, Acquire);
            match mark {
                Ok(_) => return false,
                Err(now) => word = now,
            }
        }
        word & SET != 0
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.statistics();
        f.debug_struct("Event")
            .field("set", &now.set)
            .field("waiting", &now.waiting)
            .finish()
    }
}

/// A look at an [`Event`], from [`Event::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventStatistics {
    /// Is it set?
    pub set: bool,
    /// Tasks and threads that wait and were not woken.
    pub waiting: usize,
}

/// The wait for an [`Event`], from [`Event::wait`].
#[must_use = "nothing waits until the future is awaited"]
pub struct EventWait<'a> {
    event: &'a Event,
    ticket: Ticket,
}

impl EventWait<'_> {
    fn poll_set(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ticket.is_nowhere() && self.event.is_set() {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let old;
        {
            let mut line = self.event.line.lock();
            let woken = match line.stand(&self.ticket) {
                Stand::Woken => true,
                Stand::Waiting => false,
                Stand::Nowhere => self.event.set_or_mark(),
            };
            if woken {
                line.leave(&mut self.ticket);
                return Poll::Ready(());
            }
            old = line.join(&mut self.ticket, waker, ());
        }
        drop(old);
        Poll::Pending
    }
}

impl Future for EventWait<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().poll_set(cx)
    }
}

impl Drop for EventWait<'_> {
    fn drop(&mut self) {
        if self.ticket.is_nowhere() {
            return;
        }
        let old;
        {
            let mut line = self.event.line.lock();
            old = line.leave(&mut self.ticket);
            if line.waiting() == 0 {
                self.event.word.fetch_and(!LINED, Release);
            }
        }
        drop(old);
    }
}

impl fmt::Debug for EventWait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventWait").finish_non_exhaustive()
    }
}

const SET: usize = 1;

/// Somebody waits.
const LINED: usize = 2;
