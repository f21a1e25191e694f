//! A limit on how many tasks do something at once, which may change.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::wait_queue::{WaitQueue, Waiter};

/// Tokens that tasks of one loop borrow, whose number may be changed while they
/// are in use: trio's `CapacityLimiter`.
///
/// A [`Semaphore`](super::Semaphore) counts what is free; a limiter knows what is
/// borrowed, so that its total can be lowered below that: then nobody gets a
/// token until enough have come back. Tasks get tokens in the order in which they
/// asked.
///
/// ```
/// use polyloop::sync::CapacityLimiter;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let limiter = CapacityLimiter::new(2);
///     let one = limiter.acquire().await;
///     let two = limiter.acquire().await;
///     limiter.set_total_tokens(1);
///     drop(one);
///     assert!(limiter.try_acquire().is_none(), "the other one is all there is");
///     drop(two);
///     assert!(limiter.try_acquire().is_some());
/// })
/// # }
/// ```
pub struct CapacityLimiter {
    total: Cell<usize>,
    borrowed: Cell<usize>,
    waiters: WaitQueue,
}

impl CapacityLimiter {
    /// A limiter with `total` tokens; zero is allowed, `usize::MAX` is no limit.
    #[must_use]
    pub const fn new(total: usize) -> Self {
        Self {
            total: Cell::new(total),
            borrowed: Cell::new(0),
            waiters: WaitQueue::new(),
        }
    }

    /// Waits for a token, which the guard gives back when it is dropped.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped while it waits gives up its place; a token that
    /// had just been handed to it goes to the next in line.
    #[inline]
    pub fn acquire(&self) -> AcquireToken<'_> {
        AcquireToken {
            limiter: self,
            waiter: Waiter::new(&self.waiters, ()),
        }
    }

    /// Takes a token if there is one and nobody is in line for it.
    #[must_use = "the token goes back as soon as the guard is dropped"]
    #[inline]
    pub fn try_acquire(&self) -> Option<CapacityToken<'_>> {
        let free = self.available_tokens() > 0 && self.waiters.is_idle();
        free.then(|| {
            self.borrowed.set(self.borrowed.get() + 1);
            CapacityToken { limiter: self }
        })
    }

    /// How many tokens there are in all.
    #[must_use]
    pub fn total_tokens(&self) -> usize {
        self.total.get()
    }

    /// Changes the number of tokens. Those that are borrowed stay so, be they
    /// more than the new total.
    pub fn set_total_tokens(&self, total: usize) {
        self.total.set(total);
        self.hand_out();
    }

    /// How many tokens tasks hold, or were woken to.
    #[must_use]
    pub fn borrowed_tokens(&self) -> usize {
        self.borrowed.get()
    }

    /// How many tokens are free.
    #[must_use]
    #[inline]
    pub fn available_tokens(&self) -> usize {
        self.total.get().saturating_sub(self.borrowed.get())
    }

    /// How many tokens there are, how many are borrowed, and who waits.
    #[must_use]
    pub fn statistics(&self) -> CapacityLimiterStatistics {
        CapacityLimiterStatistics {
            total: self.total.get(),
            borrowed: self.borrowed.get(),
            waiting: self.waiters.waiting(),
        }
    }

    #[inline]
    fn take_back(&self) {
        self.borrowed.set(self.borrowed.get() - 1);
        self.hand_out();
    }

    #[inline]
    fn hand_out(&self) {
        self.waiters.wake_while_wished(|()| {
            let free = self.available_tokens() > 0;
            self.borrowed.set(self.borrowed.get() + usize::from(free));
            free
        });
    }
}

impl fmt::Debug for CapacityLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapacityLimiter")
            .field("total", &self.total.get())
            .field("borrowed", &self.borrowed.get())
            .field("waiting", &self.waiters.waiting())
            .finish()
    }
}

/// A look at a [`CapacityLimiter`], from [`CapacityLimiter::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CapacityLimiterStatistics {
    /// Tokens in all.
    pub total: usize,
    /// Tokens that tasks hold, or were woken to.
    pub borrowed: usize,
    /// Tasks that wait and have not been woken.
    pub waiting: usize,
}

/// A token of a [`CapacityLimiter`]; dropping it gives it back.
#[must_use = "the token goes back as soon as the guard is dropped"]
#[derive(Debug)]
pub struct CapacityToken<'a> {
    limiter: &'a CapacityLimiter,
}

impl Drop for CapacityToken<'_> {
    #[inline]
    fn drop(&mut self) {
        self.limiter.take_back();
    }
}

pin_project! {
    /// The wait for a token, from [`CapacityLimiter::acquire`].
    #[must_use = "nothing is acquired until the future is awaited"]
    pub struct AcquireToken<'a> {
        limiter: &'a CapacityLimiter,
        #[pin]
        waiter: Waiter<'a>,
    }

    impl PinnedDrop for AcquireToken<'_> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.waiter.abandon() {
                this.limiter.take_back();
            }
        }
    }
}

impl<'a> Future for AcquireToken<'a> {
    type Output = CapacityToken<'a>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let limiter: &'a CapacityLimiter = this.limiter;
        if this.waiter.is_idle()
            && let Some(token) = limiter.try_acquire()
        {
            return Poll::Ready(token);
        }
        ready!(this.waiter.poll_woken(cx));
        // Who woke this waiter counted its token as borrowed. The guard comes
        // first: should a waker panic, the token goes back.
        let token = CapacityToken { limiter };
        // Newcomers had to line up behind this waiter even for free tokens.
        limiter.hand_out();
        Poll::Ready(token)
    }
}

impl fmt::Debug for AcquireToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireToken").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "capacity_limiter_tests.rs"]
mod tests;
