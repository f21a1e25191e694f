//! Channels under random cancels at both ends: what was received and what came
//! back is what was sent, each value once.
//!
//! `POLYLOOP_CHANNEL_MESSAGES` says how many messages each test sends; without
//! it, few enough for every run.

use polyloop_bridge::channel::{self, Receiver, Sender};
use polyloop_tests::{XorShift, with_watchdog};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::thread;
use std::time::Duration;

/// How many values, and their sum: a value that came twice is seen.
#[derive(Default, Debug, Clone, Copy, PartialEq, Eq)]
struct Tally {
    count: u64,
    sum: u64,
}

impl Tally {
    fn add(&mut self, value: u64) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(value);
    }

    fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum.wrapping_add(other.sum),
        }
    }
}

/// What a sender saw: taken by the channel, and come back to it.
#[derive(Default)]
struct Sent {
    accepted: Tally,
    returned: Tally,
}

impl Sent {
    fn note(&mut self, value: u64, came_back: Option<u64>) {
        match came_back {
            None => self.accepted.add(value),
            Some(back) => {
                assert_eq!(back, value, "another value came back");
                self.returned.add(back);
            }
        }
    }
}

/// Sends from a loop; half of the sends are given up after a poll or two.
fn send_from_a_loop(sender: &Sender<u64>, values: std::ops::Range<u64>, seed: u64) -> Sent {
    let sending = async {
        let (mut dice, mut sent) = (XorShift::new(seed), Sent::default());
        for value in values {
            let mut send = sender.send(value);
            let came_back = match dice.below(4) {
                0 => sender.try_send(value).err().map(|error| error.into_inner()),
                1 => send.await.err().map(|error| error.into_inner()),
                polls => {
                    let mut answer = poll_once(&mut send).await;
                    if polls == 3 && answer.is_pending() {
                        polyloop::yield_now().await;
                        answer = poll_once(&mut send).await;
                    }
                    match answer {
                        Poll::Ready(answer) => answer.err().map(|error| error.into_inner()),
                        Poll::Pending => send.into_inner(),
                    }
                }
            };
            sent.note(value, came_back);
        }
        sent
    };
    polyloop::run(sending).expect("the machine has descriptors left")
}

/// Sends from a plain thread; some sends are given up after some microseconds.
fn send_from_a_thread(sender: &Sender<u64>, values: std::ops::Range<u64>, seed: u64) -> Sent {
    let (mut dice, mut sent) = (XorShift::new(seed), Sent::default());
    for value in values {
        let came_back = match dice.below(16) {
            0 => {
                let limit = Duration::from_micros(dice.below(80));
                let answer = sender.send_blocking_timeout(value, limit);
                answer.err().map(|error| error.into_inner())
            }
            1..8 => sender.try_send(value).err().map(|error| error.into_inner()),
            _ => {
                let answer = sender.send_blocking(value);
                answer.err().map(|error| error.into_inner())
            }
        };
        sent.note(value, came_back);
    }
    sent
}

/// Receives on a loop until the end; many receives are given up after a poll.
fn receive_on_a_loop(receiver: &Receiver<u64>, seed: u64) -> Tally {
    let receiving = async {
        let (mut dice, mut received) = (XorShift::new(seed), Tally::default());
        let mut batch = Vec::new();
        loop {
            let ended = match dice.below(4) {
                0 => match poll_once(&mut receiver.recv()).await {
                    Poll::Ready(Ok(value)) => {
                        received.add(value);
                        false
                    }
                    Poll::Ready(Err(_)) => true,
                    Poll::Pending => {
                        polyloop::yield_now().await;
                        false
                    }
                },
                1 => receiver.recv_many(&mut batch, 7).await.is_err(),
                _ => match receiver.recv().await {
                    Ok(value) => {
                        received.add(value);
                        false
                    }
                    Err(_) => true,
                },
            };
            batch.drain(..).for_each(|value| received.add(value));
            if ended {
                return received;
            }
        }
    };
    polyloop::run(receiving).expect("the machine has descriptors left")
}

