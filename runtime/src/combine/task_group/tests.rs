use super::{ChildError, GroupError, TaskGroup};
use crate::event_loop::EventLoop;
use crate::{create_task, task, yield_now};
use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

fn run<F: Future>(main: F) -> F::Output {
    crate::run(main).expect("a loop can be had")
}

fn errors(error: &GroupError) -> Vec<&'static str> {
    let errors = error.errors().iter();
    errors
        .map(|error: &ChildError| *error.downcast_ref::<&str>().expect("a text"))
        .collect()
}

#[test]
fn errors_of_all_who_fail_are_kept_in_order() {
    run(async {
        let failed = TaskGroup::scope(async |group| {
            for name in ["one", "two"] {
                drop(group.create_task(async move { Err::<(), _>(name) }));
            }
            pending::<()>().await;
        });
        let error = failed.await.unwrap_err();
        assert_eq!(errors(&error), ["one", "two"]);
        assert!(!error.is_cancelled());
        let text = error.to_string();
        assert!(
            text.starts_with("2 tasks of the group failed: \"one\" (task "),
            "{text}"
        );
        assert_eq!(
            error.into_errors().remove(0).downcast::<&str>().unwrap(),
            "one"
        );
    });
}

#[test]
fn the_handle_of_a_child_that_fails_says_cancelled() {
    run(async {
        let handle = Rc::new(RefCell::new(None));
        let kept = handle.clone();
        let failed = TaskGroup::scope(async move |group| {
            *kept.borrow_mut() = Some(group.create_task(async { Err::<u8, _>("no") }));
        });
        assert!(failed.await.is_err());
        let task = handle.take().unwrap();
        assert!(task.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn a_panic_of_a_child_is_resumed_when_all_are_gone() {
    let told = Rc::new(Cell::new(0));
    let count = told.clone();
    let builder = EventLoop::builder().exception_handler(move |_| count.set(count.get() + 1));
    let mut looped = builder.build().unwrap();
    let alive = Rc::new(());
    let held = alive.clone();
    let ran = catch_unwind(AssertUnwindSafe(|| {
        looped.run_until_complete(TaskGroup::scope(async move |group| {
            drop(group.create_task(async move {
                let _held = held;
                pending::<()>().await;
            }));
            drop(group.create_task(async { panic!("first") }));
            drop(group.create_task(async { panic!("second") }));
        }))
    }));
    let payload = ran.expect_err("it panics");
    assert_eq!(payload.downcast_ref(), Some(&"first"));
    assert_eq!(Rc::strong_count(&alive), 1);
    assert_eq!(told.get(), 1, "the second panic is told");
}

#[test]
fn cancel_ends_children_and_body_and_is_no_failure() {
    run(async {
        let ended = TaskGroup::scope(async |group| {
            drop(group.create_task(pending::<()>()));
            group.cancel();
            pending::<()>().await;
        });
        assert!(ended.await.unwrap_err().is_cancelled());
        let value = TaskGroup::scope(async |group| {
            let inner = group.clone();
            drop(group.create_task(async move {
                yield_now().await;
                inner.cancel();
            }));
            drop(group.create_task(pending::<()>()));
            5
        });
        assert_eq!(value.await.unwrap(), 5);
    });
}

#[test]
fn the_body_of_try_scope_fails_as_a_child_does() {
    run(async {
        let alive = Rc::new(());
        let held = alive.clone();
        let failed = TaskGroup::try_scope(async move |group| {
            drop(group.create_task(async move {
                let _held = held;
                pending::<()>().await;
            }));
            yield_now().await;
            Err::<(), _>("body")
        });
        let error = failed.await.unwrap_err();
        assert_eq!(errors(&error), ["body"]);
        assert!(error.errors()[0].task().is_none());
        assert_eq!(Rc::strong_count(&alive), 1);
        let value = TaskGroup::try_scope(async |_| Ok::<_, &str>(3)).await;
        assert_eq!(value.unwrap(), 3);
    });
}

#[test]
fn start_waits_for_the_report_and_no_longer() {
    run(async {
        let value = TaskGroup::scope(async |group| {
            let server = group.start(|started| async move {
                yield_now().await;
                started.report("ready");
                pending::<()>().await;
            });
            let said = server.await.unwrap();
            let silent = group.start(|started| async move { drop::<super::Started<u8>>(started) });
            assert!(silent.await.is_err());
            assert_eq!(group.len(), 1);
            group.cancel();
            said
        });
        assert_eq!(value.await.unwrap(), "ready");
    });
}

#[test]
fn a_start_that_is_dropped_cancels_its_child() {
    run(async {
        let grouped = TaskGroup::scope(async |group| {
            let start = group.start(|started| async move {
                pending::<()>().await;
                started.report(());
            });
            let limit = std::time::Duration::from_millis(1);
            assert!(crate::timeout(limit, start).await.is_err());
        });
        grouped.await.unwrap();
    });
}

#[test]
fn a_group_of_eager_tasks_keeps_its_rules() {
    let builder = EventLoop::builder().eager_tasks(true);
    let mut looped = builder.build().unwrap();
    let outcome = looped.run_until_complete(async {
        let failed = TaskGroup::scope(async |group| {
            let done = group.create_task(async { 1 });
            assert!(done.is_finished() && group.is_empty());
            let bad = group.create_task(async { Err::<(), _>("at once") });
            assert!(group.is_ending());
            let refused = group.create_task(async { unreachable!("it is refused") });
            assert!(refused.await.unwrap_err().is_cancelled());
            assert!(bad.await.unwrap_err().is_cancelled());
        });
        errors(&failed.await.unwrap_err())
    });
    assert_eq!(outcome.unwrap(), ["at once"]);
}

#[test]
fn an_eager_task_runs_inside_its_creator() {
    run(async {
        let outer = crate::current_task();
        let seen = Rc::new(Cell::new(None));
        let note = seen.clone();
        let task = task().name("eager").eager(true).start(|| async move {
            note.set(crate::current_task());
            yield_now().await;
            "later"
        });
        assert_eq!(seen.get(), Some(task.id()));
        assert_eq!(crate::current_task(), outer);
        assert!(!task.is_finished());
        assert_eq!(task.await.unwrap(), "later");
        let bad = crate::task()
            .eager(true)
            .start(|| async { panic!("early") });
        assert!(bad.is_finished());
        assert_eq!(bad.await.unwrap_err().panic_message(), Some("early"));
        drop(create_task(async {}));
    });
}
