//! Bugs that others shipped, in submission: each test has
//! the number of its class of bugs in its name.
#![forbid(unsafe_code)]

use polyloop::{EventLoop, sleep};
use polyloop_bridge::submit::Class;
use polyloop_bridge::{
    LoopGroup, SubmissionError, Submitter, ThreadPoolExecutor, blocking, call_soon_threadsafe,
    channel, run_coroutine_threadsafe, wait_blocking,
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

#[test]
fn trap_058_who_waits_for_room_of_a_loop_that_nobody_runs_gets_an_answer() {
    with_watchdog(HANG, || {
        for has_run in [false, true] {
            let mut looped = EventLoop::new().unwrap();
            if has_run {
                looped.run_until_complete(async {}).unwrap();
            }
            let submitter = Submitter::bounded(&looped.handle(), 1);
            let first = submitter.submission().try_start(|| async { 1 }).unwrap();
            let waiter =
                thread::spawn(move || submitter.submission().start_blocking(|| async { 2 }));
            let error = waiter.join().unwrap().unwrap_err();
            assert!(error.is_not_running(), "{error:?}");
            let closure = error.into_inner();
            assert_eq!(looped.run_until_complete(closure()).unwrap(), 2);
            assert!(first.is_done());
        }
    });
}

#[test]
fn a_deadline_also_ends_the_wait_for_room() {
    with_watchdog(HANG, || {
        let looped = EventLoop::new().unwrap();
        let submitter = Submitter::bounded(&looped.handle(), 1);
        let first = submitter.submission().try_start(|| async { 1 }).unwrap();
        let soon = Duration::from_millis(5);
        let by_threads = {
            let submitter = submitter.clone();
            let expiring = move || submitter.submission().expires_after(soon);
            thread::spawn(move || {
                let error = expiring().start_blocking(|| async { 2 }).unwrap_err();
                assert!(error.is_expired(), "{error:?}");
                let error = expiring()
                    .start_blocking_timeout(|| async { 3 }, HANG)
                    .unwrap_err();
                assert!(error.is_expired(), "{error:?}");
                let patient = expiring().expires_after(HANG);
                let error = patient
                    .start_blocking_timeout(|| async { 4 }, soon)
                    .unwrap_err();
                assert!(error.is_timed_out(), "{error:?}");
                // On another loop it is a timer that tells.
                let sent = polyloop::run(expiring().start(|| async { 5 })).unwrap();
                let error = sent.unwrap_err();
                assert!(error.is_expired(), "{error:?}");
                polyloop::run(error.into_inner()()).unwrap()
            })
        };
        assert_eq!(by_threads.join().unwrap(), 5, "the closure came back");
        let figures = submitter.statistics(Class::DATA).unwrap();
        assert_eq!((figures.queued, figures.waiting), (1, 0));
        drop(looped);
        assert!(first.result().unwrap_err().is_loop_closed());
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
        let before = polyloop_tests::resident_bytes();
        let over = Arc::new(AtomicUsize::new(0));
        let senders: Vec<_> = (0..4)
            .map(|_| {
                let (submitter, over) = (submitter.clone(), over.clone());
                thread::spawn(move || flood(&submitter, &over))
            })
            .collect();
        thread::sleep(Duration::from_millis(500));
        let grown = before
            .zip(polyloop_tests::resident_bytes())
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
