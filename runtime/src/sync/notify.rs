//! A wake without a value, kept if nobody waits for it.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::wait_queue::{WaitQueue, Waiter};

/// Wakes one task that waits, or the next one that will: tokio's `Notify`.
///
/// asyncio has none; an [`Event`](super::Event) that each wait clears comes
/// close. It is the smallest thing to build a primitive of one's own on.
///
/// ```
/// use std::rc::Rc;
/// use polyloop::sync::Notify;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let news = Rc::new(Notify::new());
///     // Nobody waits yet: the notification is kept.
///     news.notify_one();
///     news.notified().await;
///     let reader = polyloop::create_task({
///         let news = Rc::clone(&news);
///         async move { news.notified().await }
///     });
///     polyloop::yield_now().await;
///     news.notify_one();
///     reader.await.expect("not cancelled");
/// })
/// # }
/// ```
pub struct Notify {
    kept: Cell<bool>,
    waiters: WaitQueue,
}

impl Notify {
    /// One that keeps no notification and that nobody waits for.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            kept: Cell::new(false),
            waiters: WaitQueue::new(),
        }
    }

    /// Wakes the task that has waited longest; if nobody waits, the next wait
    /// is ready at once. Two notifications that nobody waits for are one.
    #[inline]
    pub fn notify_one(&self) {
        if !self.waiters.wake_first() {
            self.kept.set(true);
        }
    }

    /// Wakes all who wait now; nothing is kept for those who come.
    #[doc(alias = "notify_all")]
    pub fn notify_waiters(&self) {
        self.waiters.wake_all();
    }

    /// Waits for a notification.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped after [`notify_one`](Self::notify_one) chose it
    /// passes the notification on, to another task or to the next wait.
    #[inline]
    pub fn notified(&self) -> Notified<'_> {
        Notified {
            notify: self,
            waiter: Waiter::new(&self.waiters, ()),
        }
    }

    /// Whether a notification is kept and how many tasks wait for one.
    #[must_use]
    pub fn statistics(&self) -> NotifyStatistics {
        NotifyStatistics {
            kept: self.kept.get(),
            waiting: self.waiters.waiting(),
        }
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notify")
            .field("kept", &self.kept.get())
            .field("waiting", &self.waiters.waiting())
            .finish()
    }
}

/// A look at a [`Notify`], from [`Notify::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotifyStatistics {
    /// Is the next wait ready at once?
    pub kept: bool,
    /// Tasks that wait and have not been woken.
    pub waiting: usize,
}

pin_project! {
    /// The wait for a notification, from [`Notify::notified`].
    #[must_use = "nothing waits until the future is awaited"]
    pub struct Notified<'a> {
        notify: &'a Notify,
        #[pin]
        waiter: Waiter<'a>,
    }

    impl PinnedDrop for Notified<'_> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.waiter.abandon_chosen() {
                this.notify.notify_one();
            }
        }
    }
}

impl Future for Notified<'_> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.waiter.is_idle() && this.notify.kept.take() {
            return Poll::Ready(());
        }
        ready!(this.waiter.poll_woken(cx));
        Poll::Ready(())
    }
}

impl fmt::Debug for Notified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notified").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "notify_tests.rs"]
mod tests;
