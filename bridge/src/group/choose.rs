//! Which loop gets the work.
//!
//! Keys are spread by rendezvous hashing (D. Thaler and C. Ravishankar, "Using
//! name-based mappings to increase hit rates", 1998): each seat draws a number
//! from the key and its own place, and the highest wins. A loop that leaves
//! gives its own keys away and no others; one that comes takes its share from
//! all. Jump hashing is faster for thousands of loops, but only the last one
//! could leave.
#![forbid(unsafe_code)]

use super::seats::Seats;
use polyloop::LoopHandle;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// The loops of a group, without the group: a task that runs on one of them may
/// hold this and yet not keep the group from ending.
pub(super) struct Loops {
    seats: Seats<Member>,
    turn: AtomicUsize,
    roles: Vec<RoleTurn>,
}

/// A loop that is or was in the group.
pub(super) struct Member {
    pub(super) handle: LoopHandle,
    /// Its thread's number in the table of threads.
    pub(super) record: u64,
}

struct RoleTurn {
    name: String,
    turn: AtomicUsize,
}

impl Loops {
    pub(super) fn new(roles: impl IntoIterator<Item = String>) -> Self {
        let with_turn = |name| RoleTurn {
            name,
            turn: AtomicUsize::new(0),
        };
        Self {
            seats: Seats::new(),
            turn: AtomicUsize::new(0),
            roles: roles.into_iter().map(with_turn).collect(),
        }
    }

    /// Where they sit, to make changes.
    pub(super) fn seats(&self) -> &Seats<Member> {
        &self.seats
    }

    pub(super) fn role(&self, name: &str) -> Option<usize> {
        self.roles.iter().position(|role| role.name == name)
    }

    pub(super) fn role_name(&self, role: usize) -> &str {
        &self.roles[role].name
    }

    /// The loops that may be chosen, with their numbers.
    pub(super) fn open(&self, role: Option<usize>) -> impl Iterator<Item = (usize, &Member)> {
        self.seats.open(role)
    }

    // ---- the choice ----

    /// One after the other.
    pub(super) fn next(&self, role: Option<usize>) -> Option<&LoopHandle> {
        let turn = match role {
            None => &self.turn,
            Some(role) => &self.roles[role].turn,
        };
        let turn = turn.fetch_add(1, Relaxed);
        let seats = self.seats.all();
        if role.is_none() && self.seats.len() == seats {
            // Every seat is taken, as is usual: the turn tells the seat.
            let member = self.seats.member(turn.checked_rem(seats)?)?;
            if !member.handle.is_closed() {
                return Some(&member.handle);
            }
        }
        let alive = |(_, member): &(usize, &Member)| !member.handle.is_closed();
        match self.open(role).filter(alive).count() {
            0 => self.any(role),
            count => {
                let mut alive = self.open(role).filter(alive);
                let chosen = alive.nth(turn % count);
                // One ended meanwhile: then any other.
                chosen.map_or_else(|| self.any(role), |(_, member)| Some(&member.handle))
            }
        }
    }

    /// The one with the fewest tasks; among equals one after the other.
    pub(super) fn least_loaded(&self, role: Option<usize>) -> Option<&LoopHandle> {
        let seats = self.seats.all();
        let from = self.turn.fetch_add(1, Relaxed).checked_rem(seats)?;
        let distance = |number: usize| (number + seats - from) % seats;
        let load = |(number, member): &(usize, &Member)| {
            let metrics = member.handle.metrics();
            // A closed loop takes nothing: the last choice.
            let closed = member.handle.is_closed();
            (closed, metrics.tasks, metrics.ready, distance(*number))
        };
        let best = self.open(role).min_by_key(load);
        best.map(|(_, member)| &member.handle)
    }

    /// Always the same for the same key, while the loops stay.
    pub(super) fn number_by_key<K>(&self, role: Option<usize>, key: &K) -> Option<usize>
    where
        K: Hash + ?Sized,
    {
        let alive = |(_, member): &(usize, &Member)| !member.handle.is_closed();
        let alive = self.open(role).filter(alive).map(|(number, _)| number);
        // If all have ended, any of them answers that it is closed.
        rendezvous(key, alive).or_else(|| self.open(role).map(|(number, _)| number).next())
    }

    pub(super) fn by_key<K>(&self, role: Option<usize>, key: &K) -> Option<&LoopHandle>
    where
        K: Hash + ?Sized,
    {
        let number = self.number_by_key(role, key)?;
        self.seats.member(number).map(|member| &member.handle)
    }

    fn any(&self, role: Option<usize>) -> Option<&LoopHandle> {
        let first = self.open(role).next();
        first.map(|(_, member)| &member.handle)
    }
}

/// The place that draws the highest number for this key.
pub(crate) fn rendezvous<K>(key: &K, places: impl Iterator<Item = usize>) -> Option<usize>
where
    K: Hash + ?Sized,
{
    let key = hash(key);
    places.max_by_key(|place| mix(key ^ mix(*place as u64 + 1)))
}

/// The same in every run and process, since it is keyed by nothing; another
/// release of std may compute it otherwise.
fn hash<K: Hash + ?Sized>(key: &K) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of the
/// input reaches every bit of the output.
fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl std::fmt::Debug for Loops {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let handles = self.open(None).map(|(_, member)| &member.handle);
        f.debug_list().entries(handles).finish()
    }
}
