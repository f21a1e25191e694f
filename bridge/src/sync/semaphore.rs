//! A number of permits between loops and threads.
#![forbid(unsafe_code)]

use super::permits::{Permits, TOO_MANY, Taking};
use crate::waiters::deadline_after;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// A number of permits that tasks of any loop and threads take and give back:
/// `asyncio.Semaphore`, `threading.Semaphore`.
///
/// Permits are given in the order in which they were asked for, tasks and
/// threads alike. One that asks for many holds up those behind it until it has
/// got them, so that it is not starved. If nobody waits, taking and giving are
/// one atomic operation each.
///
/// # Examples
/// ```
/// use polyloop_bridge::sync::Semaphore;
///
/// let slots = Semaphore::new(2);
/// std::thread::scope(|scope| {
///     for _ in 0..3 {
///         // At most two of the three are here at the same time.
///         scope.spawn(|| drop(slots.acquire_blocking()));
///     }
/// });
/// polyloop::run(async {
///     let permit = slots.acquire().await;
///     assert_eq!(slots.available_permits(), 1);
///     drop(permit);
/// })
/// .unwrap();
/// ```
pub struct Semaphore {
    pub(super) permits: Permits,
}

impl Semaphore {
    /// A semaphore with `permits` permits; zero is allowed.
    ///
    /// # Panics
    /// If there are more than `usize::MAX / 2`.
    #[must_use]
    pub fn new(permits: usize) -> Self {
        Self {
            permits: Permits::new(permits),
        }
    }

    /// Takes one permit, waiting for it.
    ///
    /// # Cancel safety
    /// A future that is dropped has taken nothing; had it been given its
    /// permit, the next in line gets it.
    pub fn acquire(&self) -> AcquireSemaphore<'_> {
        self.acquire_many(1)
    }

    /// Takes `permits` permits at once, waiting for them.
    ///
    /// # Cancel safety
    /// As for [`acquire`](Self::acquire).
    pub fn acquire_many(&self, permits: usize) -> AcquireSemaphore<'_> {
        AcquireSemaphore {
            semaphore: self,
            permits,
            taking: self.permits.take(permits),
        }
    }

    /// As [`acquire_many`](Self::acquire_many); the guard keeps the semaphore
    /// alive and may go anywhere.
    ///
    /// # Cancel safety
    /// As for [`acquire`](Self::acquire).
    pub async fn acquire_owned(self: Arc<Self>, permits: usize) -> OwnedSemaphorePermit {
        self.acquire_many(permits).await.forget();
        OwnedSemaphorePermit {
            semaphore: self,
            permits,
        }
    }

    /// Takes one permit if there is one and nobody waits.
    #[must_use = "the permit goes back as soon as the guard is dropped"]
    pub fn try_acquire(&self) -> Option<SemaphorePermit<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes `permits` permits if there are as many and nobody waits.
    #[must_use = "the permits go back as soon as the guard is dropped"]
    pub fn try_acquire_many(&self, permits: usize) -> Option<SemaphorePermit<'_>> {
        let taken = self.permits.try_take(permits);
        taken.then(|| self.permit(permits))
    }

    /// Takes one permit, blocking the calling thread. Not for a loop's thread:
    /// while it blocks, no task of that loop can give a permit back.
    pub fn acquire_blocking(&self) -> SemaphorePermit<'_> {
        self.permits.take(1).block(None);
        self.permit(1)
    }

    /// As [`acquire_blocking`](Self::acquire_blocking); `None` if there was no
    /// permit within `timeout`.
    pub fn acquire_blocking_timeout(&self, timeout: Duration) -> Option<SemaphorePermit<'_>> {
        let taken = self.permits.take(1).block(deadline_after(timeout));
        taken.then(|| self.permit(1))
    }

    /// Takes `permits` permits at once, blocking the calling thread.
    pub fn acquire_many_blocking(&self, permits: usize) -> SemaphorePermit<'_> {
        self.permits.take(permits).block(None);
        self.permit(permits)
    }

    /// As [`acquire_many_blocking`](Self::acquire_many_blocking); `None` if
    /// there were not enough within `timeout`.
    pub fn acquire_many_blocking_timeout(
        &self,
        permits: usize,
        timeout: Duration,
    ) -> Option<SemaphorePermit<'_>> {
        let taken = self.permits.take(permits).block(deadline_after(timeout));
        taken.then(|| self.permit(permits))
    }

    /// Adds a permit, which was forgotten or never there before.
    ///
    /// # Panics
    /// As for [`add_permits`](Self::add_permits).
    pub fn release(&self) {
        self.add_permits(1);
    }

    /// Adds permits.
    ///
    /// # Panics
    /// If there were more than `usize::MAX / 2` of them.
    pub fn add_permits(&self, permits: usize) {
        assert!(self.permits.give(permits), "{TOO_MANY}");
    }

    /// The permits that are free.
    #[must_use]
    pub fn available_permits(&self) -> usize {
        self.permits.free()
    }

    /// Would a newcomer have to wait for a permit?
    #[must_use]
    pub fn locked(&self) -> bool {
        self.permits.locked()
    }

    /// What is free and who waits.
    #[must_use]
    pub fn statistics(&self) -> SemaphoreStatistics {
        SemaphoreStatistics {
            available: self.permits.free(),
            waiting: self.permits.waiting(),
        }
    }

    fn permit(&self, permits: usize) -> SemaphorePermit<'_> {
        SemaphorePermit {
            semaphore: self,
            permits,
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.statistics();
        f.debug_struct("Semaphore")
            .field("available", &now.available)
            .field("waiting", &now.waiting)
            .finish()
    }
}

