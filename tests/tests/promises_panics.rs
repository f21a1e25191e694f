//! A panic anywhere reaches whoever awaits it, or else the exception handler,
//! and the loop goes on.
#![forbid(unsafe_code)]

use futures::task::ArcWake;
use polyloop::{
    EventLoop, Outcome, TaskError, call_later, call_soon, create_task, current_loop, sleep,
    yield_now,
};
use polyloop_tests::{Bomb, listening, with_watchdog};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(120);

fn message(error: &TaskError) -> &str {
    error.panic_message().expect("a panic")
}

#[test]
fn a_panicking_task_gives_its_payload_to_whoever_awaits_it() {
    with_watchdog(HANG, || {
        let (mut looped, told) = listening();
        looped
            .run_until_complete(async {
                let task = create_task(async { std::panic::panic_any(42_u32) });
                let error = task.await.unwrap_err();
                assert!(error.is_panic() && !error.is_cancelled());
                assert_eq!(*error.into_panic().unwrap().downcast::<u32>().unwrap(), 42);
                assert_eq!(create_task(async { 7 }).await.unwrap(), 7);
            })
            .unwrap();
        assert!(told.borrow().is_empty(), "somebody awaited it");
    });
}

#[test]
fn a_panic_that_nobody_awaits_is_told_once() {
    with_watchdog(HANG, || {
        let (mut looped, told) = listening();
        looped
            .run_until_complete(async {
                drop(create_task(async { panic!("detached before") }));
                let kept = create_task(async { panic!("dropped after") });
                yield_now().await;
                assert!(kept.is_finished() && kept.has_panicked());
                drop::<polyloop::Task<()>>(kept);
                drop(call_soon(|| panic!("callback")));
                drop(call_later(Duration::ZERO, || panic!("timer")));
                sleep(Duration::from_millis(1)).await;
            })
            .unwrap();
        let expected = ["detached before", "dropped after", "callback", "timer"];
        assert_eq!(*told.borrow(), expected);
    });
}

#[test]
fn a_panicking_drop_of_a_future_is_the_outcome() {
    with_watchdog(HANG, || {
        let (mut looped, told) = listening();
        looped
            .run_until_complete(async {
                let bomb = Bomb("in the future");
                let task = create_task(async move {
                    let _bomb = bomb;
                    std::future::pending::<()>().await;
                });
                yield_now().await;
                task.cancel();
                assert_eq!(message(&task.await.unwrap_err()), "in the future");
                // Also when it never began.
                let bomb = Bomb("unstarted");
                let task = create_task(async move { drop(bomb) });
                task.cancel();
                assert_eq!(message(&task.await.unwrap_err()), "unstarted");
            })
            .unwrap();
        assert!(told.borrow().is_empty());
    });
}

#[test]
fn a_panicking_drop_of_an_output_is_told_and_the_loop_goes_on() {
    with_watchdog(HANG, || {
        let (mut looped, told) = listening();
        looped
            .run_until_complete(async {
                drop(create_task(async { Bomb("output") }));
                yield_now().await;
                yield_now().await;
                assert_eq!(create_task(async { 1 }).await.unwrap(), 1);
            })
            .unwrap();
        assert_eq!(*told.borrow(), ["output"]);
    });
}

#[test]
fn trap_053_dropping_a_handle_whose_output_panics_is_told() {
    with_watchdog(HANG, || {
        let (mut looped, told) = listening();
        looped
            .run_until_complete(async {
                let task = create_task(async { Bomb("held output") });
                yield_now().await;
                assert!(task.is_finished());
                drop(task);
                // Also when the handle is dropped by a panic: no double one.
                let task = create_task(async { AlwaysBomb });
                let holder = create_task(async move {
                    yield_now().await;
                    let _task = task;
                    std::panic::panic_any("holder")
                });
                assert_eq!(message(&holder.await.unwrap_err()), "holder");
                assert_eq!(create_task(async { 1 }).await.unwrap(), 1);
            })
            .unwrap();
        assert_eq!(*told.borrow(), ["held output", "always"]);
    });
}

/// Panics when it is dropped, also by a panic.
struct AlwaysBomb;

impl Drop for AlwaysBomb {
    fn drop(&mut self) {
        panic!("always");
    }
}

struct BrokenOutcome;

impl Outcome<()> for BrokenOutcome {
    fn resolve(&self, result: Result<(), TaskError>) {
        result.unwrap();
        panic!("outcome");
    }
}

