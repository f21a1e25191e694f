//! What the bridge does with values, panics and callbacks that misbehave.
#![forbid(unsafe_code)]

use polyloop_bridge::{
    LoopGroup, Submission, ThreadPoolExecutor, call_soon_threadsafe, run_coroutine_threadsafe,
};
use polyloop_tests::with_watchdog;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(240);

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a planted bomb");
    }
}

fn wait_until(done: impl Fn() -> bool) {
    while !done() {
        thread::yield_now();
    }
}

/// A value that is there already is dropped with its handle, in this thread,
/// and may panic here as any other value may.
fn drop_here<T>(handle: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(handle))) {
        assert_eq!(*payload.downcast::<&str>().unwrap(), "a planted bomb");
    }
}

/// The loop still answers.
fn serves(group: &LoopGroup) {
    let answer = run_coroutine_threadsafe(group.handle(0), || async { 1 });
    assert_eq!(answer.result().unwrap(), 1);
}

#[test]
fn trap_053_a_value_that_nobody_takes_may_panic_in_its_drop() {
    with_watchdog(HANG, || {
        let group = LoopGroup::builder().loops(1).build().unwrap();
        for _ in 0..20 {
            // Dropped by the loop, as a rule, since the submission is gone.
            let submission = run_coroutine_threadsafe(group.handle(0), || async { Bomb });
            drop_here(submission);
            serves(&group);
            let submission = run_coroutine_threadsafe(group.handle(0), || async { Bomb });
            wait_until(|| submission.is_done());
            drop_here(submission);
            serves(&group);
        }
        assert!(group.shutdown(Duration::from_secs(30)).is_complete());
    });
}

#[test]
fn trap_053_a_jobs_value_that_nobody_takes_may_panic_in_its_drop() {
    with_watchdog(HANG, || {
        let pool = ThreadPoolExecutor::builder()
            .max_workers(1)
            .build()
            .unwrap();
        for _ in 0..20 {
            drop_here(pool.submit(|| Bomb));
            let job = pool.submit(|| Bomb);
            wait_until(|| job.is_done());
            drop_here(job);
            assert_eq!(pool.submit(|| 2).result().unwrap(), 2);
        }
    });
}

#[test]
fn panics_in_closures_futures_drops_and_callbacks_leave_the_loop_serving() {
    with_watchdog(HANG, || {
        let group = LoopGroup::builder().loops(1).build().unwrap();
        let target = group.handle(0);
        let in_closure: Submission<()> = run_coroutine_threadsafe(target, || {
            assert!(std::hint::black_box(false), "in the closure");
            async {}
        });
        let error = in_closure.result().unwrap_err();
        assert_eq!(error.panic_message(), Some("in the closure"));
        let in_drop = run_coroutine_threadsafe(target, || {
            let bomb = Bomb;
            async move {
                let _bomb = bomb;
            }
        });
        let error = in_drop.result().unwrap_err();
        assert_eq!(error.panic_message(), Some("a planted bomb"));
        drop(call_soon_threadsafe(target, || panic!("in a callback")).unwrap());
        let told = Arc::new(AtomicUsize::new(0));
        let submission = run_coroutine_threadsafe(target, || async {
            polyloop::sleep(Duration::from_millis(1)).await;
            3
        });
        submission.add_done_callback(|| panic!("in a done-callback"));
        let count = told.clone();
        submission.add_done_callback(move || {
            count.fetch_add(1, SeqCst);
        });
        assert_eq!(submission.result().unwrap(), 3);
        serves(&group);
        wait_until(|| told.load(SeqCst) == 1);
        assert!(group.shutdown(Duration::from_secs(30)).is_complete());
        assert_eq!(
            told.load(SeqCst),
            1,
            "one callback's panic is not the other's"
        );
    });
}
