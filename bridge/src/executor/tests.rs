use super::*;
use crate::channel::oneshot;
use crate::test_tools::{Dice, PanickingWaker, Wakes, poll_with, wait};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Waker;
use std::thread;
use std::time::Duration;

/// Long enough for any machine; a test that waits for it has failed.
pub(super) const WATCHDOG: Duration = Duration::from_secs(60);

pub(super) fn pool(workers: usize) -> ThreadPoolExecutor {
    ThreadPoolExecutor::builder()
        .max_workers(workers)
        .build()
        .expect("no thread is started yet")
}

/// Keeps one worker in a job until the sender is used or dropped.
pub(super) fn occupy(pool: &ThreadPoolExecutor) -> (oneshot::Sender<()>, Offloaded<()>) {
    let (release, released) = oneshot::channel();
    let (begun, begins) = oneshot::channel();
    let job = pool.submit(move || {
        let _ = begun.send(());
        let _ = released.recv_blocking();
    });
    assert_eq!(begins.recv_blocking(), Ok(()));
    (release, job)
}

#[test]
fn a_value_is_awaited_and_blocked_for() {
    let pool = pool(2);
    assert_eq!(wait(pool.submit(|| 1)).expect("a value"), 1);
    assert_eq!(pool.submit(|| 2).result().expect("a value"), 2);
    let mut job = pool.submit(|| 3);
    assert_eq!(job.result_timeout(WATCHDOG).expect("a value"), 3);
    assert!(job.is_done());
    assert!(!job.cancel(), "it has ended");
    assert_eq!(
        wait(run_in_executor(Some(&pool), || 4)).expect("a value"),
        4
    );
    assert_eq!(wait(to_thread(|| 5)).expect("a value"), 5);
}

#[test]
fn a_loops_own_place_for_blocking_work_is_used() {
    /// A thread for each job, or none.
    struct Elsewhere(bool);
    impl polyloop::Offload for Elsewhere {
        fn offload(&self, job: polyloop::Job) -> Result<(), polyloop::Job> {
            if self.0 {
                drop(thread::spawn(job))
            } else {
                return Err(job);
            }
            Ok(())
        }
    }
    let on_loop = |offload: Arc<dyn polyloop::Offload>| {
        let looped = polyloop::EventLoop::builder().offload(offload).build();
        let name = || thread::current().name().map(str::to_owned);
        looped
            .expect("a loop")
            .run_until_complete(async move { to_thread(name).await })
            .expect("not nested")
    };
    let ours = ThreadPoolExecutor::builder().name("ours").build();
    let ours = on_loop(Arc::new(ours.expect("no thread is started yet")));
    assert_eq!(ours.expect("a value").as_deref(), Some("ours-0"));
    assert_eq!(on_loop(Arc::new(Elsewhere(true))).expect("a value"), None);
    let refused = on_loop(Arc::new(Elsewhere(false)));
    let refused = refused.expect_err("it was given back");
    assert!(refused.is_full() && !refused.is_shut_down(), "{refused}");
    let dropped = on_loop(Arc::new(offload_fn(|job| {
        drop(job);
        Ok(())
    })));
    assert!(dropped.expect_err("dropped unrun").is_shut_down());
}

#[test]
fn the_runtimes_door_gives_back_what_it_does_not_take() {
    use polyloop::Offload;
    let pool = pool(1);
    let (sender, receiver) = oneshot::channel();
    let taken = pool.offload(Box::new(move || sender.send(1).expect("it waits")));
    assert!(taken.is_ok());
    assert_eq!(receiver.recv_blocking(), Ok(1));
    pool.shutdown(Shutdown::default());
    assert!(pool.offload(Box::new(|| ())).is_err());
}

#[test]
fn a_time_out_does_not_cancel() {
    let pool = pool(1);
    let (release, mut job) = occupy(&pool);
    let late = job.result_timeout(Duration::from_millis(2));
    assert!(late.expect_err("it runs still").is_timed_out());
    drop(release);
    job.result_timeout(WATCHDOG).expect("it was not cancelled");
}

#[test]
fn trap_050_a_panic_is_delivered_and_the_worker_goes_on() {
    let pool = pool(1);
    for _ in 0..50 {
        let error = pool
            .submit(|| panic!("boom"))
            .result()
            .expect_err("a panic");
        assert!(error.is_panic());
        assert_eq!(error.panic_message(), Some("boom"));
        let payload = error.into_panic().expect("a payload");
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"boom"));
    }
    for n in 0..1_000 {
        assert_eq!(pool.submit(move || n).result().expect("a value"), n);
    }
    let metrics = pool.metrics();
    assert_eq!((metrics.workers, metrics.panicked), (1, 50));
}

