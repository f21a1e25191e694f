//! The hot paths. Each does the same every time: the loop's clock stands still,
//! it does not spin, and what crosses threads is done by one thread at a time.
//!
//! A thread that is inside no loop wakes and submits like any other thread that
//! is not the loop's own, so one thread can be both sides in turn: sender while
//! the loop rests, loop while it makes a turn.

use polyloop::net::UnixStream;
use polyloop::time::VirtualClock;
use polyloop::{EventLoop, Task, create_task, sleep, yield_now};
use polyloop_bridge::{Offloaded, Submission, ThreadPoolExecutor, run_coroutine_threadsafe};
use std::cell::Cell;
use std::future::poll_fn;
use std::hint::black_box;
use std::io::Write;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::time::Duration;

/// A hot path.
pub struct Path {
    /// What it is called in the file of limits.
    pub name: &'static str,
    /// What one operation is.
    pub what: &'static str,
    /// Does so many operations, and checks that they were done.
    pub run: fn(u64),
    /// Operations in the shorter of the two runs; whole batches.
    pub operations: u64,
    /// Which instructions count.
    pub counted: Counted,
}

/// Which instructions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Those of [`counted_by_callgrind`].
    Marked,
    /// All of the second thread.
    SecondThread,
}

/// Operations that one side does before the other has its turn.
pub const BATCH: u64 = 64;

/// All of them.
pub const PATHS: &[Path] = &[
    path("yield", "a yield of the only task", yields),
    path("spawn-join", "a task made and awaited", spawns),
    path("local-wake", "two tasks wake each other once", local_wakes),
    path("remote-wake-send", "a wake, at the waker's", |n| {
        remote_wakes(n, Side::Sender);
    }),
    path("remote-wake-loop", "a wake, at the loop's", |n| {
        remote_wakes(n, Side::Loop);
    }),
    path("submit-send", "a submission, at the sender's", |n| {
        submissions(n, Side::Sender);
    }),
    path("submit-loop", "a submission, at the loop's", |n| {
        submissions(n, Side::Loop);
    }),
    path("submit-result", "a submission's result fetched", |n| {
        submissions(n, Side::Fetch);
    }),
    path("offload-send", "a blocking call, at the loop's", |n| {
        offloads(n, Side::Sender);
    }),
    path("offload-fetch", "a blocking call's result awaited", |n| {
        offloads(n, Side::Fetch);
    }),
    Path {
        counted: Counted::SecondThread,
        ..path("offload-work", "a blocking call, at the worker's", |n| {
            offloads(n, Side::Worker);
        })
    },
    path("timer", "a timer set and cancelled", timers),
    path("try-read", "64 bytes read from a socket", reads),
];

const fn path(name: &'static str, what: &'static str, run: fn(u64)) -> Path {
    Path {
        name,
        what,
        run,
        operations: 100 * BATCH,
        counted: Counted::Marked,
    }
}

/// Whose instructions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Sender,
    Loop,
    Worker,
    Fetch,
}

/// What callgrind is told to count. Called through a pointer, so that it stays a
/// function of its own and has this one name.
#[inline(never)]
fn counted_by_callgrind(work: &mut dyn FnMut()) {
    work();
}

/// Runs the part of a path that counts if it is `this` side's turn.
fn counted_if<R>(this: bool, work: impl FnOnce() -> R) -> R {
    let mut work = Some(work);
    let mut answer = None;
    let mut once = || answer = work.take().map(|work| work());
    if this {
        counted_by_callgrind(&mut once);
    } else {
        once();
    }
    answer.expect("it was called")
}

static PLANTED: AtomicU64 = AtomicU64::new(0);

/// Makes every operation slower by so many units of some instructions each.
pub fn plant(units: u64) {
    PLANTED.store(units, Relaxed);
}

/// Stands in the counted part of every operation.
#[inline]
fn planted() {
    for unit in 0..PLANTED.load(Relaxed) {
        black_box(unit);
    }
}

