//! test_tasks.BaseTaskTests: shield.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use polyloop::sync::Event;
use polyloop::{EventLoop, create_task, gather, shield, sleep};

use crate::kit::{on_loop, settle, was_cancelled};

const SHORT: Duration = Duration::from_millis(10);

/// same test_tasks.BaseTaskTests.test_shield_result
/// same test_tasks.BaseTaskTests.test_shield_coroutine_use_running_loop
/// adapted test_tasks.BaseTaskTests.test_shield_exception: an exception is a panic
#[test]
fn test_shield_result() {
    on_loop(async {
        assert_eq!(shield(create_task(async { 42 })).await.unwrap(), 42);
        let failed = shield(create_task(async { panic!("expected") }));
        let error = failed.await.unwrap_err();
        assert_eq!(error.panic_message(), Some("expected"));
    });
}

/// same test_tasks.BaseTaskTests.test_shield_cancel_inner
#[test]
fn test_shield_cancel_inner() {
    on_loop(async {
        let outer = shield(create_task(pending::<()>()));
        settle().await;
        assert!(outer.task().cancel());
        assert!(outer.await.unwrap_err().is_cancelled());
    });
}

/// same test_tasks.BaseTaskTests.test_shield_cancel_outer
#[test]
fn test_shield_cancel_outer() {
    on_loop(async {
        let mut outer = shield(create_task(async {
            sleep(SHORT).await;
            7
        }));
        assert!(outer.cancel());
        assert!(!outer.cancel());
        assert!((&mut outer).await.unwrap_err().is_cancelled());
        assert_eq!(outer.into_inner().await.unwrap(), 7);
    });
}

/// same test_tasks.BaseTaskTests.test_shield_shortcut
#[test]
fn test_shield_shortcut() {
    on_loop(async {
        let inner = create_task(async { 42 });
        settle().await;
        let mut outer = shield(inner);
        assert!(!outer.cancel(), "it is done");
        assert_eq!(outer.await.unwrap(), 42);
    });
}

/// same test_tasks.BaseTaskTests.test_shield_effect
#[test]
fn test_shield_effect() {
    on_loop(async {
        let proof = Rc::new(Cell::new(0));
        let waiter = Rc::new(Event::new());
        let (add, wait) = (proof.clone(), waiter.clone());
        let inner = async move {
            wait.wait().await;
            add.set(add.get() + 1);
        };
        let add = proof.clone();
        let outer = create_task(async move {
            shield(create_task(inner)).await.unwrap();
            add.set(add.get() + 100);
        });
        settle().await;
        outer.cancel();
        assert!(was_cancelled(outer).await);
        waiter.set();
        settle().await;
        assert_eq!(proof.get(), 1);
    });
}

/// same test_tasks.BaseTaskTests.test_shield_gather
/// adapted test_tasks.BaseTaskTests.test_gather_shield: shields among the children are dropped with the gather, their tasks are not
#[test]
fn test_shield_gather() {
    on_loop(async {
        let events = [Rc::new(Event::new()), Rc::new(Event::new())];
        let count = Rc::new(Cell::new(0));
        let children = || {
            let children = events.iter().map(|event| {
                let (event, count) = (event.clone(), count.clone());
                create_task(async move {
                    event.wait().await;
                    count.set(count.get() + 1);
                })
            });
            children.collect::<Vec<_>>()
        };
        let mut outer = shield(create_task(gather(children())));
        let shielded = create_task(gather(children().into_iter().map(shield)));
        settle().await;
        assert!(outer.cancel() && shielded.cancel());
        assert!((&mut outer).await.unwrap_err().is_cancelled());
        assert!(was_cancelled(shielded).await);
        for event in events {
            event.set();
        }
        assert_eq!(outer.into_inner().await.unwrap().len(), 2);
        settle().await;
        assert_eq!(count.get(), 4);
    });
}

/// A shielded task that fails when nobody waits any more is told of, once.
#[test]
fn the_late_panic_of_a_shielded_task_is_told_once() {
    let told = Rc::new(Cell::new(0));
    let tell = told.clone();
    let builder = EventLoop::builder().exception_handler(move |_| tell.set(tell.get() + 1));
    let mut looped = builder.build().unwrap();
    let ran = looped.run_until_complete(async {
        let outer = create_task(shield(create_task(async {
            sleep(Duration::from_millis(1)).await;
            panic!("late");
        })));
        settle().await;
        outer.cancel();
        assert!(outer.await.map(drop).unwrap_err().is_cancelled());
        sleep(Duration::from_millis(5)).await;
    });
    ran.unwrap();
    assert_eq!(told.get(), 1);
}
