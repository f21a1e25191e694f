//! Bugs that others shipped, in the executor: each test has the number of its
//! class of bugs in its name.
#![forbid(unsafe_code)]

use polyloop::{EventLoop, LoopHandle};
use polyloop_bridge::{
    LimitedExecutor, Offloaded, Shutdown, ThreadPoolExecutor, blocking, channel, run_in_executor,
    to_thread,
};
use polyloop_tests::with_watchdog;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(300);

fn pool(workers: usize) -> ThreadPoolExecutor {
    let builder = ThreadPoolExecutor::builder().max_workers(workers);
    builder.build().unwrap()
}

/// Blocks on jobs of its own share, `depth` deep.
fn nested_in(share: &LimitedExecutor, depth: usize) -> usize {
    if depth == 0 {
        return 0;
    }
    let inner = share.clone();
    let below = share.submit(move || nested_in(&inner, depth - 1));
    below.result().unwrap() + 1
}

#[test]
fn trap_060_jobs_that_block_on_jobs_do_not_starve_their_share() {
    with_watchdog(HANG, || {
        let pool = pool(4);
        let share = pool.limited(1);
        let sums: Vec<_> = (0..20)
            .map(|_| {
                let inner = share.clone();
                share.submit(move || nested_in(&inner, 3))
            })
            .collect();
        for sum in sums {
            assert_eq!(sum.result().unwrap(), 3);
        }
        let offload = Arc::new(share.clone());
        let looped = EventLoop::builder().offload(offload).build();
        let answer = looped.unwrap().run_until_complete(async {
            let home = polyloop::current_loop();
            let asks = || async { to_thread(|| 40).await.unwrap() + 2 };
            to_thread(move || blocking::run_on_loop(&home, asks).unwrap()).await
        });
        assert_eq!(answer.unwrap().unwrap(), 42);
        assert_eq!(most_at_once(&share), 1, "it is a share of one again");
        assert!(pool.shutdown(Shutdown::default()).is_complete());
    });
}

#[test]
fn trap_060_a_share_that_ends_runs_jobs_that_block_on_jobs() {
    with_watchdog(HANG, || {
        let pool = pool(4);
        let share = pool.limited(1);
        let (release, released) = channel::oneshot::channel::<()>();
        let first = share.submit(move || released.recv_blocking().is_ok());
        // The one that is waited for stands behind the one that waits.
        let (give, given) = channel::oneshot::channel::<Offloaded<u32>>();
        let waits = share.submit(move || {
            let mut behind = given.recv_blocking().unwrap();
            // Nobody but this thread is left to run it, which has no time for it.
            assert!(behind.result_timeout(Duration::ZERO).is_err());
            behind.result()
        });
        assert!(give.send(share.submit(|| 7)).is_ok());
        let no_wait = Shutdown {
            wait: false,
            ..Shutdown::default()
        };
        pool.shutdown(no_wait);
        release.send(()).unwrap();
        assert!(first.result().unwrap());
        assert_eq!(waits.result().unwrap().unwrap(), 7);
        assert!(pool.shutdown(Shutdown::default()).is_complete());
    });
}

#[test]
fn trap_062_the_shares_of_a_pool_end_with_it() {
    with_watchdog(HANG, || {
        for cancel_pending in [false, true] {
            let pool = pool(2);
            let share = pool.limited(1);
            let (release, first) = occupy(&share);
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
            first.result().unwrap();
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
        let pool = pool(4);
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
        let pool = pool(1);
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
        let pool = pool(1);
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

/// Keeps one thread of the share in a job until the sender is used or dropped.
fn occupy(share: &LimitedExecutor) -> (channel::oneshot::Sender<()>, Offloaded<()>) {
    let (release, released) = channel::oneshot::channel::<()>();
    let (begun, begins) = channel::oneshot::channel();
    let busy = share.submit(move || {
        let _ = begun.send(());
        let _ = released.recv_blocking();
    });
    begins.recv_blocking().unwrap();
    (release, busy)
}

#[test]
fn a_share_has_as_much_room_as_its_executor() {
    with_watchdog(HANG, || {
        let pool = ThreadPoolExecutor::builder()
            .max_workers(1)
            .queue_limit(2)
            .build()
            .unwrap();
        let share = pool.limited(1);
        let (release, busy) = occupy(&share);
        let queued: Vec<_> = (0..2).map(|n| share.try_submit(move || n)).collect();
        let refused = share.try_submit(|| 2).unwrap_err();
        assert!(refused.is_full(), "{refused}");
        let boxed: polyloop::Job = Box::new(|| ());
        assert!(polyloop::Offload::offload(&share, boxed).is_err());
        // Whoever awaits waits for room; who cannot wait is let in past the limit.
        let late = thread::spawn({
            let share = share.clone();
            move || {
                let waits = (2..100).map(|n| share.submit(move || n));
                let values = waits.map(|job| polyloop::run(job).unwrap().unwrap());
                values.collect::<Vec<_>>()
            }
        });
        share.submit(refused.into_inner()).detach();
        assert_eq!(share.waiting(), 3);
        let no_wait = Shutdown {
            timeout: Some(Duration::ZERO),
            ..Shutdown::default()
        };
        let gives_up = share.submit(|| 4);
        drop(gives_up);
        assert_eq!(share.waiting(), 3, "it never got in");
        release.send(()).unwrap();
        for (n, job) in (0..).zip(queued) {
            assert_eq!(job.unwrap().result().unwrap(), n);
        }
        assert_eq!(late.join().unwrap(), (2..100).collect::<Vec<_>>());
        busy.result().unwrap();
        let (release, busy) = occupy(&share);
        let queued = share.submit(|| 5);
        let mut waits = share.submit(|| 6);
        let third = share.submit(|| 7);
        assert!(waits.result_timeout(Duration::ZERO).is_err());
        let report = pool.shutdown(no_wait);
        assert_eq!(
            report.queued, 2,
            "those in the share's line count: {report}"
        );
        assert!(third.result().unwrap_err().is_shut_down());
        release.send(()).unwrap();
        busy.result().unwrap();
        assert_eq!((queued.result().unwrap(), waits.result().unwrap()), (5, 6));
        let refused = share.try_submit(|| 8).unwrap_err();
        assert!(refused.is_shut_down());
        assert!(pool.shutdown(Shutdown::default()).is_complete());
    });
}
