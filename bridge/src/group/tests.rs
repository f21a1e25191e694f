use super::*;
use crate::channel::{self, oneshot};
use crate::test_tools::wait;
use crate::{SubmissionError, to_thread};
use parking_lot::Mutex;
use std::future::pending;
use std::rc::Rc;
use std::thread;

/// Long enough for any machine; a test that waits for it has failed.
const WATCHDOG: Duration = Duration::from_secs(60);
pub(super) const GRACE: Duration = Duration::from_secs(20);

pub(super) fn group(loops: usize) -> LoopGroup {
    LoopGroup::builder()
        .loops(loops)
        .build()
        .expect("threads and loops")
}

fn name_on(handle: &LoopHandle) -> String {
    let name = || async { polyloop::current_loop().name().to_owned() };
    run_coroutine_threadsafe(handle, name)
        .result()
        .expect("a value")
}

#[test]
fn loops_are_found_by_number_and_name() {
    let group = LoopGroup::builder()
        .loops(3)
        .name("io")
        .names(["front"])
        .build()
        .expect("threads and loops");
    assert_eq!(group.len(), 3);
    let names: Vec<_> = group.iter().map(name_on).collect();
    assert_eq!(names, ["front", "io-1", "io-2"]);
    assert_eq!(group.named("io-2"), Some(group.handle(2)));
    assert_eq!(group.named("none"), None);
    let thread_name = || async { thread::current().name().map(str::to_owned) };
    let submission = run_coroutine_threadsafe(group.handle(0), thread_name);
    assert_eq!(
        submission.result().expect("a value").as_deref(),
        Some("front")
    );
}

#[test]
fn the_default_is_one_loop_a_core() {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let group = LoopGroup::builder()
        .cores(Placement::Spread)
        .build()
        .expect("threads and loops");
    assert_eq!(group.len(), cores);
    assert!(
        group
            .on_each(|_| async {})
            .results()
            .iter()
            .all(Result::is_ok)
    );
}

#[test]
fn a_core_that_does_not_exist_is_no_obstacle() {
    let group = LoopGroup::builder()
        .loops(2)
        .cores(Placement::Fixed(vec![1_000_000]))
        .busy_poll(Duration::ZERO)
        .build()
        .expect("threads and loops");
    assert_eq!(name_on(group.handle(1)), "loop-1");
}

#[test]
fn loops_are_chosen_in_turn_by_load_and_by_key() {
    let group = group(3);
    let turns: Vec<_> = (0..6).map(|_| group.next().id()).collect();
    assert_eq!(turns[..3], turns[3..]);
    for key in ["a", "b", "c"] {
        assert_eq!(group.by_key(key), group.by_key(key));
    }
    let keys: std::collections::HashSet<_> = (0..100).map(|n| group.by_key(&n).id()).collect();
    assert_eq!(keys.len(), 3);
    // Two loops get work that stays; the third one is left.
    for number in [0, 2] {
        for _ in 0..5 {
            drop(run_coroutine_threadsafe(
                group.handle(number),
                pending::<()>,
            ));
        }
        let after = run_coroutine_threadsafe(group.handle(number), || async {});
        after.result().expect("the others have begun");
    }
    while group
        .iter()
        .filter(|handle| handle.metrics().tasks >= 5)
        .count()
        < 2
    {
        thread::yield_now();
    }
    for _ in 0..5 {
        assert_eq!(group.least_loaded(), group.handle(1));
    }
    assert_eq!(
        group.shutdown(GRACE).loops[0]
            .closed
            .as_ref()
            .map(|c| c.cancelled >= 5),
        Some(true)
    );
}

#[test]
fn a_coroutine_runs_on_every_loop() {
    let group = group(3);
    let outcomes = group.on_each(|number| async move {
        let stays = Rc::new(number);
        polyloop::yield_now().await;
        assert_ne!(*stays, 1, "one of them panics");
        *stays
    });
    let outcomes = outcomes.results();
    assert!(matches!(
        outcomes[..],
        [Ok(0), Err(SubmissionError::Panicked(_)), Ok(2)]
    ));
    let outcomes = wait(group.on_each(|number| async move { number }));
    assert_eq!(
        outcomes
            .into_iter()
            .map(|n| n.expect("a value"))
            .sum::<usize>(),
        3
    );
    let text = group.map_reduce(
        |number| async move { number.to_string() },
        String::new(),
        |sum, next| sum + &next,
    );
    assert_eq!(wait(text).expect("a value"), "012");
    let failed = group.map_reduce(|_| async { panic!("no") }, (), |_, ()| ());
    assert!(wait(failed).expect_err("a panic").is_panic());
}

#[test]
fn all_loops_have_one_executor() {
    let executor = ThreadPoolExecutor::builder()
        .max_workers(1)
        .name("shared")
        .build()
        .expect("no thread is started yet");
    let group = LoopGroup::builder()
        .loops(2)
        .executor(executor.clone())
        .build()
        .expect("threads and loops");
    let names = group
        .on_each(|_| async { to_thread(|| thread::current().name().map(str::to_owned)).await });
    for name in names.results() {
        let name = name.expect("a value").expect("a value");
        assert_eq!(name.as_deref(), Some("shared-0"));
    }
    let report = group.shutdown(GRACE);
    assert!(
        report.is_complete() && report.executor.is_none(),
        "{report}"
    );
    assert!(!executor.is_shut_down(), "it was only lent");
}

