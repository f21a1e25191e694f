//! test_locks.ConditionTests, but for what is cancelled.

use std::rc::Rc;

use polyloop::sync::Event;
use polyloop::{Task, create_task};

use super::Shared;
use super::subject::{Condition, Lock};
use crate::kit::{Log, done, on_loop, settle};

/// A task that waits to be notified, notes it, and releases the lock.
fn waiter(condition: &Shared<Condition>, log: &Log<u32>, number: u32) -> Task<()> {
    let (condition, log) = (Shared::clone(condition), log.clone());
    create_task(async move {
        let guard = condition.acquire().await;
        let _guard = condition.wait(guard).await;
        log.push(number);
    })
}

async fn notify(condition: &Condition, count: usize) {
    let guard = condition.acquire().await;
    condition.notify(&guard, count);
}

/// adapted test_locks.ConditionTests.test_wait: each guard lives in its task, which is told to drop it
#[test]
fn test_wait() {
    on_loop(async {
        let (condition, log) = (Shared::new(Condition::new(())), Log::new());
        let mut tasks = Vec::new();
        for number in 1..=3 {
            let (condition, log) = (Shared::clone(&condition), log.clone());
            let release = Rc::new(Event::new());
            let released = Rc::clone(&release);
            let task = create_task(async move {
                let guard = condition.acquire().await;
                let guard = condition.wait(guard).await;
                log.push(number);
                released.wait().await;
                drop(guard);
            });
            tasks.push((task, release));
        }
        settle().await;
        assert_eq!(log.entries(), []);
        assert!(!condition.locked());

        let guard = condition.acquire().await;
        condition.notify(&guard, 1);
        settle().await;
        assert_eq!(log.entries(), []);
        assert!(condition.locked());
        drop(guard);
        settle().await;
        assert_eq!(log.entries(), [1]);
        assert!(condition.locked());

        // The first gives the lock back, so that the other two can be notified.
        tasks[0].1.set();
        let guard = condition.acquire().await;
        condition.notify(&guard, 2);
        settle().await;
        assert_eq!(log.entries(), [1]);
        drop(guard);
        settle().await;
        assert_eq!(log.entries(), [1, 2]);
        assert!(condition.locked());
        tasks[1].1.set();
        settle().await;
        assert_eq!(log.entries(), [1, 2, 3]);
        assert!(condition.locked());
        tasks[2].1.set();
        for (task, _) in tasks {
            done(task).await;
        }
    });
}

/// same test_locks.ConditionTests.test_wait_for
#[test]
fn test_wait_for() {
    on_loop(async {
        let (condition, log) = (Shared::new(Condition::new(false)), Log::new());
        let task = create_task({
            let (condition, log) = (Shared::clone(&condition), log.clone());
            async move {
                let guard = condition.acquire().await;
                let _guard = condition.wait_for(guard, |ready| *ready).await;
                log.push(1);
            }
        });
        settle().await;
        assert_eq!(log.entries(), []);
        let guard = condition.acquire().await;
        condition.notify(&guard, 1);
        drop(guard);
        settle().await;
        assert_eq!(log.entries(), []);
        let mut guard = condition.acquire().await;
        *guard = true;
        condition.notify(&guard, 1);
        drop(guard);
        settle().await;
        assert_eq!(log.entries(), [1]);
        done(task).await;
    });
}

/// adapted test_locks.ConditionTests.test_wait_for_unacquired: a predicate that is true at once needs no notification; without the lock it does not compile
#[test]
fn test_wait_for_unacquired() {
    on_loop(async {
        let condition = Condition::new(3);
        let guard = condition.acquire().await;
        let guard = condition.wait_for(guard, |count| *count == 3).await;
        assert_eq!(*guard, 3);
    });
}

/// adapted test_locks.ConditionTests.test_wait_unacquired: a guard is needed, and one of another lock panics
#[test]
#[should_panic(expected = "another lock")]
fn test_wait_unacquired() {
    on_loop(async {
        let (condition, other) = (Condition::new(()), Lock::new(()));
        let guard = other.acquire().await;
        drop(condition.wait(guard).await);
    });
}