#[test]
fn a_job_that_has_not_begun_is_cancelled() {
    let pool = pool(1);
    let (release, busy) = occupy(&pool);
    let ran = Arc::new(AtomicUsize::new(0));
    let job = || {
        let ran = ran.clone();
        move || ran.fetch_add(1, SeqCst)
    };
    let cancelled = pool.submit(job());
    assert!(cancelled.cancel());
    assert!(!cancelled.cancel(), "it was cancelled before");
    assert!(cancelled.result().expect_err("cancelled").is_cancelled());
    drop(pool.submit(job()));
    // Both closures are gone already; the queue holds empty shells.
    assert_eq!(Arc::strong_count(&ran), 1);
    pool.submit(job()).detach();
    assert!(!busy.cancel(), "it has begun");
    drop(release);
    busy.result().expect("running jobs are not stopped");
    assert!(pool.shutdown(Shutdown::default()).is_complete());
    assert_eq!(ran.load(SeqCst), 1);
    assert_eq!(pool.metrics().cancelled, 2);
}

#[test]
fn a_full_queue_gives_the_closure_back_or_lets_wait() {
    let pool = ThreadPoolExecutor::builder()
        .max_workers(1)
        .queue_limit(1)
        .build()
        .expect("no thread is started yet");
    let (release, busy) = occupy(&pool);
    let queued = pool.submit(|| 1);
    let refused = pool.try_submit(|| 2).expect_err("it is full");
    assert!(refused.is_full());
    let (wakes, waker) = Wakes::new();
    let mut waits = pool.submit(refused.into_inner());
    assert!(poll_with(&mut waits, &waker).is_pending());
    let mut gives_up = pool.submit(|| 3);
    assert!(poll_with(&mut gives_up, &waker).is_pending());
    let detached = pool.submit(|| 4);
    detached.detach();
    drop(gives_up);
    assert_eq!(pool.metrics().queued, 2);
    assert_eq!(wakes.count(), 0);
    drop(release);
    busy.result().expect("a value");
    assert_eq!(queued.result().expect("a value"), 1);
    assert_eq!(wait(waits).expect("a value"), 2);
    assert_eq!(
        pool.try_submit(|| 5)
            .expect("room")
            .result()
            .expect("a value"),
        5
    );
    assert!(pool.shutdown(Shutdown::default()).is_complete());
    assert_eq!(pool.metrics().completed, 5);
}

#[test]
fn trap_051_a_waker_that_panics_costs_no_job_no_worker_and_no_shutdown() {
    let pool = ThreadPoolExecutor::builder()
        .max_workers(1)
        .queue_limit(1)
        .build()
        .expect("no thread is started yet");
    let bad: Waker = Arc::new(PanickingWaker).into();
    // The worker that makes room wakes it.
    let (release, busy) = occupy(&pool);
    let queued = pool.submit(|| 1);
    let mut waits = pool.submit(|| 2);
    assert!(poll_with(&mut waits, &bad).is_pending());
    drop(release);
    busy.result().expect("a value");
    assert_eq!(queued.result().expect("the worker took it"), 1);
    assert_eq!(wait(waits).expect("the worker lives"), 2);
    // The shutdown wakes it.
    let (release, busy) = occupy(&pool);
    let queued = pool.submit(|| 3);
    let mut waits = pool.submit(|| 4);
    assert!(poll_with(&mut waits, &bad).is_pending());
    let report = pool.shutdown(Shutdown {
        wait: false,
        ..Shutdown::default()
    });
    assert_eq!(report.queued, 1);
    drop(release);
    busy.result().expect("a value");
    assert_eq!(queued.result().expect("it was queued"), 3);
    assert!(wait(waits).expect_err("it is too late").is_shut_down());
}

#[test]
fn a_queue_of_one_serves_many_threads() {
    let pool = ThreadPoolExecutor::builder()
        .max_workers(2)
        .queue_limit(1)
        .build()
        .expect("no thread is started yet");
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let pool = pool.clone();
            thread::spawn(move || {
                let jobs = (0..500).map(|n| pool.submit(move || n).result());
                jobs.map(|n| n.expect("a value")).sum::<usize>()
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().expect("no panic"), 499 * 500 / 2);
    }
}

