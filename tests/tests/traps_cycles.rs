//! Groups that come and go leave nothing. Alone in its process, whose threads,
//! descriptors and memory it counts.
#![forbid(unsafe_code)]

use polyloop_bridge::{LoopGroup, run_coroutine_threadsafe};
use polyloop_tests::{descriptor_count, thread_count, with_watchdog};
use std::future::pending;
use std::time::Duration;

/// How often; `.ci/long` asks for 10,000.
const CYCLES_VARIABLE: &str = "POLYLOOP_TEST_CYCLES";
const CYCLES: usize = 300;
/// After these, what a process keeps it has.
const WARM_UP: usize = 100;
const MEBIBYTE: usize = 1 << 20;

#[test]
fn trap_067_groups_of_four_loops_leave_no_thread_no_descriptor_and_no_memory() {
    let cycles = std::env::var(CYCLES_VARIABLE)
        .map_or(CYCLES, |cycles| cycles.parse().expect("a number of cycles"));
    with_watchdog(Duration::from_secs(3_600), || {
        for cycle in 0..WARM_UP {
            start_and_stop(cycle);
        }
        let before = (descriptor_count(), thread_count());
        let resident_before = polyloop_tests::resident_bytes();
        for cycle in 0..cycles {
            start_and_stop(cycle);
        }
        // A joined thread may stand in the table for a moment longer.
        while thread_count() > before.1 {
            std::thread::yield_now();
        }
        assert_eq!((descriptor_count(), thread_count()), before);
        if let (Some(before), Some(after)) = (resident_before, polyloop_tests::resident_bytes()) {
            println!("{cycles} cycles: {before} bytes before, {after} after");
            assert!(
                after < before + MEBIBYTE || polyloop_tests::sanitized(),
                "{before} bytes before, {after} after {cycles} cycles"
            );
        }
    });
}

/// Four loops, with work of each kind; stopped in one of three ways.
fn start_and_stop(cycle: usize) {
    let group = LoopGroup::builder().loops(4).build();
    let group = group.expect("threads and loops");
    drop(group.on_each(|_| pending::<()>()));
    let sent = run_coroutine_threadsafe(group.next(), || async {
        polyloop::sleep(Duration::from_secs(3_600)).await;
    });
    assert!(group.barrier_all().results().iter().all(Result::is_ok));
    match cycle % 3 {
        0 => assert!(group.shutdown(Duration::from_secs(60)).is_complete()),
        1 => {
            group.iter().for_each(|handle| handle.stop());
            assert_eq!(group.join().stuck().count(), 0);
        }
        // Dropped while its loops run.
        _ => drop(group),
    }
    assert!(sent.result().is_err());
}
