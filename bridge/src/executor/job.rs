//! A closure on its way through the executor, and what became of it.
//!
//! # Protocol
//! One allocation holds the closure and the outcome; the queue and the caller's
//! [`Offloaded`](super::Offloaded) share it. Whoever *claims* the job, by being
//! the first to set `claimed`, owns the closure and owes the one answer:
//!
//! ```text
//!                 ┌─ worker: run ──────▶ takes the closure, calls it,
//!    queued ──────┤                      finishes with value or panic
//!                 ├─ cancel, shutdown ─▶ takes the closure, finishes with the
//!                 │                      reason, then drops the closure
//!                 └─ take_back ────────▶ takes the closure for its caller;
//!                                        nobody holds the other end
//! ```
//! So a job is answered exactly once, and a cancelled one keeps nothing of its
//! closure alive while the empty shell waits to be taken from the queue. The
//! claim is AcqRel: it hands the closure from the thread that made the job to
//! the one that claims it.

use super::OffloadError;
use crate::outcome::{HoldsCell, OutcomeCell};
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel};

/// A job as the queue and the workers see it.
pub(super) trait Job: Send + Sync {
    /// Runs the closure, unless the job was claimed before.
    fn run(&self) -> Ran;

    /// Ends the job without running it, unless it was claimed before.
    fn refuse(&self, reason: OffloadError) -> bool;

    /// Where the job was submitted.
    fn location(&self) -> &'static Location<'static>;
}

/// A job as its caller sees it.
pub(super) trait Answers<T>: Job {
    fn outcome(&self) -> &OutcomeCell<Answer<T>>;
}

/// What a job ends with.
pub(super) type Answer<T> = Result<T, OffloadError>;

/// What a worker did with a job.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    Completed,
    Panicked,
    ClaimedBefore,
}

/// The one allocation of a job.
pub(super) struct JobCell<F, T> {
    claimed: AtomicBool,
    work: UnsafeCell<Option<F>>,
    outcome: OutcomeCell<Answer<T>>,
    location: &'static Location<'static>,
}

// SAFETY: `work` is touched only by whoever claimed the job, who moves the
// closure out: shared access moves an `F` between threads, never shares one.
// The outcome's cell is `Sync` for any `T: Send`.
unsafe impl<F: Send, T: Send> Sync for JobCell<F, T> {}

impl<F, T> JobCell<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    pub(super) fn new(work: F, location: &'static Location<'static>) -> Arc<Self> {
        Arc::new(Self {
            claimed: AtomicBool::new(false),
            work: UnsafeCell::new(Some(work)),
            outcome: OutcomeCell::new(),
            location,
        })
    }

    /// The closure, if nobody claimed the job; it then has no outcome.
    pub(super) fn take_back(&self) -> Option<F> {
        self.claim()
    }

    fn claim(&self) -> Option<F> {
        if self.claimed.swap(true, AcqRel) {
            return None;
        }
        // SAFETY: the first to set `claimed` has the closure to itself.
        unsafe { (*self.work.get()).take() }
    }

    fn finish(&self, answer: Answer<T>) {
        // SAFETY: called by the two methods that claimed the job before, and a
        // job is claimed once.
        let unwanted = unsafe { self.outcome.finish(Some(answer)) };
        // Nobody waits any more: the value ends here.
        drop(unwanted);
    }
}

impl<F, T> Job for JobCell<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn run(&self) -> Ran {
        let Some(work) = self.claim() else {
            return Ran::ClaimedBefore;
        };
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(value) => {
                self.finish(Ok(value));
                Ran::Completed
            }
            Err(payload) => {
                self.finish(Err(OffloadError::panicked(payload)));
                Ran::Panicked
            }
        }
    }

    fn refuse(&self, reason: OffloadError) -> bool {
        let Some(work) = self.claim() else {
            return false;
        };
        self.finish(Err(reason));
        // Foreign code, which may panic: the answer was given before.
        drop(work);
        true
    }

    fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

impl<F, T> Answers<T> for JobCell<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn outcome(&self) -> &OutcomeCell<Answer<T>> {
        &self.outcome
    }
}

impl<T> HoldsCell<Answer<T>> for Arc<dyn Answers<T>> {
    fn cell(&self) -> &OutcomeCell<Answer<T>> {
        self.outcome()
    }
}
