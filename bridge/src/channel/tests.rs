use super::*;
use crate::test_tools::{Dice, PanickingWaker, Wakes, poll_with, wait};
use futures::Stream;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

const SOON: Duration = Duration::from_millis(5);

mod oneshot_ends {
    use super::*;

    #[test]
    fn a_value_is_awaited_blocked_for_and_tried_for() {
        let (sender, mut receiver) = oneshot::channel();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(
            receiver.recv_blocking_timeout(SOON),
            Err(RecvTimeoutError::TimedOut)
        );
        assert_eq!(sender.send(1), Ok(()));
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));

        let (sender, receiver) = oneshot::channel();
        let thread = thread::spawn(move || sender.send(2));
        assert_eq!(wait(receiver), Ok(2));
        assert_eq!(thread.join().expect("no panic"), Ok(()));
    }

    #[test]
    fn each_side_hears_of_the_others_end() {
        let (sender, receiver) = oneshot::channel::<u8>();
        drop(sender);
        assert_eq!(wait(receiver), Err(RecvError));

        let (sender, receiver) = oneshot::channel();
        assert!(!sender.is_closed());
        drop(receiver);
        assert!(sender.is_closed());
        assert_eq!(sender.send(3), Err(3));
    }

    #[test]
    fn a_closed_receiver_keeps_what_had_come() {
        let (sender, mut receiver) = oneshot::channel();
        sender.send(4).expect("the receiver is there");
        receiver.close();
        assert_eq!(receiver.try_recv(), Ok(4));

        let (sender, mut receiver) = oneshot::channel();
        receiver.close();
        receiver.close();
        assert_eq!(sender.send(5), Err(5));
        assert_eq!(wait(receiver), Err(RecvError));
    }

    #[test]
    fn trap_041_a_gone_receiver_leaves_no_waker_behind() {
        let (wakes, waker) = Wakes::new();
        let (sender, mut receiver) = oneshot::channel::<u8>();
        assert!(poll_with(&mut receiver, &waker).is_pending());
        drop((receiver, waker));
        assert_eq!(Arc::strong_count(&wakes), 1);
        drop(sender);
        assert_eq!(wakes.count(), 0);
    }

    #[test]
    fn an_untaken_value_is_dropped_with_its_receiver() {
        let value = Arc::new(());
        let (sender, receiver) = oneshot::channel();
        sender.send(value.clone()).expect("the receiver is there");
        drop(receiver);
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn the_last_waker_is_the_one_woken() {
        let (first, second) = (Wakes::new(), Wakes::new());
        let (sender, mut receiver) = oneshot::channel();
        assert!(poll_with(&mut receiver, &first.1).is_pending());
        assert!(poll_with(&mut receiver, &second.1).is_pending());
        sender.send(()).expect("the receiver is there");
        assert_eq!((first.0.count(), second.0.count()), (0, 1));
    }
}

#[test]
fn values_come_out_in_order_and_come_back_when_full_or_closed() {
    let (sender, receiver) = bounded(2);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    sender.try_send(1).expect("there is room");
    sender.try_send(2).expect("there is room");
    assert_eq!((sender.len(), sender.capacity()), (2, Some(2)));
    assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
    let late = sender.send_blocking_timeout(3, SOON);
    assert_eq!(late, Err(SendTimeoutError::TimedOut(3)));
    assert!(sender.close());
    assert!(!receiver.close(), "it was closed before");
    assert_eq!(sender.try_send(4), Err(TrySendError::Closed(4)));
    assert_eq!(wait(sender.send(5)), Err(SendError(5)));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(wait(receiver.recv()), Ok(2));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(receiver.recv_blocking(), Err(RecvError));
}

#[test]
fn a_timed_receive_tells_late_from_closed() {
    let (sender, receiver) = unbounded::<u8>();
    let late = receiver.recv_blocking_timeout(SOON);
    assert_eq!(late, Err(RecvTimeoutError::TimedOut));
    drop(sender);
    let closed = receiver.recv_blocking_timeout(SOON);
    assert_eq!(closed, Err(RecvTimeoutError::Closed));
}

