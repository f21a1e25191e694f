//! test_locks.SemaphoreTests.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use polyloop::{Task, create_task};

use super::Shared;
use super::subject::{BoundedSemaphore, Semaphore};
use crate::kit::{Log, done, on_loop, settle, was_cancelled};

/// A task that takes a permit for good and notes it.
fn taker(semaphore: &Shared<Semaphore>, log: &Log<u32>, number: u32) -> Task<()> {
    let (semaphore, log) = (Shared::clone(semaphore), log.clone());
    create_task(async move {
        semaphore.acquire().await.forget();
        log.push(number);
    })
}

/// same test_locks.SemaphoreTests.test_initial_value_zero
#[test]
fn test_initial_value_zero() {
    assert!(Semaphore::new(0).locked());
}

/// adapted test_locks.SemaphoreTests.test_repr: statistics() says what repr() says
/// adapted test_locks.SemaphoreTests.test_semaphore: the compiler refuses to await it, the value is the same
#[test]
fn test_repr() {
    on_loop(async {
        let semaphore = Shared::new(Semaphore::new(1));
        assert!(!semaphore.locked());
        assert_eq!(semaphore.statistics().available, 1);
        let _permit = semaphore.acquire().await;
        assert!(semaphore.locked());
        assert_eq!(semaphore.statistics().waiting, 0);
        let tasks = [1, 2].map(|number| taker(&semaphore, &Log::new(), number));
        settle().await;
        assert_eq!(semaphore.statistics().waiting, 2);
        for task in tasks {
            task.cancel();
        }
    });
}

/// same test_locks.SemaphoreTests.test_acquire
#[test]
fn test_acquire() {
    on_loop(async {
        let (semaphore, log) = (Shared::new(Semaphore::new(3)), Log::new());
        semaphore.acquire().await.forget();
        semaphore.acquire().await.forget();
        assert!(!semaphore.locked());
        let first = taker(&semaphore, &log, 1);
        let second = taker(&semaphore, &log, 2);
        let third = taker(&semaphore, &log, 3);
        settle().await;
        assert_eq!(log.entries(), [1]);
        assert!(semaphore.locked());
        assert_eq!(semaphore.statistics().waiting, 2);
        assert_eq!(semaphore.available_permits(), 0);
        let fourth = taker(&semaphore, &log, 4);
        semaphore.release();
        semaphore.release();
        assert_eq!(semaphore.available_permits(), 0);
        settle().await;
        assert_eq!(log.entries(), [1, 2, 3]);
        assert!(semaphore.locked());
        assert_eq!(semaphore.statistics().waiting, 1);
        semaphore.release();
        for task in [first, second, third, fourth] {
            done(task).await;
        }
    });
}

/// same test_locks.SemaphoreTests.test_acquire_cancel
#[test]
fn test_acquire_cancel() {
    on_loop(async {
        let semaphore = Shared::new(Semaphore::new(1));
        semaphore.acquire().await.forget();
        let task = taker(&semaphore, &Log::new(), 1);
        settle().await;
        task.cancel();
        assert!(was_cancelled(task).await);
        assert_eq!(semaphore.statistics().waiting, 0);
    });
}

/// same test_locks.SemaphoreTests.test_acquire_cancel_before_awoken
#[test]
fn test_acquire_cancel_before_awoken() {
    on_loop(async {
        let (semaphore, log) = (Shared::new(Semaphore::new(0)), Log::new());
        let tasks = [1, 2, 3, 4].map(|number| taker(&semaphore, &log, number));
        settle().await;
        tasks[0].cancel();
        tasks[1].cancel();
        semaphore.release();
        settle().await;
        assert!(tasks[2].is_finished());
        assert!(!tasks[3].is_finished());
        assert_eq!(log.entries(), [3]);
        tasks[3].cancel();
        settle().await;
    });
}

/// same test_locks.SemaphoreTests.test_acquire_hang
#[test]
fn test_acquire_hang() {
    on_loop(async {
        let semaphore = Shared::new(Semaphore::new(0));
        let first = taker(&semaphore, &Log::new(), 1);
        let second = taker(&semaphore, &Log::new(), 2);
        settle().await;
        first.cancel();
        semaphore.release();
        settle().await;
        assert!(semaphore.locked());
        done(second).await;
    });
}

/// same test_locks.SemaphoreTests.test_acquire_no_hang
#[test]
fn test_acquire_no_hang() {
    on_loop(async {
        let semaphore = Shared::new(Semaphore::new(1));
        let victim = Rc::new(RefCell::new(None::<Task<()>>));
        let first = create_task({
            let (semaphore, victim) = (Shared::clone(&semaphore), Rc::clone(&victim));
            async move {
                {
                    let _permit = semaphore.acquire().await;
                    polyloop::yield_now().await;
                }
                let victim = victim.borrow();
                victim.as_ref().expect("it was started").cancel();
            }
        });
        let second = taker(&semaphore, &Log::new(), 2);
        victim.replace(Some(second));
        done(first).await;
        let second = victim.take().expect("it was started");
        assert!(was_cancelled(second).await);
        semaphore.acquire().await.forget();
    });
}

