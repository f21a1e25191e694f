//! test_queues.QueuePutTests.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use polyloop::{call_later, create_task};

use super::Shared;
use super::queue::{add, getter, open, putter, take};
use super::subject::{Event, Queue};
use crate::kit::{done, on_loop, settle, was_cancelled};

/// same test_queues.QueuePutTests.test_blocking_put_wait
#[test]
fn test_blocking_put_wait() {
    on_loop(async {
        let queue = open(1);
        let (started, finished) = (Rc::new(Event::new()), Rc::new(Cell::new(false)));
        let later = Shared::clone(&queue);
        call_later(Duration::from_millis(10), move || {
            assert_eq!(take(&later), Some(1))
        });
        let task = create_task({
            let queue = Shared::clone(&queue);
            let (started, finished) = (Rc::clone(&started), Rc::clone(&finished));
            async move {
                started.set();
                queue.put(1).await.expect("it is open");
                queue.put(2).await.expect("it is open");
                finished.set(true);
            }
        });
        started.wait().await;
        assert!(!finished.get());
        done(task).await;
        assert!(finished.get());
    });
}

/// adapted test_queues.QueuePutTests.test_get_cancel_drop_one_pending_reader: a cancelled task has no result, so a second reader gets the first item
#[test]
fn test_get_cancel_drop_one_pending_reader() {
    on_loop(async {
        let queue = open(0);
        let reader = getter(&queue);
        settle().await;
        add(&queue, 1);
        add(&queue, 2);
        reader.cancel();
        assert!(was_cancelled(reader).await);
        assert_eq!(done(getter(&queue)).await, 1);
    });
}

/// same test_queues.QueuePutTests.test_get_cancel_drop_many_pending_readers
#[test]
fn test_get_cancel_drop_many_pending_readers() {
    on_loop(async {
        let queue = open(0);
        let [first, second, third] = [(); 3].map(|()| getter(&queue));
        settle().await;
        add(&queue, 1);
        add(&queue, 2);
        first.cancel();
        assert!(was_cancelled(first).await);
        let mut got = [done(second).await, done(third).await];
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
    });
}

/// adapted test_queues.QueuePutTests.test_put_cancel_drop: a cancelled task has no result, so a second writer puts the item
#[test]
fn test_put_cancel_drop() {
    on_loop(async {
        let queue = open(1);
        add(&queue, 1);
        let writer = putter(&queue, 2);
        settle().await;
        assert_eq!(take(&queue), Some(1));
        writer.cancel();
        assert!(was_cancelled(writer).await);
        done(putter(&queue, 2)).await;
        assert_eq!((take(&queue), queue.qsize()), (Some(2), 0));
    });
}

/// adapted test_queues.QueuePutTests.test_nonblocking_put_exception: an error with the item is returned, not raised
#[test]
fn test_nonblocking_put_exception() {
    let queue = Queue::new(1);
    add(&queue, 1);
    let error = queue.put_nowait(2).unwrap_err();
    assert!(error.is_full());
    assert_eq!(error.into_inner(), 2);
}

/// same test_queues.QueuePutTests.test_put_cancelled
#[test]
fn test_put_cancelled() {
    on_loop(async {
        let queue = open(0);
        let task = putter(&queue, 1);
        assert_eq!(queue.get().await, Ok(1));
        assert!(task.is_finished());
        done(task).await;
    });
}

/// same test_queues.QueuePutTests.test_put_cancelled_race
#[test]
fn test_put_cancelled_race() {
    on_loop(async {
        let queue = open(1);
        let [first, second, third] = [1, 2, 3].map(|item| putter(&queue, item));
        settle().await;
        assert!(first.is_finished());
        assert!(!second.is_finished());
        third.cancel();
        assert!(was_cancelled(third).await);
        assert_eq!(take(&queue), Some(1));
        settle().await;
        assert_eq!(take(&queue), Some(2));
        done(second).await;
    });
}

/// same test_queues.QueuePutTests.test_put_with_waiting_getters
#[test]
fn test_put_with_waiting_getters() {
    on_loop(async {
        let queue = open(0);
        let task = getter(&queue);
        settle().await;
        queue.put(1).await.expect("it is open");
        assert_eq!(done(task).await, 1);
    });
}

/// same test_queues.QueuePutTests.test_why_are_putters_waiting
#[test]
fn test_why_are_putters_waiting() {
    on_loop(async {
        let queue = open(2);
        let taker = create_task({
            let queue = Shared::clone(&queue);
            async move {
                settle().await;
                for _ in 0..queue.qsize() {
                    assert!(take(&queue).is_some());
                }
            }
        });
        let putters = [0, 1, 2, 3].map(|item| putter(&queue, item));
        done(taker).await;
        for task in putters {
            done(task).await;
        }
    });
}

/// same test_queues.QueuePutTests.test_cancelled_puts_not_being_held_in_self_putters
#[test]
fn test_cancelled_puts_not_being_held_in_self_putters() {
    on_loop(async {
        let queue = open(1);
        add(&queue, 1);
        let task = putter(&queue, 1);
        settle().await;
        assert_eq!(queue.statistics().putters_waiting, 1);
        task.cancel();
        assert!(was_cancelled(task).await);
        assert_eq!(queue.statistics().putters_waiting, 0);
    });
}

/// same test_queues.QueuePutTests.test_cancelled_put_silence_value_error_exception
#[test]
fn test_cancelled_put_silence_value_error_exception() {
    on_loop(async {
        let queue = open(1);
        add(&queue, 1);
        let task = putter(&queue, 2);
        settle().await;
        // The putter has been woken when it is cancelled.
        assert_eq!(take(&queue), Some(1));
        task.cancel();
        assert!(was_cancelled(task).await);
        assert_eq!(queue.qsize(), 0);
    });
}
