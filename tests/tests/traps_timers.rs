//! Timers in numbers.
#![forbid(unsafe_code)]

use polyloop::time::{VirtualClock, now};
use polyloop::{CallHandle, EventLoop, call_at, sleep};
use polyloop_tests::{XorShift, with_watchdog};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(240);

/// Timers that are set and cancelled while others fire: each that was not
/// cancelled fires once, at its time, and none that was.
#[test]
fn trap_020_021_timers_set_and_cancelled_by_timers_all_end_as_they_should() {
    with_watchdog(HANG, || {
        let clock = VirtualClock::new();
        let mut looped = EventLoop::builder().clock(clock).build().unwrap();
        looped
            .run_until_complete(async {
                let world = Rc::new(World::default());
                for _ in 0..50 {
                    set_one(&world);
                }
                let span = world.span.get();
                sleep(span * 2).await;
                assert_eq!(world.late.get(), 0);
                assert_eq!(world.fired.get() + world.cancelled.get(), world.set.get());
                assert!(world.fired.get() > 2_000, "{}", world.fired.get());
                assert!(world.cancelled.get() > 200, "{}", world.cancelled.get());
            })
            .unwrap();
    });
}

struct World {
    dice: RefCell<XorShift>,
    span: Cell<Duration>,
    set: Cell<usize>,
    fired: Cell<usize>,
    cancelled: Cell<usize>,
    late: Cell<usize>,
    alive: RefCell<Vec<(usize, CallHandle)>>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            dice: RefCell::new(XorShift::new(20)),
            span: Cell::new(Duration::from_secs(3_600)),
            set: Cell::default(),
            fired: Cell::default(),
            cancelled: Cell::default(),
            late: Cell::default(),
            alive: RefCell::default(),
        }
    }
}

/// Sets a timer that sets more and cancels some, the nearest ones first of all.
fn set_one(world: &Rc<World>) {
    let number = world.set.get();
    if number >= 4_000 {
        return;
    }
    world.set.set(number + 1);
    // From nothing to an hour: each level of the wheel, and the one at hand.
    let scale = world.dice.borrow_mut().below(42);
    let nanos = world.dice.borrow_mut().below(1 << scale);
    let delay = Duration::from_nanos(nanos).min(world.span.get());
    let at = now() + delay;
    let fires = world.clone();
    let handle = call_at(at, move || {
        fires.fired.set(fires.fired.get() + 1);
        if now() < at {
            fires.late.set(fires.late.get() + 1);
        }
        fires
            .alive
            .borrow_mut()
            .retain(|(other, _)| *other != number);
        set_one(&fires);
        set_one(&fires);
        if fires.dice.borrow_mut().below(3) == 0 {
            cancel_one(&fires);
        }
    });
    world.alive.borrow_mut().push((number, handle));
}

fn cancel_one(world: &World) {
    let mut alive = world.alive.borrow_mut();
    if alive.is_empty() {
        return;
    }
    let at = world.dice.borrow_mut().below(alive.len() as u64) as usize;
    let (_, handle) = alive.swap_remove(at);
    handle.cancel();
    world.cancelled.set(world.cancelled.get() + 1);
}