/// adapted test_locks.ConditionTests.test_notify_unacquired: a guard is needed, and one of another lock panics
#[test]
#[should_panic(expected = "another lock")]
fn test_notify_unacquired() {
    on_loop(async {
        let (condition, other) = (Condition::new(()), Lock::new(()));
        condition.notify(&other.acquire().await, 1);
    });
}

/// adapted test_locks.ConditionTests.test_notify_all_unacquired: a guard is needed, and one of another lock panics
#[test]
#[should_panic(expected = "another lock")]
fn test_notify_all_unacquired() {
    on_loop(async {
        let (condition, other) = (Condition::new(()), Lock::new(()));
        condition.notify_all(&other.acquire().await);
    });
}

/// same test_locks.ConditionTests.test_notify
#[test]
fn test_notify() {
    on_loop(async {
        let (condition, log) = (Shared::new(Condition::new(())), Log::new());
        let tasks = [1, 2, 3].map(|number| waiter(&condition, &log, number));
        settle().await;
        assert_eq!(log.entries(), []);
        notify(&condition, 1).await;
        settle().await;
        assert_eq!(log.entries(), [1]);
        let guard = condition.acquire().await;
        condition.notify(&guard, 1);
        condition.notify(&guard, 2048);
        drop(guard);
        settle().await;
        assert_eq!(log.entries(), [1, 2, 3]);
        for task in tasks {
            assert!(task.is_finished());
            done(task).await;
        }
    });
}

/// same test_locks.ConditionTests.test_notify_all
#[test]
fn test_notify_all() {
    on_loop(async {
        let (condition, log) = (Shared::new(Condition::new(())), Log::new());
        let tasks = [1, 2].map(|number| waiter(&condition, &log, number));
        settle().await;
        assert_eq!(log.entries(), []);
        let guard = condition.acquire().await;
        condition.notify_all(&guard);
        drop(guard);
        settle().await;
        assert_eq!(log.entries(), [1, 2]);
        for task in tasks {
            done(task).await;
        }
    });
}

/// adapted test_locks.ConditionTests.test_repr: statistics() says what repr() says
#[test]
fn test_repr() {
    on_loop(async {
        let condition = Shared::new(Condition::new(()));
        assert!(!condition.statistics().locked);
        let tasks = [1, 2].map(|number| waiter(&condition, &Log::new(), number));
        settle().await;
        assert_eq!(condition.statistics().waiting, 2);
        let guard = condition.acquire().await;
        assert!(condition.statistics().locked);
        condition.notify_all(&guard);
        settle().await;
        assert_eq!(condition.statistics().waiting, 0);
        assert_eq!(condition.statistics().lock_waiting, 2);
        drop(guard);
        for task in tasks {
            done(task).await;
        }
    });
}

/// same test_locks.ConditionTests.test_context_manager
#[test]
fn test_context_manager() {
    on_loop(async {
        let condition = Condition::new(());
        assert!(!condition.locked());
        {
            let _guard = condition.acquire().await;
            assert!(condition.locked());
        }
        assert!(!condition.locked());
    });
}

/// same test_locks.ConditionTests.test_explicit_lock
#[test]
fn test_explicit_lock() {
    on_loop(async {
        let lock = Shared::new(Lock::new(()));
        for condition in [
            Condition::new(()),
            Condition::with_lock(Shared::clone(&lock)),
            Condition::with_lock(lock),
        ] {
            let lock = Shared::clone(condition.lock());
            assert!(!lock.locked() && !condition.locked());
            {
                let _guard = condition.acquire().await;
                assert!(lock.locked() && condition.locked());
            }
            assert!(!lock.locked() && !condition.locked());
            {
                let _guard = lock.acquire().await;
                assert!(lock.locked() && condition.locked());
            }
            assert!(!lock.locked() && !condition.locked());
        }
    });
}
