use super::super::testing::{Probe, now};
use super::*;

#[test]
fn tokens_go_to_those_in_line_in_order() {
    let limiter = CapacityLimiter::new(1);
    let token = now(limiter.acquire());
    let mut first = Probe::waiting(limiter.acquire());
    let mut second = Probe::waiting(limiter.acquire());
    assert!(limiter.try_acquire().is_none());
    drop(token);
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first.ready());
    drop(second.ready());
    assert_eq!(limiter.available_tokens(), 1);
}

#[test]
fn a_dropped_waiter_passes_its_token_on() {
    let limiter = CapacityLimiter::new(1);
    let token = now(limiter.acquire());
    let first = Probe::waiting(limiter.acquire());
    let mut second = Probe::waiting(limiter.acquire());
    drop(token);
    drop(first);
    assert_eq!(second.wakes(), 1);
    drop(second.ready());
    assert_eq!(limiter.borrowed_tokens(), 0);
}

#[test]
fn a_raised_total_wakes_as_many_as_there_are_tokens() {
    let limiter = CapacityLimiter::new(0);
    let waiters: Vec<_> = (0..3).map(|_| Probe::waiting(limiter.acquire())).collect();
    limiter.set_total_tokens(2);
    let wakes: Vec<_> = waiters.iter().map(Probe::wakes).collect();
    assert_eq!(wakes, [1, 1, 0]);
    assert_eq!(limiter.statistics().waiting, 1);
}

#[test]
fn a_lowered_total_takes_no_token_away() {
    let limiter = CapacityLimiter::new(3);
    let tokens: Vec<_> = (0..3).map(|_| now(limiter.acquire())).collect();
    limiter.set_total_tokens(1);
    let mut waiter = Probe::waiting(limiter.acquire());
    assert_eq!(limiter.borrowed_tokens(), 3);
    let mut tokens = tokens.into_iter();
    drop(tokens.next());
    drop(tokens.next());
    assert_eq!((limiter.available_tokens(), waiter.wakes()), (0, 0));
    drop(tokens.next());
    assert_eq!(waiter.wakes(), 1);
    drop(waiter.ready());
}
