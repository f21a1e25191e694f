//! Bugs that others shipped, in submission and in the executor: each test has
//! the number of its class of bugs in its name.
#![forbid(unsafe_code)]

use polyloop::{EventLoop, LoopHandle, sleep};
use polyloop_bridge::{
    LimitedExecutor, LoopGroup, Shutdown, SubmissionError, Submitter, ThreadPoolExecutor, blocking,
    call_soon_threadsafe, channel, run_coroutine_threadsafe, run_in_executor, wait_blocking,
};
use polyloop_tests::with_watchdog;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(300);

#[test]
fn trap_058_who_blocks_on_a_loop_that_nobody_runs_gets_an_answer() {
    with_watchdog(HANG, || {
        for has_run in [false, true] {
            let mut looped = EventLoop::new().unwrap();
            if has_run {
                looped.run_until_complete(async {}).unwrap();
            }
            let target = looped.handle();
            let waiter = thread::spawn(move || {
                let first = run_coroutine_threadsafe(&target, || async { 1 });
                let several = [run_coroutine_threadsafe(&target, || async { 2 })];
                let error = first.result().unwrap_err();
                assert!(error.is_not_running(), "{error:?}");
                let all = polyloop::ReturnWhen::AllCompleted;
                let (done, left) = wait_blocking(several, all, None);
                assert!(done.is_empty());
                left.into_iter().next().unwrap()
            });
            let mut still_there = waiter.join().unwrap();
            // It was accepted for the next run.
            let seen = Arc::new(AtomicUsize::new(0));
            let count = seen.clone();
            still_there.add_done_callback(move || {
                count.fetch_add(1, SeqCst);
            });
            looped
                .run_until_complete(async { sleep(Duration::from_millis(1)).await })
                .unwrap();
            assert_eq!(seen.load(SeqCst), 1);
            assert_eq!(still_there.result_timeout(Duration::ZERO).unwrap(), 2);
        }
    });
}

#[test]
fn trap_058_a_wait_with_a_limit_lasts_until_somebody_runs_the_loop() {
    with_watchdog(HANG, || {
        let mut looped = EventLoop::new().unwrap();
        looped.run_until_complete(async {}).unwrap();
        let target = looped.handle();
        let waiter = thread::spawn(move || {
            let mut sent = run_coroutine_threadsafe(&target, || async { 3 });
            let answer = sent.result_timeout(HANG);
            target.stop();
            answer.unwrap()
        });
        thread::sleep(Duration::from_millis(20));
        looped.run_forever().unwrap();
        assert_eq!(waiter.join().unwrap(), 3);
    });
}

/// Two loops whose threads have met, each in a coroutine of its own.
fn ring(group: &LoopGroup, size: usize) -> Vec<Result<u8, SubmissionError>> {
    let met = Arc::new(Barrier::new(size));
    let talks: Vec<_> = (0..size)
        .map(|own| {
            let (met, next) = (met.clone(), group.handle((own + 1) % size).clone());
            run_coroutine_threadsafe(group.handle(own), move || async move {
                met.wait();
                // All block now, each on the next one: the ring closes.
                run_coroutine_threadsafe(&next, || async { 7 }).result()
            })
        })
        .collect();
    talks
        .into_iter()
        .map(|talk| talk.result().unwrap())
        .collect()
}

#[test]
fn trap_059_loops_that_block_on_each_other_are_told_so() {
    with_watchdog(HANG, || {
        for size in [2, 3, 5] {
            let group = LoopGroup::builder().loops(size).build().unwrap();
            for _ in 0..50 {
                let answers = ring(&group, size);
                let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
                let refused = refused
                    .inspect(|error| assert!(error.is_would_deadlock()))
                    .count();
                // The others are answered as soon as that one lets go.
                assert_eq!(refused, 1, "{answers:?}");
            }
            group.shutdown(Duration::from_secs(5));
        }
    });
}

#[test]
fn trap_059_a_chain_that_is_no_ring_is_left_alone() {
    with_watchdog(HANG, || {
        let group = LoopGroup::builder().loops(3).build().unwrap();
        let (b, c) = (group.handle(1).clone(), group.handle(2).clone());
        let chain = run_coroutine_threadsafe(group.handle(0), move || async move {
            let on_b = run_coroutine_threadsafe(&b, move || async move {
                run_coroutine_threadsafe(&c, || async { 1 })
                    .result()
                    .unwrap()
                    + 1
            });
            on_b.result().unwrap() + 1
        });
        assert_eq!(chain.result().unwrap(), 3);
        group.shutdown(Duration::from_secs(5));
    });
}

