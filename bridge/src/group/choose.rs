//! Which loop gets the work.

use polyloop::LoopHandle;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// The loops of a group, without the group: a task that runs on one of them may
/// hold this and yet not keep the group from ending.
#[derive(Debug)]
pub(super) struct Loops {
    pub(super) handles: Vec<LoopHandle>,
    turn: AtomicUsize,
}

impl Loops {
    pub(super) fn new(handles: Vec<LoopHandle>) -> Self {
        Self {
            handles,
            turn: AtomicUsize::new(0),
        }
    }

    pub(super) fn next(&self) -> &LoopHandle {
        &self.handles[self.next_number()]
    }

    pub(super) fn least_loaded(&self) -> &LoopHandle {
        let from = self.next_number();
        let rotated = (from..self.handles.len()).chain(0..from);
        let load = |handle: &LoopHandle| {
            let metrics = handle.metrics();
            // A closed loop takes nothing: the last choice.
            (handle.is_closed(), metrics.tasks, metrics.ready)
        };
        let best = rotated.min_by_key(|&number| load(&self.handles[number]));
        &self.handles[best.unwrap_or(from)]
    }

    pub(super) fn by_key<K: Hash + ?Sized>(&self, key: &K) -> &LoopHandle {
        // Keyed by nothing, so that it is the same in every run.
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let number = hasher.finish() % self.handles.len() as u64;
        &self.handles[number as usize]
    }

    fn next_number(&self) -> usize {
        self.turn.fetch_add(1, Relaxed) % self.handles.len()
    }
}
