//! The bound of a mailbox: permits for submissions that have not begun.
//!
//! # Protocol
//! A permit is taken before a submission is sent and travels with its closure.
//! It is given back when the closure is called, or dropped uncalled: so the
//! permits that are out are the submissions that wait in the mailbox, and every
//! way out of the mailbox gives one back. A loop that is closed drops what it
//! never began, which lets the next in line in, and that one is told.
//!
//! Nobody takes a permit past others that stand in line. A permit that is given
//! back is *dealt*: as long as one is free and somebody waits, one is taken on
//! behalf of the first in line, whose wake is then the permit itself. So a wake is
//! never for nothing, and a newcomer finds nothing free while others wait.
//!
//! Giving back is *raise `free`, deal*; waiting is *join the line, deal*: the
//! handshake of [`waiters`](crate::waiters), after which one of the two sees both
//! the permit and the one who waits. A dealer that took a permit and then found
//! the line empty puts it back, and looks once more. A woken place that is given
//! up gives a permit back.
#![forbid(unsafe_code)]

use crate::loom::AtomicUsize;
use crate::waiters::{Ticket, Waiters};
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::task::Waker;

#[derive(Debug)]
pub(super) struct Gate {
    free: AtomicUsize,
    line: Waiters,
}

/// Room for one submission.
#[derive(Debug)]
pub(super) struct Permit(Arc<Gate>);

