//! test_taskgroups.TestTaskGroup: children, bodies and inner groups that fail.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use polyloop::combine::GroupError;
use polyloop::{TaskGroup, create_task, sleep};

use super::texts;
use crate::kit::on_loop;

const TENTH: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(10);

async fn crash_after(delay: Duration, error: &'static str) -> Result<(), &'static str> {
    sleep(delay).await;
    Err(error)
}

/// Notes that it was dropped.
struct Gone(Rc<Cell<u32>>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// same test_taskgroups.TestTaskGroup.test_taskgroup_04
#[test]
fn test_taskgroup_04() {
    on_loop(async {
        let gone = Rc::new(Cell::new(0));
        let guard = Gone(gone.clone());
        let runner = create_task(TaskGroup::scope(async move |group| {
            drop(group.create_task(crash_after(TENTH, "zero")));
            drop(group.create_task(async move {
                let _guard = guard;
                sleep(LONG).await;
                unreachable!("it is cancelled");
            }));
        }));
        let error = runner.await.unwrap().unwrap_err();
        assert_eq!(texts(&error), ["zero"]);
        assert_eq!(gone.get(), 1);
    });
}

/// same test_taskgroups.TestTaskGroup.test_cancel_children_on_child_error
#[test]
fn test_cancel_children_on_child_error() {
    on_loop(async {
        let gone = Rc::new(Cell::new(0));
        let (child, body) = (Gone(gone.clone()), Gone(gone.clone()));
        let failed = TaskGroup::scope(async move |group| {
            for _ in 0..3 {
                drop(group.create_task(crash_after(TENTH, "zero")));
            }
            drop(group.create_task(async move {
                let _guard = child;
                sleep(LONG).await;
            }));
            let _guard = body;
            sleep(LONG).await;
            unreachable!("it is dropped");
        });
        // They fail in the same turn, and all are heard of.
        assert_eq!(texts(&failed.await.unwrap_err()), ["zero"; 3]);
        assert_eq!(gone.get(), 2);
    });
}

/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_09: a body that fails is try_scope's
/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_10: a body that fails is try_scope's
/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_context_manager_exit_raises: a body that fails is try_scope's
#[test]
fn test_taskgroup_09() {
    on_loop(async {
        for delay in [Some(TENTH), None] {
            let gone = Rc::new(Cell::new(0));
            let guards = [Gone(gone.clone()), Gone(gone.clone())];
            let failed = TaskGroup::try_scope(async move |group| {
                for guard in guards {
                    drop(group.create_task(async move {
                        let _guard = guard;
                        sleep(LONG).await;
                    }));
                }
                if let Some(delay) = delay {
                    sleep(delay).await;
                }
                Err::<(), _>("body")
            });
            assert_eq!(texts(&failed.await.unwrap_err()), ["body"]);
            assert_eq!(gone.get(), 2);
        }
    });
}

/// same test_taskgroups.TestTaskGroup.test_taskgroup_13
#[test]
fn test_taskgroup_13() {
    on_loop(async {
        let failed = TaskGroup::scope(async |outer| {
            drop(outer.create_task(crash_after(TENTH, "outer")));
            let inner = TaskGroup::scope(async |inner| {
                drop(inner.create_task(crash_after(LONG, "inner")));
            });
            inner.await.unwrap();
        });
        assert_eq!(texts(&failed.await.unwrap_err()), ["outer"]);
    });
}

/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_14: an inner group's error is a value that the body passes on
#[test]
fn test_taskgroup_14() {
    on_loop(async {
        let failed = TaskGroup::try_scope(async |outer| {
            drop(outer.create_task(crash_after(LONG, "outer")));
            TaskGroup::scope(async |inner| {
                drop(inner.create_task(crash_after(TENTH, "inner")));
            })
            .await
        });
        let error = failed.await.unwrap_err();
        assert_eq!(error.errors().len(), 1);
        let inner: &GroupError = error.errors()[0].downcast_ref().expect("a group's error");
        assert_eq!(texts(inner), ["inner"]);
    });
}

/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_19: clean-up that fails is a child with a token of its own; both errors are kept
#[test]
fn test_taskgroup_19() {
    on_loop(async {
        let failed = TaskGroup::scope(async |group| {
            drop(group.create_task(crash_after(TENTH, "zero")));
            drop(group.create_task(crash_after(TENTH, "mine")));
            sleep(LONG).await;
        });
        assert_eq!(texts(&failed.await.unwrap_err()), ["zero", "mine"]);
    });
}
