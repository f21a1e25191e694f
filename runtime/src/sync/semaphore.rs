//! A counter of permits that tasks of one loop share.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::wait_queue::{WaitQueue, Waiter};

/// A number of permits that tasks of one loop take and give back:
/// `asyncio.Semaphore`.
///
/// Tasks get permits in the order in which they asked. One that asks for many
/// holds up those behind it until it has got them, so that it is not starved.
///
/// ```
/// use std::rc::Rc;
/// use polyloop::sync::Semaphore;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     // At most two of the three fetch at the same time.
///     let slots = Rc::new(Semaphore::new(2));
///     let tasks: Vec<_> = (0..3)
///         .map(|_| {
///             let slots = Rc::clone(&slots);
///             polyloop::create_task(async move {
///                 let _slot = slots.acquire().await;
///                 polyloop::yield_now().await;
///             })
///         })
///         .collect();
///     for task in tasks {
///         task.await.expect("not cancelled");
///     }
///     assert_eq!(slots.available_permits(), 2);
/// })
/// # }
/// ```
pub struct Semaphore {
    available: Cell<usize>,
    waiters: WaitQueue<usize>,
}

impl Semaphore {
    /// A semaphore with `permits` permits; zero is allowed.
    #[must_use]
    pub const fn new(permits: usize) -> Self {
        Self {
            available: Cell::new(permits),
            waiters: WaitQueue::new(),
        }
    }

    /// Waits for one permit, which the guard gives back when it is dropped.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped while it waits gives up its place; a permit
    /// that had just been handed to it goes to the next in line.
    #[inline]
    pub fn acquire(&self) -> AcquireSemaphore<'_> {
        self.acquire_many(1)
    }

    /// Waits for `permits` permits at once; zero are had without waiting.
    ///
    /// It waits for as long as it takes: for more permits than the semaphore
    /// ever has, for ever.
    ///
    /// # Cancel safety
    ///
    /// As for [`acquire`](Self::acquire).
    #[inline]
    pub fn acquire_many(&self, permits: usize) -> AcquireSemaphore<'_> {
        AcquireSemaphore {
            semaphore: self,
            permits,
            waiter: Waiter::new(&self.waiters, permits),
        }
    }

    /// Waits for `permits` permits whose guard does not borrow the semaphore,
    /// for a task that is started once there is room for it.
    ///
    /// # Cancel safety
    ///
    /// As for [`acquire`](Self::acquire).
    ///
    /// ```
    /// use std::rc::Rc;
    /// use polyloop::sync::Semaphore;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// polyloop::run(async {
    ///     let slots = Rc::new(Semaphore::new(1));
    ///     let slot = Rc::clone(&slots).acquire_owned(1).await;
    ///     let task = polyloop::create_task(async move { drop(slot) });
    ///     task.await.expect("not cancelled");
    ///     assert_eq!(slots.available_permits(), 1);
    /// })
    /// # }
    /// ```
    pub async fn acquire_owned(self: Rc<Self>, permits: usize) -> OwnedSemaphorePermit {
        self.acquire_many(permits).await.forget();
        OwnedSemaphorePermit {
            semaphore: self,
            permits,
        }
    }

    /// Takes one permit if there is one and nobody is in line for it.
    #[must_use = "the permit goes back as soon as the guard is dropped"]
    #[inline]
    pub fn try_acquire(&self) -> Option<SemaphorePermit<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes `permits` permits if they are there and nobody is in line.
    #[must_use = "the permits go back as soon as the guard is dropped"]
    #[inline]
    pub fn try_acquire_many(&self, permits: usize) -> Option<SemaphorePermit<'_>> {
        if permits > 0 {
            let left = self.available.get().checked_sub(permits)?;
            if !self.waiters.is_idle() {
                return None;
            }
            self.available.set(left);
        }
        Some(self.permit(permits))
    }

    /// Gives one permit to the semaphore, taken from it before or not.
    ///
    /// A dropped guard does this by itself: call it for permits that were
    /// [forgotten](SemaphorePermit::forget), or to raise the number.
    ///
    /// # Panics
    ///
    /// If there would be more than `usize::MAX` permits.
    pub fn release(&self) {
        self.add_permits(1);
    }

    /// Gives `permits` permits to the semaphore; see [`release`](Self::release).
    ///
    /// # Panics
    ///
    /// If there would be more than `usize::MAX` permits.
    pub fn add_permits(&self, permits: usize) {
        let sum = self.available.get().checked_add(permits);
        self.available
            .set(sum.expect("a semaphore holds at most usize::MAX permits: add fewer"));
        self.hand_out();
    }

    /// Permits that nobody holds. They may be meant for a task in line.
    #[must_use]
    pub fn available_permits(&self) -> usize {
        self.available.get()
    }

    /// Would [`acquire`](Self::acquire) have to wait?
    #[must_use]
    pub fn locked(&self) -> bool {
        self.available.get() == 0 || !self.waiters.is_idle()
    }

    /// How many permits are free and how many tasks wait.
    #[must_use]
    pub fn statistics(&self) -> SemaphoreStatistics {
        SemaphoreStatistics {
            available: self.available.get(),
            waiting: self.waiters.waiting(),
        }
    }

    #[inline]
    fn permit(&self, permits: usize) -> SemaphorePermit<'_> {
        SemaphorePermit {
            semaphore: self,
            permits,
        }
    }

    /// Takes back permits that a guard or a woken waiter had.
    #[inline]
    fn take_back(&self, permits: usize) {
        // Saturating: `add_permits` may have filled the counter meanwhile, and
        // a guard's drop must not panic.
        self.available
            .set(self.available.get().saturating_add(permits));
        self.hand_out();
    }

    /// Gives free permits to those in line, in order, for as far as they reach.
    #[inline]
    fn hand_out(&self) {
        self.waiters.wake_while_wished(|wish| {
            let left = self.available.get().checked_sub(wish);
            left.map(|left| self.available.set(left)).is_some()
        });
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available.get())
            .field("waiting", &self.waiters.waiting())
            .finish()
    }
}

