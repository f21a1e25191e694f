//! Which loop gets the work.
//!
//! A group is a list of seats; a seat's place is its loop's number. Loops come,
//! go and are replaced while others choose, so what a choice looks at is one
//! atomic word a seat: which member sits there, and whether it is to be chosen.
//! Seats and members only grow in number, so the handle that a choice gives is
//! borrowed from the group and no count of references is touched.
//!
//! ```text
//!              reserve             seat                retire
//!    VACANT ───────────▶ RESERVED ──────▶ OPEN, member ──────▶ VACANT, member
//!       ▲                   │                ▲  │ replace
//!       └───────────────────┘                └──┘ (compare-exchange: not if
//!            unreserve                             it was retired meanwhile)
//! ```
//! `reserve`, `seat` and `retire` hold a lock against each other, so that no two
//! loops get one number and the last one stays; choices never take it.
//!
//! Keys are spread by rendezvous hashing (D. Thaler and C. Ravishankar, "Using
//! name-based mappings to increase hit rates", 1998): each seat draws a number
//! from the key and its own place, and the highest wins. A loop that leaves
//! gives its own keys away and no others; one that comes takes its share from
//! all. Jump hashing is faster for thousands of loops, but only the last one
//! could leave.
#![forbid(unsafe_code)]

use super::RetireError;
use super::arena::Arena;
use parking_lot::Mutex;
use polyloop::LoopHandle;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, AtomicUsize};

/// The loops of a group, without the group: a task that runs on one of them may
/// hold this and yet not keep the group from ending.
pub(super) struct Loops {
    members: Arena<Member>,
    seats: Arena<Seat>,
    /// Seats that may be chosen.
    open: AtomicUsize,
    turn: AtomicUsize,
    roles: Vec<RoleTurn>,
    changing: Mutex<()>,
}

/// A loop that is or was in the group.
pub(super) struct Member {
    pub(super) handle: LoopHandle,
    /// Its thread's number in the table of threads.
    pub(super) record: u64,
}

struct Seat {
    name: String,
    role: Option<usize>,
    /// OPEN, RESERVED, and above them one more than the place of its last member
    /// among all members; zero if it has had none.
    state: AtomicU64,
}

struct RoleTurn {
    name: String,
    turn: AtomicUsize,
}

const OPEN: u64 = 1;
const RESERVED: u64 = 2;
const PLACE: u32 = 2;

impl Seat {
    fn is_vacant(&self) -> bool {
        self.state.load(Acquire) & (OPEN | RESERVED) == 0
    }
}

impl Loops {
    pub(super) fn new(roles: impl IntoIterator<Item = String>) -> Self {
        let with_turn = |name| RoleTurn {
            name,
            turn: AtomicUsize::new(0),
        };
        Self {
            members: Arena::new(),
            seats: Arena::new(),
            open: AtomicUsize::new(0),
            turn: AtomicUsize::new(0),
            roles: roles.into_iter().map(with_turn).collect(),
            changing: Mutex::new(()),
        }
    }

    // ---- who is there ----

    /// How many loops may be chosen.
    pub(super) fn len(&self) -> usize {
        self.open.load(Relaxed)
    }

    pub(super) fn role(&self, name: &str) -> Option<usize> {
        self.roles.iter().position(|role| role.name == name)
    }

    pub(super) fn role_name(&self, role: usize) -> &str {
        &self.roles[role].name
    }

    pub(super) fn seat_name(&self, number: usize) -> &str {
        self.seats.get(number).map_or("", |seat| &seat.name)
    }

    /// The last member of a seat, gone or not.
    pub(super) fn member(&self, number: usize) -> Option<&Member> {
        self.member_of(self.seats.get(number)?.state.load(Acquire))
    }

    fn member_of(&self, state: u64) -> Option<&Member> {
        let place = (state >> PLACE).checked_sub(1)?;
        self.members.get(place as usize)
    }

