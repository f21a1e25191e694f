//! Blocking work kept off the loops: a pool of threads, and `run_in_executor`.
//!
//! A job is a closure. It is queued without a lock; a worker is called only if
//! none is looking for work already; its answer goes into the job's own
//! allocation and from there to the task or thread that waits. Panics are
//! caught and delivered, and the worker goes on.

mod adapter;
mod bargain;
#[cfg(all(test, loom))]
mod bargain_family;
#[cfg(all(test, loom))]
mod bargain_models;
mod builder;
mod error;
mod job;
mod limited;
#[cfg(all(test, loom))]
mod loom_tests;
mod offloaded;
mod pool;
mod primitives;
mod run;
mod shutdown;
#[cfg(all(test, not(loom)))]
mod shutdown_tests;
mod stand_in;
#[cfg(all(test, not(loom)))]
mod tests;
mod worker;

pub use adapter::{OffloadFn, offload_fn};
pub use builder::Builder;
pub use error::{OffloadError, TrySubmitError};
pub use limited::LimitedExecutor;
pub use offloaded::Offloaded;
pub use run::{run_in_executor, to_thread};
pub use shutdown::{Shutdown, ShutdownReport, StuckJob};

use job::{Answers, JobCell};
use offloaded::{Entry, is_admitted};
use pool::{Pool, Refusal};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use worker::Counts;

/// A pool of threads for blocking work; `concurrent.futures.ThreadPoolExecutor`.
///
/// Threads are started when jobs ask for them and end after a time without
/// work. Clones are the same executor. When the last one is dropped it takes no
/// more jobs, runs those it has, and its threads end; [`shutdown`](Self::shutdown)
/// does that with a wait and a report.
///
/// # Jobs that block
/// A job may ask for the [`result`](Offloaded::result) of another job, or of work
/// that it sent to a loop ([`run_on_loop`](crate::blocking::run_on_loop)). As long
/// as it blocks there, another thread works in its place, and a
/// [share](Self::limited) lets another job in. There are 256 such threads at the
/// most; with as many away, jobs stay queued until one is back. A wait that would
/// leave every thread waiting for queued jobs of this executor is [answered at
/// once](OffloadError::is_would_deadlock), and nothing is lost.
///
/// Only these waits are seen. A job that blocks on a channel, a lock or anything
/// else that a queued job of its own executor is to feed keeps its thread, and
/// when every thread is kept so they wait for ever; so do more than 256 jobs at a
/// time that block on loops which await jobs of this executor. Give what feeds
/// them an executor of its own.
///
/// # Examples
/// ```
/// use polyloop_bridge::ThreadPoolExecutor;
///
/// let pool = ThreadPoolExecutor::new();
/// let sum = pool.submit(|| (1..=10).sum::<u32>());
/// assert_eq!(sum.result().unwrap(), 55);
/// ```
#[derive(Clone)]
pub struct ThreadPoolExecutor {
    handle: Arc<Handle>,
}

/// What the clones share and the workers do not hold.
struct Handle {
    pool: Arc<Pool>,
}

impl ThreadPoolExecutor {
    /// An executor with the default settings, see [`Builder`].
    pub fn new() -> Self {
        Builder::new().build_lazily()
    }

