//! Code that is not ours at the worst moment: drops, wakers and handlers that
//! panic or call back in while a task ends, while events are handed out, and
//! while the loop is closed.
#![forbid(unsafe_code)]

use futures::task::ArcWake;
use polyloop::net::TcpListener;
use polyloop::{EventLoop, Outcome, TaskError, create_task, current_loop, sleep, yield_now};
use polyloop_tests::{Bomb, listening, with_watchdog};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

const HANG: Duration = Duration::from_secs(120);

/// An outcome too large for the recycled sizes, whose drop panics.
struct LargeBomb([u8; 2_000], Bomb);

impl Outcome<()> for LargeBomb {
    fn resolve(&self, result: Result<(), TaskError>) {
        assert!(result.is_ok() && self.0[0] == 0 && !self.1.0.is_empty());
    }
}

#[test]
fn a_handler_told_of_an_outcome_s_drop_finds_its_task_in_place() {
    with_watchdog(HANG, || {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let inner = seen.clone();
        let handler = move |_: &polyloop::ExceptionContext<'_>| {
            // If the cell's memory had been given back, it would be in here.
            let blocks: Vec<_> = (1_600..3_000).step_by(8).map(|n| vec![255_u8; n]).collect();
            inner.borrow_mut().push(polyloop::current_task());
            drop(blocks);
        };
        let mut looped = EventLoop::builder()
            .exception_handler(handler)
            .build()
            .unwrap();
        let expected = looped.run_until_complete(async {
            let outcome = LargeBomb([0; 2_000], Bomb("outcome"));
            let id = Arc::new(parking_lot::Mutex::new(None));
            let out = id.clone();
            let work = move || async move { *out.lock() = polyloop::current_task() };
            drop(current_loop().submit(work, outcome).unwrap());
            yield_now().await;
            yield_now().await;
            *id.lock()
        });
        assert_eq!(*seen.borrow(), [expected.unwrap()]);
    });
}

/// Ready at once with a value whose drop panics, and so does its own.
struct DoubleBomb(#[allow(dead_code)] Bomb);

impl Future for DoubleBomb {
    type Output = Bomb;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Bomb> {
        Poll::Ready(Bomb("value"))
    }
}

#[test]
fn a_value_displaced_by_its_future_s_panicking_drop_is_told() {
    with_watchdog(HANG, || {
        let (mut looped, told) = listening();
        looped
            .run_until_complete(async {
                let task = create_task(DoubleBomb(Bomb("future")));
                let error = task.await.map(std::mem::forget).unwrap_err();
                assert_eq!(error.panic_message(), Some("future"));
            })
            .unwrap();
        assert_eq!(*told.borrow(), ["value"]);
    });
}

#[test]
fn a_handle_dropped_with_a_panicking_value_gives_the_task_up() {
    with_watchdog(HANG, || {
        let (mut looped, told) = listening();
        let outside = looped.create_task(async { Bomb("outside") });
        looped
            .run_until_complete(async {
                let task = create_task(async { Bomb("inside") });
                yield_now().await;
                assert!(task.is_finished());
                drop(task);
            })
            .unwrap();
        assert!(outside.is_finished());
        assert_eq!(*told.borrow(), ["inside"]);
        // Nobody is left to be told but standard error.
        drop(looped);
        drop(outside);
    });
}

#[test]
fn a_handler_whose_payload_panics_breaks_nothing_else() {
    with_watchdog(HANG, || {
        let handler = |_: &polyloop::ExceptionContext<'_>| panic_any(Bomb("payload"));
        let mut looped = EventLoop::builder()
            .exception_handler(handler)
            .build()
            .unwrap();
        let answer = looped.run_until_complete(async {
            drop(create_task(async { panic!("planted") }));
            // A payload whose drop panics with such a payload again.
            drop(create_task(async { panic_any(Nested) }));
            yield_now().await;
            yield_now().await;
            3
        });
        assert_eq!(answer, Ok(3));
    });
}

struct Nested;

impl Drop for Nested {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic_any(Bomb("again"));
        }
    }
}

struct BrokenWaker;

impl ArcWake for BrokenWaker {
    fn wake_by_ref(_: &Arc<Self>) {
        panic!("waker");
    }
}

#[test]
fn a_panicking_waker_of_a_socket_costs_no_other_socket_its_event() {
    with_watchdog(HANG, || {
        let (mut looped, told) = listening();
        looped
            .run_until_complete(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let waker = futures::task::waker(Arc::new(BrokenWaker));
                let mut cx = Context::from_waker(&waker);
                let mut pairs = Vec::new();
                for _ in 0..8 {
                    let peer = std::net::TcpStream::connect(address).unwrap();
                    let (stream, _) = listener.accept().await.unwrap();
                    assert!(stream.try_read(&mut [0]).is_err(), "nothing there yet");
                    pairs.push((peer, Rc::new(stream)));
                }
                let waiting: Vec<_> = pairs[1..]
                    .iter()
                    .map(|(_, stream)| {
                        let stream = stream.clone();
                        create_task(async move { stream.readable().await })
                    })
                    .collect();
                yield_now().await;
                assert!(pairs[0].1.poll_readable(&mut cx).is_pending());
                for (peer, _) in &mut pairs {
                    std::io::Write::write_all(peer, b"x").unwrap();
                }
                for task in waiting {
                    task.await.unwrap();
                }
            })
            .unwrap();
        assert_eq!(*told.borrow(), ["waker"]);
    });
}

/// On the drop of its last clone it makes a task, then panics.
struct LastWord(Arc<()>);

impl ArcWake for LastWord {
    fn wake_by_ref(_: &Arc<Self>) {}
}

impl Drop for LastWord {
    fn drop(&mut self) {
        let held = self.0.clone();
        drop(create_task(async move {
            let _held = held;
            std::future::pending::<()>().await;
        }));
        panic!("last word");
    }
}

#[test]
fn wakers_dropped_by_the_close_may_panic_and_make_tasks() {
    with_watchdog(HANG, || {
        let (mut looped, told) = listening();
        let alive = Arc::new(());
        let mut timers = Vec::new();
        looped
            .run_until_complete(async {
                for _ in 0..2 {
                    let waker = futures::task::waker(Arc::new(LastWord(alive.clone())));
                    let mut timer = Box::pin(sleep(Duration::from_secs(3_600)));
                    let mut cx = Context::from_waker(&waker);
                    assert!(timer.as_mut().poll(&mut cx).is_pending());
                    timers.push(timer);
                }
            })
            .unwrap();
        let closed = catch_unwind(AssertUnwindSafe(|| looped.close(Duration::ZERO)));
        assert!(closed.is_ok());
        // Their panics, then the two tasks that were destroyed while pending.
        let expected = ["last word", "last word", "no panic", "no panic"];
        assert_eq!(*told.borrow(), expected);
        assert_eq!(Arc::strong_count(&alive), 1, "their tasks are gone too");
    });
}
