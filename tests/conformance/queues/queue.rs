//! test_queues: QueueBasicTests and QueueGetTests.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use polyloop::{Task, call_later, create_task, timeout};

use super::Shared;
use super::subject::{Event, Queue};
use crate::kit::{Log, done, on_loop, settle, was_cancelled};

pub(super) fn getter(queue: &Shared<Queue<u32>>) -> Task<u32> {
    let queue = Shared::clone(queue);
    create_task(async move { queue.get().await.expect("it is open") })
}

pub(super) fn putter(queue: &Shared<Queue<u32>>, item: u32) -> Task<()> {
    let queue = Shared::clone(queue);
    create_task(async move { queue.put(item).await.expect("it is open") })
}

pub(super) fn open(maxsize: usize) -> Shared<Queue<u32>> {
    Shared::new(Queue::new(maxsize))
}

/// Takes what is there, as `get_nowait` without its error.
pub(super) fn take(queue: &Queue<u32>) -> Option<u32> {
    queue.get_nowait().ok()
}

pub(super) fn add(queue: &Queue<u32>, item: u32) {
    queue.put_nowait(item).expect("there is room");
}

/// adapted test_queues.QueueBasicTests.test_repr: statistics() says what repr() says
/// adapted test_queues.QueueBasicTests.test_str: statistics() says what str() says
#[test]
fn test_repr() {
    on_loop(async {
        let queue = open(1);
        let task = getter(&queue);
        settle().await;
        assert_eq!(queue.statistics().getters_waiting, 1);
        add(&queue, 0);
        assert_eq!(done(task).await, 0);
        add(&queue, 1);
        let task = putter(&queue, 2);
        settle().await;
        assert_eq!(queue.statistics().putters_waiting, 1);
        assert_eq!(queue.statistics().items, 1);
        assert_eq!(take(&queue), Some(1));
        done(task).await;
    });
}

/// same test_queues.QueueBasicTests.test_empty
#[test]
fn test_empty() {
    on_loop(async {
        let queue = Queue::new(0);
        assert!(queue.empty());
        queue.put(1).await.expect("it is open");
        assert!(!queue.empty());
        assert_eq!(queue.get().await, Ok(1));
        assert!(queue.empty());
    });
}

/// same test_queues.QueueBasicTests.test_full
#[test]
fn test_full() {
    on_loop(async {
        assert!(!Queue::<u32>::new(0).full());
        let queue = Queue::new(1);
        queue.put(1).await.expect("it is open");
        assert!(queue.full());
    });
}

/// same test_queues.QueueBasicTests.test_order
#[test]
fn test_order() {
    on_loop(async {
        let queue = Queue::new(0);
        for item in [1, 3, 2] {
            queue.put(item).await.expect("it is open");
        }
        for item in [1, 3, 2] {
            assert_eq!(queue.get().await, Ok(item));
        }
    });
}

/// same test_queues.QueueBasicTests.test_maxsize
#[test]
fn test_maxsize() {
    on_loop(async {
        let (queue, log) = (open(2), Log::new());
        assert_eq!(queue.maxsize(), 2);
        let task = create_task({
            let (queue, log) = (Shared::clone(&queue), log.clone());
            async move {
                for item in 0..3 {
                    queue.put(item).await.expect("it is open");
                    log.push(item);
                }
            }
        });
        settle().await;
        assert_eq!(log.entries(), [0, 1]);
        assert_eq!(queue.get().await, Ok(0));
        settle().await;
        assert_eq!(log.entries(), [0, 1, 2]);
        assert_eq!(queue.get().await, Ok(1));
        assert_eq!(queue.get().await, Ok(2));
        assert!(task.is_finished());
        done(task).await;
    });
}

/// same test_queues.QueueGetTests.test_blocking_get
/// same test_queues.QueuePutTests.test_blocking_put
#[test]
fn test_blocking_get() {
    on_loop(async {
        let queue = Queue::new(0);
        add(&queue, 1);
        assert_eq!(queue.get().await, Ok(1));
        queue.put(2).await.expect("it is open");
        assert_eq!(queue.get().await, Ok(2));
    });
}

/// adapted test_queues.QueueGetTests.test_get_with_putters: a putter stands for the planted future
#[test]
fn test_get_with_putters() {
    on_loop(async {
        let queue = open(1);
        add(&queue, 1);
        let task = putter(&queue, 2);
        settle().await;
        assert_eq!(queue.get().await, Ok(1));
        done(task).await;
        assert_eq!(take(&queue), Some(2));
    });
}

/// same test_queues.QueueGetTests.test_blocking_get_wait
#[test]
fn test_blocking_get_wait() {
    on_loop(async {
        let queue = open(0);
        let (started, finished) = (Rc::new(Event::new()), Rc::new(Cell::new(false)));
        let task = create_task({
            let queue = Shared::clone(&queue);
            let (started, finished) = (Rc::clone(&started), Rc::clone(&finished));
            async move {
                started.set();
                let item = queue.get().await;
                finished.set(true);
                item
            }
        });
        started.wait().await;
        assert!(!finished.get());
        let later = Shared::clone(&queue);
        call_later(Duration::from_millis(10), move || add(&later, 1));
        assert_eq!(done(task).await, Ok(1));
        assert!(finished.get());
    });
}

/// same test_queues.QueueGetTests.test_nonblocking_get
/// same test_queues.QueuePutTests.test_nonblocking_put
#[test]
fn test_nonblocking_get() {
    let queue = Queue::new(0);
    add(&queue, 1);
    assert_eq!(queue.get_nowait(), Ok(1));
}

/// adapted test_queues.QueueGetTests.test_nonblocking_get_exception: an error is returned, not raised
#[test]
fn test_nonblocking_get_exception() {
    let error = Queue::<u32>::new(0).get_nowait().unwrap_err();
    assert!(error.is_empty());
}

/// same test_queues.QueueGetTests.test_get_cancelled_race
#[test]
fn test_get_cancelled_race() {
    on_loop(async {
        let queue = open(0);
        let (first, second) = (getter(&queue), getter(&queue));
        settle().await;
        first.cancel();
        assert!(was_cancelled(first).await);
        queue.put(7).await.expect("it is open");
        assert_eq!(done(second).await, 7);
    });
}

/// same test_queues.QueueGetTests.test_get_with_waiting_putters
#[test]
fn test_get_with_waiting_putters() {
    on_loop(async {
        let queue = open(1);
        let tasks = [putter(&queue, 1), putter(&queue, 2)];
        assert_eq!(queue.get().await, Ok(1));
        assert_eq!(queue.get().await, Ok(2));
        for task in tasks {
            done(task).await;
        }
    });
}

/// same test_queues.QueueGetTests.test_why_are_getters_waiting
#[test]
fn test_why_are_getters_waiting() {
    on_loop(async {
        let queue = open(1);
        let producer = create_task({
            let queue = Shared::clone(&queue);
            async move {
                for item in 0..5 {
                    queue.put(item).await.expect("it is open");
                }
            }
        });
        let consumer = create_task({
            let queue = Shared::clone(&queue);
            async move {
                for item in 0..5 {
                    assert_eq!(queue.get().await, Ok(item));
                }
            }
        });
        done(producer).await;
        done(consumer).await;
    });
}

/// same test_queues.QueueGetTests.test_cancelled_getters_not_being_held_in_self_getters
#[test]
fn test_cancelled_getters_not_being_held_in_self_getters() {
    on_loop(async {
        let queue = open(5);
        let got = timeout(Duration::from_millis(100), queue.get()).await;
        assert!(got.is_err());
        assert_eq!(queue.statistics().getters_waiting, 0);
    });
}
