//! test_taskgroups.TestTaskGroup: children that end well, and late comers.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use polyloop::{Task, TaskGroup, copy_context, sleep, task, yield_now};

use super::texts;
use crate::kit::on_loop;

const TENTH: Duration = Duration::from_millis(100);

async fn after<T>(delay: Duration, value: T) -> T {
    sleep(delay).await;
    value
}

polyloop::context_var! {
    static VALUE: u32;
}

/// same test_taskgroups.TestTaskGroup.test_taskgroup_01
#[test]
fn test_taskgroup_01() {
    on_loop(async {
        let (first, second) = TaskGroup::scope(async |group| {
            (
                group.create_task(after(TENTH, 42)),
                group.create_task(after(2 * TENTH, 11)),
            )
        })
        .await
        .unwrap();
        assert!(first.is_finished() && second.is_finished());
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (42, 11));
    });
}

/// same test_taskgroups.TestTaskGroup.test_taskgroup_02
#[test]
fn test_taskgroup_02() {
    on_loop(async {
        let tasks: Vec<Task<u32>> = TaskGroup::scope(async |group| {
            let first = group.create_task(after(TENTH, 42_u32));
            sleep(TENTH * 3 / 2).await;
            assert!(first.is_finished());
            vec![first, group.create_task(after(2 * TENTH, 11_u32))]
        })
        .await
        .unwrap();
        assert!(tasks.iter().all(Task::is_finished));
    });
}

/// same test_taskgroups.TestTaskGroup.test_taskgroup_03
#[test]
fn test_taskgroup_03() {
    on_loop(async {
        let (first, second) = TaskGroup::scope(async |group| {
            let first = group.create_task(after(10 * TENTH, 42));
            sleep(TENTH).await;
            // Cancelling one is no failure: the rest go on.
            first.cancel();
            (first, group.create_task(after(2 * TENTH, 11)))
        })
        .await
        .unwrap();
        assert!(first.await.unwrap_err().is_cancelled());
        assert_eq!(second.await.unwrap(), 11);
    });
}

/// same test_taskgroups.TestTaskGroup.test_taskgroup_23
#[test]
fn test_taskgroup_23() {
    on_loop(async {
        TaskGroup::scope(async |group| {
            for count in 0..10 {
                sleep(TENTH).await;
                drop(group.create_task(sleep(3 * TENTH)));
                if count == 5 {
                    assert!(group.len() < 5);
                }
            }
            sleep(10 * TENTH).await;
            assert!(group.is_empty());
        })
        .await
        .unwrap();
    });
}

/// same test_taskgroups.TestTaskGroup.test_taskgroup_24
#[test]
fn test_taskgroup_24() {
    on_loop(async {
        let done = Rc::new(Cell::new(0));
        let count = done.clone();
        TaskGroup::scope(async |group| {
            let inner = group.clone();
            drop(group.create_task(async move {
                sleep(TENTH).await;
                for delay in [1, 2] {
                    let count = count.clone();
                    drop(inner.create_task(async move {
                        sleep(delay * TENTH).await;
                        count.set(count.get() + 1);
                    }));
                }
            }));
        })
        .await
        .unwrap();
        assert_eq!(done.get(), 2);
    });
}

/// same test_taskgroups.TestTaskGroup.test_taskgroup_25
#[test]
fn test_taskgroup_25() {
    fn hydra(group: TaskGroup, heads: Rc<Cell<u32>>) {
        let inner = group.clone();
        drop(group.create_task(async move {
            heads.set(heads.get() + 1);
            sleep(TENTH / 10).await;
            hydra(inner.clone(), heads.clone());
            hydra(inner, heads);
        }));
    }
    on_loop(async {
        let heads = Rc::new(Cell::new(0));
        let failed = TaskGroup::scope(async |group| {
            hydra(group.clone(), heads.clone());
            let heads = heads.clone();
            drop(group.create_task(async move {
                while heads.get() < 10 {
                    sleep(TENTH / 7).await;
                }
                Err::<(), _>("hercules")
            }));
        });
        assert_eq!(texts(&failed.await.unwrap_err()), ["hercules"]);
        assert!(heads.get() >= 10);
    });
}

/// same test_taskgroups.TestTaskGroup.test_taskgroup_task_name
/// same test_taskgroups.TestTaskGroup.test_name
#[test]
fn test_taskgroup_task_name() {
    on_loop(async {
        let grouped = TaskGroup::scope(async |group| {
            let named = group.create_task_with(task().name("yolo"), yield_now());
            assert_eq!(named.name(), Some("yolo"));
        });
        grouped.await.unwrap();
    });
}

/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_task_context: a task has a copy of the context given, so what it sets does not come back in it
#[test]
fn test_taskgroup_task_context() {
    on_loop(async {
        let grouped = TaskGroup::scope(async |group| {
            let mut context = copy_context();
            context.run(|| VALUE.set(1));
            let settings = task().context(context.clone());
            let child = group.create_task_with(settings, async {
                let given = VALUE.get();
                VALUE.set(2);
                (given, VALUE.get())
            });
            assert_eq!(child.await.unwrap(), (Some(1), Some(2)));
            assert_eq!(context.get(&VALUE), Some(1));
            assert_eq!(VALUE.get(), None);
        });
        grouped.await.unwrap();
    });
}

/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_no_create_task_after_failure: the task is made, never starts, and says cancelled
/// adapted test_taskgroups.TestTaskGroup.test_taskgroup_finished: the task is made, never starts, and says cancelled
/// adapted test_taskgroups.TestTaskGroup.test_coro_closed_when_tg_closed: the future is dropped unpolled
#[test]
fn test_taskgroup_finished() {
    on_loop(async {
        let kept = Rc::new(RefCell::new(None));
        let keep = kept.clone();
        let failed = TaskGroup::scope(async move |group| {
            *keep.borrow_mut() = Some(group.clone());
            let inner = group.clone();
            drop(group.create_task(async { Err::<(), _>("one") }));
            drop(group.create_task(async move {
                assert!(inner.is_ending());
                let late = inner.create_task(async { unreachable!("it is refused") });
                let refused = late.await.unwrap_err();
                assert!(refused.is_cancelled());
            }));
        });
        assert_eq!(texts(&failed.await.unwrap_err()), ["one"]);

        let group = kept.take().unwrap();
        let alive = Rc::new(());
        let held = alive.clone();
        let late = group.create_task(async move { drop(held) });
        assert!(late.await.unwrap_err().is_cancelled());
        assert_eq!(Rc::strong_count(&alive), 1);
    });
}

/// adapted test_taskgroups.TestTaskGroup.test_cancels_task_if_created_during_creation: eager children: one that is made as the group fails ends with it
#[test]
fn test_cancels_task_if_created_during_creation() {
    on_loop(async {
        let ran = Rc::new(Cell::new(false));
        let failed = TaskGroup::scope(async |group| {
            let (inner, end) = (group.clone(), ran.clone());
            let eager = || task().eager(true);
            drop(group.create_task_with(eager(), async move {
                let child = inner.create_task_with(eager(), async move {
                    yield_now().await;
                    yield_now().await;
                    end.set(true);
                });
                drop(child);
                Err::<(), _>("parent")
            }));
            sleep(10 * TENTH).await;
        });
        assert_eq!(texts(&failed.await.unwrap_err()), ["parent"]);
        sleep(TENTH).await;
        assert!(!ran.get());
    });
}
