//! Wakes that other runtimes lost, on the loop's own thread or on the way to it.
#![forbid(unsafe_code)]

use futures::{AsyncReadExt, AsyncWriteExt};
use parking_lot::{Condvar, Mutex};
use polyloop::net::{TcpListener, TcpStream};
use polyloop::{
    Driver, Event, EventLoop, Hooks, Unpark, Wait, call_later, create_task, current_loop, yield_now,
};
use polyloop_bridge::{LoopGroup, run_coroutine_threadsafe};
use polyloop_tests::{XorShift, with_watchdog};
use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

const HANG: Duration = Duration::from_secs(240);

/// Waits for a waker that is left in its place, and counts its polls.
fn until_woken(place: &Rc<Cell<Option<Waker>>>, polls: &Rc<Cell<u32>>) -> impl Future<Output = ()> {
    let (place, polls) = (place.clone(), polls.clone());
    poll_fn(move |cx| {
        polls.set(polls.get() + 1);
        if polls.get() > 1 {
            return Poll::Ready(());
        }
        place.set(Some(cx.waker().clone()));
        Poll::Pending
    })
}

/// Wakes the waker in its place before the first sleep.
struct WakesBeforeSleep {
    place: Rc<Cell<Option<Waker>>>,
    sleeps: Rc<Cell<u32>>,
}

impl Hooks for WakesBeforeSleep {
    fn before_park(&self) {
        self.sleeps.set(self.sleeps.get() + 1);
        if let Some(waker) = self.place.take() {
            waker.wake();
        }
    }
}

#[test]
fn trap_006_a_wake_in_the_hook_before_the_sleep_ends_it() {
    with_watchdog(HANG, || {
        let (place, polls, sleeps) = Default::default();
        let hooks = WakesBeforeSleep {
            place: Rc::clone(&place),
            sleeps: Rc::clone(&sleeps),
        };
        let mut looped = EventLoop::builder().hooks(hooks).build().unwrap();
        // Nothing else is ever going to happen on this loop.
        looped
            .run_until_complete(until_woken(&place, &polls))
            .unwrap();
        assert_eq!(polls.get(), 2);
        assert!(sleeps.get() >= 1, "the hook was called");
    });
}

#[test]
fn trap_007_a_yield_before_a_blocking_section_is_kept() {
    with_watchdog(HANG, || {
        let other = LoopGroup::builder().loops(1).build().unwrap();
        let handle = other.handle(0).clone();
        let log = polyloop::run(async move {
            let log = Rc::new(RefCell::new(Vec::new()));
            let yields = |name: &'static str| {
                let log = log.clone();
                create_task(async move {
                    for _ in 0..3 {
                        yield_now().await;
                    }
                    log.borrow_mut().push(name);
                })
            };
            let before = yields("before");
            let blocks = {
                let log = log.clone();
                create_task(async move {
                    yield_now().await;
                    // The whole loop stands still here.
                    let answer = run_coroutine_threadsafe(&handle, || async { 7 });
                    assert_eq!(answer.result().unwrap(), 7);
                    log.borrow_mut().push("blocked");
                })
            };
            let after = yields("after");
            before.await.unwrap();
            blocks.await.unwrap();
            after.await.unwrap();
            Rc::try_unwrap(log).unwrap().into_inner()
        });
        assert_eq!(log.unwrap(), ["blocked", "before", "after"]);
    });
}

/// Readiness is each socket's own: what comes for one between another's "would
/// block" and its wait is not taken for old.
#[test]
fn trap_008_009_an_event_beside_a_would_block_is_not_lost() {
    const PAIRS: usize = 8;
    const BYTES: usize = 4_000;
    with_watchdog(HANG, || {
        let received = polyloop::run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let writer = thread::spawn(move || {
                use std::io::Write;
                let mut dice = XorShift::new(8);
                let mut sockets: Vec<_> = (0..PAIRS)
                    .map(|_| std::net::TcpStream::connect(address).unwrap())
                    .collect();
                for socket in &sockets {
                    socket.set_nodelay(true).unwrap();
                }
                for _ in 0..BYTES {
                    let at = dice.below(PAIRS as u64) as usize;
                    sockets[at].write_all(b"x").unwrap();
                }
            });
            let mut readers = Vec::new();
            for _ in 0..PAIRS {
                let (mut stream, _) = listener.accept().await.unwrap();
                readers.push(create_task(async move {
                    let (mut bytes, mut one) = (0, [0]);
                    while stream.read(&mut one).await.unwrap() != 0 {
                        bytes += 1;
                    }
                    bytes
                }));
            }
            let mut received = 0;
            for reader in readers {
                received += reader.await.unwrap();
            }
            writer.join().unwrap();
            received
        });
        assert_eq!(received.unwrap(), BYTES);
    });
}

