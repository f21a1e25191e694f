//! test_timeouts.TimeoutTests: one limit.

use std::cell::Cell;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use polyloop::time::{now, timeout_at, timeout_scope};
use polyloop::{create_task, sleep, timeout, yield_now};

use crate::kit::{on_loop, settle};

const SHORT: Duration = Duration::from_millis(10);
const LONG: Duration = Duration::from_secs(10);

/// same test_timeouts.TimeoutTests.test_timeout_basic
/// same test_timeouts.TimeoutTests.test_timeout_at_basic
#[test]
fn test_timeout_basic() {
    on_loop(async {
        assert!(timeout(SHORT, sleep(LONG)).await.is_err());
        let deadline = now() + SHORT;
        assert!(timeout_at(deadline, sleep(LONG)).await.is_err());
        assert_eq!(now(), deadline);
    });
}

/// adapted test_timeouts.TimeoutTests.test_waiter_cancelled: what is awaited is dropped, before the answer
#[test]
fn test_waiter_cancelled() {
    on_loop(async {
        let alive = Rc::new(());
        let held = alive.clone();
        let limited = timeout(SHORT, async move {
            let _held = held;
            pending::<()>().await;
        });
        assert!(limited.await.is_err());
        assert_eq!(Rc::strong_count(&alive), 1);
    });
}

/// same test_timeouts.TimeoutTests.test_timeout_not_called
#[test]
fn test_timeout_not_called() {
    on_loop(async {
        let when = now() + LONG;
        let answer = timeout_scope(Some(when), async |deadline| {
            sleep(SHORT).await;
            deadline
        });
        let deadline = answer.await.unwrap();
        assert!(!deadline.is_expired());
        assert!(deadline.when().unwrap() > now());
    });
}

/// same test_timeouts.TimeoutTests.test_timeout_disabled
/// same test_timeouts.TimeoutTests.test_timeout_at_disabled
#[test]
fn test_timeout_disabled() {
    on_loop(async {
        let answer = timeout_scope(None, async |deadline| {
            sleep(SHORT).await;
            deadline
        });
        let deadline = answer.await.unwrap();
        assert!(!deadline.is_expired());
        assert_eq!(deadline.when(), None);
    });
}

/// same test_timeouts.TimeoutTests.test_timeout_zero
/// same test_timeouts.TimeoutTests.test_timeout_zero_sleep_zero
/// adapted test_timeouts.TimeoutTests.test_timeout_in_the_past_sleep_zero: a limit is unsigned, a deadline may have passed
#[test]
fn test_timeout_zero() {
    on_loop(async {
        let began = now();
        assert!(timeout(Duration::ZERO, sleep(LONG)).await.is_err());
        assert!(timeout(Duration::ZERO, yield_now()).await.is_err());
        sleep(LONG).await;
        assert!(timeout_at(began, yield_now()).await.is_err());
        assert_eq!(now(), began + LONG);
        // The body ran up to its first wait.
        let reached = Cell::new(false);
        let body = timeout(Duration::ZERO, async {
            reached.set(true);
            yield_now().await;
            unreachable!("the time is up");
        });
        assert!(body.await.is_err() && reached.get());
    });
}

/// adapted test_timeouts.TimeoutTests.test_foreign_exception_passed: an error is a value, and a panic passes
/// adapted test_timeouts.TimeoutTests.test_timeout_exception_context: nothing is thrown, so an error has no context but itself
#[test]
fn test_foreign_exception_passed() {
    on_loop(async {
        let failing = timeout(SHORT, async { Err::<(), _>("key") });
        assert_eq!(failing.await, Ok(Err("key")));
        let panicking = timeout(SHORT, async { panic!("key") });
        let panicked = AssertUnwindSafe(panicking).catch_unwind().await;
        assert!(panicked.is_err());
    });
}

/// adapted test_timeouts.TimeoutTests.test_foreign_exception_on_timeout: clean-up that fails is a Drop that panics, and comes out
/// adapted test_timeouts.TimeoutTests.test_foreign_exception_on_timeout_2: clean-up that fails is a Drop that panics, and comes out
#[test]
fn test_foreign_exception_on_timeout() {
    struct Crash;
    impl Drop for Crash {
        fn drop(&mut self) {
            panic!("division by zero");
        }
    }
    on_loop(async {
        let limited = timeout(SHORT, async {
            let _crash = Crash;
            sleep(LONG).await;
        });
        let panicked = AssertUnwindSafe(limited).catch_unwind().await;
        let payload = panicked.expect_err("the drop panics");
        assert_eq!(payload.downcast_ref(), Some(&"division by zero"));
    });
}