/// Receives on a plain thread until the end, or until it has had `limit`.
fn receive_on_a_thread(receiver: &Receiver<u64>, limit: u64, seed: u64) -> Tally {
    let (mut dice, mut received) = (XorShift::new(seed), Tally::default());
    let mut batch = Vec::new();
    while received.count < limit {
        let ended = match dice.below(16) {
            0 => {
                let limit = Duration::from_micros(dice.below(80));
                let answer = receiver.recv_blocking_timeout(limit);
                let ended = answer.is_err_and(|error| error.is_closed());
                answer.into_iter().for_each(|value| received.add(value));
                ended
            }
            1..4 => receiver.recv_many_blocking(&mut batch, 5).is_err(),
            _ => match receiver.recv_blocking() {
                Ok(value) => {
                    received.add(value);
                    false
                }
                Err(_) => true,
            },
        };
        batch.drain(..).for_each(|value| received.add(value));
        if ended {
            break;
        }
    }
    received
}

/// Two senders and two receivers, a loop and a thread on either side.
fn nothing_is_lost(ends: (Sender<u64>, Receiver<u64>), messages: u64) {
    let (sender, receiver) = ends;
    let (first, second) = (0..messages / 2, messages / 2..messages);
    let (sent, received) = thread::scope(|scope| {
        // Moved in, so that the channel closes when both are done.
        let other = sender.clone();
        let senders = [
            scope.spawn(move || send_from_a_loop(&sender, first, 1)),
            scope.spawn(move || send_from_a_thread(&other, second, 2)),
        ];
        let other = receiver.clone();
        let receivers = [
            scope.spawn(move || receive_on_a_loop(&receiver, 3)),
            scope.spawn(move || receive_on_a_thread(&other, u64::MAX, 4)),
        ];
        let sent = senders.map(|thread| thread.join().expect("no panic"));
        let received = receivers.map(|thread| thread.join().expect("no panic"));
        (sent, received)
    });
    let accepted = sent[0].accepted.and(sent[1].accepted);
    let returned = sent[0].returned.and(sent[1].returned);
    let received = received[0].and(received[1]);
    println!(
        "{} received + {} returned = {messages} sent",
        received.count, returned.count
    );
    assert_eq!(received, accepted);
    assert_eq!(received.count + returned.count, messages);
}

#[test]
fn trap_092_one_slot_loses_nothing() {
    with_watchdog(LIMIT, || nothing_is_lost(channel::bounded(1), messages(5)));
}

#[test]
fn trap_092_a_bounded_queue_loses_nothing() {
    with_watchdog(LIMIT, || {
        nothing_is_lost(channel::bounded(1000), messages(1));
    });
}

#[test]
fn trap_092_an_unbounded_queue_loses_nothing() {
    with_watchdog(LIMIT, || {
        nothing_is_lost(channel::unbounded(), messages(1));
    });
}

#[test]
fn trap_092_a_priority_queue_loses_nothing() {
    with_watchdog(LIMIT, || {
        nothing_is_lost(channel::priority(1000), messages(2));
    });
}

/// Receivers that go while senders send: what the channel took is received or
/// dropped with the last receiver, and what it did not take comes back.
#[test]
fn trap_092_receivers_that_go_leave_every_value_accounted_for() {
    with_watchdog(LIMIT, || {
        for round in 0..100 {
            let (sender, receiver) = channel::bounded(16);
            let other = sender.clone();
            let (sent, received) = thread::scope(|scope| {
                let senders = [
                    scope.spawn(move || send_from_a_loop(&sender, 0..500, round)),
                    scope.spawn(move || send_from_a_thread(&other, 500..1000, round)),
                ];
                let receive = scope.spawn(move || receive_on_a_thread(&receiver, 200, round));
                let sent = senders.map(|thread| thread.join().expect("no panic"));
                (sent, receive.join().expect("no panic"))
            });
            let accepted = sent[0].accepted.and(sent[1].accepted);
            let returned = sent[0].returned.and(sent[1].returned);
            assert_eq!(accepted.count + returned.count, 1000);
            assert!(received.count <= accepted.count);
            // A batch may carry the receiver past its limit.
            assert!(accepted.count <= received.count + 16, "a value is stranded");
        }
    });
}

/// What one poll says.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}

/// How many messages a test sends: a part of what the variable says.
fn messages(part: u64) -> u64 {
    let all = std::env::var("POLYLOOP_CHANNEL_MESSAGES").ok();
    let all = all.map_or(100_000, |all| all.parse().expect("a number of messages"));
    all / part
}

const LIMIT: Duration = Duration::from_secs(600);
