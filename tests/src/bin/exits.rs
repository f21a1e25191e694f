//! Ends the process while a group's loops run, answer and are being sent to:
//! `return` from `main`, or `exit` on one of the loops.
#![forbid(unsafe_code)]

use polyloop_bridge::{LoopGroup, Sharded, call_soon_threadsafe, run_coroutine_threadsafe};
use std::cell::RefCell;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

type Shards = Sharded<RefCell<Vec<u64>>>;

/// Static, so that nothing of it is dropped before the end.
static RUNNING: OnceLock<(LoopGroup, Shards)> = OnceLock::new();

fn main() -> ExitCode {
    let how = std::env::args().nth(1).unwrap_or_default();
    let group = LoopGroup::builder().loops(2).build();
    let group = group.expect("threads and loops");
    let shards = Sharded::start(&group, |_| async { RefCell::new(Vec::new()) });
    let shards = shards.result().expect("shards");
    let (group, shards) = RUNNING.get_or_init(|| (group, shards));
    for number in 0..2 {
        thread::spawn(move || flood(group, shards, number));
    }
    // Busy, sleeping, and with timers set.
    for handle in group.iter() {
        drop(run_coroutine_threadsafe(handle, || async {
            loop {
                polyloop::sleep(Duration::from_micros(50)).await;
            }
        }));
    }
    thread::sleep(Duration::from_millis(5));
    match how.as_str() {
        "return" => ExitCode::SUCCESS,
        "exit" => {
            let exit = call_soon_threadsafe(group.handle(1), || std::process::exit(0));
            exit.expect("the loop is open");
            loop {
                thread::park();
            }
        }
        _ => {
            eprintln!("exits return | exit");
            ExitCode::FAILURE
        }
    }
}

/// Sends for as long as the process lives.
fn flood(group: &LoopGroup, shards: &Shards, number: usize) {
    for round in 0_u64.. {
        let pushed = shards.invoke_on(number, move |shard| async move {
            let mut shard = shard.borrow_mut();
            shard.truncate(100);
            shard.push(round);
        });
        drop(run_coroutine_threadsafe(group.next(), polyloop::yield_now));
        if round % 16 == 0 {
            // Refused by nobody, since nobody closes the loops.
            let _ = pushed.result();
        }
    }
}
