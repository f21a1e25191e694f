//! test_waitfor: asyncio's `wait_for` is `timeout`; with a task that is to end
//! with it, `timeout(limit, task.abort_on_drop())`.

use std::cell::Cell;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use polyloop::sync::Event;
use polyloop::{CancelToken, call_later, create_task, shield, sleep, timeout, yield_now};

use crate::kit::{on_loop, settle};

const SHORT: Duration = Duration::from_millis(10);
const LONG: Duration = Duration::from_secs(10);

/// Notes when it is dropped.
struct Gone(Rc<Cell<bool>>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

fn gone() -> (Gone, Rc<Cell<bool>>) {
    let cell = Rc::new(Cell::new(false));
    (Gone(cell.clone()), cell)
}

/// adapted test_waitfor.AsyncioWaitForTest.test_asyncio_wait_for_cancelled: who must finish is a task, which the cancelled wait lets run
/// adapted test_waitfor.AsyncioWaitForTest.test_asyncio_wait_for_timeout: who must finish is a task, which the expired wait lets run
#[test]
fn test_asyncio_wait_for_cancelled() {
    on_loop(async {
        for limit in [2 * LONG, SHORT] {
            let exited = Rc::new(Cell::new(false));
            let exit = exited.clone();
            let slow = create_task(async move {
                sleep(LONG).await;
                exit.set(true);
            });
            let waiting = create_task(timeout(limit, slow));
            yield_now().await;
            waiting.cancel();
            assert!(waiting.await.unwrap_err().is_cancelled());
            sleep(2 * LONG).await;
            assert!(exited.get());
        }
    });
}

/// same test_waitfor.AsyncioWaitForTest.test_wait_for_timeout_less_then_0_or_0_future_done
#[test]
fn test_wait_for_timeout_less_then_0_or_0_future_done() {
    on_loop(async {
        let task = create_task(async { "done" });
        settle().await;
        assert_eq!(
            timeout(Duration::ZERO, task).await.unwrap().unwrap(),
            "done"
        );
    });
}

/// adapted test_waitfor.AsyncioWaitForTest.test_wait_for_timeout_less_then_0_or_0_coroutine_do_not_started: a future is polled once, a task is not
#[test]
fn test_wait_for_timeout_less_then_0_or_0_coroutine_do_not_started() {
    on_loop(async {
        let started = Rc::new(Cell::new(false));
        let start = started.clone();
        let task = create_task(async move { start.set(true) });
        let limited = timeout(Duration::ZERO, task.abort_on_drop());
        assert!(limited.await.is_err());
        settle().await;
        assert!(!started.get());
    });
}

/// adapted test_waitfor.AsyncioWaitForTest.test_wait_for_timeout_less_then_0_or_0: the task is gone a turn after the answer
/// adapted test_waitfor.AsyncioWaitForTest.test_wait_for: the task is gone a turn after the answer
#[test]
fn test_wait_for() {
    on_loop(async {
        for limit in [Duration::ZERO, SHORT] {
            let (guard, gone) = gone();
            let task = create_task(async move {
                let _guard = guard;
                sleep(LONG).await;
            });
            settle().await;
            assert!(timeout(limit, task.abort_on_drop()).await.is_err());
            yield_now().await;
            assert!(gone.get());
        }
    });
}

/// adapted test_waitfor.AsyncioWaitForTest.test_wait_for_blocking: without a limit there is nothing to call
#[test]
fn test_wait_for_blocking() {
    on_loop(async {
        assert_eq!(create_task(async { "done" }).await.unwrap(), "done");
    });
}

/// same test_waitfor.AsyncioWaitForTest.test_wait_for_race_condition
#[test]
fn test_wait_for_race_condition() {
    on_loop(async {
        let event = Rc::new(Event::new());
        let setter = event.clone();
        call_later(SHORT, move || setter.set());
        assert!(timeout(2 * SHORT, event.wait()).await.is_ok());
        // Also when both are due in the same turn: the value wins.
        let event = Rc::new(Event::new());
        let setter = event.clone();
        call_later(SHORT, move || setter.set());
        assert!(timeout(SHORT, event.wait()).await.is_ok());
    });
}

/// adapted test_waitfor.AsyncioWaitForTest.test_wait_for_cancellation_race_condition: who answers a cancellation with a value watches a token
/// adapted test_waitfor.AsyncioWaitForTest.test_wait_for_cancel_suppressed: who answers a cancellation with a value watches a token
#[test]
fn test_wait_for_cancellation_race_condition() {
    on_loop(async {
        let token = CancelToken::new();
        let mut inner = create_task({
            let token = token.clone();
            async move {
                assert!(token.run_until_cancelled(sleep(LONG)).await.is_none());
                1
            }
        });
        assert!(timeout(SHORT, &mut inner).await.is_err());
        token.cancel();
        assert_eq!(inner.await.unwrap(), 1);
    });
}

/// adapted test_waitfor.AsyncioWaitForTest.test_wait_for_waits_for_task_cancellation: cancel_and_wait() after the limit
/// adapted test_waitfor.AsyncioWaitForTest.test_wait_for_waits_for_task_cancellation_w_timeout_0: cancel_and_wait() after the limit
#[test]
fn test_wait_for_waits_for_task_cancellation() {
    on_loop(async {
        for limit in [Duration::ZERO, SHORT] {
            let (guard, gone) = gone();
            let mut task = create_task(async move {
                let _guard = guard;
                sleep(LONG).await;
            });
            settle().await;
            assert!(timeout(limit, &mut task).await.is_err());
            assert!(task.cancel_and_wait().await.unwrap_err().is_cancelled());
            assert!(gone.get());
        }
    });
}

/// adapted test_waitfor.AsyncioWaitForTest.test_wait_for_reraises_exception_during_cancellation: clean-up that fails is a Drop that panics
#[test]
fn test_wait_for_reraises_exception_during_cancellation() {
    struct Foo;
    impl Drop for Foo {
        fn drop(&mut self) {
            panic!("foo");
        }
    }
    on_loop(async {
        let inner = async {
            let _foo = Foo;
            pending::<()>().await;
        };
        let panicked = AssertUnwindSafe(timeout(SHORT, inner)).catch_unwind().await;
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"foo"));
    });
}

