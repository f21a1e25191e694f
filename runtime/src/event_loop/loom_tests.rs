//! Models of the real mailbox, task cell and loop, for loom.
//!
//! `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=2 cargo test --release -p polyloop --lib loom_`
//!
//! Nothing here is a stand-in but the driver: it sleeps on a primitive that the
//! checker knows. A lost wake therefore shows as a deadlock, a reference too
//! few as an access to freed memory, one too many as a leaked `Arc`.

use super::EventLoop;
use crate::reactor::{Driver, Event, Wait};
use crate::{Outcome, TaskError, Unpark};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

/// Sleeps on a condition variable instead of a selector.
struct LoomDriver(std::sync::Arc<Sleeper>);

struct Sleeper {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Driver for LoomDriver {
    fn wait(&mut self, wait: Wait, _sink: &mut dyn FnMut(Event)) -> io::Result<()> {
        let mut woken = self.0.woken.lock().unwrap();
        while wait == Wait::Forever && !*woken {
            woken = self.0.changed.wait(woken).unwrap();
        }
        *woken = false;
        Ok(())
    }

    fn unparker(&self) -> std::sync::Arc<dyn Unpark> {
        self.0.clone()
    }

    fn registry(&self) -> io::Result<Option<mio::Registry>> {
        Ok(None)
    }
}

impl Unpark for Sleeper {
    fn unpark(&self) -> io::Result<()> {
        *self.woken.lock().unwrap() = true;
        self.changed.notify_one();
        Ok(())
    }
}

fn new_loop() -> EventLoop {
    let sleeper = Sleeper {
        woken: Mutex::new(false),
        changed: Condvar::new(),
    };
    EventLoop::builder()
        .name("model")
        .driver(LoomDriver(std::sync::Arc::new(sleeper)))
        .busy_poll(Duration::ZERO)
        .debug(false)
        .build()
        .unwrap()
}

/// Counts how often it was told, and what.
#[derive(Default)]
struct Told {
    values: AtomicUsize,
    errors: AtomicUsize,
}

struct TellTo(Arc<Told>);

impl<T> Outcome<T> for TellTo {
    fn resolve(&self, result: Result<T, TaskError>) {
        match result {
            Ok(_) => self.0.values.fetch_add(1, Relaxed),
            Err(_) => self.0.errors.fetch_add(1, Relaxed),
        };
    }
}

impl Told {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            values: AtomicUsize::new(0),
            errors: AtomicUsize::new(0),
        })
    }

    fn counts(&self) -> (usize, usize) {
        (self.values.load(Relaxed), self.errors.load(Relaxed))
    }
}

/// Two pushes against a loop that parks between them: neither is lost, and the
/// loop ends only after both.
#[test]
fn loom_trap_002_push_push_park() {
    loom::model(|| {
        let mut looped = new_loop();
        let senders: Vec<_> = (0..2)
            .map(|_| {
                let handle = looped.handle();
                thread::spawn(move || {
                    let sent = handle.submit(|| async { arrived() }, TellTo(Told::new()));
                    assert!(sent.is_ok());
                })
            })
            .collect();
        looped.run_until_complete(both_arrived()).unwrap();
        for sender in senders {
            sender.join().unwrap();
        }
    });
}

loom::thread_local! {
    static ARRIVED: (Cell<usize>, Cell<Option<Waker>>) = (Cell::new(0), Cell::new(None));
}

fn arrived() {
    ARRIVED.with(|(count, waiter)| {
        count.set(count.get() + 1);
        if let Some(waiter) = waiter.take() {
            waiter.wake();
        }
    });
}

