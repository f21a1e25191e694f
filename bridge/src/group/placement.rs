//! Which core a loop's thread runs on.
#![forbid(unsafe_code)]

use super::topology::{Cpu, cpus};
use crate::cores::{pin_to, unpin};
use std::collections::BTreeMap;
use std::path::Path;

/// On which cores the threads of a [`LoopGroup`](super::LoopGroup) run: of those
/// that this process may use, with more loops than cores round and round.
///
/// Where the machine says how its cores lie (Linux), that counts; elsewhere the
/// order is that of their numbers. Memory follows by itself: the system takes it
/// from the node of the thread that first writes to it, which is the loop's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Placement {
    /// Wherever the system puts them.
    #[default]
    Unbound,
    /// Each on a core of its own, as far apart as can be: the memory nodes take
    /// turns, and a second thread of a core (hyper-threading) comes last. For
    /// loops that need much memory bandwidth and cache.
    Spread,
    /// On neighbouring cores: one memory node after the other, the threads of a
    /// core together. For loops that talk to each other.
    Pack,
    /// On the cores of these numbers.
    Fixed(Vec<usize>),
}

impl Placement {
    /// The cores in the order in which loops take them.
    pub(super) fn order(&self) -> Vec<usize> {
        if *self == Self::Unbound {
            return Vec::new();
        }
        let allowed = core_affinity::get_core_ids().unwrap_or_default();
        let allowed: Vec<_> = allowed.iter().map(|core| core.id).collect();
        self.order_of(&cpus(Path::new("/sys/devices/system"), &allowed))
    }

    fn order_of(&self, cpus: &[Cpu]) -> Vec<usize> {
        let ranked = ranked(cpus);
        let ids = |ranked: Vec<Ranked>| ranked.into_iter().map(|rank| rank.cpu.id).collect();
        match self {
            Self::Unbound => Vec::new(),
            Self::Fixed(cores) => cores.clone(),
            Self::Spread => {
                let mut ranked = ranked;
                ranked.sort_by_key(|rank| (rank.sibling, rank.within_node, rank.cpu.node));
                ids(ranked)
            }
            Self::Pack => ids(ranked),
        }
    }
}

/// Pins the calling thread, or lets it run anywhere if it is not to be pinned,
/// whoever started it; false if the system refuses.
pub(super) fn pin(order: &[usize], number: usize) -> bool {
    match number.checked_rem(order.len()) {
        Some(place) => pin_to(order[place]),
        None => unpin(),
    }
}

/// A processor among its neighbours.
struct Ranked {
    cpu: Cpu,
    /// Its place among the threads of its core.
    sibling: usize,
    /// Its place among those of its node that have the same `sibling`.
    within_node: usize,
}

/// In the order of nodes, packages, cores, threads.
fn ranked(cpus: &[Cpu]) -> Vec<Ranked> {
    let mut sorted = cpus.to_vec();
    sorted.sort_by_key(|cpu| (cpu.node, cpu.package, cpu.core, cpu.id));
    let mut siblings = BTreeMap::<_, usize>::new();
    let mut within = BTreeMap::<_, usize>::new();
    let rank = |cpu: Cpu| {
        let sibling = count(siblings.entry((cpu.package, cpu.core)).or_default());
        let within_node = count(within.entry((cpu.node, sibling)).or_default());
        Ranked {
            cpu,
            sibling,
            within_node,
        }
    };
    sorted.into_iter().map(rank).collect()
}

/// Counts one more; gives how many there were.
fn count(counter: &mut usize) -> usize {
    *counter += 1;
    *counter - 1
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Two nodes of two cores with two threads each, numbered as Linux does:
    /// second threads come last.
    fn machine() -> Vec<Cpu> {
        let cpu = |id| Cpu {
            id,
            node: id % 4 / 2,
            package: id % 4 / 2,
            core: id % 2,
        };
        (0..8).map(cpu).collect()
    }

    #[test]
    fn spread_takes_nodes_in_turn_and_second_threads_last() {
        let order = Placement::Spread.order_of(&machine());
        assert_eq!(order, [0, 2, 1, 3, 4, 6, 5, 7]);
    }

    #[test]
    fn pack_fills_a_core_then_a_node() {
        let order = Placement::Pack.order_of(&machine());
        assert_eq!(order, [0, 4, 1, 5, 2, 6, 3, 7]);
    }

    #[test]
    fn this_machine_has_an_order_of_all_that_is_allowed() {
        let mut allowed = core_affinity::get_core_ids().unwrap_or_default();
        for placement in [Placement::Spread, Placement::Pack] {
            let mut order = placement.order();
            order.sort_unstable();
            allowed.sort_unstable_by_key(|core| core.id);
            let ids: Vec<_> = allowed.iter().map(|core| core.id).collect();
            assert_eq!(order, ids);
        }
        assert!(Placement::Unbound.order().is_empty());
        assert_eq!(Placement::Fixed(vec![3, 1]).order(), [3, 1]);
    }
}
