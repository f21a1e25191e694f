//! The pool: one queue of jobs, its limit, and the threads that work on it.
//!
//! Jobs go through a lock-free queue. Who is called when one is pushed is the
//! [`bargain`](super::bargain); this file makes the threads that it asks for, and
//! refuses what it says that nobody may ever come for. What was accepted is run,
//! or refused by whoever closed the queue.
//!
//! A limit is a count of queued jobs beside the queue, kept only if there is one.
#![forbid(unsafe_code)]

use super::OffloadError;
use super::bargain::{Bargain, Jobs, Wanted};
use super::builder::Config;
use super::job::Job;
use super::limited::Lines;
use super::worker::{self, Seat};
use crate::blocked::PoolId;
use crate::channel::List;
use crate::waiters::{Waiters, each_then_panic, quietly};
use concurrent_queue::PopError;
use parking_lot::Mutex;
use std::io;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Weak};

type Queue = List<Arc<dyn Job>>;

pub(super) struct Pool {
    pub(super) id: PoolId,
    pub(super) config: Config,
    /// The queue, and who looks at it.
    pub(super) bargain: Bargain<Queue, Seat>,
    /// Jobs in the queue; counted only if there is a limit.
    queued: AtomicUsize,
    /// Those who wait for room in the queue.
    pub(super) room: Waiters,
    /// Those who wait for workers to end.
    pub(super) ended: Waiters,
    /// The lines of the shares that there are.
    pub(super) lines: Mutex<Vec<Weak<dyn Lines>>>,
    pub(super) failed_starts: AtomicU64,
}

impl Jobs for Queue {
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn is_closed(&self) -> bool {
        self.is_closed()
    }
}

/// Why a push was not accepted.
pub(super) enum Refusal {
    Full,
    ShutDown,
}

impl Pool {
    pub(super) fn new(config: Config) -> Arc<Self> {
        Arc::new(Self {
            id: PoolId::new(),
            bargain: Bargain::new(
                List::new(),
                config.min_workers,
                config.max_workers,
                STAND_INS,
            ),
            config,
            queued: AtomicUsize::new(0),
            room: Waiters::new(),
            ended: Waiters::new(),
            lines: Mutex::new(Vec::new()),
            failed_starts: AtomicU64::new(0),
        })
    }

    /// Puts a job into the queue; [`notify`](Self::notify) must follow.
    pub(super) fn push(&self, job: Arc<dyn Job>, past_limit: bool) -> Result<(), Refusal> {
        if !self.reserve(past_limit) {
            return Err(match self.is_closed() {
                true => Refusal::ShutDown,
                false => Refusal::Full,
            });
        }
        self.bargain.jobs.push(job).map_err(|_| {
            self.release();
            Refusal::ShutDown
        })
    }

    /// Takes a job in, and sees to it that somebody looks at it, or that it is
    /// answered.
    pub(super) fn enter(
        self: &Arc<Self>,
        job: Arc<dyn Job>,
        past_limit: bool,
    ) -> Result<(), Refusal> {
        self.push(job, past_limit)?;
        if let Err(error) = self.notify() {
            self.refuse_all(|| OffloadError::no_thread(error.kind()));
        }
        Ok(())
    }

    /// Sees to it that somebody looks at the queue after this.
    ///
    /// # Errors
    /// There is no worker, or only such as wait for jobs of the queue, and none
    /// could be started. What is in the queue must
    /// then be refused with [`refuse_all`](Self::refuse_all).
    #[inline]
    pub(super) fn notify(self: &Arc<Self>) -> io::Result<()> {
        match self.bargain.notify(|number| self.seat(number)) {
            Wanted::Nothing => Ok(()),
            Wanted::Start(seat) => self.start(seat),
        }
    }

    pub(super) fn pop(&self) -> Result<Arc<dyn Job>, PopError> {
        let job = self.bargain.jobs.pop()?;
        self.release();
        Ok(job)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bargain.jobs.is_empty()
    }

    /// Is a job there? A guess that costs those who push little.
    pub(super) fn has_job(&self) -> bool {
        self.bargain.jobs.has_value(0)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.bargain.jobs.is_closed()
    }

    pub(super) fn queue_len(&self) -> usize {
        self.bargain.jobs.len()
    }

    /// Accepts no more jobs and calls everybody, so that the queue is run dry.
    pub(super) fn close(&self) {
        self.bargain.jobs.close();
        self.bargain.call_all();
        quietly(|| self.room.wake_all());
        for line in self.lines() {
            quietly(|| line.room().wake_all());
        }
    }

    /// Ends every job in the queue unrun; returns how many that were.
    pub(super) fn refuse_all(&self, mut reason: impl FnMut() -> OffloadError) -> usize {
        let mut refused = 0;
        let jobs = std::iter::from_fn(|| self.pop().ok());
        each_then_panic(jobs, |job| {
            if job.refuse(reason()) {
                refused += 1;
            }
        });
        refused
    }

    /// The lines of the shares that there are.
    pub(super) fn lines(&self) -> Vec<Arc<dyn Lines>> {
        self.lines.lock().iter().filter_map(Weak::upgrade).collect()
    }

    /// A searcher has taken a job: is somebody needed in its place?
    pub(super) fn found(self: &Arc<Self>) {
        if self.bargain.found() {
            // A worker is alive, the caller: there is no error to report.
            let _ = self.notify();
        }
    }

    /// Starts workers up to the minimum.
    pub(super) fn start_minimum(self: &Arc<Self>) -> io::Result<()> {
        while let Some(seat) = self.bargain.missing(|number| self.seat(number)) {
            let before = self.failed_starts.load(Relaxed);
            self.start(seat)?;
            if self.failed_starts.load(Relaxed) != before {
                // There are some workers; the rest starts when jobs ask for it.
                break;
            }
        }
        Ok(())
    }

    fn seat(&self, number: usize) -> Arc<Seat> {
        Seat::new(number, self.config.worker_name(number))
    }

    /// Starts the thread of a worker that is counted already.
    fn start(self: &Arc<Self>, seat: Arc<Seat>) -> io::Result<()> {
        let Err(error) = worker::start(self.clone(), seat.clone()) else {
            return Ok(());
        };
        self.failed_starts.fetch_add(1, Relaxed);
        // With any worker that comes back to the queue the jobs run later.
        match self.bargain.not_started(&seat) {
            true => Err(error),
            false => Ok(()),
        }
    }

    fn reserve(&self, past_limit: bool) -> bool {
        let Some(limit) = self.config.queue_limit else {
            return true;
        };
        let most = if past_limit { usize::MAX } else { limit };
        self.queued
            .fetch_update(AcqRel, Relaxed, |queued| {
                (queued < most).then(|| queued + 1)
            })
            .is_ok()
    }

    fn release(&self) {
        if self.config.queue_limit.is_some() {
            self.queued.fetch_sub(1, AcqRel);
            // A waker that panics must not take along the worker that has a job in
            // its hand.
            self.room.wake_one_quietly(false);
        }
    }
}

/// Workers that may be started in place of those that block.
pub(super) const STAND_INS: usize = 256;
