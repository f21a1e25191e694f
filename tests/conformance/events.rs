//! `test_events`: the loop from outside, its handles, its sockets.

use crate::kit::{Log, on_loop, was_cancelled};
use futures::{AsyncReadExt, AsyncWriteExt};
use polyloop::net::{TcpListener, UnixStream};
use polyloop::signal::{Signal, Signals};
use polyloop::{
    EventLoop, RunError, call_soon, create_task, current_loop, sleep, try_current_loop, yield_now,
};
use polyloop_tests::require;
use std::process::Command;
use std::time::Duration;

/// same test_events.EventLoopTestsMixin.test_run_until_complete_nesting
#[test]
fn test_run_until_complete_nesting() {
    let mut looped = EventLoop::new().unwrap();
    let nested = looped.run_until_complete(async {
        let mut second = EventLoop::new().unwrap();
        second.run_until_complete(yield_now())
    });
    assert!(matches!(nested.unwrap(), Err(RunError::Nested)));
}

/// same test_events.EventLoopTestsMixin.test_run_until_complete
#[test]
fn test_run_until_complete() {
    let delay = Duration::from_millis(100);
    let slept = on_loop(async {
        let began = polyloop::time::now();
        sleep(delay).await;
        polyloop::time::now() - began
    });
    assert_eq!(slept, delay);
}

/// same test_events.EventLoopTestsMixin.test_run_until_complete_stopped
#[test]
fn test_run_until_complete_stopped() {
    let mut looped = EventLoop::new().unwrap();
    let stopped = looped.run_until_complete(async {
        current_loop().stop();
        sleep(Duration::from_millis(100)).await;
    });
    assert!(matches!(stopped, Err(RunError::Stopped)));
}

/// same test_events.EventLoopTestsMixin.test_call_soon
#[test]
fn test_call_soon() {
    let mut looped = EventLoop::new().unwrap();
    let log = Log::new();
    let inner = log.clone();
    drop(looped.create_task(async move {
        drop(call_soon(move || {
            inner.push(("hello", "world"));
            current_loop().stop();
        }));
    }));
    looped.run_forever().unwrap();
    assert_eq!(log.entries(), [("hello", "world")]);
}

/// adapted test_events.HandleTests.test_handle: a handle has cancel() and
///   is_finished(); what it calls is the closure's own business
#[test]
fn test_handle() {
    on_loop(async {
        let handle = call_soon(|| panic!("called all the same"));
        assert!(!handle.is_finished());
        assert!(handle.cancel());
        yield_now().await;
        assert!(handle.is_finished());
        assert!(!handle.cancel(), "too late");
    });
}

/// adapted test_events.EventLoopTestsMixin.test_reader_callback: a reader is a task
/// adapted test_events.EventLoopTestsMixin.test_writer_callback: a writer is a task
#[test]
fn test_reader_callback() {
    let read = polyloop::run(async {
        let (mut reader, mut writer) = UnixStream::pair().unwrap();
        let reading = create_task(async move {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).await.map(|_| all)
        });
        yield_now().await;
        writer.write_all(b"abc").await.unwrap();
        yield_now().await;
        writer.write_all(b"def").await.unwrap();
        drop(writer);
        reading.await.unwrap().unwrap()
    });
    assert_eq!(read.unwrap(), b"abcdef");
}

/// adapted test_events.EventLoopTestsMixin.test_prompt_cancellation: a cancelled wait
///   for a socket is over in the next turn
#[test]
fn test_prompt_cancellation() {
    polyloop::run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let accepting = create_task(async move { listener.accept().await.is_ok() });
        yield_now().await;
        accepting.cancel();
        yield_now().await;
        assert!(accepting.is_finished());
        assert!(was_cancelled(accepting).await);
    })
    .unwrap();
}

/// same test_events.EventLoopTestsMixin.test_timeout_rounding
#[test]
fn test_timeout_rounding() {
    let mut looped = EventLoop::new().unwrap();
    looped
        .run_until_complete(async {
            for nanoseconds in [10_000_000, 100_000, 1_000, 10, 1] {
                sleep(Duration::from_nanos(nanoseconds)).await;
            }
        })
        .unwrap();
    let turns = looped.handle().metrics().turns;
    assert!(turns <= 20, "{turns} turns for five sleeps");
}

/// adapted test_events.EventLoopTestsMixin.test_add_signal_handler: a handler is a
///   stream, and removing it is dropping it
/// adapted test_events.EventLoopTestsMixin.test_signal_handling_while_selecting: the
///   signal comes while the loop sleeps
#[test]
fn test_add_signal_handler() {
    if !require("kill", "apt-get install procps") {
        return;
    }
    let heard = polyloop::run(async {
        assert!(Signals::new([Signal::from_raw(9)]).is_err(), "SIGKILL");
        let mut signals = Signals::new([Signal::ALARM]).unwrap();
        let sender = std::thread::spawn(|| {
            let pid = std::process::id().to_string();
            Command::new("kill").args(["-ALRM", &pid]).status()
        });
        let heard = signals.recv().await;
        assert!(sender.join().expect("no panic").unwrap().success());
        heard
    });
    assert_eq!(heard.unwrap(), Some(Signal::ALARM));
}

/// same test_events.GetEventLoopTestsMixin.test_get_event_loop_returns_running_loop
/// adapted test_events.GetEventLoopTestsMixin.test_get_event_loop_returns_running_loop2:
///   there is no policy: outside of a run there is no loop, before it as after it
#[test]
fn test_get_event_loop_returns_running_loop() {
    assert!(try_current_loop().is_none());
    let mut looped = EventLoop::new().unwrap();
    let expected = looped.handle().id();
    let inside = looped.run_until_complete(async { current_loop().id() });
    assert_eq!(inside.unwrap(), expected);
    assert!(try_current_loop().is_none());
    assert!(std::panic::catch_unwind(current_loop).is_err());
}
