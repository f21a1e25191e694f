//! What is to hold of the [`bargain`](super::bargain) in whatever order its
//! threads go. One set for two checkers: loom tries every order that memory
//! allows of few threads, shuttle thousands of orders of more.
//!
//! The queue is one word, which orders no more than a queue has to; the workers
//! go the way of the real ones. A call that is lost leaves a job unrun and the
//! model's first thread asleep, and each checker reports that as a deadlock.
#![forbid(unsafe_code)]

use super::bargain::{Bargain, Jobs, Place, Wanted};
use super::bargain_family::{Bell, Family, Role};
use super::primitives::{AtomicUsize, sync, thread};
use Role::{ChildOf, Parent, Patient};
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, SeqCst};

/// Jobs above its lowest bit, which says that no more are taken.
struct Line(AtomicUsize);

const CLOSED: usize = 1;
const JOB: usize = 2;

enum Popped {
    Job,
    Empty,
    Closed,
}

impl Line {
    fn push(&self) -> bool {
        self.0
            .fetch_update(SeqCst, Acquire, |line| {
                (line & CLOSED == 0).then_some(line + JOB)
            })
            .is_ok()
    }

    fn pop(&self) -> Popped {
        let popped = self
            .0
            .fetch_update(AcqRel, Acquire, |line| line.checked_sub(JOB));
        match popped {
            Ok(_) => Popped::Job,
            Err(CLOSED) => Popped::Closed,
            Err(_) => Popped::Empty,
        }
    }
}

impl Jobs for Line {
    fn is_empty(&self) -> bool {
        self.0.load(SeqCst) < JOB
    }

    fn is_closed(&self) -> bool {
        self.0.load(Acquire) & CLOSED != 0
    }
}

struct Desk(Bell);

impl Place for Desk {
    type Sum = ();

    fn call(&self) {
        self.0.ring();
    }

    fn add_to(&self, (): &mut ()) {}
}

/// A pool, the jobs it was given and what became of them.
struct World {
    bargain: Bargain<Line, Desk>,
    /// Jobs that have run or were refused.
    answered: AtomicUsize,
    /// How many the first thread waits for, and what tells it.
    awaited: usize,
    all: Bell,
    refused: AtomicUsize,
    /// Starts that were tried; `fails` says which the system refuses.
    starts: AtomicUsize,
    fails: fn(usize) -> bool,
    /// Is the keep-alive over as soon as a worker parks?
    impatient: bool,
    /// Jobs that block.
    family: Option<Family>,
    /// Two jobs wait for each other.
    meeting: Option<[Bell; 2]>,
    begun: AtomicUsize,
    handles: sync::Mutex<Vec<thread::JoinHandle<()>>>,
}

impl World {
    /// With `jobs` to come, of `workers` at most.
    fn new(workers: usize, jobs: usize) -> Self {
        Self {
            bargain: Bargain::new(Line(AtomicUsize::new(0)), 0, workers, 1),
            answered: AtomicUsize::new(0),
            awaited: jobs,
            all: Bell::new(),
            refused: AtomicUsize::new(0),
            starts: AtomicUsize::new(0),
            fails: |_| false,
            impatient: false,
            family: None,
            meeting: None,
            begun: AtomicUsize::new(0),
            handles: sync::Mutex::new(Vec::new()),
        }
    }

    /// True if the job was taken.
    fn submit(self: &Arc<Self>) -> bool {
        let taken = self.bargain.jobs.push();
        if taken {
            self.notify();
        }
        taken
    }

    fn notify(self: &Arc<Self>) {
        let nobody = match self.bargain.notify(|_| Self::desk()) {
            Wanted::Nothing => false,
            Wanted::Start(desk) if (self.fails)(self.starts.fetch_add(1, SeqCst)) => {
                self.bargain.not_started(&desk)
            }
            Wanted::Start(desk) => {
                let world = self.clone();
                let handle = thread::spawn(move || world.work(&desk));
                self.handles().push(handle);
                false
            }
        };
        if nobody {
            while let Popped::Job = self.bargain.jobs.pop() {
                self.refused.fetch_add(1, SeqCst);
                self.answer();
            }
        }
    }

