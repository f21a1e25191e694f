//! Bugs that others shipped, where jobs of an executor block: on each other, on
//! loops, and on the executor's end. Each test has the number of its class of bugs
//! in its name.
#![forbid(unsafe_code)]

use polyloop_bridge::sync::{Barrier, Event};
use polyloop_bridge::{
    LoopGroup, Offloaded, Shutdown, ShutdownReport, SubmissionError, ThreadPoolExecutor, blocking,
    channel,
};
use polyloop_tests::with_watchdog;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(300);

/// Blocks on jobs of its own pool, `depth` deep.
fn nested(pool: &ThreadPoolExecutor, depth: usize) -> usize {
    if depth == 0 {
        return 0;
    }
    let inner = pool.clone();
    pool.submit(move || nested(&inner, depth - 1))
        .result()
        .unwrap()
        + 1
}

#[test]
fn trap_060_jobs_that_block_on_jobs_do_not_starve_their_pool() {
    with_watchdog(HANG, || {
        for workers in [1, 3] {
            let pool = ThreadPoolExecutor::builder()
                .max_workers(workers)
                .build()
                .unwrap();
            assert_eq!(nested(&pool, 40), 40);
            // Those who stood in are gone when there is no more to do.
            let sums: Vec<_> = (0..20)
                .map(|_| {
                    let inner = pool.clone();
                    pool.submit(move || nested(&inner, 3))
                })
                .collect();
            for sum in sums {
                assert_eq!(sum.result().unwrap(), 3);
            }
            while pool.metrics().workers > workers {
                pool.submit(|| ()).result().unwrap();
                thread::yield_now();
            }
            assert!(pool.shutdown(Shutdown::default()).is_complete());
        }
    });
}

#[test]
fn trap_060_deeper_than_any_pool_goes_is_an_error_and_no_hang() {
    fn deep(pool: &ThreadPoolExecutor, depth: usize) -> Result<usize, String> {
        if depth == 0 {
            return Ok(0);
        }
        let inner = pool.clone();
        let job = pool.submit(move || deep(&inner, depth - 1));
        job.result()
            .map_err(|error| error.to_string())?
            .map(|below| below + 1)
    }
    with_watchdog(HANG, || {
        let pool = ThreadPoolExecutor::builder()
            .max_workers(1)
            .stack_size(256 << 10)
            .build()
            .unwrap();
        let refused = deep(&pool, 400).unwrap_err();
        assert!(refused.contains("await it instead"), "{refused}");
        assert_eq!(deep(&pool, 3), Ok(3), "it works on");
    });
}

/// Four threads, and room for the stacks of all who may stand in for them.
fn pool_of_four() -> ThreadPoolExecutor {
    let builder = ThreadPoolExecutor::builder().max_workers(4);
    builder.stack_size(256 << 10).build().unwrap()
}

#[test]
fn trap_060_jobs_stay_queued_while_every_thread_blocks_on_a_loop() {
    with_watchdog(HANG, || {
        let group = LoopGroup::builder().loops(1).build().unwrap();
        let pool = pool_of_four();
        let gate = Arc::new(Event::new());
        let jobs: Vec<_> = (0..600)
            .map(|n| {
                let (home, gate) = (group.handle(0).clone(), gate.clone());
                pool.submit(move || {
                    let wait = move || async move { gate.wait().await };
                    blocking::run_on_loop(&home, wait).map(|_| n).unwrap()
                })
            })
            .collect();
        // As many as there may be, and all of them wait.
        while pool.metrics().workers < 4 + 256 {
            thread::yield_now();
        }
        let bystander = pool.submit(|| 600);
        gate.set();
        for (n, job) in (0..).zip(jobs.into_iter().chain([bystander])) {
            assert_eq!(job.result().unwrap(), n, "nobody was in the way for ever");
        }
    });
}

