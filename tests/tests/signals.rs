//! Signals of the system, on one loop and on several.
#![cfg(unix)]
#![forbid(unsafe_code)]

use std::process::Command;
use std::sync::Barrier;
use std::time::Duration;

use polyloop::signal::{Signal, Signals, ctrl_c};
use polyloop_tests::{require, with_watchdog};

const LIMIT: Duration = Duration::from_secs(60);

fn send(signal: Signal) {
    let status = Command::new("kill")
        .arg(format!("-{}", signal.as_raw()))
        .arg(std::process::id().to_string())
        .status();
    assert!(status.expect("kill can be run").success());
}

#[test]
fn every_loop_that_listens_hears_a_signal() {
    if !require("kill", "apt-get install procps") {
        return;
    }
    let listening = Barrier::new(4);
    let heard = || {
        polyloop::run(async {
            let mut signals = Signals::new([Signal::USER_1, Signal::USER_2])?;
            listening.wait();
            Ok::<_, std::io::Error>(signals.recv().await)
        })
    };
    with_watchdog(LIMIT, || {
        std::thread::scope(|scope| {
            let loops: Vec<_> = (0..3).map(|_| scope.spawn(heard)).collect();
            listening.wait();
            send(Signal::USER_2);
            for one in loops {
                let signal = one.join().expect("no panic").expect("a loop");
                assert_eq!(signal.expect("a pipe"), Some(Signal::USER_2));
            }
        });
    });
}

#[test]
fn ctrl_c_may_be_asked_for_before_there_is_a_loop() {
    if !require("kill", "apt-get install procps") {
        return;
    }
    let heard = with_watchdog(LIMIT, || {
        let pressed = ctrl_c();
        polyloop::run(async {
            let mut pressed = std::pin::pin!(pressed);
            // Listening begins here, at the first poll.
            let early = polyloop::timeout(Duration::ZERO, pressed.as_mut()).await;
            assert!(early.is_err());
            send(Signal::INTERRUPT);
            pressed.await
        })
    });
    heard.expect("a loop").expect("a pipe");
}

#[test]
fn ctrl_c_is_heard_by_every_call_and_does_not_end_the_process() {
    if !require("kill", "apt-get install procps") {
        return;
    }
    let outcome = with_watchdog(LIMIT, || {
        polyloop::run(async {
            let (first, second, dropped) = (ctrl_c(), ctrl_c(), ctrl_c());
            drop(dropped);
            send(Signal::INTERRUPT);
            first.await?;
            second.await?;
            // The one that follows is another press.
            let third = ctrl_c();
            send(Signal::INTERRUPT);
            third.await
        })
    });
    outcome.expect("a loop").expect("a pipe");
}

#[test]
fn one_listener_hears_one_signal_after_the_other() {
    if !require("kill", "apt-get install procps") {
        return;
    }
    let outcome = with_watchdog(LIMIT, || {
        polyloop::run(async {
            let mut signals = Signals::new([Signal::WINDOW_CHANGE])?;
            for _ in 0..3 {
                send(Signal::WINDOW_CHANGE);
                assert_eq!(signals.recv().await, Some(Signal::WINDOW_CHANGE));
            }
            Ok::<_, std::io::Error>(())
        })
    });
    outcome.expect("a loop").expect("a pipe");
}

#[test]
fn a_signal_that_nobody_can_handle_is_refused() {
    let outcome = polyloop::run(async {
        let refused = Signals::new([Signal::TERMINATE, Signal::from_raw(9)]);
        refused.map(drop).unwrap_err().kind()
    });
    assert_eq!(outcome.expect("a loop"), std::io::ErrorKind::InvalidInput);
    assert!(polyloop::run(async {}).is_ok());
    let outside = Signals::new([Signal::TERMINATE]);
    assert!(outside.is_err(), "there is no loop on this thread");
}
