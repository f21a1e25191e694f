//! The pool: one queue, and who is called when a job is put into it.
//!
//! # Protocol
//! Jobs go through a lock-free queue. A job that was pushed needs one promise:
//! *somebody will look at the queue after this push*. A worker is in one of
//! four states, and two of them are that promise already:
//!
//! ```text
//!            start                          ┌──────────── pop ───────────┐
//!   (none) ────────▶ SEARCHING ── found ──▶ RUNNING ── queue empty ──┐   │
//!      ▲                ▲  ▲                   ▲                     │   │
//!      │             call  └───────────────────┼─────────────────────┘   │
//!      │                │                      └─────────────────────────┘
//!      └─ keep-alive ─ PARKED ◀── nothing found ── SEARCHING
//! ```
//!
//! - SEARCHING (just called, starting, or spinning before it parks): it looks at
//!   the queue at least once more. `searching` counts them.
//! - RUNNING: it may be in one job for hours, so it promises nothing.
//!
//! So a submitter calls a worker only if nobody is searching and there is one to
//! call (`callable`: parked ones and ones not yet started), and the many pushes
//! that come while the called one is on its way cost no lock and no system call.
//! The other half of the bargain: a searcher that takes a job and is the last
//! to search looks again and calls the next one if the queue is not empty.
//!
//! Each of these is the same handshake: *write, fence(SeqCst), read*.
//!
//! | side              | writes                         | reads after the fence  |
//! |-------------------|--------------------------------|------------------------|
//! | submitter         | the job into the queue         | `searching`, `callable`|
//! | last searcher     | `searching` − 1                | the queue              |
//! | worker that parks | `callable` + 1, `searching` − 1| the queue              |
//! | failed start      | `searching` − 1                | the queue              |
//!
//! One of two fences comes first, so either the submitter sees that it must
//! call, or the other side sees the job. `searching` is raised under the lock or
//! by a worker for itself; `callable` is written under the lock.
//!
//! The end: the queue is closed, in the word that pushes claim their place with;
//! everybody parked is called; a worker that finds the queue closed *and* empty
//! leaves. What was accepted is run, or refused by whoever closed the queue.
//!
//! Jobs that block may have others started in their place: [`stand_in`]
//! (super::stand_in).
//!
//! A limit is a count of queued jobs beside the queue, kept only if there is one.
#![forbid(unsafe_code)]

use super::OffloadError;
use super::builder::Config;
use super::job::Job;
use super::limited::Lines;
use super::worker::{self, Counts, Seat};
use crate::waiters::{Waiters, each_then_panic};
use concurrent_queue::{ConcurrentQueue, PopError};
use crossbeam_utils::CachePadded;
use parking_lot::Mutex;
use std::io;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst, fence};
use std::sync::{Arc, Weak};

pub(super) struct Pool {
    pub(super) config: Config,
    queue: ConcurrentQueue<Arc<dyn Job>>,
    /// Workers that will look at the queue once more.
    searching: CachePadded<AtomicUsize>,
    /// Workers that could be called: parked, or not started yet.
    callable: AtomicUsize,
    /// Jobs in the queue; counted only if there is a limit.
    queued: AtomicUsize,
    /// Those who wait for room in the queue.
    pub(super) room: Waiters,
    /// Those who wait for workers to end.
    pub(super) ended: Waiters,
    staff: Mutex<Staff>,
    /// The lines of the shares that there are.
    pub(super) lines: Mutex<Vec<Weak<dyn Lines>>>,
    pub(super) failed_starts: AtomicU64,
}

/// The workers; the lock is taken to call, park and end, never per job.
#[derive(Default)]
pub(super) struct Staff {
    /// All that live, in the order of their start.
    pub(super) workers: Vec<Arc<Seat>>,
    /// Those that sleep; the last to park is the first to be called, since its
    /// memory is the warmest, and the ones below it reach their keep-alive.
    pub(super) parked: Vec<Arc<Seat>>,
    started: usize,
    /// Those that block in a job.
    pub(super) away: usize,
    /// What workers that ended had done.
    pub(super) done: Counts,
}

/// Why a push was not accepted.
pub(super) enum Refusal {
    Full,
    ShutDown,
}

