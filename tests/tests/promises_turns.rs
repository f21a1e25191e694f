//! The order of a turn: what runs when, and what waits for the next one.
#![forbid(unsafe_code)]

use polyloop::time::VirtualClock;
use polyloop::{
    EventLoop, RunError, call_at, call_later, call_soon, create_task, current_loop, sleep,
    yield_now,
};
use polyloop_tests::with_watchdog;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

const HANG: Duration = Duration::from_secs(120);

/// What happened, in order.
type Trace = Rc<RefCell<Vec<String>>>;

fn trace() -> (Trace, impl Fn(&str) + Clone + 'static) {
    let trace = Trace::default();
    let inner = trace.clone();
    (trace, move |what: &str| {
        inner.borrow_mut().push(what.to_owned());
    })
}

fn virtual_loop() -> EventLoop {
    let builder = EventLoop::builder().clock(VirtualClock::new());
    builder
        .build()
        .expect("a machine that tests has descriptors")
}

fn one_turn(looped: &mut EventLoop) {
    looped.turn(Some(Duration::ZERO)).expect("polling works");
}

#[test]
fn callbacks_and_tasks_share_one_queue_in_order() {
    with_watchdog(HANG, || {
        let (seen, note) = trace();
        polyloop::run(async move {
            for round in 0..3 {
                let (a, b) = (note.clone(), note.clone());
                drop(call_soon(move || a(&format!("callback {round}"))));
                drop(create_task(async move { b(&format!("task {round}")) }));
            }
            yield_now().await;
            note("main");
        })
        .unwrap();
        let expected = [
            "callback 0",
            "task 0",
            "callback 1",
            "task 1",
            "callback 2",
            "task 2",
            "main",
        ];
        assert_eq!(*seen.borrow(), expected);
    });
}

#[test]
fn what_a_callback_schedules_runs_in_the_next_turn() {
    with_watchdog(HANG, || {
        let (seen, note) = trace();
        let mut looped = EventLoop::new().unwrap();
        let handle = looped.handle();
        let outer = note.clone();
        let schedule = async move {
            let inner = outer.clone();
            outer("first");
            drop(call_soon(move || inner("second")));
        };
        drop(looped.create_task(schedule));
        one_turn(&mut looped);
        assert_eq!(*seen.borrow(), ["first"]);
        one_turn(&mut looped);
        assert_eq!(*seen.borrow(), ["first", "second"]);
        drop(handle);
    });
}

#[test]
fn a_callback_from_another_thread_joins_the_same_queue() {
    with_watchdog(HANG, || {
        let (seen, note) = trace();
        polyloop::run(async move {
            let handle = current_loop();
            let before = note.clone();
            drop(call_soon(move || before("before")));
            let submit = move || handle.submit(|| async {}, Ignored).unwrap();
            drop(std::thread::spawn(submit).join().unwrap());
            let after = note.clone();
            drop(call_soon(move || after("after")));
            // The arrival is taken at the start of the next turn, behind both.
            yield_now().await;
            yield_now().await;
        })
        .unwrap();
        assert_eq!(*seen.borrow(), ["before", "after"]);
    });
}

struct Ignored;

impl polyloop::Outcome<()> for Ignored {
    fn resolve(&self, result: Result<(), polyloop::TaskError>) {
        result.expect("the loop runs it");
    }
}

#[test]
fn a_cancelled_callback_is_skipped_and_its_neighbours_are_not() {
    with_watchdog(HANG, || {
        let (seen, note) = trace();
        polyloop::run(async move {
            let (a, b, c) = (note.clone(), note.clone(), note.clone());
            drop(call_soon(move || a("a")));
            let cancelled = call_soon(move || b("b"));
            drop(call_soon(move || c("c")));
            assert!(cancelled.cancel());
            yield_now().await;
            assert!(cancelled.is_finished() && !cancelled.cancel());
        })
        .unwrap();
        assert_eq!(*seen.borrow(), ["a", "c"]);
    });
}

#[test]
fn timers_fire_by_deadline_and_equal_ones_in_order() {
    with_watchdog(HANG, || {
        let (seen, note) = trace();
        let mut looped = virtual_loop();
        let timers = async move {
            let now = polyloop::time::now();
            let at = |ms: u64| now + Duration::from_millis(ms);
            for (name, ms) in [("c", 30), ("a1", 10), ("b", 20), ("a2", 10), ("a3", 10)] {
                let note = note.clone();
                drop(call_at(at(ms), move || note(name)));
            }
            let past = note.clone();
            drop(call_at(now, move || past("now")));
            sleep(Duration::from_secs(1)).await;
        };
        looped.run_until_complete(timers).unwrap();
        assert_eq!(*seen.borrow(), ["now", "a1", "a2", "a3", "b", "c"]);
    });
}

