//! A share of an executor: no more than so many of its threads at a time.
//!
//! # Protocol
//! A share lets `limit` of its jobs at most into the executor's queue; the rest
//! wait in a line of its own. A job of a share goes through the queue inside a
//! [`LaneJob`], whose end, by whatever way, sends the next of the line after it.
//! So each share is first in, first out, and shares take turns in the one queue.
//!
//! An executor that was shut down takes no more: what stands in a line then was
//! accepted before, and is run by the worker that would have sent it on, one
//! after the other; or refused, where the shutdown cancels what is pending.
#![forbid(unsafe_code)]

use super::job::{Answers, Job, JobCell, JobState, Ran};
use super::pool::Pool;
use super::{OffloadError, Offloaded, ThreadPoolExecutor};
use crate::waiters::each_then_panic;
use parking_lot::Mutex;
use polyloop::Offload;
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Weak};

/// A share of a [`ThreadPoolExecutor`]: of its threads, at most so many at a
/// time; from [`ThreadPoolExecutor::limited`].
///
/// Many loops, or classes of work, then use one executor, and none of them can
/// keep the others from its threads. Clones are the same share.
///
/// # Examples
/// ```
/// use polyloop_bridge::ThreadPoolExecutor;
/// use std::sync::{Arc, Weak};
///
/// let slow_disk = ThreadPoolExecutor::shared().limited(2);
/// assert_eq!(slow_disk.submit(|| 6 * 7).result().unwrap(), 42);
/// // As the place for the blocking work of one loop:
/// let looped = polyloop::EventLoop::builder().offload(Arc::new(slow_disk)).build();
/// # drop(looped);
/// ```
#[derive(Clone)]
pub struct LimitedExecutor {
    lane: Arc<Lane>,
}

struct Lane {
    /// Keeps the executor open as long as something may be sent to it.
    executor: ThreadPoolExecutor,
    limit: usize,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    /// Jobs that are in the executor's queue or run.
    sent: usize,
    waiting: VecDeque<Arc<dyn Job>>,
}

impl LimitedExecutor {
    pub(super) fn new(executor: ThreadPoolExecutor, limit: usize) -> Self {
        let lane = Arc::new(Lane {
            executor,
            limit: limit.max(1),
            line: Mutex::default(),
        });
        let lines: Arc<dyn Lines> = lane.clone();
        lane.executor.pool().add_lines(Arc::downgrade(&lines));
        Self { lane }
    }

    /// Gives it a job, as [`ThreadPoolExecutor::submit`] does; the limit of the
    /// executor's queue is not asked, the share's own is.
    #[track_caller]
    pub fn submit<T, F>(&self, f: F) -> Offloaded<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.submit_at(f, Location::caller())
    }

    pub(super) fn submit_at<T, F>(&self, f: F, location: &'static Location<'static>) -> Offloaded<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let job: Arc<dyn Answers<T>> = JobCell::new(f, location);
        if self.lane.enter(job.clone()).is_err() {
            job.refuse(OffloadError::shut_down());
        }
        Offloaded::new(job)
    }

    /// The executor that it is a share of.
    pub fn executor(&self) -> &ThreadPoolExecutor {
        &self.lane.executor
    }

    /// The most of its jobs that run at a time.
    pub fn limit(&self) -> usize {
        self.lane.limit
    }

    /// Jobs that wait for others of this share to end.
    pub fn waiting(&self) -> usize {
        self.lane.line.lock().waiting.len()
    }
}

impl fmt::Debug for LimitedExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitedExecutor")
            .field("limit", &self.limit())
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}

impl Offload for LimitedExecutor {
    fn offload(&self, job: polyloop::Job) -> Result<(), polyloop::Job> {
        let cell = JobCell::new(job, Location::caller());
        match self.lane.enter(cell.clone()) {
            Ok(()) => Ok(()),
            Err(Shut) => match cell.take_back() {
                Some(job) => Err(job),
                // It was run or refused: taken all the same.
                None => Ok(()),
            },
        }
    }
}

