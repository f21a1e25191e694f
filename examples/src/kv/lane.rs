//! The part of a batch of commands that one shard answers: it travels to the
//! shard's loop and comes back with the answers.

use super::command::{Op, execute};
use super::entry::Millis;
use super::store::{Key, Store};
use std::ops::Range;

/// A lane pauses when its answers are longer than this, so that a batch of long
/// values is written piece by piece instead of being held whole.
const PAUSE: usize = 256 << 10;
/// Buffers that grew beyond this are given back after use.
const KEEP: usize = 256 << 10;

/// One step of a command; key and value lie in the lane's bytes, or in the
/// connection's input if the lane never leaves its loop.
struct Item {
    op: Op,
    hash: u64,
    key: Range<u32>,
    value: Range<u32>,
}

/// Steps for one shard in the order of the commands, and their answers.
#[derive(Default)]
pub struct Lane {
    bytes: Vec<u8>,
    items: Vec<Item>,
    /// Steps that are done.
    done: usize,
    answers: Vec<u8>,
    /// Where the answers end, of the steps done since the last run began.
    ends: Vec<usize>,
    /// Answers of those that were taken.
    taken: usize,
}

impl Lane {
    /// Appends a step, with its own copy of key and value.
    pub fn push_copy(&mut self, op: Op, key: Key<'_>, value: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key.bytes);
        let middle = self.bytes.len();
        self.bytes.extend_from_slice(value);
        let end = self.bytes.len();
        self.push(op, key.hash, start..middle, middle..end);
    }

    /// Appends a step whose key and value lie in the input that the lane is
    /// going to be run with.
    pub fn push(&mut self, op: Op, hash: u64, key: Range<usize>, value: Range<usize>) {
        let short = |range: Range<usize>| range.start as u32..range.end as u32;
        // A request is far shorter than 4 GiB, and a batch has an end, too.
        debug_assert!(value.end.max(key.end) <= u32::MAX as usize);
        self.items.push(Item {
            op,
            hash,
            key: short(key),
            value: short(value),
        });
    }

    /// Does steps until all are done, or the answers are long enough to be taken
    /// first. `input` is where keys and values lie, if not in the lane.
    pub fn run(&mut self, store: &mut Store, input: Option<&[u8]>, now: Millis) {
        self.answers.clear();
        self.ends.clear();
        self.taken = 0;
        let bytes = input.unwrap_or(&self.bytes);
        for item in &self.items[self.done..] {
            store.touch(item.hash);
        }
        let at = |range: &Range<u32>| &bytes[range.start as usize..range.end as usize];
        for item in &self.items[self.done..] {
            let key = Key {
                hash: item.hash,
                bytes: at(&item.key),
            };
            execute(store, item.op, key, at(&item.value), now, &mut self.answers);
            self.ends.push(self.answers.len());
            if self.answers.len() > PAUSE {
                break;
            }
        }
        self.done += self.ends.len();
    }

    /// Are there steps to be done?
    pub fn has_work(&self) -> bool {
        self.done < self.items.len()
    }

    /// Is there an answer to be taken?
    #[inline]
    pub fn has_answer(&self) -> bool {
        self.taken < self.ends.len()
    }

    /// Takes the next answer; `None`: it has not been made yet.
    #[inline]
    pub fn next(&mut self) -> Option<&[u8]> {
        let end = *self.ends.get(self.taken)?;
        let start = match self.taken {
            0 => 0,
            taken => self.ends[taken - 1],
        };
        self.taken += 1;
        Some(&self.answers[start..end])
    }

    /// Makes it ready for the next batch.
    pub fn reset(&mut self) {
        self.bytes.clear();
        self.items.clear();
        self.answers.clear();
        self.ends.clear();
        self.done = 0;
        self.taken = 0;
        self.bytes.shrink_to(KEEP);
        self.answers.shrink_to(2 * KEEP);
        self.items.shrink_to(KEEP / size_of::<Item>());
    }
}
