//! A semaphore between loops and threads that never has more permits than it
//! began with.
#![forbid(unsafe_code)]

use super::semaphore::{AcquireSemaphore, Semaphore, SemaphorePermit, SemaphoreStatistics};
use crate::loom::AtomicUsize;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

/// A [`Semaphore`] that cannot be given more permits than it began with:
/// `asyncio.BoundedSemaphore`, `threading.BoundedSemaphore`.
///
/// # Examples
/// ```
/// use polyloop_bridge::sync::BoundedSemaphore;
///
/// let slots = BoundedSemaphore::new(1);
/// assert!(slots.release().is_err());
/// slots.acquire_blocking().forget();
/// assert!(slots.try_acquire().is_none());
/// assert!(slots.release().is_ok());
/// assert!(slots.try_acquire().is_some());
/// ```
pub struct BoundedSemaphore {
    permits: Semaphore,
    bound: usize,
    /// Permits that guards forgot and that may be released.
    forgotten: AtomicUsize,
}

impl BoundedSemaphore {
    /// A semaphore with `bound` permits, all free.
    ///
    /// # Panics
    /// If there are more than `usize::MAX / 2`.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self {
            permits: Semaphore::new(bound),
            bound,
            forgotten: AtomicUsize::new(0),
        }
    }

    /// Takes one permit, waiting for it.
    ///
    /// # Cancel safety
    /// As for [`Semaphore::acquire`].
    ///
    /// # Panics
    /// If the bound is 0.
    pub fn acquire(&self) -> AcquireBounded<'_> {
        self.acquire_many(1)
    }

    /// Takes `permits` permits at once, waiting for them.
    ///
    /// # Cancel safety
    /// As for [`Semaphore::acquire`].
    ///
    /// # Panics
    /// If there are never as many.
    pub fn acquire_many(&self, permits: usize) -> AcquireBounded<'_> {
        self.check(permits);
        AcquireBounded {
            semaphore: self,
            acquire: self.permits.acquire_many(permits),
        }
    }

    /// Takes one permit if there is one and nobody waits.
    #[must_use = "the permit goes back as soon as the guard is dropped"]
    pub fn try_acquire(&self) -> Option<BoundedSemaphorePermit<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes `permits` permits if there are as many and nobody waits.
    #[must_use = "the permits go back as soon as the guard is dropped"]
    pub fn try_acquire_many(&self, permits: usize) -> Option<BoundedSemaphorePermit<'_>> {
        let permit = self.permits.try_acquire_many(permits)?;
        Some(self.bounded(permit))
    }

    /// Takes one permit, blocking the calling thread; see
    /// [`Semaphore::acquire_blocking`].
    ///
    /// # Panics
    /// If the bound is 0.
    pub fn acquire_blocking(&self) -> BoundedSemaphorePermit<'_> {
        self.acquire_many_blocking(1)
    }

    /// As [`acquire_blocking`](Self::acquire_blocking); `None` if there was no
    /// permit within `timeout`.
    ///
    /// # Panics
    /// If the bound is 0.
    pub fn acquire_blocking_timeout(
        &self,
        timeout: Duration,
    ) -> Option<BoundedSemaphorePermit<'_>> {
        self.acquire_many_blocking_timeout(1, timeout)
    }

    /// Takes `permits` permits at once, blocking the calling thread.
    ///
    /// # Panics
    /// If there are never as many.
    pub fn acquire_many_blocking(&self, permits: usize) -> BoundedSemaphorePermit<'_> {
        self.check(permits);
        self.bounded(self.permits.acquire_many_blocking(permits))
    }

    /// As [`acquire_many_blocking`](Self::acquire_many_blocking); `None` if
    /// there were not enough within `timeout`.
    ///
    /// # Panics
    /// If there are never as many.
    pub fn acquire_many_blocking_timeout(
        &self,
        permits: usize,
        timeout: Duration,
    ) -> Option<BoundedSemaphorePermit<'_>> {
        self.check(permits);
        let permit = self
            .permits
            .acquire_many_blocking_timeout(permits, timeout)?;
        Some(self.bounded(permit))
    }

    /// Gives back a permit that was forgotten.
    ///
    /// # Errors
    /// [`ReleaseError`] if none was: asyncio's `ValueError`.
    pub fn release(&self) -> Result<(), ReleaseError> {
        self.release_many(1)
    }

    /// Gives back permits that were forgotten, or none of them.
    ///
    /// # Errors
    /// [`ReleaseError`] if not as many were.
    pub fn release_many(&self, permits: usize) -> Result<(), ReleaseError> {
        self.forgotten
            .fetch_update(AcqRel, Relaxed, |now| now.checked_sub(permits))
            .map_err(|_| ReleaseError(()))?;
        self.permits.add_permits(permits);
        Ok(())
    }

    /// The permits it began with.
    #[must_use]
    pub fn bound(&self) -> usize {
        self.bound
    }

    /// The permits that are free.
    #[must_use]
    pub fn available_permits(&self) -> usize {
        self.permits.available_permits()
    }

    /// Would a newcomer have to wait for a permit?
    #[must_use]
    pub fn locked(&self) -> bool {
        self.permits.locked()
    }

    /// What is free and who waits.
    #[must_use]
    pub fn statistics(&self) -> SemaphoreStatistics {
        self.permits.statistics()
    }

    #[track_caller]
    fn check(&self, permits: usize) {
        assert!(
            permits <= self.bound,
            "{permits} permits can never be had from a semaphore bounded to {}: ask for fewer",
            self.bound
        );
    }

    fn bounded<'a>(&'a self, permit: SemaphorePermit<'a>) -> BoundedSemaphorePermit<'a> {
        BoundedSemaphorePermit {
            permit,
            forgotten: &self.forgotten,
        }
    }
}

impl fmt::Debug for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.statistics();
        f.debug_struct("BoundedSemaphore")
            .field("bound", &self.bound)
            .field("available", &now.available)
            .field("waiting", &now.waiting)
            .finish()
    }
}

/// More permits were released than were forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleaseError(());

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "more permits released than were forgotten: a guard gives back its own when it is dropped",
        )
    }
}

impl Error for ReleaseError {}

/// Permits of a [`BoundedSemaphore`], which go back when it is dropped.
#[must_use = "the permits go back as soon as the guard is dropped"]
#[derive(Debug)]
pub struct BoundedSemaphorePermit<'a> {
    permit: SemaphorePermit<'a>,
    forgotten: &'a AtomicUsize,
}

impl BoundedSemaphorePermit<'_> {
    /// How many permits this is.
    #[must_use]
    pub fn permits(&self) -> usize {
        self.permit.permits()
    }

    /// Keeps the permits until [`BoundedSemaphore::release`] gives them back.
    pub fn forget(self) {
        // Never above the bound: these permits are neither free nor forgotten.
        self.forgotten.fetch_add(self.permits(), AcqRel);
        self.permit.forget();
    }
}

/// The wait for permits, from [`BoundedSemaphore::acquire`].
#[must_use = "nothing is acquired until the future is awaited"]
pub struct AcquireBounded<'a> {
    semaphore: &'a BoundedSemaphore,
    acquire: AcquireSemaphore<'a>,
}

impl<'a> Future for AcquireBounded<'a> {
    type Output = BoundedSemaphorePermit<'a>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let taken = Pin::new(&mut this.acquire).poll(cx);
        taken.map(|permit| this.semaphore.bounded(permit))
    }
}

impl fmt::Debug for AcquireBounded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.acquire.fmt(f)
    }
}
