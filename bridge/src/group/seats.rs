//! The seats of a group: who sits where, changed while others look.
//!
//! A seat's place is its loop's number. What a look needs is one atomic word a
//! seat: which member sits there, and whether it is to be chosen. Seats and
//! members only grow in number, so what a look gives is borrowed, and no count
//! of references is touched.
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
#![forbid(unsafe_code)]

use super::RetireError;
use super::arena::Arena;
use super::primitives::{AtomicU64, AtomicUsize, Mutex};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

pub(super) struct Seats<M> {
    /// All that sit or sat somewhere.
    members: Arena<M>,
    seats: Arena<Seat>,
    /// How many seats are OPEN.
    open: AtomicUsize,
    changing: Mutex<()>,
}

struct Seat {
    name: String,
    role: Option<usize>,
    /// OPEN, RESERVED, and above them one more than the place of its last member
    /// among all members; zero if it has had none.
    state: AtomicU64,
}

const OPEN: u64 = 1;
const RESERVED: u64 = 2;
const PLACE: u32 = 2;

impl Seat {
    fn is_vacant(&self) -> bool {
        self.state.load(Acquire) & (OPEN | RESERVED) == 0
    }
}

impl<M> Seats<M> {
    pub(super) fn new() -> Self {
        Self {
            members: Arena::new(),
            seats: Arena::new(),
            open: AtomicUsize::new(0),
            changing: Mutex::new(()),
        }
    }

    // ---- who is there ----

    /// How many are open; for a moment after a change it may be one off.
    pub(super) fn len(&self) -> usize {
        self.open.load(Relaxed)
    }

    /// How many there are, open or not.
    pub(super) fn all(&self) -> usize {
        self.seats.len()
    }

    pub(super) fn name(&self, number: usize) -> &str {
        self.seats.get(number).map_or("", |seat| &seat.name)
    }

    /// The last member of a seat, gone or not.
    pub(super) fn member(&self, number: usize) -> Option<&M> {
        self.member_of(self.seats.get(number)?.state.load(Acquire))
    }

    fn member_of(&self, state: u64) -> Option<&M> {
        let place = (state >> PLACE).checked_sub(1)?;
        self.members.get(place as usize)
    }

    /// The open seats of a role, or all, with their numbers.
    pub(super) fn open(&self, role: Option<usize>) -> impl Iterator<Item = (usize, &M)> {
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
    pub(super) fn seat(&self, number: usize, member: M) {
        let _changing = self.changing.lock();
        let place = self.members.push(member) as u64 + 1;
        if let Some(seat) = self.seats.get(number) {
            seat.state.store(place << PLACE | OPEN, Release);
            self.open.fetch_add(1, Relaxed);
        }
    }

    /// Puts another loop in the place of one, unless that was retired.
    pub(super) fn replace(&self, number: usize, is_old: impl Fn(&M) -> bool, new: M) -> bool {
        let Some(seat) = self.seats.get(number) else {
            return false;
        };
        let before = seat.state.load(Acquire);
        if before & OPEN == 0 || !self.member_of(before).is_some_and(is_old) {
            return false;
        }
        let after = (self.members.push(new) as u64 + 1) << PLACE | OPEN;
        let swapped = seat.state.compare_exchange(before, after, AcqRel, Acquire);
        swapped.is_ok()
    }

    /// Nobody chooses this loop from now on.
    pub(super) fn retire(&self, number: usize) -> Result<&M, RetireError> {
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
}
