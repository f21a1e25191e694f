//! What a loop tells of a submission.
//!
//! It is an [`OutcomeCell`], whose module has the protocol, and a list of
//! callbacks, which is looked at only if the cell says that there may be one.

use super::start::Begun;
use crate::loom::Mutex;
use crate::outcome::{HoldsCell, OutcomeCell};
use crate::waiters::each_then_panic;
use polyloop::{Remote, TaskError};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What the loop tells; it lives in the task's allocation.
pub(super) struct Told<T> {
    pub(super) cell: OutcomeCell<Result<T, TaskError>>,
    /// Boxed, since few have any: a submission then fits in three cache lines.
    #[allow(clippy::box_collection)]
    followers: Mutex<Option<Box<Vec<Follower>>>>,
}

type Follower = Box<dyn FnOnce() + Send>;

impl<T> Told<T> {
    pub(super) fn new() -> Self {
        Self {
            cell: OutcomeCell::new(),
            followers: Mutex::new(None),
        }
    }

    pub(super) fn follow(&self, f: Follower) {
        {
            // Announced under the lock, so that the loop, which sees the
            // announcement, waits here until the callback is in the list.
            let mut followers = self.followers.lock();
            if self.cell.follow() {
                followers.get_or_insert_default().push(f);
                return;
            }
        }
        f();
    }

    /// Calls every callback; what panics is told after the last, or, if a panic
    /// is on its way already, not at all: that one is the news.
    #[cold]
    fn call_followers(&self) {
        let followers = *self.followers.lock().take().unwrap_or_default();
        let call = || each_then_panic(followers, |f| f());
        if std::thread::panicking() {
            drop(catch_unwind(AssertUnwindSafe(call)));
        } else {
            call();
        }
    }
}

impl<T: Send + 'static> polyloop::Outcome<T> for Told<T> {
    fn resolve(&self, result: Result<T, TaskError>) {
        self.tell(Some(result));
    }
}

impl<T: Send + 'static> polyloop::Outcome<Begun<T>> for Told<T> {
    fn resolve(&self, result: Result<Begun<T>, TaskError>) {
        self.tell(match result {
            Ok(Begun::Value(value)) => Some(Ok(value)),
            Ok(Begun::TooLate) => {
                self.cell.note_expired();
                None
            }
            Err(error) => Some(Err(error)),
        });
    }
}

impl<T> Told<T> {
    /// Called by `resolve` alone, which is called once, says its contract.
    #[inline]
    fn tell(&self, answer: Option<Result<T, TaskError>>) {
        // SAFETY: it is called once.
        let ended = unsafe { self.cell.end(answer) };
        // The callbacks are called even if the waiter's waker panics. Made only
        // if there are any: its drop is what calls them.
        let _last = ended.followed.then(|| CallFollowers(self));
        if let Some(waker) = ended.waker {
            waker.wake();
        }
        if let Some(Err(error)) = ended.back
            && let Ok(payload) = error.into_panic()
        {
            // Nobody will look at it: out of here it goes to the loop's
            // exception handler.
            resume_unwind(payload);
        }
    }
}

/// Calls the callbacks when it is dropped.
struct CallFollowers<'a, T>(&'a Told<T>);

impl<T> Drop for CallFollowers<'_, T> {
    fn drop(&mut self) {
        self.0.call_followers();
    }
}

impl<T> HoldsCell<Result<T, TaskError>> for Remote<Told<T>> {
    fn cell(&self) -> &OutcomeCell<Result<T, TaskError>> {
        &self.cell
    }
}
