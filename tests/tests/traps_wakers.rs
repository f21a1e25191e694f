//! Wakers and handles that live longer than they should, on threads where they
//! do not belong.
#![forbid(unsafe_code)]

use futures::stream::{FuturesUnordered, StreamExt};
use futures::task::ArcWake;
use polyloop::{EventLoop, create_task, current_loop, sleep, yield_now};
use polyloop_tests::{XorShift, with_watchdog};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::task::{Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

const HANG: Duration = Duration::from_secs(240);

/// Must be dropped on the thread that made it, and inside a loop's context.
struct ThreadBomb {
    home: ThreadId,
    dropped: Arc<AtomicUsize>,
}

impl ThreadBomb {
    fn new(dropped: &Arc<AtomicUsize>) -> Self {
        Self {
            home: thread::current().id(),
            dropped: dropped.clone(),
        }
    }
}

impl Drop for ThreadBomb {
    fn drop(&mut self) {
        if thread::current().id() != self.home {
            eprintln!("a future was dropped on a thread that is not its own");
            std::process::abort();
        }
        self.dropped.fetch_add(1, SeqCst);
    }
}

/// A future that never ends, and leaves its waker in the list.
async fn leave_waker(wakers: Rc<RefCell<Vec<Waker>>>) {
    let mut left = false;
    poll_fn(|cx| {
        if !left {
            wakers.borrow_mut().push(cx.waker().clone());
            left = true;
        }
        Poll::<()>::Pending
    })
    .await;
}

/// Tasks that hold bombs and have left their wakers.
fn bombs(looped: &mut EventLoop, count: usize, dropped: &Arc<AtomicUsize>) -> Vec<Waker> {
    let wakers = Rc::new(RefCell::new(Vec::new()));
    for _ in 0..count {
        let bomb = ThreadBomb::new(dropped);
        let left = wakers.clone();
        drop(looped.create_task(async move {
            let _bomb = bomb;
            leave_waker(left).await;
        }));
    }
    looped.run_until_complete(yield_now()).unwrap();
    wakers.take()
}

#[test]
fn trap_023_025_wakes_from_four_threads_during_shutdown() {
    with_watchdog(HANG, || {
        for round in 0..200 {
            let dropped = Arc::new(AtomicUsize::new(0));
            let mut looped = EventLoop::new().unwrap();
            let wakers = bombs(&mut looped, 8, &dropped);
            assert_eq!(wakers.len(), 8);
            let start = Arc::new(Barrier::new(5));
            let wake = |index: usize| {
                let (wakers, start) = (wakers.clone(), start.clone());
                thread::spawn(move || {
                    let mut random = XorShift::new(round * 4 + index as u64);
                    start.wait();
                    for waker in wakers {
                        if random.below(2) == 0 {
                            let copy = waker.clone();
                            copy.wake();
                        }
                        waker.wake();
                    }
                })
            };
            let threads: Vec<_> = (0..4).map(wake).collect();
            drop(wakers);
            start.wait();
            looped.close(Duration::ZERO);
            assert_eq!(
                dropped.load(SeqCst),
                8,
                "closing drops every future at home"
            );
            for thread in threads {
                thread.join().unwrap();
            }
        }
    });
}

#[test]
fn trap_026_a_wake_from_any_place_reaches_the_right_loop() {
    with_watchdog(HANG, || {
        let mut home = EventLoop::builder().name("home").build().unwrap();
        let woken = Rc::new(Cell::new(0));
        let (waker, count) = (Rc::new(RefCell::new(None)), woken.clone());
        let left = waker.clone();
        let task = home.create_task(poll_fn(move |cx| {
            let polled = polyloop::current_loop();
            assert_eq!(polled.name(), "home", "polled on its own loop alone");
            *left.borrow_mut() = Some(cx.waker().clone());
            count.set(count.get() + 1);
            Poll::<()>::Pending
        }));
        home.run_until_complete(yield_now()).unwrap();
        let take = || waker.borrow().clone().unwrap();
        let wakes_are_seen = |home: &mut EventLoop, before: i32| {
            home.run_until_complete(yield_now()).unwrap();
            home.run_until_complete(yield_now()).unwrap();
            assert_eq!(woken.get(), before + 1);
        };
        // From a thread without a loop.
        let (before, foreign) = (woken.get(), take());
        thread::spawn(move || foreign.wake()).join().unwrap();
        wakes_are_seen(&mut home, before);
        // From a thread inside another loop.
        let (before, foreign) = (woken.get(), take());
        let other = move || polyloop::run(async move { foreign.wake_by_ref() });
        thread::spawn(other).join().unwrap().unwrap();
        wakes_are_seen(&mut home, before);
        // From the home thread, inside another loop of that thread.
        let (before, foreign) = (woken.get(), take());
        polyloop::run(async move { foreign.wake() }).unwrap();
        wakes_are_seen(&mut home, before);
        // From the home thread, outside of any loop.
        let before = woken.get();
        take().wake();
        wakes_are_seen(&mut home, before);
        assert!(task.cancel());
        home.close(Duration::ZERO);
        // And after the end, from everywhere.
        take().wake();
        let foreign = take();
        thread::spawn(move || foreign.wake()).join().unwrap();
    });
}

#[test]
fn trap_027_one_waker_cloned_and_dropped_on_four_threads() {
    with_watchdog(HANG, || {
        let dropped = Arc::new(AtomicUsize::new(0));
        let mut looped = EventLoop::new().unwrap();
        let waker = bombs(&mut looped, 1, &dropped).remove(0);
        let juggle = |waker: Waker| {
            thread::spawn(move || {
                for round in 0..2_000 {
                    let copy = waker.clone();
                    if round % 3 == 0 {
                        copy.wake_by_ref();
                    }
                    assert!(copy.will_wake(&waker));
                }
            })
        };
        let threads: Vec<_> = (0..4).map(|_| juggle(waker.clone())).collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            looped.run_until_complete(yield_now()).unwrap();
        }
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(dropped.load(SeqCst), 0);
        drop(waker);
        looped.close(Duration::ZERO);
        assert_eq!(dropped.load(SeqCst), 1);
    });
}

