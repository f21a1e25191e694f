//! A flag that tasks wait for.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::wait_queue::{WaitQueue, Waiter};

/// A flag that tasks of one loop wait for: `asyncio.Event`.
///
/// It starts cleared. [`set`](Self::set) wakes all who wait, and who waits while
/// it is set goes on at once.
///
/// ```
/// use std::rc::Rc;
/// use polyloop::sync::Event;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let ready = Rc::new(Event::new());
///     let waiter = polyloop::create_task({
///         let ready = Rc::clone(&ready);
///         async move {
///             ready.wait().await;
///             "started"
///         }
///     });
///     ready.set();
///     assert_eq!(waiter.await.expect("not cancelled"), "started");
/// })
/// # }
/// ```
#[doc(alias = "Notify")]
pub struct Event {
    set: Cell<bool>,
    waiters: WaitQueue,
}

impl Event {
    /// A cleared event.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            set: Cell::new(false),
            waiters: WaitQueue::new(),
        }
    }

    /// Is the flag set?
    #[must_use]
    #[inline]
    pub fn is_set(&self) -> bool {
        self.set.get()
    }

    /// Sets the flag and wakes all who wait.
    ///
    /// They go on even if the flag is cleared again before they run. Setting
    /// it again does nothing.
    #[inline]
    pub fn set(&self) {
        if !self.set.replace(true) {
            self.waiters.wake_all();
        }
    }

    /// Clears the flag: who waits from now on waits for the next [`set`](Self::set).
    #[inline]
    pub fn clear(&self) {
        self.set.set(false);
    }

    /// Waits until the flag is set; ready at once if it is.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing for anybody else.
    #[inline]
    pub fn wait(&self) -> EventWait<'_> {
        EventWait {
            event: self,
            waiter: Waiter::new(&self.waiters, ()),
        }
    }

    /// Whether the flag is set and how many tasks wait for it.
    #[must_use]
    pub fn statistics(&self) -> EventStatistics {
        EventStatistics {
            set: self.is_set(),
            waiting: self.waiters.waiting(),
        }
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("set", &self.is_set())
            .field("waiting", &self.waiters.waiting())
            .finish()
    }
}

/// A look at an [`Event`], from [`Event::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventStatistics {
    /// Is the flag set?
    pub set: bool,
    /// Tasks that wait and have not been woken.
    pub waiting: usize,
}

pin_project! {
    /// The wait for an [`Event`], from [`Event::wait`].
    #[must_use = "nothing waits until the future is awaited"]
    pub struct EventWait<'a> {
        event: &'a Event,
        #[pin]
        waiter: Waiter<'a>,
    }
}

impl Future for EventWait<'_> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.waiter.is_idle() && this.event.is_set() {
            return Poll::Ready(());
        }
        ready!(this.waiter.poll_woken(cx));
        Poll::Ready(())
    }
}

impl fmt::Debug for EventWait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventWait").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
