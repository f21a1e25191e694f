//! test_tasks.BaseTaskTests: wait.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use polyloop::combine::{ReturnWhen, wait_results};
use polyloop::{Task, create_task, sleep, time, wait};

use crate::kit::{on_loop, settle, was_cancelled};

const TENTH: Duration = Duration::from_millis(100);

fn after<T: 'static>(tenths: u32, value: T) -> Task<T> {
    create_task(async move {
        sleep(tenths * TENTH).await;
        value
    })
}

/// same test_tasks.BaseTaskTests.test_wait
/// same test_tasks.BaseTaskTests.test_wait_with_iterator_of_tasks
/// same test_tasks.BaseTaskTests.test_wait_generator
#[test]
fn test_wait() {
    on_loop(async {
        let began = time::now();
        let tasks = [1, 2].map(|tenths| after(tenths, tenths));
        let (done, pending) = wait(tasks, ReturnWhen::AllCompleted, None).await;
        assert_eq!((done.len(), pending.len()), (2, 0));
        assert_eq!(time::now(), began + 2 * TENTH);
        let tasks = (1..=10).map(|tenths| after(tenths, tenths));
        let (done, _) = wait(tasks, ReturnWhen::AllCompleted, None).await;
        let mut sum = 0;
        for task in done {
            sum += task.await.unwrap();
        }
        assert_eq!(sum, 55);
    });
}

/// adapted test_tasks.BaseTaskTests.test_wait_errors: no tasks are done at once, and a rule is an enum
#[test]
fn test_wait_errors() {
    on_loop(async {
        let none = Vec::<Task<()>>::new();
        let (done, pending) = wait(none, ReturnWhen::FirstCompleted, None).await;
        assert!(done.is_empty() && pending.is_empty());
    });
}

/// same test_tasks.BaseTaskTests.test_wait_first_completed
#[test]
fn test_wait_first_completed() {
    on_loop(async {
        let began = time::now();
        let tasks = [after(100, 'a'), after(1, 'b')];
        let (done, pending) = wait(tasks, ReturnWhen::FirstCompleted, None).await;
        assert_eq!(done.len(), 1);
        assert!(matches!(done[0].peek(), Some(Ok('b'))));
        assert!(!pending[0].is_finished());
        assert_eq!(time::now(), began + TENTH);
    });
}

/// same test_tasks.BaseTaskTests.test_wait_really_done
#[test]
fn test_wait_really_done() {
    on_loop(async {
        // Who is done when the waiter runs is done, not who woke it.
        let mut tasks = [1, 2, 3].map(|steps| {
            create_task(async move {
                for _ in 1..steps {
                    polyloop::yield_now().await;
                }
            })
        });
        settle().await;
        let all: Vec<_> = tasks.iter_mut().collect();
        let (done, pending) = wait(all, ReturnWhen::FirstCompleted, None).await;
        assert_eq!((done.len(), pending.len()), (3, 0));
    });
}

/// same test_tasks.BaseTaskTests.test_wait_first_exception
/// same test_tasks.BaseTaskTests.test_wait_first_exception_in_wait
/// adapted test_tasks.BaseTaskTests.test_wait_with_exception: an exception is an Err, which wait_results() looks for
#[test]
fn test_wait_first_exception() {
    on_loop(async {
        // Failed before the wait begins, and while it lasts.
        for tenths in [0, 1] {
            let began = time::now();
            let tasks = [
                after(100, Ok(1)),
                after(tenths, Err("zero")),
                after(0, Ok(2)),
            ];
            let (done, pending) = wait_results(tasks, ReturnWhen::FirstException, None).await;
            assert_eq!(pending.len(), 1);
            assert!(
                done.iter()
                    .any(|task| matches!(task.peek(), Some(Ok(Err("zero")))))
            );
            assert_eq!(time::now(), began + tenths * TENTH);
        }
        // A cancelled task is no exception.
        let cancelled = create_task(pending::<Result<u32, &str>>());
        cancelled.cancel();
        let tasks = [cancelled, after(1, Ok(1))];
        let (done, _) = wait_results(tasks, ReturnWhen::FirstException, None).await;
        assert_eq!(done.len(), 2);
        // All of them failed: all are handed back.
        let tasks = [after(1, Err::<(), _>("a")), after(2, Err("b"))];
        let (done, _) = wait_results(tasks, ReturnWhen::AllCompleted, None).await;
        assert_eq!(done.len(), 2);
        // A panic counts in either.
        let bad = create_task(async { panic!("runtime") });
        let (done, _) = wait([bad, after(9, ())], ReturnWhen::FirstException, None).await;
        assert_eq!(done.len(), 1);
    });
}

/// same test_tasks.BaseTaskTests.test_wait_with_timeout
#[test]
fn test_wait_with_timeout() {
    on_loop(async {
        let began = time::now();
        let tasks = [after(1, 'a'), after(2, 'b')];
        let limit = Some(TENTH * 3 / 2);
        let (done, pending) = wait(tasks, ReturnWhen::AllCompleted, limit).await;
        assert_eq!((done.len(), pending.len()), (1, 1));
        assert_eq!(time::now(), began + TENTH * 3 / 2);
        // Nothing was cancelled.
        for task in pending {
            assert_eq!(task.await.unwrap(), 'b');
        }
    });
}

/// same test_tasks.BaseTaskTests.test_wait_concurrent_complete
#[test]
fn test_wait_concurrent_complete() {
    on_loop(async {
        let tasks = [after(1, 'a'), after(2, 'b')];
        // Their timers are set before the limit's.
        settle().await;
        let (done, pending) = wait(tasks, ReturnWhen::AllCompleted, Some(TENTH)).await;
        assert_eq!((done.len(), pending.len()), (1, 1));
    });
}

/// same test_tasks.BaseTaskTests.test_yield_wait_does_not_shield_cancel
#[test]
fn test_yield_wait_does_not_shield_cancel() {
    on_loop(async {
        let proof = Rc::new(Cell::new(0));
        let add = proof.clone();
        let inner = create_task(async move {
            sleep(TENTH).await;
            add.set(add.get() + 1);
        });
        let add = proof.clone();
        let outer = create_task(async move {
            let _all = wait([inner], ReturnWhen::AllCompleted, None).await;
            add.set(add.get() + 100);
        });
        settle().await;
        outer.cancel();
        assert!(was_cancelled(outer).await);
        // The task that was waited for runs on.
        sleep(2 * TENTH).await;
        assert_eq!(proof.get(), 1);
    });
}
