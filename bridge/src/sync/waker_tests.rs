//! Wakers that use what wakes them, and wakers that panic.

use super::*;
use crate::test_tools::{PanickingWaker, Wakes, poll_with};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Poll, Waker};

/// A waker that uses what it is woken by.
struct Uses<F: Fn() + Send + Sync>(F);

impl<F: Fn() + Send + Sync> std::task::Wake for Uses<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

impl<F: Fn() + Send + Sync> Drop for Uses<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn trap_093_wakers_are_called_and_dropped_outside_of_our_locks() {
    let semaphore = Arc::new(Semaphore::new(0));
    let event = Arc::new(Event::new());
    let queue = Arc::new(Queue::<u8>::new(1));
    let barrier = Arc::new(Barrier::new(2));
    let waker = || -> Waker {
        let all = (
            semaphore.clone(),
            event.clone(),
            queue.clone(),
            barrier.clone(),
        );
        let uses = move || {
            let (semaphore, event, queue, barrier) = &all;
            let _ = semaphore.statistics();
            let _ = event.statistics();
            let _ = queue.statistics();
            let _ = barrier.statistics();
        };
        Arc::new(Uses(uses)).into()
    };
    for _ in 0..2 {
        let mut acquire = semaphore.acquire();
        assert!(poll_with(&mut acquire, &waker()).is_pending());
        assert!(poll_with(&mut acquire, &waker()).is_pending());
        semaphore.release();
        assert!(poll_with(&mut acquire, &waker()).is_ready());
        let mut acquire = semaphore.acquire_many(2);
        assert!(poll_with(&mut acquire, &waker()).is_pending());
        drop(acquire);
        semaphore.acquire_blocking().forget();

        let (mut first, mut second) = (event.wait(), event.wait());
        assert!(poll_with(&mut first, &waker()).is_pending());
        assert!(poll_with(&mut second, &waker()).is_pending());
        assert!(poll_with(&mut second, &waker()).is_pending());
        drop(second);
        event.set();
        event.clear();
        assert!(poll_with(&mut first, &waker()).is_ready());

        let (mut get, mut other) = (queue.get(), queue.get());
        assert!(poll_with(&mut get, &waker()).is_pending());
        assert!(poll_with(&mut other, &waker()).is_pending());
        assert_eq!(queue.put_nowait(1), Ok(()));
        drop(get);
        assert!(poll_with(&mut other, &waker()).is_ready());

        let mut come = barrier.wait();
        assert!(poll_with(&mut come, &waker()).is_pending());
        assert!(poll_with(&mut come, &waker()).is_pending());
        barrier.reset();
        assert!(poll_with(&mut come, &waker()).is_ready());
    }
}

#[test]
fn trap_051_a_panicking_waker_costs_the_others_nothing() {
    let bad: Waker = Arc::new(PanickingWaker).into();
    let (wakes, waker) = Wakes::new();

    let event = Event::new();
    let (mut a, mut b) = (event.wait(), event.wait());
    assert!(poll_with(&mut a, &bad).is_pending());
    assert!(poll_with(&mut b, &waker).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| event.set())).is_err());
    assert!(poll_with(&mut b, &waker).is_ready());

    let semaphore = Semaphore::new(0);
    let (mut a, mut b) = (semaphore.acquire(), semaphore.acquire());
    assert!(poll_with(&mut a, &bad).is_pending());
    assert!(poll_with(&mut b, &waker).is_pending());
    let added = catch_unwind(AssertUnwindSafe(|| semaphore.add_permits(2)));
    assert!(added.is_err());
    assert!(poll_with(&mut b, &waker).is_ready());
    assert!(poll_with(&mut a, &bad).is_ready());

    let queue = Queue::<u8>::new(0);
    let (mut a, mut b) = (queue.get(), queue.get());
    assert!(poll_with(&mut a, &bad).is_pending());
    assert!(poll_with(&mut b, &waker).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| queue.put_nowait(1))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| queue.shutdown(false))).is_ok());
    assert_eq!(poll_with(&mut b, &waker), Poll::Ready(Ok(1)));
    assert_eq!(wakes.count(), 3);
}
