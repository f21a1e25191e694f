use super::super::testing::{Probe, now};
use super::*;

#[test]
fn a_receiver_sees_the_latest_value_once() {
    let (sender, mut receiver) = channel(1);
    assert!(!receiver.has_changed());
    sender.send(2).expect("a receiver lives");
    sender.send(3).expect("a receiver lives");
    assert!(receiver.has_changed());
    assert_eq!(now(receiver.changed()), Ok(()));
    assert_eq!(*receiver.borrow(), 3);
    let _waiting = Probe::waiting(receiver.changed());
}

#[test]
fn a_change_wakes_all_who_wait() {
    let (sender, mut one) = channel(1);
    let mut other = sender.subscribe();
    let mut waits = [
        Probe::waiting(one.changed()),
        Probe::waiting(other.changed()),
    ];
    assert_eq!(sender.statistics().waiting, 2);
    sender.send_modify(|value| *value += 1);
    for wait in &mut waits {
        assert_eq!(wait.wakes(), 1);
        assert_eq!(wait.ready(), Ok(()));
    }
    assert_eq!(*sender.borrow(), 2);
}

#[test]
fn a_value_that_is_kept_does_not_hold_up_the_sender() {
    let (sender, receiver) = channel(1);
    let kept = receiver.borrow();
    assert_eq!(*sender.send_replace(2), 1);
    assert_eq!((*kept, *receiver.borrow()), (1, 2));
}

#[test]
fn a_dropped_wait_has_seen_nothing() {
    let (sender, mut receiver) = channel(1);
    let wait = Probe::waiting(receiver.changed());
    sender.send(2).expect("a receiver lives");
    drop(wait);
    assert_eq!(now(receiver.changed()), Ok(()));
}

#[test]
fn the_last_sender_ends_the_wait_and_not_the_value() {
    let (sender, mut receiver) = channel(1);
    let mut other = receiver.clone();
    let mut wait = Probe::waiting(receiver.changed());
    let last = sender.clone();
    drop(sender);
    assert_eq!(wait.wakes(), 0);
    last.send(2).expect("a receiver lives");
    drop(last);
    assert_eq!(wait.ready(), Ok(()));
    drop(wait);
    assert!(now(receiver.changed()).is_err());
    assert_eq!(now(other.wait_for(|value| *value == 2)).as_deref(), Ok(&2));
    assert!(now(other.wait_for(|value| *value == 3)).is_err());
}

#[test]
fn the_last_receiver_closes_the_channel() {
    let (sender, receiver) = channel(1);
    let mut closed = Probe::waiting(sender.closed());
    drop(receiver);
    assert_eq!(closed.wakes(), 1);
    closed.ready();
    assert_eq!(sender.send(2).unwrap_err().into_value(), 2);
    assert_eq!(*sender.subscribe().borrow(), 1);
    assert!(!sender.is_closed() || sender.statistics().receivers == 0);
}
