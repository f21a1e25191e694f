//! The bridge under stress: what is sent is answered exactly once, whatever
//! becomes of the loop, the executor or the thread that it was sent to.
#![forbid(unsafe_code)]

use polyloop::{EventLoop, LoopHandle, current_loop, sleep, yield_now};
use polyloop_bridge::{
    LoopGroup, SubmissionError, ThreadPoolExecutor, run_coroutine_threadsafe, run_in_executor,
    to_thread, try_run_coroutine_threadsafe,
};
use polyloop_tests::{XorShift, with_watchdog};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::{self, ThreadId};
use std::time::Duration;

const HANG: Duration = Duration::from_secs(480);

/// What a loop does between the submission and its answer.
#[derive(Debug, Clone, Copy)]
enum Then {
    Run,
    StopAndRun,
    StopAndClose,
    Close,
    Drop,
}

#[test]
fn trap_058_a_submission_is_answered_in_every_state_of_its_loop() {
    with_watchdog(HANG, || {
        for has_run in [false, true] {
            for then in [
                Then::Run,
                Then::StopAndRun,
                Then::StopAndClose,
                Then::Close,
                Then::Drop,
            ] {
                for awaited in [false, true] {
                    answered_in(has_run, then, awaited);
                }
            }
        }
    });
}

fn answered_in(has_run: bool, then: Then, awaited: bool) {
    let mut looped = EventLoop::new().unwrap();
    if has_run {
        looped.run_until_complete(yield_now()).unwrap();
    }
    let target = looped.handle();
    let waiter = thread::spawn(move || {
        let submission = run_coroutine_threadsafe(&target, || async { 7 });
        if awaited {
            polyloop::run(submission).unwrap()
        } else {
            submission.result()
        }
    });
    // The submission may come before or after; either way it is answered.
    let runs = match then {
        Then::Run | Then::StopAndRun => {
            if matches!(then, Then::StopAndRun) {
                looped.handle().stop();
                looped.run_forever().unwrap();
            }
            while !waiter.is_finished() {
                let pause = async { sleep(Duration::from_millis(1)).await };
                looped.run_until_complete(pause).unwrap();
            }
            true
        }
        Then::StopAndClose => {
            looped.handle().stop();
            looped.run_forever().unwrap();
            looped.close(Duration::ZERO);
            false
        }
        Then::Close => {
            looped.close(Duration::from_millis(1));
            false
        }
        Then::Drop => {
            drop(looped);
            false
        }
    };
    match waiter.join().unwrap() {
        Ok(value) => assert_eq!(value, 7),
        Err(SubmissionError::LoopClosed | SubmissionError::Cancelled) if !runs => {}
        Err(error) => panic!("{then:?} gave {error:?}"),
    }
}

#[test]
fn trap_058_a_closed_loop_gives_the_closure_back() {
    with_watchdog(HANG, || {
        let looped = EventLoop::new().unwrap();
        let target = looped.handle();
        looped.close(Duration::ZERO);
        let refused = try_run_coroutine_threadsafe(&target, || async { 5 });
        let make = refused.map(|_| ()).unwrap_err().into_inner();
        assert_eq!(polyloop::run(make()).unwrap(), 5);
        let refused = run_coroutine_threadsafe(&target, || async { 5 }).result();
        assert!(refused.unwrap_err().is_loop_closed());
    });
}

#[test]
fn trap_059_blocking_on_the_own_loop_is_an_error_and_awaiting_in_a_ring_is_not() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let own = current_loop();
            let mut submission = run_coroutine_threadsafe(&own, || async { 1 });
            let error = submission.result_timeout(Duration::from_secs(3600));
            assert!(error.unwrap_err().is_would_deadlock());
            assert_eq!(submission.await.unwrap(), 1, "asking did no harm");
        })
        .unwrap();
        let group = LoopGroup::builder().loops(2).build().unwrap();
        let (a, b) = (group.handle(0).clone(), group.handle(1).clone());
        let home = a.clone();
        let ring = run_coroutine_threadsafe(&a, move || async move {
            let there = run_coroutine_threadsafe(&b, move || async move {
                run_coroutine_threadsafe(&home, || async { 3 }).await
            });
            there.await.unwrap().unwrap()
        });
        assert_eq!(ring.result().unwrap(), 3);
        group.shutdown(Duration::from_secs(5));
    });
}

/// Must be dropped on the thread that made it.
struct ThreadBomb {
    home: ThreadId,
    dropped: Arc<AtomicUsize>,
}

impl Drop for ThreadBomb {
    fn drop(&mut self) {
        if thread::current().id() != self.home {
            eprintln!("a future was dropped on a thread that is not its own");
            std::process::abort();
        }
        self.dropped.fetch_add(1, SeqCst);
    }
}

