//! `test_runners`: `run`, and what stands for `Runner`: a loop of one's own.

use crate::kit::Log;
use polyloop::signal::run_until_interrupted;
use polyloop::{EventLoop, RunError, create_task, sleep, yield_now};
use polyloop_tests::{Bomb, listening, require};
use std::future::pending;
use std::io::ErrorKind;
use std::panic::catch_unwind;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// same test_runners.RunTests.test_asyncio_run_return
#[test]
fn test_asyncio_run_return() {
    let answer = polyloop::run(async {
        yield_now().await;
        42
    });
    assert_eq!(answer.unwrap(), 42);
}

/// adapted test_runners.RunTests.test_asyncio_run_raises: a panic
#[test]
fn test_asyncio_run_raises() {
    let ended = catch_unwind(|| {
        polyloop::run(async {
            yield_now().await;
            panic!("spam")
        })
    });
    let payload = ended.map(|_: std::io::Result<()>| ()).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"spam"));
}

/// same test_runners.RunTests.test_asyncio_run_from_running_loop
/// same test_runners.RunnerTests.test_recursive_run
#[test]
fn test_asyncio_run_from_running_loop() {
    let inner = polyloop::run(async { polyloop::run(async {}) });
    assert!(inner.unwrap().is_err());
    let mut looped = EventLoop::new().unwrap();
    let inner = looped.run_until_complete(async {
        let mut second = EventLoop::new().unwrap();
        second.run_until_complete(async {})
    });
    assert!(matches!(inner.unwrap(), Err(RunError::Nested)));
}

struct OnDrop(Log<&'static str>, &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.push(self.1);
    }
}

/// same test_runners.RunTests.test_asyncio_run_cancels_hanging_tasks
#[test]
fn test_asyncio_run_cancels_hanging_tasks() {
    let log = Log::new();
    let inner = log.clone();
    let answer = polyloop::run(async move {
        let held = OnDrop(inner, "gone");
        drop(create_task(async move {
            let _held = held;
            pending::<()>().await;
        }));
        123
    });
    assert_eq!(answer.unwrap(), 123);
    assert_eq!(log.entries(), ["gone"]);
}

/// adapted test_runners.RunTests.test_asyncio_run_reports_hanging_tasks_errors: what a
///   cancelled task can do wrong is to panic in a drop
#[test]
fn test_asyncio_run_reports_hanging_tasks_errors() {
    let (mut looped, told) = listening();
    let answer = looped.run_until_complete(async {
        drop(create_task(async {
            let _held = Bomb("clean-up failed");
            pending::<()>().await;
        }));
        yield_now().await;
        123
    });
    assert_eq!(answer.unwrap(), 123);
    let report = looped.close(Duration::from_secs(60));
    assert_eq!(report.cancelled, 1);
    assert_eq!(*told.borrow(), ["clean-up failed"]);
}

/// adapted test_runners.RunnerTests.test_debug: the builder sets it
/// adapted test_runners.RunnerTests.test_non_debug: the builder sets it
/// adapted test_runners.RunTests.test_asyncio_run_debug: `run` takes it from the
///   environment, a loop of one's own from its builder
#[test]
fn test_debug() {
    for debug in [false, true] {
        let told = Log::new();
        let inner = told.clone();
        let builder = EventLoop::builder()
            .debug(debug)
            .slow_callback(Duration::ZERO);
        let builder = builder.exception_handler(move |_| inner.push("slow"));
        let mut looped = builder.build().unwrap();
        looped.run_until_complete(async {}).unwrap();
        assert_eq!(!told.entries().is_empty(), debug);
    }
}

/// adapted test_runners.RunnerTests.test_run: the runner is the loop, which runs
///   again and again until it is closed
/// adapted test_runners.RunnerTests.test_explicit_close: closing takes the loop
#[test]
fn test_run() {
    let mut looped = EventLoop::new().unwrap();
    for round in 0..3 {
        let answer = looped.run_until_complete(async move {
            yield_now().await;
            round
        });
        assert_eq!(answer.unwrap(), round);
    }
    let handle = looped.handle();
    looped.close(Duration::ZERO);
    assert!(handle.is_closed());
}

/// The process has one SIGINT.
static PRESSES: Mutex<()> = Mutex::new(());

fn press() {
    let pid = std::process::id().to_string();
    let status = Command::new("kill").args(["-INT", &pid]).status();
    assert!(status.expect("kill can be run").success());
}

/// adapted test_runners.RunnerTests.test_interrupt_call_soon: main is dropped, and the
///   run's error stands for KeyboardInterrupt
#[test]
fn test_interrupt_call_soon() {
    if !require("kill", "apt-get install procps") {
        return;
    }
    let _alone = PRESSES.lock().unwrap_or_else(PoisonError::into_inner);
    let ended = run_until_interrupted(async {
        press();
        loop {
            yield_now().await;
        }
    });
    let ended: std::io::Result<()> = ended;
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Interrupted);
}

/// adapted test_runners.RunnerTests.test_interrupt_wait: as above, and what main waits
///   for is dropped with it
#[test]
fn test_interrupt_wait() {
    if !require("kill", "apt-get install procps") {
        return;
    }
    let _alone = PRESSES.lock().unwrap_or_else(PoisonError::into_inner);
    let log = Log::new();
    let held = OnDrop(log.clone(), "dropped");
    let ended = run_until_interrupted(async move {
        let wait = async move {
            let _held = held;
            sleep(Duration::from_secs(3600)).await;
        };
        polyloop::call_later(Duration::from_millis(1), press);
        wait.await;
    });
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(log.entries(), ["dropped"]);
}

/// adapted test_runners.RunnerTests.test_interrupt_cancelled_task: a main that is over
///   when the press is heard is not interrupted
#[test]
fn test_interrupt_cancelled_task() {
    if !require("kill", "apt-get install procps") {
        return;
    }
    let _alone = PRESSES.lock().unwrap_or_else(PoisonError::into_inner);
    let ended = run_until_interrupted(async {
        press();
        "done"
    });
    assert_eq!(ended.unwrap(), "done");
}