#[test]
fn the_end_of_one_side_wakes_all_of_the_other() {
    let (sender, receiver) = bounded::<u8>(1);
    let receivers: Vec<_> = (0..3)
        .map(|_| {
            let receiver = receiver.clone();
            thread::spawn(move || receiver.recv_blocking())
        })
        .collect();
    drop(sender);
    for receiver in receivers {
        assert_eq!(receiver.join().expect("no panic"), Err(RecvError));
    }

    let (sender, receiver) = bounded(1);
    sender.try_send(0).expect("there is room");
    let senders: Vec<_> = (1..4)
        .map(|n| {
            let sender = sender.clone();
            thread::spawn(move || (n, sender.send_blocking(n)))
        })
        .collect();
    drop(receiver);
    for sender in senders {
        let (n, sent) = sender.join().expect("no panic");
        assert_eq!(sent, Err(SendError(n)));
    }
}

#[test]
fn trap_012_a_cancelled_receive_hands_its_wake_on() {
    let (sender, receiver) = unbounded();
    let (first, second) = (Wakes::new(), Wakes::new());
    let (mut a, mut b) = (receiver.recv(), receiver.recv());
    assert!(poll_with(&mut a, &first.1).is_pending());
    assert!(poll_with(&mut b, &second.1).is_pending());
    sender.try_send(1).expect("there is no limit");
    assert_eq!((first.0.count(), second.0.count()), (1, 0));
    drop(a);
    assert_eq!(second.0.count(), 1);
    assert_eq!(poll_with(&mut b, &second.1), Poll::Ready(Ok(1)));
}

#[test]
fn a_cancelled_send_hands_its_room_on_and_keeps_its_value() {
    let (sender, receiver) = bounded(1);
    sender.try_send(0).expect("there is room");
    let (first, second) = (Wakes::new(), Wakes::new());
    let (mut a, mut b) = (sender.send(1), sender.send(2));
    assert!(poll_with(&mut a, &first.1).is_pending());
    assert!(poll_with(&mut b, &second.1).is_pending());
    assert_eq!(receiver.try_recv(), Ok(0));
    assert_eq!(a.into_inner(), Some(1));
    assert_eq!(second.0.count(), 1);
    assert_eq!(poll_with(&mut b, &second.1), Poll::Ready(Ok(())));
    assert_eq!(receiver.try_recv(), Ok(2));
}

#[test]
fn a_receiver_is_a_stream() {
    let (sender, mut receiver) = bounded(4);
    let (wakes, waker) = Wakes::new();
    let mut cx = Context::from_waker(&waker);
    assert!(Pin::new(&mut receiver).poll_next(&mut cx).is_pending());
    sender.try_send(1).expect("there is room");
    assert_eq!(wakes.count(), 1);
    assert_eq!(
        Pin::new(&mut receiver).poll_next(&mut cx),
        Poll::Ready(Some(1))
    );
    drop(sender);
    assert_eq!(
        Pin::new(&mut receiver).poll_next(&mut cx),
        Poll::Ready(None)
    );
}

#[test]
fn a_stream_that_is_dropped_hands_its_wake_on() {
    let (sender, mut first) = unbounded();
    let second = first.clone();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut first).poll_next(&mut cx).is_pending());
    let (wakes, waker) = Wakes::new();
    let mut next = second.recv();
    assert!(poll_with(&mut next, &waker).is_pending());
    sender.try_send(9).expect("there is no limit");
    drop(first);
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll_with(&mut next, &waker), Poll::Ready(Ok(9)));
}

#[test]
fn trap_051_a_waker_that_panics_breaks_nobody_else() {
    let (sender, receiver) = bounded::<u8>(1);
    let bad: Waker = Arc::new(PanickingWaker).into();
    let (wakes, waker) = Wakes::new();
    let (mut a, mut b) = (receiver.recv(), receiver.recv());
    assert!(poll_with(&mut a, &bad).is_pending());
    assert!(poll_with(&mut b, &waker).is_pending());
    let closed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sender.close()));
    assert!(closed.is_err());
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll_with(&mut b, &waker), Poll::Ready(Err(RecvError)));
}

