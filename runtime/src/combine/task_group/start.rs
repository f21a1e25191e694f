//! Starting a child and waiting until it says that it is ready.
#![forbid(unsafe_code)]

use super::{GroupOutput, TaskGroup};
use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};

impl TaskGroup {
    /// Adds a child and waits until it reports that it is ready; trio's
    /// `nursery.start`. The child runs on after that.
    ///
    /// # Cancel safety
    /// Dropping it before the report cancels the child.
    ///
    /// # Errors
    /// [`StartError`] if the child ends, in whatever way, without a report. Its
    /// failure is the group's.
    ///
    /// # Panics
    /// Outside of a loop.
    ///
    /// # Examples
    /// ```
    /// use polyloop::TaskGroup;
    ///
    /// # polyloop::run(async {
    /// let port = TaskGroup::scope(async |group| {
    ///     let server = group.start(|started| async move {
    ///         // It would listen here, and say where.
    ///         started.report(8080);
    ///         std::future::pending::<()>().await;
    ///     });
    ///     let port = server.await.unwrap();
    ///     group.cancel();
    ///     port
    /// });
    /// assert_eq!(port.await.unwrap(), 8080);
    /// # }).unwrap();
    /// ```
    pub async fn start<V, F>(&self, make: impl FnOnce(Started<V>) -> F) -> Result<V, StartError>
    where
        V: 'static,
        F: Future<Output: GroupOutput> + 'static,
    {
        let shared = Rc::new(Shared {
            report: Cell::new(Report::Awaited),
            waiter: Cell::new(None),
        });
        let started = Started {
            shared: shared.clone(),
        };
        let child = self.create_task(make(started)).abort_on_drop();
        let report = poll_fn(|cx| match shared.report.replace(Report::Awaited) {
            Report::Awaited => {
                shared.waiter.set(Some(cx.waker().clone()));
                Poll::Pending
            }
            Report::Ready(value) => Poll::Ready(Ok(value)),
            Report::Gone => Poll::Ready(Err(StartError(()))),
        });
        let report = report.await;
        drop(child.detach());
        report
    }
}

/// With it a child says that it is ready; see [`TaskGroup::start`].
#[must_use = "whoever started the child waits for the report"]
pub struct Started<V> {
    shared: Rc<Shared<V>>,
}

impl<V> Started<V> {
    /// Says that the child is ready, with what its starter has to know.
    pub fn report(self, value: V) {
        self.shared.report.set(Report::Ready(value));
    }
}

impl<V> Drop for Started<V> {
    fn drop(&mut self) {
        match self.shared.report.replace(Report::Gone) {
            // The child ended, or threw this away.
            Report::Awaited | Report::Gone => {}
            ready => self.shared.report.set(ready),
        }
        if let Some(waiter) = self.shared.waiter.take() {
            waiter.wake();
        }
    }
}

impl<V> fmt::Debug for Started<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started").finish_non_exhaustive()
    }
}

struct Shared<V> {
    report: Cell<Report<V>>,
    waiter: Cell<Option<Waker>>,
}

enum Report<V> {
    Awaited,
    Ready(V),
    Gone,
}

/// A child ended before it reported that it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartError(());

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task ended before it reported that it is ready; the group says why")
    }
}

impl std::error::Error for StartError {}
