//! Turns, stops and closes at their edges: what a stop leaves behind, what time
//! it is when a run begins, and loops whose clock stands still.
#![forbid(unsafe_code)]

use polyloop::time::VirtualClock;
use polyloop::{EventLoop, Task, call_later, create_task, current_loop, sleep, yield_now};
use polyloop_tests::with_watchdog;
use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::SeqCst};
use std::task::Poll;
use std::thread;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(120);
const LONG: Duration = Duration::from_secs(36_000);

#[test]
fn a_stop_in_the_turn_that_ends_a_run_does_not_stop_the_next_one() {
    with_watchdog(HANG, || {
        let mut looped = EventLoop::new().unwrap();
        let first = looped.run_until_complete(async { current_loop().stop() });
        assert_eq!(first, Ok(()), "it was done first");
        let second = looped.run_until_complete(async {
            for _ in 0..10 {
                yield_now().await;
            }
            2
        });
        assert_eq!(second, Ok(2));
    });
}

#[test]
fn a_turn_fires_what_fell_due_since_the_last_one() {
    with_watchdog(HANG, || {
        let mut looped = EventLoop::new().unwrap();
        let fired = Rc::new(Cell::new(0));
        let count = fired.clone();
        drop(looped.create_task(async move {
            for _ in 0..2 {
                let count = count.clone();
                let later = call_later(Duration::from_millis(100), move || {
                    count.set(count.get() + 1);
                });
                drop(later);
            }
        }));
        looped.turn(Some(Duration::ZERO)).unwrap();
        thread::sleep(Duration::from_millis(150));
        looped.turn(Some(Duration::ZERO)).unwrap();
        assert_eq!(fired.get(), 2);
    });
}

#[test]
fn a_stop_before_the_run_still_fires_what_is_due() {
    with_watchdog(HANG, || {
        let mut looped = EventLoop::new().unwrap();
        let fired = Rc::new(Cell::new(false));
        let flag = fired.clone();
        drop(looped.create_task(async move {
            drop(call_later(Duration::from_millis(100), move || {
                flag.set(true)
            }));
        }));
        looped.turn(Some(Duration::ZERO)).unwrap();
        thread::sleep(Duration::from_millis(150));
        looped.handle().stop();
        looped.run_forever().unwrap();
        assert!(fired.get());
    });
}

#[test]
fn a_done_callback_added_between_two_runs_is_called_in_the_next_one() {
    with_watchdog(HANG, || {
        let told = Rc::new(Cell::new(0));
        let inner = told.clone();
        let builder = EventLoop::builder().exception_handler(move |context| {
            assert_eq!(context.panic_message(), Some("planted"));
            inner.set(inner.get() + 1);
        });
        let mut looped = builder.build().unwrap();
        let task = looped.create_task(async {});
        looped.turn(Some(Duration::ZERO)).unwrap();
        assert!(task.is_finished());
        let called = Rc::new(Cell::new(0));
        let count = called.clone();
        task.add_done_callback(move || count.set(count.get() + 1));
        task.add_done_callback(|| panic!("planted"));
        // Inside of another loop is between two runs of this one.
        let count = called.clone();
        polyloop::run(async { task.add_done_callback(move || count.set(count.get() + 1)) })
            .unwrap();
        assert_eq!(called.get(), 0, "never inline");
        looped.turn(Some(Duration::ZERO)).unwrap();
        assert_eq!((called.get(), told.get()), (2, 1));
        let held = called.clone();
        task.add_done_callback(move || held.set(9));
        looped.close(Duration::ZERO);
        let held = called.clone();
        task.add_done_callback(move || held.set(9));
        assert_eq!(called.get(), 2, "there is no next turn");
        assert_eq!(Rc::strong_count(&called), 1);
    });
}

/// Makes the next one when it is dropped, without end.
struct Endless(Rc<Cell<Option<Task<()>>>>);

impl Drop for Endless {
    fn drop(&mut self) {
        let next = Endless(self.0.clone());
        self.0.set(Some(create_task(async move { drop(next) })));
    }
}

/// Where a leak checker finds the task that the loop gave up on.
static GIVEN_UP: AtomicPtr<Task<()>> = AtomicPtr::new(std::ptr::null_mut());

#[test]
fn trap_063_closing_ends_although_drops_make_tasks_without_end() {
    with_watchdog(HANG, || {
        let last = Rc::new(Cell::new(None));
        // Each destroyed task is told of: not on standard error here.
        let builder = EventLoop::builder().exception_handler(|_| {});
        let looped = builder.build().unwrap();
        let first = Endless(last.clone());
        drop(looped.create_task(async move { drop(first) }));
        let report = looped.close(Duration::ZERO);
        assert_eq!(report.cancelled, 1);
        let given_up = last.take().expect("the last one made");
        assert!(!given_up.is_finished());
        let named = report.unfinished.last().expect("it is named");
        assert_eq!(named.id, given_up.id());
        GIVEN_UP.store(Box::leak(Box::new(given_up)), SeqCst);
    });
}

