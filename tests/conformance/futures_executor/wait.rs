//! `test_wait`.

use super::{cancelled, ended, pool, waits};
use polyloop::ReturnWhen::{AllCompleted, FirstCompleted, FirstException};
use polyloop_bridge::{Offloaded, channel, wait_blocking};
use polyloop_tests::with_watchdog;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(120);

fn fails() -> u32 {
    std::panic::resume_unwind(Box::new("this is an exception"))
}

fn lengths<T>(waited: &(Vec<Offloaded<T>>, Vec<Offloaded<T>>)) -> (usize, usize) {
    (waited.0.len(), waited.1.len())
}

/// same test_wait.WaitTests.test_first_completed
#[test]
fn test_first_completed() {
    let pool = pool(3);
    let (set, slow) = waits(&pool);
    let quick = pool.submit(|| 21 * 2);
    let (mut done, left) = wait_blocking([slow, quick], FirstCompleted, None);
    assert_eq!((done.len(), left.len()), (1, 1));
    assert_eq!(done.remove(0).result().unwrap(), 42);
    drop(set);
}

/// same test_wait.WaitTests.test_first_completed_some_already_completed
#[test]
fn test_first_completed_some_already_completed() {
    let pool = pool(3);
    let (set, slow) = waits(&pool);
    let waited = wait_blocking([cancelled(), ended(Ok(42)), slow], FirstCompleted, None);
    assert_eq!(lengths(&waited), (2, 1));
    drop(set);
}

/// same test_wait.WaitTests.test_first_exception
#[test]
fn test_first_exception() {
    with_watchdog(HANG, || {
        let pool = pool(3);
        let (set, slow) = waits(&pool);
        let quick = pool.submit(|| 2 * 21);
        let (go, goes) = channel::oneshot::channel::<()>();
        let failing = pool.submit(move || {
            let _ = goes.recv_blocking();
            fails()
        });
        // The first has ended before the second fails.
        while !quick.is_done() {
            std::thread::yield_now();
        }
        go.send(()).unwrap();
        let waited = wait_blocking([quick, failing, slow], FirstException, None);
        assert_eq!(lengths(&waited), (2, 1));
        drop(set);
    });
}

/// adapted test_wait.WaitTests.test_first_exception_some_already_complete: a cancelled job is one that has ended, notified or not
#[test]
fn test_first_exception_some_already_complete() {
    let pool = pool(3);
    let (set, slow) = waits(&pool);
    let failing = pool.submit(fails);
    let items = [ended(Ok(42)), cancelled(), failing, slow];
    let waited = wait_blocking(items, FirstException, None);
    assert_eq!(lengths(&waited), (3, 1));
    drop(set);
}

/// same test_wait.WaitTests.test_first_exception_one_already_failed
#[test]
fn test_first_exception_one_already_failed() {
    let pool = pool(3);
    let (set, slow) = waits(&pool);
    let waited = wait_blocking([ended(Err("failed")), slow], FirstException, None);
    assert_eq!(lengths(&waited), (1, 1));
    drop(set);
}

/// same test_wait.WaitTests.test_all_completed
#[test]
fn test_all_completed() {
    let pool = pool(3);
    let items = [
        ended(Ok(42)),
        cancelled(),
        ended(Err("failed")),
        pool.submit(fails),
        pool.submit(|| 2 * 21),
    ];
    let (done, left) = wait_blocking(items, AllCompleted, None);
    assert!(left.is_empty());
    let values = done.into_iter().map(|job| job.result().ok());
    assert_eq!(
        values.collect::<Vec<_>>(),
        [Some(42), None, None, None, Some(42)]
    );
}

/// same test_wait.WaitTests.test_timeout
#[test]
fn test_timeout() {
    let pool = pool(3);
    let (set, slow) = waits(&pool);
    let items = [cancelled(), ended(Err("failed")), ended(Ok(42)), slow];
    let waited = wait_blocking(items, AllCompleted, Some(Duration::from_millis(5)));
    assert_eq!(lengths(&waited), (3, 1));
    set.send(()).unwrap();
    let left = wait_blocking(waited.1, AllCompleted, None);
    assert_eq!(lengths(&left), (1, 0));
}

/// same test_wait.ThreadPoolWaitTests.test_pending_calls_race
#[test]
fn test_pending_calls_race() {
    with_watchdog(HANG, || {
        for _ in 0..20 {
            let pool = pool(5);
            let (set, event) = channel::unbounded::<()>();
            let jobs: Vec<_> = (0..100)
                .map(|_| {
                    let event = event.clone();
                    pool.submit(move || {
                        let _ = event.recv_blocking();
                    })
                })
                .collect();
            drop(set);
            let waited = wait_blocking(jobs, AllCompleted, None);
            assert_eq!(lengths(&waited), (100, 0));
        }
    });
}

/// adapted test_wait.WaitTests.test_20369: one job cannot be given twice, but it can be waited for twice
#[test]
fn test_20369() {
    let pool = pool(1);
    let mut job = [pool.submit(|| 2)];
    for _ in 0..2 {
        let (done, left) = wait_blocking(&mut job, AllCompleted, None);
        assert_eq!((done.len(), left.len()), (1, 0));
    }
}
