//! A semaphore that never has more permits than it began with.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::semaphore::{AcquireSemaphore, Semaphore, SemaphorePermit, SemaphoreStatistics};

/// A [`Semaphore`] that refuses to be given more permits than it began with:
/// `asyncio.BoundedSemaphore`.
///
/// A permit's guard gives back what it took, so the bound can only be missed by
/// a wrong [`release`](Self::release), which answers with an error.
///
/// ```
/// use polyloop::sync::BoundedSemaphore;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let slots = BoundedSemaphore::new(1);
///     slots.acquire().await.forget();
///     assert!(slots.locked());
///     assert!(slots.release().is_ok());
///     assert!(slots.release().is_err(), "there is nothing left to give back");
/// })
/// # }
/// ```
pub struct BoundedSemaphore {
    permits: Semaphore,
    bound: usize,
    forgotten: Cell<usize>,
}

impl BoundedSemaphore {
    /// A semaphore with `bound` permits, now and at most.
    #[must_use]
    pub const fn new(bound: usize) -> Self {
        Self {
            permits: Semaphore::new(bound),
            bound,
            forgotten: Cell::new(0),
        }
    }

    /// Waits for one permit, which the guard gives back when it is dropped.
    ///
    /// # Cancel safety
    ///
    /// As for [`Semaphore::acquire`].
    ///
    /// # Panics
    ///
    /// If the bound is zero: the wait would never end.
    #[inline]
    pub fn acquire(&self) -> AcquireBounded<'_> {
        self.acquire_many(1)
    }

    /// Waits for `permits` permits at once; zero are had without waiting.
    ///
    /// # Cancel safety
    ///
    /// As for [`Semaphore::acquire`].
    ///
    /// # Panics
    ///
    /// If `permits` is above the bound: the wait would never end.
    #[inline]
    pub fn acquire_many(&self, permits: usize) -> AcquireBounded<'_> {
        assert!(
            permits <= self.bound,
            "{permits} permits can never be had from a semaphore bounded to {}: ask for fewer",
            self.bound
        );
        AcquireBounded {
            semaphore: self,
            acquire: self.permits.acquire_many(permits),
        }
    }

    /// Takes one permit if there is one and nobody is in line for it.
    #[must_use = "the permit goes back as soon as the guard is dropped"]
    pub fn try_acquire(&self) -> Option<BoundedSemaphorePermit<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes `permits` permits if they are there and nobody is in line.
    #[must_use = "the permits go back as soon as the guard is dropped"]
    pub fn try_acquire_many(&self, permits: usize) -> Option<BoundedSemaphorePermit<'_>> {
        let permit = self.permits.try_acquire_many(permits)?;
        Some(BoundedSemaphorePermit {
            permit,
            forgotten: &self.forgotten,
        })
    }

    /// Gives back one permit that was [forgotten](BoundedSemaphorePermit::forget).
    ///
    /// # Errors
    ///
    /// [`ReleaseError`] if all permits are free or in the hands of guards, which
    /// give back their own: asyncio's `ValueError`.
    pub fn release(&self) -> Result<(), ReleaseError> {
        self.release_many(1)
    }

    /// Gives back `permits` forgotten permits, or none.
    ///
    /// # Errors
    ///
    /// [`ReleaseError`] if fewer than `permits` are forgotten.
    pub fn release_many(&self, permits: usize) -> Result<(), ReleaseError> {
        let left = self.forgotten.get().checked_sub(permits);
        self.forgotten.set(left.ok_or(ReleaseError(()))?);
        self.permits.add_permits(permits);
        Ok(())
    }

    /// The most permits there can be.
    #[must_use]
    pub fn bound(&self) -> usize {
        self.bound
    }

    /// Permits that nobody holds. They may be meant for a task in line.
    #[must_use]
    pub fn available_permits(&self) -> usize {
        self.permits.available_permits()
    }

    /// Would [`acquire`](Self::acquire) have to wait?
    #[must_use]
    pub fn locked(&self) -> bool {
        self.permits.locked()
    }

    /// How many permits are free and how many tasks wait.
    #[must_use]
    pub fn statistics(&self) -> SemaphoreStatistics {
        self.permits.statistics()
    }
}

impl fmt::Debug for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statistics = self.statistics();
        f.debug_struct("BoundedSemaphore")
            .field("bound", &self.bound)
            .field("available", &statistics.available)
            .field("waiting", &statistics.waiting)
            .finish()
    }
}

/// A [`BoundedSemaphore`] was to be given back more permits than are missing.
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

/// Permits of a [`BoundedSemaphore`]; dropping them gives them back.
#[must_use = "the permits go back as soon as the guard is dropped"]
#[derive(Debug)]
pub struct BoundedSemaphorePermit<'a> {
    permit: SemaphorePermit<'a>,
    forgotten: &'a Cell<usize>,
}

impl BoundedSemaphorePermit<'_> {
    /// How many permits this is.
    #[must_use]
    pub fn permits(&self) -> usize {
        self.permit.permits()
    }

    /// Does not give them back: somebody will call [`BoundedSemaphore::release`].
    pub fn forget(self) {
        // Never above the bound: these permits are neither free nor forgotten.
        self.forgotten.set(self.forgotten.get() + self.permits());
        self.permit.forget();
    }
}

pin_project! {
    /// The wait for permits, from [`BoundedSemaphore::acquire`] and
    /// [`BoundedSemaphore::acquire_many`].
    #[must_use = "nothing is acquired until the future is awaited"]
    pub struct AcquireBounded<'a> {
        semaphore: &'a BoundedSemaphore,
        #[pin]
        acquire: AcquireSemaphore<'a>,
    }
}

impl<'a> Future for AcquireBounded<'a> {
    type Output = BoundedSemaphorePermit<'a>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let forgotten = &this.semaphore.forgotten;
        this.acquire
            .poll(cx)
            .map(|permit| BoundedSemaphorePermit { permit, forgotten })
    }
}

impl fmt::Debug for AcquireBounded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.acquire.fmt(f)
    }
}

#[cfg(test)]
#[path = "bounded_semaphore_tests.rs"]
mod tests;
