//! test_taskgroups.TestTaskGroup: cancelled from outside, and panics.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use polyloop::{CancelToken, EventLoop, TaskGroup, create_task, sleep, timeout, yield_now};

use super::texts;
use crate::kit::{on_loop, settle};

const TENTH: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(10);

/// Adds to a number when it is dropped.
struct Gone(Rc<Cell<u32>>, u32);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.set(self.0.get() + self.1);
    }
}

/// same test_taskgroups.TestTaskGroup.test_cancellation
/// same test_taskgroups.TestTaskGroup.test_taskgroup_07
/// same test_taskgroups.TestTaskGroup.test_taskgroup_17
/// same test_taskgroups.TestTaskGroup.test_taskgroup_22
#[test]
fn test_cancellation() {
    on_loop(async {
        for (children, body) in [(5, false), (5, true), (0, true), (2, false)] {
            let gone = Rc::new(Cell::new(0));
            let count = gone.clone();
            let runner = create_task(TaskGroup::scope(async move |group| {
                for _ in 0..children {
                    let guard = Gone(count.clone(), 1);
                    drop(group.create_task(async move {
                        let _guard = guard;
                        sleep(LONG).await;
                    }));
                }
                if body {
                    let _guard = Gone(count, 10);
                    sleep(LONG).await;
                }
            }));
            sleep(TENTH).await;
            assert!(!runner.is_finished());
            runner.cancel();
            assert!(runner.await.unwrap_err().is_cancelled());
            // A dropped scope cannot wait: its children are gone a turn later.
            settle().await;
            assert_eq!(gone.get(), children + if body { 10 } else { 0 });
        }
    });
}

/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_08: clean-up that fails while its scope is dropped has nobody left but the exception handler
/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_11: clean-up that fails while its scope is dropped has nobody left but the exception handler
/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_12: clean-up that fails while its scope is dropped has nobody left but the exception handler
/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_18: clean-up that fails while its scope is dropped has nobody left but the exception handler
#[test]
fn test_taskgroup_08() {
    struct Crash;
    impl Drop for Crash {
        fn drop(&mut self) {
            panic!("zero");
        }
    }
    let told = Rc::new(RefCell::new(Vec::new()));
    let tell = told.clone();
    let builder = EventLoop::builder().exception_handler(move |context| {
        let text = context.panic_message().expect("a panic");
        tell.borrow_mut().push(text.to_owned());
    });
    let mut looped = builder.build().unwrap();
    let ran = looped.run_until_complete(async {
        let runner = create_task(TaskGroup::scope(async |outer| {
            drop(outer.create_task(pending::<()>()));
            let inner = TaskGroup::scope(async |inner| {
                for _ in 0..3 {
                    let crash = Crash;
                    drop(inner.create_task(async move {
                        let _crash = crash;
                        pending::<()>().await;
                    }));
                }
                pending::<()>().await;
            });
            inner.await.unwrap();
        }));
        settle().await;
        runner.cancel();
        assert!(runner.await.unwrap_err().is_cancelled());
        settle().await;
    });
    ran.unwrap();
    assert_eq!(*told.borrow(), ["zero"; 3]);
}

/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_15: who is asked to end by a token waits, and the group's error is not lost
/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_16: who is asked to end by a token waits, and the group's error is not lost
/// adapted test_taskgroups.TestTaskGroup.test_error_and_cancel: who is asked to end by a token waits, and the group's error is not lost
#[test]
fn test_taskgroup_15() {
    on_loop(async {
        let token = CancelToken::new();
        let runner = create_task({
            let token = token.clone();
            TaskGroup::scope(async move |group| {
                drop(group.create_task(async {
                    sleep(3 * TENTH).await;
                    Err::<(), _>("zero")
                }));
                assert!(token.run_until_cancelled(sleep(LONG)).await.is_none());
                sleep(5 * TENTH).await;
            })
        });
        sleep(TENTH).await;
        assert!(!runner.is_finished());
        token.cancel();
        let error = runner.await.unwrap().unwrap_err();
        assert_eq!(texts(&error), ["zero"]);
    });
}

/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_20: a panic comes out as it is
/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_20a: a panic comes out as it is
/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_21a: a panic comes out as it is
#[test]
fn test_taskgroup_20() {
    on_loop(async {
        let gone = Rc::new(Cell::new(0));
        let guard = Gone(gone.clone(), 1);
        let scope = TaskGroup::scope(async move |group| {
            drop(group.create_task(async move {
                let _guard = guard;
                pending::<()>().await;
            }));
            drop(group.create_task(async {
                yield_now().await;
                Err::<(), _>("zero")
            }));
            drop(group.create_task(async {
                yield_now().await;
                panic!("interrupt")
            }));
            pending::<()>().await;
        });
        let panicked = AssertUnwindSafe(scope).catch_unwind().await;
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"interrupt"));
        assert_eq!(gone.get(), 1);

        let body = TaskGroup::scope(async |_| {
            yield_now().await;
            panic!("the body's")
        });
        let panicked = AssertUnwindSafe(body).catch_unwind().await;
        let payload = panicked.map(|_: Result<(), _>| ()).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"the body's"));
    });
}

/// same test_taskgroups.TestTaskGroup.test_nested_groups_both_cancelled
#[test]
fn test_nested_groups_both_cancelled() {
    on_loop(async {
        let gone = Rc::new(Cell::new(0));
        let count = gone.clone();
        let failed = TaskGroup::scope(async move |outer| {
            drop(outer.create_task(async { Err::<(), _>("outer") }));
            let inner = TaskGroup::scope(async move |inner| {
                let guard = Gone(count, 1);
                drop(inner.create_task(async move {
                    let _guard = guard;
                    pending::<()>().await;
                }));
                drop(inner.create_task(async { Err::<(), _>("inner") }));
            });
            drop(inner.await);
        });
        assert_eq!(texts(&failed.await.unwrap_err()), ["outer"]);
        settle().await;
        assert_eq!(gone.get(), 1);
    });
}

/// adapted test_taskgroups.TestTaskGroup.test_cancelling_level_preserved: nothing counts cancellations; the code after a group that failed runs on
/// adapted test_taskgroups.TestTaskGroup.test_cancellation_does_not_leak_out_of_tg: nothing counts cancellations; the code after a group that failed runs on
#[test]
fn test_cancellation_does_not_leak_out_of_tg() {
    on_loop(async {
        let failed = TaskGroup::scope(async |group| {
            drop(group.create_task(async { Err::<(), _>("zero") }));
            sleep(LONG).await;
        });
        assert!(failed.await.is_err());
        yield_now().await;
        sleep(TENTH).await;
        // And it can still be cancelled by a limit around it.
        assert!(timeout(TENTH, pending::<()>()).await.is_err());
    });
}
