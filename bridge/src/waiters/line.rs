//! The places of a line, as a doubly linked list inside a vector: joining,
//! leaving and waking are a few stores, and a line that is used again and again
//! allocates nothing.
#![forbid(unsafe_code)]

use super::{Ticket, each_then_panic};
use std::task::Waker;

/// Who waits, first come first, each with what it waits for. Whoever owns the
/// line guards it with a lock.
#[derive(Debug)]
pub(crate) struct Line<W = ()> {
    places: Vec<Place<W>>,
    first: usize,
    last: usize,
    /// First of the unused places.
    unused: usize,
    /// Places that are not unused.
    used: usize,
    /// Places that are WAITING.
    waiting: usize,
}

#[derive(Debug)]
enum Place<W> {
    Waiting {
        waker: Waker,
        want: W,
        previous: usize,
        next: usize,
    },
    Woken,
    Unused {
        next: usize,
    },
}

/// Where the owner of a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stand {
    /// In no line.
    Nowhere,
    /// In line.
    Waiting,
    /// Woken, and not left yet.
    Woken,
}

impl<W> Line<W> {
    pub(crate) const fn new() -> Self {
        Self {
            places: Vec::new(),
            first: NOWHERE,
            last: NOWHERE,
            unused: NOWHERE,
            used: 0,
            waiting: 0,
        }
    }

    /// How many wait and were not woken.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Does nobody wait, and has everybody left who was woken?
    pub(crate) fn is_deserted(&self) -> bool {
        self.used == 0
    }

    pub(crate) fn stand(&self, ticket: &Ticket) -> Stand {
        match self.places.get(ticket.0) {
            Some(Place::Waiting { .. }) => Stand::Waiting,
            Some(Place::Woken) => Stand::Woken,
            Some(Place::Unused { .. }) | None => Stand::Nowhere,
        }
    }

    /// What the first in line waits for.
    pub(crate) fn first(&self) -> Option<&W> {
        match self.places.get(self.first)? {
            Place::Waiting { want, .. } => Some(want),
            Place::Woken | Place::Unused { .. } => None,
        }
    }

    pub(super) fn waits_with(&self, ticket: &Ticket, waker: &Waker) -> bool {
        matches!(self.places.get(ticket.0),
            Some(Place::Waiting { waker: held, .. }) if held.will_wake(waker))
    }

    /// Takes the last place, or with a place that was woken the first one, or
    /// keeps the place held. Returns the waker that was replaced, to be dropped
    /// outside the lock.
    pub(crate) fn join(&mut self, ticket: &mut Ticket, waker: Waker, want: W) -> Option<Waker> {
        if ticket.is_nowhere() {
            ticket.0 = self.new_place();
            self.link_last(ticket.0, waker, want);
            return None;
        }
        if let Place::Waiting { waker: held, .. } = &mut self.places[ticket.0] {
            return Some(std::mem::replace(held, waker));
        }
        self.link_first(ticket.0, waker, want);
        None
    }

    /// Returns the waker if the place was still WAITING; `None` as well if
    /// there was no place.
    pub(crate) fn leave(&mut self, ticket: &mut Ticket) -> Option<Waker> {
        if ticket.is_nowhere() {
            return None;
        }
        let at = std::mem::replace(&mut ticket.0, NOWHERE);
        let waker = self.unlink(at);
        self.places[at] = Place::Unused { next: self.unused };
        self.unused = at;
        self.used -= 1;
        if self.used == 0 && self.places.len() > KEPT_PLACES {
            self.places = Vec::new();
            self.unused = NOWHERE;
        }
        waker
    }

    /// WAITING → WOKEN for the first in line; its waker is to be woken outside
    /// the lock.
    pub(crate) fn wake_first(&mut self) -> Option<Waker> {
        match self.first {
            NOWHERE => None,
            at => self.unlink(at),
        }
    }

    /// As [`wake_first`](Self::wake_first), for everybody.
    pub(crate) fn wake_all(&mut self) -> impl Iterator<Item = Waker> {
        std::iter::from_fn(|| self.wake_first())
    }

    fn new_place(&mut self) -> usize {
        self.used += 1;
        if self.unused == NOWHERE {
            self.places.push(Place::Woken);
            return self.places.len() - 1;
        }
        let at = self.unused;
        if let Place::Unused { next } = self.places[at] {
            self.unused = next;
        }
        at
    }

    fn link_last(&mut self, at: usize, waker: Waker, want: W) {
        let previous = std::mem::replace(&mut self.last, at);
        self.places[at] = Place::Waiting {
            waker,
            want,
            previous,
            next: NOWHERE,
        };
        self.set_next(previous, at);
        self.waiting += 1;
    }

    fn link_first(&mut self, at: usize, waker: Waker, want: W) {
        let next = std::mem::replace(&mut self.first, at);
        self.places[at] = Place::Waiting {
            waker,
            want,
            previous: NOWHERE,
            next,
        };
        self.set_previous(next, at);
        self.waiting += 1;
    }

    /// WAITING → WOKEN; `None` if it was WOKEN already.
    fn unlink(&mut self, at: usize) -> Option<Waker> {
        match std::mem::replace(&mut self.places[at], Place::Woken) {
            Place::Waiting {
                waker,
                previous,
                next,
                ..
            } => {
                self.set_next(previous, next);
                self.set_previous(next, previous);
                self.waiting -= 1;
                Some(waker)
            }
            Place::Woken | Place::Unused { .. } => None,
        }
    }

    fn set_next(&mut self, of: usize, to: usize) {
        match of {
            NOWHERE => self.first = to,
            _ => {
                if let Place::Waiting { next, .. } = &mut self.places[of] {
                    *next = to;
                }
            }
        }
    }

    fn set_previous(&mut self, of: usize, to: usize) {
        match of {
            NOWHERE => self.last = to,
            _ => {
                if let Place::Waiting { previous, .. } = &mut self.places[of] {
                    *previous = to;
                }
            }
        }
    }

    #[cfg(all(test, not(loom)))]
    pub(super) fn kept_places(&self) -> usize {
        self.places.len()
    }
}

/// Wakers that were taken out under a lock, and are woken when this is dropped:
/// declared before the lock's guard, it is dropped after it.
///
/// # Panics
/// Its drop, with the first panic of a waker, after all of them were woken;
/// unless the thread is panicking already.
#[derive(Default)]
pub(crate) struct Woken {
    /// Nearly always there is one at most, which needs no memory.
    first: Option<Waker>,
    rest: Vec<Waker>,
}

impl Woken {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn extend(&mut self, wakers: impl IntoIterator<Item = Waker>) {
        for waker in wakers {
            match &self.first {
                None => self.first = Some(waker),
                Some(_) => self.rest.push(waker),
            }
        }
    }
}

impl Drop for Woken {
    fn drop(&mut self) {
        let Some(first) = self.first.take() else {
            return;
        };
        let all = std::iter::once(first).chain(self.rest.drain(..));
        if std::thread::panicking() {
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                each_then_panic(all, Waker::wake);
            }))
            .map_err(std::mem::forget);
        } else {
            each_then_panic(all, Waker::wake);
        }
    }
}

/// The index that names no place.
pub(super) const NOWHERE: usize = usize::MAX;

/// An empty line keeps the memory of so many places.
const KEPT_PLACES: usize = 64;
