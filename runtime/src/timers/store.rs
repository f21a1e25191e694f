//! The store of timers: a hierarchical wheel over nanoseconds.
//!
//! Eleven levels of 64 slots, six bits of the deadline each, so that every
//! 64-bit deadline has a place and none is rounded. A timer lies at the level
//! of the highest digit in which its deadline differs from `elapsed`, in the
//! slot of that digit; so insert and cancel are O(1), and a timer is moved down
//! at most once a level, in practice only by the few levels that the loop's
//! turns resolve. (Varghese and Lauck, "Hashed and hierarchical timing wheels",
//! 1987; with base 64 and no rounding it is also a radix heap, Ahuja et al.
//! 1990.)
//!
//! *Order.* Equal deadlines always lie in the same list, in order of insertion:
//! `elapsed` enters a slot only by moving the whole slot down, in order, before
//! anything else is inserted. What falls due in one step is then sorted by
//! deadline, stably. So timers fire by deadline, and equal ones in the order in
//! which they were set.
//!
//! Nodes live in one vector and are linked by index; a key carries a
//! generation, so that one kept too long finds nothing. This costs the sleeping
//! future eight bytes and needs no `unsafe` and no pinning; memory is reused,
//! never allocated per timer.
#![forbid(unsafe_code)]

use std::task::Waker;

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 11;
const NONE: u32 = u32::MAX;
/// How many nodes of a slot are looked at for the exact next deadline; a fuller
/// slot answers its beginning, and the loop looks again there.
const SCAN: usize = 32;

/// Names a timer in its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimerKey {
    index: u32,
    generation: u32,
}

/// A timer whose deadline has come.
#[derive(Debug)]
pub(crate) struct Due {
    deadline: u64,
    pub(crate) waker: Waker,
}

struct Node {
    deadline: u64,
    previous: u32,
    next: u32,
    generation: u32,
    /// Level and slot in one: the index into `slots`.
    place: u32,
    /// `None` while the node is free (then `next` links the free nodes).
    waker: Option<Waker>,
}

#[derive(Clone, Copy)]
struct Slot {
    first: u32,
    last: u32,
}

pub(crate) struct TimerStore {
    nodes: Vec<Node>,
    free: u32,
    length: usize,
    /// Everything up to here has fired; no timer in the wheel lies before it.
    elapsed: u64,
    /// A bit a slot that is not empty, for each level.
    occupied: [u64; LEVELS],
    slots: Box<[Slot]>,
}