#[test]
fn trap_059_a_ring_through_a_job_or_a_callback_is_found() {
    with_watchdog(HANG, || {
        let group = LoopGroup::builder().loops(2).build().unwrap();
        let pool = ThreadPoolExecutor::builder()
            .max_workers(2)
            .build()
            .unwrap();
        // A loop's thread blocks on a job that blocks on the loop.
        let home = group.handle(0).clone();
        let talk = run_coroutine_threadsafe(group.handle(0), move || async move {
            let back = home.clone();
            let job = pool.submit(move || blocking::run_on_loop(&back, || async { 1 }));
            job.result().map(|inner| inner.is_err())
        });
        match talk.result().unwrap() {
            Ok(inner_was_told) => assert!(inner_was_told),
            Err(error) => assert!(error.is_would_deadlock(), "{error:?}"),
        }
        // A cancel waits for a callback that blocks on the one who cancels.
        let (begun, begins) = channel::oneshot::channel();
        let other = group.handle(1).clone();
        let call = call_soon_threadsafe(group.handle(0), move || {
            let _ = begun.send(());
            let _ = run_coroutine_threadsafe(&other, || async {}).result();
        });
        let call = call.unwrap();
        let cancels = run_coroutine_threadsafe(group.handle(1), move || async move {
            begins.recv_blocking().unwrap();
            call.cancel()
        });
        assert!(!cancels.result().unwrap(), "it runs, or has ended");
        group.shutdown(Duration::from_secs(5));
    });
}

#[test]
fn trap_070_what_was_sent_before_the_stop_begins() {
    with_watchdog(HANG, || {
        for _ in 0..200 {
            let mut looped = EventLoop::new().unwrap();
            let target = looped.handle();
            let sender = thread::spawn(move || {
                let sent: Vec<_> = (0..20)
                    .map(|n| run_coroutine_threadsafe(&target, move || async move { n }))
                    .collect();
                target.stop();
                sent
            });
            looped.run_forever().unwrap();
            let sent = sender.join().unwrap();
            assert!(sent.iter().all(polyloop_bridge::Submission::is_done));
            looped.close(Duration::ZERO);
        }
    });
}

/// The process's resident memory, in bytes; `None` where the system does not say.
fn resident() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = pages.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// Sends through a bound until told to stop; answers how many were sent and how
/// many of these gave their value.
fn flood(submitter: &Submitter, over: &AtomicUsize) -> (usize, usize) {
    let mut sent = Vec::new();
    while over.load(SeqCst) == 0 {
        let limit = Duration::from_millis(20);
        let work = || async { [1_u8; 512].iter().map(|n| usize::from(*n)).sum::<usize>() };
        // No room: the sender is held back.
        if let Ok(one) = submitter.submission().start_blocking_timeout(work, limit) {
            sent.push(one);
        }
    }
    let count = sent.len();
    let values = sent.into_iter().filter_map(|one| one.result().ok());
    (count, values.filter(|sum| *sum == 512).count())
}

#[test]
fn trap_094_a_stuck_loop_with_a_bound_holds_its_senders_back() {
    with_watchdog(HANG, || {
        let group = LoopGroup::builder().loops(1).build().unwrap();
        let submitter = Submitter::bounded(group.handle(0), 1_000);
        let (thaw, frozen) = channel::oneshot::channel::<()>();
        let (begun, begins) = channel::oneshot::channel();
        drop(run_coroutine_threadsafe(group.handle(0), || async move {
            let _ = begun.send(());
            let _ = frozen.recv_blocking();
        }));
        begins.recv_blocking().unwrap();
        let before = resident();
        let over = Arc::new(AtomicUsize::new(0));
        let senders: Vec<_> = (0..4)
            .map(|_| {
                let (submitter, over) = (submitter.clone(), over.clone());
                thread::spawn(move || flood(&submitter, &over))
            })
            .collect();
        thread::sleep(Duration::from_millis(500));
        let grown = before
            .zip(resident())
            .map(|(before, now)| now.saturating_sub(before));
        assert!(
            grown.is_none_or(|bytes| bytes < 64 << 20),
            "{grown:?} bytes"
        );
        over.store(1, SeqCst);
        thaw.send(()).unwrap();
        let mut total = 0;
        for sender in senders {
            let (sent, values) = sender.join().unwrap();
            assert_eq!(sent, values, "everything is answered after the thaw");
            total += sent;
        }
        assert!(total >= 1_000, "the room was used: {total}");
        group.shutdown(Duration::from_secs(5));
    });
}

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