#[test]
fn the_grace_of_a_close_does_not_follow_a_clock_that_ran_ahead() {
    with_watchdog(HANG, || {
        struct NeverDone;
        impl Drop for NeverDone {
            fn drop(&mut self) {
                drop(create_task(pending::<()>()));
            }
        }
        let clock = VirtualClock::new();
        let looped = EventLoop::builder().clock(clock.clone()).build().unwrap();
        clock.advance(LONG);
        let held = NeverDone;
        drop(looped.create_task(async move {
            let _held = held;
            pending::<()>().await;
        }));
        let report = looped.close(Duration::from_millis(5));
        assert_eq!((report.cancelled, report.unfinished.len()), (1, 1));
    });
}

#[test]
fn the_grace_of_a_close_is_the_loop_s_own_time_too() {
    with_watchdog(HANG, || {
        struct SleepOnDrop(Rc<Cell<bool>>);
        impl Drop for SleepOnDrop {
            fn drop(&mut self) {
                let done = self.0.clone();
                drop(create_task(async move {
                    sleep(LONG).await;
                    done.set(true);
                }));
            }
        }
        let looped = EventLoop::builder().clock(VirtualClock::new()).build();
        let looped = looped.unwrap();
        let done = Rc::new(Cell::new(false));
        let held = SleepOnDrop(done.clone());
        drop(looped.create_task(async move {
            let _held = held;
            pending::<()>().await;
        }));
        // Ends long before the grace would in the system's time.
        let report = looped.close(LONG / 2);
        assert!(!done.get(), "ten hours do not fit into five");
        assert_eq!(report.unfinished.len(), 1);
    });
}

#[test]
fn a_turn_on_a_virtual_clock_waits_no_longer_than_it_was_told() {
    with_watchdog(HANG, || {
        let clock = VirtualClock::new();
        let builder = EventLoop::builder().clock(clock.clone());
        let mut looped = builder
            .busy_poll(Duration::from_micros(50))
            .build()
            .unwrap();
        clock.advance(LONG);
        // Nothing to wait for: neither ten hours of sleep, nor a spin without end.
        looped.turn(Some(Duration::from_millis(1))).unwrap();
        let fired = Rc::new(Cell::new(false));
        let flag = fired.clone();
        drop(looped.create_task(async move {
            drop(call_later(LONG, move || flag.set(true)));
        }));
        for _ in 0..10 {
            looped.turn(Some(Duration::from_millis(1))).unwrap();
        }
        assert!(!fired.get(), "ten milliseconds are not ten hours");
    });
}

#[test]
fn a_loop_on_a_virtual_clock_sleeps_while_it_waits_for_a_thread() {
    with_watchdog(HANG, || {
        let builder = EventLoop::builder().clock(VirtualClock::new());
        let mut looped = builder
            .busy_poll(Duration::from_micros(50))
            .build()
            .unwrap();
        looped
            .run_until_complete(async {
                let done = Arc::new(AtomicBool::new(false));
                let mut thread = None;
                poll_fn(|cx| {
                    if done.load(SeqCst) {
                        return Poll::Ready(());
                    }
                    let (waker, done) = (cx.waker().clone(), done.clone());
                    thread.get_or_insert_with(|| {
                        thread::spawn(move || {
                            thread::sleep(Duration::from_millis(200));
                            done.store(true, SeqCst);
                            waker.wake();
                        })
                    });
                    Poll::Pending
                })
                .await;
                thread.take().map(thread::JoinHandle::join);
            })
            .unwrap();
        assert!(looped.handle().metrics().parks > 0, "it spun all the time");
    });
}

#[test]
fn trap_094_busy_tasks_on_a_virtual_clock_do_not_starve_sockets() {
    with_watchdog(HANG, || {
        let builder = EventLoop::builder().clock(VirtualClock::new());
        let mut looped = builder.build().unwrap();
        looped
            .run_until_complete(async {
                let socket = polyloop::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
                let target = socket.local_addr().unwrap();
                let busy = create_task(async {
                    loop {
                        yield_now().await;
                    }
                });
                let reader = create_task(async move { socket.recv_from(&mut [0]).await });
                yield_now().await;
                let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
                peer.send_to(b"x", target).unwrap();
                reader.await.unwrap().unwrap();
                assert!(busy.cancel());
            })
            .unwrap();
    });
}
