use std::thread;

use super::*;
use crate::jobs::run::output::HALF;
use crate::jobs::run::stop::order;

fn sh(script: &str) -> Outcome {
    let (_stop, signal) = order().unwrap();
    run(&["/bin/sh".into(), "-c".into(), script.into()], &signal)
}

/// Starts a script, gives the order to stop once it has made its file `$0`, and
/// returns what came of it.
fn stopped(script: &str) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    let argv = ["/bin/sh", "-c", script, ready.to_str().unwrap()].map(str::to_owned);
    let (stop, signal) = order().unwrap();
    let thread = thread::spawn(move || run(&argv, &signal));
    until(|| ready.exists());
    drop(stop);
    thread.join().unwrap()
}

/// Waits for something that is bound to happen.
fn until(happened: impl Fn() -> bool) {
    let begin = Instant::now();
    while !happened() {
        assert!(
            begin.elapsed() < Duration::from_secs(30),
            "it did not happen"
        );
        thread::sleep(Duration::from_millis(5));
    }
}

fn is_alive(pid: &str) -> bool {
    // A zombie still has its folder; its state says so.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(") ")
            .next()
            .is_some_and(|rest| rest.starts_with('Z'))
    })
}

#[test]
fn output_of_both_streams_and_the_code_come_back() {
    let outcome = sh("echo out; echo err >&2; exit 3");
    assert_eq!((outcome.status, outcome.code), (Status::Failed, Some(3)));
    assert_eq!(outcome.output, "out\nerr\n");
    let outcome = sh("cat");
    assert_eq!(
        (outcome.status, outcome.code),
        (Status::Ok, Some(0)),
        "no input is an empty input"
    );
}

#[test]
fn a_flood_of_output_is_bounded_and_does_not_block_the_process() {
    let outcome = sh("echo first; yes | head -c 5000000; echo last");
    assert_eq!(outcome.status, Status::Ok);
    assert!(outcome.output.len() < 2 * HALF + 100);
    assert!(outcome.output.starts_with("first\ny\n") && outcome.output.ends_with("y\nlast\n"));
}

#[test]
fn a_program_that_is_not_there_is_a_failure_with_its_name() {
    let (_stop, signal) = order().unwrap();
    let outcome = run(&["/nowhere/program".into()], &signal);
    assert_eq!((outcome.status, outcome.code), (Status::Failed, None));
    assert!(
        outcome.output.contains("/nowhere/program"),
        "{}",
        outcome.output
    );
}

#[test]
fn a_signal_is_named() {
    let outcome = sh("kill -9 $$");
    assert_eq!((outcome.status, outcome.code), (Status::Failed, None));
    assert_eq!(outcome.output, "ended by signal 9\n");
}

#[test]
fn the_order_to_stop_ends_the_whole_group_and_keeps_the_output() {
    let outcome = stopped("sleep 1000 & echo $! $$; : > $0; wait");
    assert_eq!(outcome.status, Status::Cancelled);
    let pids: Vec<&str> = outcome.output.split_whitespace().collect();
    assert_eq!(pids.len(), 2, "{}", outcome.output);
    for pid in pids {
        until(|| !is_alive(pid));
    }
}

#[test]
fn a_process_that_ignores_the_order_is_killed() {
    let outcome = stopped("trap '' TERM; echo deaf; : > $0; while :; do sleep 0.05; done");
    assert_eq!(
        (outcome.status, outcome.output.as_str()),
        (Status::Cancelled, "deaf\n")
    );
}

#[test]
fn what_a_command_leaves_behind_ends_with_it() {
    let outcome = sh("sleep 1000 & echo $!");
    assert_eq!(outcome.status, Status::Ok);
    until(|| !is_alive(outcome.output.trim()));
}

#[test]
fn a_process_that_left_the_group_does_not_hold_the_run() {
    let outcome = sh("setsid sleep 3 & echo started");
    assert_eq!(
        (outcome.status, outcome.output.as_str()),
        (Status::Ok, "started\n")
    );
}
