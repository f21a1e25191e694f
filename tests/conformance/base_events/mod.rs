//! `test_base_events`: the loop itself.

mod handler;

use crate::kit::Log;
use polyloop::time::VirtualClock;
use polyloop::{
    EventLoop, RunError, call_at, call_later, call_soon, create_task, current_loop, sleep, task,
    time, yield_now,
};
use polyloop_tests::listening;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn virtual_loop() -> (EventLoop, VirtualClock) {
    let clock = VirtualClock::new();
    let builder = EventLoop::builder().clock(clock.clone());
    (builder.build().expect("descriptors to spare"), clock)
}

/// One turn that does not wait.
fn turn(looped: &mut EventLoop) -> usize {
    looped
        .turn(Some(Duration::ZERO))
        .expect("polling works")
        .polled
}

/// Runs `body` inside the loop, as its next turn.
fn inside(looped: &mut EventLoop, body: impl FnOnce() + 'static) {
    drop(looped.create_task(async move { body() }));
    assert!(turn(looped) >= 1);
}

/// adapted test_base_events.BaseEventLoopTests.test_close: closing takes the loop,
///   so a second close and a run of a closed loop do not compile
/// adapted test_events.EventLoopTestsMixin.test_close: a closed loop is met through
///   its handle only, which refuses work and gives it back
#[test]
fn test_close() {
    let looped = EventLoop::new().unwrap();
    let handle = looped.handle();
    assert!(!handle.is_closed());
    looped.close(Duration::ZERO);
    assert!(handle.is_closed());
    handle.stop();
    let refused = polyloop_bridge::call_soon_threadsafe(&handle, || {});
    assert!(refused.is_err());
}

/// same test_base_events.BaseEventLoopTests.test_call_soon
/// same test_base_events.BaseEventLoopTests.test__add_callback_handle
#[test]
fn test_call_soon() {
    let mut looped = EventLoop::new().unwrap();
    let called = Rc::new(Cell::new(false));
    let inner = called.clone();
    inside(&mut looped, move || {
        drop(call_soon(move || inner.set(true)));
    });
    assert!(!called.get());
    assert_eq!(turn(&mut looped), 1);
    assert!(called.get());
}

/// adapted test_base_events.BaseEventLoopTests.test__add_callback_cancelled_handle:
///   a callback is cancelled after it was scheduled, and is not called
#[test]
fn test_add_callback_cancelled_handle() {
    let mut looped = EventLoop::new().unwrap();
    inside(&mut looped, || {
        let handle = call_soon(|| panic!("called all the same"));
        assert!(handle.cancel());
    });
    turn(&mut looped);
    assert_eq!(turn(&mut looped), 0);
}

/// same test_base_events.BaseEventLoopTests.test_call_later
/// same test_events.EventLoopTestsMixin.test_call_later
#[test]
fn test_call_later() {
    let (mut looped, clock) = virtual_loop();
    let called = Rc::new(Cell::new(false));
    let inner = called.clone();
    inside(&mut looped, move || {
        drop(call_later(10 * SECOND, move || {
            inner.set(true);
            current_loop().stop();
        }));
    });
    clock.advance(9 * SECOND);
    assert_eq!(turn(&mut looped), 0);
    assert!(!called.get());
    looped.run_forever().unwrap();
    assert!(called.get());
}

/// adapted test_base_events.BaseEventLoopTests.test_call_later_negative_delays: a
///   Duration has no sign; what has none is a moment in the past
#[test]
fn test_call_later_negative_delays() {
    let (mut looped, clock) = virtual_loop();
    clock.advance(10 * SECOND);
    let calls = Log::new();
    let (a, b) = (calls.clone(), calls.clone());
    inside(&mut looped, move || {
        drop(call_at(time::now() - SECOND, move || a.push("a")));
        drop(call_at(time::now() - 2 * SECOND, move || b.push("b")));
    });
    turn(&mut looped);
    assert_eq!(calls.entries(), ["b", "a"]);
}

/// same test_base_events.BaseEventLoopTests.test_time_and_call_at
#[test]
fn test_time_and_call_at() {
    let (mut looped, _) = virtual_loop();
    let when = looped.run_until_complete(async {
        let when = time::now() + Duration::from_millis(100);
        drop(call_at(when, || current_loop().stop()));
        when
    });
    looped.run_forever().unwrap();
    let now = looped.run_until_complete(async { time::now() });
    assert_eq!(now.unwrap(), when.unwrap());
}

/// adapted test_base_events.BaseEventLoopTests.test__run_once: the wait is seen in
///   how far the virtual clock jumps
#[test]
fn test_run_once_skips_cancelled_timers() {
    let (mut looped, clock) = virtual_loop();
    let began = polyloop::time::Clock::now(&clock);
    inside(&mut looped, || {
        call_later(5 * SECOND, || {}).cancel();
        drop(call_later(10 * SECOND, || {}));
    });
    turn(&mut looped);
    looped.turn(None).unwrap();
    assert_eq!(polyloop::time::Clock::now(&clock) - began, 10 * SECOND);
}

/// same test_base_events.BaseEventLoopTests.test__run_once_schedule_handle
#[test]
fn test_run_once_schedule_handle() {
    let (mut looped, clock) = virtual_loop();
    let log = Log::new();
    let (outer, inner) = (log.clone(), log.clone());
    inside(&mut looped, move || {
        drop(call_later(SECOND, move || {
            outer.push("timer");
            drop(call_soon(move || inner.push("callback")));
        }));
    });
    clock.advance(2 * SECOND);
    assert_eq!(turn(&mut looped), 1);
    assert_eq!(log.entries(), ["timer"]);
    assert_eq!(turn(&mut looped), 1);
    assert_eq!(log.entries(), ["timer", "callback"]);
}