impl Pool {
    pub(super) fn new(config: Config) -> Arc<Self> {
        Arc::new(Self {
            callable: AtomicUsize::new(config.max_workers),
            config,
            queue: ConcurrentQueue::unbounded(),
            searching: CachePadded::new(AtomicUsize::new(0)),
            queued: AtomicUsize::new(0),
            room: Waiters::new(),
            ended: Waiters::new(),
            staff: Mutex::new(Staff::default()),
            lines: Mutex::new(Vec::new()),
            failed_starts: AtomicU64::new(0),
        })
    }

    /// Puts a job into the queue; [`notify`](Self::notify) must follow.
    pub(super) fn push(&self, job: Arc<dyn Job>, past_limit: bool) -> Result<(), Refusal> {
        if !self.reserve(past_limit) {
            return Err(match self.queue.is_closed() {
                true => Refusal::ShutDown,
                false => Refusal::Full,
            });
        }
        self.queue.push(job).map_err(|_| {
            self.release();
            Refusal::ShutDown
        })
    }

    /// Sees to it that somebody looks at the queue after this.
    ///
    /// # Errors
    /// There is no worker and none could be started. What is in the queue must
    /// then be refused with [`refuse_all`](Self::refuse_all).
    #[inline]
    pub(super) fn notify(self: &Arc<Self>) -> io::Result<()> {
        fence(SeqCst);
        if self.searching.load(Relaxed) != 0 || self.callable.load(Relaxed) == 0 {
            return Ok(());
        }
        self.call()
    }