#[test]
fn jobs_may_wait_for_each_other_up_to_the_last_worker() {
    let pool = pool(8);
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..8).map(|_| oneshot::channel()).unzip();
    // Each job but the last waits for the one submitted after it.
    let mut next = None;
    let jobs: Vec<_> = senders
        .into_iter()
        .zip(receivers)
        .map(|(done, this)| {
            let wait_for = next.replace(this);
            (done, wait_for)
        })
        .collect();
    let running: Vec<_> = jobs
        .into_iter()
        .rev()
        .map(|(done, wait_for)| {
            pool.submit(move || {
                if let Some(wait_for) = wait_for {
                    wait_for.recv_blocking().expect("the other job sends");
                }
                let _ = done.send(());
            })
        })
        .collect();
    for mut job in running {
        job.result_timeout(WATCHDOG).expect("nobody is left out");
    }
}

#[test]
fn idle_threads_are_used_again() {
    let pool = pool(8);
    for _ in 0..100 {
        pool.submit(|| ()).result().expect("a value");
        while pool.metrics().idle < pool.metrics().workers {
            thread::yield_now();
        }
    }
    assert_eq!(pool.metrics().workers, 1);
}

#[test]
fn a_core_that_the_system_does_not_know_leaves_its_thread_unpinned() {
    for unknown in [1_000, 1_024, 5_000, usize::MAX] {
        let pool = ThreadPoolExecutor::builder().cpus([unknown]).build();
        let pool = pool.expect("no thread is started yet");
        assert_eq!(pool.submit(|| 1).result().expect("a value"), 1);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_a_pinned_thread_started_may_run_anywhere() {
    use rustix::process::getpid;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let all = sched_getaffinity(Some(getpid())).expect("the first thread lives");
    let first = (0..CpuSet::MAX_CPU).find(|core| all.is_set(*core));
    thread::spawn(move || {
        let mut one = CpuSet::new();
        one.set(first.expect("it runs somewhere"));
        sched_setaffinity(None, &one).expect("it is one of its own");
        let pool = pool(1);
        let cores = pool.submit(|| sched_getaffinity(None)).result();
        assert_eq!(cores.expect("a value"), Ok(all));
    })
    .join()
    .expect("no panic");
}

#[test]
fn the_minimum_is_started_at_once_and_stays() {
    let started = Arc::new(AtomicUsize::new(0));
    let counter = started.clone();
    let pool = ThreadPoolExecutor::builder()
        .min_workers(2)
        .max_workers(4)
        .keep_alive(Duration::from_millis(1))
        .on_start(move || {
            counter.fetch_add(1, SeqCst);
            panic!("not the worker's end");
        })
        .build()
        .expect("two threads");
    assert_eq!(pool.metrics().workers, 2);
    while pool.metrics().idle < 2 {
        thread::yield_now();
    }
    thread::sleep(Duration::from_millis(20));
    assert_eq!(pool.metrics().workers, 2);
    assert_eq!(pool.submit(|| 1).result().expect("a value"), 1);
    assert!(started.load(SeqCst) >= 2);
}

#[test]
fn trap_051_wakers_and_drops_that_panic_leave_the_worker_alive() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a drop that panics");
        }
    }
    let pool = pool(1);
    let (release, mut busy) = occupy(&pool);
    assert!(poll_with(&mut busy, &Arc::new(PanickingWaker).into()).is_pending());
    drop(release);
    busy.result().expect("the answer was given before the wake");
    // Detached before it begins, so that the value ends on the worker.
    let (release, busy) = occupy(&pool);
    pool.submit(|| Bomb).detach();
    drop(release);
    busy.result().expect("a value");
    assert_eq!(pool.submit(|| 1).result().expect("a value"), 1);
    assert_eq!(pool.metrics().workers, 1);
}

#[test]
fn trap_065_no_job_is_lost_while_workers_come_and_go() {
    let pool = ThreadPoolExecutor::builder()
        .max_workers(3)
        .keep_alive(Duration::from_millis(1))
        .build()
        .expect("no thread is started yet");
    let threads: Vec<_> = (1..=3)
        .map(|seed| {
            let pool = pool.clone();
            thread::spawn(move || {
                let mut dice = Dice::new(seed);
                for n in 0..400 {
                    let mut jobs: Vec<_> =
                        (0..dice.roll(5)).map(|_| pool.submit(move || n)).collect();
                    for job in &mut jobs {
                        assert_eq!(job.result_timeout(WATCHDOG).expect("a value"), n);
                    }
                    match dice.roll(4) {
                        0 => thread::sleep(Duration::from_micros(dice.roll(2_500))),
                        1 => thread::yield_now(),
                        _ => {}
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("every job was answered");
    }
    assert!(pool.shutdown(Shutdown::default()).is_complete());
}