/// A loop that nothing outside of the process can make do more or less.
fn steady_loop() -> EventLoop {
    let builder = EventLoop::builder()
        .clock(VirtualClock::new())
        .busy_poll(Duration::ZERO)
        .debug(false);
    builder.build().expect("descriptors to spare")
}

/// Counts all of `main` but the making of its loop.
fn counted_run<F: Future>(main: F) -> F::Output {
    let mut looped = steady_loop();
    let ran = counted_if(true, || looped.run_until_complete(main));
    ran.expect("it is not stopped")
}

fn yields(count: u64) {
    let done = counted_run(async {
        let mut done = 0;
        while done < count {
            yield_now().await;
            planted();
            done += 1;
        }
        done
    });
    assert_eq!(done, count);
}

fn spawns(count: u64) {
    let sum = counted_run(async {
        let mut sum = 0;
        for value in 0..count {
            sum += create_task(async move { value }).await.expect("it returns");
            planted();
        }
        sum
    });
    assert_eq!(sum, sum_below(count));
}

fn local_wakes(count: u64) {
    let woken = counted_run(async move {
        let wakers: Rc<[Cell<Option<Waker>>; 2]> = Rc::default();
        let tasks = [0, 1].map(|side| create_task(wake_each_other(wakers.clone(), side, count)));
        let mut woken = 0;
        for task in tasks {
            woken += task.await.expect("it returns");
        }
        woken
    });
    // The first of all polls finds nobody to wake; the last one wakes for good.
    assert_eq!(woken, 2 * count);
}

/// Waits `count` times for the other side to wake it; gives how often this one
/// has woken the other.
fn wake_each_other(
    wakers: Rc<[Cell<Option<Waker>>; 2]>,
    side: usize,
    count: u64,
) -> impl Future<Output = u64> {
    let (mut waits, mut woken) = (0, 0);
    poll_fn(move |cx| {
        let over = waits == count;
        if !over {
            waits += 1;
            wakers[side].set(Some(cx.waker().clone()));
        }
        if let Some(other) = wakers[1 - side].take() {
            other.wake();
            woken += 1;
        }
        if side == 0 {
            planted();
        }
        if over {
            Poll::Ready(woken)
        } else {
            Poll::Pending
        }
    })
}

fn remote_wakes(count: u64, counted: Side) {
    let mut looped = steady_loop();
    let polls = Rc::new(Cell::new(0));
    let wakers: Vec<Rc<Cell<Option<Waker>>>> = (0..BATCH).map(|_| Rc::default()).collect();
    let waits = |waker: &Rc<Cell<Option<Waker>>>| {
        let (waker, polls) = (waker.clone(), polls.clone());
        looped.create_task(poll_fn(move |cx| {
            if counted == Side::Loop {
                planted();
            }
            if polls.replace(polls.get() + 1) < BATCH {
                waker.set(Some(cx.waker().clone()));
            }
            Poll::<()>::Pending
        }))
    };
    let tasks: Vec<Task<()>> = wakers.iter().map(waits).collect();
    turn(&mut looped);
    let wakers: Vec<Waker> = wakers.iter().filter_map(|waker| waker.take()).collect();
    assert_eq!(wakers.len() as u64, BATCH);
    for _ in 0..count / BATCH {
        counted_if(counted == Side::Sender, || {
            for waker in &wakers {
                waker.wake_by_ref();
                if counted == Side::Sender {
                    planted();
                }
            }
        });
        counted_if(counted == Side::Loop, || turn(&mut looped));
    }
    assert_eq!(polls.get(), BATCH + count);
    drop(tasks);
}

/// A turn that does not wait.
fn turn(looped: &mut EventLoop) {
    looped.turn(Some(Duration::ZERO)).expect("the driver works");
}

