//! test_locks.BarrierTests, up to those that reset and abort.

use std::cell::Cell;
use std::rc::Rc;

use polyloop::{Task, create_task};

use super::Shared;
use super::subject::{Barrier, BarrierState};
use crate::kit::{Log, done, on_loop, settle, was_cancelled};

const N: usize = 5;

/// A task that waits once and notes its index.
fn waiter(barrier: &Shared<Barrier>, log: &Log<usize>) -> Task<()> {
    let (barrier, log) = (Shared::clone(barrier), log.clone());
    create_task(async move {
        let index = barrier.wait().await;
        log.push(index.expect("nobody breaks the barrier"));
    })
}

fn assert_calm(barrier: &Barrier) {
    assert_eq!(barrier.n_waiting(), 0);
    assert!(!barrier.broken());
}

/// adapted test_locks.BarrierTests.test_repr: statistics() says what repr() says
/// adapted test_locks.BarrierTests.test_barrier: the compiler refuses to await it, the state is the same
#[test]
fn test_repr() {
    on_loop(async {
        let barrier = Shared::new(Barrier::new(N));
        let state = || barrier.statistics().state;
        assert_eq!(state(), BarrierState::Filling);
        let wait = || {
            let barrier = Shared::clone(&barrier);
            create_task(async move { barrier.wait().await.is_ok() })
        };
        let mut tasks = vec![wait(), wait()];
        settle().await;
        assert_eq!((barrier.n_waiting(), barrier.parties()), (2, N));
        assert_eq!(state(), BarrierState::Filling);
        tasks.extend((2..N).map(|_| wait()));
        // The last one has come, and the others have not left yet.
        while state() == BarrierState::Filling {
            polyloop::yield_now().await;
        }
        assert_eq!(state(), BarrierState::Draining);
        barrier.reset();
        assert_eq!(state(), BarrierState::Resetting);
        barrier.abort();
        assert_eq!(state(), BarrierState::Broken);
        assert!(barrier.broken());
        let mut passed = 0;
        for task in tasks {
            passed += usize::from(done(task).await);
        }
        assert_eq!(passed, 1, "only the last one did not wait");
    });
}

/// adapted test_locks.BarrierTests.test_barrier_parties: zero panics, and there are no negative numbers
#[test]
#[should_panic(expected = "one party at least")]
fn test_barrier_parties() {
    assert_eq!(Barrier::new(N).parties(), N);
    let _ = Barrier::new(0);
}

/// adapted test_locks.BarrierTests.test_context_manager: wait() returns the index
#[test]
fn test_context_manager() {
    on_loop(async {
        let (barrier, log) = (Shared::new(Barrier::new(3)), Log::new());
        for task in [(); 3].map(|()| waiter(&barrier, &log)) {
            done(task).await;
        }
        let mut indices = log.entries();
        indices.sort_unstable();
        assert_eq!(indices, [0, 1, 2]);
        assert_calm(&barrier);
    });
}

/// same test_locks.BarrierTests.test_filling_one_task
#[test]
fn test_filling_one_task() {
    on_loop(async {
        let barrier = Barrier::new(1);
        assert_eq!(barrier.wait().await, Ok(0));
        assert_calm(&barrier);
    });
}

/// same test_locks.BarrierTests.test_filling_one_task_twice
#[test]
fn test_filling_one_task_twice() {
    on_loop(async {
        let (barrier, log) = (Shared::new(Barrier::new(1)), Log::new());
        let first = waiter(&barrier, &log);
        settle().await;
        assert_eq!(barrier.n_waiting(), 0);
        let second = waiter(&barrier, &log);
        settle().await;
        assert!(first.is_finished() && second.is_finished());
        assert_eq!(log.entries(), [0, 0]);
        assert_calm(&barrier);
    });
}

/// same test_locks.BarrierTests.test_filling_task_by_task
#[test]
fn test_filling_task_by_task() {
    on_loop(async {
        let (barrier, log) = (Shared::new(Barrier::new(3)), Log::new());
        let mut tasks = Vec::new();
        for waiting in 1..3 {
            tasks.push(waiter(&barrier, &log));
            settle().await;
            assert_eq!(barrier.n_waiting(), waiting);
            assert_eq!(barrier.statistics().state, BarrierState::Filling);
        }
        tasks.push(waiter(&barrier, &log));
        for task in tasks {
            done(task).await;
        }
        assert_calm(&barrier);
    });
}

