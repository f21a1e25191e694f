use std::cell::RefCell;
use std::sync::Arc;
use std::task::{Wake, Waker};

use super::super::testing::{Probe, now};
use super::*;

#[test]
fn test_wait() {
    let event = Event::new();
    let mut first = Probe::waiting(event.wait());
    let mut second = Probe::waiting(event.wait());
    assert_eq!(event.statistics().waiting, 2);
    event.set();
    assert_eq!((first.wakes(), second.wakes()), (1, 1));
    first.ready();
    second.ready();
    assert!(event.waiters.is_idle());
}

#[test]
fn test_wait_on_set() {
    let event = Event::new();
    event.set();
    now(event.wait());
    assert!(event.is_set());
}

#[test]
fn test_wait_cancel() {
    let event = Event::new();
    let first = Probe::waiting(event.wait());
    let mut middle = Probe::waiting(event.wait());
    let last = Probe::waiting(event.wait());
    drop(first);
    drop(last);
    assert_eq!(event.statistics().waiting, 1);
    event.set();
    middle.ready();
}

#[test]
fn test_clear_with_waiters() {
    let event = Event::new();
    let mut waiter = Probe::waiting(event.wait());
    event.set();
    event.clear();
    assert!(!event.is_set());
    let _late = Probe::waiting(event.wait());
    waiter.ready();
    assert_eq!(event.statistics().waiting, 1);
}

#[test]
fn a_second_set_wakes_nobody_again() {
    let event = Event::new();
    let waiter = Probe::waiting(event.wait());
    event.set();
    event.set();
    assert_eq!(waiter.wakes(), 1);
}

#[test]
fn the_latest_waker_is_the_one_that_is_called() {
    let event = Event::new();
    let mut waiter = Probe::waiting(event.wait());
    let moved = Arc::new(Count::default());
    assert!(
        waiter
            .poll_with(&Waker::from(Arc::clone(&moved)))
            .is_pending()
    );
    event.set();
    assert_eq!(waiter.wakes(), 0);
    assert_eq!(moved.0.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn a_waker_may_use_the_event() {
    // The waker runs inside `set`; whoever it lets wait is not woken by it.
    thread_local!(static EVENT: &'static Event = kept(Event::new()));
    thread_local!(static LATE: RefCell<Vec<Probe<EventWait<'static>>>> = const { RefCell::new(Vec::new()) });
    struct Reenter;
    impl Wake for Reenter {
        fn wake(self: Arc<Self>) {
            let event = EVENT.with(|event| *event);
            event.clear();
            let late = Probe::waiting(event.wait());
            LATE.with_borrow_mut(|probes| probes.push(late));
        }
    }
    EVENT.with(|event| {
        let mut first = Probe::new(event.wait());
        assert!(
            first
                .poll_with(&Waker::from(Arc::new(Reenter)))
                .is_pending()
        );
        let mut second = Probe::waiting(event.wait());
        event.set();
        first.ready();
        second.ready();
        assert_eq!(event.statistics().waiting, 1);
        event.set();
        LATE.with_borrow_mut(|probes| {
            probes.iter_mut().for_each(Probe::ready);
            probes.clear();
        });
    });
}

#[test]
fn trap_051_a_waker_that_panics_keeps_nobody_asleep() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("a waker's own trouble");
        }
    }
    let event = Event::new();
    let mut bad = Probe::new(event.wait());
    assert!(bad.poll_with(&Waker::from(Arc::new(Panics))).is_pending());
    let mut good = Probe::waiting(event.wait());
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| event.set()));
    assert!(outcome.is_err());
    assert_eq!(good.wakes(), 1);
    good.ready();
    bad.ready();
}

#[test]
fn a_leaked_waiter_does_not_disturb_its_neighbours() {
    let event = Event::new();
    let mut first = Probe::waiting(event.wait());
    // Its borrow of the event must not seem to last for ever.
    let leaked = Box::into_raw(Box::new(Probe::waiting(event.wait())));
    kept(leaked.cast::<()>());
    let mut last = Probe::waiting(event.wait());
    event.set();
    first.ready();
    last.ready();
}

#[derive(Default)]
struct Count(std::sync::atomic::AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

/// Leaks a value, and keeps a pointer to it in a static, so that a leak checker
/// sees that it is meant.
fn kept<T: 'static>(value: T) -> &'static T {
    use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};
    static KEPT: [AtomicPtr<()>; 2] = [const { AtomicPtr::new(std::ptr::null_mut()) }; 2];
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let value = Box::leak(Box::new(value));
    let slot = &KEPT[NEXT.fetch_add(1, Relaxed)];
    slot.store(std::ptr::from_mut(value).cast(), Relaxed);
    value
}
