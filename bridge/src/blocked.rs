//! Who blocks on whom: rings of threads that wait for each other are found
//! when they close, and answered in place of hanging.
//!
//! # Protocol
//! A *node* is somebody that others may block on: a thread that loops live on,
//! or a job of an executor. A thread that is neither, as most that block are,
//! is nobody's reason to wait; it is in no ring and pays two reads for that.
//!
//! A thread that is about to sleep puts down one edge for each node that it is,
//! to the node that has to act first, and takes it back when it is awake. One
//! lock guards the edges. Under it, before the edge is put down, the way from
//! its end is walked: a way that leads back is a ring, and the newcomer does not
//! sleep. Of two threads that block on each other one is thus always the second.
//!
//! A thread that waits for several puts down no edge if any of them lets it go
//! on: that is a way out, and who walks along one edge must not call it a ring. If
//! all of them have to end, one edge, to the first that is not in a ring, is
//! enough: when that has ended the thread comes back for the next.
//!
//! Each node has one edge at most, so the walk is a straight line. It stops at
//! an edge whose answer is there already: that thread is awake, if not yet back
//! from its sleep. Only who waits for a pool's end waits for many, each job that it
//! runs: there the ways of all its jobs that block are walked, and to meet it is to
//! meet each of them. Waits that end by themselves, at a deadline, put down nothing,
//! since nobody waits for them for ever; but they look for a ring of the others.
//!
//! A thread that works for a pool tells it before it sleeps ([`StandIn`]), so that
//! another one may stand in for it. The pool may say no: then the wait is a ring
//! as well, by way of a job in the queue that nobody else would be there to run.

mod graph;
#[cfg(all(test, loom))]
mod loom_tests;

use crate::loom::AtomicU8;
use graph::Graph;
use polyloop::HomeThread;
use std::cell::{Cell, RefCell};
use std::iter;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::{Arc, OnceLock};

/// Somebody whom others may block on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    /// The loops of a thread.
    Loops(HomeThread),
    Job(JobId),
    /// All the threads of a pool, which are to end.
    Pool(PoolId),
}

/// The job of that pool whose state lies at this address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct JobId {
    pub(crate) address: usize,
    pub(crate) pool: PoolId,
}

/// One pool among all; jobs that go elsewhere are [`PoolId::NONE`]'s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PoolId(u32);

impl PoolId {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        Self(LAST.fetch_add(1, Relaxed).wrapping_add(1))
    }
}

impl Node {
    /// Whose threads have to act?
    fn pool(self) -> PoolId {
        match self {
            Self::Job(job) => job.pool,
            Self::Pool(pool) => pool,
            Self::Loops(_) => PoolId::NONE,
        }
    }

    fn is_job_of(self, pool: PoolId) -> bool {
        matches!(self, Self::Job(job) if job.pool == pool)
    }
}

/// The calling thread would wait for itself, by way of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ring;

/// What a thread waits for: who has to act, and where it is seen that they did.
#[derive(Debug, Clone, Copy)]
pub struct Wait<'a> {
    pub(crate) on: Node,
    pub(crate) done: DoneBit<'a>,
}

/// A bit of a byte; set when an answer is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DoneBit<'a> {
    byte: &'a AtomicU8,
    bit: u8,
}

impl<'a> DoneBit<'a> {
    pub(crate) fn new(byte: &'a AtomicU8, bit: u8) -> Self {
        Self { byte, bit }
    }

    fn is_set(self) -> bool {
        self.byte.load(Acquire) & self.bit != 0
    }
}

/// Calls `sleep`, in which the calling thread waits until `on` has acted.
///
/// # Errors
/// [`Ring`], and `sleep` is not called.
pub(crate) fn blocked<R>(
    on: Node,
    done: DoneBit<'_>,
    for_ever: bool,
    sleep: impl FnOnce() -> R,
) -> Result<R, Ring> {
    blocked_on_some(iter::once(Wait { on, done }), true, for_ever, sleep)
}