/// same test_timeouts.TimeoutTests.test_foreign_cancel_doesnt_timeout_if_not_expired
#[test]
fn test_foreign_cancel_doesnt_timeout_if_not_expired() {
    on_loop(async {
        let handed = Rc::new(Cell::new(None));
        let hand = handed.clone();
        let task = create_task(timeout_scope(Some(now() + LONG), async move |deadline| {
            hand.set(Some(deadline));
            sleep(LONG).await;
        }));
        settle().await;
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        assert!(!handed.take().unwrap().is_expired());
    });
}

/// same test_timeouts.TimeoutTests.test_outer_task_is_not_cancelled
/// same test_timeouts.TimeoutTests.test_timeout_after_cancellation
#[test]
fn test_outer_task_is_not_cancelled() {
    on_loop(async {
        let task = create_task(async { timeout(SHORT, sleep(LONG)).await });
        assert!(task.await.expect("not cancelled").is_err());
    });
}

/// same test_timeouts.TimeoutTests.test_reschedule
#[test]
fn test_reschedule() {
    on_loop(async {
        let first = now() + LONG;
        let second = first + 2 * LONG;
        let handed = Rc::new(Cell::new(None));
        let hand = handed.clone();
        let task = create_task(timeout_scope(Some(first), async move |deadline| {
            hand.set(Some(deadline));
            sleep(5 * LONG).await;
        }));
        settle().await;
        let deadline = handed.take().unwrap();
        assert_eq!(deadline.when(), Some(first));
        assert!(deadline.reschedule(Some(second)));
        assert_eq!(deadline.when(), Some(second));
        sleep(2 * LONG).await;
        assert!(!task.is_finished(), "the first deadline is past");
        assert!(deadline.reschedule(None));
        assert_eq!(deadline.when(), None);
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        assert!(!deadline.is_expired());
    });
}

/// A deadline that another task moves nearer ends the wait in time.
#[test]
fn a_deadline_moved_nearer_counts() {
    on_loop(async {
        let began = now();
        let limited = timeout_scope(None, async |deadline| {
            let task = create_task(async move {
                yield_now().await;
                deadline.reschedule(Some(now() + SHORT));
            });
            task.await.unwrap();
            sleep(LONG).await;
        });
        assert!(limited.await.is_err());
        assert_eq!(now(), began + SHORT);
    });
}

/// adapted test_timeouts.TimeoutTests.test_timeout_finished: reschedule() answers false
/// adapted test_timeouts.TimeoutTests.test_timeout_expired: reschedule() answers false
/// adapted test_timeouts.TimeoutTests.test_timeout_expiring: what is dropped on expiry is told no by reschedule()
/// adapted test_timeouts.TimeoutTests.test_repr_active: the Debug form, in Rust's style
/// adapted test_timeouts.TimeoutTests.test_repr_expired: the Debug form, in Rust's style
/// adapted test_timeouts.TimeoutTests.test_repr_finished: the Debug form, in Rust's style
/// adapted test_timeouts.TimeoutTests.test_repr_disabled: the Debug form, in Rust's style
#[test]
fn test_timeout_finished() {
    struct Late(polyloop::time::Deadline, Rc<Cell<Option<bool>>>);
    impl Drop for Late {
        fn drop(&mut self) {
            self.1.set(Some(self.0.reschedule(None)));
        }
    }
    on_loop(async {
        let body = async |deadline: polyloop::time::Deadline| {
            assert!(format!("{deadline:?}").contains("when: None, phase: Active"));
            deadline
        };
        let deadline = timeout_scope(None, body).await.unwrap();
        assert!(!deadline.reschedule(Some(now())));
        assert!(format!("{deadline:?}").contains("Finished"));

        let late = Rc::new(Cell::new(None));
        let kept = Rc::new(Cell::new(None));
        let (told, keep) = (late.clone(), kept.clone());
        let expired = timeout_scope(Some(now() + SHORT), async move |deadline| {
            keep.set(Some(deadline.clone()));
            let _late = Late(deadline, told);
            sleep(LONG).await;
        });
        assert!(expired.await.is_err());
        assert_eq!(late.get(), Some(false));
        let deadline = kept.take().unwrap();
        assert!(deadline.is_expired() && !deadline.reschedule(None));
        assert!(format!("{deadline:?}").contains("Expired"));
    });
}