#[test]
fn trap_033_061_a_cancel_from_elsewhere_drops_the_future_at_home() {
    with_watchdog(HANG, || {
        let dropped = Arc::new(AtomicUsize::new(0));
        let group = LoopGroup::builder().loops(2).build().unwrap();
        for round in 0..200 {
            let count = dropped.clone();
            let submission = run_coroutine_threadsafe(group.handle(round % 2), move || {
                let bomb = ThreadBomb {
                    home: thread::current().id(),
                    dropped: count,
                };
                async move {
                    let _bomb = bomb;
                    sleep(Duration::from_secs(3600)).await;
                }
            });
            if round % 3 == 0 {
                thread::yield_now();
            }
            submission.cancel();
            assert!(submission.result().unwrap_err().is_cancelled());
        }
        group.shutdown(Duration::from_secs(5));
        // What was cancelled before it began never made its future.
        assert!(dropped.load(SeqCst) <= 200);
    });
}

#[test]
fn trap_050_a_panicking_job_answers_and_its_worker_works_on() {
    with_watchdog(HANG, || {
        let pool = ThreadPoolExecutor::builder()
            .max_workers(2)
            .build()
            .unwrap();
        polyloop::run(async {
            for _ in 0..100 {
                // Without the hook's message; the payload is the point.
                let job = || -> u32 { std::panic::resume_unwind(Box::new("planted")) };
                let error = run_in_executor(Some(&pool), job).await.unwrap_err();
                let payload = error.into_panic().unwrap();
                assert_eq!(*payload.downcast::<&str>().unwrap(), "planted");
            }
            let healthy = (0..1_000_u64).map(|n| run_in_executor(Some(&pool), move || n));
            let jobs: Vec<_> = healthy.collect();
            let mut sum = 0;
            for job in jobs {
                sum += job.await.unwrap();
            }
            assert_eq!(sum, 499_500);
        })
        .unwrap();
    });
}

#[test]
fn trap_065_workers_that_end_for_want_of_work_lose_no_job() {
    with_watchdog(HANG, || {
        let pool = ThreadPoolExecutor::builder()
            .max_workers(3)
            .keep_alive(Duration::from_millis(1))
            .build()
            .unwrap();
        let mut random = XorShift::new(65);
        for round in 0..2_000_u64 {
            let job = pool.submit(move || round);
            if random.below(2) == 0 {
                thread::sleep(Duration::from_micros(random.below(1_500)));
            }
            assert_eq!(job.result().unwrap(), round);
        }
    });
}

#[test]
fn trap_068_all_loops_stop_while_all_send_to_all() {
    with_watchdog(HANG, || {
        for _ in 0..10 {
            let group = LoopGroup::builder().loops(4).build().unwrap();
            let handles: Vec<LoopHandle> = (0..4).map(|i| group.handle(i).clone()).collect();
            let answered = Arc::new(AtomicUsize::new(0));
            let chatter = |own: usize| {
                let (others, answered) = (handles.clone(), answered.clone());
                let talk = move || async move {
                    let mut random = XorShift::new(own as u64);
                    loop {
                        let other = &others[random.below(4) as usize];
                        match run_coroutine_threadsafe(other, || async { 1 }).await {
                            Ok(one) => answered.fetch_add(one, SeqCst),
                            Err(_) => return,
                        };
                    }
                };
                run_coroutine_threadsafe(&handles[own], talk)
            };
            let talks: Vec<_> = (0..4).map(chatter).collect();
            while answered.load(SeqCst) < 500 {
                thread::yield_now();
            }
            group.shutdown(Duration::from_secs(5));
            // Each of them ended: by an answer that its peer is closed, or
            // with its own loop.
            for talk in talks {
                if let Err(error) = talk.result() {
                    assert!(error.is_cancelled() || error.is_loop_closed(), "{error:?}");
                }
            }
        }
    });
}

#[test]
fn a_late_job_does_not_touch_a_closed_loop() {
    with_watchdog(HANG, || {
        for _ in 0..50 {
            let started = Arc::new(AtomicBool::new(false));
            let (begun, release) = (started.clone(), Arc::new(AtomicBool::new(false)));
            let released = release.clone();
            let looped = EventLoop::new();
            let mut looped = looped.unwrap();
            let main = async {
                drop(polyloop::create_task(async move {
                    let job = to_thread(move || {
                        begun.store(true, SeqCst);
                        while !released.load(SeqCst) {
                            thread::yield_now();
                        }
                    });
                    drop(job.await);
                }));
                while !started.load(SeqCst) {
                    yield_now().await;
                }
            };
            looped.run_until_complete(main).unwrap();
            looped.close(Duration::ZERO);
            release.store(true, SeqCst);
        }
    });
}
