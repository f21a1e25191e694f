//! A list that only grows, and whose elements therefore stay where they are: a
//! reference to one lasts as long as the list, while others are added.
#![forbid(unsafe_code)]

use super::primitives::{AtomicUsize, Mutex};
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Release};

pub(super) struct Arena<T> {
    /// Each as long as all before it together, so that a place tells its chunk.
    chunks: [OnceLock<Box<[OnceLock<T>]>>; CHUNKS],
    len: AtomicUsize,
    growing: Mutex<()>,
}

impl<T> Arena<T> {
    pub(super) fn new() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
            len: AtomicUsize::new(0),
            growing: Mutex::new(()),
        }
    }

    /// Elements that were there before stay; those that are added meanwhile may
    /// or may not be counted.
    pub(super) fn len(&self) -> usize {
        self.len.load(Acquire)
    }

    pub(super) fn get(&self, place: usize) -> Option<&T> {
        let (chunk, within) = locate(place)?;
        self.chunks[chunk].get()?.get(within)?.get()
    }

    /// Adds an element; gives its place.
    ///
    /// # Panics
    /// If there are 2^31 already.
    pub(super) fn push(&self, element: T) -> usize {
        let _growing = self.growing.lock();
        let place = self.len.load(Acquire);
        let (chunk, within) = locate(place).expect("a group never has had so many loops");
        let chunk = self.chunks[chunk].get_or_init(|| {
            let length = FIRST << chunk;
            (0..length).map(|_| OnceLock::new()).collect()
        });
        let fresh = chunk[within].set(element);
        debug_assert!(fresh.is_ok(), "places are filled in order, under the lock");
        self.len.store(place + 1, Release);
        place
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len()).filter_map(|place| self.get(place))
    }
}

fn locate(place: usize) -> Option<(usize, usize)> {
    // The chunks begin at 0, FIRST, 3 FIRST, 7 FIRST, …
    let shifted = place.checked_add(FIRST)?;
    let chunk = (shifted / FIRST).ilog2() as usize;
    (chunk < CHUNKS).then(|| (chunk, shifted - (FIRST << chunk)))
}

/// The length of the first chunk.
const FIRST: usize = 8;
const CHUNKS: usize = 28;
