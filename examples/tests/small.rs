//! The small examples end by themselves and say what they promise.

use std::process::Command;

fn output_of(program: &str) -> String {
    let output = Command::new(program).output().expect("the example starts");
    let text = String::from_utf8(output.stdout).expect("text");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {text}{errors}");
    text
}

#[test]
fn hello_tasks_takes_18_seconds_and_10() {
    let text = output_of(env!("CARGO_BIN_EXE_hello_tasks"));
    assert!(text.contains("await, await, await: 18 s"), "{text}");
    assert!(text.contains("create_task:         10 s"), "{text}");
}

#[test]
fn fan_out_takes_as_long_as_the_slowest() {
    let text = output_of(env!("CARGO_BIN_EXE_fan_out"));
    assert!(
        text.contains("tea: 3 a box, 40 boxes, after 300ms"),
        "{text}"
    );
    assert!(
        text.ends_with("sand: not found, nobody sells it\n"),
        "{text}"
    );
}

#[test]
fn many_loops_each_do_their_part() {
    let text = output_of(env!("CARGO_BIN_EXE_many_loops"));
    assert!(text.contains("the squares add up to 14"), "{text}");
    assert!(text.contains("not today"), "{text}");
}

#[test]
fn offload_lets_the_loop_go_on() {
    let text = output_of(env!("CARGO_BIN_EXE_offload"));
    assert!(text.contains("called on the loop:    0 ticks"), "{text}");
    assert!(text.contains("the disk is gone"), "{text}");
}

#[test]
fn echo_tries_itself_out() {
    let text = output_of(env!("CARGO_BIN_EXE_echo"));
    assert!(
        text.contains("8 connections got their own bytes back"),
        "{text}"
    );
}
