//! Many loops, one a thread: started together, chosen by rule, ended with a
//! report.
#![forbid(unsafe_code)]

mod builder;
mod choose;
mod each;
mod error;
mod placement;
mod report;
mod serve;
#[cfg(all(test, not(loom)))]
mod serve_tests;
#[cfg(all(test, not(loom)))]
mod tests;
mod worker;

pub use builder::Builder;
pub use each::Each;
pub use error::GroupError;
pub use placement::Placement;
pub use report::{GroupReport, LoopReport};
pub use serve::{Accept, Policy, TcpServer};

use crate::ThreadPoolExecutor;
use crate::submit::{Outcome, run_coroutine_threadsafe};
use crate::waiters::deadline_after;
use choose::Loops;
use polyloop::LoopHandle;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;
use worker::Threads;

/// A set of event loops, each on a thread of its own, with one executor for the
/// blocking work of all.
///
/// Clones are the same group. When the last one is dropped the loops are told to
/// stop and are waited for, a second at most; [`shutdown`](Self::shutdown) does
/// that with a grace period and a report.
///
/// # Examples
/// ```
/// use polyloop_bridge::{LoopGroup, run_coroutine_threadsafe};
/// use std::time::Duration;
///
/// let group = LoopGroup::builder().loops(2).name("io").build()?;
/// let submission = run_coroutine_threadsafe(group.handle(1), || async {
///     polyloop::current_loop().name().to_owned()
/// });
/// assert_eq!(submission.result().unwrap(), "io-1");
/// let report = group.shutdown(Duration::from_secs(1));
/// assert!(report.is_complete(), "{report}");
/// # Ok::<(), polyloop_bridge::group::GroupError>(())
/// ```
#[derive(Clone)]
pub struct LoopGroup {
    inner: Arc<Inner>,
}

/// What the clones share and the threads do not hold.
struct Inner {
    loops: Arc<Loops>,
    threads: Threads,
    executor: ThreadPoolExecutor,
    /// Made by this group, which then ends it too.
    own_executor: bool,
}

impl LoopGroup {
    /// The settings, to be changed.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// How many loops there are; at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a group is never empty")]
    pub fn len(&self) -> usize {
        self.inner.loops.handles.len()
    }

    /// The loop of this number.
    ///
    /// # Panics
    /// If there are not so many loops.
    pub fn handle(&self, number: usize) -> &LoopHandle {
        &self.inner.loops.handles[number]
    }

    /// The first loop of this name.
    pub fn named(&self, name: &str) -> Option<&LoopHandle> {
        self.iter().find(|handle| handle.name() == name)
    }

    /// One loop after the other, round and round.
    pub fn next(&self) -> &LoopHandle {
        self.inner.loops.next()
    }

    /// The loop with the fewest tasks, by the figures that the loops publish;
    /// among equals, and there are many, one after the other.
    ///
    /// The figures of a busy loop are some microseconds old: several choices in
    /// so short a time may fall on the same loop.
    pub fn least_loaded(&self) -> &LoopHandle {
        self.inner.loops.least_loaded()
    }

    /// Always the same loop for the same key.
    pub fn by_key<K: Hash + ?Sized>(&self, key: &K) -> &LoopHandle {
        self.inner.loops.by_key(key)
    }

    /// All loops in the order of their numbers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &LoopHandle> {
        self.inner.loops.handles.iter()
    }

    /// The executor that runs the blocking work of all loops.
    pub fn executor(&self) -> &ThreadPoolExecutor {
        &self.inner.executor
    }

    /// Runs a coroutine on every loop; `f` is given the loop's number and is
    /// called there. The work is sent at the call.
    ///
    /// The future, or [`Each::results`] on a plain thread, gives the outcomes in
    /// the order of the loops.
    #[track_caller]
    pub fn on_each<F, Fut>(&self, f: F) -> Each<Fut::Output>
    where
        F: Fn(usize) -> Fut + Send + Sync + 'static,
        Fut: Future + 'static,
        Fut::Output: Send + 'static,
    {
        let f = Arc::new(f);
        let mut sent = Vec::with_capacity(self.len());
        for (number, handle) in self.iter().enumerate() {
            let f = f.clone();
            sent.push(run_coroutine_threadsafe(handle, move || f(number)));
        }
        Each::new(sent)
    }

    /// Runs a coroutine on every loop and folds the values in the order of the
    /// loops. The work is sent at the call.
    ///
    /// # Errors
    /// The first loop's that gave no value.
    #[track_caller]
    pub fn map_reduce<F, Fut, A, R>(
        &self,
        map: F,
        first: A,
        reduce: R,
    ) -> impl Future<Output = Outcome<A>> + use<F, Fut, A, R>
    where
        F: Fn(usize) -> Fut + Send + Sync + 'static,
        Fut: Future + 'static,
        Fut::Output: Send + 'static,
        R: FnMut(A, Fut::Output) -> A,
    {
        let each = self.on_each(map);
        let mut reduce = reduce;
        async move {
            let values = each.await.into_iter();
            let mut sum = first;
            for value in values {
                sum = reduce(sum, value?);
            }
            Ok(sum)
        }
    }

    /// Stops every loop, gives the clean-up of its tasks `grace`, and says how
    /// it went. Blocks the calling thread until all loops have ended.
    ///
    /// A loop that cannot stop, because a task blocks it, is waited for as long
    /// again and a second, and then named in the report; it ends by itself when
    /// the task lets it. The group's own executor runs what it was given, for
    /// `grace` at most; one that was handed to the builder goes on.
    ///
    /// Called on one of the group's loops it does not wait for that one, which
    /// stops afterwards.
    pub fn shutdown(&self, grace: Duration) -> GroupReport {
        let limit = grace.saturating_mul(2).saturating_add(LEEWAY);
        let Inner { loops, threads, .. } = &*self.inner;
        threads.stop(&loops.handles, grace);
        let loops = threads.wait(&loops.handles, deadline_after(limit));
        let executor = self.inner.own_executor.then(|| {
            self.inner.executor.shutdown(crate::Shutdown {
                timeout: Some(grace),
                ..crate::Shutdown::default()
            })
        });
        GroupReport { loops, executor }
    }

    /// Blocks the calling thread until every loop has ended, by a
    /// [`shutdown`](Self::shutdown) elsewhere or by [`LoopHandle::stop`].
    ///
    /// Called on one of the group's loops it does not wait for that one.
    pub fn join(&self) -> GroupReport {
        GroupReport {
            loops: self.inner.threads.wait(&self.inner.loops.handles, None),
            executor: None,
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.threads.stop(&self.loops.handles, Duration::ZERO);
        self.threads
            .wait(&self.loops.handles, deadline_after(LEEWAY));
    }
}

impl fmt::Debug for LoopGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopGroup")
            .field("loops", &self.inner.loops.handles)
            .field("executor", &self.inner.executor)
            .finish()
    }
}

/// How long a stop may take that nobody holds up.
const LEEWAY: Duration = Duration::from_secs(1);
