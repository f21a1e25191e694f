//! A share of an executor: no more than so many of its threads at a time.
//!
//! # Protocol
//! A share lets `limit` of its jobs at most into the executor's queue; the rest
//! wait in a line of its own. A job of a share goes through the queue inside a
//! [`LaneJob`], whose end, by whatever way, sends the next of the line after it.
//! So each share is first in, first out, and shares take turns in the one queue.
//!
//! A job of a share that blocks on a job or a loop has a stand-in among the
//! executor's threads ([`stand_in`](super::stand_in)), and the share lets one more
//! job in as long as it does: else it would wait for ever for one behind it.
//!
//! The line is as long as the executor's queue may be. Those who find it full wait
//! for room as they do at the queue; each job that leaves the line wakes one.
//!
//! An executor that was shut down takes no more: what stands in a line then was
//! accepted before, and is run by the worker that would have sent it on, one
//! after the other; or refused, where the shutdown cancels what is pending.
#![forbid(unsafe_code)]

use super::job::{Answers, Job, JobCell, JobState, Ran};
use super::offloaded::{Entry, is_admitted};
use super::pool::{Pool, Refusal};
use super::{OffloadError, Offloaded, ThreadPoolExecutor, TrySubmitError};
use crate::blocked::{PoolId, StandIn, Until, WorksFor};
use crate::waiters::{Waiters, each_then_panic, quietly};
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
/// keep the others from its threads. Clones are the same share. While one of its
/// jobs blocks on a job or a loop, another one runs in its place.
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

pub(super) struct Lane {
    /// Keeps the executor open as long as something may be sent to it.
    executor: ThreadPoolExecutor,
    limit: usize,
    line: Mutex<Line>,
    /// Those who wait for room in the line.
    pub(super) room: Waiters,
}

#[derive(Default)]
struct Line {
    /// Jobs that are in the executor's queue or run.
    sent: usize,
    /// Those of them that block: so many may be sent beyond the limit.
    away: usize,
    waiting: VecDeque<Arc<dyn Job>>,
}

impl LimitedExecutor {
    pub(super) fn new(executor: ThreadPoolExecutor, limit: usize) -> Self {
        let lane = Arc::new(Lane {
            executor,
            limit: limit.max(1),
            line: Mutex::default(),
            room: Waiters::new(),
        });
        let lines: Arc<dyn Lines> = lane.clone();
        lane.executor.pool().add_lines(Arc::downgrade(&lines));
        Self { lane }
    }

    /// Gives it a job, as [`ThreadPoolExecutor::submit`] does; what waits is the
    /// share's own line, in which there is as much room as in the executor's queue
    /// ([`queue_limit`](super::Builder::queue_limit)).
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
        let job: Arc<dyn Answers<T>> = JobCell::new(f, self.lane.pool().id, location);
        let admitted = is_admitted(self.lane.enter(job.clone(), false), &job);
        let offloaded = Offloaded::new(job);
        match admitted {
            true => offloaded,
            false => offloaded.not_admitted(Entry::Share(self.lane.clone())),
        }
    }

    /// Gives it a job if there is room in its line now; never waits.
    ///
    /// # Errors
    /// Gives the closure back when the line is at its limit or the executor is
    /// shut down.
    #[track_caller]
    pub fn try_submit<T, F>(&self, f: F) -> Result<Offloaded<T>, TrySubmitError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let job = JobCell::new(f, self.lane.pool().id, Location::caller());
        if let Err(refusal) = self.lane.enter(job.clone(), false)
            && let Some(f) = job.take_back()
        {
            return Err(match refusal {
                Refusal::Full => TrySubmitError::Full(f),
                Refusal::ShutDown => TrySubmitError::ShutDown(f),
            });
        }
        Ok(Offloaded::new(job))
    }

    /// The executor that it is a share of.
    pub fn executor(&self) -> &ThreadPoolExecutor {
        &self.lane.executor
    }

    /// The most of its jobs that run at a time, those that block not counted.
    pub fn limit(&self) -> usize {
        self.lane.limit
    }

    /// Jobs that wait for others of this share to end.
    pub fn waiting(&self) -> usize {
        self.lane.waiting()
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
        let taken = self.try_submit(job);
        taken
            .map(Offloaded::detach)
            .map_err(TrySubmitError::into_inner)
    }
}

