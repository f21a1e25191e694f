//! The edges of all that sleep, and the walks along them.
//!
//! # Why the one `unsafe` is sound
//! 1. An edge holds the address of the byte that tells of its answer. It is in
//!    the table only while [`Graph::during`] runs, which borrows the byte: it is
//!    taken out, under the lock, on every way out of that function.
//! 2. The byte is read under the lock only.

use super::{DoneBit, Node, PoolId, Ring, Wait};
use crate::loom::{AtomicU8, Mutex};
use std::collections::HashMap;
use std::ptr::NonNull;

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
pub(super) struct Graph {
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
    /// See [`one_is_answered`](super::one_is_answered).
    pub(super) fn one_is_answered(&self, pool: PoolId) -> bool {
        let edges = self.edges.lock();
        let mut within = edges
            .iter()
            .filter(|(from, edge)| from.pool() == pool && edge.to.pool() == pool);
        within.any(|(_, edge)| edge.is_done())
    }

    /// See [`blocked_on_some`]; the caller is each of `mine`. `sleep` is told whom
    /// the edge leads to, if there is one.
    pub(super) fn during<'a, R>(
        &self,
        mine: [Option<Node>; 2],
        waits: impl Iterator<Item = Wait<'a>> + Clone,
        all: bool,
        for_ever: bool,
        sleep: impl FnOnce(Option<Node>) -> R,
    ) -> Result<R, Ring> {
        let mut laid = Laid {
            graph: self,
            under: [None, None],
        };
        let needs = {
            let mut edges = self.edges.lock();
            let is_open = |wait: &Wait<'_>| {
                wait.done.is_set() || !Walk::new(&edges, mine).leads_home(wait.on)
            };
            let Some(Wait { on, done }) = waits.clone().find(is_open) else {
                return Err(Ring);
            };
            let needs = (for_ever && (all || waits.clone().nth(1).is_none())).then_some(on);
            if let Some(on) = needs {
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
            needs
        };
        let answer = sleep(needs);
        drop(laid);
        Ok(answer)
    }
}

/// A look for a way that leads back to one of `mine`.
struct Walk<'a> {
    edges: &'a HashMap<Node, Edge>,
    mine: [Option<Node>; 2],
    /// Pools whose jobs were looked at.
    seen: Vec<PoolId>,
}

impl<'a> Walk<'a> {
    fn new(edges: &'a HashMap<Node, Edge>, mine: [Option<Node>; 2]) -> Self {
        Self {
            edges,
            mine,
            seen: Vec::new(),
        }
    }

    /// Does a way from `on` lead to one of `mine`?
    fn leads_home(&mut self, on: Node) -> bool {
        match on {
            // A job that waits for the others of its own pool.
            Node::Pool(pool) => self.one_leads_home(pool),
            _ => self.way_leads_home(on),
        }
    }

    fn way_leads_home(&mut self, mut at: Node) -> bool {
        // A way has no more steps than there are edges, unless it goes round.
        for _ in 0..=self.edges.len() {
            if self.mine.contains(&Some(at)) {
                return true;
            }
            if let Node::Pool(pool) = at {
                let mut mine = self.mine.iter().flatten();
                return mine.any(|mine| mine.is_job_of(pool)) || self.one_leads_home(pool);
            }
            match self.edges.get(&at) {
                Some(edge) if !edge.is_done() => at = edge.to,
                _ => return false,
            }
        }
        false
    }

    /// Does the way of one of its jobs that block?
    fn one_leads_home(&mut self, pool: PoolId) -> bool {
        if self.seen.contains(&pool) {
            return false;
        }
        self.seen.push(pool);
        let edges = self.edges.iter();
        let mut blocked = edges.filter(|(from, edge)| from.is_job_of(pool) && !edge.is_done());
        blocked.any(|(_, edge)| self.way_leads_home(edge.to))
    }
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
