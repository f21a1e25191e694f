//! test_timeouts.TimeoutTests: limits inside of limits, and groups inside of them.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use polyloop::time::{VirtualClock, now, timeout_at};
use polyloop::{EventLoop, TaskGroup, create_task, sleep, timeout};

use crate::kit::{on_loop, settle};

const SHORT: Duration = Duration::from_millis(10);
const LONG: Duration = Duration::from_secs(10);

/// adapted test_timeouts.TimeoutTests.test_nested_timeouts: of equal deadlines the inner answers first, as a value
#[test]
fn test_nested_timeouts() {
    on_loop(async {
        let deadline = now() + SHORT;
        let outer = timeout_at(deadline, async {
            assert!(timeout_at(deadline, sleep(LONG)).await.is_err());
            sleep(LONG).await;
        });
        assert!(outer.await.is_err());
        assert_eq!(now(), deadline);
    });
}

/// adapted test_timeouts.TimeoutTests.test_nested_timeouts_concurrent: the clock moves instead of a busy loop; the inner limit answers first and the outer ends what comes after
/// adapted test_timeouts.TimeoutTests.test_nested_timeouts_loop_busy: the clock moves instead of a busy loop
#[test]
fn test_nested_timeouts_loop_busy() {
    let clock = VirtualClock::new();
    let builder = EventLoop::builder().clock(clock.clone());
    let mut looped = builder.build().unwrap();
    let (inner, outer) = looped
        .run_until_complete(async {
            let inner = Cell::new(false);
            let outer = timeout(10 * SHORT, async {
                let busy = timeout(SHORT, async {
                    clock.advance(10 * SHORT);
                    sleep(LONG).await;
                });
                inner.set(busy.await.is_err());
                sleep(LONG).await;
            });
            let outer = outer.await.is_err();
            (inner.get(), outer)
        })
        .unwrap();
    assert!(inner && outer);
}

/// adapted test_timeouts.TimeoutTests.test_nested_timeout_in_finally: clean-up that waits is a task that the drop makes
#[test]
fn test_nested_timeout_in_finally() {
    struct Finally(Rc<Cell<bool>>);
    impl Drop for Finally {
        fn drop(&mut self) {
            let expired = self.0.clone();
            drop(create_task(async move {
                expired.set(timeout(SHORT, sleep(LONG)).await.is_err());
            }));
        }
    }
    on_loop(async {
        let expired = Rc::new(Cell::new(false));
        let finally = Finally(expired.clone());
        let outer = timeout(SHORT, async move {
            let _finally = finally;
            sleep(LONG).await;
        });
        assert!(outer.await.is_err());
        sleep(2 * SHORT).await;
        assert!(expired.get());
    });
}

/// adapted test_timeouts.TimeoutTests.test_cancel_in_timeout_after_cancellation: clean-up that waits is a task of its own, which can be cancelled too
#[test]
fn test_cancel_in_timeout_after_cancellation() {
    on_loop(async {
        let first = create_task(sleep(LONG));
        first.cancel();
        assert!(first.await.unwrap_err().is_cancelled());
        let cleanup = create_task(async { timeout(LONG, sleep(2 * LONG)).await });
        settle().await;
        cleanup.cancel();
        assert!(cleanup.await.unwrap_err().is_cancelled());
    });
}

/// adapted test_timeouts.TimeoutTests.test_timeout_taskgroup: a child's error that comes before the time is up is the group's; what the limit cuts off is dropped, children with it
#[test]
fn test_timeout_taskgroup() {
    on_loop(async {
        let alive = Rc::new(());
        let held = alive.clone();
        let limited = timeout(
            SHORT,
            TaskGroup::scope(async |group| {
                drop(group.create_task(async move {
                    let _held = held;
                    sleep(LONG).await;
                }));
                sleep(LONG).await;
            }),
        );
        assert!(limited.await.is_err());
        settle().await;
        assert_eq!(Rc::strong_count(&alive), 1, "the child is gone");

        let failed = timeout(
            LONG,
            TaskGroup::scope(async |group| {
                drop(group.create_task(async { Err::<(), _>("value") }));
                sleep(LONG).await;
            }),
        );
        let error = failed.await.expect("in time").unwrap_err();
        assert_eq!(error.errors()[0].downcast_ref(), Some(&"value"));
    });
}
