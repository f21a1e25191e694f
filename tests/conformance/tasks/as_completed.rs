//! test_tasks.BaseTaskTests: as_completed.

use std::time::Duration;

use futures::StreamExt;
use polyloop::{Task, TaskId, as_completed, create_task, sleep, time, timeout};

use crate::kit::{on_loop, settle};

const TENTH: Duration = Duration::from_millis(100);

fn after(tenths: u32, value: char) -> Task<char> {
    create_task(async move {
        sleep(tenths * TENTH).await;
        value
    })
}

async fn letters(tasks: Vec<Task<char>>) -> String {
    let mut finished = as_completed(tasks);
    let mut letters = String::new();
    while let Some(task) = finished.next().await {
        assert!(task.is_finished());
        letters.push(task.await.unwrap());
    }
    letters
}

/// same test_tasks.BaseTaskTests.test_as_completed
/// same test_tasks.BaseTaskTests.test_as_completed_coroutine_use_running_loop
#[test]
fn test_as_completed() {
    on_loop(async {
        let began = time::now();
        let tasks = vec![after(2, 'b'), after(1, 'a'), after(3, 'c')];
        assert_eq!(letters(tasks).await, "abc");
        assert_eq!(time::now(), began + 3 * TENTH);
    });
}

/// same test_tasks.BaseTaskTests.test_as_completed_same_tasks_in_as_out
#[test]
fn test_as_completed_same_tasks_in_as_out() {
    on_loop(async {
        let tasks = vec![after(2, 'b'), after(1, 'a')];
        let given: Vec<TaskId> = tasks.iter().map(Task::id).collect();
        let yielded: Vec<TaskId> = as_completed(tasks).map(|task| task.id()).collect().await;
        assert_eq!(yielded, [given[1], given[0]]);
    });
}

/// adapted test_tasks.BaseTaskTests.test_as_completed_with_timeout: a limit is put around each next(), or around the whole
/// same test_tasks.BaseTaskTests.test_as_completed_with_unused_timeout
/// same test_tasks.BaseTaskTests.test_as_completed_resume_iterator
#[test]
fn test_as_completed_with_timeout() {
    on_loop(async {
        let mut finished = as_completed([after(1, 'a'), after(5, 'b')]);
        let first = timeout(TENTH * 2, finished.next()).await.unwrap().unwrap();
        assert_eq!(first.await.unwrap(), 'a');
        // Time is up twice, nothing is cancelled, and it goes on.
        for _ in 0..2 {
            assert!(timeout(TENTH, finished.next()).await.is_err());
        }
        let second = finished.next().await.unwrap();
        assert_eq!(second.await.unwrap(), 'b');
        assert!(finished.next().await.is_none());
    });
}

/// adapted test_tasks.BaseTaskTests.test_as_completed_reverse_wait: there are tasks to await, and no slots; the order of awaiting is free
#[test]
fn test_as_completed_reverse_wait() {
    on_loop(async {
        let mut finished = as_completed([after(2, 'b'), after(1, 'a')]);
        let first = finished.next().await.unwrap();
        let second = finished.next().await.unwrap();
        assert_eq!(second.await.unwrap(), 'b');
        assert_eq!(first.await.unwrap(), 'a');
    });
}

/// same test_tasks.BaseTaskTests.test_as_completed_concurrent
#[test]
fn test_as_completed_concurrent() {
    on_loop(async {
        let tasks = vec![after(1, 'a'), after(1, 'b')];
        let began = time::now();
        assert_eq!(letters(tasks).await, "ab");
        assert_eq!(time::now(), began + TENTH);
        let done = vec![after(0, 'x'), after(0, 'y')];
        sleep(TENTH).await;
        settle().await;
        assert_eq!(letters(done).await.len(), 2);
    });
}