#[test]
fn trap_060_who_would_be_the_last_to_wait_is_told_and_nobody_else() {
    with_watchdog(HANG, || {
        let pool = pool_of_four();
        let gate = Arc::new(Event::new());
        let parents: Vec<_> = (0..600)
            .map(|n| {
                let (inner, gate) = (pool.clone(), gate.clone());
                pool.submit(move || {
                    gate.wait_blocking();
                    inner.submit(move || n).result()
                })
            })
            .collect();
        let bystanders: Vec<_> = (0..100).map(|n| pool.submit(move || n)).collect();
        // All children come behind all parents, who are more than there are threads.
        gate.set();
        let (mut values, mut told) = (0, 0);
        for (n, parent) in (0..).zip(parents) {
            match parent.result().unwrap() {
                Ok(value) => values += usize::from(value == n),
                Err(error) => told += usize::from(error.is_would_deadlock()),
            }
        }
        assert_eq!(values + told, 600);
        assert!(
            values >= 256 && told > 0,
            "{values} waited, {told} were told"
        );
        for (n, bystander) in (0..).zip(bystanders) {
            assert_eq!(bystander.result().unwrap(), n);
        }
    });
}

/// A job that asks the running loop, and then the end of a pool on its thread.
fn shut_down_on_the_loop(job_first: bool) -> (ShutdownReport, Result<u8, SubmissionError>) {
    let pool = ThreadPoolExecutor::builder()
        .max_workers(1)
        .build()
        .unwrap();
    let both = polyloop::run(async {
        let home = polyloop::current_loop();
        let inner = pool.clone();
        let job = pool.submit(move || {
            while !job_first && !inner.is_shut_down() {
                thread::yield_now();
            }
            blocking::run_on_loop(&home, || async { 7 })
        });
        if job_first {
            // The one thread blocks by now: another one runs this in its place.
            pool.submit(|| ()).result().unwrap();
        }
        let report = pool.shutdown(Shutdown::default());
        (report, job.await.unwrap())
    });
    assert!(pool.shutdown(Shutdown::default()).is_complete());
    both.unwrap()
}

#[test]
fn trap_063_a_shutdown_on_a_loop_that_a_job_asks_is_answered() {
    with_watchdog(HANG, || {
        for round in 0..100 {
            let (report, answer) = shut_down_on_the_loop(round % 2 == 0);
            match answer {
                // The shutdown came second, and did not wait.
                Ok(value) => {
                    assert_eq!(value, 7);
                    assert!(report.to_string().contains(file!()), "{report}");
                }
                Err(error) => {
                    assert!(error.is_would_deadlock(), "{error}");
                    assert!(report.is_complete() && round % 2 == 1, "{report}");
                }
            }
        }
    });
}

#[test]
fn trap_063_jobs_that_all_shut_their_pool_down_are_answered() {
    with_watchdog(HANG, || {
        for jobs in [2, 4] {
            let pool = pool_of_four();
            let met = Arc::new(Barrier::new(jobs));
            let ends: Vec<_> = (0..jobs)
                .map(|_| {
                    let (inner, met) = (pool.clone(), met.clone());
                    pool.submit(move || {
                        let _ = met.wait_blocking();
                        inner.shutdown(Shutdown::default())
                    })
                })
                .collect();
            let reports = ends.into_iter().map(|end| end.result().unwrap());
            let left: Vec<_> = reports.map(|report| report.workers).collect();
            assert!(left.iter().all(|workers| *workers >= 1), "{left:?}");
            assert!(
                left.contains(&1),
                "the first waits for the others: {left:?}"
            );
            assert!(pool.shutdown(Shutdown::default()).is_complete());
        }
    });
}

#[test]
fn trap_063_who_waits_for_a_job_that_shuts_its_pool_down_is_told() {
    with_watchdog(HANG, || {
        let pool = pool_of_four();
        let (give, given) = channel::oneshot::channel::<Offloaded<ShutdownReport>>();
        let waits = pool.submit(move || given.recv_blocking().unwrap().result());
        let inner = pool.clone();
        let ends = pool.submit(move || inner.shutdown(Shutdown::default()));
        assert!(give.send(ends).is_ok());
        // One of the two was second.
        match waits.result().unwrap() {
            Ok(report) => assert!(report.workers >= 2, "{report}"),
            Err(error) => assert!(error.is_would_deadlock(), "{error}"),
        }
        assert!(pool.shutdown(Shutdown::default()).is_complete());
    });
}