/// A task that waits twice, notes both times, and returns the second index.
fn twice(barrier: &Shared<Barrier>, log: &Log<u32>) -> Task<usize> {
    let (barrier, log) = (Shared::clone(barrier), log.clone());
    create_task(async move {
        barrier.wait().await.expect("nobody breaks the barrier");
        log.push(1);
        let index = barrier.wait().await.expect("nobody breaks the barrier");
        log.push(2);
        index
    })
}

/// same test_locks.BarrierTests.test_filling_tasks_wait_twice
/// same test_locks.BarrierTests.test_filling_tasks_check_return_value
#[test]
fn test_filling_tasks_wait_twice() {
    on_loop(async {
        let (barrier, log) = (Shared::new(Barrier::new(N)), Log::new());
        let mut indices = Vec::new();
        for task in [(); N].map(|()| twice(&barrier, &log)) {
            indices.push(done(task).await);
        }
        let firsts = log.entries().iter().filter(|round| **round == 1).count();
        assert_eq!((log.entries().len(), firsts), (2 * N, N));
        indices.sort_unstable();
        assert_eq!(indices, [0, 1, 2, 3, 4]);
        assert_calm(&barrier);
    });
}

/// same test_locks.BarrierTests.test_draining_state
#[test]
fn test_draining_state() {
    on_loop(async {
        let (barrier, log) = (Shared::new(Barrier::new(N)), Log::new());
        let tasks = [(); N].map(|()| {
            let (barrier, log) = (Shared::clone(&barrier), log.clone());
            create_task(async move {
                barrier.wait().await.expect("nobody breaks the barrier");
                log.push(barrier.statistics().state == BarrierState::Draining);
            })
        });
        for task in tasks {
            done(task).await;
        }
        // The last one to leave turns it to filling.
        assert_eq!(log.entries(), [true, true, true, true, false]);
        assert_calm(&barrier);
    });
}

/// same test_locks.BarrierTests.test_blocking_tasks_while_draining
#[test]
fn test_blocking_tasks_while_draining() {
    on_loop(async {
        let again = 2;
        let barrier = Shared::new(Barrier::new(N));
        let others = Shared::new(Barrier::new(N - again));
        let left = Rc::new(Cell::new(again));
        let tasks = [(); N].map(|()| {
            let (barrier, others) = (Shared::clone(&barrier), Shared::clone(&others));
            let left = Rc::clone(&left);
            create_task(async move {
                barrier.wait().await.expect("nobody breaks the barrier");
                if left.get() > 0 {
                    left.set(left.get() - 1);
                } else {
                    others.wait().await.expect("nobody breaks the barrier");
                }
                barrier.wait().await.expect("nobody breaks the barrier");
            })
        });
        // It ends only if exactly N - again tasks met at the second barrier.
        for task in tasks {
            done(task).await;
        }
        assert_calm(&barrier);
    });
}

/// same test_locks.BarrierTests.test_filling_tasks_cancel_one
#[test]
fn test_filling_tasks_cancel_one() {
    on_loop(async {
        let (barrier, log) = (Shared::new(Barrier::new(3)), Log::new());
        let first = waiter(&barrier, &log);
        settle().await;
        assert_eq!(barrier.n_waiting(), 1);
        let second = waiter(&barrier, &log);
        settle().await;
        assert_eq!(barrier.n_waiting(), 2);
        first.cancel();
        assert!(was_cancelled(first).await);
        assert_eq!(barrier.n_waiting(), 1);
        let third = waiter(&barrier, &log);
        settle().await;
        assert_eq!(barrier.n_waiting(), 2);
        let fourth = waiter(&barrier, &log);
        for task in [second, third, fourth] {
            done(task).await;
        }
        assert_eq!(log.entries().len(), 3);
        assert_calm(&barrier);
    });
}
