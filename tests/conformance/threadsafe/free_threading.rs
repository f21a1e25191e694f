//! `test_free_threading`: several loops at once, each on its own thread.

use polyloop::{all_tasks, create_task, current_loop, current_task, sleep, yield_now};
use polyloop_bridge::{ThreadPoolExecutor, run_coroutine_threadsafe, run_in_executor};
use std::collections::HashSet;
use std::future::pending;
use std::thread;
use std::time::Duration;

/// adapted test_free_threading.TestFreeThreading.test_all_tasks_race: all_tasks() is of the loop that runs, so its number is part of each task's
#[test]
fn test_all_tasks_race() {
    let loops: Vec<_> = (0..10)
        .map(|_| {
            thread::spawn(|| {
                polyloop::run(async {
                    let tasks: Vec<_> = (0..100).map(|_| create_task(pending::<()>())).collect();
                    let all: HashSet<_> = all_tasks().into_iter().map(|task| task.id).collect();
                    assert_eq!(all.len(), 101);
                    assert!(all.contains(&current_task().unwrap()));
                    assert!(
                        tasks
                            .iter()
                            .all(|task| all.contains(&task.id()) && !task.is_finished())
                    );
                })
            })
        })
        .collect();
    for looped in loops {
        looped.join().unwrap().unwrap();
    }
}

/// adapted test_free_threading.TestFreeThreading.test_all_tasks_different_thread: another thread asks the loop, by a submission
#[test]
fn test_all_tasks_different_thread() {
    polyloop::run(async {
        let home = current_loop();
        let tasks: Vec<_> = (0..1000).map(|_| create_task(pending::<()>())).collect();
        let known: HashSet<_> = tasks.iter().map(polyloop::Task::id).collect();
        let check = move || {
            let ask = || async {
                all_tasks()
                    .into_iter()
                    .map(|task| task.id)
                    .collect::<HashSet<_>>()
            };
            let seen = run_coroutine_threadsafe(&home, ask).result().unwrap();
            assert!(known.is_subset(&seen));
        };
        let threads: Vec<_> = (0..10).map(|_| thread::spawn(check.clone())).collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            yield_now().await;
        }
        for thread in threads {
            thread.join().unwrap();
        }
    })
    .unwrap();
}

/// same test_free_threading.TestFreeThreading.test_run_coroutine_threadsafe
#[test]
fn test_run_coroutine_threadsafe() {
    let pool = ThreadPoolExecutor::builder()
        .max_workers(10)
        .build()
        .unwrap();
    let sum = polyloop::run(async {
        let home = current_loop();
        let jobs: Vec<_> = (0..10)
            .map(|_| {
                let home = home.clone();
                run_in_executor(Some(&pool), move || {
                    let slow = || async {
                        sleep(Duration::from_millis(1)).await;
                        42
                    };
                    run_coroutine_threadsafe(&home, slow).result().unwrap()
                })
            })
            .collect();
        let mut results = Vec::new();
        for job in jobs {
            results.push(job.await.unwrap());
        }
        results
    });
    assert_eq!(sum.unwrap(), [42; 10]);
}

/// same test_free_threading.TestFreeThreading.test_run_coroutine_threadsafe_exception
#[test]
fn test_run_coroutine_threadsafe_exception() {
    let pool = ThreadPoolExecutor::builder()
        .max_workers(10)
        .build()
        .unwrap();
    polyloop::run(async {
        let home = current_loop();
        let jobs: Vec<_> = (0..10)
            .map(|_| {
                let home = home.clone();
                run_in_executor(Some(&pool), move || {
                    let fails = || async {
                        yield_now().await;
                        std::panic::resume_unwind(Box::new("test"));
                    };
                    run_coroutine_threadsafe(&home, fails).result()
                })
            })
            .collect();
        for job in jobs {
            let error = job.await.unwrap().unwrap_err();
            assert_eq!(error.panic_message(), Some("test"));
        }
    })
    .unwrap();
}
