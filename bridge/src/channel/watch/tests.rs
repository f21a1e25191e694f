use super::super::{RecvError, RecvTimeoutError};
use super::*;
use crate::test_tools::{PanickingWaker, Wakes, poll_with, wait};
use futures::Stream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;
use std::thread;

const SOON: Duration = Duration::from_millis(5);

#[test]
fn a_late_look_sees_the_latest_value_alone() {
    let (sender, mut receiver) = channel(0);
    assert_eq!(receiver.has_changed(), Ok(false));
    let timed = receiver.changed_blocking_timeout(SOON);
    assert_eq!(timed, Err(RecvTimeoutError::TimedOut));
    for n in 1..4 {
        assert_eq!(sender.send(n), Ok(()));
    }
    assert_eq!(receiver.has_changed(), Ok(true));
    assert_eq!(wait(receiver.changed()), Ok(()));
    assert_eq!(*receiver.get(), 3);
    assert_eq!(receiver.has_changed(), Ok(false));
    sender.modify(|value| *value += 1);
    assert_eq!(receiver.changed_blocking(), Ok(()));
    assert_eq!(*receiver.get_and_see(), 4);
    assert_eq!(*sender.replace(5), 4);
    assert_eq!(*receiver.get_and_see(), 5);
    assert_eq!(receiver.has_changed(), Ok(false), "it was seen");
    assert_eq!(sender.statistics().version, 5);
}

#[test]
fn each_side_hears_of_the_others_end() {
    let (sender, mut receiver) = channel(0);
    sender.send(1).expect("there is a receiver");
    drop(sender);
    assert_eq!(receiver.changed_blocking(), Ok(()), "it was not seen yet");
    assert_eq!(receiver.changed_blocking(), Err(RecvError));
    assert_eq!(receiver.has_changed(), Err(RecvError));
    let timed = receiver.changed_blocking_timeout(SOON);
    assert_eq!(timed, Err(RecvTimeoutError::Closed));
    assert_eq!(wait(receiver.wait_for(|value| *value == 2)), Err(RecvError));

    let (sender, receiver) = channel(0);
    let other = receiver.clone();
    assert!(!sender.closed_blocking_timeout(SOON));
    drop(receiver);
    assert!(!sender.is_closed());
    let thread = thread::spawn(move || drop(other));
    sender.closed_blocking();
    wait(sender.closed());
    thread.join().expect("no panic");
    assert_eq!(sender.send(1), Err(SendError(1)));
    assert_eq!(*sender.get(), 0);
    sender.replace(2);
    assert_eq!(*sender.subscribe().get(), 2);
}

#[test]
fn the_last_sender_wakes_who_waits() {
    let (sender, mut receiver) = channel(0);
    let other = sender.clone();
    let thread = thread::spawn(move || receiver.changed_blocking());
    while sender.statistics().receivers_waiting == 0 {
        thread::yield_now();
    }
    drop(sender);
    drop(other);
    assert_eq!(thread.join().expect("no panic"), Err(RecvError));
}

#[test]
fn a_wait_that_is_dropped_leaves_no_trace() {
    let (sender, mut receiver) = channel(0);
    let (wakes, waker) = Wakes::new();
    assert!(poll_with(&mut receiver.changed(), &waker).is_pending());
    assert!(poll_with(&mut sender.closed(), &waker).is_pending());
    assert_eq!(receiver.statistics().receivers_waiting, 0);
    sender.send(1).expect("there is a receiver");
    assert_eq!(receiver.has_changed(), Ok(true));
    drop(receiver);
    assert_eq!(wakes.count(), 0);
}

#[test]
fn a_receiver_is_a_stream_of_changes() {
    let (sender, mut receiver) = channel(0);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut receiver).poll_next(&mut cx).is_pending());
    sender.send(1).expect("there is a receiver");
    let next = Pin::new(&mut receiver).poll_next(&mut cx);
    assert_eq!(next, Poll::Ready(Some(Arc::new(1))));
    drop(sender);
    let next = Pin::new(&mut receiver).poll_next(&mut cx);
    assert_eq!(next, Poll::Ready(None));
}

#[test]
fn no_change_is_slept_through() {
    const LAST: u64 = 5_000;
    let (sender, mut receiver) = channel(0);
    let mut on_loop = receiver.clone();
    let watcher = thread::spawn(move || {
        while *receiver.get() != LAST {
            receiver.changed_blocking().expect("the sender is there");
        }
    });
    let looping = thread::spawn(move || {
        let last = polyloop::run(async move { on_loop.wait_for(|value| *value == LAST).await });
        last.expect("the machine has descriptors left").map(drop)
    });
    let other = sender.clone();
    let half = move |sender: Sender<u64>| (0..LAST / 2).for_each(|_| sender.modify(|n| *n += 1));
    let adder = thread::spawn(move || half(other));
    (0..LAST / 2).for_each(|_| sender.modify(|n| *n += 1));
    adder.join().expect("no panic");
    watcher.join().expect("no panic");
    assert_eq!(looping.join().expect("no panic"), Ok(()));
    assert_eq!(*sender.get(), LAST, "no addition was lost");
}

#[test]
fn trap_051_a_panicking_waker_costs_the_others_nothing() {
    let (sender, mut first) = channel(0);
    let mut second = sender.subscribe();
    let (wakes, waker) = Wakes::new();
    let (mut a, mut b) = (first.changed(), second.changed());
    assert!(poll_with(&mut a, &Arc::new(PanickingWaker).into()).is_pending());
    assert!(poll_with(&mut b, &waker).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| sender.send(1))).is_err());
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll_with(&mut a, &waker), Poll::Ready(Ok(())));
    assert_eq!(poll_with(&mut b, &waker), Poll::Ready(Ok(())));
}

#[test]
fn the_ends_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<Sender<u8>>();
    crosses::<Receiver<u8>>();
    crosses::<Closed<'_, u8>>();
}