/// adapted test_locks.SemaphoreTests.test_release_not_acquired: an error is returned, not raised
#[test]
fn test_release_not_acquired() {
    let semaphore = BoundedSemaphore::new(1);
    assert!(semaphore.release().is_err());
    assert_eq!(semaphore.available_permits(), 1);
}

/// same test_locks.SemaphoreTests.test_release_no_waiters
#[test]
fn test_release_no_waiters() {
    on_loop(async {
        let semaphore = Semaphore::new(1);
        semaphore.acquire().await.forget();
        assert!(semaphore.locked());
        semaphore.release();
        assert!(!semaphore.locked());
    });
}

/// adapted test_locks.SemaphoreTests.test_acquire_fifo_order: yield_now stands for the short sleep
#[test]
fn test_acquire_fifo_order() {
    on_loop(async {
        let (semaphore, log) = (Shared::new(Semaphore::new(1)), Log::new());
        let tasks = ["c1", "c2", "c3"].map(|tag| {
            let (semaphore, log) = (Shared::clone(&semaphore), log.clone());
            create_task(async move {
                for round in 1..=2 {
                    let _permit = semaphore.acquire().await;
                    log.push(format!("{tag}_{round}"));
                    polyloop::yield_now().await;
                }
            })
        });
        for task in tasks {
            done(task).await;
        }
        assert_eq!(
            log.entries(),
            ["c1_1", "c2_1", "c3_1", "c1_2", "c2_2", "c3_2"]
        );
    });
}

/// same test_locks.SemaphoreTests.test_acquire_fifo_order_2
#[test]
fn test_acquire_fifo_order_2() {
    on_loop(async {
        let (semaphore, log) = (Shared::new(Semaphore::new(1)), Log::new());
        let first = taker(&semaphore, &log, 1);
        let second = create_task({
            let (semaphore, log) = (Shared::clone(&semaphore), log.clone());
            async move {
                semaphore.acquire().await.forget();
                log.push(2);
                semaphore.release();
                semaphore.acquire().await.forget();
                log.push(4);
            }
        });
        let third = taker(&semaphore, &log, 3);
        polyloop::yield_now().await;
        semaphore.release();
        semaphore.release();
        for task in [first, second, third] {
            done(task).await;
        }
        assert_eq!(log.entries(), [1, 2, 3, 4]);
    });
}

/// same test_locks.SemaphoreTests.test_acquire_fifo_order_3
#[test]
fn test_acquire_fifo_order_3() {
    on_loop(async {
        let (semaphore, log) = (Shared::new(Semaphore::new(0)), Log::new());
        let [first, second, third] = [1, 2, 3].map(|number| taker(&semaphore, &log, number));
        settle().await;
        first.cancel();
        settle().await;
        semaphore.release();
        semaphore.release();
        assert!(was_cancelled(first).await);
        done(second).await;
        done(third).await;
        assert_eq!(log.entries(), [2, 3]);
    });
}

/// same test_locks.SemaphoreTests.test_acquire_fifo_order_4
#[test]
fn test_acquire_fifo_order_4() {
    on_loop(async {
        let (semaphore, log) = (Shared::new(Semaphore::new(0)), Log::new());
        let fourth = Rc::new(RefCell::new(None));
        let first = create_task({
            let (semaphore, log) = (Shared::clone(&semaphore), log.clone());
            let fourth = Rc::clone(&fourth);
            async move {
                assert_eq!(semaphore.available_permits(), 0);
                semaphore.acquire().await.forget();
                // All that stood in line have been woken by now.
                assert_eq!(semaphore.available_permits(), 0);
                let late = log.clone();
                fourth.replace(Some(create_task(async move { late.push(4) })));
                log.push(1);
            }
        });
        let second = create_task({
            let (semaphore, log) = (Shared::clone(&semaphore), log.clone());
            async move {
                (0..3).for_each(|_| semaphore.release());
                assert_eq!(semaphore.available_permits(), 2);
                // It is locked: the first has not run yet.
                assert!(semaphore.locked());
                semaphore.acquire().await.forget();
                log.push(2);
            }
        });
        let third = taker(&semaphore, &log, 3);
        for task in [first, second, third] {
            done(task).await;
        }
        let fourth = fourth.take().expect("the first starts it");
        done(fourth).await;
        assert_eq!(log.entries(), [1, 2, 3, 4]);
    });
}

/// What the others do not see: a wait that times out leaves the line.
#[test]
fn a_timeout_gives_up_the_place_in_line() {
    on_loop(async {
        let semaphore = Semaphore::new(0);
        let waited = polyloop::timeout(Duration::ZERO, semaphore.acquire()).await;
        assert!(waited.is_err());
        assert_eq!(semaphore.statistics().waiting, 0);
    });
}
