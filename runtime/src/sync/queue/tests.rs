use super::*;
use crate::sync::testing::{Probe, now};

fn filled<const N: usize>(maxsize: usize, items: [i32; N]) -> Queue<i32> {
    let queue = Queue::new(maxsize);
    for item in items {
        now(queue.put(item)).expect("the queue is open");
    }
    queue
}

#[test]
fn test_empty_and_full() {
    let queue = filled(2, [1]);
    assert!(!queue.empty() && !queue.full());
    queue.put_nowait(2).expect("there is room");
    assert!(queue.full());
    let error = queue.put_nowait(3).unwrap_err();
    assert!(error.is_full() && !error.is_shut_down());
    assert_eq!(error.into_inner(), 3);
    assert_eq!((queue.get_nowait(), queue.get_nowait()), (Ok(1), Ok(2)));
    assert!(queue.get_nowait().unwrap_err().is_empty());
    assert_eq!(queue.maxsize(), 2);
}

#[test]
fn test_order() {
    let queue = filled(0, [1, 3, 2]);
    assert_eq!(queue.qsize(), 3);
    let got: Vec<_> = std::iter::from_fn(|| queue.get_nowait().ok()).collect();
    assert_eq!(got, [1, 3, 2]);
}

#[test]
fn test_blocking_get_and_put() {
    let queue = filled(1, []);
    let mut getter = Probe::waiting(queue.get());
    queue.put_nowait(1).expect("there is room");
    let mut putter = Probe::waiting(queue.put(2));
    assert_eq!(getter.wakes(), 1);
    assert_eq!(getter.ready(), Ok(1));
    assert_eq!(putter.wakes(), 1);
    assert_eq!(putter.ready(), Ok(()));
    assert_eq!(queue.get_nowait(), Ok(2));
}

#[test]
fn test_get_cancelled_race() {
    // A getter that was woken is cancelled: the item goes to the next.
    let queue = filled(0, []);
    let first = Probe::waiting(queue.get());
    let mut second = Probe::waiting(queue.get());
    queue.put_nowait(7).expect("there is room");
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert_eq!(second.ready(), Ok(7));
}

#[test]
fn test_put_cancelled_race() {
    let queue = filled(1, [1]);
    let first = Probe::waiting(queue.put(2));
    let mut second = Probe::waiting(queue.put(3));
    assert_eq!(queue.get_nowait(), Ok(1));
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert_eq!(second.ready(), Ok(()));
    assert_eq!(queue.get_nowait(), Ok(3));
}

#[test]
fn test_get_cancel_drop_many_pending_readers() {
    let queue = filled(0, []);
    let mut getters: Vec<_> = (0..4).map(|_| Probe::waiting(queue.get())).collect();
    queue.put_nowait(1).expect("there is room");
    getters.drain(..3);
    assert_eq!(getters[0].ready(), Ok(1));
    assert!(queue.getters.is_idle());
}

#[test]
fn test_cancelled_getters_not_being_held_in_self_getters() {
    let queue = filled(0, []);
    drop(Probe::waiting(queue.get()));
    assert_eq!(queue.statistics().getters_waiting, 0);
}

#[test]
fn a_newcomer_may_get_in_before_a_woken_getter() {
    let queue = filled(0, []);
    let mut getter = Probe::waiting(queue.get());
    queue.put_nowait(1).expect("there is room");
    assert_eq!(now(queue.get()), Ok(1));
    assert!(getter.poll().is_pending());
    queue.put_nowait(2).expect("there is room");
    assert_eq!(getter.wakes(), 2);
    assert_eq!(getter.ready(), Ok(2));
}

#[test]
fn a_poll_without_a_wake_does_not_jump_the_line() {
    let queue = filled(0, []);
    let mut first = Probe::waiting(queue.get());
    let mut second = Probe::waiting(queue.get());
    queue.put_nowait(1).expect("there is room");
    assert!(second.poll().is_pending());
    assert_eq!(first.ready(), Ok(1));
}

#[test]
fn test_task_done_underflow() {
    let queue = filled(0, [1]);
    assert_eq!(queue.task_done(), Ok(()));
    assert!(queue.task_done().is_err());
}

#[test]
fn test_join_empty_queue_and_after_work() {
    let queue = filled(0, []);
    now(queue.join());
    queue.put_nowait(1).expect("there is room");
    let mut join = Probe::waiting(queue.join());
    assert_eq!(queue.get_nowait(), Ok(1));
    assert!(join.poll().is_pending());
    queue.task_done().expect("one item was got");
    assert_eq!(join.wakes(), 1);
    join.ready();
}

#[test]
fn test_shutdown_empty() {
    let queue = filled(1, []);
    assert!(queue.shutdown(false).is_empty());
    assert_eq!(now(queue.put(4)).unwrap_err().into_inner(), 4);
    assert!(queue.put_nowait(4).unwrap_err().is_shut_down());
    assert!(now(queue.get()).is_err());
    assert!(queue.get_nowait().unwrap_err().is_shut_down());
}

#[test]
fn test_shutdown_nonempty() {
    let queue = filled(1, [1]);
    let mut putter = Probe::waiting(queue.put(2));
    queue.shutdown(false);
    assert_eq!(putter.wakes(), 1);
    assert_eq!(putter.ready().unwrap_err().into_inner(), 2);
    let mut join = Probe::waiting(queue.join());
    assert_eq!(now(queue.get()), Ok(1));
    assert!(now(queue.get()).is_err());
    queue.task_done().expect("one item was got");
    join.ready();
}

#[test]
fn test_shutdown_immediate() {
    let queue = filled(0, [1, 2]);
    let mut join = Probe::waiting(queue.join());
    assert_eq!(queue.shutdown(true), [1, 2]);
    join.ready();
    assert!(now(queue.get()).is_err());
    assert!(queue.task_done().is_err());
}

#[test]
fn test_shutdown_immediate_with_unfinished() {
    let queue = filled(0, [1, 2]);
    assert_eq!(queue.get_nowait(), Ok(1));
    let mut join = Probe::waiting(queue.join());
    assert_eq!(queue.shutdown(true), [2]);
    assert!(join.poll().is_pending());
    queue.task_done().expect("one item was got");
    join.ready();
}

#[test]
fn a_shutdown_wakes_every_getter() {
    let queue = filled(0, []);
    let mut getters: Vec<_> = (0..3).map(|_| Probe::waiting(queue.get())).collect();
    queue.shutdown(false);
    for getter in &mut getters {
        assert!(getter.ready().is_err());
    }
    assert!(queue.statistics().shut_down);
}

#[test]
fn an_item_may_use_the_queue_when_it_is_dropped() {
    struct Nosy(Rc<Queue<Nosy>>);
    impl Drop for Nosy {
        fn drop(&mut self) {
            let _ = self.0.get_nowait();
        }
    }
    use std::rc::Rc;
    let queue = Rc::new(Queue::new(0));
    for _ in 0..3 {
        assert!(queue.put_nowait(Nosy(Rc::clone(&queue))).is_ok());
    }
    drop(queue.get_nowait());
    assert!(queue.empty());
    assert!(queue.put_nowait(Nosy(Rc::clone(&queue))).is_ok());
    drop(queue.shutdown(true));
    assert!(queue.empty());
}
