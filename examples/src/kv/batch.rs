//! The requests that have come in on a connection, planned: which shard does
//! which step, and how the answers are put together again, in order.

use super::command::Op;
use super::lane::Lane;
use super::resp;
use super::store::Key;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

/// Which shard a key belongs to. All connections have the same.
#[derive(Clone)]
pub struct Router {
    hasher: RandomState,
    shards: usize,
}

impl Router {
    /// Spreads the keys over so many shards.
    #[must_use]
    pub fn new(shards: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            shards,
        }
    }

    /// The hash and the shard of a key.
    #[must_use]
    pub fn place(&self, key: &[u8]) -> (u64, usize) {
        let hash = self.hasher.hash_one(key);
        // Neither the lowest nor the highest bits: the table uses those.
        let middle = (hash >> 16) & 0xFFFF_FFFF;
        let shard = (middle * self.shards as u64) >> 32;
        (hash, shard as usize)
    }
}

/// How the next answer is made of those of the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many bytes that the connection made itself.
    Own(usize),
    /// One step's answer as it is.
    One,
    /// An array of so many steps' answers.
    Array(usize),
    /// The sum of so many steps' numbers.
    Sum(usize),
    /// OK, if all of so many are; else the first mistake.
    AllOk(usize),
    /// The text of `INFO`, with the figures of all shards in it.
    Info,
}

/// A connection's requests on their way through the shards.
pub struct Batch {
    router: Router,
    /// The lane that the connection's own loop answers; its keys and values
    /// stay in the connection's input.
    home: usize,
    /// One a shard.
    pub lanes: Vec<Lane>,
    /// One a request.
    pub steps: Vec<Step>,
    /// The lane of each step, in order.
    pub places: Vec<u16>,
    /// The answers of [`Step::Own`].
    pub own: Vec<u8>,
    /// The connection is to be closed after the answers.
    pub quit: bool,
}

impl Batch {
    /// An empty batch of a connection on the loop of shard `home`.
    #[must_use]
    pub fn new(router: Router, home: usize) -> Self {
        let lanes = (0..router.shards).map(|_| Lane::default()).collect();
        Self {
            router,
            home,
            lanes,
            steps: Vec::new(),
            places: Vec::new(),
            own: Vec::new(),
            quit: false,
        }
    }

    /// Adds a step to the lane of `key`'s shard.
    pub fn push(&mut self, op: Op, input: &[u8], key: Range<usize>, value: Range<usize>) {
        let (hash, shard) = self.router.place(&input[key.clone()]);
        let lane = &mut self.lanes[shard];
        if shard == self.home {
            lane.push(op, hash, key, value);
        } else {
            let key = Key {
                hash,
                bytes: &input[key],
            };
            lane.push_copy(op, key, &input[value]);
        }
        self.places.push(shard as u16);
    }

    /// Adds a step to every lane; how many there are.
    pub fn push_to_all(&mut self, op: Op) -> usize {
        for (shard, lane) in self.lanes.iter_mut().enumerate() {
            lane.push(op, 0, 0..0, 0..0);
            self.places.push(shard as u16);
        }
        self.lanes.len()
    }

    /// Adds an answer that needs no shard.
    pub fn answer(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.own.len();
        write(&mut self.own);
        self.steps.push(Step::Own(self.own.len() - start));
    }

    /// Adds a mistake as the answer.
    pub fn refuse(&mut self, why: &str) {
        self.answer(|out| resp::error(out, why));
    }

    /// Makes it ready for the next requests.
    pub fn reset(&mut self) {
        self.lanes.iter_mut().for_each(Lane::reset);
        self.steps.clear();
        self.places.clear();
        self.own.clear();
    }
}
