//! Runs that Ctrl-C ends. In one test: the process has one SIGINT for all.
#![cfg(unix)]
#![forbid(unsafe_code)]

use polyloop::signal::run_until_interrupted;
use polyloop::{create_task, sleep, yield_now};
use polyloop_tests::{require, with_watchdog};
use std::future::pending;
use std::io::ErrorKind;
use std::process::Command;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(120);
const LONG: Duration = Duration::from_secs(3600);

fn press() {
    let pid = std::process::id().to_string();
    let status = Command::new("kill").args(["-INT", &pid]).status();
    assert!(status.expect("kill can be run").success());
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn the_first_press_drops_main_and_the_second_cuts_the_clean_up_short() {
    if !require("kill", "apt-get install procps") {
        return;
    }
    with_watchdog(HANG, || {
        main_is_dropped_and_tasks_are_cancelled();
        a_main_that_is_done_keeps_its_output();
        the_clean_up_is_cut_short();
        let nested = polyloop::run(async { run_until_interrupted(async {}) }).unwrap();
        assert!(nested.is_err());
    });
}

fn main_is_dropped_and_tasks_are_cancelled() {
    let mut gone = Vec::new();
    let (told, ends) = std::sync::mpsc::channel();
    let other = told.clone();
    let ended = run_until_interrupted(async {
        let _main = OnDrop(|| told.send("main").expect("it is read below"));
        let held = OnDrop(move || other.send("task").expect("it is read below"));
        drop(create_task(async move {
            let _held = held;
            pending::<()>().await;
        }));
        yield_now().await;
        press();
        // Also one that never sleeps hears it.
        loop {
            yield_now().await;
        }
    });
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Interrupted);
    drop(told);
    gone.extend(ends);
    assert_eq!(gone, ["main", "task"]);
}

fn a_main_that_is_done_keeps_its_output() {
    let output = run_until_interrupted(async {
        press();
        7
    });
    assert_eq!(output.unwrap(), 7);
}

fn the_clean_up_is_cut_short() {
    let ended = run_until_interrupted(async {
        let cleans_up_for_long = OnDrop(|| {
            drop(create_task(async {
                press();
                sleep(LONG).await;
            }));
        });
        drop(create_task(async move {
            let _held = cleans_up_for_long;
            pending::<()>().await;
        }));
        yield_now().await;
        press();
        pending::<()>().await;
    });
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Interrupted);
}
