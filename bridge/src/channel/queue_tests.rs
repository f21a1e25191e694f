//! The forms of receiving and sending that are not one value at a time, the
//! order of a priority queue, and what is said about a queue.

use super::*;
use crate::test_tools::{Wakes, poll_with, wait};
use futures::{Sink, SinkExt};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

const SOON: Duration = Duration::from_millis(5);

#[test]
fn a_look_ahead_sees_what_is_there_on_every_lap() {
    for capacity in [1, 2, 3, 5, 8, 13] {
        let ring = super::ring::Ring::new(capacity);
        for turn in 0..4 * capacity {
            let filled = 1 + turn % capacity;
            for n in 0..filled {
                ring.push(n).expect("there is room");
            }
            for ahead in 0..capacity {
                assert_eq!(ring.has_value(ahead), ahead < filled);
                assert_eq!(ring.has_room(ahead), ahead < capacity - filled);
            }
            for _ in 0..filled {
                ring.pop().expect("it was filled");
            }
        }
    }
}

#[test]
fn a_ring_of_any_capacity_is_exact_and_in_order_over_many_laps() {
    for capacity in [1, 2, 3, 5, 8, 13] {
        let (sender, receiver) = bounded(capacity);
        let mut next = 0;
        for lap in 0..20 {
            for n in 0..capacity {
                assert_eq!(sender.len(), n);
                sender.try_send(lap * capacity + n).expect("there is room");
            }
            assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
            // Taken in two ways, and not at the lap's edge.
            for _ in 0..capacity {
                assert_eq!(receiver.try_recv(), Ok(next));
                next += 1;
            }
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
            sender.try_send(next).expect("there is room");
            assert_eq!(receiver.try_recv(), Ok(next));
            next = (lap + 1) * capacity;
        }
    }
}

#[test]
fn a_batch_takes_what_is_there_up_to_its_limit() {
    for (sender, receiver) in [bounded(8), unbounded(), priority(8), unbounded_priority()] {
        let mut batch = vec![100];
        assert_eq!(
            receiver.try_recv_many(&mut batch, 9),
            Err(TryRecvError::Empty)
        );
        for n in 0..6 {
            sender.try_send(n).expect("there is room");
        }
        assert_eq!(receiver.try_recv_many(&mut batch, 0), Ok(0));
        assert_eq!(receiver.try_recv_many(&mut batch, 2), Ok(2));
        assert_eq!(wait(receiver.recv_many(&mut batch, 3)), Ok(3));
        assert_eq!(receiver.recv_many_blocking(&mut batch, 3), Ok(1));
        assert_eq!(batch, [100, 0, 1, 2, 3, 4, 5]);
        assert_eq!(
            receiver.recv_many_blocking_timeout(&mut batch, 1, SOON),
            Err(RecvTimeoutError::TimedOut)
        );
        drop(sender);
        assert_eq!(wait(receiver.recv_many(&mut batch, 3)), Err(RecvError));
        assert_eq!(receiver.recv_many_blocking(&mut batch, 3), Err(RecvError));
        assert_eq!(
            receiver.recv_many_blocking_timeout(&mut batch, 1, SOON),
            Err(RecvTimeoutError::Closed)
        );
    }
}

#[test]
fn a_batch_lets_as_many_senders_through_as_it_took_values() {
    let (sender, receiver) = bounded(3);
    for n in 0..3 {
        sender.try_send(n).expect("there is room");
    }
    let wakes: Vec<_> = (0..4).map(|_| Wakes::new()).collect();
    let mut sends: Vec<_> = (3..7).map(|n| sender.send(n)).collect();
    for (send, (_, waker)) in sends.iter_mut().zip(&wakes) {
        assert!(poll_with(send, waker).is_pending());
    }
    let mut batch = Vec::new();
    assert_eq!(receiver.try_recv_many(&mut batch, 10), Ok(3));
    let woken: Vec<_> = wakes.iter().map(|(wakes, _)| wakes.count()).collect();
    assert_eq!(woken, [1, 1, 1, 0]);
}

