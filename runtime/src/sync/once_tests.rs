use std::future::pending;
use std::pin::pin;

use super::super::event::Event;
use super::super::testing::{Probe, now};
use super::*;

#[test]
fn the_first_makes_it_and_all_get_it() {
    let (once, done) = (Once::new(), Event::new());
    let mut maker = Probe::waiting(once.get_or_init(|| async {
        done.wait().await;
        1
    }));
    let mut others =
        [2, 3].map(|number| Probe::waiting(once.get_or_init(move || async move { number })));
    assert_eq!(once.statistics().waiting, 2);
    assert_eq!(once.set(4), Err(4));
    done.set();
    assert_eq!(*maker.ready(), 1);
    for other in &mut others {
        assert_eq!(other.wakes(), 1);
        assert_eq!(*other.ready(), 1);
    }
    assert_eq!(*now(once.get_or_init(pending)), 1);
    assert_eq!((once.get(), once.set(5)), (Some(&1), Err(5)));
}

#[test]
fn after_a_failure_the_next_in_line_makes_it() {
    let (once, done) = (Once::new(), Event::new());
    let mut failing = Probe::waiting(once.get_or_try_init(|| async {
        done.wait().await;
        Err("no")
    }));
    let mut next = Probe::waiting(once.get_or_try_init(|| async { Ok::<_, ()>(2) }));
    let mut last = Probe::waiting(once.get_or_try_init(|| async { Ok::<_, ()>(3) }));
    done.set();
    assert_eq!(failing.ready(), Err("no"));
    assert_eq!((next.wakes(), last.wakes()), (1, 0));
    assert_eq!(next.ready(), Ok(&2));
    assert_eq!(last.ready(), Ok(&2));
}

#[test]
fn trap_012_a_cancelled_maker_and_a_cancelled_successor_pass_it_on() {
    let once = Once::new();
    let maker = Probe::waiting(once.get_or_init(pending::<i32>));
    let next = Probe::waiting(once.get_or_init(|| async { 2 }));
    let mut last = Probe::waiting(once.get_or_init(|| async { 3 }));
    drop(maker);
    assert_eq!((next.wakes(), last.wakes()), (1, 0));
    drop(next);
    assert_eq!(last.wakes(), 1);
    assert_eq!(*last.ready(), 3);
}

#[test]
fn after_a_panic_the_next_in_line_makes_it() {
    let once = Once::new();
    let mut making = pin!(once.get_or_init(|| async { panic!("no value") }));
    let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        making.as_mut().poll(&mut cx).is_ready()
    }));
    assert!(polled.is_err());
    assert_eq!(*now(once.get_or_init(|| async { 2 })), 2);
    assert_eq!(once.get(), Some(&2));
}
