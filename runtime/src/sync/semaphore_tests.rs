use super::super::testing::{Probe, now};
use super::*;

#[test]
fn test_acquire() {
    let semaphore = Semaphore::new(3);
    let first = now(semaphore.acquire());
    let second = now(semaphore.acquire());
    assert!(!semaphore.locked());
    let third = now(semaphore.acquire());
    assert!(semaphore.locked());
    let mut waiter = Probe::waiting(semaphore.acquire());
    assert!(semaphore.try_acquire().is_none());
    drop(first);
    assert_eq!(waiter.wakes(), 1);
    drop((waiter.ready(), second, third));
    assert_eq!(semaphore.available_permits(), 3);
}

#[test]
fn test_acquire_cancel() {
    let semaphore = Semaphore::new(0);
    let waiter = Probe::waiting(semaphore.acquire());
    drop(waiter);
    assert_eq!(semaphore.statistics().waiting, 0);
    semaphore.release();
    drop(now(semaphore.acquire()));
}

#[test]
fn test_acquire_cancel_before_awoken() {
    let semaphore = Semaphore::new(0);
    let first = Probe::waiting(semaphore.acquire());
    let second = Probe::waiting(semaphore.acquire());
    let mut third = Probe::waiting(semaphore.acquire());
    let fourth = Probe::waiting(semaphore.acquire());
    drop(first);
    drop(second);
    semaphore.release();
    assert_eq!((third.wakes(), fourth.wakes()), (1, 0));
    third.ready().forget();
    assert_eq!(fourth.wakes(), 0);
}

#[test]
fn test_acquire_hang() {
    // The woken waiter is cancelled: the permit goes to the next in line.
    let semaphore = Semaphore::new(0);
    let first = Probe::waiting(semaphore.acquire());
    let mut second = Probe::waiting(semaphore.acquire());
    semaphore.release();
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    drop(second.ready());
}

#[test]
fn test_acquire_no_hang() {
    let semaphore = Semaphore::new(1);
    let held = now(semaphore.acquire());
    let mut first = Probe::waiting(semaphore.acquire());
    let second = Probe::waiting(semaphore.acquire());
    drop(second);
    drop(held);
    drop(first.ready());
    drop(now(semaphore.acquire()));
}

#[test]
fn test_acquire_fifo_order() {
    // A task that gives its permit back and asks again lines up at the end.
    let semaphore = Semaphore::new(1);
    let held = now(semaphore.acquire());
    let mut second = Probe::waiting(semaphore.acquire());
    let mut third = Probe::waiting(semaphore.acquire());
    drop(held);
    let mut again = Probe::waiting(semaphore.acquire());
    assert!(third.poll().is_pending());
    drop(second.ready());
    assert!(again.poll().is_pending());
    drop(third.ready());
    drop(again.ready());
}

#[test]
fn test_acquire_fifo_order_2() {
    // Free permits do not let a newcomer past those in line.
    let semaphore = Semaphore::new(1);
    let held = now(semaphore.acquire());
    let mut first = Probe::waiting(semaphore.acquire());
    semaphore.add_permits(3);
    assert_eq!(first.wakes(), 1);
    assert_eq!(semaphore.available_permits(), 2);
    assert!(semaphore.locked());
    let mut newcomer = Probe::waiting(semaphore.acquire());
    let _first = first.ready();
    assert_eq!(newcomer.wakes(), 1);
    drop((newcomer.ready(), held));
}

#[test]
fn many_permits_are_not_starved_by_single_ones() {
    let semaphore = Semaphore::new(3);
    let one = now(semaphore.acquire());
    let mut many = Probe::waiting(semaphore.acquire_many(3));
    let mut single = Probe::waiting(semaphore.acquire());
    assert!(semaphore.try_acquire().is_none());
    drop(one);
    assert_eq!((many.wakes(), single.wakes()), (1, 0));
    let many = many.ready();
    assert_eq!(many.permits(), 3);
    drop(many);
    drop(single.ready());
}

#[test]
fn a_large_wish_that_is_given_up_lets_the_small_ones_through() {
    let semaphore = Semaphore::new(2);
    let large = Probe::waiting(semaphore.acquire_many(3));
    let mut small = Probe::waiting(semaphore.acquire_many(2));
    drop(large);
    assert_eq!(small.wakes(), 1);
    drop(small.ready());
}

#[test]
fn no_permits_are_had_without_waiting() {
    let semaphore = Semaphore::new(0);
    let _waiter = Probe::waiting(semaphore.acquire());
    assert_eq!(now(semaphore.acquire_many(0)).permits(), 0);
}

#[test]
fn an_owned_permit_outlives_the_borrow() {
    let semaphore = Rc::new(Semaphore::new(2));
    let permit = now(Rc::clone(&semaphore).acquire_owned(2));
    assert_eq!((permit.permits(), semaphore.available_permits()), (2, 0));
    let waiter = Probe::waiting(Rc::clone(&semaphore).acquire_owned(1));
    drop(permit);
    drop(waiter);
    assert_eq!(semaphore.available_permits(), 2);
    now(Rc::clone(&semaphore).acquire_owned(1)).forget();
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn trap_093_permits_do_not_overflow() {
    let semaphore = Semaphore::new(usize::MAX);
    let permit = now(semaphore.acquire());
    semaphore.release();
    drop(permit);
    assert_eq!(semaphore.available_permits(), usize::MAX);
    let added = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| semaphore.release()));
    assert!(added.is_err());
    assert_eq!(semaphore.available_permits(), usize::MAX);
}