impl TimerStore {
    pub(crate) fn new() -> Self {
        let empty = Slot {
            first: NONE,
            last: NONE,
        };
        Self {
            nodes: Vec::new(),
            free: NONE,
            length: 0,
            elapsed: 0,
            occupied: [0; LEVELS],
            slots: vec![empty; LEVELS * SLOTS].into_boxed_slice(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Sets a timer for `deadline`, in nanoseconds of the loop's time.
    pub(crate) fn insert(&mut self, deadline: u64, waker: Waker) -> TimerKey {
        let index = self.take_node(deadline, waker);
        self.link(index);
        self.length += 1;
        TimerKey {
            index,
            generation: self.nodes[index as usize].generation,
        }
    }

    /// Would the timer wake `waker` as it is set? `None` if it has fired.
    pub(crate) fn wakes(&self, key: TimerKey, waker: &Waker) -> Option<bool> {
        let node = self.nodes.get(key.index as usize)?;
        let known = node.waker.as_ref()?;
        (node.generation == key.generation).then(|| known.will_wake(waker))
    }

    /// Puts a new waker in; gives the old one back (or the new one, if the
    /// timer has fired), for the caller to drop where no borrow is held.
    pub(crate) fn replace(&mut self, key: TimerKey, waker: Waker) -> Waker {
        match self.node(key).and_then(|node| node.waker.as_mut()) {
            Some(known) => std::mem::replace(known, waker),
            None => waker,
        }
    }

    /// Takes a timer out; `None` if it has fired.
    pub(crate) fn remove(&mut self, key: TimerKey) -> Option<Waker> {
        self.node(key)?;
        self.unlink(key.index);
        Some(self.give_node(key.index))
    }

    /// When the loop has to look again: the next deadline, or a moment before
    /// it where finding the exact one would take long.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        let (level, slot) = self.first_slot()?;
        let begins = self.slot_begins(level, slot);
        let mut index = self.slots[level * SLOTS + slot].first;
        let mut earliest = u64::MAX;
        for _ in 0..SCAN {
            let node = &self.nodes[index as usize];
            earliest = earliest.min(node.deadline);
            index = node.next;
            if index == NONE {
                return Some(earliest);
            }
        }
        Some(begins)
    }

    /// Do at least `many` timers fall due up to `by`? May say no where finding
    /// out would take long.
    pub(crate) fn fall_due(&self, by: u64, many: usize) -> bool {
        let mut found = 0;
        let mut seen = 0;
        for level in 0..LEVELS {
            let mut slots = self.occupied[level];
            while slots != 0 {
                let slot = slots.trailing_zeros() as usize;
                if self.slot_begins(level, slot) > by {
                    return false;
                }
                let mut index = self.slots[level * SLOTS + slot].first;
                while index != NONE {
                    let node = &self.nodes[index as usize];
                    found += usize::from(node.deadline <= by);
                    seen += 1;
                    if found >= many || seen >= SCAN {
                        return found >= many;
                    }
                    index = node.next;
                }
                slots &= slots - 1;
            }
        }
        false
    }

    /// Moves time on to `now` and appends what fell due, in order of deadline.
    pub(crate) fn advance(&mut self, now: u64, due: &mut Vec<Due>) {
        let before = due.len();
        while let Some((level, slot)) = self.first_slot() {
            let begins = self.slot_begins(level, slot);
            if begins > now {
                break;
            }
            let mut index = self.detach(level, slot);
            let ends = begins | ((1u64 << (BITS * level as u32)) - 1);
            if ends > now {
                // `now` lies inside: the slot's timers move down a level.
                self.elapsed = begins;
                while index != NONE {
                    let next = self.nodes[index as usize].next;
                    self.link(index);
                    index = next;
                }
            } else {
                while index != NONE {
                    let next = self.nodes[index as usize].next;
                    let deadline = self.nodes[index as usize].deadline;
                    let waker = self.give_node(index);
                    due.push(Due { deadline, waker });
                    index = next;
                }
            }
        }
        self.elapsed = self.elapsed.max(now);
        due[before..].sort_by_key(|due| due.deadline);
    }

    /// Empties the store, for the loop's end.
    pub(crate) fn clear(&mut self) -> Vec<Waker> {
        let wakers = self.nodes.iter_mut().filter_map(|node| node.waker.take());
        let wakers = wakers.collect();
        *self = Self::new();
        wakers
    }

    fn node(&mut self, key: TimerKey) -> Option<&mut Node> {
        self.nodes
            .get_mut(key.index as usize)
            .filter(|node| node.generation == key.generation && node.waker.is_some())
    }

    /// The earliest slot that holds anything. Lower levels come first: they
    /// share more leading digits with `elapsed`.
    fn first_slot(&self) -> Option<(usize, usize)> {
        let level = self.occupied.iter().position(|&slots| slots != 0)?;
        Some((level, self.occupied[level].trailing_zeros() as usize))
    }

    /// The first moment of a slot: `elapsed` with that digit replaced and the
    /// lower ones zero.
    fn slot_begins(&self, level: usize, slot: usize) -> u64 {
        let shift = BITS * level as u32;
        let above = match shift + BITS {
            64.. => 0,
            bits => self.elapsed >> bits << bits,
        };
        above | ((slot as u64) << shift)
    }

    fn link(&mut self, index: u32) {
        let when = self.nodes[index as usize].deadline.max(self.elapsed);
        let differs = when ^ self.elapsed;
        let level = (63 - (differs | 1).leading_zeros()) / BITS;
        let digit = (when >> (BITS * level)) as usize & (SLOTS - 1);
        let place = level as usize * SLOTS + digit;
        let last = std::mem::replace(&mut self.slots[place].last, index);
        match last {
            NONE => self.slots[place].first = index,
            last => self.nodes[last as usize].next = index,
        }
        self.occupied[level as usize] |= 1 << digit;
        let node = &mut self.nodes[index as usize];
        node.place = place as u32;
        node.previous = last;
        node.next = NONE;
    }

    fn unlink(&mut self, index: u32) {
        let node = &self.nodes[index as usize];
        let (previous, next, place) = (node.previous, node.next, node.place as usize);
        match previous {
            NONE => self.slots[place].first = next,
            previous => self.nodes[previous as usize].next = next,
        }
        match next {
            NONE => self.slots[place].last = previous,
            next => self.nodes[next as usize].previous = previous,
        }
        if self.slots[place].first == NONE {
            self.occupied[place / SLOTS] &= !(1 << (place % SLOTS));
        }
    }

    /// Takes a slot's whole list out.
    fn detach(&mut self, level: usize, slot: usize) -> u32 {
        self.occupied[level] &= !(1 << slot);
        let empty = Slot {
            first: NONE,
            last: NONE,
        };
        std::mem::replace(&mut self.slots[level * SLOTS + slot], empty).first
    }

    fn take_node(&mut self, deadline: u64, waker: Waker) -> u32 {
        if self.free == NONE {
            let index = self.nodes.len() as u32;
            assert!(index != NONE, "more than four thousand million timers");
            self.nodes.push(Node {
                deadline,
                previous: NONE,
                next: NONE,
                generation: 0,
                place: 0,
                waker: Some(waker),
            });
            return index;
        }
        let index = self.free;
        let node = &mut self.nodes[index as usize];
        self.free = node.next;
        node.deadline = deadline;
        node.waker = Some(waker);
        index
    }

    /// Frees a node that is in no list any more.
    fn give_node(&mut self, index: u32) -> Waker {
        let node = &mut self.nodes[index as usize];
        node.generation = node.generation.wrapping_add(1);
        node.next = self.free;
        self.free = index;
        self.length -= 1;
        node.waker.take().expect("a linked node has a waker")
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