/// A look at a semaphore, from [`Semaphore::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SemaphoreStatistics {
    /// Permits that are free.
    pub available: usize,
    /// Tasks and threads that wait and were not given their permits.
    pub waiting: usize,
}

/// Permits of a [`Semaphore`], which go back when it is dropped.
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

    /// Takes `permits` of these permits out into a guard of their own.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn split_off(&mut self, permits: usize) -> Self {
        let left = self.permits.checked_sub(permits);
        self.permits = left.expect("a guard is split into no more permits than it has");
        self.semaphore.permit(permits)
    }

    /// Keeps the permits for good; [`Semaphore::add_permits`] makes new ones.
    pub fn forget(mut self) {
        self.permits = 0;
    }
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        // Refused only if others filled the semaphore up to its limit since.
        let _ = self.permits == 0 || self.semaphore.permits.give(self.permits);
    }
}

/// Permits of a [`Semaphore`] that they keep alive.
#[must_use = "the permits go back as soon as the guard is dropped"]
#[derive(Debug)]
pub struct OwnedSemaphorePermit {
    semaphore: Arc<Semaphore>,
    permits: usize,
}

impl OwnedSemaphorePermit {
    /// How many permits this is.
    #[must_use]
    pub fn permits(&self) -> usize {
        self.permits
    }

    /// Keeps the permits for good.
    pub fn forget(mut self) {
        self.permits = 0;
    }
}

impl Drop for OwnedSemaphorePermit {
    fn drop(&mut self) {
        // As for the guard that borrows.
        let _ = self.permits == 0 || self.semaphore.permits.give(self.permits);
    }
}

/// The wait for permits, from [`Semaphore::acquire`].
#[must_use = "nothing is acquired until the future is awaited"]
pub struct AcquireSemaphore<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
    taking: Taking<'a>,
}

impl<'a> Future for AcquireSemaphore<'a> {
    type Output = SemaphorePermit<'a>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<SemaphorePermit<'a>> {
        let this = self.get_mut();
        let taken = this.taking.poll(cx);
        taken.map(|()| this.semaphore.permit(this.permits))
    }
}

impl fmt::Debug for AcquireSemaphore<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireSemaphore")
            .field("permits", &self.permits)
            .finish_non_exhaustive()
    }
}
