//! test_locks.LockTests.

use std::rc::Rc;

use polyloop::sync::Event;
use polyloop::{Task, create_task};

use super::Shared;
use super::subject::Lock;
use crate::kit::{Log, done, on_loop, settle, was_cancelled};

/// A task that takes the lock, notes it, and holds it until its event is set.
fn holder(lock: &Shared<Lock>, log: &Log<char>, name: char) -> (Task<()>, Rc<Event>) {
    let (lock, log, release) = (Shared::clone(lock), log.clone(), Rc::new(Event::new()));
    let told = Rc::clone(&release);
    let task = create_task(async move {
        let _guard = lock.acquire().await;
        log.push(name);
        told.wait().await;
    });
    (task, release)
}

/// adapted test_locks.LockTests.test_repr: statistics() says what repr() says
#[test]
fn test_repr() {
    on_loop(async {
        let lock = Shared::new(Lock::new(()));
        assert!(!lock.statistics().locked);
        let guard = lock.acquire().await;
        assert!(lock.statistics().locked);
        let (task, release) = holder(&lock, &Log::new(), 'a');
        settle().await;
        assert_eq!(lock.statistics().waiting, 1);
        drop(guard);
        release.set();
        done(task).await;
        assert_eq!(lock.statistics().waiting, 0);
    });
}

/// adapted test_locks.LockTests.test_acquire: the guard lives in its task, which is told to drop it
#[test]
fn test_acquire() {
    on_loop(async {
        let (lock, log) = (Shared::new(Lock::new(())), Log::new());
        let guard = lock.acquire().await;
        let (first, first_release) = holder(&lock, &log, 'a');
        let (second, second_release) = holder(&lock, &log, 'b');
        settle().await;
        assert_eq!(log.entries(), []);
        drop(guard);
        settle().await;
        assert_eq!(log.entries(), ['a']);
        let (third, third_release) = holder(&lock, &log, 'c');
        first_release.set();
        settle().await;
        assert_eq!(log.entries(), ['a', 'b']);
        second_release.set();
        settle().await;
        assert_eq!(log.entries(), ['a', 'b', 'c']);
        third_release.set();
        for task in [first, second, third] {
            done(task).await;
        }
    });
}

/// same test_locks.LockTests.test_acquire_cancel
#[test]
fn test_acquire_cancel() {
    on_loop(async {
        let lock = Shared::new(Lock::new(()));
        let _guard = lock.acquire().await;
        let (task, _release) = holder(&lock, &Log::new(), 'a');
        settle().await;
        assert_eq!(lock.statistics().waiting, 1);
        assert!(task.cancel());
        assert!(was_cancelled(task).await);
        assert_eq!(lock.statistics().waiting, 0);
    });
}

/// same test_locks.LockTests.test_cancel_race
#[test]
fn test_cancel_race() {
    on_loop(async {
        let (lock, log) = (Shared::new(Lock::new(())), Log::new());
        let (first, release) = holder(&lock, &log, 'a');
        settle().await;
        assert!(lock.locked());
        let (second, _) = holder(&lock, &log, 'b');
        let (third, third_release) = holder(&lock, &log, 'c');
        settle().await;
        assert_eq!(lock.statistics().waiting, 2);
        // The first releases in the turn in which the second is cancelled.
        release.set();
        second.cancel();
        third_release.set();
        done(first).await;
        assert!(was_cancelled(second).await);
        done(third).await;
        assert_eq!(log.entries(), ['a', 'c']);
        assert!(!lock.locked());
    });
}

/// same test_locks.LockTests.test_cancel_release_race
#[test]
fn test_cancel_release_race() {
    on_loop(async {
        let (lock, log) = (Shared::new(Lock::new(())), Log::new());
        let guard = lock.acquire().await;
        let (first, _) = holder(&lock, &log, 'a');
        let (second, release) = holder(&lock, &log, 'b');
        let (third, _) = holder(&lock, &log, 'c');
        settle().await;
        assert_eq!(lock.statistics().waiting, 3);
        first.cancel();
        drop(guard);
        assert!(was_cancelled(first).await);
        settle().await;
        // One lock, one holder.
        assert_eq!(log.entries(), ['b']);
        third.cancel();
        assert!(was_cancelled(third).await);
        release.set();
        done(second).await;
    });
}

/// same test_locks.LockTests.test_finished_waiter_cancelled
#[test]
fn test_finished_waiter_cancelled() {
    on_loop(async {
        let (lock, log) = (Shared::new(Lock::new(())), Log::new());
        let guard = lock.acquire().await;
        let (first, _) = holder(&lock, &log, 'a');
        settle().await;
        // The second asks when the first has been woken and is cancelled.
        let (second, release) = holder(&lock, &log, 'b');
        drop(guard);
        first.cancel();
        settle().await;
        assert!(lock.locked());
        assert!(was_cancelled(first).await);
        assert_eq!(log.entries(), ['b']);
        release.set();
        done(second).await;
    });
}

/// same test_locks.LockTests.test_release_no_waiters
#[test]
fn test_release_no_waiters() {
    on_loop(async {
        let lock = Lock::new(());
        let guard = lock.acquire().await;
        assert!(lock.locked());
        drop(guard);
        assert!(!lock.locked());
    });
}

/// same test_locks.LockTests.test_context_manager
/// adapted test_locks.LockTests.test_lock_by_with_statement: a guard is a scope
#[test]
fn test_context_manager() {
    on_loop(async {
        let lock = Lock::new(());
        assert!(!lock.locked());
        {
            let _guard = lock.acquire().await;
            assert!(lock.locked());
        }
        assert!(!lock.locked());
    });
}
