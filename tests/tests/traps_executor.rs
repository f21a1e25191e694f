//! Bugs that others shipped, in the executor: each test has the number of its
//! class of bugs in its name.
#![forbid(unsafe_code)]

use polyloop::{EventLoop, LoopHandle};
use polyloop_bridge::{
    LimitedExecutor, Shutdown, ThreadPoolExecutor, blocking, channel, run_in_executor,
};
use polyloop_tests::with_watchdog;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
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
        assert!(refused.contains("no thread"), "{refused}");
        assert_eq!(deep(&pool, 3), Ok(3), "it works on");
    });
}

#[test]
fn trap_062_the_shares_of_a_pool_end_with_it() {
    with_watchdog(HANG, || {
        for cancel_pending in [false, true] {
            let pool = ThreadPoolExecutor::builder()
                .max_workers(2)
                .build()
                .unwrap();
            let share = pool.limited(1);
            let (release, released) = channel::oneshot::channel::<()>();
            let (begun, begins) = channel::oneshot::channel();
            let first = share.submit(move || {
                let _ = begun.send(());
                let _ = released.recv_blocking();
                0
            });
            begins.recv_blocking().unwrap();
            let waiting: Vec<_> = (1..50).map(|n| share.submit(move || n)).collect();
            assert_eq!(share.waiting(), 49);
            let report = pool.shutdown(Shutdown {
                wait: false,
                cancel_pending,
                timeout: None,
            });
            assert_eq!(report.cancelled, if cancel_pending { 49 } else { 0 });
            assert!(share.submit(|| 99).result().unwrap_err().is_shut_down());
            release.send(()).unwrap();
            assert_eq!(first.result().unwrap(), 0);
            for (n, job) in (1..).zip(waiting) {
                match job.result() {
                    Ok(value) => assert!(!cancel_pending && value == n),
                    Err(error) => assert!(cancel_pending && error.is_cancelled()),
                }
            }
            assert!(pool.shutdown(Shutdown::default()).is_complete());
        }
    });
}

/// Runs jobs of a share and says how many ran at once at the most.
fn most_at_once(share: &LimitedExecutor) -> usize {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let jobs: Vec<_> = (0..40)
        .map(|_| {
            let (now, most) = (now.clone(), most.clone());
            share.submit(move || {
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                thread::sleep(Duration::from_micros(200));
                now.fetch_sub(1, SeqCst);
            })
        })
        .collect();
    for job in jobs {
        job.result().unwrap();
    }
    most.load(SeqCst)
}

#[test]
fn many_loops_share_one_pool_and_none_takes_more_than_its_share() {
    with_watchdog(HANG, || {
        let pool = ThreadPoolExecutor::builder()
            .max_workers(4)
            .build()
            .unwrap();
        let loops: Vec<_> = (0..6)
            .map(|_| {
                let share = Arc::new(pool.limited(2));
                thread::spawn(move || {
                    let looped = EventLoop::builder().offload(share.clone()).build();
                    let sum = looped.unwrap().run_until_complete(async {
                        let mut sum = 0;
                        for n in 0..50_u32 {
                            sum += run_in_executor(None, move || n).await.unwrap();
                        }
                        sum
                    });
                    assert_eq!(sum.unwrap(), 1_225);
                    most_at_once(&share)
                })
            })
            .collect();
        for looped in loops {
            assert!(looped.join().unwrap() <= 2);
        }
        assert!(pool.metrics().workers <= 4);
    });
}

#[test]
fn a_running_job_hears_of_its_cancel() {
    with_watchdog(HANG, || {
        let pool = ThreadPoolExecutor::builder()
            .max_workers(1)
            .build()
            .unwrap();
        let job = || {
            let (begun, begins) = channel::oneshot::channel();
            let job = pool.submit(move || {
                assert!(blocking::check_cancelled().is_ok(), "nobody has asked yet");
                let _ = begun.send(());
                while blocking::check_cancelled().is_ok() {
                    thread::yield_now();
                }
            });
            begins.recv_blocking().unwrap();
            job
        };
        let asked = job();
        assert!(!asked.cancel(), "it has begun");
        asked.result().unwrap();
        drop(job());
        // The worker is free again, and a new job knows nothing of old wishes.
        let fresh = pool.submit(|| blocking::check_cancelled().is_ok());
        assert!(fresh.result().unwrap());
        assert!(blocking::check_cancelled().is_ok(), "no job runs here");
    });
}

#[test]
fn a_job_calls_back_into_a_loop() {
    with_watchdog(HANG, || {
        let pool = ThreadPoolExecutor::builder()
            .max_workers(1)
            .build()
            .unwrap();
        polyloop::run(async {
            let home: LoopHandle = polyloop::current_loop();
            let name = home.name().to_owned();
            let inner = pool.clone();
            let job = run_in_executor(Some(&pool), move || {
                blocking::run_on_loop(&home, move || async move {
                    // The one thread of the pool blocks; another stands in.
                    let deeper = run_in_executor(Some(&inner), || 40).await.unwrap();
                    (polyloop::current_loop().name().to_owned(), deeper + 2)
                })
            });
            assert_eq!(job.await.unwrap().unwrap(), (name, 42));
        })
        .unwrap();
    });
}
