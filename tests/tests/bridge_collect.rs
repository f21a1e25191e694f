//! Waiting for several submissions and jobs on a plain thread.
#![forbid(unsafe_code)]

use polyloop::{ReturnWhen, yield_now};
use polyloop_bridge::{
    LoopGroup, ThreadPoolExecutor, as_completed_blocking, channel, run_coroutine_threadsafe,
    wait_blocking,
};
use polyloop_tests::with_watchdog;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(300);

#[test]
fn a_thread_waits_for_several_submissions_and_jobs() {
    with_watchdog(HANG, || {
        let group = LoopGroup::builder().loops(2).build().unwrap();
        let (release, released) = channel::oneshot::channel::<()>();
        let held = run_coroutine_threadsafe(group.handle(0), || async move {
            let _ = released.await;
            1
        });
        let quick = run_coroutine_threadsafe(group.handle(1), || async {
            yield_now().await;
            2
        });
        let mut both = vec![held, quick];
        let (done, left) = wait_blocking(&mut both, ReturnWhen::FirstCompleted, None);
        assert_eq!((done.len(), left.len()), (1, 1));
        let limit = Some(Duration::from_millis(2));
        let (done, left) = wait_blocking(both, ReturnWhen::AllCompleted, limit);
        assert_eq!((done.len(), left.len()), (1, 1), "the time was up");
        release.send(()).unwrap();
        let mut items: Vec<_> = done.into_iter().chain(left).collect();
        let (done, left) = wait_blocking(&mut items, ReturnWhen::AllCompleted, None);
        assert_eq!((done.len(), left.len()), (2, 0));
        let values: Vec<_> = items
            .into_iter()
            .map(|item| item.result().unwrap())
            .collect();
        assert_eq!(values, [2, 1]);

        let pool = ThreadPoolExecutor::builder()
            .max_workers(2)
            .build()
            .unwrap();
        let jobs = (0..200).map(|n| pool.submit(move || n));
        let mut seen: Vec<_> = as_completed_blocking(jobs)
            .map(|job| job.result().unwrap())
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..200).collect::<Vec<_>>());
        group.shutdown(Duration::from_secs(1));
    });
}

#[test]
fn a_wait_that_could_never_end_returns_what_is_pending() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let own = polyloop::current_loop();
            let mine = run_coroutine_threadsafe(&own, || async { 1 });
            let (done, mut left) = wait_blocking([mine], ReturnWhen::AllCompleted, None);
            assert!(done.is_empty());
            let mine = as_completed_blocking(&mut left).next().unwrap();
            let refused = mine.result_timeout(Duration::from_secs(3600));
            assert!(refused.unwrap_err().is_would_deadlock());
            assert_eq!(left.pop().unwrap().await.unwrap(), 1);
        })
        .unwrap();
    });
}