#[test]
fn a_panicking_outcome_is_told_and_the_loop_goes_on() {
    with_watchdog(HANG, || {
        let (mut looped, told) = listening();
        looped
            .run_until_complete(async {
                let remote = current_loop().submit(|| async {}, BrokenOutcome).unwrap();
                for _ in 0..3 {
                    yield_now().await;
                }
                assert!(!remote.cancel(), "it is finished all the same");
            })
            .unwrap();
        assert_eq!(*told.borrow(), ["outcome"]);
    });
}

struct BrokenWaker;

impl ArcWake for BrokenWaker {
    fn wake_by_ref(_: &Arc<Self>) {
        panic!("waker");
    }
}

#[test]
fn trap_051_a_panicking_waker_is_told_and_the_loop_goes_on() {
    with_watchdog(HANG, || {
        let (mut looped, told) = listening();
        looped
            .run_until_complete(async {
                let waker = futures::task::waker(Arc::new(BrokenWaker));
                let mut cx = Context::from_waker(&waker);
                let mut joined = pin!(create_task(async { 5 }));
                assert!(joined.as_mut().poll(&mut cx).is_pending());
                let mut timer = pin!(sleep(Duration::from_millis(1)));
                assert!(timer.as_mut().poll(&mut cx).is_pending());
                sleep(Duration::from_millis(5)).await;
                assert_eq!(joined.await.unwrap(), 5, "the value is not lost");
                timer.await;
            })
            .unwrap();
        assert_eq!(*told.borrow(), ["waker", "waker"]);
    });
}

#[test]
fn a_broken_exception_handler_breaks_nothing_else() {
    with_watchdog(HANG, || {
        let builder = EventLoop::builder().exception_handler(|_| panic!("the handler"));
        let mut looped = builder.build().unwrap();
        let answer = looped.run_until_complete(async {
            drop(create_task(async {
                panic!("planted for a broken handler")
            }));
            drop(call_soon(|| panic!("and once more")));
            yield_now().await;
            yield_now().await;
            create_task(async { 3 }).await.unwrap()
        });
        assert_eq!(answer, Ok(3));
    });
}

#[test]
fn a_panic_in_the_main_future_reaches_the_caller_and_the_loop_runs_again() {
    with_watchdog(HANG, || {
        let (mut looped, told) = listening();
        let caught = catch_unwind(AssertUnwindSafe(|| {
            looped.run_until_complete(async { std::panic::panic_any("main") })
        }));
        let payload = caught.unwrap_err();
        assert_eq!(*payload.downcast::<&str>().unwrap(), "main");
        assert!(
            polyloop::try_current_loop().is_none(),
            "the context is restored"
        );
        assert_eq!(looped.run_until_complete(async { 1 }), Ok(1));
        assert!(told.borrow().is_empty());
    });
}

#[test]
fn trap_055_a_panic_of_the_main_future_with_live_tasks_drops_them_all() {
    with_watchdog(HANG, || {
        let dropped = Rc::new(());
        let inner = dropped.clone();
        let caught = catch_unwind(AssertUnwindSafe(|| {
            polyloop::run(async move {
                for _ in 0..10 {
                    let held = inner.clone();
                    drop(create_task(async move {
                        let _held = held;
                        std::future::pending::<()>().await;
                    }));
                }
                yield_now().await;
                drop(inner);
                panic!("main")
            })
        }));
        assert!(caught.is_err());
        assert_eq!(Rc::strong_count(&dropped), 1);
    });
}

#[test]
fn trap_056_ten_thousand_panics_leave_the_loop_serving() {
    with_watchdog(HANG, || {
        let (mut looped, told) = listening();
        looped
            .run_until_complete(async {
                for _ in 0..10_000 {
                    // Without the hook's message; the payload is the point.
                    let task = create_task(async { std::panic::resume_unwind(Box::new(1_u8)) });
                    assert!(task.await.unwrap_err().is_panic());
                }
                assert_eq!(create_task(async { 9 }).await.unwrap(), 9);
                assert!(polyloop::all_tasks().len() <= 1);
            })
            .unwrap();
        assert!(told.borrow().is_empty());
    });
}

#[test]
fn every_error_passes_through_a_boxed_one() {
    fn shared<E: std::error::Error + Send + Sync + 'static>() {}
    shared::<polyloop::TaskError>();
    shared::<polyloop::RunError>();
    shared::<polyloop::Elapsed>();
    shared::<polyloop_bridge::SubmissionError>();
    shared::<polyloop_bridge::OffloadError>();
    shared::<polyloop_bridge::group::GroupError>();
}
