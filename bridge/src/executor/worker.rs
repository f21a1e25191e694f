//! One worker: looks for jobs, runs them, sleeps, leaves.
//!
//! Its states, and what it owes to those who bring jobs, are in the head of
//! [`bargain`](super::bargain); this file is the worker's way through them.
#![forbid(unsafe_code)]

use super::bargain::Place;
use super::job::{Job, Ran};
use super::pool::Pool;
use crate::blocked::WorksFor;
use crate::cores::{pin_to, unpin};
use crate::waiters::quietly;
use concurrent_queue::PopError;
use parking_lot::Mutex;
use polyloop::spin::{BusyThread, SpinBudget};
use std::cell::Cell;
use std::io;
use std::ops::AddAssign;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Starts the thread of a worker that the pool counts as searching already.
pub(super) fn start(pool: Arc<Pool>, seat: Arc<Seat>) -> io::Result<()> {
    let mut builder = thread::Builder::new().name(seat.name.clone());
    if let Some(size) = pool.config.stack_size {
        builder = builder.stack_size(size);
    }
    builder
        .spawn(move || Worker::new(pool, seat).work())
        .map(drop)
}

/// Is the calling thread a worker of this pool?
pub(super) fn is_worker_of(pool: &Arc<Pool>) -> bool {
    let address = Arc::as_ptr(pool).addr();
    WORKS_FOR
        .try_with(|works_for| works_for.get() == address)
        .unwrap_or(false)
}

/// What others may know of a worker, and how they call it.
pub(super) struct Seat {
    pub(super) name: String,
    /// How many were started before it.
    number: usize,
    called: AtomicBool,
    /// Set by the worker before it parks for the first time.
    thread: Mutex<Option<Thread>>,
    /// The job it runs, or ran last before it went looking.
    current: Mutex<Option<Running>>,
    completed: AtomicU64,
    panicked: AtomicU64,
    cancelled: AtomicU64,
}

/// A job that has begun.
#[derive(Clone, Copy)]
pub(super) struct Running {
    pub(super) location: &'static Location<'static>,
    pub(super) since: Instant,
}

/// How many jobs a worker has taken, by what became of them.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) completed: u64,
    pub(super) panicked: u64,
    pub(super) cancelled: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.completed += other.completed;
        self.panicked += other.panicked;
        self.cancelled += other.cancelled;
    }
}

impl Seat {
    pub(super) fn new(number: usize, name: String) -> Arc<Self> {
        Arc::new(Self {
            name,
            number,
            called: AtomicBool::new(false),
            thread: Mutex::new(None),
            current: Mutex::new(None),
            completed: AtomicU64::new(0),
            panicked: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
        })
    }

    pub(super) fn running(&self) -> Option<Running> {
        *self.current.lock()
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            completed: self.completed.load(Relaxed),
            panicked: self.panicked.load(Relaxed),
            cancelled: self.cancelled.load(Relaxed),
        }
    }

    /// Counters have one writer, their worker: no read-modify-write is needed.
    fn count(&self, ran: Ran) {
        let counter = match ran {
            Ran::Completed => &self.completed,
            Ran::Panicked => &self.panicked,
            Ran::ClaimedBefore => &self.cancelled,
        };
        counter.store(counter.load(Relaxed) + 1, Relaxed);
    }
}

impl Place for Seat {
    type Sum = Counts;

    fn call(&self) {
        self.called.store(true, Release);
        let thread = self.thread.lock().clone();
        if let Some(thread) = thread {
            thread.unpark();
        }
    }

    fn add_to(&self, sum: &mut Counts) {
        *sum += self.counts();
    }
}

struct Worker {
    pool: Arc<Pool>,
    seat: Arc<Seat>,
    budget: SpinBudget,
    /// Counts this thread as busy while it is not parked.
    busy: Option<BusyThread>,
    /// Did it take job after job when it last worked, each of them [`SHORT`]?
    swift: bool,
}

/// What a search ended with.
enum Found {
    Job(Arc<dyn Job>),
    Nothing,
    Closed,
}

impl Worker {
    fn new(pool: Arc<Pool>, seat: Arc<Seat>) -> Self {
        Self {
            pool,
            seat,
            budget: SpinBudget::new(),
            busy: Some(BusyThread::enter()),
            swift: false,
        }
    }

