//! test_tasks: gather.

use std::cell::Cell;
use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use polyloop::sync::Event;
use polyloop::{Task, create_task, gather, sleep, try_gather};

use crate::kit::{done, on_loop, settle, was_cancelled};

const LONG: Duration = Duration::from_secs(10);

/// Tasks that end with their letter when their event is set.
fn gated<const N: usize>(letters: [char; N]) -> ([Task<char>; N], [Rc<Event>; N]) {
    let events = letters.map(|_| Rc::new(Event::new()));
    let mut waits = events.clone().into_iter();
    let tasks = letters.map(|letter| {
        let event = waits.next().expect("as many as letters");
        create_task(async move {
            event.wait().await;
            letter
        })
    });
    (tasks, events)
}

/// same test_tasks.GatherTestsBase.test_success
/// same test_tasks.GatherTestsBase.test_result_exception_success
/// same test_tasks.FutureGatherTests.test_constructor_homogenous_futures
/// same test_tasks.CoroutineGatherTests.test_constructor_use_running_loop
#[test]
fn test_success() {
    on_loop(async {
        let (tasks, [a, b, c]) = gated(['a', 'b', 'c']);
        let all = create_task(gather(tasks));
        settle().await;
        b.set();
        settle().await;
        a.set();
        settle().await;
        assert!(!all.is_finished());
        c.set();
        let all: Vec<char> = done(all).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(all, ['a', 'b', 'c']);
    });
}

/// adapted test_tasks.GatherTestsBase.test_one_exception: an exception is an Err, of try_gather
/// adapted test_tasks.CoroutineGatherTests.test_exception_marking: an exception is an Err; a sibling's later one is its task's own
#[test]
fn test_one_exception() {
    on_loop(async {
        let later = Rc::new(Cell::new(false));
        let told = later.clone();
        let flat = |task: Task<Result<char, &'static str>>| async { task.await.unwrap() };
        let slow = create_task(async move {
            sleep(LONG).await;
            told.set(true);
            Err("later")
        });
        let quick = create_task(async { Err("zero") });
        let good = create_task(async { Ok('a') });
        let all = try_gather([flat(good), flat(slow), flat(quick)]);
        assert_eq!(all.await, Err("zero"));
        assert!(!later.get(), "it does not wait for the others");
        sleep(2 * LONG).await;
        assert!(later.get(), "which run on");
    });
}

/// same test_tasks.GatherTestsBase.test_return_exceptions
/// same test_tasks.FutureGatherTests.test_result_exception_one_cancellation
/// adapted test_tasks.FutureGatherTests.test_one_cancellation: gather hands every end out as a value, a cancelled child's among them
#[test]
fn test_return_exceptions() {
    on_loop(async {
        let never = create_task(pending::<Result<u8, &str>>());
        never.cancel();
        let tasks = [
            create_task(async { Ok(3) }),
            create_task(async { Err("zero") }),
            create_task(async { panic!("runtime") }),
            never,
        ];
        let mut all = gather(tasks).await.into_iter();
        assert_eq!(all.next().unwrap().unwrap(), Ok(3));
        assert_eq!(all.next().unwrap().unwrap(), Err("zero"));
        assert!(all.next().unwrap().unwrap_err().is_panic());
        assert!(all.next().unwrap().unwrap_err().is_cancelled());
    });
}

/// adapted test_tasks.FutureGatherTests.test_constructor_empty_sequence_without_loop: it needs no loop at all
/// same test_tasks.FutureGatherTests.test_constructor_empty_sequence_use_running_loop
/// adapted test_tasks.CoroutineGatherTests.test_constructor_without_loop: it needs a loop when it is awaited, and not before
#[test]
fn test_constructor_empty_sequence() {
    let none: Vec<Task<()>> = Vec::new();
    let nothing = gather(none);
    let something = gather([std::future::ready(1)]);
    on_loop(async {
        assert!(nothing.await.is_empty());
        assert_eq!(something.await, [1]);
    });
}

/// same test_tasks.FutureGatherTests.test_constructor_heterogenous_futures
#[test]
fn test_constructor_heterogenous_futures() {
    on_loop(async {
        let (number, text, task) = polyloop::gather!(
            async { 1 },
            std::future::ready("two"),
            create_task(async {})
        )
        .await;
        assert_eq!((number, text), (1, "two"));
        task.unwrap();
    });
}

/// adapted test_tasks.CoroutineGatherTests.test_duplicate_coroutines: a future is given once; the compiler refuses it twice, and shared() makes it two
#[test]
fn test_duplicate_coroutines() {
    use futures::FutureExt;
    on_loop(async {
        let calls = Rc::new(Cell::new(0));
        let count = calls.clone();
        let abc = async move {
            count.set(count.get() + 1);
            "abc"
        };
        let abc: Pin<Box<dyn Future<Output = &str>>> = Box::pin(abc);
        let abc = abc.shared();
        assert_eq!(gather([abc.clone(), abc.clone(), abc]).await, ["abc"; 3]);
        assert_eq!(calls.get(), 1);
    });
}

/// adapted test_tasks.CoroutineGatherTests.test_cancellation_broadcast: dropping a gather drops its futures; tasks among them end with it by abort_on_drop()
/// adapted test_tasks.BaseTaskTests.test_cancel_gather_1: dropping a gather drops its futures; tasks among them end with it by abort_on_drop()
/// adapted test_tasks.BaseTaskTests.test_cancel_gather_2: dropping a gather drops its futures; tasks among them end with it by abort_on_drop()
#[test]
fn test_cancellation_broadcast() {
    on_loop(async {
        let alive = Rc::new(());
        let children = (0..2).map(|_| {
            let held = alive.clone();
            let task = create_task(async move {
                let _held = held;
                pending::<()>().await;
            });
            task.abort_on_drop()
        });
        let outer = create_task(gather(children.collect::<Vec<_>>()));
        settle().await;
        assert_eq!(Rc::strong_count(&alive), 3);
        outer.cancel();
        assert!(was_cancelled(outer).await);
        settle().await;
        assert_eq!(Rc::strong_count(&alive), 1);
    });
}

/// adapted test_tasks.CoroutineGatherTests.test_issue46672: one that fails at once leaves the others whole
#[test]
fn test_issue46672() {
    on_loop(async {
        let slow = create_task(async {
            sleep(LONG).await;
            Ok::<_, &str>(1)
        });
        let outer = create_task(async move {
            let slow = async { slow.await.unwrap() };
            let all: [Pin<Box<dyn Future<Output = _>>>; 2] =
                [Box::pin(slow), Box::pin(async { Err("now") })];
            try_gather(all).await
        });
        assert_eq!(done(outer).await, Err("now"));
    });
}
