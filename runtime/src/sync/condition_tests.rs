use super::super::testing::{Probe, now};
use super::*;

#[test]
fn a_notified_wait_has_the_lock_again() {
    let condition = Condition::new(1);
    let guard = now(condition.acquire());
    let mut waiter = Probe::waiting(condition.wait(guard));
    assert!(!condition.locked());
    assert_eq!(condition.statistics().waiting, 1);
    let guard = now(condition.acquire());
    condition.notify(&guard, 1);
    assert_eq!(waiter.wakes(), 1);
    assert!(waiter.poll().is_pending(), "the lock is held");
    drop(guard);
    assert_eq!(waiter.wakes(), 1);
    assert_eq!(*waiter.ready(), 1);
    assert!(!condition.locked());
}

#[test]
fn a_wait_that_is_not_polled_keeps_the_lock() {
    let condition = Condition::new(());
    let wait = condition.wait(now(condition.acquire()));
    assert!(condition.locked());
    drop(wait);
    assert!(!condition.locked());
}

#[test]
fn trap_012_a_notification_is_passed_on_before_the_wake_and_after() {
    let condition = Condition::new(());
    let mut waiters: Vec<_> = (0..3)
        .map(|_| Probe::waiting(condition.wait(now(condition.acquire()))))
        .collect();
    let guard = now(condition.acquire());
    condition.notify(&guard, 1);
    // The first is dropped as it was woken, the second while it is in line for
    // the lock.
    drop(waiters.remove(0));
    assert_eq!((waiters[0].wakes(), waiters[1].wakes()), (1, 0));
    assert!(waiters[0].poll().is_pending());
    assert_eq!(condition.statistics().lock_waiting, 1);
    drop(waiters.remove(0));
    assert_eq!(condition.statistics().lock_waiting, 0);
    assert_eq!(waiters[0].wakes(), 1);
    drop(guard);
    drop(waiters.remove(0).ready());
}

#[test]
fn a_wait_that_ended_passes_nothing_on() {
    let condition = Condition::new(());
    let mut first = Probe::waiting(condition.wait(now(condition.acquire())));
    let second = Probe::waiting(condition.wait(now(condition.acquire())));
    condition.notify(&now(condition.acquire()), 1);
    drop(first.ready());
    drop(first);
    assert_eq!(second.wakes(), 0);
}

#[test]
fn notify_wakes_as_many_as_it_says_and_in_order() {
    let condition = Condition::new(());
    let waiters: Vec<_> = (0..4)
        .map(|_| Probe::waiting(condition.wait(now(condition.acquire()))))
        .collect();
    let wakes = || waiters.iter().map(Probe::wakes).collect::<Vec<_>>();
    condition.notify(&now(condition.acquire()), 2);
    assert_eq!(wakes(), [1, 1, 0, 0]);
    condition.notify(&now(condition.acquire()), 0);
    assert_eq!(wakes(), [0, 0, 0, 0]);
    condition.notify_all(&now(condition.acquire()));
    assert_eq!(wakes(), [0, 0, 1, 1]);
}

#[test]
fn two_conditions_share_a_lock() {
    let lock = Rc::new(Lock::new(0));
    let (even, odd) = (
        Condition::with_lock(Rc::clone(&lock)),
        Condition::with_lock(Rc::clone(&lock)),
    );
    let mut waiter = Probe::waiting(even.wait_for(now(even.acquire()), |n| *n == 2));
    let mut guard = now(odd.acquire());
    *guard = 2;
    odd.notify_all(&guard);
    assert_eq!(waiter.wakes(), 0);
    even.notify_all(&guard);
    drop(guard);
    assert_eq!(*waiter.ready(), 2);
}

#[test]
#[should_panic(expected = "another lock")]
fn a_guard_of_another_lock_is_refused() {
    let other = Lock::new(());
    Condition::new(()).notify(&now(other.acquire()), 1);
}