#[test]
fn hooks_run_inside_the_loops() {
    let (sender, heard) = channel::unbounded();
    let on_stop = sender.clone();
    let group = LoopGroup::builder()
        .loops(2)
        .on_start(move |number| {
            let sender = sender.clone();
            polyloop::call_soon(move || sender.try_send(("start", number)).expect("no limit"));
        })
        .on_stop(move |number| {
            assert!(polyloop::try_current_loop().is_some());
            on_stop.try_send(("stop", number)).expect("no limit");
            assert_ne!(number, 1, "one of them panics");
        })
        .build()
        .expect("threads and loops");
    let report = group.shutdown(GRACE);
    assert!(report.is_complete(), "{report}");
    assert!(
        report.loops[1]
            .panic
            .as_ref()
            .is_some_and(|said| said.contains("one of them"))
    );
    drop(group);
    let mut heard: Vec<_> = std::iter::from_fn(|| heard.try_recv().ok()).collect();
    heard.sort_unstable();
    assert_eq!(
        heard,
        [("start", 0), ("start", 1), ("stop", 0), ("stop", 1)]
    );
}

#[test]
fn a_start_that_fails_stops_the_others() {
    let started = Arc::new(Mutex::new(Vec::new()));
    let handles = started.clone();
    let failed = LoopGroup::builder()
        .loops(3)
        .on_start(move |number| {
            assert_ne!(number, 1, "this one does not start");
            let own = polyloop::current_loop();
            handles.lock().push(own);
        })
        .build();
    let error = failed.expect_err("one loop panics");
    assert!(error.is_panic());
    assert_eq!(error.loop_name(), "loop-1");
    assert!(error.to_string().contains("does not start"), "{error}");
    let handles = started.lock();
    assert!(handles.iter().all(LoopHandle::is_closed));
}

#[test]
fn a_shutdown_answers_all_and_may_be_repeated() {
    let group = group(2);
    let waiting: Vec<_> = group
        .iter()
        .map(|handle| run_coroutine_threadsafe(handle, pending::<()>))
        .collect();
    let report = group.shutdown(GRACE);
    assert!(report.is_complete(), "{report}");
    assert!(
        report
            .executor
            .is_some_and(|executor| executor.is_complete())
    );
    for submission in waiting {
        let error = submission.result().expect_err("ended");
        assert!(error.is_cancelled() || error.is_loop_closed());
    }
    assert!(group.iter().all(LoopHandle::is_closed));
    assert!(group.shutdown(GRACE).is_complete());
    assert!(group.join().is_complete());
}

#[test]
fn a_loop_that_is_blocked_is_named() {
    let group = group(2);
    let (release, released) = oneshot::channel::<()>();
    let (begun, begins) = oneshot::channel();
    drop(run_coroutine_threadsafe(
        group.handle(1),
        move || async move {
            let _ = begun.send(());
            let _ = released.recv_blocking();
        },
    ));
    begins.recv_blocking().expect("it begins");
    let report = group.shutdown(Duration::ZERO);
    assert!(!report.is_complete());
    let stuck: Vec<_> = report.stuck().map(|report| report.name.as_str()).collect();
    assert_eq!(stuck, ["loop-1"]);
    drop(release);
    assert_eq!(group.join().stuck().count(), 0);
}

#[test]
fn a_loop_may_shut_its_own_group_down() {
    let group = group(2);
    let inner = group.clone();
    let mut submission = run_coroutine_threadsafe(group.handle(0), move || async move {
        let report = inner.shutdown(Duration::ZERO);
        report
            .stuck()
            .map(|report| report.name.clone())
            .collect::<Vec<_>>()
    });
    let stuck = submission.result_timeout(WATCHDOG).expect("no deadlock");
    assert_eq!(stuck, ["loop-0"]);
    assert!(group.join().is_complete());
}

#[test]
fn loops_that_join_their_group_do_not_wait_for_each_other() {
    let group = group(2);
    let joins = [0, 1].map(|number| {
        let inner = group.clone();
        run_coroutine_threadsafe(group.handle(number), move || async move {
            inner.join();
        })
    });
    let report = group.shutdown(GRACE);
    assert!(report.is_complete(), "{report}");
    drop(joins);
}

#[test]
fn a_loop_that_is_stopped_by_itself_ends_alone() {
    let group = group(2);
    group.handle(0).stop();
    while !group.handle(0).is_closed() {
        thread::yield_now();
    }
    assert_eq!(name_on(group.handle(1)), "loop-1");
    for _ in 0..4 {
        assert_eq!(group.least_loaded(), group.handle(1));
    }
    assert!(group.shutdown(GRACE).is_complete());
}

#[test]
fn trap_067_groups_come_and_go() {
    for round in 0..100 {
        let group = group(1 + round % 3);
        drop(group.on_each(|_| pending::<()>()));
        if round % 2 == 0 {
            assert!(group.shutdown(GRACE).is_complete());
        }
    }
}
