use super::super::testing::{Probe, now};
use super::*;

#[test]
fn one_notification_is_kept_and_no_more() {
    let notify = Notify::new();
    notify.notify_one();
    notify.notify_one();
    now(notify.notified());
    let _waiter = Probe::waiting(notify.notified());
}

#[test]
fn waiters_are_woken_in_order() {
    let notify = Notify::new();
    let mut first = Probe::waiting(notify.notified());
    let mut second = Probe::waiting(notify.notified());
    notify.notify_one();
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    notify.notify_one();
    first.ready();
    second.ready();
    assert!(!notify.statistics().kept);
}

#[test]
fn trap_012_a_dropped_waiter_passes_its_notification_on() {
    let notify = Notify::new();
    let first = Probe::waiting(notify.notified());
    let second = Probe::waiting(notify.notified());
    notify.notify_one();
    drop(first);
    assert_eq!(second.wakes(), 1);
    drop(second);
    now(notify.notified());
}

#[test]
fn trap_013_notify_waiters_leaves_no_notification_and_takes_none() {
    let notify = Notify::new();
    let first = Probe::waiting(notify.notified());
    notify.notify_waiters();
    assert_eq!(first.wakes(), 1);
    drop(first);
    let mut second = Probe::waiting(notify.notified());
    // Chosen first and woken with all then: still chosen.
    notify.notify_one();
    notify.notify_waiters();
    let mut third = Probe::waiting(notify.notified());
    second.ready();
    assert_eq!(third.wakes(), 0);
    notify.notify_one();
    notify.notify_waiters();
    let fourth = Probe::waiting(notify.notified());
    third.ready();
    drop(third);
    assert_eq!(fourth.wakes(), 0);
}