#[test]
fn trap_012_a_cancelled_batch_hands_its_wake_on() {
    let (sender, receiver) = bounded(4);
    let (first, second) = (Wakes::new(), Wakes::new());
    let mut batch = Vec::new();
    let mut a = receiver.recv_many(&mut batch, 4);
    let mut b = receiver.recv();
    assert!(poll_with(&mut a, &first.1).is_pending());
    assert!(poll_with(&mut b, &second.1).is_pending());
    sender.try_send(1).expect("there is room");
    assert_eq!((first.0.count(), second.0.count()), (1, 0));
    drop(a);
    assert_eq!(second.0.count(), 1);
    assert_eq!(poll_with(&mut b, &second.1), Poll::Ready(Ok(1)));
    assert!(batch.is_empty());
}

#[test]
fn the_smallest_comes_first_and_equal_ones_in_the_order_of_sending() {
    let (sender, receiver) = priority(6);
    for value in [(2, "a"), (1, "b"), (2, "c"), (1, "d")] {
        sender.try_send(Urgent(value)).expect("there is room");
    }
    let mut batch = Vec::new();
    assert_eq!(receiver.try_recv_many(&mut batch, 9), Ok(4));
    let order: Vec<_> = batch.iter().map(|urgent| urgent.0.1).collect();
    assert_eq!(order, ["b", "d", "a", "c"]);
}

