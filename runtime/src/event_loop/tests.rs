//! How a loop waits, seen by a driver that keeps count, and what it spins.

use super::EventLoop;
use crate::reactor::{Driver, Event, Wait};
use crate::spin::{BusyThread, MAX_SPIN};
use crate::timers::Clock;
use crate::{HomeThread, LoopState, Unpark, create_task, current_loop, sleep};
use std::cell::{Cell, RefCell};
use std::future::pending;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Serves no I/O; writes down every wait, and sleeps through those with an end.
struct Counting(Rc<RefCell<Vec<Wait>>>);

impl Driver for Counting {
    fn wait(&mut self, wait: Wait, _sink: &mut dyn FnMut(Event)) -> io::Result<()> {
        self.0.borrow_mut().push(wait);
        if let Wait::Until(moment) = wait {
            thread::sleep(moment.saturating_duration_since(Instant::now()));
        }
        Ok(())
    }

    fn unparker(&self) -> Arc<dyn Unpark> {
        Arc::new(Nobody)
    }

    fn registry(&self) -> io::Result<Option<mio::Registry>> {
        Ok(None)
    }
}

struct Nobody;

impl Unpark for Nobody {
    fn unpark(&self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn counting() -> (EventLoop, Rc<RefCell<Vec<Wait>>>) {
    let waits = Rc::<RefCell<Vec<Wait>>>::default();
    let builder = EventLoop::builder().driver(Counting(waits.clone()));
    let looped = builder.busy_poll(Duration::ZERO).build();
    (looped.expect("nothing that can fail"), waits)
}

#[test]
fn a_stop_in_a_turn_lets_the_next_turn_wait() {
    let (mut looped, waits) = counting();
    drop(looped.create_task(async { current_loop().stop() }));
    let limit = Some(Duration::from_millis(1));
    looped.turn(limit).unwrap();
    assert_eq!(waits.take(), [Wait::Poll], "stopped: no wait");
    looped.turn(limit).unwrap();
    assert!(matches!(waits.take()[..], [Wait::Until(_)]));
}

#[test]
fn a_stop_during_the_close_does_not_keep_the_grace_busy() {
    struct StopOnDrop;
    impl Drop for StopOnDrop {
        fn drop(&mut self) {
            current_loop().stop();
            drop(create_task(pending::<()>()));
        }
    }
    let (looped, waits) = counting();
    let held = StopOnDrop;
    drop(looped.create_task(async move {
        let _held = held;
        pending::<()>().await;
    }));
    let report = looped.close(Duration::from_millis(50));
    assert_eq!(report.unfinished.len(), 1);
    assert!(waits.borrow().len() < 10, "{}", waits.borrow().len());
}

#[cfg(unix)]
#[test]
fn whoever_is_in_a_hurry_ends_the_grace() {
    struct Lingers;
    impl Drop for Lingers {
        fn drop(&mut self) {
            drop(create_task(pending::<()>()));
        }
    }
    let (looped, waits) = counting();
    let held = Lingers;
    drop(looped.create_task(async move {
        let _held = held;
        pending::<()>().await;
    }));
    // Without the hurry it would take the hour: the driver sleeps for real.
    let asked = Cell::new(0);
    let hurry = || asked.replace(asked.get() + 1) == 1;
    let report = looped.close_unless(Duration::from_secs(3600), &hurry);
    assert_eq!((report.unfinished.len(), asked.get()), (1, 2));
    assert_eq!(waits.borrow().len(), 0);
}

/// A clock of which every reading is a microsecond after the one before.
struct Ticking(Cell<Instant>);

impl Clock for Ticking {
    fn now(&self) -> Instant {
        self.0.set(self.0.get() + Duration::from_micros(1));
        self.0.get()
    }

    fn jump(&self, _: Instant) -> bool {
        false
    }
}

#[test]
fn timers_alone_are_no_conversation_and_end_the_spinning() {
    let builder = EventLoop::builder().clock(Ticking(Cell::new(Instant::now())));
    let mut looped = builder.driver(Counting(Rc::default())).build().unwrap();
    looped.engine.spin.wait_ended(Duration::ZERO);
    // Without spinning: a round that somebody interrupts would end it as well.
    let _crowd: Vec<_> = (0..1_000).map(|_| BusyThread::enter()).collect();
    assert!(looped.engine.spin.get() > Duration::ZERO);
    let ticks = async {
        for _ in 0..20 {
            sleep(MAX_SPIN / 4).await;
        }
    };
    looped.run_until_complete(ticks).unwrap();
    assert_eq!(looped.engine.spin.get(), Duration::ZERO);
}

#[test]
fn very_many_timers_are_gathered_and_none_is_early() {
    const COUNT: u64 = 1_000;
    let mut looped = EventLoop::new().unwrap();
    let handle = looped.handle();
    let early = looped.run_until_complete(async {
        let began = Instant::now();
        // Ten microseconds apart, set in an order that is no order.
        let tasks: Vec<_> = (0..COUNT)
            .map(|number| {
                let place = Duration::from_micros(number * 617 % COUNT * 10);
                let deadline = began + Duration::from_millis(5) + place;
                crate::create_task(async move {
                    crate::time::sleep_until(deadline).await;
                    Instant::now() < deadline
                })
            })
            .collect();
        let mut early = 0;
        for task in tasks {
            early += u64::from(task.await.unwrap());
        }
        early
    });
    assert_eq!(early, Ok(0));
    // Ten milliseconds hold a hundred gatherings; a slow machine needs fewer.
    let parks = handle.metrics().parks;
    assert!(parks <= COUNT / 4, "{parks} parks");
}

#[test]
fn a_handle_says_what_its_loop_is_doing() {
    let mut looped = EventLoop::new().unwrap();
    let handle = looped.handle();
    assert_eq!(handle.state(), LoopState::New);
    let inside = async { crate::current_loop().state() };
    assert_eq!(looped.run_until_complete(inside), Ok(LoopState::Running));
    assert_eq!(handle.state(), LoopState::Stopped);
    looped.turn(Some(Duration::ZERO)).unwrap();
    assert_eq!(handle.state(), LoopState::Running, "between two turns");
    let home = HomeThread::current();
    assert_eq!(home, Some(handle.home_thread()));
    looped.close(Duration::ZERO);
    assert_eq!(handle.state(), LoopState::Closed);
    assert_eq!(HomeThread::current(), None, "no loop lives here any more");
}

#[test]
fn a_task_that_is_cancelled_before_its_first_poll_says_so() {
    let ended = crate::run(async {
        let never = crate::create_task(std::future::pending::<()>());
        never.cancel();
        let begun = crate::create_task(std::future::pending::<()>());
        crate::yield_now().await;
        crate::yield_now().await;
        begun.cancel();
        (never.await.unwrap_err(), begun.await.unwrap_err())
    });
    let (never, begun) = ended.unwrap();
    assert!(never.is_cancelled() && never.is_never_started());
    assert!(begun.is_cancelled() && !begun.is_never_started());
}
