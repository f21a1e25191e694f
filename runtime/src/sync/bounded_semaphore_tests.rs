use super::super::testing::{Probe, now};
use super::*;

#[test]
fn test_release_not_acquired() {
    let semaphore = BoundedSemaphore::new(1);
    let error = semaphore.release().unwrap_err();
    assert!(error.to_string().contains("guard"));
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn a_release_does_not_take_the_permit_out_of_a_guard() {
    let semaphore = BoundedSemaphore::new(2);
    let held = now(semaphore.acquire());
    now(semaphore.acquire()).forget();
    assert!(semaphore.release_many(2).is_err());
    assert!(semaphore.release().is_ok());
    assert!(semaphore.release().is_err());
    drop(held);
    assert_eq!(semaphore.available_permits(), semaphore.bound());
}

#[test]
fn those_in_line_get_what_is_released() {
    let semaphore = BoundedSemaphore::new(2);
    semaphore
        .try_acquire_many(2)
        .expect("both are free")
        .forget();
    let mut waiter = Probe::waiting(semaphore.acquire_many(2));
    assert!(semaphore.release_many(2).is_ok());
    assert_eq!(waiter.ready().permits(), 2);
    assert!(!semaphore.locked());
}

#[test]
#[should_panic(expected = "can never be had")]
fn a_wish_above_the_bound_is_refused() {
    drop(BoundedSemaphore::new(1).acquire_many(2));
}