#[test]
fn a_cancelled_timer_does_not_fire_not_even_from_its_neighbour() {
    with_watchdog(HANG, || {
        let (seen, note) = trace();
        let mut looped = virtual_loop();
        let timers = async move {
            let (first, second) = (note.clone(), note.clone());
            let victim = Rc::new(RefCell::new(None));
            let chosen = victim.clone();
            drop(call_later(Duration::from_millis(5), move || {
                first("first");
                let victim: Option<polyloop::CallHandle> = chosen.borrow_mut().take();
                assert!(victim.unwrap().cancel());
            }));
            let handle = call_later(Duration::from_millis(5), move || second("second"));
            *victim.borrow_mut() = Some(handle);
            sleep(Duration::from_millis(10)).await;
        };
        looped.run_until_complete(timers).unwrap();
        assert_eq!(*seen.borrow(), ["first"]);
    });
}

#[test]
fn the_virtual_clock_jumps_over_waits_and_only_over_them() {
    with_watchdog(HANG, || {
        let began = Instant::now();
        let clock = VirtualClock::new();
        let mut looped = EventLoop::builder().clock(clock.clone()).build().unwrap();
        let day = Duration::from_secs(86_400);
        let passed = looped.run_until_complete(async {
            let before = polyloop::time::now();
            let short = create_task(sleep(day));
            let long = create_task(sleep(day * 3));
            for _ in 0..1_000 {
                yield_now().await;
            }
            assert_eq!(polyloop::time::now(), before, "busy time is no time");
            short.await.unwrap();
            assert_eq!(polyloop::time::now() - before, day);
            long.await.unwrap();
            polyloop::time::now() - before
        });
        assert_eq!(passed.unwrap(), day * 3);
        assert!(began.elapsed() < day);
    });
}

#[test]
fn stop_before_the_run_makes_it_one_turn() {
    with_watchdog(HANG, || {
        let (seen, note) = trace();
        let mut looped = EventLoop::new().unwrap();
        let schedule = async move {
            note("first");
            yield_now().await;
            note("second");
        };
        drop(looped.create_task(schedule));
        looped.handle().stop();
        looped.run_forever().unwrap();
        assert_eq!(*seen.borrow(), ["first"]);
        looped.handle().stop();
        looped.run_forever().unwrap();
        assert_eq!(*seen.borrow(), ["first", "second"]);
    });
}

#[test]
fn stop_lets_the_batch_end_and_stops_the_main_future() {
    with_watchdog(HANG, || {
        let (seen, note) = trace();
        let mut looped = EventLoop::new().unwrap();
        let stopped = looped.run_until_complete(async move {
            let (a, b) = (note.clone(), note.clone());
            drop(call_soon(move || {
                current_loop().stop();
                a("stop");
            }));
            drop(call_soon(move || b("same batch")));
            std::future::pending::<()>().await;
        });
        assert_eq!(stopped, Err(RunError::Stopped));
        assert_eq!(*seen.borrow(), ["stop", "same batch"]);
        assert_eq!(
            looped.run_until_complete(async { 7 }),
            Ok(7),
            "it runs again"
        );
    });
}

#[test]
fn trap_036_a_run_inside_a_run_is_an_error_and_changes_nothing() {
    with_watchdog(HANG, || {
        let mut other = EventLoop::new().unwrap();
        polyloop::run(async {
            let id = current_loop().id();
            assert_eq!(other.run_until_complete(async {}), Err(RunError::Nested));
            assert_eq!(other.run_forever(), Err(RunError::Nested));
            assert!(other.turn(Some(Duration::ZERO)).is_err());
            assert!(polyloop::run(async {}).is_err());
            assert_eq!(current_loop().id(), id);
            yield_now().await;
        })
        .unwrap();
        assert_eq!(other.run_until_complete(async { 1 }), Ok(1));
    });
}

#[test]
fn tasks_outlive_the_main_future_and_go_on_with_the_next_run() {
    with_watchdog(HANG, || {
        let done = Rc::new(Cell::new(0));
        let mut looped = EventLoop::new().unwrap();
        let count = done.clone();
        let mut left = None;
        let make = async {
            left = Some(create_task(async move {
                for _ in 0..5 {
                    yield_now().await;
                    count.set(count.get() + 1);
                }
            }));
        };
        looped.run_until_complete(make).unwrap();
        let task = left.unwrap();
        assert!(!task.is_finished());
        looped.run_until_complete(task).unwrap().unwrap();
        assert_eq!(done.get(), 5);
    });
}

#[test]
fn trap_004_016_the_root_future_is_polled_once_a_wake() {
    with_watchdog(HANG, || {
        let polls = Rc::new(Cell::new(0));
        let count = polls.clone();
        polyloop::run(async move {
            let mut left = 10;
            std::future::poll_fn(|cx| {
                count.set(count.get() + 1);
                left -= 1;
                if left == 0 {
                    return std::task::Poll::Ready(());
                }
                // Any number of wakes before the poll is one poll.
                cx.waker().wake_by_ref();
                cx.waker().wake_by_ref();
                let copy = cx.waker().clone();
                copy.wake();
                std::task::Poll::Pending
            })
            .await;
        })
        .unwrap();
        assert_eq!(polls.get(), 10);
    });
}
