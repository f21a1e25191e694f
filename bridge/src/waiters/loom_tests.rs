//! The fence protocol and the hand-over rule, on the real line and parker.

use super::*;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire};
use std::task::{Context, Poll};

/// A count that is waited for: the smallest condition.
struct Permits {
    free: AtomicUsize,
    line: Waiters,
}

impl Permits {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            free: AtomicUsize::new(0),
            line: Waiters::new(),
        })
    }

    fn give(&self) {
        self.free.fetch_add(1, AcqRel);
        self.line.wake_one();
    }

    fn try_take(&self) -> bool {
        self.free
            .fetch_update(AcqRel, Acquire, |free| free.checked_sub(1))
            .is_ok()
    }

    fn poll_take(&self, ticket: &mut Ticket, cx: &mut Context<'_>) -> Poll<()> {
        if !self.try_take() {
            self.line.join(ticket, cx.waker());
            if !self.try_take() {
                return Poll::Pending;
            }
        }
        self.line.leave(ticket);
        Poll::Ready(())
    }

    fn take_blocking(&self) {
        let mut ticket = Ticket::new();
        let _ = block_on(None, |cx| self.poll_take(&mut ticket, cx));
    }
}

#[test]
fn loom_trap_014_nobody_sleeps_through_a_wake() {
    loom::model(|| {
        let permits = Permits::new();
        let taker = {
            let permits = permits.clone();
            loom::thread::spawn(move || permits.take_blocking())
        };
        permits.give();
        taker.join().unwrap();
        assert_eq!(permits.free.load(Acquire), 0);
    });
}

#[test]
fn loom_two_waiters_and_two_wakes() {
    loom::model(|| {
        let permits = Permits::new();
        let taker = {
            let permits = permits.clone();
            loom::thread::spawn(move || permits.take_blocking())
        };
        let giver = {
            let permits = permits.clone();
            loom::thread::spawn(move || {
                permits.give();
                permits.give();
            })
        };
        permits.take_blocking();
        taker.join().unwrap();
        giver.join().unwrap();
    });
}

#[test]
fn loom_a_waiter_that_gives_up_hands_its_wake_on() {
    loom::model(|| {
        let permits = Permits::new();
        let quitter = {
            let permits = permits.clone();
            loom::thread::spawn(move || {
                let mut ticket = Ticket::new();
                let mut cx = Context::from_waker(Waker::noop());
                let taken = permits.poll_take(&mut ticket, &mut cx).is_ready();
                permits.line.pass(&mut ticket);
                if taken {
                    permits.give();
                }
            })
        };
        let giver = {
            let permits = permits.clone();
            loom::thread::spawn(move || permits.give())
        };
        // Hangs, which loom reports, if the wake ended with the quitter.
        permits.take_blocking();
        quitter.join().unwrap();
        giver.join().unwrap();
    });
}