#[test]
fn trap_032_an_old_waker_means_nothing_to_a_new_thread_with_the_same_number() {
    with_watchdog(HANG, || {
        let mut old = Vec::new();
        for _ in 0..50 {
            // The system gives the number of an ended thread to the next one.
            let loop_thread = thread::spawn({
                let old: Vec<Waker> = old.clone();
                move || {
                    let dropped = Arc::new(AtomicUsize::new(0));
                    let mut looped = EventLoop::new().unwrap();
                    let mut wakers = bombs(&mut looped, 4, &dropped);
                    looped
                        .run_until_complete(async {
                            for waker in &old {
                                waker.wake_by_ref();
                                drop(waker.clone());
                            }
                            yield_now().await;
                        })
                        .unwrap();
                    looped.close(Duration::ZERO);
                    assert_eq!(dropped.load(SeqCst), 4);
                    wakers.truncate(2);
                    wakers
                }
            });
            old.extend(loop_thread.join().unwrap());
        }
        old.into_iter().for_each(Waker::wake);
    });
}

#[test]
fn trap_015_leaf_futures_wake_the_waker_they_are_given() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let mut set = FuturesUnordered::new();
            for ms in 0..20_u64 {
                set.push(Box::pin(async move {
                    yield_now().await;
                    sleep(Duration::from_millis(ms % 3)).await;
                    create_task(yield_now()).await.unwrap();
                    ms
                })
                    as std::pin::Pin<Box<dyn Future<Output = u64>>>);
            }
            let mut sum = 0;
            while let Some(ms) = set.next().await {
                sum += ms;
            }
            assert_eq!(sum, 190);
        })
        .unwrap();
    });
}

struct Flag(AtomicBool);

impl ArcWake for Flag {
    fn wake_by_ref(this: &Arc<Self>) {
        this.0.store(true, SeqCst);
    }
}

#[test]
fn trap_022_040_the_last_waker_given_is_the_one_that_is_woken() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let flags = [(); 2].map(|()| Arc::new(Flag(AtomicBool::new(false))));
            let mut task = create_task(sleep(Duration::from_millis(1)));
            let mut timer = sleep(Duration::from_millis(1));
            for flag in &flags {
                let waker = futures::task::waker(flag.clone());
                let mut cx = std::task::Context::from_waker(&waker);
                assert!(std::pin::Pin::new(&mut task).poll(&mut cx).is_pending());
                assert!(std::pin::Pin::new(&mut timer).poll(&mut cx).is_pending());
            }
            sleep(Duration::from_millis(5)).await;
            let woken = flags.each_ref().map(|flag| flag.0.load(SeqCst));
            assert_eq!(woken, [false, true]);
            drop((task, timer));
            assert!(flags.iter().all(|flag| Arc::strong_count(flag) == 1));
        })
        .unwrap();
    });
}

#[test]
fn trap_003_what_a_waker_wrote_is_seen_by_the_poll_after_it() {
    with_watchdog(HANG, || {
        let looped = EventLoop::new();
        let mut looped = looped.unwrap();
        looped
            .run_until_complete(async {
                let handle = current_loop();
                for _ in 0..300 {
                    let written = Arc::new(AtomicUsize::new(0));
                    let mut started = None;
                    let seen = poll_fn(|cx| {
                        let value = written.load(std::sync::atomic::Ordering::Relaxed);
                        if value == 2 {
                            return Poll::Ready(value);
                        }
                        started.get_or_insert_with(|| {
                            let wake = |waker: Waker, written: Arc<AtomicUsize>| {
                                thread::spawn(move || {
                                    let order = std::sync::atomic::Ordering::Relaxed;
                                    written.fetch_add(1, order);
                                    waker.wake();
                                })
                            };
                            let first = wake(cx.waker().clone(), written.clone());
                            [first, wake(cx.waker().clone(), written.clone())]
                        });
                        Poll::Pending
                    })
                    .await;
                    assert_eq!(seen, 2);
                    for thread in started.into_iter().flatten() {
                        thread.join().unwrap();
                    }
                }
                assert!(!handle.is_closed());
            })
            .unwrap();
    });
}
