//! What the loop tells of: exceptions, and slow callbacks.

use crate::kit::Log;
use polyloop::{EventLoop, call_later, call_soon, create_task, sleep, task, yield_now};
use polyloop_tests::{Told, listening};
use std::cell::Cell;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

fn told_of(fail: impl FnOnce() + 'static) -> Told {
    let (mut looped, told) = listening();
    let went_on = looped.run_until_complete(async move {
        fail();
        sleep(Duration::from_millis(2)).await;
        true
    });
    assert!(went_on.unwrap());
    told
}

/// adapted test_base_events.BaseEventLoopTests.test_default_exc_handler_callback: what
///   the default handler writes is told to a handler of the test's
/// same test_base_events.BaseEventLoopTests.test_set_exc_handler_custom
/// same test_events.HandleTests.test_callback_with_exception
#[test]
fn test_default_exc_handler_callback() {
    let told = told_of(|| {
        drop(call_soon(|| panic!("soon")));
        drop(call_later(Duration::from_millis(1), || panic!("later")));
    });
    assert_eq!(*told.borrow(), ["soon", "later"]);
}

/// adapted test_base_events.BaseEventLoopTests.test_default_exc_handler_coro: the
///   failure of a task that was let go is told when it happens
#[test]
fn test_default_exc_handler_coro() {
    let told = told_of(|| {
        drop(create_task(async {
            yield_now().await;
            panic!("nobody awaits this");
        }));
    });
    assert_eq!(*told.borrow(), ["nobody awaits this"]);
}

/// same test_base_events.BaseEventLoopTests.test_set_exc_handler_broken
#[test]
fn test_set_exc_handler_broken() {
    let asked = Rc::new(Cell::new(0));
    let inner = asked.clone();
    let builder = EventLoop::builder().exception_handler(move |_| {
        inner.set(inner.get() + 1);
        panic!("broken handler");
    });
    let mut looped = builder.build().unwrap();
    let went_on = looped.run_until_complete(async {
        drop(call_soon(|| panic!("first")));
        drop(call_soon(|| panic!("second")));
        yield_now().await;
        true
    });
    assert!(went_on.unwrap());
    assert_eq!(asked.get(), 2);
}

/// adapted test_base_events.BaseEventLoopTests.test_set_debug: the builder sets it, and
///   a slow callback shows it
/// same test_base_events.BaseEventLoopWithSelectorTests.test_log_slow_callbacks
#[test]
fn test_log_slow_callbacks() {
    for debug in [false, true] {
        let told = Log::new();
        let inner = told.clone();
        let builder = EventLoop::builder()
            .debug(debug)
            .slow_callback(Duration::ZERO);
        let builder = builder.exception_handler(move |context| inner.push(context.to_string()));
        let mut looped = builder.build().unwrap();
        let main = async { task().name("slow").start(|| async {}).await };
        looped.run_until_complete(main).unwrap().unwrap();
        let told = told.entries();
        assert_eq!(
            told.iter()
                .any(|line| line.contains("\"slow\"") || line.contains("slow")),
            debug
        );
    }
}

/// adapted test_base_events.BaseEventLoopTests.test_env_var_debug: POLYLOOP_DEBUG, and
///   `0` turns it off as nothing does
#[test]
fn test_env_var_debug() {
    const CHILD: &str = "POLYLOOP_CONFORMANCE_CHILD";
    if std::env::var_os(CHILD).is_some() {
        println!("{:?}", EventLoop::builder());
        return;
    }
    for (value, debug) in [
        (None, false),
        (Some(""), false),
        (Some("0"), false),
        (Some("1"), true),
    ] {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([
            "--exact",
            "base_events::handler::test_env_var_debug",
            "--nocapture",
        ]);
        child.env(CHILD, "1").env_remove("POLYLOOP_DEBUG");
        child.envs(value.map(|value| ("POLYLOOP_DEBUG", value)));
        let said = String::from_utf8(child.output().unwrap().stdout).unwrap();
        assert!(
            said.contains(&format!("debug: {debug}")),
            "{value:?}: {said}"
        );
    }
}
