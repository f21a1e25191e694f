//! Bugs that others shipped, in waiting for several on a thread: each test has the
//! number of its class of bugs in its name.
#![forbid(unsafe_code)]

use polyloop::ReturnWhen;
use polyloop_bridge::{
    LoopGroup, ThreadPoolExecutor, as_completed_blocking, channel, run_coroutine_threadsafe,
    wait_blocking,
};
use polyloop_tests::with_watchdog;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(300);

#[test]
fn trap_060_jobs_that_wait_for_several_jobs_do_not_starve_their_pool() {
    with_watchdog(HANG, || {
        let pool = ThreadPoolExecutor::builder()
            .max_workers(1)
            .build()
            .unwrap();
        let inner = pool.clone();
        let job = pool.submit(move || {
            let jobs = |count: u8| (0..count).map(|n| inner.submit(move || n));
            let (done, pending) = wait_blocking(jobs(3), ReturnWhen::AllCompleted, None);
            assert!(pending.is_empty());
            let (first, _) = wait_blocking(jobs(3), ReturnWhen::FirstCompleted, None);
            assert!(!first.is_empty());
            let all: Vec<_> = as_completed_blocking(jobs(3)).collect();
            (done.len(), all.iter().filter(|job| job.is_done()).count())
        });
        assert_eq!(job.result().unwrap(), (3, 3));
    });
}

/// Loop 0 blocks on loop 1, which blocks on `count` works of loop 0. Was loop 0 told
/// of the ring, and was loop 1?
fn ring_with_a_wait(group: &LoopGroup, count: usize, until: ReturnWhen) -> (bool, bool) {
    let met = Arc::new(Barrier::new(2));
    let (meets, other) = (met.clone(), group.handle(1).clone());
    let blocks = run_coroutine_threadsafe(group.handle(0), move || async move {
        meets.wait();
        if until == ReturnWhen::FirstCompleted {
            // The other one waits already, in most of the runs.
            thread::sleep(Duration::from_millis(20));
        }
        let answer = run_coroutine_threadsafe(&other, || async { 7 }).result();
        answer.map_or_else(|error| error.is_would_deadlock(), |_| false)
    });
    let other = group.handle(0).clone();
    let waits = run_coroutine_threadsafe(group.handle(1), move || async move {
        met.wait();
        let works = (0..count).map(|n| run_coroutine_threadsafe(&other, move || async move { n }));
        let (done, mut pending) = wait_blocking(works, until, None);
        if let Some(work) = pending.first_mut()
            && done.is_empty()
        {
            // It says why it is pending.
            let error = work.result_timeout(HANG).unwrap_err();
            assert!(error.is_would_deadlock(), "{error:?}");
            return true;
        }
        false
    });
    (blocks.result().unwrap(), waits.result().unwrap())
}

#[test]
fn trap_059_a_ring_through_a_wait_for_several_is_found() {
    with_watchdog(HANG, || {
        let group = LoopGroup::builder().loops(2).build().unwrap();
        for round in 0..60 {
            let count = 1 + round % 3;
            let told = ring_with_a_wait(&group, count, ReturnWhen::AllCompleted);
            // The other one is answered as soon as that one lets go.
            assert!(told.0 != told.1, "{told:?}");
        }
        // Each of several is a way out, so that one is left to the waiting one.
        for _ in 0..2 {
            let told = ring_with_a_wait(&group, 2, ReturnWhen::FirstCompleted);
            assert!(told.0 != told.1, "{told:?}");
        }
        group.shutdown(Duration::from_secs(5));
    });
}

#[test]
fn trap_059_a_wait_for_the_first_with_another_way_out_is_no_ring() {
    with_watchdog(HANG, || {
        let group = LoopGroup::builder().loops(3).build().unwrap();
        let (begun, begins) = channel::oneshot::channel();
        let (release, released) = channel::oneshot::channel::<()>();
        let (a, c) = (group.handle(0).clone(), group.handle(2).clone());
        let waits = run_coroutine_threadsafe(group.handle(1), move || async move {
            let other = run_coroutine_threadsafe(&c, || async move {
                let _ = released.await;
            });
            begins.recv_blocking().unwrap();
            let back = run_coroutine_threadsafe(&a, || async {});
            let (done, _) = wait_blocking([back, other], ReturnWhen::FirstCompleted, None);
            done.len()
        });
        let b = group.handle(1).clone();
        let blocks = run_coroutine_threadsafe(group.handle(0), move || async move {
            let _ = begun.send(());
            run_coroutine_threadsafe(&b, || async { 1 }).result()
        });
        // Both block now, or will; the one that is released ends it.
        thread::sleep(Duration::from_millis(20));
        let _ = release.send(());
        assert_eq!(blocks.result().unwrap().unwrap(), 1);
        assert_eq!(waits.result().unwrap(), 1);
        group.shutdown(Duration::from_secs(5));
    });
}
