//! A turn takes a portion of the mail; the rest waits in order, and nothing that
//! waits is forgotten.

use super::EventLoop;
use super::home::ARRIVALS;
use crate::reactor::Wait;
use crate::timers::Clock;
use crate::{LoopHandle, Outcome, Remote, TaskError, call_later, create_task};
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

/// What was told of the numbered submissions, in the order of telling.
type Told = Arc<Mutex<Vec<(usize, Result<(), TaskError>)>>>;

struct Tell(usize, Told);

impl Outcome<()> for Tell {
    fn resolve(&self, result: Result<(), TaskError>) {
        self.1.lock().unwrap().push((self.0, result));
    }
}

/// Sends so many, numbered, from another thread, which has ended on return.
fn send(handle: &LoopHandle, count: usize, told: &Told) -> Vec<Remote<Tell>> {
    thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let send = |number| handle.submit(|| async {}, Tell(number, told.clone()));
            (0..count).map(|number| send(number).unwrap()).collect()
        });
        sender.join().unwrap()
    })
}

fn numbers(told: &Told) -> Vec<usize> {
    told.lock().unwrap().iter().map(|told| told.0).collect()
}

const NOW: Option<Duration> = Some(Duration::ZERO);

#[test]
fn a_flood_is_taken_in_portions_and_in_order() {
    let mut looped = EventLoop::new().unwrap();
    let told = Told::default();
    let remotes = send(&looped.handle(), 3 * ARRIVALS + 1, &told);
    for portion in 1..=3 {
        assert_eq!(looped.turn(NOW).unwrap().polled, ARRIVALS);
        assert_eq!(numbers(&told).len(), portion * ARRIVALS);
    }
    // What is sent meanwhile comes after all that was there.
    let late = send(&looped.handle(), 2, &told);
    assert_eq!(looped.turn(NOW).unwrap().polled, 1);
    assert_eq!(looped.turn(NOW).unwrap().polled, 2);
    let expected: Vec<_> = (0..=3 * ARRIVALS).chain(0..2).collect();
    assert_eq!(numbers(&told), expected);
    drop((remotes, late));
}

/// A clock of which every reading is a second after the one before.
struct Leaping(Cell<Instant>);

impl Clock for Leaping {
    fn now(&self) -> Instant {
        self.0.set(self.0.get() + Duration::from_secs(1));
        self.0.get()
    }

    fn jump(&self, _: Instant) -> bool {
        false
    }
}

#[test]
fn a_due_timer_and_a_local_task_wait_for_one_portion_of_a_flood() {
    let mut looped = EventLoop::builder()
        .clock(Leaping(Cell::new(Instant::now())))
        .build()
        .unwrap();
    let told = Told::default();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let note = {
        let (seen, told) = (seen.clone(), told.clone());
        move |what: &'static str| seen.borrow_mut().push((what, numbers(&told).len()))
    };
    drop(looped.create_task(async move {
        let timer = note.clone();
        drop(call_later(Duration::ZERO, move || timer("timer")));
        drop(create_task(async move { note("task") }));
    }));
    drop(send(&looped.handle(), 5 * ARRIVALS, &told));
    for _ in 0..3 {
        looped.turn(NOW).unwrap();
    }
    let mut seen = seen.take();
    seen.sort_unstable();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(
        seen.iter().all(|(_, before)| *before <= 3 * ARRIVALS),
        "{seen:?}"
    );
}

#[test]
fn mail_that_grows_while_it_is_read_makes_no_turn_longer() {
    fn two_more(told: &Told) {
        for _ in 0..2 {
            let again = told.clone();
            let make = move || async move { two_more(&again) };
            let sent = crate::current_loop().submit(make, Tell(0, told.clone()));
            drop(sent.unwrap());
        }
    }
    let mut looped = EventLoop::new().unwrap();
    let told = Told::default();
    let first = told.clone();
    drop(looped.create_task(async move { two_more(&first) }));
    for _ in 0..30 {
        assert!(looped.turn(NOW).unwrap().polled <= ARRIVALS);
    }
    let before = numbers(&told).len();
    let report = looped.close(Duration::ZERO);
    let after = numbers(&told).len();
    assert_eq!(after - before, report.unstarted);
    assert_eq!(after, 2 * (1 + before), "every one is told, once");
}

#[test]
fn a_close_answers_a_backlog_once_and_what_was_cancelled_too() {
    let mut looped = EventLoop::new().unwrap();
    let told = Told::default();
    let remotes = send(&looped.handle(), 4 * ARRIVALS, &told);
    looped.turn(NOW).unwrap();
    let cancelled: Vec<_> = remotes.iter().filter(|remote| remote.cancel()).collect();
    assert_eq!(cancelled.len(), 3 * ARRIVALS, "the rest had ended");
    looped.turn(NOW).unwrap();
    let more = send(&looped.handle(), 1, &told);
    let report = looped.close(Duration::ZERO);
    assert_eq!(report.unstarted, 2 * ARRIVALS + 1);
    let expected: Vec<_> = (0..4 * ARRIVALS).chain(0..1).collect();
    assert_eq!(numbers(&told), expected);
    for (place, (_, result)) in told.lock().unwrap().iter().enumerate() {
        match (place / ARRIVALS, result) {
            (0, Ok(())) => {}
            (1, Err(error)) => assert!(error.is_cancelled() && !error.is_loop_closed()),
            (_, Err(error)) => assert!(error.is_loop_closed()),
            (_, Ok(())) => panic!("{place} ran after its cancel"),
        }
    }
    drop(more);
}

#[test]
fn a_loop_with_a_backlog_does_not_sleep() {
    let (mut looped, waits) = super::tests::counting();
    let wakers = Rc::new(RefCell::new(Vec::new()));
    let tasks: Vec<_> = (0..2 * ARRIVALS)
        .map(|_| {
            let wakers = wakers.clone();
            looped.create_task(async move {
                poll_fn(|cx| {
                    wakers.borrow_mut().push(cx.waker().clone());
                    Poll::Ready(())
                })
                .await;
                pending::<()>().await;
            })
        })
        .collect();
    looped.turn(NOW).unwrap();
    // All of them are woken elsewhere and cancelled here: the second portion
    // arrives when its tasks have ended, and makes nothing ready.
    let wakers = wakers.take();
    let elsewhere = thread::spawn(|| wakers.into_iter().for_each(|waker| waker.wake()));
    elsewhere.join().unwrap();
    let told = Told::default();
    drop(send(&looped.handle(), 1, &told));
    for task in &tasks {
        assert!(task.cancel());
    }
    waits.take();
    while numbers(&told).is_empty() {
        looped.turn(None).unwrap();
        if numbers(&told).is_empty() {
            let slept = waits.borrow().iter().any(|wait| *wait != Wait::Poll);
            assert!(!slept, "there was more to read");
        }
    }
}
