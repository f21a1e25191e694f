//! test_futures.BaseFutureTests: what the exception handler is told.

use std::cell::RefCell;
use std::rc::Rc;

use polyloop::EventLoop;
use polyloop::sync::{Future, Promise, create_future};

use super::future::RuntimeError;
use crate::kit::settle;

/// What the exception handler was told while `act` ran and its ends were dropped.
fn told(debug: bool, act: impl Fn(&Promise<i32>, &Future<i32>)) -> Vec<String> {
    let told = Rc::new(RefCell::new(Vec::new()));
    let note = Rc::clone(&told);
    let mut event_loop = EventLoop::builder()
        .debug(debug)
        .exception_handler(move |context| note.borrow_mut().push(context.to_string()))
        .build()
        .expect("there are descriptors left");
    let main = async {
        let (promise, future) = create_future();
        act(&promise, &future);
        drop((promise, future));
        settle().await;
    };
    event_loop
        .run_until_complete(main)
        .expect("nobody stops this loop");
    told.take()
}

fn fail(promise: &Promise<i32>) {
    let set = promise.set_exception(RuntimeError("boom"));
    set.expect("it is pending");
}

fn assert_told_once(told: &[String]) {
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("exception was never retrieved"),
        "{told:?}"
    );
    assert!(told[0].contains("boom"), "{told:?}");
}

/// same test_futures.BaseFutureTests.test_tb_logger_abandoned
#[test]
fn test_tb_logger_abandoned() {
    assert!(told(false, |_, _| ()).is_empty());
}

/// same test_futures.BaseFutureTests.test_tb_logger_result_unretrieved
#[test]
fn test_tb_logger_result_unretrieved() {
    let set = |promise: &Promise<_>, _: &_| promise.set_result(42).expect("it is pending");
    assert!(told(false, set).is_empty());
}

/// same test_futures.BaseFutureTests.test_tb_logger_result_retrieved
#[test]
fn test_tb_logger_result_retrieved() {
    let lines = told(false, |promise, future| {
        promise.set_result(42).expect("it is pending");
        assert!(future.result().is_ok());
    });
    assert!(lines.is_empty());
}

/// same test_futures.BaseFutureTests.test_tb_logger_exception_unretrieved
/// same test_futures.BaseFutureTests.test_future_exception_never_retrieved
#[test]
fn test_tb_logger_exception_unretrieved() {
    assert_told_once(&told(false, |promise, _| fail(promise)));
}

/// same test_futures.BaseFutureTests.test_future_exception_never_retrieved_debug
#[test]
fn test_future_exception_never_retrieved_debug() {
    assert_told_once(&told(true, |promise, _| fail(promise)));
}

/// same test_futures.BaseFutureTests.test_tb_logger_exception_retrieved
#[test]
fn test_tb_logger_exception_retrieved() {
    let lines = told(false, |promise, future| {
        fail(promise);
        assert!(future.exception().is_ok());
    });
    assert!(lines.is_empty());
}

/// same test_futures.BaseFutureTests.test_tb_logger_exception_result_retrieved
#[test]
fn test_tb_logger_exception_result_retrieved() {
    let lines = told(false, |promise, future| {
        fail(promise);
        assert!(future.result().is_err());
    });
    assert!(lines.is_empty());
}

/// adapted test_futures.BaseFutureTests.test_tb_logger_not_called_after_cancel: what the original means, a cancel before the error; a cancel after it changes nothing
#[test]
fn test_tb_logger_not_called_after_cancel() {
    let lines = told(false, |promise, future| {
        assert!(future.cancel());
        assert!(promise.set_exception(RuntimeError("late")).is_err());
    });
    assert!(lines.is_empty());
}