/// adapted test_base_events.BaseEventLoopTests.test__run_once_cancelled_event_cleanup:
///   a cancelled timer is taken out at once, so there is nothing to sweep
#[test]
fn test_run_once_cancelled_event_cleanup() {
    let (mut looped, _) = virtual_loop();
    let held = Rc::new(());
    let inner = held.clone();
    inside(&mut looped, move || {
        drop(call_later(3000 * SECOND, || {}));
        for _ in 0..200 {
            let held = inner.clone();
            call_later(3600 * SECOND, move || drop(held)).cancel();
        }
    });
    turn(&mut looped);
    assert_eq!(Rc::strong_count(&held), 1);
}

/// adapted test_base_events.BaseEventLoopTests.test_run_until_complete_loop_orphan_future_close_loop:
///   no callback's failure ends a run; what ends one early is a stop
#[test]
fn test_run_until_complete_loop_orphan_future_close_loop() {
    let (mut looped, _) = virtual_loop();
    inside(&mut looped, || drop(call_soon(|| current_loop().stop())));
    let first = looped.run_until_complete(async { sleep(SECOND).await });
    assert!(matches!(first, Err(RunError::Stopped)));
    looped
        .run_until_complete(async { sleep(2 * SECOND).await })
        .unwrap();
}

/// adapted test_base_events.BaseEventLoopTests.test_create_task_error_closes_coro:
///   without a loop create_task panics, and the future is dropped
#[test]
fn test_create_task_error_closes_coro() {
    let held = Rc::new(());
    let inner = held.clone();
    let future = async move { drop(inner) };
    assert!(catch_unwind(AssertUnwindSafe(|| create_task(future))).is_err());
    assert_eq!(Rc::strong_count(&held), 1);
}

/// same test_base_events.BaseEventLoopTests.test_create_named_task_with_default_factory
#[test]
fn test_create_named_task_with_default_factory() {
    let named = polyloop::run(async {
        let task = task().name("test_task").start(|| async {});
        task.name() == Some("test_task")
    });
    assert!(named.unwrap());
}

/// adapted test_base_events.BaseEventLoopTests.test_run_forever_keyboard_interrupt: a
///   panic of the main future goes to the caller, and to nobody else
/// adapted test_base_events.BaseEventLoopTests.test_run_until_complete_baseexception: a
///   panic stands for what is no Exception; no stop is left behind
#[test]
fn test_run_until_complete_baseexception() {
    let (mut looped, told) = listening();
    let main = async { panic!("through") };
    let ended = catch_unwind(AssertUnwindSafe(|| looped.run_until_complete::<_>(main)));
    assert!(ended.is_err() && told.borrow().is_empty());
    let called = Rc::new(Cell::new(false));
    let inner = called.clone();
    drop(looped.create_task(async move {
        yield_now().await;
        inner.set(true);
        current_loop().stop();
    }));
    looped.run_forever().unwrap();
    assert!(called.get());
}

/// adapted test_base_events.BaseEventLoopTests.test_single_selecter_event_callback_after_stopping:
///   an event wakes its task once, however often the loop is stopped
#[test]
fn test_single_selecter_event_callback_after_stopping() {
    let mut looped = EventLoop::new().unwrap();
    let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let received = Rc::new(Cell::new(0));
    let inner = received.clone();
    let address = looped.run_until_complete(async move {
        let socket = polyloop::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        drop(create_task(async move {
            let mut bytes = [0; 8];
            while socket.recv_from(&mut bytes).await.is_ok() {
                inner.set(inner.get() + 1);
                current_loop().stop();
            }
        }));
        yield_now().await;
        address
    });
    sender.send_to(b"event", address.unwrap()).unwrap();
    looped.run_forever().unwrap();
    assert_eq!(received.get(), 1);
    for _ in 0..2 {
        looped.handle().stop();
        looped.run_forever().unwrap();
        assert_eq!(received.get(), 1);
    }
}

/// same test_base_events.BaseEventLoopTests.test_run_once
/// same test_base_events.BaseEventLoopTests.test_run_forever_pre_stopped
#[test]
fn test_run_forever_pre_stopped() {
    let mut looped = EventLoop::new().unwrap();
    let turns = Rc::new(Cell::new(0));
    let inner = turns.clone();
    drop(looped.create_task(async move {
        loop {
            inner.set(inner.get() + 1);
            yield_now().await;
        }
    }));
    for run in 1..4 {
        looped.handle().stop();
        looped.run_forever().unwrap();
        assert_eq!(turns.get(), run, "exactly one turn");
    }
    assert_eq!(looped.handle().metrics().parks, 0, "and it does not wait");
}

/// adapted test_base_events.BaseEventLoopTests.test_custom_run_forever_integration: the
///   pieces of run_forever are turn()
#[test]
fn test_custom_run_forever_integration() {
    let mut looped = EventLoop::new().unwrap();
    let count = Rc::new(Cell::new(0));
    let inner = count.clone();
    drop(looped.create_task(async move {
        assert!(polyloop::try_current_loop().is_some());
        inner.set(inner.get() + 1);
    }));
    for _ in 0..10 {
        turn(&mut looped);
    }
    assert_eq!(count.get(), 1);
    assert!(polyloop::try_current_loop().is_none());
}

/// same test_base_events.RunningLoopTests.test_running_loop_within_a_loop
#[test]
fn test_running_loop_within_a_loop() {
    let mut inner = EventLoop::new().unwrap();
    let mut outer = EventLoop::new().unwrap();
    let nested = outer.run_until_complete(async { inner.run_forever() });
    assert!(matches!(nested.unwrap(), Err(RunError::Nested)));
}
