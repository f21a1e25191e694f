//! The bargain between those who bring jobs and the workers: who is called.
//!
//! # Protocol
//! A job that was pushed needs one promise: *somebody will look at the queue
//! after this push*. A worker is in one of four states, and two of them are that
//! promise already:
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
//! - SEARCHING (just called, starting, holding back, or spinning before it parks):
//!   it looks at the queue at least once more. `searching` counts them.
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
//! | worker that blocks| `callable` + 1                 | the queue              |
//!
//! One of two fences comes first, so either the submitter sees that it must
//! call, or the other side sees the job. The submitter's fence is the push itself,
//! see [`Jobs`]. `searching` is raised under the lock or by a worker for itself;
//! `callable` is written under the lock.
//!
//! The end: the queue is closed, in the word that pushes claim their place with;
//! everybody parked is called; a worker that finds the queue closed *and* empty
//! leaves.
//!
//! A worker that blocks is *away*; the bargain then has place for one more, up to
//! a number of stand-ins. When that is reached jobs stay queued, and whoever comes
//! back first looks for them. Some of those away are *bound*: they wait until a job
//! of this very queue has run, and nothing else ends their wait. Were every worker
//! bound and no other to be had, none of them would ever come back; so the one who
//! would be the last of them is told not to block. The count is of those who have
//! gone; one of them may have its answer and not be back yet, so the last one asks
//! for that first. Both is done under the lock. What waits for a loop, or up to a
//! deadline, is taken to end by itself, and so never bound.
//!
//! If a start fails, the promise that another worker was to be had is broken, and
//! all may be bound after all: then what is queued has to be refused.
//!
//! The module knows neither threads nor jobs, so that models can drive it: one
//! set of them under loom, which tries the orders that memory allows, and under
//! shuttle, which tries thousands of orders of more threads.
#![forbid(unsafe_code)]

use super::primitives::{AtomicUsize, Mutex, fence, fence_after_claim};
use crossbeam_utils::CachePadded;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, SeqCst};

/// The queue, as far as the bargain looks at it. A push is a sequentially
/// consistent read-modify-write of a word that `is_empty` reads.
pub(super) trait Jobs {
    /// Was a push or pop before this call the last, and nothing left?
    fn is_empty(&self) -> bool;

    /// Are no more jobs taken?
    fn is_closed(&self) -> bool;
}

/// A worker's place, as the bargain sees it.
pub(super) trait Place {
    /// What a worker that left has done, summed up.
    type Sum: Default;

    /// Ends the worker's sleep; it is counted as searching already.
    fn call(&self);

    /// The worker leaves: adds what it has done.
    fn add_to(&self, sum: &mut Self::Sum);
}

pub(super) struct Bargain<Q, P: Place> {
    pub(super) jobs: Q,
    /// Workers that will look at the queue once more.
    searching: CachePadded<AtomicUsize>,
    /// Workers that could be called: parked, or not started yet.
    callable: AtomicUsize,
    min: usize,
    max: usize,
    stand_ins: usize,
    staff: Mutex<Staff<P>>,
}

/// The workers; the lock is taken to call, park and end, never per job.
pub(super) struct Staff<P: Place> {
    /// All that live, in the order of their start.
    pub(super) workers: Vec<Arc<P>>,
    /// Those that sleep; the last to park is the first to be called, since its
    /// memory is the warmest, and the ones below it reach their keep-alive.
    pub(super) parked: Vec<Arc<P>>,
    started: usize,
    /// Those that block in a job.
    away: usize,
    /// Those of them whose wait a job of this queue has to end.
    bound: usize,
    /// What workers that ended had done.
    pub(super) done: P::Sum,
}

/// What whoever brought a job has to do for it.
#[must_use]
pub(super) enum Wanted<P> {
    Nothing,
    /// Start this worker, which counts as searching from now on, or say that it
    /// was [`not_started`](Bargain::not_started).
    Start(Arc<P>),
}