    fn desk() -> Arc<Desk> {
        Arc::new(Desk(Bell::new()))
    }

    fn work(self: &Arc<Self>, desk: &Arc<Desk>) {
        loop {
            match self.bargain.jobs.pop() {
                Popped::Job => {
                    if self.bargain.found() {
                        self.notify();
                    }
                    self.run();
                    while let Popped::Job = self.bargain.jobs.pop() {
                        self.run();
                    }
                    self.bargain.search_begins();
                }
                Popped::Closed => return self.bargain.leave_closed(desk),
                Popped::Empty => {
                    if self.bargain.park(desk) && !self.rest(desk) {
                        return;
                    }
                }
            }
        }
    }

    /// Until it is called; false if it has left.
    fn rest(&self, desk: &Arc<Desk>) -> bool {
        let over = self.impatient || self.bargain.has_surplus();
        if over && !desk.0.has_rung() && self.bargain.leave_parked(desk) {
            return false;
        }
        desk.0.sleep();
        true
    }

    fn run(self: &Arc<Self>) {
        if let Some(bells) = &self.meeting {
            let own = self.begun.fetch_add(1, SeqCst);
            bells[1 - own].ring();
            bells[own].sleep();
        }
        if let Some(family) = &self.family {
            let own = self.begun.fetch_add(1, SeqCst);
            match family.roles[own] {
                Parent(own) => {
                    assert!(self.submit());
                    self.block(family, own, true);
                }
                Patient(own) => self.block(family, own, false),
                ChildOf(parent) => family.let_go(parent),
            }
        }
        self.answer();
    }

    fn block(self: &Arc<Self>, family: &Family, own: usize, bound: bool) {
        // The table of who waits for what is a lock's in earnest.
        let bit = 1 << own;
        family.waiting.fetch_or(bit, SeqCst);
        let answered = || family.waiting.load(SeqCst) & family.let_go.load(SeqCst) != 0;
        if self.bargain.goes_away(bound, answered) {
            if !self.bargain.jobs.is_empty() {
                self.notify();
            }
            family.bells[own].sleep();
            self.bargain.is_back(bound);
        } else {
            assert!(!answered(), "that one would be back");
            family.told.fetch_add(1, SeqCst);
        }
        family.waiting.fetch_and(!bit, SeqCst);
    }

    fn answer(&self) {
        if self.answered.fetch_add(1, SeqCst) + 1 == self.awaited {
            self.all.ring();
        }
    }

    /// Closes and waits until every worker has left.
    fn end(&self) {
        self.bargain.jobs.0.fetch_or(CLOSED, AcqRel);
        self.bargain.call_all();
        loop {
            // A worker may start another one: not under the lock.
            let Some(handle) = self.handles().pop() else {
                break;
            };
            handle.join().expect("no worker panics");
        }
        let left = self.bargain.with_staff(|staff| staff.workers.len());
        assert_eq!(left, 0, "who leaves is not listed any more");
    }

    fn handles(&self) -> sync::MutexGuard<'_, Vec<thread::JoinHandle<()>>> {
        self.handles.lock().expect("nobody panics under it")
    }
}

/// `others` threads bring a job each, and the first thread `own`.
fn brought_by(world: World, others: usize, own: usize) {
    let world = Arc::new(world);
    let bringing: Vec<_> = (0..others)
        .map(|_| {
            let world = world.clone();
            thread::spawn(move || assert!(world.submit()))
        })
        .collect();
    for _ in 0..own {
        assert!(world.submit());
    }
    world.all.sleep();
    for bringing in bringing {
        bringing.join().expect("it does not panic");
    }
    world.end();
    assert_eq!(world.answered.load(Relaxed), world.awaited);
}

/// No job is slept over, whoever brings it while a worker comes, looks or parks.
pub(super) fn every_job_is_run(workers: usize, others: usize, own: usize) {
    brought_by(World::new(workers, others + own), others, own);
}