/// A look at a [`Semaphore`] or a [`BoundedSemaphore`](super::BoundedSemaphore).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SemaphoreStatistics {
    /// Permits that nobody holds.
    pub available: usize,
    /// Tasks that wait and have not been woken.
    pub waiting: usize,
}

/// Permits of a [`Semaphore`]; dropping them gives them back.
#[must_use = "the permits go back as soon as the guard is dropped"]
#[derive(Debug)]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
}

impl SemaphorePermit<'_> {
    /// How many permits this is.
    #[must_use]
    pub fn permits(&self) -> usize {
        self.permits
    }

    /// Splits off `permits` of them, which are given back on their own.
    ///
    /// # Panics
    ///
    /// If there are fewer.
    pub fn split_off(&mut self, permits: usize) -> Self {
        let left = self.permits.checked_sub(permits);
        self.permits = left.expect("a guard is split into no more permits than it has");
        self.semaphore.permit(permits)
    }

    /// Does not give them back: somebody will call [`Semaphore::add_permits`],
    /// or the semaphore has lost them for good.
    pub fn forget(mut self) {
        self.permits = 0;
    }
}

impl Drop for SemaphorePermit<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.permits > 0 {
            self.semaphore.take_back(self.permits);
        }
    }
}

/// Permits that keep their [`Semaphore`] alive; dropping them gives them back.
#[must_use = "the permits go back as soon as the guard is dropped"]
#[derive(Debug)]
pub struct OwnedSemaphorePermit {
    semaphore: Rc<Semaphore>,
    permits: usize,
}

impl OwnedSemaphorePermit {
    /// How many permits this is.
    #[must_use]
    pub fn permits(&self) -> usize {
        self.permits
    }

    /// Does not give them back; see [`SemaphorePermit::forget`].
    pub fn forget(mut self) {
        self.permits = 0;
    }
}

impl Drop for OwnedSemaphorePermit {
    #[inline]
    fn drop(&mut self) {
        if self.permits > 0 {
            self.semaphore.take_back(self.permits);
        }
    }
}

pin_project! {
    /// The wait for permits, from [`Semaphore::acquire`] and
    /// [`Semaphore::acquire_many`].
    #[must_use = "nothing is acquired until the future is awaited"]
    pub struct AcquireSemaphore<'a> {
        semaphore: &'a Semaphore,
        permits: usize,
        #[pin]
        waiter: Waiter<'a, usize>,
    }

    impl PinnedDrop for AcquireSemaphore<'_> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let (was_waiting, handed) = (!this.waiter.is_idle(), this.waiter.abandon());
            if handed {
                this.semaphore.take_back(*this.permits);
            } else if was_waiting {
                // It may have been the one whose wish held up the others.
                this.semaphore.hand_out();
            }
        }
    }
}

impl<'a> Future for AcquireSemaphore<'a> {
    type Output = SemaphorePermit<'a>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let semaphore: &'a Semaphore = this.semaphore;
        if this.waiter.is_idle()
            && let Some(permit) = semaphore.try_acquire_many(*this.permits)
        {
            return Poll::Ready(permit);
        }
        ready!(this.waiter.poll_woken(cx));
        // Who woke this waiter took the permits off the counter for it. The
        // guard comes first: should a waker panic, they go back.
        let permit = semaphore.permit(*this.permits);
        // Newcomers had to line up behind this waiter even for free permits.
        semaphore.hand_out();
        Poll::Ready(permit)
    }
}

impl fmt::Debug for AcquireSemaphore<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireSemaphore")
            .field("permits", &self.permits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "semaphore_tests.rs"]
mod tests;
