//! A seeded disorder of the ready queue: what a program relies on without
//! knowing comes to light (mistakes at shutdown above all, which an orderly
//! queue hides).
#![forbid(unsafe_code)]

use crate::ready::ReadyQueue;
use crate::task::TaskRef;

/// A generator, and memory for one batch.
pub(super) struct Shuffle {
    state: u64,
    batch: Vec<TaskRef>,
}

impl Shuffle {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            // xorshift needs a state that is not zero.
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            batch: Vec::new(),
        }
    }

    /// Puts what is ready into another order; what comes later comes after it.
    pub(super) fn mix(&mut self, ready: &ReadyQueue) {
        let Self { state, batch } = self;
        batch.extend(std::iter::from_fn(|| ready.pop()));
        // Fisher and Yates, from the end.
        for last in (1..batch.len()).rev() {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            batch.swap(last, (*state % (last as u64 + 1)) as usize);
        }
        for task in batch.drain(..) {
            ready.push(task);
        }
    }
}
