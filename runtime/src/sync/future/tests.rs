use super::super::testing::{Probe, now};
use super::*;

#[derive(Debug, PartialEq, Eq)]
struct Boom;

impl fmt::Display for Boom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("boom")
    }
}

impl Error for Boom {}

#[test]
fn a_result_wakes_all_who_wait() {
    let (promise, future) = create_future();
    let mut by_reference = Probe::waiting(future.wait());
    let mut by_value = Probe::waiting(future.clone().into_future());
    assert_eq!(future.statistics().waiting, 2);
    promise.set_result(7).expect("it is pending");
    assert_eq!((by_reference.wakes(), by_value.wakes()), (1, 1));
    assert_eq!(by_reference.ready().copied().ok(), Some(7));
    assert_eq!(by_value.ready().ok(), Some(7));
    assert_eq!(promise.set_result(8).unwrap_err().into_inner(), 8);
    assert!(!future.cancel());
}

#[test]
fn a_dropped_promise_answers_those_who_wait() {
    let (promise, future) = create_future::<()>();
    let mut wait = Probe::waiting(future.wait());
    drop(promise);
    assert_eq!(wait.wakes(), 1);
    assert!(wait.ready().unwrap_err().is_abandoned());
    assert!(!future.cancelled() && future.done());
}

#[test]
fn a_cancel_reaches_both_ends() {
    let (promise, future) = create_future::<()>();
    let mut wait = Probe::waiting(future.wait());
    let mut cancelled = Probe::waiting(promise.wait_cancelled());
    assert!(future.cancel());
    assert!(!promise.cancel());
    assert_eq!((wait.wakes(), cancelled.wakes()), (1, 1));
    assert!(wait.ready().unwrap_err().is_cancelled());
    cancelled.ready();
    assert_eq!(promise.set_exception(Boom).unwrap_err().into_inner(), Boom);
}

#[test]
fn an_error_is_shared_by_all_who_ask() {
    let (promise, future) = create_future::<()>();
    assert!(future.exception().unwrap_err().is_pending());
    promise.set_exception(Boom).expect("it is pending");
    let error = now(future.wait()).unwrap_err();
    let shared = error.exception().expect("an error was set");
    assert!(shared.is::<Boom>());
    let same = future.exception().expect("it is done").expect("it failed");
    assert!(Rc::ptr_eq(shared, same));
    assert_eq!(error.source().map(ToString::to_string), Some("boom".into()));
}

#[test]
fn an_owned_wait_may_be_moved_and_dropped_in_any_order() {
    let (promise, future) = create_future();
    let mut waits: Vec<_> = (0..4)
        .map(|_| Probe::waiting(future.clone().into_future()))
        .collect();
    drop(future);
    drop(waits.swap_remove(1));
    drop(waits.remove(0));
    promise.set_result(()).expect("it is pending");
    drop(promise);
    for mut wait in waits {
        assert_eq!(wait.wakes(), 1);
        assert!(wait.ready().is_ok());
    }
}