/// A value that counts the ones that are alive.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, SeqCst);
        Self(alive.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[test]
fn trap_092_the_last_receiver_drops_what_is_left_at_once() {
    let alive = Arc::new(AtomicUsize::new(0));
    let (sender, receiver) = unbounded();
    for _ in 0..100 {
        assert!(sender.try_send(Counted::new(&alive)).is_ok());
    }
    drop(receiver);
    assert_eq!(alive.load(SeqCst), 0);
    assert!(sender.try_send(Counted::new(&alive)).is_err());
    assert_eq!(alive.load(SeqCst), 0);
}

/// Sends `count` values, giving up at random; returns (accepted, kept).
fn send_at_random(
    sender: &Sender<Counted>,
    count: u64,
    seed: u64,
    alive: &Arc<AtomicUsize>,
) -> (usize, usize) {
    let mut dice = Dice::new(seed);
    let (mut accepted, mut kept) = (0, 0);
    for _ in 0..count {
        let value = Counted::new(alive);
        let sent = match dice.roll(4) {
            0 => sender.try_send(value).is_ok(),
            1 => sender.send_blocking(value).is_ok(),
            2 => sender
                .send_blocking_timeout(value, Duration::from_micros(50))
                .is_ok(),
            _ => {
                let mut sending = sender.send(value);
                let at_once = poll_with(&mut sending, Waker::noop());
                thread::yield_now();
                // Gives up, with the value or with the closed channel's answer.
                matches!(at_once, Poll::Ready(Ok(())))
            }
        };
        if sent { accepted += 1 } else { kept += 1 }
    }
    (accepted, kept)
}

/// Receives until the end, or `limit` values, giving up at random.
fn receive_at_random(receiver: &Receiver<Counted>, limit: usize, seed: u64) -> usize {
    let mut dice = Dice::new(seed);
    let mut received = 0;
    while received < limit {
        let answer = match dice.roll(3) {
            0 => receiver.recv_blocking().map_err(|_| TryRecvError::Closed),
            1 => receiver.try_recv(),
            _ => match poll_with(&mut receiver.recv(), Waker::noop()) {
                Poll::Ready(answer) => answer.map_err(|_| TryRecvError::Closed),
                Poll::Pending => Err(TryRecvError::Empty),
            },
        };
        match answer {
            Ok(_) => received += 1,
            Err(TryRecvError::Empty) => thread::yield_now(),
            Err(TryRecvError::Closed) => break,
        }
    }
    received
}

#[test]
fn trap_092_random_cancels_lose_nothing() {
    for (round, ends) in [bounded(1), bounded(3), unbounded()]
        .into_iter()
        .enumerate()
    {
        let alive = Arc::new(AtomicUsize::new(0));
        let (sender, receiver) = ends;
        let senders: Vec<_> = (0..3)
            .map(|n| {
                let (sender, alive) = (sender.clone(), alive.clone());
                let seed = (round * 10 + n) as u64 + 1;
                thread::spawn(move || send_at_random(&sender, 2_000, seed, &alive))
            })
            .collect();
        let receivers: Vec<_> = (0..2)
            .map(|n| {
                let receiver = receiver.clone();
                thread::spawn(move || receive_at_random(&receiver, usize::MAX, n + 77))
            })
            .collect();
        drop((sender, receiver));
        let accepted: usize = senders
            .into_iter()
            .map(|t| t.join().expect("no panic").0)
            .sum();
        let received: usize = receivers
            .into_iter()
            .map(|t| t.join().expect("no panic"))
            .sum();
        assert_eq!(accepted, received);
        assert_eq!(alive.load(SeqCst), 0);
    }
}

#[test]
fn trap_092_receivers_that_go_while_senders_send_strand_nothing() {
    for round in 0..200 {
        let alive = Arc::new(AtomicUsize::new(0));
        let (sender, receiver) = if round % 2 == 0 {
            bounded(2)
        } else {
            unbounded()
        };
        let senders: Vec<_> = (0..2)
            .map(|n| {
                let (sender, alive) = (sender.clone(), alive.clone());
                thread::spawn(move || send_at_random(&sender, 50, round * 2 + n + 1, &alive))
            })
            .collect();
        let taker = thread::spawn(move || receive_at_random(&receiver, 30, round));
        taker.join().expect("no panic");
        for thread in senders {
            let (accepted, kept) = thread.join().expect("no panic");
            assert_eq!(accepted + kept, 50);
        }
        // A sender is alive still: what it sent must not be.
        assert_eq!(alive.load(SeqCst), 0);
        drop(sender);
    }
}

#[test]
fn the_ends_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<Sender<std::cell::Cell<u8>>>();
    crosses::<Receiver<std::cell::Cell<u8>>>();
    crosses::<oneshot::Sender<std::cell::Cell<u8>>>();
    crosses::<oneshot::Receiver<std::cell::Cell<u8>>>();
}
