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
//! from its sleep. Waits that end by themselves, at a deadline, put down nothing,
//! since nobody waits for them for ever; but they look for a ring of the others.
//!
//! # Why the one `unsafe` is sound
//! 1. An edge holds the address of the byte that tells of its answer. It is in
//!    the table only while [`Graph::during`] runs, which borrows the byte: it is
//!    taken out, under the lock, on every way out of that function.
//! 2. The byte is read under the lock only.

use crate::loom::{AtomicU8, Mutex};
use polyloop::HomeThread;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::iter;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Acquire;
use std::sync::{Arc, OnceLock};

/// Somebody whom others may block on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    /// The loops of a thread.
    Loops(HomeThread),
    /// The job whose state lies at this address.
    Job(usize),
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
    let sleep = || match STAND_IN.try_with(|stand_in| stand_in.borrow().clone()) {
        Ok(Some(pool)) => {
            let _away = Away::new(pool);
            sleep()
        }
        _ => sleep(),
    };
    if job.is_none() && loops.is_none() {
        return Ok(sleep());
    }
    static GRAPH: OnceLock<Graph> = OnceLock::new();
    let graph = GRAPH.get_or_init(Graph::default);
    graph.during([job, loops], waits, all, for_ever, sleep)
}

/// Runs a job: until `work` is over, the calling thread is the job at `address`.
pub(crate) fn as_job<R>(address: usize, work: impl FnOnce() -> R) -> R {
    let before = JOB.try_with(|job| job.replace(Some(address)));
    let _after = Restore(before.ok().flatten());
    work()
}

/// What a pool does while one of its threads blocks.
pub(crate) trait StandIn: Send + Sync {
    /// A thread stops working for a time.
    fn thread_goes(&self);
    /// It works again.
    fn thread_is_back(&self);
}

/// Names the pool that the calling thread works for, or none any more.
pub(crate) fn works_for(pool: Option<Arc<dyn StandIn>>) {
    let _ = STAND_IN.try_with(|stand_in| stand_in.replace(pool));
}

thread_local! {
    /// The job that the thread runs.
    static JOB: Cell<Option<usize>> = const { Cell::new(None) };
    static STAND_IN: RefCell<Option<Arc<dyn StandIn>>> = const { RefCell::new(None) };
}

struct Restore(Option<usize>);

impl Drop for Restore {
    fn drop(&mut self) {
        let _ = JOB.try_with(|job| job.set(self.0));
    }
}

struct Away(Arc<dyn StandIn>);

impl Away {
    fn new(pool: Arc<dyn StandIn>) -> Self {
        pool.thread_goes();
        Self(pool)
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        self.0.thread_is_back();
    }
}

struct Edge {
    to: Node,
    byte: NonNull<AtomicU8>,
    bit: u8,
}

// SAFETY: an atomic's address, read by invariants 1 and 2 from any thread.
unsafe impl Send for Edge {}

impl Edge {
    fn is_done(&self) -> bool {
        // SAFETY: invariant 1: the edge is in the table, so the byte is borrowed
        // by the call that put it there.
        let byte = unsafe { self.byte.as_ref() };
        DoneBit::new(byte, self.bit).is_set()
    }
}

/// The edges of all that sleep.
pub(crate) struct Graph {
    edges: Mutex<HashMap<Node, Edge>>,
}

impl Default for Graph {
    fn default() -> Self {
        Self {
            edges: Mutex::new(HashMap::new()),
        }
    }
}

impl Graph {
    /// See [`blocked_on_some`]; the caller is each of `mine`.
    pub(crate) fn during<'a, R>(
        &self,
        mine: [Option<Node>; 2],
        waits: impl Iterator<Item = Wait<'a>> + Clone,
        all: bool,
        for_ever: bool,
        sleep: impl FnOnce() -> R,
    ) -> Result<R, Ring> {
        let mut laid = Laid {
            graph: self,
            under: [None, None],
        };
        {
            let mut edges = self.edges.lock();
            let is_open = |wait: &Wait<'_>| wait.done.is_set() || !leads_to(&edges, wait.on, mine);
            let Some(Wait { on, done }) = waits.clone().find(is_open) else {
                return Err(Ring);
            };
            if for_ever && (all || waits.clone().nth(1).is_none()) {
                for (slot, node) in laid.under.iter_mut().zip(mine) {
                    let Some(node) = node else { continue };
                    let edge = Edge {
                        to: on,
                        byte: NonNull::from(done.byte),
                        bit: done.bit,
                    };
                    *slot = Some((node, edges.insert(node, edge)));
                }
            }
        }
        let answer = sleep();
        drop(laid);
        Ok(answer)
    }
}