impl<Q: Jobs, P: Place> Bargain<Q, P> {
    pub(super) fn new(jobs: Q, min: usize, max: usize, stand_ins: usize) -> Self {
        Self {
            jobs,
            searching: CachePadded::new(AtomicUsize::new(0)),
            callable: AtomicUsize::new(max),
            min,
            max,
            stand_ins,
            staff: Mutex::new(Staff {
                workers: Vec::new(),
                parked: Vec::new(),
                started: 0,
                away: 0,
                bound: 0,
                done: P::Sum::default(),
            }),
        }
    }

    /// A job was pushed: sees to it that somebody looks at the queue after this.
    /// `new` makes the place of a worker with that number.
    #[inline]
    pub(super) fn notify(&self, new: impl FnOnce(usize) -> Arc<P>) -> Wanted<P> {
        fence_after_claim();
        if self.searching.load(SeqCst) != 0 || self.callable.load(SeqCst) == 0 {
            return Wanted::Nothing;
        }
        self.call(new)
    }

    /// Only one thread at a time gets past the check of `searching`: the first
    /// raises it under the lock.
    #[cold]
    fn call(&self, new: impl FnOnce(usize) -> Arc<P>) -> Wanted<P> {
        let mut staff = self.staff.lock();
        if self.searching.load(Acquire) != 0 {
            return Wanted::Nothing;
        }
        if let Some(place) = self.call_parked(&mut staff) {
            drop(staff);
            place.call();
            return Wanted::Nothing;
        }
        if staff.workers.len() < self.most(&staff) {
            return Wanted::Start(self.add(&mut staff, new));
        }
        Wanted::Nothing
    }

    /// The next worker up to the minimum; to be started as one that is wanted.
    pub(super) fn missing(&self, new: impl FnOnce(usize) -> Arc<P>) -> Option<Arc<P>> {
        let mut staff = self.staff.lock();
        (staff.workers.len() < self.min).then(|| self.add(&mut staff, new))
    }

    /// A worker that was to be started does not start. True if there is none now
    /// but such as are bound: what is in the queue must be refused.
    pub(super) fn not_started(&self, place: &Arc<P>) -> bool {
        let (nobody, called) = {
            let mut staff = self.staff.lock();
            staff.workers.retain(|other| !Arc::ptr_eq(other, place));
            self.searching.fetch_sub(1, AcqRel);
            self.count_callable(&staff);
            fence(SeqCst);
            // Others may have relied on this one and called nobody.
            let called = match self.jobs.is_empty() {
                true => None,
                false => self.call_parked(&mut staff),
            };
            (staff.all_bound(), called)
        };
        if let Some(place) = called {
            place.call();
        }
        nobody
    }

    /// The queue was closed: calls everybody, so that it is run dry.
    pub(super) fn call_all(&self) {
        let called = {
            let mut staff = self.staff.lock();
            let called = std::mem::take(&mut staff.parked);
            self.searching.fetch_add(called.len(), AcqRel);
            self.count_callable(&staff);
            called
        };
        for place in called {
            place.call();
        }
    }

    /// Looks at the workers; no foreign code in it.
    pub(super) fn with_staff<R>(&self, f: impl FnOnce(&Staff<P>) -> R) -> R {
        f(&self.staff.lock())
    }

    // What follows is called by workers.

