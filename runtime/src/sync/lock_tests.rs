use super::super::testing::{Probe, now};
use super::*;

#[test]
fn test_acquire() {
    let lock = Lock::new(());
    let held = now(lock.acquire());
    let mut first = Probe::waiting(lock.acquire());
    let mut second = Probe::waiting(lock.acquire());
    assert_eq!((lock.locked(), lock.statistics().waiting), (true, 2));
    drop(held);
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first.ready());
    assert_eq!(second.wakes(), 1);
    let held = second.ready();
    assert!(lock.locked());
    drop(held);
    assert!(!lock.locked());
}

#[test]
fn test_acquire_cancel() {
    let lock = Lock::new(());
    let held = now(lock.acquire());
    let waiter = Probe::waiting(lock.acquire());
    drop(waiter);
    assert_eq!(lock.statistics().waiting, 0);
    drop(held);
    drop(now(lock.acquire()));
}

#[test]
fn test_cancel_race() {
    // Several wait; the one that was just woken is cancelled: the next one runs.
    let lock = Lock::new(());
    let held = now(lock.acquire());
    let first = Probe::waiting(lock.acquire());
    let second = Probe::waiting(lock.acquire());
    let mut third = Probe::waiting(lock.acquire());
    drop(held);
    drop(second);
    assert_eq!(third.wakes(), 0);
    drop(first);
    assert_eq!(third.wakes(), 1);
    drop(third.ready());
}

#[test]
fn test_cancel_release_race() {
    // The woken waiter is cancelled while another task asks anew: the newcomer
    // gets the lock, and not before its turn.
    let lock = Lock::new(());
    let held = now(lock.acquire());
    let woken = Probe::waiting(lock.acquire());
    drop(held);
    let mut newcomer = Probe::waiting(lock.acquire());
    drop(woken);
    assert_eq!(newcomer.wakes(), 1);
    drop(newcomer.ready());
}

#[test]
fn test_finished_waiter_cancelled() {
    // A waiter that is dropped while another task already holds the lock must
    // not wake anybody to a lock that is taken.
    let lock = Lock::new(());
    let held = now(lock.acquire());
    let mut first = Probe::waiting(lock.acquire());
    let second = Probe::waiting(lock.acquire());
    let third = Probe::waiting(lock.acquire());
    drop(held);
    let held = first.ready();
    drop(second);
    assert_eq!(third.wakes(), 0);
    drop(held);
    assert_eq!(third.wakes(), 1);
}

#[test]
fn nobody_overtakes_a_woken_waiter() {
    let lock = Lock::new(());
    let held = now(lock.acquire());
    let mut waiter = Probe::waiting(lock.acquire());
    drop(held);
    assert!(!lock.locked());
    assert!(lock.try_acquire().is_none());
    let mut newcomer = Probe::waiting(lock.acquire());
    assert_eq!(newcomer.wakes(), 0);
    drop(waiter.ready());
    drop(newcomer.ready());
}

#[test]
fn test_context_manager() {
    let mut lock = Lock::new(vec![1]);
    now(lock.acquire()).push(2);
    assert_eq!(*now(lock.acquire()), [1, 2]);
    assert_eq!(format!("{lock:?}"), "Lock { value: [1, 2], waiting: 0 }");
    lock.get_mut().push(3);
    assert_eq!(lock.into_inner(), [1, 2, 3]);
}

#[test]
fn an_unpolled_wait_has_no_place_in_line() {
    let lock = Lock::new(());
    let never = lock.acquire();
    drop(now(lock.acquire()));
    drop(never);
    assert!(lock.try_acquire().is_some());
}

#[test]
fn an_acquire_that_is_ready_is_not_woken_again() {
    let lock = Lock::new(());
    let held = now(lock.acquire());
    let mut waiter = Probe::waiting(lock.acquire());
    drop(held);
    assert_eq!(waiter.wakes(), 1);
    let held = waiter.ready();
    drop(waiter);
    drop(held);
    assert!(lock.waiters.is_idle());
    assert!(!lock.locked());
}
