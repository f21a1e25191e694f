use super::super::testing::{Probe, now};
use super::*;

#[test]
fn each_party_has_an_index_of_its_own_even_after_a_cancel() {
    let barrier = Barrier::new(3);
    let leaver = Probe::waiting(barrier.wait());
    let mut first = Probe::waiting(barrier.wait());
    assert_eq!(barrier.n_waiting(), 2);
    drop(leaver);
    let mut second = Probe::waiting(barrier.wait());
    assert_eq!(barrier.n_waiting(), 2);
    assert_eq!(now(barrier.wait()), Ok(2));
    assert_eq!((first.ready(), second.ready()), (Ok(0), Ok(1)));
    assert_eq!(barrier.statistics().state, BarrierState::Filling);
}

#[test]
fn a_newcomer_waits_until_all_have_left() {
    let barrier = Barrier::new(2);
    let mut first = Probe::waiting(barrier.wait());
    assert_eq!(now(barrier.wait()), Ok(1));
    assert_eq!(barrier.statistics().state, BarrierState::Draining);
    let mut newcomer = Probe::waiting(barrier.wait());
    assert_eq!(barrier.statistics().blocked, 1);
    assert_eq!(first.ready(), Ok(0));
    assert_eq!(newcomer.wakes(), 1);
    assert!(newcomer.poll().is_pending());
    assert_eq!(barrier.n_waiting(), 1);
    assert_eq!(now(barrier.wait()), Ok(1));
    assert_eq!(newcomer.ready(), Ok(0));
}

#[test]
fn a_party_that_is_cancelled_while_leaving_does_not_hold_the_rest() {
    let barrier = Barrier::new(2);
    let first = Probe::waiting(barrier.wait());
    assert_eq!(now(barrier.wait()), Ok(1));
    let newcomer = Probe::waiting(barrier.wait());
    drop(first);
    assert_eq!(newcomer.wakes(), 1);
    assert_eq!(barrier.statistics().state, BarrierState::Filling);
}

#[test]
fn a_reset_breaks_those_inside_and_keeps_those_before_it() {
    let barrier = Barrier::new(3);
    let mut inside = Probe::waiting(barrier.wait());
    barrier.reset();
    assert_eq!(barrier.statistics().state, BarrierState::Resetting);
    let mut before = Probe::waiting(barrier.wait());
    assert!(inside.ready().is_err());
    assert_eq!(before.wakes(), 1);
    assert!(before.poll().is_pending());
    assert_eq!((barrier.n_waiting(), barrier.broken()), (1, false));
}

#[test]
fn an_aborted_barrier_is_broken_until_it_is_reset() {
    let barrier = Barrier::new(2);
    let mut inside = Probe::waiting(barrier.wait());
    barrier.abort();
    assert!(barrier.broken());
    assert!(inside.ready().is_err());
    assert!(now(barrier.wait()).is_err());
    barrier.reset();
    let mut inside = Probe::waiting(barrier.wait());
    assert_eq!(now(barrier.wait()), Ok(1));
    assert_eq!(inside.ready(), Ok(0));
}

#[test]
fn a_barrier_for_one_is_no_hindrance() {
    let barrier = Barrier::new(1);
    assert_eq!((now(barrier.wait()), now(barrier.wait())), (Ok(0), Ok(0)));
    assert_eq!(barrier.n_waiting(), 0);
}

#[test]
#[should_panic(expected = "one party at least")]
fn a_barrier_for_nobody_is_refused() {
    let _ = Barrier::new(0);
}