    /// The loops that may be chosen, with their numbers.
    pub(super) fn open(&self, role: Option<usize>) -> impl Iterator<Item = (usize, &Member)> {
        let numbered = self.seats.iter().enumerate();
        numbered.filter_map(move |(number, seat)| {
            let state = seat.state.load(Acquire);
            let chosen = state & OPEN != 0 && (role.is_none() || role == seat.role);
            let member = self.member_of(state)?;
            chosen.then_some((number, member))
        })
    }

    // ---- changes ----

    /// Keeps a seat for a loop that is about to be started; gives its number,
    /// which is that of one that left, if there is one of this role. A new seat
    /// is named by its place among all and by that among those of its role.
    pub(super) fn reserve(
        &self,
        role: Option<usize>,
        name: impl FnOnce(usize, usize) -> String,
    ) -> usize {
        let _changing = self.changing.lock();
        let mut seats = self.seats.iter();
        if let Some(number) = seats.position(|seat| seat.role == role && seat.is_vacant()) {
            if let Some(seat) = self.seats.get(number) {
                seat.state.fetch_or(RESERVED, AcqRel);
            }
            return number;
        }
        let number = self.seats.len();
        let of_role = self.seats.iter().filter(|seat| seat.role == role).count();
        self.seats.push(Seat {
            name: name(number, of_role),
            role,
            state: AtomicU64::new(RESERVED),
        })
    }

    /// The loop was not started.
    pub(super) fn unreserve(&self, number: usize) {
        if let Some(seat) = self.seats.get(number) {
            seat.state.fetch_and(!RESERVED, AcqRel);
        }
    }

    /// The loop runs, and may be chosen.
    pub(super) fn seat(&self, number: usize, member: Member) {
        let _changing = self.changing.lock();
        let place = self.members.push(member) as u64 + 1;
        if let Some(seat) = self.seats.get(number) {
            seat.state.store(place << PLACE | OPEN, Release);
            self.open.fetch_add(1, Relaxed);
        }
    }

    /// Puts another loop in the place of one, unless that was retired.
    pub(super) fn replace(&self, number: usize, record: u64, member: Member) -> bool {
        let Some(seat) = self.seats.get(number) else {
            return false;
        };
        let before = seat.state.load(Acquire);
        let same = |member: &Member| member.record == record;
        if before & OPEN == 0 || !self.member_of(before).is_some_and(same) {
            return false;
        }
        let after = (self.members.push(member) as u64 + 1) << PLACE | OPEN;
        let swapped = seat.state.compare_exchange(before, after, AcqRel, Acquire);
        swapped.is_ok()
    }

    /// Nobody chooses this loop from now on.
    pub(super) fn retire(&self, number: usize) -> Result<&Member, RetireError> {
        let _changing = self.changing.lock();
        let seat = self.seats.get(number).ok_or(RetireError::Absent)?;
        if seat.state.load(Acquire) & OPEN == 0 {
            return Err(RetireError::Absent);
        }
        if self.len() == 1 {
            return Err(RetireError::Last);
        }
        self.open.fetch_sub(1, Relaxed);
        let last = seat.state.fetch_and(!OPEN, AcqRel);
        self.member_of(last).ok_or(RetireError::Absent)
    }

    // ---- the choice ----

    /// One after the other.
    pub(super) fn next(&self, role: Option<usize>) -> Option<&LoopHandle> {
        let turn = match role {
            None => &self.turn,
            Some(role) => &self.roles[role].turn,
        };
        let turn = turn.fetch_add(1, Relaxed);
        let seats = self.seats.len();
        if role.is_none() && self.len() == seats {
            // Every seat is taken, as is usual: the turn tells the seat.
            let member = self.member(turn.checked_rem(seats)?)?;
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
        let seats = self.seats.len();
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
        self.member(number).map(|member| &member.handle)
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

/// The same in every run and process, since it is keyed by nothing.
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
