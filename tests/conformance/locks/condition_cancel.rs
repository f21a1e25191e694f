//! test_locks.ConditionTests, where a wait is cancelled.

use std::time::Duration;

use polyloop::{Task, create_task, timeout};

use super::Shared;
use super::subject::Condition;
use crate::kit::{Log, done, on_loop, settle, was_cancelled};

/// A task that waits to be notified and then returns.
fn waiter(condition: &Shared<Condition>) -> Task<()> {
    let condition = Shared::clone(condition);
    create_task(async move {
        let guard = condition.acquire().await;
        drop(condition.wait(guard).await);
    })
}

/// A task that takes one off the count whenever it is above zero, until it is
/// below.
fn consumer(condition: &Shared<Condition<i32>>) -> Task<()> {
    let condition = Shared::clone(condition);
    create_task(async move {
        let mut guard = condition.acquire().await;
        loop {
            guard = condition.wait_for(guard, |count| *count != 0).await;
            if *guard < 0 {
                return;
            }
            *guard -= 1;
            condition.notify_all(&guard);
        }
    })
}

/// adapted test_locks.ConditionTests.test_wait_cancel: the future is dropped, and the lock is free after it
#[test]
fn test_wait_cancel() {
    on_loop(async {
        let condition = Shared::new(Condition::new(()));
        let task = waiter(&condition);
        settle().await;
        assert_eq!(condition.statistics().waiting, 1);
        task.cancel();
        assert!(was_cancelled(task).await);
        assert_eq!(condition.statistics().waiting, 0);
        assert!(!condition.locked());
    });
}

/// adapted test_locks.ConditionTests.test_wait_cancel_contested: the future is dropped, and whoever wants the lock has it
#[test]
fn test_wait_cancel_contested() {
    on_loop(async {
        let condition = Shared::new(Condition::new(()));
        let task = waiter(&condition);
        settle().await;
        assert!(!condition.locked());
        let guard = condition.acquire().await;
        condition.notify(&guard, 1);
        task.cancel();
        drop(guard);
        assert!(was_cancelled(task).await);
        assert!(!condition.locked());
        assert!(condition.try_acquire().is_some());
    });
}

/// same test_locks.ConditionTests.test_wait_cancel_after_notify
#[test]
fn test_wait_cancel_after_notify() {
    on_loop(async {
        let condition = Shared::new(Condition::new(()));
        let waited = Log::new();
        let task = create_task({
            let (condition, waited) = (Shared::clone(&condition), waited.clone());
            async move {
                let guard = condition.acquire().await;
                waited.push(true);
                drop(condition.wait(guard).await);
                waited.push(false);
            }
        });
        settle().await;
        let guard = condition.acquire().await;
        condition.notify(&guard, 1);
        settle().await;
        task.cancel();
        settle().await;
        drop(guard);
        assert!(was_cancelled(task).await);
        assert_eq!(waited.entries(), [true]);
    });
}

/// same test_locks.ConditionTests.test_timeout_in_block
#[test]
fn test_timeout_in_block() {
    on_loop(async {
        let condition = Condition::new(());
        let guard = condition.acquire().await;
        let waited = timeout(Duration::from_millis(500), condition.wait(guard)).await;
        assert!(waited.is_err());
        assert_eq!(condition.statistics().waiting, 0);
    });
}

/// adapted test_locks.ConditionTests.test_cancelled_error_wakeup: a cancel carries no message
#[test]
fn test_cancelled_error_wakeup() {
    on_loop(async {
        let condition = Shared::new(Condition::new(0));
        let task = consumer(&condition);
        settle().await;
        task.cancel();
        assert!(was_cancelled(task).await);
        assert!(!condition.locked());
    });
}

/// adapted test_locks.ConditionTests.test_cancelled_error_re_aquire: a cancel carries no message
#[test]
fn test_cancelled_error_re_aquire() {
    on_loop(async {
        let condition = Shared::new(Condition::new(0));
        let task = consumer(&condition);
        settle().await;
        let mut guard = condition.acquire().await;
        *guard = 1;
        condition.notify(&guard, 1);
        settle().await;
        // It stands in line for the lock now.
        assert_eq!(condition.statistics().lock_waiting, 1);
        task.cancel();
        drop(guard);
        assert!(was_cancelled(task).await);
        assert!(!condition.locked());
        assert_eq!(condition.statistics().lock_waiting, 0);
    });
}

/// Two consumers, one notification, and the first is cancelled when it has run
/// `turns` turns: the second does the work.
async fn a_notified_consumer_is_cancelled_after(turns: usize) {
    let condition = Shared::new(Condition::new(0));
    let (first, second) = (consumer(&condition), consumer(&condition));
    settle().await;
    let mut guard = condition.acquire().await;
    *guard += 1;
    condition.notify(&guard, 1);
    for _ in 0..turns {
        polyloop::yield_now().await;
    }
    first.cancel();
    let mut guard = condition.wait_for(guard, |count| *count == 0).await;
    *guard = -1;
    condition.notify_all(&guard);
    drop(guard);
    assert!(was_cancelled(first).await);
    done(second).await;
}

/// adapted test_locks.ConditionTests.test_cancelled_wakeup: the consumer tells when the item is gone, where the original waits 10 ms
#[test]
fn test_cancelled_wakeup() {
    on_loop(a_notified_consumer_is_cancelled_after(0));
}

/// adapted test_locks.ConditionTests.test_cancelled_wakeup_relock: the consumer tells when the item is gone, where the original waits 10 ms
#[test]
fn test_cancelled_wakeup_relock() {
    on_loop(a_notified_consumer_is_cancelled_after(2));
}
