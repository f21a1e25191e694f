//! The bound of a mailbox: permits for submissions that have not begun.
//!
//! # Protocol
//! A permit is taken before a submission is sent and travels with its closure.
//! It is given back when the closure is called, or dropped uncalled: so the
//! permits that are out are the submissions that wait in the mailbox, and every
//! way out of the mailbox gives one back. A loop that is closed drops what it
//! never began, which lets the next in line in, and that one is told.
//!
//! Giving back is *raise `free`, wake the first in line*; waiting is *join the
//! line, look once more*: the handshake of [`waiters`](crate::waiters). A
//! newcomer does not take a permit past others that are still in line.
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
        if self.line.len() != 0 {
            return None;
        }
        self.take()
    }

    /// A permit now, or a place in line with `waker`.
    pub(super) fn enter(self: &Arc<Self>, ticket: &mut Ticket, waker: &Waker) -> Option<Permit> {
        if let Some(permit) = self.take() {
            // A wake that it held is spent: it has what the wake was for.
            self.line.leave(ticket);
            return Some(permit);
        }
        self.line.join(ticket, waker);
        let permit = self.take()?;
        // This one was free before it stood in line, and woke nobody: a wake that
        // came meanwhile was for somebody else.
        self.line.pass(ticket);
        Some(permit)
    }

    /// Gives a place in line up; an unused wake goes to the next.
    pub(super) fn pass(&self, ticket: &mut Ticket) {
        self.line.pass(ticket);
    }

    pub(super) fn free(&self) -> usize {
        self.free.load(Relaxed)
    }

    pub(super) fn waiting(&self) -> usize {
        self.line.len()
    }

    fn take(self: &Arc<Self>) -> Option<Permit> {
        self.free
            .fetch_update(AcqRel, Relaxed, |free| free.checked_sub(1))
            .ok()
            .map(|_| Permit(self.clone()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, AcqRel);
        // A waker that panics is the waiter's fault, not that of the submission
        // whose closure is called or dropped here; the panic hook has told.
        self.0.line.wake_one_quietly(false);
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    //! enter × leave × give back, on the real gate.

    use super::*;
    use crate::waiters::block_on;
    use std::task::Poll;

    fn enter_blocking(gate: &Arc<Gate>) -> Permit {
        let mut ticket = Ticket::new();
        block_on(None, |cx| match gate.enter(&mut ticket, cx.waker()) {
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
