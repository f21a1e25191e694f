//! test_locks.EventTests.

use polyloop::{Task, create_task};

use super::Shared;
use super::subject::Event;
use crate::kit::{Log, done, on_loop, settle, was_cancelled};

fn waiter(event: &Shared<Event>, log: &Log<u32>, number: u32) -> Task<()> {
    let (event, log) = (Shared::clone(event), log.clone());
    create_task(async move {
        event.wait().await;
        log.push(number);
    })
}

/// adapted test_locks.EventTests.test_repr: statistics() says what repr() says
#[test]
fn test_repr() {
    on_loop(async {
        let event = Shared::new(Event::new());
        assert!(!event.statistics().set);
        let task = waiter(&event, &Log::new(), 1);
        settle().await;
        assert_eq!(event.statistics().waiting, 1);
        event.set();
        assert!(event.statistics().set);
        done(task).await;
    });
}

/// same test_locks.EventTests.test_wait
#[test]
fn test_wait() {
    on_loop(async {
        let (event, log) = (Shared::new(Event::new()), Log::new());
        let (first, second) = (waiter(&event, &log, 1), waiter(&event, &log, 2));
        polyloop::yield_now().await;
        assert_eq!(log.entries(), []);
        // The third starts before those that are woken after it.
        let third = waiter(&event, &log, 3);
        event.set();
        settle().await;
        assert_eq!(log.entries(), [3, 1, 2]);
        for task in [first, second, third] {
            assert!(task.is_finished());
            done(task).await;
        }
    });
}

/// same test_locks.EventTests.test_wait_on_set
#[test]
fn test_wait_on_set() {
    on_loop(async {
        let event = Event::new();
        event.set();
        event.wait().await;
    });
}

/// same test_locks.EventTests.test_wait_cancel
#[test]
fn test_wait_cancel() {
    on_loop(async {
        let event = Shared::new(Event::new());
        let task = waiter(&event, &Log::new(), 1);
        settle().await;
        task.cancel();
        assert!(was_cancelled(task).await);
        assert_eq!(event.statistics().waiting, 0);
    });
}

/// same test_locks.EventTests.test_clear
#[test]
fn test_clear() {
    let event = Event::new();
    assert!(!event.is_set());
    event.set();
    assert!(event.is_set());
    event.clear();
    assert!(!event.is_set());
}

/// same test_locks.EventTests.test_clear_with_waiters
#[test]
fn test_clear_with_waiters() {
    on_loop(async {
        let (event, log) = (Shared::new(Event::new()), Log::new());
        let task = waiter(&event, &log, 1);
        settle().await;
        assert_eq!(log.entries(), []);
        event.set();
        event.clear();
        assert!(!event.is_set());
        event.set();
        event.set();
        settle().await;
        assert_eq!(log.entries(), [1]);
        assert_eq!(event.statistics().waiting, 0);
        done(task).await;
    });
}

/// What the previous test does not see: the second set() is not needed.
#[test]
fn a_cleared_event_still_lets_those_go_that_it_woke() {
    on_loop(async {
        let (event, log) = (Shared::new(Event::new()), Log::new());
        let task = waiter(&event, &log, 1);
        settle().await;
        event.set();
        event.clear();
        done(task).await;
        assert_eq!(log.entries(), [1]);
    });
}
