use super::*;
use crate::test_tools::{PanickingWaker, Wakes};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

#[test]
fn the_first_to_join_is_the_first_woken() {
    let line = Waiters::new();
    let all: Vec<_> = (0..3).map(|_| Wakes::new()).collect();
    let mut tickets: Vec<_> = all
        .iter()
        .map(|(_, waker)| {
            let mut ticket = Ticket::new();
            line.join(&mut ticket, waker);
            ticket
        })
        .collect();
    for turn in 0..3 {
        line.wake_one();
        let woken: Vec<_> = all.iter().map(|(wakes, _)| wakes.count()).collect();
        let expected: Vec<_> = (0..3).map(|n| usize::from(n <= turn)).collect();
        assert_eq!(woken, expected);
    }
    assert!(tickets.iter_mut().all(|ticket| line.leave(ticket)));
}

#[test]
fn a_place_in_the_middle_can_be_left() {
    let line = Waiters::new();
    let (wakes, waker) = Wakes::new();
    let mut tickets = [Ticket::new(), Ticket::new(), Ticket::new()];
    for ticket in &mut tickets {
        line.join(ticket, &waker);
    }
    assert!(!line.leave(&mut tickets[1]));
    assert!(!line.leave(&mut tickets[1]), "leaving twice is nothing");
    assert_eq!(line.len(), 2);
    line.wake_all();
    assert_eq!(wakes.count(), 2);
}

#[test]
fn trap_012_an_unused_wake_goes_to_the_next() {
    let line = Waiters::new();
    let (first, second) = (Wakes::new(), Wakes::new());
    let (mut a, mut b) = (Ticket::new(), Ticket::new());
    line.join(&mut a, &first.1);
    line.join(&mut b, &second.1);
    line.wake_one();
    assert_eq!((first.0.count(), second.0.count()), (1, 0));
    line.pass(&mut a);
    assert_eq!((first.0.count(), second.0.count()), (1, 1));
    line.pass(&mut b);
}

#[test]
fn who_was_woken_for_nothing_is_next_again() {
    let line = Waiters::new();
    let (first, second) = (Wakes::new(), Wakes::new());
    let (mut a, mut b) = (Ticket::new(), Ticket::new());
    line.join(&mut a, &first.1);
    line.join(&mut b, &second.1);
    line.wake_one();
    line.join(&mut a, &first.1);
    line.wake_one();
    assert_eq!((first.0.count(), second.0.count()), (2, 0));
    line.leave(&mut a);
    line.leave(&mut b);
}

#[test]
fn a_new_waker_replaces_the_old_one() {
    let line = Waiters::new();
    let (old, new) = (Wakes::new(), Wakes::new());
    let mut ticket = Ticket::new();
    line.join(&mut ticket, &old.1);
    line.join(&mut ticket, &old.1);
    line.join(&mut ticket, &new.1);
    assert_eq!(line.len(), 1);
    line.wake_one();
    assert_eq!((old.0.count(), new.0.count()), (0, 1));
    line.leave(&mut ticket);
    // Only the test's own pair is left: the line keeps no waker of the gone.
    assert_eq!(Arc::strong_count(&old.0), 2);
}

#[test]
fn trap_051_all_are_woken_even_if_a_waker_panics() {
    let line = Waiters::new();
    let (wakes, waker) = Wakes::new();
    let (mut a, mut b) = (Ticket::new(), Ticket::new());
    line.join(&mut a, &Arc::new(PanickingWaker).into());
    line.join(&mut b, &waker);
    assert!(catch_unwind(AssertUnwindSafe(|| line.wake_all())).is_err());
    assert_eq!(wakes.count(), 1);
    line.leave(&mut a);
    line.leave(&mut b);
    assert_eq!(line.len(), 0);
}

#[test]
fn places_are_used_again() {
    let line = Waiters::new();
    let (_, waker) = Wakes::new();
    for _ in 0..3 {
        let mut many: Vec<_> = (0..100).map(|_| Ticket::new()).collect();
        for ticket in &mut many {
            line.join(ticket, &waker);
        }
        assert_eq!(line.line.lock().kept_places(), 100);
        for ticket in &mut many {
            line.leave(ticket);
        }
        assert_eq!(line.line.lock().kept_places(), 0);
    }
}

#[test]
fn a_blocked_thread_is_woken_through_its_waker() {
    let (to_waiter, waiter) = crate::channel::unbounded();
    let thread = std::thread::spawn(move || {
        let mut polls = 0;
        block_on(None, |cx| {
            polls += 1;
            to_waiter
                .try_send(cx.waker().clone())
                .expect("the test listens");
            if polls == 3 {
                Poll::Ready(polls)
            } else {
                Poll::Pending
            }
        })
    });
    for _ in 0..2 {
        waiter.recv_blocking().expect("the thread polls").wake();
    }
    assert_eq!(thread.join().expect("no panic"), Ok(3));
}

#[test]
fn a_blocked_thread_gives_up_at_its_deadline() {
    let deadline = deadline_after(Duration::from_millis(5));
    assert_eq!(block_on::<()>(deadline, |_| Poll::Pending), Err(TimedOut));
    assert_eq!(
        block_on(deadline, |_| Poll::Ready(7)),
        Ok(7),
        "an answer wins"
    );
    assert_eq!(deadline_after(Duration::MAX), None);
}

#[test]
fn a_poll_may_block_too() {
    let inner = || block_on(None, |_| Poll::Ready(5));
    assert_eq!(block_on(None, |_| Poll::Ready(inner())), Ok(Ok(5)));
}