/// Nor when the workers leave as soon as they have nothing to do.
pub(super) fn a_worker_that_leaves_misses_no_job(workers: usize, others: usize, own: usize) {
    let impatient = World {
        impatient: true,
        ..World::new(workers, others + own)
    };
    brought_by(impatient, others, own);
}

/// Nor when threads cannot be started, the first or a later one: then the jobs
/// are refused, or run by those who could.
pub(super) fn a_start_that_fails_strands_no_job(
    fails: fn(usize) -> bool,
    workers: usize,
    others: usize,
    own: usize,
) {
    let failing = World {
        fails,
        ..World::new(workers, others + own)
    };
    brought_by(failing, others, own);
}

/// A job that may take for ever does not keep the next one from another worker:
/// here each ends only when both have begun.
pub(super) fn jobs_run_beside_each_other() {
    let meeting = World {
        meeting: Some([Bell::new(), Bell::new()]),
        ..World::new(2, 2)
    };
    brought_by(meeting, 0, 2);
}

/// A job that was taken before the close is run, and one after it is not taken.
pub(super) fn a_close_leaves_nothing(workers: usize, others: usize) {
    let world = Arc::new(World::new(workers, usize::MAX));
    let bringing: Vec<_> = (0..others)
        .map(|_| {
            let world = world.clone();
            thread::spawn(move || usize::from(world.submit()))
        })
        .collect();
    let own = usize::from(world.submit());
    world.bargain.jobs.0.fetch_or(CLOSED, AcqRel);
    world.bargain.call_all();
    let brought = bringing.into_iter().map(|bringing| bringing.join());
    let taken: usize = brought.map(|taken| taken.expect("it does not panic")).sum();
    world.end();
    assert_eq!(world.answered.load(Relaxed), taken + own);
}

/// A job may block on one that it brings, though there is one worker only.
pub(super) fn who_blocks_is_stood_in_for() {
    let nested = World {
        family: Some(Family::new(&[Parent(0), ChildOf(0)])),
        ..World::new(1, 2)
    };
    brought_by(nested, 0, 1);
}

/// With nobody to stand in, one of those who block on each other's children is
/// told, and the children are run.
pub(super) fn the_last_to_block_is_told() {
    family(&[Parent(0), Parent(1), ChildOf(0), ChildOf(1)], 2, 1);
}

/// Nor is one told too much: who has its answer comes back to the queue.
pub(super) fn who_is_answered_is_not_the_last_to_block() {
    let roles = &[
        Parent(0),
        Parent(1),
        ChildOf(0),
        Parent(2),
        ChildOf(1),
        ChildOf(2),
    ];
    family(roles, 3, 2);
}

/// Two workers and no stand-in; `most` are told at the most, and one at least.
fn family(roles: &'static [Role], parents: usize, most: usize) {
    let world = Arc::new(World {
        bargain: Bargain::new(Line(AtomicUsize::new(0)), 0, 2, 0),
        family: Some(Family::new(roles)),
        ..World::new(2, roles.len())
    });
    for _ in 0..parents {
        assert!(world.submit());
    }
    world.all.sleep();
    world.end();
    let told = world.family.as_ref().map(|family| family.told.load(SeqCst));
    assert!(told.is_some_and(|told| (1..=most).contains(&told)));
    assert_eq!(world.refused.load(SeqCst), 0);
}

/// While the only worker waits for somebody else, jobs stay in the queue.
pub(super) fn a_wait_that_ends_elsewhere_keeps_the_queue() {
    let world = Arc::new(World {
        bargain: Bargain::new(Line(AtomicUsize::new(0)), 0, 1, 0),
        family: Some(Family::new(&[Patient(0), ChildOf(1)])),
        ..World::new(1, 2)
    });
    assert!(world.submit() && world.submit());
    if let Some(family) = &world.family {
        family.let_go(0);
    }
    world.all.sleep();
    world.end();
    assert_eq!(world.refused.load(SeqCst), 0);
}