/// Compares by the number alone.
#[derive(Debug)]
struct Urgent((u8, &'static str));

impl Ord for Urgent {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.0.cmp(&other.0.0)
    }
}

impl PartialOrd for Urgent {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Urgent {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Urgent {}

#[test]
fn a_priority_queue_waits_and_closes_like_the_others() {
    let (sender, receiver) = priority(1);
    let thread = thread::spawn(move || (0..50).all(|n| sender.send_blocking(n).is_ok()));
    for n in 0..50 {
        assert_eq!(wait(receiver.recv()), Ok(n));
    }
    assert!(thread.join().expect("no panic"));
    assert_eq!(receiver.recv_blocking(), Err(RecvError));

    let (sender, receiver) = priority(1);
    sender.try_send(1).expect("there is room");
    assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
    receiver.close();
    assert_eq!(sender.try_send(0), Err(TrySendError::Closed(0)));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_sink_keeps_what_there_is_no_room_for_and_gives_it_back() {
    let (sender, receiver) = bounded(1);
    let mut sink = sender.into_sink();
    assert_eq!(wait(sink.feed(1)), Ok(()));
    assert_eq!(wait(sink.feed(2)), Ok(()));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut sink).poll_ready(&mut cx).is_pending());
    assert_eq!(receiver.statistics().senders_waiting, 1);
    let (sender, value) = sink.into_inner();
    assert_eq!(value, Some(2));
    assert_eq!(receiver.statistics().senders_waiting, 0);
    let mut sink = sender.expect("the sink was not closed").into_sink();
    assert_eq!(wait(sink.feed(3)), Ok(()));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(wait(sink.close()), Ok(()));
    assert_eq!(wait(sink.send(4)), Err(SendError(4)));
    assert_eq!(receiver.try_recv(), Ok(3));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_sink_hears_that_the_receivers_are_gone() {
    let (sender, receiver) = bounded(1);
    let mut sink = sender.into_sink();
    assert_eq!(wait(sink.feed(1)), Ok(()));
    assert_eq!(wait(sink.feed(2)), Ok(()));
    let (wakes, waker) = Wakes::new();
    let mut cx = Context::from_waker(&waker);
    assert!(Pin::new(&mut sink).poll_flush(&mut cx).is_pending());
    drop(receiver);
    assert_eq!(wakes.count(), 1);
    let flushed = Pin::new(&mut sink).poll_flush(&mut cx);
    assert_eq!(flushed, Poll::Ready(Err(SendError(2))));
}

#[test]
fn statistics_say_who_is_there_and_who_waits() {
    let (sender, receiver) = bounded(1);
    let other = sender.clone();
    sender.try_send(1).expect("there is room");
    let mut sending = sender.send(2);
    assert!(poll_with(&mut sending, Waker::noop()).is_pending());
    let now = receiver.statistics();
    assert_eq!((now.items, now.capacity), (1, Some(1)));
    assert_eq!((now.senders, now.receivers), (2, 1));
    assert_eq!((now.senders_waiting, now.receivers_waiting), (1, 0));
    assert!(!now.closed);
    drop((sending, other));
    assert_eq!(receiver.try_recv(), Ok(1));
    let mut receiving = receiver.recv();
    assert!(poll_with(&mut receiving, Waker::noop()).is_pending());
    receiver.close();
    let now = sender.statistics();
    assert_eq!((now.items, now.senders, now.senders_waiting), (0, 1, 0));
    assert!(now.closed);
}

#[test]
fn an_end_that_acts_or_goes_wakes_the_other_one() {
    for kind in 0..3 {
        let (sender, receiver) = bounded(1);
        // Polled once, so that it waits when the other side acts or goes.
        let (wakes, waker) = Wakes::new();
        let mut receiving = receiver.recv();
        assert!(poll_with(&mut receiving, &waker).is_pending());
        let mut expected = Err(RecvError);
        match kind {
            0 => expected = sender.try_send(7).map(|()| 7).map_err(|_| RecvError),
            1 => assert!(sender.close()),
            _ => drop(sender),
        }
        assert_eq!(wakes.count(), 1);
        assert_eq!(poll_with(&mut receiving, &waker), Poll::Ready(expected));
    }
}

#[test]
fn trap_019_ends_that_come_and_go_leave_nobody_asleep() {
    // The other ends act or go while this thread goes to sleep, or before, or after.
    let (senders, receivers) = (unbounded(), unbounded());
    let others = thread::spawn(move || {
        while let Ok((round, sender)) = senders.1.recv_blocking() {
            let sender: Sender<u32> = sender;
            match round % 3 {
                0 => sender.try_send(round).expect("there is room"),
                1 => assert!(sender.close()),
                _ => {}
            }
            drop(sender);
            let receiver: Receiver<u32> = receivers.1.recv_blocking().expect("one each");
            match round % 3 {
                0 => assert_eq!(
                    (receiver.recv_blocking(), receiver.recv_blocking()),
                    (Ok(0), Ok(1))
                ),
                1 => assert!(receiver.close()),
                _ => {}
            }
        }
    });
    for round in 0..10_000 {
        let (sender, receiver) = bounded(1);
        senders.0.try_send((round, sender)).expect("no limit");
        let sent = (round % 3 == 0).then_some(round);
        assert_eq!(receiver.recv_blocking().ok(), sent);

        let (sender, receiver) = bounded(1);
        sender.try_send(0).expect("there is room");
        receivers.0.try_send(receiver).expect("no limit");
        assert_eq!(sender.send_blocking(1).is_ok(), round % 3 == 0);
    }
    drop(senders.0);
    others.join().expect("no panic");
}

#[test]
fn trap_042_a_channel_that_goes_drops_its_wakers_and_values() {
    for (sender, receiver) in [bounded(2), unbounded(), priority(2)] {
        let value = Arc::new(());
        let (wakes, waker) = Wakes::new();
        sender.try_send(value.clone()).expect("there is room");
        let other = receiver.clone();
        let mut sending = sender.send(value.clone());
        let mut more = sender.send(value.clone());
        let _ = poll_with(&mut sending, &waker);
        // A bounded queue is full by now, and this one waits.
        let _ = poll_with(&mut more, &waker);
        drop((sending, more));
        let mut sink = sender.into_sink();
        let mut cx = Context::from_waker(&waker);
        for _ in 0..2 {
            // The sink of a full queue keeps one value, and waits with it.
            if Pin::new(&mut sink).poll_ready(&mut cx).is_ready() {
                let fed = Pin::new(&mut sink).start_send(value.clone());
                fed.expect("there are receivers");
            }
        }
        drop((sink, receiver, waker));
        drop(other);
        assert_eq!(Arc::strong_count(&value), 1);
        assert_eq!(Arc::strong_count(&wakes), 1);
    }
}

#[test]
fn trap_091_the_last_receiver_goes_while_values_come() {
    for round in 0..2_000 {
        let value = Arc::new(());
        let (sender, receiver) = match round % 2 {
            0 => unbounded(),
            _ => bounded(64),
        };
        let thread = thread::spawn({
            let value = value.clone();
            move || {
                let sent = (0..64).take_while(|_| sender.try_send(value.clone()).is_ok());
                sent.count()
            }
        });
        for _ in 0..round % 40 {
            let _ = receiver.try_recv();
        }
        drop(receiver);
        assert!(thread.join().expect("no panic") <= 64);
        assert_eq!(Arc::strong_count(&value), 1, "each value was dropped once");
    }
}
