//! Loops give back what they took. One test to a process: it counts the
//! process's threads and descriptors.
#![forbid(unsafe_code)]

use polyloop::{EventLoop, Outcome, TaskError, create_task, sleep, yield_now};
use polyloop_tests::{descriptor_count, require_that, thread_count, with_watchdog};
use std::thread;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(240);

struct Nothing;

impl Outcome<()> for Nothing {
    fn resolve(&self, result: Result<(), TaskError>) {
        drop(result);
    }
}

/// A loop's whole life, with something of everything left behind.
fn life() {
    let mut looped = EventLoop::new().unwrap();
    let handle = looped.handle();
    let (task, remote) = looped
        .run_until_complete(async {
            let task = create_task(sleep(Duration::from_secs(3600)));
            let remote = polyloop::current_loop().submit(|| async {}, Nothing);
            yield_now().await;
            (task, remote.unwrap())
        })
        .unwrap();
    drop(handle.submit(|| async {}, Nothing).unwrap());
    looped.close(Duration::ZERO);
    assert!(handle.is_closed() && task.is_finished());
    drop((task, remote, handle));
}

#[test]
fn trap_067_a_thousand_loops_leave_no_thread_and_no_descriptor() {
    let counted = descriptor_count().is_some() && thread_count().is_some();
    if !require_that(counted, "/proc", "mount it; only Linux has it") {
        return;
    }
    with_watchdog(HANG, || {
        life();
        thread::spawn(life).join().unwrap();
        let before = (descriptor_count(), thread_count());
        for round in 0..1_000 {
            if round % 4 == 0 {
                thread::spawn(life).join().unwrap();
            } else {
                life();
            }
        }
        // A joined thread may stand in the table for a moment longer.
        while thread_count() > before.1 {
            thread::yield_now();
        }
        assert_eq!((descriptor_count(), thread_count()), before);
    });
}
