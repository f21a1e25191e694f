//! The real primitives under the model checker.

use super::permits::Permits;
use super::*;
use crate::loom::UnsafeCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// A value that only who has the permit may touch, which loom watches.
struct Guarded {
    permits: Permits,
    value: UnsafeCell<u32>,
}

// SAFETY: what the models are there to show.
unsafe impl Sync for Guarded {}

impl Guarded {
    fn new(permits: usize) -> Arc<Self> {
        Arc::new(Self {
            permits: Permits::new(permits),
            value: UnsafeCell::new(0),
        })
    }

    fn add_one(&self) {
        // SAFETY: as above; loom complains if two do.
        self.value.with_mut(|value| unsafe { *value += 1 });
    }

    fn take_and_add(&self) {
        self.permits.take(1).block(None);
        self.add_one();
        assert!(self.permits.give(1));
    }
}

#[test]
fn loom_one_permit_excludes() {
    loom::model(|| {
        let guarded = Guarded::new(1);
        let other = {
            let guarded = guarded.clone();
            loom::thread::spawn(move || guarded.take_and_add())
        };
        guarded.take_and_add();
        other.join().unwrap();
        assert!(!guarded.permits.locked());
        guarded.value.with_mut(|value| {
            // SAFETY: the other thread has ended.
            assert_eq!(unsafe { *value }, 2);
        });
    });
}

#[test]
fn loom_one_permit_excludes_three() {
    loom::model(|| {
        let guarded = Guarded::new(1);
        let others = [(); 2].map(|()| {
            let guarded = guarded.clone();
            loom::thread::spawn(move || guarded.take_and_add())
        });
        guarded.take_and_add();
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(guarded.permits.free(), 1);
        assert!(!guarded.permits.locked());
    });
}

#[test]
fn loom_trap_012_a_permit_given_to_one_who_leaves_is_not_lost() {
    loom::model(|| {
        let guarded = Guarded::new(0);
        let quitter = {
            let guarded = guarded.clone();
            loom::thread::spawn(move || {
                let mut taking = guarded.permits.take(1);
                let mut cx = Context::from_waker(Waker::noop());
                let taken = taking.poll(&mut cx).is_ready();
                drop(taking);
                if taken {
                    guarded.permits.give(1);
                }
            })
        };
        let giver = {
            let guarded = guarded.clone();
            loom::thread::spawn(move || {
                guarded.add_one();
                guarded.permits.give(1);
            })
        };
        // Hangs, which loom reports, if the permit ended with the quitter.
        guarded.permits.take(1).block(None);
        guarded.add_one();
        quitter.join().unwrap();
        giver.join().unwrap();
    });
}

#[test]
fn loom_a_wait_for_many_meets_two_gives() {
    loom::model(|| {
        let guarded = Guarded::new(0);
        let givers = [(); 2].map(|()| {
            let guarded = guarded.clone();
            loom::thread::spawn(move || assert!(guarded.permits.give(1)))
        });
        guarded.permits.take(2).block(None);
        givers.into_iter().for_each(|giver| giver.join().unwrap());
        assert_eq!(guarded.permits.free(), 0);
        assert_eq!(guarded.permits.waiting(), 0);
    });
}

#[test]
fn loom_an_event_wakes_who_waits_and_shows_what_came_before() {
    loom::model(|| {
        let event = Arc::new(Event::new());
        let written = Guarded::new(0);
        let setter = {
            let (event, written) = (event.clone(), written.clone());
            loom::thread::spawn(move || {
                written.add_one();
                event.set();
            })
        };
        event.wait_blocking();
        written.add_one();
        setter.join().unwrap();
    });
}

/// One that gives up, one that waits, one that sets and clears.
#[test]
fn loom_an_event_that_is_cleared_again_still_wakes_who_came_before() {
    loom::model(|| {
        let event = Arc::new(Event::new());
        let mut early = event.wait();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut early).poll(&mut cx).is_pending());
        let setter = {
            let event = event.clone();
            loom::thread::spawn(move || {
                event.set();
                event.clear();
            })
        };
        {
            let mut quitter = event.wait();
            let _ = Pin::new(&mut quitter).poll(&mut cx);
        }
        setter.join().unwrap();
        assert_eq!(Pin::new(&mut early).poll(&mut cx), Poll::Ready(()));
        assert_eq!(event.statistics().waiting, 0);
        assert!(!event.is_set());
    });
}

#[test]
fn loom_trap_011_a_condition_is_not_notified_in_vain() {
    loom::model(|| {
        let condition = Arc::new(Condition::new(false));
        let notifier = {
            let condition = condition.clone();
            loom::thread::spawn(move || {
                let mut guard = condition.acquire_blocking();
                *guard = true;
                condition.notify(&guard, 1);
            })
        };
        let guard = condition.acquire_blocking();
        let guard = condition.wait_for_blocking(guard, |ready| *ready);
        assert!(*guard);
        drop(guard);
        notifier.join().unwrap();
    });
}

#[test]
fn loom_a_barrier_lets_both_through() {
    loom::model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let other = {
            let barrier = barrier.clone();
            loom::thread::spawn(move || barrier.wait_blocking().unwrap())
        };
        let number = barrier.wait_blocking().unwrap();
        assert_eq!(number + other.join().unwrap(), 1);
    });
}

#[test]
fn loom_a_queue_hands_over_and_ends() {
    loom::model(|| {
        let queue = Arc::new(Queue::new(1));
        let producer = {
            let queue = queue.clone();
            loom::thread::spawn(move || {
                queue.put_blocking(1).unwrap();
                queue.put_blocking(2).unwrap();
                queue.shutdown(false);
            })
        };
        assert_eq!(queue.get_blocking(), Ok(1));
        assert_eq!(queue.get_blocking(), Ok(2));
        assert!(queue.get_blocking().is_err());
        producer.join().unwrap();
    });
}
