//! A closure on its way through the executor, and what became of it.
//!
//! # Protocol
//! One allocation holds the closure and the outcome; the queue and the caller's
//! [`Offloaded`](super::Offloaded) share it. Whoever *claims* the job, by being
//! the first to set CLAIMED, owns the closure and owes the one answer:
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
//!
//! A cancel that comes too late for a claim sets ASKED, which the code inside the
//! job looks at when it likes. While a job runs, a thread-local holds the address
//! of its state ([`current`]): it is set and put back by `run`, which borrows
//! the job, so it never outlives it.

use super::OffloadError;
use crate::blocked::{JobId, Node, PoolId, as_job};
use crate::outcome::{HoldsCell, OutcomeCell};
use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU8,
    Ordering::{AcqRel, Acquire},
};

/// A job as the queue and the workers see it.
pub(super) trait Job: Send + Sync {
    /// Runs the closure, unless the job was claimed before.
    fn run(&self) -> Ran;

    /// Ends the job without running it, unless it was claimed before.
    fn refuse(&self, reason: OffloadError) -> bool;

    /// What is known of the job without its types.
    fn state(&self) -> &JobState;
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

/// The part of a job that has no type parameters.
pub(super) struct JobState {
    flags: AtomicU8,
    /// Whose threads run it.
    pool: PoolId,
    /// Where the job was submitted.
    pub(super) location: &'static Location<'static>,
}

impl JobState {
    /// The job, among those that others may block on.
    pub(super) fn node(&self) -> Node {
        Node::Job(self.id())
    }

    /// Tells the code inside the job, if it runs, that it is wanted no more.
    pub(super) fn ask(&self) {
        self.flags.fetch_or(ASKED, AcqRel);
    }

    fn is_asked(&self) -> bool {
        self.flags.load(Acquire) & ASKED != 0
    }

    fn id(&self) -> JobId {
        JobId {
            address: std::ptr::from_ref(self).addr(),
            pool: self.pool,
        }
    }
}

/// Was the job that the calling thread runs asked to end? `None` outside of one.
pub(super) fn current_is_asked() -> Option<bool> {
    let current = CURRENT.try_with(Cell::get).ok()??;
    // SAFETY: set by `run` on this thread, which has not returned (see the head).
    Some(unsafe { current.as_ref() }.is_asked())
}

/// Runs `work` as the job of `state`.
fn as_current<R>(state: &JobState, work: impl FnOnce() -> R) -> R {
    struct Restore(Option<NonNull<JobState>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let _ = CURRENT.try_with(|current| current.set(self.0));
        }
    }
    let now = Some(NonNull::from(state));
    let before = CURRENT.try_with(|current| current.replace(now));
    let _after = Restore(before.ok().flatten());
    as_job(state.id(), work)
}

thread_local! {
    static CURRENT: Cell<Option<NonNull<JobState>>> = const { Cell::new(None) };
}

const CLAIMED: u8 = 1;
const ASKED: u8 = 2;

/// The one allocation of a job.
pub(super) struct JobCell<F, T> {
    state: JobState,
    work: UnsafeCell<Option<F>>,
    outcome: OutcomeCell<Answer<T>>,
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
    pub(super) fn new(work: F, pool: PoolId, location: &'static Location<'static>) -> Arc<Self> {
        Arc::new(Self {
            state: JobState {
                flags: AtomicU8::new(0),
                pool,
                location,
            },
            work: UnsafeCell::new(Some(work)),
            outcome: OutcomeCell::new(),
        })
    }

    /// The closure, if nobody claimed the job; it then has no outcome.
    pub(super) fn take_back(&self) -> Option<F> {
        self.claim()
    }

    fn claim(&self) -> Option<F> {
        if self.state.flags.fetch_or(CLAIMED, AcqRel) & CLAIMED != 0 {
            return None;
        }
        // SAFETY: the first to set CLAIMED has the closure to itself.
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
        let work = || as_current(&self.state, work);
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

    fn state(&self) -> &JobState {
        &self.state
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
