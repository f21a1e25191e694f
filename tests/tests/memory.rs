//! What a task that sleeps costs in memory.
#![forbid(unsafe_code)]

use polyloop::{EventLoop, create_task, sleep, yield_now};
use std::time::Duration;

const SLEEPERS: usize = 1_000_000;
/// Bytes a sleeping task may take above its future.
const ALLOWED: usize = 200;

async fn sleeper() {
    sleep(Duration::from_secs(1_000_000)).await;
}

/// The one test of this file, since others would use memory beside it.
#[test]
fn a_million_sleeping_tasks_take_at_most_200_bytes_each_above_their_futures() {
    let mut looped = EventLoop::new().unwrap();
    let ran = looped.run_until_complete(async {
        yield_now().await;
        let before = polyloop_tests::resident_bytes()?;
        for _ in 0..SLEEPERS {
            drop(create_task(sleeper()));
        }
        // All of them set their timers.
        yield_now().await;
        let after = polyloop_tests::resident_bytes()?;
        Some(after - before)
    });
    let Some(taken) = ran.unwrap() else { return };
    let each = taken / SLEEPERS;
    let future = size_of_val(&sleeper());
    println!("{each} bytes a sleeping task, {future} of them its future");
    assert!(
        each - future <= ALLOWED || polyloop_tests::sanitized(),
        "{each} bytes, {future} of them the future"
    );
    looped.close(Duration::ZERO);
}