fn submissions(count: u64, counted: Side) {
    let mut looped = steady_loop();
    let target = looped.handle();
    let mut sum = 0;
    let mut sent = Vec::with_capacity(BATCH as usize);
    for batch in 0..count / BATCH {
        counted_if(counted == Side::Sender, || {
            sent.extend((batch * BATCH..(batch + 1) * BATCH).map(|value| {
                if counted == Side::Sender {
                    planted();
                }
                let work = move || async move {
                    if counted == Side::Loop {
                        planted();
                    }
                    value
                };
                run_coroutine_threadsafe(&target, work)
            }));
        });
        counted_if(counted == Side::Loop, || turn(&mut looped));
        counted_if(counted == Side::Fetch, || {
            for submission in sent.drain(..) {
                sum += Submission::result(submission).expect("the loop has run it");
                planted();
            }
        });
    }
    assert_eq!(sum, sum_below(count));
}

/// The only worker is kept busy until all is sent, and works it off in one go.
fn offloads(count: u64, counted: Side) {
    let builder = ThreadPoolExecutor::builder().max_workers(1);
    let pool = builder.build().expect("it starts no thread yet");
    let (release, released) = mpsc::channel::<()>();
    let (finished, ended) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel::<()>();
    let gate = pool.submit(move || {
        let told = begin.send(());
        (told, released.recv())
    });
    begun.recv().expect("the worker begins");
    let mut calls: Vec<Offloaded<u64>> = Vec::with_capacity(count as usize);
    counted_if(counted == Side::Sender, || {
        calls.extend((0..count).map(|value| {
            if counted == Side::Sender {
                planted();
            }
            pool.submit(move || {
                if counted == Side::Worker {
                    planted();
                }
                value
            })
        }));
    });
    // The worker stays in here until everything is fetched: a look for more work
    // would last as long as the clock says.
    let (end, until) = mpsc::channel::<()>();
    let last = pool.submit(move || {
        let told = finished.send(());
        (told, until.recv())
    });
    release.send(()).expect("the worker waits for it");
    ended.recv().expect("the worker comes to it");
    let mut looped = steady_loop();
    let fetch = async {
        let mut sum = 0;
        for call in calls.drain(..) {
            sum += call.await.expect("a worker has run it");
            planted();
        }
        sum
    };
    let ran = counted_if(counted == Side::Fetch, || looped.run_until_complete(fetch));
    assert_eq!(ran.expect("it is not stopped"), sum_below(count));
    drop(gate);
    last.detach();
    if counted == Side::Worker && cfg!(not(test)) {
        std::process::exit(0);
    }
    end.send(()).expect("the worker waits for it");
}

fn timers(count: u64) {
    let set = counted_run(async {
        let mut set = 0;
        for number in 0..count {
            // From a second to an hour, so that near and far places are used.
            // Whole ones: to carry into the seconds takes instructions, and would
            // depend on the moment at which the process began.
            let delay = Duration::from_secs(1 + number * 7919 % 3_600);
            let mut timer = sleep(delay);
            let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut timer).poll(cx))).await;
            set += u64::from(polled.is_pending());
            drop(timer);
            planted();
        }
        set
    });
    assert_eq!(set, count);
}

fn reads(count: u64) {
    const PIECE: usize = 64;
    let (mut far, near) = std::os::unix::net::UnixStream::pair().expect("descriptors to spare");
    let text = [7; PIECE * BATCH as usize];
    let mut looped = steady_loop();
    let read = looped.run_until_complete(async {
        let near = UnixStream::from_std(near).expect("the loop takes it");
        let mut read = 0;
        for _ in 0..count / BATCH {
            far.write_all(&text).expect("there is room");
            counted_if(true, || {
                for _ in 0..BATCH {
                    let mut piece = [0; PIECE];
                    read += near.try_read(&mut piece).expect("it is there");
                    planted();
                }
            });
        }
        read as u64
    });
    assert_eq!(read.expect("it is not stopped"), count * PIECE as u64);
}

fn sum_below(count: u64) -> u64 {
    count * (count - 1) / 2
}