/// Jobs that wait outside of the queue.
pub(super) trait Lines: Send + Sync {
    /// Ends them unrun; returns how many that were.
    fn refuse_waiting(&self, reason: &mut dyn FnMut() -> OffloadError) -> usize;

    /// How many they are.
    fn waiting(&self) -> usize;

    /// Those who wait to be let in.
    fn room(&self) -> &Waiters;
}

impl Lane {
    fn pool(&self) -> &Arc<Pool> {
        self.executor.pool()
    }

    pub(super) fn enter(
        self: &Arc<Self>,
        job: Arc<dyn Job>,
        past_limit: bool,
    ) -> Result<(), Refusal> {
        if self.executor.is_shut_down() {
            return Err(Refusal::ShutDown);
        }
        {
            let mut line = self.line.lock();
            if line.sent >= self.limit + line.away {
                if self.is_full(&line) && !past_limit {
                    return Err(Refusal::Full);
                }
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
            Refusal::ShutDown
        })
    }

    fn is_full(&self, line: &Line) -> bool {
        let limit = self.pool().config.queue_limit;
        limit.is_some_and(|limit| line.waiting.len() >= limit)
    }

    /// A job has left the line.
    fn release(&self) {
        if self.pool().config.queue_limit.is_some() {
            self.room.wake_one_quietly(false);
        }
    }

    /// Puts a job into the executor's queue; `tell`: and sees to it that somebody
    /// looks there.
    fn send(self: &Arc<Self>, job: Arc<dyn Job>, tell: bool) -> Result<(), Unsent> {
        let pool = self.pool();
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
                // Those who were let in for one that blocked are too many now.
                let next = match line.sent > self.limit + line.away {
                    true => None,
                    false => line.waiting.pop_front(),
                };
                if next.is_none() {
                    line.sent -= 1;
                }
                next
            };
            if next.is_some() {
                self.release();
            }
            match next.map(|job| self.send(job, tell)) {
                None | Some(Ok(())) => return,
                Some(Err(Unsent(job))) => unsent(job),
            }
        }
    }
}

impl StandIn for Lane {
    fn pool_id(&self) -> PoolId {
        self.pool().id
    }

    fn thread_goes(self: Arc<Self>, until: Until) -> bool {
        let next = {
            let mut line = self.line.lock();
            line.away += 1;
            match line.sent < self.limit + line.away {
                true => line.waiting.pop_front().inspect(|_| line.sent += 1),
                false => None,
            }
        };
        // Before this thread counts as away, since it may have to run the job. It
        // does not where it would come back late.
        match next.map(|job| self.send(job, true)) {
            None => {}
            Some(Ok(())) => self.release(),
            Some(Err(Unsent(job))) if until == Until::Deadline => {
                let mut line = self.line.lock();
                line.sent -= 1;
                line.waiting.push_front(job);
            }
            Some(Err(Unsent(job))) => {
                run_here(job);
                self.next(true, run_here);
            }
        }
        let goes = self.pool().clone().thread_goes(until);
        if !goes {
            self.line.lock().away -= 1;
        }
        goes
    }

    fn thread_is_back(&self, until: Until) {
        self.pool().thread_is_back(until);
        self.line.lock().away -= 1;
    }
}

/// Runs a job that the executor takes no more.
fn run_here(job: Arc<dyn Job>) {
    quietly(|| {
        job.run();
    });
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

    fn waiting(&self) -> usize {
        self.line.lock().waiting.len()
    }

    fn room(&self) -> &Waiters {
        &self.room
    }
}

/// A job on its way through the executor's queue.
struct LaneJob {
    job: Arc<dyn Job>,
    lane: Arc<Lane>,
}

impl Job for LaneJob {
    fn run(&self) -> Ran {
        let _works = WorksFor::new(Some(self.lane.clone()));
        // Also when a waker panics out of the job.
        let _next = Then(|| self.lane.next(true, run_here));
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
        let lines = self.lines().into_iter();
        lines.map(|line| line.refuse_waiting(reason)).sum()
    }
}