    /// A searcher has taken a job. True if it was the last to search and the
    /// queue is not empty: somebody is to be called in its place.
    pub(super) fn found(&self) -> bool {
        if self.searching.fetch_sub(1, AcqRel) != 1 {
            return false;
        }
        fence(SeqCst);
        !self.jobs.is_empty()
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
    pub(super) fn park(&self, place: &Arc<P>) -> bool {
        {
            let mut staff = self.staff.lock();
            staff.parked.push(place.clone());
            self.searching.fetch_sub(1, AcqRel);
            self.count_callable(&staff);
        }
        fence(SeqCst);
        let wanted = !self.jobs.is_empty() || self.jobs.is_closed();
        !(wanted && self.unpark(place))
    }

    /// Back to searching by itself; false if it was called already.
    fn unpark(&self, place: &Arc<P>) -> bool {
        let mut staff = self.staff.lock();
        let listed = staff.unlist(place);
        if listed {
            self.searching.fetch_add(1, AcqRel);
            self.count_callable(&staff);
        }
        listed
    }

    /// A parked worker's keep-alive is over; true if it may leave.
    pub(super) fn leave_parked(&self, place: &Arc<P>) -> bool {
        let mut staff = self.staff.lock();
        let spare = staff.workers.len() > self.min;
        // One that is not listed has been called: it must look at the queue.
        if !(spare && staff.unlist(place)) {
            return false;
        }
        self.remove(&mut staff, place);
        true
    }

    /// A searcher found the queue closed and empty.
    pub(super) fn leave_closed(&self, place: &Arc<P>) {
        let mut staff = self.staff.lock();
        self.searching.fetch_sub(1, AcqRel);
        self.remove(&mut staff, place);
    }

    /// A worker begins to block; false if it must not. `answered`: has one of
    /// those bound got its answer? What is in the queue then needs a
    /// [`notify`](Self::notify); whoever pushes later sees one more to call.
    #[must_use]
    pub(super) fn goes_away(&self, bound: bool, answered: impl FnOnce() -> bool) -> bool {
        {
            let mut staff = self.staff.lock();
            staff.away += 1;
            staff.bound += usize::from(bound);
            let last = staff.all_bound() && staff.workers.len() >= self.most(&staff);
            if bound && last && !answered() {
                staff.away -= 1;
                staff.bound -= 1;
                return false;
            }
            self.count_callable(&staff);
        }
        fence(SeqCst);
        true
    }

    pub(super) fn is_back(&self, bound: bool) {
        let mut staff = self.staff.lock();
        staff.away -= 1;
        staff.bound -= usize::from(bound);
        self.count_callable(&staff);
    }

    /// Are there more workers than there may be?
    pub(super) fn has_surplus(&self) -> bool {
        self.with_staff(|staff| staff.workers.len() > self.most(staff))
    }

    /// The most workers there may be now.
    fn most(&self, staff: &Staff<P>) -> usize {
        self.max + staff.away.min(self.stand_ins)
    }

    fn add(&self, staff: &mut Staff<P>, new: impl FnOnce(usize) -> Arc<P>) -> Arc<P> {
        let place = new(staff.started);
        staff.started += 1;
        staff.workers.push(place.clone());
        self.searching.fetch_add(1, AcqRel);
        self.count_callable(staff);
        place
    }

    fn remove(&self, staff: &mut Staff<P>, place: &Arc<P>) {
        staff.workers.retain(|other| !Arc::ptr_eq(other, place));
        place.add_to(&mut staff.done);
        self.count_callable(staff);
    }

    fn call_parked(&self, staff: &mut Staff<P>) -> Option<Arc<P>> {
        let place = staff.parked.pop()?;
        self.searching.fetch_add(1, AcqRel);
        self.count_callable(staff);
        Some(place)
    }

    fn count_callable(&self, staff: &Staff<P>) {
        let unstarted = self.most(staff).saturating_sub(staff.workers.len());
        self.callable.store(unstarted + staff.parked.len(), Relaxed);
    }
}

impl<P: Place> Staff<P> {
    /// Is there no worker but such as wait for a job of this queue?
    fn all_bound(&self) -> bool {
        self.workers.len() <= self.bound
    }

    fn unlist(&mut self, place: &Arc<P>) -> bool {
        let at = self
            .parked
            .iter()
            .position(|other| Arc::ptr_eq(other, place));
        at.is_some_and(|at| {
            self.parked.remove(at);
            true
        })
    }
}
