//! test_tasks.BaseTaskTests: context variables.

use std::cell::Cell;
use std::rc::Rc;

use polyloop::contextvars::Context;
use polyloop::{EventLoop, call_soon, copy_context, create_task, sleep, task, yield_now};

use crate::kit::{on_loop, settle};

polyloop::context_var! {
    static CVAR: &'static str = "nope";
    static NUMBER: u32 = 0;
}

/// same test_tasks.BaseTaskTests.test_context_1
#[test]
fn test_context_1() {
    on_loop(async {
        async fn sub() {
            yield_now().await;
            assert_eq!(CVAR.get(), Some("nope"));
            CVAR.set("something else");
        }
        assert_eq!(CVAR.get(), Some("nope"));
        let subtask = create_task(sub());
        CVAR.set("yes");
        assert_eq!(CVAR.get(), Some("yes"));
        subtask.await.unwrap();
        assert_eq!(CVAR.get(), Some("yes"));
    });
}

/// same test_tasks.BaseTaskTests.test_context_2
#[test]
fn test_context_2() {
    on_loop(async {
        let seen = Rc::new(Cell::new(None));
        let note = seen.clone();
        CVAR.set("registered");
        let task = create_task(async {
            CVAR.set("the task's");
            yield_now().await;
        });
        task.add_done_callback(move || {
            note.set(CVAR.get());
            CVAR.set("the callback's");
        });
        CVAR.set("changed");
        task.await.unwrap();
        settle().await;
        assert_eq!(seen.get(), Some("registered"));
        assert_eq!(CVAR.get(), Some("changed"));
    });
}

/// same test_tasks.BaseTaskTests.test_context_3
#[test]
fn test_context_3() {
    on_loop(async {
        let tasks: Vec<_> = (1..=40_u32)
            .map(|number| {
                create_task(async move {
                    for step in 0..10 {
                        NUMBER.set(number + step);
                        let pause = u64::from((number * 7 + step * 3) % 5);
                        sleep(std::time::Duration::from_micros(pause)).await;
                        assert_eq!(NUMBER.get(), Some(number + step));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(NUMBER.get(), Some(0));
    });
}

/// adapted test_tasks.BaseTaskTests.test_context_4: a task has a copy of the context given
/// adapted test_tasks.BaseTaskTests.test_context_5: a task has a copy of the context given
/// adapted test_tasks.BaseTaskTests.test_context_6: a task has a copy of the context given
#[test]
fn test_context_4() {
    let mut context = Context::new();
    let mut looped = EventLoop::new().unwrap();
    context.run(|| {
        CVAR.set("outer");
        let ran = looped.run_until_complete(async {
            assert_eq!(CVAR.get(), Some("outer"));
            let mut other = Context::new();
            other.run(|| CVAR.set("given"));
            let inner = task().context(other.clone()).start(|| async {
                yield_now().await;
                let given = CVAR.get();
                CVAR.set("set by the task");
                given
            });
            assert_eq!(inner.await.unwrap(), Some("given"));
            assert_eq!(other.get(&CVAR), Some("given"));
            CVAR.set("set by main");
        });
        ran.unwrap();
        assert_eq!(CVAR.get(), Some("outer"));
    });
    assert_eq!(CVAR.get(), Some("nope"));
}

/// adapted test_tasks.BaseTaskTests.test_get_context: the context is asked for inside of the task
#[test]
fn test_get_context() {
    on_loop(async {
        let given = {
            let mut context = Context::new();
            context.run(|| CVAR.set("given"));
            context
        };
        let inner = task().context(given).start(|| async { copy_context() });
        assert_eq!(inner.await.unwrap().get(&CVAR), Some("given"));
    });
}

/// A callback has its creator's context, and keeps its own to itself.
#[test]
fn callbacks_inherit_too() {
    on_loop(async {
        CVAR.set("creator");
        let seen = Rc::new(Cell::new(None));
        let note = seen.clone();
        call_soon(move || {
            note.set(CVAR.get());
            CVAR.set("callback");
        });
        settle().await;
        assert_eq!((seen.get(), CVAR.get()), (Some("creator"), Some("creator")));
    });
}