    pub(super) fn pop(&self) -> Result<Arc<dyn Job>, PopError> {
        let job = self.queue.pop()?;
        self.release();
        Ok(job)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    pub(super) fn queue_len(&self) -> usize {
        self.queue.len()
    }

    /// Runs `f` on the workers' table; no foreign code in it.
    pub(super) fn with_staff<R>(&self, f: impl FnOnce(&mut Staff) -> R) -> R {
        f(&mut self.staff.lock())
    }

    /// Accepts no more jobs and calls everybody, so that the queue is run dry.
    pub(super) fn close(self: &Arc<Self>) {
        self.queue.close();
        let called = {
            let mut staff = self.staff.lock();
            let called = std::mem::take(&mut staff.parked);
            self.searching.fetch_add(called.len(), AcqRel);
            self.count_callable(&staff);
            called
        };
        for seat in called {
            seat.call();
        }
        self.room.wake_all();
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

    /// Only one thread at a time gets past the check of `searching`: the first
    /// raises it under the lock.
    #[cold]
    fn call(self: &Arc<Self>) -> io::Result<()> {
        let number = {
            let mut staff = self.staff.lock();
            if self.searching.load(Acquire) != 0 {
                return Ok(());
            }
            if let Some(seat) = self.call_parked(&mut staff) {
                drop(staff);
                seat.call();
                return Ok(());
            }
            if staff.workers.len() >= self.most(&staff) {
                return match staff.all_away() {
                    true => Err(io::ErrorKind::Deadlock.into()),
                    false => Ok(()),
                };
            }
            self.add_worker(&mut staff)
        };
        self.start(number)
    }

    fn call_parked(&self, staff: &mut Staff) -> Option<Arc<Seat>> {
        let seat = staff.parked.pop()?;
        self.searching.fetch_add(1, AcqRel);
        self.count_callable(staff);
        Some(seat)
    }

    fn add_worker(&self, staff: &mut Staff) -> Arc<Seat> {
        let number = staff.started;
        let seat = Seat::new(number, self.config.worker_name(number));
        staff.started += 1;
        staff.workers.push(seat.clone());
        self.searching.fetch_add(1, AcqRel);
        self.count_callable(staff);
        seat
    }

    /// Starts the thread of a worker that is counted already.
    fn start(self: &Arc<Self>, seat: Arc<Seat>) -> io::Result<()> {
        let Err(error) = worker::start(self.clone(), seat.clone()) else {
            return Ok(());
        };
        self.failed_starts.fetch_add(1, Relaxed);
        let (nobody, called) = {
            let mut staff = self.staff.lock();
            staff.workers.retain(|other| !Arc::ptr_eq(other, &seat));
            self.searching.fetch_sub(1, AcqRel);
            self.count_callable(&staff);
            fence(SeqCst);
            // Others may have relied on this one and called nobody.
            let called = match self.queue.is_empty() {
                true => None,
                false => self.call_parked(&mut staff),
            };
            (staff.all_away(), called)
        };
        if let Some(seat) = called {
            seat.call();
        }
        // With any worker that does not block the jobs run later.
        if nobody { Err(error) } else { Ok(()) }
    }

    /// Starts workers up to the minimum.
    pub(super) fn start_minimum(self: &Arc<Self>) -> io::Result<()> {
        loop {
            let seat = {
                let mut staff = self.staff.lock();
                if staff.workers.len() >= self.config.min_workers {
                    return Ok(());
                }
                self.add_worker(&mut staff)
            };
            let before = self.failed_starts.load(Relaxed);
            self.start(seat)?;
            if self.failed_starts.load(Relaxed) != before {
                // There are some workers; the rest starts when jobs ask for it.
                return Ok(());
            }
        }
    }

    // What follows is called by workers.

    /// A searcher has taken a job: is somebody needed in its place?
    pub(super) fn found(self: &Arc<Self>) {
        if self.searching.fetch_sub(1, AcqRel) == 1 {
            fence(SeqCst);
            if !self.queue.is_empty() {
                // A worker is alive, the caller: there is no error to report.
                let _ = self.notify();
            }
        }
    }

    /// A running worker found nothing and will look again.
    pub(super) fn search_begins(&self) {
        self.searching.fetch_add(1, AcqRel);
    }

    /// Is the caller the only one that searches?
    pub(super) fn searches_alone(&self) -> bool {
        self.searching.load(Relaxed) <= 1
    }

    /// A searcher parks; false if it must look at the queue once more.
    pub(super) fn park(&self, seat: &Arc<Seat>) -> bool {
        {
            let mut staff = self.staff.lock();
            staff.parked.push(seat.clone());
            self.searching.fetch_sub(1, AcqRel);
            self.count_callable(&staff);
        }
        fence(SeqCst);
        let wanted = !self.queue.is_empty() || self.queue.is_closed();
        !(wanted && self.unpark(seat))
    }

    /// Back to searching by itself; false if it was called already.
    fn unpark(&self, seat: &Arc<Seat>) -> bool {
        let mut staff = self.staff.lock();
        let listed = staff.unlist(seat);
        if listed {
            self.searching.fetch_add(1, AcqRel);
            self.count_callable(&staff);
        }
        listed
    }

    /// A parked worker's keep-alive is over; true if it may leave.
    pub(super) fn leave_parked(&self, seat: &Arc<Seat>) -> bool {
        let mut staff = self.staff.lock();
        let spare = staff.workers.len() > self.config.min_workers;
        // One that is not listed has been called: it must look at the queue.
        if !(spare && staff.unlist(seat)) {
            return false;
        }
        self.remove(&mut staff, seat);
        true
    }

    /// A searcher found the queue closed and empty.
    pub(super) fn leave_closed(&self, seat: &Arc<Seat>) {
        let mut staff = self.staff.lock();
        self.searching.fetch_sub(1, AcqRel);
        self.remove(&mut staff, seat);
    }

    fn remove(&self, staff: &mut Staff, seat: &Arc<Seat>) {
        staff.workers.retain(|other| !Arc::ptr_eq(other, seat));
        staff.done += seat.counts();
        self.count_callable(staff);
    }

    pub(super) fn count_callable(&self, staff: &Staff) {
        let unstarted = self.most(staff).saturating_sub(staff.workers.len());
        let callable = unstarted + staff.parked.len();
        // With everybody away and nobody to be had, a push has to come and hear
        // of it.
        let stuck = callable == 0 && staff.all_away();
        self.callable.store(callable + usize::from(stuck), Relaxed);
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
            self.room.wake_one();
        }
    }
}

impl Staff {
    fn unlist(&mut self, seat: &Arc<Seat>) -> bool {
        let at = self
            .parked
            .iter()
            .position(|other| Arc::ptr_eq(other, seat));
        at.is_some_and(|at| {
            self.parked.remove(at);
            true
        })
    }
}