impl Gate {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            free: AtomicUsize::new(limit),
            line: Waiters::new(),
        })
    }

    /// A permit, if there is one and nobody waits for it.
    pub(super) fn try_enter(self: &Arc<Self>) -> Option<Permit> {
        (self.line.len() == 0 && self.take()).then(|| Permit(self.clone()))
    }

    /// A permit now, or a place in line with `waker`.
    pub(super) fn enter(self: &Arc<Self>, ticket: &mut Ticket, waker: &Waker) -> Option<Permit> {
        if ticket.is_nowhere()
            && let Some(permit) = self.try_enter()
        {
            return Some(permit);
        }
        let woken = self.line.join_or_leave_woken(ticket, waker)
            || self.deal() && self.line.leave_woken(ticket);
        woken.then(|| Permit(self.clone()))
    }

    /// Gives a place in line up; a permit that it was woken with goes to the next.
    pub(super) fn pass(&self, ticket: &mut Ticket) {
        if self.line.leave(ticket) {
            self.give_back();
        }
    }

    pub(super) fn free(&self) -> usize {
        self.free.load(Relaxed)
    }

    pub(super) fn waiting(&self) -> usize {
        self.line.len()
    }

    fn take(&self) -> bool {
        self.free
            .fetch_update(AcqRel, Relaxed, |free| free.checked_sub(1))
            .is_ok()
    }

    fn give_back(&self) {
        self.free.fetch_add(1, AcqRel);
        self.deal();
    }

    /// Hands free permits to those in line; false if there was nobody or nothing.
    fn deal(&self) -> bool {
        let mut dealt = false;
        while self.line.anybody_waits() && self.take() {
            // A waker that panics is the waiter's fault, not that of the submission
            // whose closure is called or dropped here; the panic hook has told.
            match self.line.wake_first_quietly() {
                true => dealt = true,
                false => drop(self.free.fetch_add(1, AcqRel)),
            }
        }
        dealt
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::test_tools::Wakes;
    use crate::waiters::block_on;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
    use std::task::Poll;
    use std::thread;

    #[test]
    fn those_in_line_get_in_one_after_the_other_and_before_a_newcomer() {
        let gate = Gate::new(1);
        let first = gate.try_enter().expect("nobody is in");
        let wakes: Vec<_> = (0..3).map(|_| Wakes::new()).collect();
        let mut tickets: Vec<_> = wakes.iter().map(|_| Ticket::new()).collect();
        for (ticket, (_, waker)) in tickets.iter_mut().zip(&wakes) {
            assert!(gate.enter(ticket, waker).is_none());
        }
        let mut inside = first;
        for turn in 0..3 {
            drop(inside);
            // Woken, and not back yet: the room is kept for it.
            assert!(gate.try_enter().is_none());
            let mut newcomer = Ticket::new();
            assert!(gate.enter(&mut newcomer, Waker::noop()).is_none());
            let counts: Vec<_> = wakes.iter().map(|(wakes, _)| wakes.count()).collect();
            let expected: Vec<_> = (0..3).map(|n| usize::from(n <= turn)).collect();
            assert_eq!(counts, expected, "who was woken got in");
            inside = gate
                .enter(&mut tickets[turn], &wakes[turn].1)
                .expect("it was next");
            gate.pass(&mut newcomer);
        }
        drop(inside);
        assert_eq!((gate.free(), gate.waiting()), (1, 0));
    }

    #[test]
    fn trap_012_a_place_that_is_given_up_hands_its_room_on() {
        let gate = Gate::new(1);
        let first = gate.try_enter().expect("nobody is in");
        let (wakes, waker) = Wakes::new();
        let (mut quits, mut stays) = (Ticket::new(), Ticket::new());
        assert!(gate.enter(&mut quits, Waker::noop()).is_none());
        assert!(gate.enter(&mut stays, &waker).is_none());
        drop(first);
        assert_eq!(wakes.count(), 0);
        gate.pass(&mut quits);
        assert_eq!(wakes.count(), 1);
        drop(gate.enter(&mut stays, &waker).expect("it was next"));
        assert_eq!(gate.free(), 1);
    }

    #[test]
    fn a_stream_of_newcomers_starves_nobody() {
        let gate = Gate::new(1);
        let over = Arc::new(AtomicBool::new(false));
        let streams: Vec<_> = (0..3)
            .map(|_| {
                let (gate, over) = (gate.clone(), over.clone());
                thread::spawn(move || {
                    while !over.load(SeqCst) {
                        drop(gate.try_enter());
                    }
                })
            })
            .collect();
        for _ in 0..1_000 {
            let mut ticket = Ticket::new();
            let entered = block_on(None, |cx| match gate.enter(&mut ticket, cx.waker()) {
                Some(permit) => Poll::Ready(permit),
                None => Poll::Pending,
            });
            drop(entered.expect("there is no deadline"));
        }
        over.store(true, SeqCst);
        for stream in streams {
            stream.join().expect("no panic");
        }
        assert_eq!(gate.free(), 1);
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    //! enter × leave × give back, on the real gate.

    use super::*;
    use crate::waiters::block_on;
    use std::task::Poll;

    fn enter_blocking(gate: &Arc<Gate>) -> Permit {
        enter_from(gate, &mut Ticket::new())
    }

    fn enter_from(gate: &Arc<Gate>, ticket: &mut Ticket) -> Permit {
        block_on(None, |cx| match gate.enter(ticket, cx.waker()) {
            Some(permit) => Poll::Ready(permit),
            None => Poll::Pending,
        })
        .expect("there is no deadline")
    }

    #[test]
    fn loom_all_that_wait_at_a_gate_get_in() {
        loom::model(|| {
            let gate = Gate::new(1);
            let first = gate.try_enter().expect("nobody is in");
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let gate = gate.clone();
                    loom::thread::spawn(move || drop(enter_blocking(&gate)))
                })
                .collect();
            drop(first);
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(gate.free(), 1);
        });
    }

    #[test]
    fn loom_a_newcomer_does_not_pass_those_in_line() {
        loom::model(|| {
            let gate = Gate::new(1);
            let first = gate.try_enter().expect("nobody is in");
            let mut waits = Ticket::new();
            assert!(gate.enter(&mut waits, Waker::noop()).is_none());
            let comes = {
                let gate = gate.clone();
                loom::thread::spawn(move || {
                    let mut ticket = Ticket::new();
                    let entered = gate.enter(&mut ticket, Waker::noop()).is_some();
                    assert!(!entered && gate.try_enter().is_none());
                    gate.pass(&mut ticket);
                })
            };
            drop(first);
            let permit = enter_from(&gate, &mut waits);
            comes.join().unwrap();
            drop(permit);
            assert_eq!(gate.free(), 1);
        });
    }

    #[test]
    fn loom_one_that_leaves_the_line_passes_its_wake_on() {
        loom::model(|| {
            let gate = Gate::new(1);
            let first = gate.try_enter().expect("nobody is in");
            let mut ticket = Ticket::new();
            assert!(gate.enter(&mut ticket, Waker::noop()).is_none());
            let stays = {
                let gate = gate.clone();
                loom::thread::spawn(move || drop(enter_blocking(&gate)))
            };
            let gives = loom::thread::spawn(move || drop(first));
            gate.pass(&mut ticket);
            stays.join().unwrap();
            gives.join().unwrap();
            assert_eq!(gate.free(), 1);
        });
    }

    #[test]
    fn trap_012_room_found_in_joining_leaves_the_wake_to_the_next() {
        loom::model(|| {
            let gate = Gate::new(2);
            let held = [(); 2].map(|()| gate.try_enter().expect("there are two"));
            let enters: Vec<_> = (0..2)
                .map(|_| {
                    let gate = gate.clone();
                    loom::thread::spawn(move || enter_blocking(&gate))
                })
                .collect();
            drop(held);
            // Nobody gives back what the other one could enter with.
            let entered = enters.into_iter().map(|enters| enters.join().unwrap());
            assert_eq!(entered.collect::<Vec<_>>().len(), 2);
            assert_eq!(gate.free(), 2);
        });
    }
}