/// adapted test_waitfor.AsyncioWaitForTest.test_cancel_blocking_wait_for: abort_on_drop() says that the task is to end with its wait
/// adapted test_waitfor.AsyncioWaitForTest.test_cancel_wait_for: abort_on_drop() says that the task is to end with its wait
#[test]
fn test_cancel_wait_for() {
    on_loop(async {
        let (guard, gone) = gone();
        let task = create_task(async move {
            let _guard = guard;
            pending::<()>().await;
        });
        settle().await;
        let waiting = create_task(timeout(6 * LONG, task.abort_on_drop()));
        yield_now().await;
        waiting.cancel();
        assert!(waiting.await.unwrap_err().is_cancelled());
        settle().await;
        assert!(gone.get());
    });
}

/// same test_waitfor.AsyncioWaitForTest.test_wait_for_issue86296
#[test]
fn test_wait_for_issue86296() {
    // A wait that is cancelled when its inner task is done already: the
    // cancellation is not lost.
    on_loop(async {
        let inner = create_task(async { 1 });
        let outer = create_task(async move {
            let value = timeout(LONG, inner).await;
            pending::<()>().await;
            value.is_ok()
        });
        settle().await;
        outer.cancel();
        assert!(outer.await.unwrap_err().is_cancelled());
    });
}

/// same test_waitfor.WaitForShieldTests.test_zero_timeout
#[test]
fn test_zero_timeout() {
    on_loop(async {
        let started = Rc::new(Cell::new(false));
        let start = started.clone();
        let inner = create_task(async move {
            start.set(true);
            "done"
        });
        let mut shielded = shield(inner);
        assert!(timeout(Duration::ZERO, &mut shielded).await.is_err());
        assert!(!started.get());
        assert_eq!(shielded.await.unwrap(), "done");
    });
}

/// same test_waitfor.WaitForShieldTests.test_none_timeout
#[test]
fn test_none_timeout() {
    on_loop(async {
        let shielded = shield(create_task(async {
            sleep(SHORT).await;
            "done"
        }));
        assert_eq!(shielded.await.unwrap(), "done");
    });
}

/// same test_waitfor.WaitForShieldTests.test_shielded_timeout
#[test]
fn test_shielded_timeout() {
    on_loop(async {
        let mut shielded = shield(create_task(async {
            sleep(2 * SHORT).await;
            "done"
        }));
        assert!(timeout(SHORT, &mut shielded).await.is_err());
        assert_eq!(shielded.await.unwrap(), "done");
    });
}