/// Two tasks that wake each other for ever take turns with everything else.
#[test]
fn trap_010_two_that_wake_each_other_starve_nobody() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let places: [Rc<Cell<Option<Waker>>>; 2] = Default::default();
            for own in 0..2 {
                let places = places.clone();
                let endless = poll_fn(move |cx| {
                    places[own].set(Some(cx.waker().clone()));
                    if let Some(other) = places[1 - own].take() {
                        other.wake();
                    }
                    Poll::<()>::Pending
                });
                drop(create_task(endless));
            }
            let counts = create_task(async {
                for _ in 0..1_000 {
                    yield_now().await;
                }
            });
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let asks = create_task(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(b"ping").await.unwrap();
            });
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut said = String::new();
            stream.read_to_string(&mut said).await.unwrap();
            assert_eq!(said, "ping");
            asks.await.unwrap();
            counts.await.unwrap();
        })
        .unwrap();
    });
}

#[test]
fn trap_017_a_task_that_wakes_itself_in_its_poll_is_polled_again() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let tasks: Vec<_> = (0..100)
                .map(|left| {
                    let mut left: u32 = left;
                    create_task(poll_fn(move |cx| {
                        if left == 0 {
                            return Poll::Ready(());
                        }
                        left -= 1;
                        cx.waker().wake_by_ref();
                        Poll::Pending
                    }))
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        })
        .unwrap();
    });
}

/// What a loop without descriptors sleeps on. The first calls fail, as they do
/// when the system has no room for one more.
#[derive(Default)]
struct Bell {
    failures: AtomicUsize,
    asleep: AtomicBool,
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Unpark for Bell {
    fn unpark(&self) -> io::Result<()> {
        let fails = |left: usize| left.checked_sub(1);
        if self.failures.fetch_update(SeqCst, SeqCst, fails).is_ok() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        *self.rung.lock() = true;
        self.heard.notify_one();
        Ok(())
    }
}

struct BellDriver(Arc<Bell>);

impl Driver for BellDriver {
    fn wait(&mut self, wait: Wait, _: &mut dyn FnMut(Event)) -> io::Result<()> {
        let mut rung = self.0.rung.lock();
        while !*rung {
            match wait {
                Wait::Poll => break,
                Wait::Forever => {
                    self.0.asleep.store(true, SeqCst);
                    self.0.heard.wait(&mut rung);
                }
                Wait::Until(at) => {
                    if self.0.heard.wait_until(&mut rung, at).timed_out() {
                        break;
                    }
                }
            }
        }
        *rung = false;
        Ok(())
    }

    fn unparker(&self) -> Arc<dyn Unpark> {
        self.0.clone()
    }

    fn registry(&self) -> io::Result<Option<mio::Registry>> {
        Ok(None)
    }
}

#[test]
fn trap_018_a_wake_that_the_system_refuses_is_tried_until_it_is_heard() {
    with_watchdog(HANG, || {
        let bell = Arc::new(Bell::default());
        let driver = BellDriver(bell.clone());
        let builder = EventLoop::builder()
            .driver(driver)
            .busy_poll(Duration::ZERO);
        let mut looped = builder.build().unwrap();
        let handle = looped.handle();
        for _ in 0..20 {
            let (handle, bell) = (handle.clone(), bell.clone());
            let sender = thread::spawn(move || {
                while !bell.asleep.swap(false, SeqCst) {
                    thread::yield_now();
                }
                bell.failures.store(3, SeqCst);
                let sent = run_coroutine_threadsafe(&handle, || async {
                    current_loop().stop();
                });
                sent.result().unwrap();
            });
            looped.run_forever().unwrap();
            sender.join().unwrap();
        }
        assert_eq!(bell.failures.load(SeqCst), 0, "calls did fail");
    });
}

/// A main future that is never woken sleeps, and what others do ends the run.
#[test]
fn trap_016_a_main_future_that_waits_for_ever_is_ended_by_a_stop() {
    with_watchdog(HANG, || {
        let mut looped = EventLoop::new().unwrap();
        let started = Instant::now();
        let stopped = looped.run_until_complete(async {
            call_later(Duration::from_millis(1), || current_loop().stop());
            pending::<()>().await;
        });
        assert!(stopped.is_err(), "it says that it was stopped");
        assert!(started.elapsed() >= Duration::from_millis(1));
    });
}