/// Calls `sleep`, in which the calling thread waits for the next of `waits` to be
/// over; it needs `all` of them, or else one.
///
/// # Errors
/// [`Ring`], and `sleep` is not called, if each of them leads back.
pub(crate) fn blocked_on_some<'a, R>(
    waits: impl Iterator<Item = Wait<'a>> + Clone,
    all: bool,
    for_ever: bool,
    sleep: impl FnOnce() -> R,
) -> Result<R, Ring> {
    let job = JOB.try_with(Cell::get).ok().flatten().map(Node::Job);
    let loops = HomeThread::current().map(Node::Loops);
    let sleep = |needs| {
        let _away = Away::from_pool(needs, for_ever)?;
        Ok(sleep())
    };
    if job.is_none() && loops.is_none() {
        return sleep(None);
    }
    graph().during([job, loops], waits, all, for_ever, sleep)?
}

fn graph() -> &'static Graph {
    static GRAPH: OnceLock<Graph> = OnceLock::new();
    GRAPH.get_or_init(Graph::default)
}

/// Does a job of the pool block on another one that has ended, so that it is back
/// soon?
pub(crate) fn one_is_answered(pool: PoolId) -> bool {
    graph().one_is_answered(pool)
}

/// Runs a job: until `work` is over, the calling thread is that job.
pub(crate) fn as_job<R>(id: JobId, work: impl FnOnce() -> R) -> R {
    let before = JOB.try_with(|job| job.replace(Some(id)));
    let _after = Restore(before.ok().flatten());
    work()
}

/// What ends the wait of a pool's thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// A deadline, if nothing else does.
    Deadline,
    /// Somebody else, sooner or later.
    Others,
    /// One of the pool's own jobs, and nothing else.
    OwnJob,
}

/// What a pool does while one of its threads blocks.
pub(crate) trait StandIn: Send + Sync {
    fn pool_id(&self) -> PoolId;
    /// A thread stops working for a time. False if it must not, since nobody would
    /// be left to run the job that it waits for.
    #[must_use]
    fn thread_goes(self: Arc<Self>, until: Until) -> bool;
    /// It works again.
    fn thread_is_back(&self, until: Until);
}

/// The calling thread works for this pool, or for none, as long as this lives.
#[must_use = "it ends when this is dropped"]
pub(crate) struct WorksFor {
    before: Option<Arc<dyn StandIn>>,
}

impl WorksFor {
    pub(crate) fn new(pool: Option<Arc<dyn StandIn>>) -> Self {
        let before = STAND_IN.try_with(|stand_in| stand_in.replace(pool));
        Self {
            before: before.ok().flatten(),
        }
    }
}

impl Drop for WorksFor {
    fn drop(&mut self) {
        let _ = STAND_IN.try_with(|stand_in| stand_in.replace(self.before.take()));
    }
}

thread_local! {
    /// The job that the thread runs.
    static JOB: Cell<Option<JobId>> = const { Cell::new(None) };
    static STAND_IN: RefCell<Option<Arc<dyn StandIn>>> = const { RefCell::new(None) };
}

struct Restore(Option<JobId>);

impl Drop for Restore {
    fn drop(&mut self) {
        let _ = JOB.try_with(|job| job.set(self.0));
    }
}

/// The calling thread is away from its pool.
struct Away {
    pool: Arc<dyn StandIn>,
    until: Until,
    /// It is away once, however deep it blocks.
    _works_for_nobody: WorksFor,
}

impl Away {
    /// `needs`: who must act for the thread to go on, if that is one in particular.
    /// `None` if it works for nobody, or is away already.
    fn from_pool(needs: Option<Node>, for_ever: bool) -> Result<Option<Self>, Ring> {
        let pool = STAND_IN.try_with(|stand_in| stand_in.borrow().clone());
        let Ok(Some(pool)) = pool else {
            return Ok(None);
        };
        let until = match needs.is_some_and(|on| on.pool() == pool.pool_id()) {
            _ if !for_ever => Until::Deadline,
            true => Until::OwnJob,
            false => Until::Others,
        };
        if !pool.clone().thread_goes(until) {
            return Err(Ring);
        }
        Ok(Some(Self {
            pool,
            until,
            _works_for_nobody: WorksFor::new(None),
        }))
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        self.pool.thread_is_back(self.until);
    }
}