/// Jobs that wait outside of the queue.
pub(super) trait Lines: Send + Sync {
    /// Ends them unrun; returns how many that were.
    fn refuse_waiting(&self, reason: &mut dyn FnMut() -> OffloadError) -> usize;
}

/// The executor takes no more jobs.
struct Shut;

impl Lane {
    fn enter(self: &Arc<Self>, job: Arc<dyn Job>) -> Result<(), Shut> {
        if self.executor.is_shut_down() {
            return Err(Shut);
        }
        {
            let mut line = self.line.lock();
            if line.sent >= self.limit {
                line.waiting.push_back(job);
                return Ok(());
            }
            line.sent += 1;
        }
        self.send(job, true).map_err(|Unsent(_)| {
            // Whoever came after this one is answered as it is.
            self.next(true, |job| {
                job.refuse(OffloadError::shut_down());
            });
            Shut
        })
    }

    /// Puts a job into the executor's queue; `tell`: and sees to it that somebody
    /// looks there.
    fn send(self: &Arc<Self>, job: Arc<dyn Job>, tell: bool) -> Result<(), Unsent> {
        let pool = self.executor.pool();
        let in_lane = Arc::new(LaneJob {
            job: job.clone(),
            lane: self.clone(),
        });
        if pool.push(in_lane, true).is_err() {
            return Err(Unsent(job));
        }
        if tell && let Err(error) = pool.notify() {
            pool.refuse_all(|| OffloadError::no_thread(error.kind()));
        }
        Ok(())
    }

    /// One of the jobs that were sent has ended: sends the next. `unsent` gets
    /// those that the executor does not take any more.
    fn next(self: &Arc<Self>, tell: bool, unsent: impl Fn(Arc<dyn Job>)) {
        loop {
            let next = {
                let mut line = self.line.lock();
                let next = line.waiting.pop_front();
                if next.is_none() {
                    line.sent -= 1;
                }
                next
            };
            match next.map(|job| self.send(job, tell)) {
                None | Some(Ok(())) => return,
                Some(Err(Unsent(job))) => unsent(job),
            }
        }
    }
}

/// A job that the executor did not take.
struct Unsent(Arc<dyn Job>);

impl Lines for Lane {
    fn refuse_waiting(&self, reason: &mut dyn FnMut() -> OffloadError) -> usize {
        let waiting = std::mem::take(&mut self.line.lock().waiting);
        let mut refused = 0;
        each_then_panic(waiting, |job| refused += usize::from(job.refuse(reason())));
        refused
    }
}

/// A job on its way through the executor's queue.
struct LaneJob {
    job: Arc<dyn Job>,
    lane: Arc<Lane>,
}

impl Job for LaneJob {
    fn run(&self) -> Ran {
        // Also when a waker panics out of the job.
        let _next = Then(|| {
            self.lane.next(true, |job| {
                job.run();
            })
        });
        self.job.run()
    }

    fn refuse(&self, reason: OffloadError) -> bool {
        // Whoever refuses is emptying the queue, and comes to the next as well.
        let _next = Then(|| {
            self.lane.next(false, |job| {
                job.refuse(OffloadError::shut_down());
            });
        });
        self.job.refuse(reason)
    }

    fn state(&self) -> &JobState {
        self.job.state()
    }
}

/// Calls when it is dropped.
struct Then<F: Fn()>(F);

impl<F: Fn()> Drop for Then<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl Pool {
    /// A share's line of jobs, which ends with the pool.
    fn add_lines(&self, line: Weak<dyn Lines>) {
        let mut lines = self.lines.lock();
        lines.retain(|line| line.strong_count() > 0);
        lines.push(line);
    }

    /// Ends what stands in the lines of shares.
    pub(super) fn refuse_lines(&self, reason: &mut dyn FnMut() -> OffloadError) -> usize {
        let lines = self.lines.lock().clone();
        let lines = lines.into_iter().filter_map(|lane| lane.upgrade());
        lines.map(|lane| lane.refuse_waiting(reason)).sum()
    }
}
