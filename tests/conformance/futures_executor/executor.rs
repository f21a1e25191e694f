//! `executor`, `test_thread_pool` and `test_init`.

use super::{pool, waits};
use polyloop_bridge::{Shutdown, ThreadPoolExecutor, channel, channel::oneshot};
use polyloop_tests::with_watchdog;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(120);

/// same executor.ExecutorTest.test_submit
/// adapted executor.ExecutorTest.test_submit_keyword: a closure has its arguments inside
#[test]
fn test_submit() {
    let (base, exponent) = (2_u32, 8);
    assert_eq!(
        pool(2).submit(move || base.pow(exponent)).result().unwrap(),
        256
    );
}

/// adapted executor.ExecutorTest.test_map: an iterator of submits; each job is one item
/// same test_thread_pool.ThreadPoolExecutorTest.test_map_submits_without_iteration
#[test]
fn test_map() {
    let pool = pool(3);
    let finished = Arc::new(Mutex::new(Vec::new()));
    let jobs: Vec<_> = (0..10_u32)
        .map(|n| {
            let finished = finished.clone();
            pool.submit(move || {
                finished.lock().unwrap().push(n);
                n.pow(2)
            })
        })
        .collect();
    pool.shutdown(Shutdown::default());
    let mut all = finished.lock().unwrap().clone();
    all.sort_unstable();
    assert_eq!(
        all,
        (0..10).collect::<Vec<_>>(),
        "nobody asked for a result yet"
    );
    for (n, job) in (0..10_u32).zip(jobs) {
        assert_eq!(job.result().unwrap(), n.pow(2));
    }
}

/// adapted executor.ExecutorTest.test_map_exception: the panic is that job's result, and no other's
#[test]
fn test_map_exception() {
    let pool = pool(2);
    let jobs = [2_u32, 3, 0, 5].map(|by| {
        pool.submit(move || match 1_u32.checked_div(by) {
            Some(value) => value,
            None => std::panic::resume_unwind(Box::new("division by zero")),
        })
    });
    let results = jobs.map(|job| job.result().map_err(|error| error.is_panic()));
    assert_eq!(results, [Ok(0), Ok(0), Err(true), Ok(0)]);
}

/// adapted executor.ExecutorTest.test_map_timeout: each result is asked for with a time-out
/// adapted test_thread_pool.ThreadPoolExecutorTest.test_executor_map_current_future_cancel: dropping the jobs cancels those that have not begun
#[test]
fn test_map_timeout() {
    let pool = pool(1);
    let (set, first) = waits(&pool);
    let ran = Arc::new(AtomicUsize::new(0));
    let mut rest: Vec<_> = (0..2)
        .map(|_| {
            let ran = ran.clone();
            pool.submit(move || ran.fetch_add(1, SeqCst))
        })
        .collect();
    let late = rest[0].result_timeout(Duration::ZERO).unwrap_err();
    assert!(late.is_timed_out());
    drop(rest);
    set.send(()).unwrap();
    first.result().unwrap();
    pool.shutdown(Shutdown::default());
    assert_eq!(ran.load(SeqCst), 0);
}

/// same executor.ExecutorTest.test_shutdown_race_issue12456
#[test]
fn test_shutdown_race_issue12456() {
    with_watchdog(HANG, || {
        for _ in 0..50 {
            let pool = pool(5);
            (0..6).for_each(|_| pool.submit(|| 2).detach());
            assert!(pool.shutdown(Shutdown::default()).is_complete());
        }
    });
}

/// same executor.ExecutorTest.test_no_stale_references
/// adapted executor.ExecutorTest.test_free_reference: a result is moved out, so nothing keeps it
#[test]
fn test_no_stale_references() {
    let pool = pool(2);
    let object = Arc::new(());
    let (sender, told) = channel::unbounded();
    let mine = object.clone();
    pool.submit(move || {
        let _mine = mine;
        sender.try_send(()).expect("no limit");
    })
    .detach();
    told.recv_blocking().unwrap();
    while Arc::strong_count(&object) > 1 {
        // The worker lets go of the closure when it has returned.
        thread::yield_now();
    }
    let given = pool.submit({
        let object = object.clone();
        move || object
    });
    drop(given.result().unwrap());
    assert_eq!(Arc::strong_count(&object), 1);
}

/// adapted executor.ExecutorTest.test_max_workers_negative: the type has no negative numbers, and 0 means 1
#[test]
fn test_max_workers_negative() {
    assert_eq!(pool(0).submit(|| 1).result().unwrap(), 1);
}

/// same test_thread_pool.ThreadPoolExecutorTest.test_default_workers
#[test]
fn test_default_workers() {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
    let pool = ThreadPoolExecutor::new();
    let expected = format!("max_workers: {}", (cores + 4).min(32));
    assert!(format!("{pool:?}").contains(&expected));
}

/// same test_thread_pool.ThreadPoolExecutorTest.test_saturation
#[test]
fn test_saturation() {
    with_watchdog(HANG, || {
        let pool = pool(4);
        let (release, permits) = channel::unbounded();
        for _ in 0..60 {
            let permits = permits.clone();
            pool.submit(move || permits.recv_blocking()).detach();
        }
        while pool.metrics().workers < 4 {
            thread::yield_now();
        }
        (0..60).for_each(|_| release.try_send(()).unwrap());
        assert!(pool.shutdown(Shutdown::default()).is_complete());
        assert_eq!(pool.metrics().completed, 60);
    });
}

/// same test_thread_pool.ThreadPoolExecutorTest.test_idle_thread_reuse
#[test]
fn test_idle_thread_reuse() {
    let pool = pool(8);
    for _ in 0..3 {
        pool.submit(|| 42).result().unwrap();
        while pool.metrics().idle == 0 {
            thread::yield_now();
        }
    }
    assert_eq!(pool.metrics().workers, 1);
}

/// same test_init.InitializerMixin.test_initializer
#[test]
fn test_initializer() {
    thread_local! { static STATUS: std::cell::Cell<u8> = const { std::cell::Cell::new(0) }; }
    let builder = ThreadPoolExecutor::builder().max_workers(2);
    let pool = builder.on_start(|| STATUS.set(7)).build().unwrap();
    let jobs: Vec<_> = (0..20).map(|_| pool.submit(|| STATUS.get())).collect();
    assert!(jobs.into_iter().all(|job| job.result().unwrap() == 7));
}

/// adapted test_init.FailingInitializerMixin.test_initializer: a panic in it is reported, and the thread works on: a pool is never broken
#[test]
fn test_failing_initializer() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let fails = move || {
        count.fetch_add(1, SeqCst);
        std::panic::resume_unwind(Box::new("error in the initializer"));
    };
    let builder = ThreadPoolExecutor::builder().max_workers(1);
    let pool = builder.on_start(fails).build().unwrap();
    assert_eq!(pool.submit(|| 1).result().unwrap(), 1);
    assert_eq!(calls.load(SeqCst), 1);
}

#[test]
fn a_hook_at_the_end_of_a_thread_is_called() {
    let (tell, told) = oneshot::channel();
    let tell = Mutex::new(Some(tell));
    let builder = ThreadPoolExecutor::builder().max_workers(1).cpus([0]);
    let pool = builder
        .on_stop(move || {
            let _ = tell.lock().unwrap().take().map(|tell| tell.send(()));
        })
        .build();
    let pool = pool.unwrap();
    pool.submit(|| ()).result().unwrap();
    pool.shutdown(Shutdown::default());
    assert_eq!(told.recv_blocking(), Ok(()));
}
