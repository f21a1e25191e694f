use super::*;
use crate::test_tools::{PanickingWaker, Wakes, poll_with, wait};
use futures::{SinkExt, Stream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

const SOON: Duration = Duration::from_millis(5);

#[test]
fn every_receiver_gets_every_value_in_order() {
    let (sender, mut first) = channel(8);
    let mut second = sender.subscribe();
    for n in 0..5 {
        assert_eq!(sender.send(n).ok(), Some(2));
    }
    let mut late = sender.subscribe();
    let mut copy = second.clone();
    assert_eq!((second.len(), late.len()), (5, 0));
    drop(sender);
    for n in 0..5 {
        assert_eq!(first.try_recv(), Ok(n));
        assert_eq!(wait(second.recv()), Ok(n));
        assert_eq!(copy.recv_blocking(), Ok(n));
    }
    for receiver in [&mut first, &mut second, &mut copy, &mut late] {
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(wait(receiver.recv()), Err(RecvError::Closed));
    }
}

#[test]
fn who_is_too_far_behind_is_told_how_many_it_lost() {
    let (sender, mut slow) = channel(2);
    let mut quick = sender.subscribe();
    for n in 0..5 {
        sender.send(n).expect("there are receivers");
        assert_eq!(quick.try_recv(), Ok(n));
    }
    assert_eq!(slow.len(), 2);
    assert_eq!(slow.try_recv(), Err(TryRecvError::Lagged(3)));
    assert_eq!(slow.recv_blocking(), Ok(3));
    assert_eq!(wait(slow.recv()), Ok(4));
    assert_eq!(slow.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn a_value_goes_with_the_last_who_has_not_had_it() {
    let value = Arc::new(());
    let (sender, mut first) = channel(4);
    let second = sender.subscribe();
    sender.send(value.clone()).expect("there are receivers");
    drop(first.recv_blocking());
    assert_eq!(Arc::strong_count(&value), 2);
    assert_eq!(sender.statistics().items, 1);
    drop(second);
    assert_eq!(Arc::strong_count(&value), 1);
    assert_eq!(sender.statistics().items, 0);
    drop(first);
    let back = sender.send(value).expect_err("nobody is there");
    assert_eq!(Arc::strong_count(&back.into_inner()), 1);
}

#[test]
fn each_side_hears_of_the_others_end() {
    let (sender, mut receiver) = channel::<u8>(1);
    let timed = receiver.recv_blocking_timeout(SOON);
    assert_eq!(timed, Err(RecvTimeoutError::TimedOut));
    assert_eq!(receiver.statistics().receivers_waiting, 0);
    let other = sender.clone();
    let thread = thread::spawn(move || receiver.recv_blocking());
    while sender.statistics().receivers_waiting == 0 {
        thread::yield_now();
    }
    drop(other);
    assert!(!sender.is_closed());
    drop(sender);
    assert_eq!(thread.join().expect("no panic"), Err(RecvError::Closed));

    let (sender, mut receiver) = channel(1);
    assert_eq!(sender.send(1).ok(), Some(1));
    assert!(sender.close());
    assert!(!sender.close());
    assert_eq!(sender.send(2), Err(SendError(2)));
    assert!(receiver.is_closed());
    assert_eq!(receiver.recv_blocking_timeout(SOON), Ok(1));
    let ended = receiver.recv_blocking_timeout(SOON);
    assert_eq!(ended, Err(RecvTimeoutError::Closed));
}

#[test]
fn a_receive_that_is_dropped_leaves_no_trace() {
    let (sender, mut receiver) = channel(1);
    let (wakes, waker) = Wakes::new();
    assert!(poll_with(&mut receiver.recv(), &waker).is_pending());
    assert_eq!(receiver.statistics().receivers_waiting, 0);
    sender.send(1).expect("there is a receiver");
    assert_eq!(wakes.count(), 0);
    assert_eq!(wait(receiver.recv()), Ok(1));
}

#[test]
fn it_is_a_sink_and_a_stream() {
    let (sender, mut receiver) = channel(2);
    let mut sink = sender.into_sink();
    for n in 0..3 {
        wait(sink.send(n)).expect("there is a receiver");
    }
    // Closing it drops the sender, the last one.
    wait(sink.close()).expect("there is nothing to be sent");
    assert!(receiver.is_closed());
    assert_eq!(wait(sink.send(3)), Err(SendError(3)));
    assert!(sink.into_inner().is_none());
    let mut cx = Context::from_waker(std::task::Waker::noop());
    let mut next = || Pin::new(&mut receiver).poll_next(&mut cx);
    assert_eq!(next(), Poll::Ready(Some(Err(1))));
    assert_eq!(next(), Poll::Ready(Some(Ok(1))));
    assert_eq!(next(), Poll::Ready(Some(Ok(2))));
    assert_eq!(next(), Poll::Ready(None));
}

#[test]
fn trap_051_a_panicking_waker_costs_the_others_nothing() {
    let (sender, mut first) = channel(2);
    let mut second = sender.subscribe();
    let (wakes, waker) = Wakes::new();
    let (mut a, mut b) = (first.recv(), second.recv());
    assert!(poll_with(&mut a, &Arc::new(PanickingWaker).into()).is_pending());
    assert!(poll_with(&mut b, &waker).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| sender.send(1))).is_err());
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll_with(&mut b, &waker), Poll::Ready(Ok(1)));
    assert_eq!(poll_with(&mut a, &waker), Poll::Ready(Ok(1)));
}

#[test]
fn loops_and_threads_receive_what_loops_and_threads_send() {
    const EACH: u64 = 3_000;
    let (sender, receiver) = channel(EACH as usize * 2);
    let other = sender.clone();
    let (again, last) = (receiver.clone(), receiver.clone());
    let drain = |mut receiver: Receiver<u64>| {
        move || {
            let mut values = Vec::new();
            while let Ok(value) = receiver.recv_blocking() {
                values.push(value);
            }
            values
        }
    };
    let threads = [thread::spawn(drain(receiver)), thread::spawn(drain(again))];
    let on_loop = thread::spawn(move || {
        let mut receiver = last;
        let all = async move {
            let mut values = Vec::new();
            while let Ok(value) = receiver.recv().await {
                values.push(value);
            }
            values
        };
        polyloop::run(all).expect("the machine has descriptors left")
    });
    let send = |sender: Sender<u64>, from: u64| {
        move || {
            for n in from..from + EACH {
                sender.send(n).expect("there are receivers");
            }
        }
    };
    let senders = [
        thread::spawn(send(sender, 0)),
        thread::spawn(send(other, EACH)),
    ];
    for thread in senders {
        thread.join().expect("no panic");
    }
    let seen = on_loop.join().expect("no panic");
    assert_eq!(seen.len() as u64, EACH * 2);
    for thread in threads {
        assert_eq!(thread.join().expect("no panic"), seen, "one order for all");
    }
}

#[test]
fn the_ends_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<Sender<u8>>();
    crosses::<Receiver<u8>>();
}
