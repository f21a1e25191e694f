use super::tests::{GRACE, group};
use super::*;
use crate::channel::oneshot;
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

fn works(handle: &LoopHandle) -> bool {
    run_coroutine_threadsafe(handle, || async {})
        .result()
        .is_ok()
}

#[test]
fn a_loop_is_added_with_the_settings_of_the_others() {
    let started = Arc::new(AtomicUsize::new(0));
    let count = started.clone();
    let group = LoopGroup::builder()
        .loops(1)
        .name("io")
        .on_start(move |_| {
            count.fetch_add(1, SeqCst);
        })
        .build()
        .expect("threads and loops");
    assert_eq!(group.add_loop().expect("a thread"), 1);
    assert_eq!((group.len(), started.load(SeqCst)), (2, 2));
    assert_eq!(group.handle(1).name(), "io-1");
    assert!(works(group.handle(1)));
    let numbers = group.on_each(|number| async move { number }).results();
    let numbers: Vec<_> = numbers.into_iter().map(|n| n.expect("a value")).collect();
    assert_eq!(numbers, [0, 1]);
    let report = group.shutdown(GRACE);
    assert!(report.is_complete(), "{report}");
    assert_eq!(report.loops.len(), 2);
}

#[test]
fn a_retired_loop_cleans_up_and_answers_what_it_had() {
    let group = group(2);
    let waiting = run_coroutine_threadsafe(group.handle(0), std::future::pending::<()>);
    let report = group.retire(0, GRACE).expect("it is there");
    assert!(report.is_complete(), "{report}");
    assert!(waiting.result().is_err());
    assert!(group.handle(0).is_closed());
    assert_eq!(group.numbers(), [1]);
    assert_eq!(group.retire(0, GRACE).unwrap_err(), RetireError::Absent);
    assert_eq!(group.retire(7, GRACE).unwrap_err(), RetireError::Absent);
    assert_eq!(group.retire(1, GRACE).unwrap_err(), RetireError::Last);
    assert!(works(group.handle(1)));
    let report = group.shutdown(GRACE);
    assert_eq!(report.loops.len(), 1, "{report}");
}

#[test]
fn a_loop_may_retire_itself() {
    let group = group(2);
    let inner = group.clone();
    let mut retiring = run_coroutine_threadsafe(group.handle(0), move || async move {
        let report = inner.retire(0, GRACE).expect("it is there");
        assert!(report.closed.is_none(), "it cannot have ended here");
    });
    let answer = retiring.result_timeout(GRACE);
    answer.expect("no deadlock");
    let report = group.shutdown(GRACE);
    assert_eq!(report.loops.len(), 2, "its end is told here");
    assert!(report.is_complete(), "{report}");
}

#[test]
fn a_loop_that_does_not_start_changes_nothing() {
    let group = LoopGroup::builder()
        .loops(2)
        .on_start(|number| assert!(number < 2, "no more than two"))
        .build()
        .expect("threads and loops");
    for _ in 0..3 {
        let error = group.add_loop().expect_err("the third one panics");
        assert!(error.is_panic(), "{error}");
    }
    assert_eq!(group.numbers(), [0, 1]);
    let report = group.shutdown(GRACE);
    assert_eq!(report.loops.len(), 2, "{report}");
    assert!(group.add_loop().expect_err("it is shut down").is_stopped());
    assert!(report.is_complete(), "{report}");
}

#[test]
fn a_shutdown_does_not_wait_for_a_start_that_hangs() {
    let (release, released) = oneshot::channel::<()>();
    let released = parking_lot::Mutex::new(Some(released));
    let group = LoopGroup::builder()
        .loops(1)
        .on_start(move |number| {
            if number == 1
                && let Some(released) = released.lock().take()
            {
                let _ = released.recv_blocking();
            }
        })
        .build()
        .expect("threads and loops");
    thread::scope(|scope| {
        let adding = scope.spawn(|| group.add_loop());
        while thread_starting(&group) {
            thread::yield_now();
        }
        let report = group.shutdown(Duration::ZERO);
        assert_eq!(report.stuck().count(), 1, "{report}");
        let error = adding.join().expect("no panic").expect_err("too late");
        assert!(error.is_stopped());
        drop(release);
        assert_eq!(group.join().stuck().count(), 0);
    });
}

/// Has the second thread not been entered yet?
fn thread_starting(group: &LoopGroup) -> bool {
    group.inner.members.threads.len() < 2
}

#[test]
fn choices_and_changes_at_the_same_time_answer_everything() {
    let group = group(2);
    let stop = AtomicUsize::new(0);
    thread::scope(|scope| {
        for key in 0..2 {
            let (group, stop) = (&group, &stop);
            scope.spawn(move || {
                let mut answered = 0;
                while stop.load(SeqCst) == 0 || answered < 100 {
                    for handle in [group.next(), group.least_loaded(), group.by_key(&key)] {
                        // Retired between the choice and the submission: then
                        // that is the answer.
                        let _ = run_coroutine_threadsafe(handle, || async {}).result();
                        answered += 1;
                    }
                }
            });
        }
        for _ in 0..50 {
            let number = group.add_loop().expect("a thread");
            let first = group.numbers()[0];
            let report = group.retire(first, GRACE).expect("it is there");
            assert!(report.is_complete(), "{report}");
            assert!(group.len() == 2 && number <= 2);
        }
        stop.store(1, SeqCst);
    });
    assert!(group.shutdown(GRACE).is_complete());
}

#[test]
fn loops_can_be_configured_one_by_one() {
    let (tell, told) = crate::channel::unbounded();
    let group = LoopGroup::builder()
        .loops(1)
        .configure(move |number, builder| {
            let (tell, count) = (tell.clone(), Cell::new(0));
            builder.exception_handler(move |context| {
                count.set(count.get() + 1);
                let message = context.panic_message().unwrap_or_default().to_owned();
                let _ = tell.try_send((number, count.get(), message));
            })
        })
        .build()
        .expect("threads and loops");
    drop(run_coroutine_threadsafe(group.handle(0), || async {
        polyloop::call_soon(|| panic!("nobody awaits this"));
    }));
    let told = told.recv_blocking().expect("it is told");
    assert_eq!(told, (0, 1, "nobody awaits this".to_owned()));
}