/// Does the way from `on` lead to one of `mine`?
fn leads_to(edges: &HashMap<Node, Edge>, on: Node, mine: [Option<Node>; 2]) -> bool {
    let mut at = on;
    // A way has no more steps than there are edges, unless it goes round.
    for _ in 0..=edges.len() {
        if mine.contains(&Some(at)) {
            return true;
        }
        match edges.get(&at) {
            Some(edge) if !edge.is_done() => at = edge.to,
            _ => return false,
        }
    }
    false
}

/// Edges that were put down, with what they lie on: a thread that sleeps may
/// sleep once more in code that it runs when it looks for its answer.
struct Laid<'a> {
    graph: &'a Graph,
    under: [Option<(Node, Option<Edge>)>; 2],
}

impl Drop for Laid<'_> {
    fn drop(&mut self) {
        if self.under.iter().all(Option::is_none) {
            return;
        }
        let mut edges = self.graph.edges.lock();
        for (node, under) in self.under.iter_mut().filter_map(Option::take) {
            match under {
                Some(edge) => edges.insert(node, edge),
                None => edges.remove(&node),
            };
        }
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    //! Two threads block on each other, on the real graph.

    use super::*;
    use loom::sync::Condvar;
    use std::sync::atomic::Ordering::Release;

    /// An answer that a thread can sleep for.
    struct Answer {
        byte: AtomicU8,
        lock: loom::sync::Mutex<()>,
        changed: Condvar,
    }

    impl Answer {
        fn new() -> Arc<Self> {
            Arc::new(Self {
                byte: AtomicU8::new(0),
                lock: loom::sync::Mutex::new(()),
                changed: Condvar::new(),
            })
        }

        fn give(&self) {
            self.byte.store(1, Release);
            drop(self.lock.lock().unwrap());
            self.changed.notify_all();
        }

        fn sleep(&self) {
            let mut lock = self.lock.lock().unwrap();
            while self.byte.load(Acquire) == 0 {
                lock = self.changed.wait(lock).unwrap();
            }
        }
    }

    fn block(graph: &Graph, me: usize, on: usize, answer: &Answer) -> Result<(), Ring> {
        let mine = [Some(Node::Job(me)), None];
        let wait = Wait {
            on: Node::Job(on),
            done: DoneBit::new(&answer.byte, 1),
        };
        graph.during(mine, iter::once(wait), true, true, || answer.sleep())
    }

    #[test]
    fn loom_of_two_that_block_on_each_other_one_is_told() {
        loom::model(|| {
            let graph = Arc::new(Graph::default());
            let (a, b) = (Answer::new(), Answer::new());
            let other = {
                let (graph, a, b) = (graph.clone(), a.clone(), b.clone());
                loom::thread::spawn(move || {
                    let told = block(&graph, 2, 1, &a).is_err();
                    b.give();
                    told
                })
            };
            let told = block(&graph, 1, 2, &b).is_err();
            a.give();
            assert!(!(told && other.join().unwrap()), "one is enough");
        });
    }

    #[test]
    fn loom_an_answer_that_is_there_is_no_ring() {
        loom::model(|| {
            let graph = Arc::new(Graph::default());
            let (a, b) = (Answer::new(), Answer::new());
            let other = {
                let (graph, a, b) = (graph.clone(), a.clone(), b.clone());
                loom::thread::spawn(move || {
                    b.give();
                    block(&graph, 2, 1, &a).expect("the first is awake, or will be");
                })
            };
            block(&graph, 1, 2, &b).expect("it is answered before the other blocks");
            a.give();
            other.join().unwrap();
        });
    }
}