    fn work(mut self) {
        *self.seat.thread.lock() = Some(thread::current());
        let address = Arc::as_ptr(&self.pool).addr();
        let _ = WORKS_FOR.try_with(|works_for| works_for.set(address));
        let works = WorksFor::new(Some(self.pool.clone()));
        self.pin();
        if let Some(on_start) = &self.pool.config.on_start {
            quietly(|| on_start());
        }
        let mut idle_since = None;
        loop {
            match self.search() {
                Found::Job(job) => {
                    let waited = idle_since.take().map(|since: Instant| since.elapsed());
                    self.budget.wait_ended(waited.unwrap_or_default());
                    self.pool.found();
                    self.run_until_empty(job);
                }
                Found::Nothing => {
                    idle_since.get_or_insert_with(Instant::now);
                    if !self.rest() {
                        break;
                    }
                }
                Found::Closed => {
                    self.pool.bargain.leave_closed(&self.seat);
                    break;
                }
            }
        }
        if let Some(on_stop) = &self.pool.config.on_stop {
            quietly(|| on_stop());
        }
        drop(works);
        quietly(|| self.pool.ended.wake_all());
    }

    /// To a core, if the builder named some; else to all, whoever started the
    /// thread. What the system refuses is left.
    fn pin(&self) {
        let cores = &self.pool.config.cpus;
        match self.seat.number.checked_rem(cores.len()) {
            Some(place) => pin_to(cores[place]),
            None => unpin(),
        };
    }

    /// SEARCHING: one look at least, more while the budget allows.
    fn search(&mut self) -> Found {
        match self.pool.pop() {
            Ok(job) => return Found::Job(job),
            Err(PopError::Closed) => return Found::Closed,
            Err(PopError::Empty) => {}
        }
        // One spinner is enough: it is the promise to every submitter.
        if !self.pool.bargain.searches_alone() {
            return Found::Nothing;
        }
        let pool = &self.pool;
        let found = self.budget.spin(None, |costly| {
            if !(pool.has_job() || costly && pool.is_closed()) {
                return None;
            }
            match pool.pop() {
                Ok(job) => Some(Found::Job(job)),
                Err(PopError::Closed) => Some(Found::Closed),
                Err(PopError::Empty) => None,
            }
        });
        found.unwrap_or(Found::Nothing)
    }

    /// RUNNING: no lock and no counter is touched from job to job.
    fn run_until_empty(&mut self, first: Arc<dyn Job>) {
        let began = self.run(first);
        let (mut last, mut more) = (began, 0_u32);
        while let Ok(job) = self.pool.pop() {
            last = self.run(job);
            more = more.saturating_add(1);
        }
        self.swift = last - began < SHORT * more;
        *self.seat.current.lock() = None;
        self.pool.bargain.search_begins();
    }

    /// Runs a job; says when it began.
    fn run(&self, job: Arc<dyn Job>) -> Instant {
        let since = Instant::now();
        *self.seat.current.lock() = Some(Running {
            location: job.state().location,
            since,
        });
        // The closure's panics are caught inside and delivered. What comes out
        // here is a waker's, or that of a value nobody wanted.
        quietly(|| {
            self.seat.count(job.run());
            drop(job);
        });
        since
    }

    /// PARKED, until called; false if the worker has left the pool.
    fn rest(&mut self) -> bool {
        if !self.pool.bargain.park(&self.seat) {
            return true;
        }
        self.busy = None;
        let keep_alive = match self.pool.bargain.has_surplus() {
            // It stood in for one that blocked, which is back.
            true => Duration::ZERO,
            false => self.pool.config.keep_alive,
        };
        let mut until = Instant::now().checked_add(keep_alive);
        while !self.seat.called.swap(false, Acquire) {
            match until.map(|at| at.saturating_duration_since(Instant::now())) {
                None => thread::park(),
                Some(Duration::ZERO) => {
                    if self.pool.bargain.leave_parked(&self.seat) {
                        return false;
                    }
                    // Needed for the minimum, or called just now.
                    until = None;
                }
                Some(left) => thread::park_timeout(left),
            }
        }
        self.busy = Some(BusyThread::enter());
        if self.swift {
            self.hold_back();
        }
        true
    }

    /// Where the cores are crowded and jobs are short, one more worker takes the
    /// core from one that works: it offers its own as long as others take jobs.
    fn hold_back(&mut self) {
        let pool = &self.pool;
        let mut taken = pool.bargain.jobs.taken();
        self.budget.offer(None, || {
            let before = std::mem::replace(&mut taken, pool.bargain.jobs.taken());
            (before == taken || pool.is_empty()).then_some(())
        });
    }
}

/// Jobs shorter than this are done before another worker has come for them.
const SHORT: Duration = Duration::from_micros(2);

thread_local! {
    /// The address of the pool that this thread works for.
    static WORKS_FOR: Cell<usize> = const { Cell::new(0) };
}
