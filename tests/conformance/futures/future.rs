//! test_futures.BaseFutureTests.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use polyloop::sync::{Event, create_future};
use polyloop::{Task, create_task};

use crate::kit::{done, on_loop, settle};

/// Stands for Python's `RuntimeError`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RuntimeError(pub &'static str);

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for RuntimeError {}

/// same test_futures.BaseFutureTests.test_initial_state
#[test]
fn test_initial_state() {
    let (_promise, future) = create_future::<()>();
    assert!(!future.cancelled());
    assert!(!future.done());
    future.cancel();
    assert!(future.cancelled());
}

/// adapted test_futures.BaseFutureTests.test_constructor_without_loop: only a callback needs a loop
#[test]
#[should_panic(expected = "loop")]
fn test_constructor_without_loop() {
    let (_promise, future) = create_future::<()>();
    future.add_done_callback(|| ());
}

/// adapted test_futures.BaseFutureTests.test_constructor_use_running_loop: a callback runs on the loop that it was added on, even if the result is set outside of it
#[test]
fn test_constructor_use_running_loop() {
    let mut event_loop = polyloop::EventLoop::new().expect("there are descriptors left");
    let (promise, future) = create_future();
    let called = Rc::new(Cell::new(false));
    let note = Rc::clone(&called);
    let mut run = |main: &dyn Fn()| {
        event_loop
            .run_until_complete(async { main() })
            .expect("nobody stops this loop");
    };
    run(&|| {
        let note = Rc::clone(&note);
        future.add_done_callback(move || note.set(polyloop::try_current_loop().is_some()));
    });
    promise.set_result(1).expect("it is pending");
    assert!(!called.get());
    event_loop
        .run_until_complete(settle())
        .expect("nobody stops this loop");
    assert!(called.get());
}

/// same test_futures.BaseFutureTests.test_cancel
#[test]
fn test_cancel() {
    let (promise, future) = create_future();
    assert!(future.cancel());
    assert!(future.cancelled());
    assert!(future.done());
    assert!(future.result().unwrap_err().is_cancelled());
    assert!(future.exception().unwrap_err().is_cancelled());
    assert!(promise.set_result(1).is_err());
    assert!(promise.set_exception(RuntimeError("late")).is_err());
    assert!(!future.cancel());
}

/// same test_futures.BaseFutureTests.test_result
#[test]
fn test_result() {
    let (promise, future) = create_future();
    assert!(future.result().unwrap_err().is_pending());
    promise.set_result(42).expect("it is pending");
    assert!(!future.cancelled());
    assert!(future.done());
    assert_eq!(future.result().ok(), Some(&42));
    assert!(future.exception().is_ok_and(|error| error.is_none()));
    assert!(promise.set_result(43).is_err());
    assert!(promise.set_exception(RuntimeError("late")).is_err());
    assert!(!future.cancel());
}

/// same test_futures.BaseFutureTests.test_exception
#[test]
fn test_exception() {
    let (promise, future) = create_future::<()>();
    assert!(future.exception().unwrap_err().is_pending());
    promise
        .set_exception(RuntimeError("boom"))
        .expect("it is pending");
    assert!(!future.cancelled());
    assert!(future.done());
    assert!(future.result().unwrap_err().exception().is_some());
    let error = future.exception().expect("it is done").expect("it failed");
    assert_eq!(error.downcast_ref(), Some(&RuntimeError("boom")));
    assert!(promise.set_result(()).is_err());
    assert!(promise.set_exception(RuntimeError("late")).is_err());
    assert!(!future.cancel());
}

/// adapted test_futures.BaseFutureTests.test_yield_from_twice: a future is awaited by reference, or a clone of it by value
#[test]
fn test_yield_from_twice() {
    on_loop(async {
        let (promise, future) = create_future();
        let started = Rc::new(Event::new());
        let task: Task<(i32, i32)> = create_task({
            let (future, started) = (future.clone(), Rc::clone(&started));
            async move {
                started.set();
                let first = *(&future).await.expect("a result is set");
                (first, future.await.expect("a result is set"))
            }
        });
        started.wait().await;
        assert!(!task.is_finished());
        promise.set_result(42).expect("it is pending");
        assert_eq!(done(task).await, (42, 42));
    });
}

/// adapted test_futures.BaseFutureTests.test_future_repr: it is Debug that tells the state, the result and how many callbacks there are
#[test]
fn test_future_repr() {
    on_loop(async {
        let (promise, future) = create_future();
        let text = || format!("{future:?}");
        assert_eq!(text(), r#"Future { state: "pending", callbacks: 0 }"#);
        future.add_done_callback(|| ());
        future.add_done_callback(|| ());
        assert_eq!(text(), r#"Future { state: "pending", callbacks: 2 }"#);
        promise.set_result(4).expect("it is pending");
        assert_eq!(text(), "Future { result: 4, callbacks: 0 }");

        let (promise, future) = create_future::<()>();
        future.cancel();
        let text = format!("{promise:?}");
        let state = r#"Future { state: "cancelled", callbacks: 0 }"#;
        assert_eq!(text, format!("Promise({state})"));

        let (promise, future) = create_future::<()>();
        promise
            .set_exception(RuntimeError("boom"))
            .expect("it is pending");
        let text = format!("{future:?}");
        let exception = r#"exception: RuntimeError("boom")"#;
        assert_eq!(text, format!("Future {{ {exception}, callbacks: 0 }}"));
        assert!(future.exception().is_ok());
    });
}

/// adapted test_futures.BaseFutureTests.test_copy_state: a clone is the same future, so there is nothing to copy
#[test]
fn test_copy_state() {
    let (promise, future) = create_future();
    let other = future.clone();
    promise.set_result(10).expect("it is pending");
    assert!(other.done());
    assert_eq!(other.result().ok(), Some(&10));
    assert!(promise.future().done());
}

/// same test_futures.BaseFutureTests.test_set_result_unless_cancelled
#[test]
fn test_set_result_unless_cancelled() {
    let (promise, future) = create_future();
    future.cancel();
    assert_eq!(promise.set_result(2).unwrap_err().into_inner(), 2);
    assert!(future.cancelled());
}

/// adapted test_futures.BaseFutureTests.test_future_del_collect: a result's drop asks the loop for its tasks
#[test]
fn test_future_del_collect() {
    struct Evil;
    impl Drop for Evil {
        fn drop(&mut self) {
            drop(polyloop::all_tasks());
        }
    }
    on_loop(async {
        for _ in 0..100 {
            let (promise, future) = create_future();
            assert!(promise.set_result(Evil).is_ok());
            drop((promise, future));
        }
    });
}

/// adapted test_futures.BaseFutureTests.test_wrap_future: a submission can be awaited as it is
/// adapted test_futures.BaseFutureTests.test_wrap_future_use_running_loop: a submission wakes whoever awaits it
#[test]
fn test_wrap_future() {
    on_loop(async {
        let here = std::thread::current().id();
        let there = || ("oi", std::thread::current().id());
        let answer = polyloop_bridge::run_in_executor(None, there).await;
        let (word, thread) = answer.expect("the job does not panic");
        assert_eq!(word, "oi");
        assert_ne!(thread, here);
    });
}