    /// The settings, to be changed.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// The executor of the process, which those use who name none: made at the
    /// first use with the default settings, and never shut down by the crate.
    pub fn shared() -> &'static Self {
        run::default_executor()
    }

    /// A share of it, for a loop or a class of work: at most `threads` of its
    /// threads at a time, and at least 1.
    pub fn limited(&self, threads: usize) -> LimitedExecutor {
        LimitedExecutor::new(self.clone(), threads)
    }

    /// Gives it a job; never waits. The closure does not see the caller's context
    /// variables, as with CPython's; [`to_thread`] takes them along.
    ///
    /// The job is queued now if there is room. Else it is queued when the
    /// returned future is polled and there is room.
    ///
    /// # Errors
    /// The future gives [`OffloadError`]: the closure panicked, the job was
    /// cancelled, the executor is shut down, or it has no thread and the system
    /// refused one.
    #[doc(alias = "spawn_blocking")]
    #[track_caller]
    pub fn submit<T, F>(&self, f: F) -> Offloaded<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.submit_at(f, Location::caller())
    }

    /// Gives it a job if there is room now; never waits.
    ///
    /// # Errors
    /// Gives the closure back when the queue is at its limit, the executor is
    /// shut down, or it has no thread and the system refused one.
    #[track_caller]
    pub fn try_submit<T, F>(&self, f: F) -> Result<Offloaded<T>, TrySubmitError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let job = JobCell::new(f, self.pool().id, Location::caller());
        let back = |job: &JobCell<F, T>| job.take_back().expect("a job that was not queued");
        match self.pool().push(job.clone(), false) {
            Err(Refusal::Full) => return Err(TrySubmitError::Full(back(&job))),
            Err(Refusal::ShutDown) => return Err(TrySubmitError::ShutDown(back(&job))),
            Ok(()) => {}
        }
        if let Err(error) = self.pool().notify() {
            let mine = job.take_back();
            self.pool()
                .refuse_all(|| OffloadError::no_thread(error.kind()));
            if let Some(f) = mine {
                return Err(TrySubmitError::NoThread(f, error));
            }
        }
        Ok(Offloaded::new(job))
    }

    /// Ends it: no more jobs, and what `how` says of those it has.
    ///
    /// Blocks the calling thread if `how.wait` says so. A job that runs is never
    /// stopped; after the time-out the report names those that still run. Called
    /// from one of its own jobs it waits for the other workers only.
    ///
    /// It does not wait for itself either: where a job of the executor waits,
    /// directly or by way of others, for the calling thread to do something else (it
    /// called back into a loop of that thread, or shuts the executor down as well),
    /// the report is made at once, and names the job among those that are stuck. A
    /// job that begins to wait so later is told that its wait [would be for
    /// ever](OffloadError::is_would_deadlock).
    ///
    /// Calling it again waits again, and reports anew.
    pub fn shutdown(&self, how: Shutdown) -> ShutdownReport {
        shutdown::shutdown(self.pool(), how)
    }

    /// Is it shut down, so that it takes no more jobs?
    pub fn is_shut_down(&self) -> bool {
        self.pool().is_closed()
    }

    /// What it does and has done; read without stopping anybody, so the numbers
    /// may be of slightly different moments.
    pub fn metrics(&self) -> ExecutorMetrics {
        let pool = self.pool();
        let (workers, idle, done) = pool.bargain.with_staff(|staff| {
            let mut done = staff.done;
            for seat in &staff.workers {
                done += seat.counts();
            }
            (staff.workers.len(), staff.parked.len(), done)
        });
        let Counts {
            completed,
            panicked,
            cancelled,
        } = done;
        ExecutorMetrics {
            workers,
            idle,
            queued: pool.queue_len(),
            completed,
            panicked,
            cancelled,
            failed_starts: pool.failed_starts.load(Relaxed),
        }
    }

    fn submit_at<T, F>(&self, f: F, location: &'static Location<'static>) -> Offloaded<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let job: Arc<dyn Answers<T>> = JobCell::new(f, self.pool().id, location);
        let entered = self.pool().enter(job.clone(), false);
        let admitted = is_admitted(entered, &job);
        let offloaded = Offloaded::new(job);
        match admitted {
            true => offloaded,
            false => offloaded.not_admitted(Entry::Queue(self.pool().clone())),
        }
    }

    fn from_pool(pool: Arc<Pool>) -> Self {
        Self {
            handle: Arc::new(Handle { pool }),
        }
    }

    fn pool(&self) -> &Arc<Pool> {
        &self.handle.pool
    }
}

impl Default for ThreadPoolExecutor {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.pool.close();
    }
}

impl fmt::Debug for ThreadPoolExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPoolExecutor")
            .field("config", &self.pool().config)
            .field("metrics", &self.metrics())
            .field("shut_down", &self.is_shut_down())
            .finish()
    }
}

/// Was the job that the calling thread runs asked to end?
pub(crate) fn is_cancel_asked() -> bool {
    job::current_is_asked().unwrap_or(false)
}

/// What an executor does and has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecutorMetrics {
    /// Threads there are.
    pub workers: usize,
    /// Threads of these that sleep.
    pub idle: usize,
    /// Jobs in the queue; a cancelled one counts until its turn has come. What waits
    /// in a share's line is told by [`LimitedExecutor::waiting`].
    pub queued: usize,
    /// Jobs that gave a value.
    pub completed: u64,
    /// Jobs that panicked.
    pub panicked: u64,
    /// Jobs that were cancelled before their turn came.
    pub cancelled: u64,
    /// Threads that the system refused to start.
    pub failed_starts: u64,
}
