//! Many loops, one a thread: started together, chosen by rule, added, retired
//! and replaced while the rest run, ended with a report.
#![forbid(unsafe_code)]

mod arena;
mod builder;
mod choose;
#[cfg(all(test, not(loom)))]
mod choose_tests;
mod each;
mod error;
mod listen;
mod members;
#[cfg(all(test, not(loom)))]
mod members_tests;
mod parts;
mod placement;
mod primitives;
mod report;
mod role;
mod seats;
mod serve;
#[cfg(all(test, not(loom)))]
mod serve_tests;
mod serving;
#[cfg(all(test, not(loom)))]
mod tests;
mod threads;
mod topology;
mod watchdog;
#[cfg(all(test, not(loom)))]
mod watchdog_tests;
mod worker;

pub use builder::Builder;
pub(crate) use choose::rendezvous;
pub use each::Each;
pub use error::{GroupError, RetireError};
pub use placement::Placement;
pub use report::{GroupReport, LoopReport};
pub use role::Role;
pub use serve::{Accept, Policy, TcpServer};
pub use watchdog::{Incident, Watchdog, What};

use crate::ThreadPoolExecutor;
use crate::submit::{Answer, run_coroutine_threadsafe};
use crate::waiters::deadline_after;
use members::Members;
use polyloop::LoopHandle;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

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
    members: Arc<Members>,
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
        self.inner.members.loops.seats().len()
    }

    /// The loop of this number. Numbers begin at 0 and have no gaps until a loop
    /// is [retired](Self::retire); its number leads to its closed handle until
    /// another loop gets it.
    ///
    /// # Panics
    /// If there never was a loop of this number.
    pub fn handle(&self, number: usize) -> &LoopHandle {
        match self.inner.members.handle(number) {
            Some(handle) => handle,
            None => panic!("the group has no loop {number}: its numbers come from numbers()"),
        }
    }

    /// The numbers of the loops that are in the group now.
    pub fn numbers(&self) -> Vec<usize> {
        let open = self.inner.members.loops.open(None);
        open.map(|(number, _)| number).collect()
    }

    /// The first loop of this name.
    pub fn named(&self, name: &str) -> Option<&LoopHandle> {
        self.iter().find(|handle| handle.name() == name)
    }

    /// The loops of this role; `None` if the builder was told of no such
    /// [`role`](Builder::role).
    pub fn role(&self, role: &str) -> Option<Role<'_>> {
        Role::find(&self.inner.members, role)
    }

    /// One loop after the other, round and round. Loops that have ended by
    /// themselves are passed over, here and by the other choices.
    pub fn next(&self) -> &LoopHandle {
        self.inner.members.loops.next(None).expect(NEVER_EMPTY)
    }

    /// The loop with the fewest tasks, by the figures that the loops publish;
    /// among equals, and there are many, one after the other.
    ///
    /// The figures of a busy loop are some microseconds old: several choices in
    /// so short a time may fall on the same loop.
    pub fn least_loaded(&self) -> &LoopHandle {
        let loops = &self.inner.members.loops;
        loops.least_loaded(None).expect(NEVER_EMPTY)
    }

    /// Always the same loop for the same key, while the loops stay the same; in
    /// every process, too, whose program was made by the same release of Rust.
    ///
    /// A loop that is added takes its share of the keys from all others, and one
    /// that is retired gives its own to all others; no other key moves. One that
    /// is replaced keeps its keys. (Rendezvous hashing; a choice looks at every
    /// loop once.)
    pub fn by_key<K: Hash + ?Sized>(&self, key: &K) -> &LoopHandle {
        let loops = &self.inner.members.loops;
        loops.by_key(None, key).expect(NEVER_EMPTY)
    }

    /// The number of the loop that [`by_key`](Self::by_key) chooses.
    pub fn number_by_key<K: Hash + ?Sized>(&self, key: &K) -> usize {
        let loops = &self.inner.members.loops;
        loops.number_by_key(None, key).expect(NEVER_EMPTY)
    }

    /// The loops that are in the group now, in the order of their numbers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &LoopHandle> {
        let open = self.inner.members.loops.open(None);
        let handles: Vec<_> = open.map(|(_, member)| &member.handle).collect();
        handles.into_iter()
    }

    /// Starts one more loop, without a role, and blocks the calling thread until
    /// it runs; gives its number. [`Role::add_loop`] is for one with a role.
    ///
    /// It has the settings of the others and runs `on_start` as they did. Work is
    /// sent to it from then on, keys and connections of servers included.
    ///
    /// # Errors
    /// [`GroupError`] when the thread or the loop could not be had, `on_start`
    /// panicked, or the group is shut down. Nothing has changed then.
    ///
    /// # Examples
    /// ```
    /// use polyloop_bridge::LoopGroup;
    /// use std::time::Duration;
    ///
    /// let group = LoopGroup::builder().loops(1).build()?;
    /// let number = group.add_loop()?;
    /// assert_eq!((number, group.len()), (1, 2));
    /// let report = group.retire(0, Duration::from_secs(1)).unwrap();
    /// assert!(report.is_complete());
    /// assert_eq!(group.numbers(), [1]);
    /// # Ok::<(), polyloop_bridge::group::GroupError>(())
    /// ```
    pub fn add_loop(&self) -> Result<usize, GroupError> {
        self.inner.members.add(None)
    }

    /// Takes a loop out of the group: nobody chooses it any more, it is stopped,
    /// its tasks get `grace` to clean up, and the calling thread blocks until it
    /// has ended. To keep its connections, move them before
    /// ([`polyloop::net::Detached`]).
    ///
    /// The report says that it has not ended if a task blocks it (it is waited
    /// for as long again and a second) or if the caller is one of its own tasks;
    /// the group's report tells its end then. Its number goes to the next loop
    /// that is added with the same role.
    ///
    /// # Errors
    /// There is no such loop in the group, or it is the last one.
    pub fn retire(&self, number: usize, grace: Duration) -> Result<LoopReport, RetireError> {
        self.inner.members.retire(number, grace)
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
        for (number, member) in self.inner.members.loops.open(None) {
            let f = f.clone();
            sent.push(run_coroutine_threadsafe(&member.handle, move || f(number)));
        }
        Each::new(sent)
    }

    /// Waits for every loop to have begun all work that the calling thread sent
    /// to it before. The future, or [`Each::results`] on a plain thread, says so
    /// for each loop.
    ///
    /// # Examples
    /// ```
    /// use polyloop_bridge::{LoopGroup, run_coroutine_threadsafe};
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    ///
    /// let group = LoopGroup::builder().loops(2).build()?;
    /// let begun = Arc::new(AtomicUsize::new(0));
    /// for handle in group.iter() {
    ///     let begun = begun.clone();
    ///     drop(run_coroutine_threadsafe(handle, move || async move {
    ///         begun.fetch_add(1, SeqCst);
    ///     }));
    /// }
    /// assert!(group.barrier_all().results().iter().all(Result::is_ok));
    /// assert_eq!(begun.load(SeqCst), 2);
    /// # Ok::<(), polyloop_bridge::group::GroupError>(())
    /// ```
    #[track_caller]
    pub fn barrier_all(&self) -> Each<()> {
        self.on_each(|_| async {})
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
    ) -> impl Future<Output = Answer<A>> + use<F, Fut, A, R>
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
    /// stops afterwards, nor for others that wait for the group in this way.
    pub fn shutdown(&self, grace: Duration) -> GroupReport {
        let limit = grace.saturating_mul(2).saturating_add(LEEWAY);
        let threads = &self.inner.members.threads;
        threads.stop_all(grace);
        let loops = threads.wait_all(deadline_after(limit));
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
    /// Called on one of the group's loops it does not wait for that one, nor for
    /// others that wait for the group in this way.
    pub fn join(&self) -> GroupReport {
        GroupReport {
            loops: self.inner.members.threads.wait_all(None),
            executor: None,
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let threads = &self.members.threads;
        threads.stop_all(Duration::ZERO);
        threads.wait_all(deadline_after(LEEWAY));
    }
}

impl fmt::Debug for LoopGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopGroup")
            .field("loops", &self.inner.members.loops)
            .field("executor", &self.inner.executor)
            .finish()
    }
}

const NEVER_EMPTY: &str = "the last loop of a group is not retired";

/// How long a stop may take that nobody holds up.
const LEEWAY: Duration = Duration::from_secs(1);
