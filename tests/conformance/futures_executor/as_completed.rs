//! `test_as_completed`.

use super::{cancelled, ended, pool, waits};
use polyloop_bridge::as_completed_blocking;
use std::sync::Arc;
use std::time::Duration;

/// same test_as_completed.AsCompletedTests.test_no_timeout
#[test]
fn test_no_timeout() {
    let pool = pool(2);
    let items = [
        cancelled(),
        ended(Err("failed")),
        ended(Ok(42)),
        pool.submit(|| 2 * 21),
        pool.submit(|| 7 * 6),
    ];
    let all: Vec<_> = as_completed_blocking(items)
        .map(|job| job.result())
        .collect();
    assert_eq!(all.len(), 5);
    assert_eq!(
        all.iter().filter(|value| matches!(value, Ok(42))).count(),
        3
    );
    assert!(
        all[0].as_ref().is_err_and(|error| error.is_cancelled()),
        "as they ended"
    );
}

/// same test_as_completed.AsCompletedTests.test_future_times_out
/// adapted test_as_completed.AsCompletedTests.test_correct_timeout_exception_msg: the pending ones can be had back, so they need no counting
#[test]
fn test_future_times_out() {
    let pool = pool(2);
    let (set, slow) = waits(&pool);
    for limit in [Duration::ZERO, Duration::from_millis(2)] {
        let quick = [ended(Ok(1)), ended(Ok(2))];
        let mut all = as_completed_blocking(quick);
        assert_eq!(
            all.next_timeout(limit).unwrap().unwrap().result().unwrap(),
            1
        );
        assert_eq!(
            all.next_timeout(limit).unwrap().unwrap().result().unwrap(),
            2
        );
        assert!(all.next_timeout(limit).unwrap().is_none());
    }
    let mut all = as_completed_blocking([slow]);
    assert!(all.next_timeout(Duration::from_millis(2)).is_err());
    set.send(()).unwrap();
    assert!(all.next().unwrap().is_done(), "it was kept");
    assert!(all.into_pending().is_empty());
}

/// adapted test_as_completed.AsCompletedTests.test_free_reference_yielded_future: what was given is the caller's, and the iterator keeps nothing of it
#[test]
fn test_free_reference_yielded_future() {
    let pool = pool(2);
    let object = Arc::new(());
    let jobs: Vec<_> = (0..5)
        .map(|_| {
            let object = object.clone();
            pool.submit(move || object)
        })
        .collect();
    for (given, job) in as_completed_blocking(jobs).enumerate() {
        assert!(given < 5);
        drop(job.result().unwrap());
    }
    assert_eq!(Arc::strong_count(&object), 1);
}
