//! `test_shutdown`.

use super::{pool, waits};
use polyloop_bridge::{Shutdown, ThreadPoolExecutor, channel};
use polyloop_tests::with_watchdog;
use std::thread;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(120);

const NO_WAIT: Shutdown = Shutdown {
    wait: false,
    cancel_pending: false,
    timeout: None,
};

/// same test_shutdown.ExecutorShutdownTest.test_run_after_shutdown
#[test]
fn test_run_after_shutdown() {
    let pool = pool(2);
    pool.shutdown(Shutdown::default());
    let refused = pool.submit(|| 2_u32.pow(5)).result().unwrap_err();
    assert!(refused.is_shut_down());
    let back = pool.try_submit(|| 2_u32.pow(5)).unwrap_err().into_inner();
    assert_eq!(back(), 32);
}

/// same test_shutdown.ExecutorShutdownTest.test_hang_issue12364
#[test]
fn test_hang_issue12364() {
    with_watchdog(HANG, || {
        let pool = pool(5);
        let sleepy = || thread::sleep(Duration::from_millis(1));
        let jobs: Vec<_> = (0..50).map(|_| pool.submit(sleepy)).collect();
        pool.shutdown(Shutdown::default());
        jobs.into_iter().for_each(|job| job.result().unwrap());
    });
}

/// same test_shutdown.ExecutorShutdownTest.test_cancel_futures
/// same test_shutdown.ThreadPoolShutdownTest.test_cancel_futures_wait_false
#[test]
fn test_cancel_futures() {
    for wait in [true, false] {
        let pool = pool(1);
        let (set, running) = waits(&pool);
        let jobs: Vec<_> = (0..50).map(|_| pool.submit(|| ())).collect();
        let how = Shutdown {
            wait,
            cancel_pending: true,
            timeout: Some(Duration::from_millis(2)),
        };
        assert_eq!(pool.shutdown(how).cancelled, 50);
        assert!(jobs.iter().all(polyloop_bridge::Offloaded::is_done));
        for job in jobs {
            assert!(job.result().unwrap_err().is_cancelled());
        }
        set.send(()).unwrap();
        running.result().expect("what runs is not cancelled");
    }
}

/// adapted test_shutdown.ExecutorShutdownTest.test_hang_gh83386: threads run on after a shutdown that does not wait; a process that ends does not wait for them
/// same test_shutdown.ThreadPoolShutdownTest.test_shutdown_no_wait
#[test]
fn test_shutdown_no_wait() {
    with_watchdog(HANG, || {
        let pool = pool(5);
        let jobs: Vec<_> = (-5_i32..5).map(|n| pool.submit(move || n.abs())).collect();
        pool.shutdown(NO_WAIT);
        while pool.metrics().workers > 0 {
            thread::yield_now();
        }
        let results = jobs.into_iter().map(|job| job.result().unwrap());
        assert_eq!(results.collect::<Vec<_>>(), [5, 4, 3, 2, 1, 0, 1, 2, 3, 4]);
    });
}

/// same test_shutdown.ExecutorShutdownTest.test_hang_gh94440
#[test]
fn test_hang_gh94440() {
    with_watchdog(HANG, || {
        let pool = pool(1);
        pool.submit(|| 0).result().unwrap();
        pool.submit(|| 0).cancel();
        assert!(pool.shutdown(Shutdown::default()).is_complete());
    });
}

/// same test_shutdown.ThreadPoolShutdownTest.test_threads_terminate
#[test]
fn test_threads_terminate() {
    with_watchdog(HANG, || {
        let pool = pool(5);
        let held: Vec<_> = (0..3).map(|_| waits(&pool)).collect();
        assert_eq!(pool.metrics().workers, 3);
        held.into_iter().for_each(|(set, job)| {
            set.send(()).unwrap();
            job.result().unwrap();
        });
        assert_eq!(pool.shutdown(Shutdown::default()).workers, 0);
        assert_eq!(pool.metrics().workers, 0);
    });
}

/// adapted test_shutdown.ThreadPoolShutdownTest.test_del_shutdown: dropping the last handle takes no more jobs and runs those that there are
/// adapted test_shutdown.ThreadPoolShutdownTest.test_context_manager_shutdown: a scope ends by a drop, and who wants to wait calls shutdown()
#[test]
fn test_del_shutdown() {
    with_watchdog(HANG, || {
        let pool = pool(5);
        let jobs: Vec<_> = (-5_i32..5).map(|n| pool.submit(move || n.abs())).collect();
        drop(pool);
        let results = jobs.into_iter().map(|job| job.result().unwrap());
        assert_eq!(results.collect::<Vec<_>>(), [5, 4, 3, 2, 1, 0, 1, 2, 3, 4]);
    });
}

/// same test_shutdown.ThreadPoolShutdownTest.test_thread_names_assigned
/// adapted test_shutdown.ThreadPoolShutdownTest.test_thread_names_default: the default name is the same for all pools, and a number follows
#[test]
fn test_thread_names_assigned() {
    let name = || thread::current().name().map(str::to_owned);
    let special = ThreadPoolExecutor::builder().name("SpecialPool").build();
    let special = special.unwrap().submit(name).result().unwrap();
    assert_eq!(special.as_deref(), Some("SpecialPool-0"));
    let plain = ThreadPoolExecutor::new().submit(name).result().unwrap();
    assert_eq!(plain.as_deref(), Some("polyloop-pool-0"));
}

#[test]
fn a_job_may_submit_to_the_pool_that_is_shut_down() {
    with_watchdog(HANG, || {
        let pool = pool(1);
        let inner = pool.clone();
        let (sender, told) = channel::oneshot::channel();
        pool.submit(move || {
            inner.shutdown(NO_WAIT);
            let refused = inner.submit(|| ()).result().unwrap_err();
            let _ = sender.send(refused.is_shut_down());
        })
        .detach();
        assert_eq!(told.recv_blocking(), Ok(true));
    });
}