async fn both_arrived() {
    poll_fn(|cx| {
        ARRIVED.with(|(count, waiter)| {
            waiter.set(Some(cx.waker().clone()));
            if count.get() == 2 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
    })
    .await;
}

/// Two pushes against a close: each is either refused or told exactly once.
#[test]
fn loom_push_push_close() {
    loom::model(|| {
        let mut looped = new_loop();
        let senders: Vec<_> = (0..2)
            .map(|_| {
                let handle = looped.handle();
                let told = Told::new();
                let sender = {
                    let told = told.clone();
                    thread::spawn(move || handle.submit(|| async {}, TellTo(told)).is_ok())
                };
                (sender, told)
            })
            .collect();
        looped.turn(Some(Duration::ZERO)).unwrap();
        looped.close(Duration::ZERO);
        for (sender, told) in senders {
            let accepted = usize::from(sender.join().unwrap());
            let (values, errors) = told.counts();
            assert_eq!(values + errors, accepted);
        }
    });
}

/// Two wakes from elsewhere, each after a write that the poll has to see,
/// against poll, finish and the wakers' drops.
#[test]
fn loom_trap_001_wake_wake_poll_finish() {
    loom::model(|| {
        let mut looped = new_loop();
        let flags = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let seen = flags.clone();
        let wakers = Rc::new(Cell::new(None));
        let out = wakers.clone();
        let mut task = looped.create_task(poll_fn(move |cx| {
            if seen.0.load(Relaxed) + seen.1.load(Relaxed) == 2 {
                return Poll::Ready(());
            }
            if out.take().is_none() {
                out.set(Some(cx.waker().clone()));
            }
            Poll::Pending
        }));
        looped.turn(Some(Duration::ZERO)).unwrap();
        let waker = wakers.take().unwrap();
        let first = {
            let (waker, flags) = (waker.clone(), flags.clone());
            thread::spawn(move || {
                flags.0.store(1, Relaxed);
                waker.wake();
            })
        };
        let second = thread::spawn(move || {
            flags.1.store(1, Relaxed);
            waker.wake_by_ref();
        });
        looped.run_until_complete(&mut task).unwrap().unwrap();
        drop(task);
        drop(looped);
        first.join().unwrap();
        second.join().unwrap();
    });
}

/// Wakes from elsewhere against a close that drops the future: the future dies
/// at home, the last waker frees the memory elsewhere, and the mailbox last.
#[test]
fn loom_wake_close_drop() {
    loom::model(|| {
        let looped = new_loop();
        let wakers = Rc::new(Cell::new(None));
        let out = wakers.clone();
        let alive = Arc::new(());
        let held = alive.clone();
        let mut looped = looped;
        drop(looped.create_task(poll_fn(move |cx| {
            let _held = &held;
            out.set(Some(cx.waker().clone()));
            Poll::<()>::Pending
        })));
        looped.turn(Some(Duration::ZERO)).unwrap();
        let waker = wakers.take().unwrap();
        let other = waker.clone();
        let threads = [
            thread::spawn(move || waker.wake()),
            thread::spawn(move || drop(other.clone())),
        ];
        looped.close(Duration::ZERO);
        assert_eq!(Arc::strong_count(&alive), 1, "the future is gone");
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// Cancellation from elsewhere against start, finish and close: told once.
#[test]
fn loom_cancel_finish_close() {
    loom::model(|| {
        let mut looped = new_loop();
        let told = Told::new();
        let remote = looped
            .handle()
            .submit(|| async {}, TellTo(told.clone()))
            .unwrap();
        let canceller = thread::spawn(move || {
            remote.cancel();
            drop(remote);
        });
        looped.turn(Some(Duration::ZERO)).unwrap();
        looped.close(Duration::ZERO);
        let (values, errors) = told.counts();
        assert_eq!(values + errors, 1);
        canceller.join().unwrap();
    });
}

/// The local count moves into the word while others count there: four references
/// taken at home, given back on both sides, and the cell is freed once.
#[test]
fn loom_full_local_count_against_wake_and_drop() {
    loom::model(|| {
        let mut looped = new_loop();
        let wakers = Rc::new(Cell::new(Vec::new()));
        let out = wakers.clone();
        let first = Cell::new(true);
        let mut task = looped.create_task(poll_fn(move |cx| {
            if !first.replace(false) {
                // Many again, beside what the other thread does now.
                drop([(); 3].map(|()| cx.waker().clone()));
                return Poll::Ready(());
            }
            out.set([(); 4].map(|()| cx.waker().clone()).into());
            Poll::Pending
        }));
        looped.turn(Some(Duration::ZERO)).unwrap();
        let mut wakers = wakers.take();
        let other = thread::spawn(move || {
            wakers.pop().unwrap().wake();
            drop(wakers);
        });
        looped.run_until_complete(&mut task).unwrap().unwrap();
        drop(task);
        drop(looped);
        other.join().unwrap();
    });
}

/// Cancellation from elsewhere of what waits in the backlog, against its arrival
/// and the close: both are told once.
#[test]
fn loom_cancel_backlog_close() {
    loom::model(|| {
        let mut looped = new_loop();
        let told = [Told::new(), Told::new()];
        let [first, second] = told.clone().map(|told| {
            let sent = looped.handle().submit(|| async {}, TellTo(told));
            sent.unwrap()
        });
        let canceller = thread::spawn(move || {
            second.cancel();
            drop(second);
        });
        // A portion is one here: the second waits.
        looped.turn(Some(Duration::ZERO)).unwrap();
        looped.close(Duration::ZERO);
        assert_eq!(told[0].counts(), (1, 0));
        assert_eq!(told[1].counts(), (0, 1));
        canceller.join().unwrap();
        drop(first);
    });
}
