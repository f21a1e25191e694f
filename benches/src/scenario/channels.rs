//! Channels across threads: each end a task of a polyloop loop on a thread of its
//! own, whichever crate the channel is from. A channel that only blocks blocks
//! its thread, on which nothing else wants to run.

use super::submitting::{TRIP_METRICS, TRIPS};
use super::{Run, Scenario};
use crate::work::{Answer, Latencies, Work};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

/// Messages between two looks at anything but the channel.
const BATCH: u64 = 1_000;
/// The most messages that wait in an unbounded channel.
const AHEAD: u64 = 100_000;
/// Where a message's number ends and its producer's begins.
const NUMBER_BITS: u32 = 48;

const fn transfer(name: &'static str, about: &'static str) -> Scenario {
    Scenario {
        name,
        about,
        metrics: &["ns a message"],
        needs: &[],
        weight: 1.0,
    }
}

pub(super) const SCENARIOS: &[Scenario] = &[
    transfer("channel-1", "1 thread to another, capacity 1"),
    transfer("channel-1-1024", "1 thread to another, capacity 1,024"),
    transfer("channel-1-unbounded", "1 thread to another, unbounded"),
    transfer("channel-2", "2 threads to another, capacity 1"),
    transfer("channel-2-1024", "2 threads to another, capacity 1,024"),
    transfer("channel-2-unbounded", "2 threads to another, unbounded"),
    Scenario {
        name: "channel-trip",
        about: "a number to another thread and back, through two channels of capacity 1",
        metrics: TRIP_METRICS,
        needs: &[],
        weight: 1.0,
    },
];

/// A crate's channel with one receiver.
pub trait Channel: 'static {
    /// The sending end.
    type Sender: Clone + Send + 'static;
    /// The receiving end.
    type Receiver: Send + 'static;

    /// A channel; `None`: without bounds.
    fn channel(capacity: Option<usize>) -> (Self::Sender, Self::Receiver);
    /// Sends, when there is room.
    fn send(sender: &Self::Sender, value: u64) -> impl Future<Output = ()>;
    /// Receives; `None` when all senders are gone and nothing is left.
    fn receive(receiver: &mut Self::Receiver) -> impl Future<Output = Option<u64>>;
}

/// The scenarios for one crate's channel.
pub fn of_channel<C: Channel>() -> [(&'static str, Run); 7] {
    [
        ("channel-1", |work| transfers::<C>(work, 1, Some(1))),
        ("channel-1-1024", |work| transfers::<C>(work, 1, Some(1024))),
        ("channel-1-unbounded", |work| transfers::<C>(work, 1, None)),
        ("channel-2", |work| transfers::<C>(work, 2, Some(1))),
        ("channel-2-1024", |work| transfers::<C>(work, 2, Some(1024))),
        ("channel-2-unbounded", |work| transfers::<C>(work, 2, None)),
        ("channel-trip", trips::<C>),
    ]
}

fn run<F: Future>(main: F) -> F::Output {
    polyloop::run(main).expect("a bench machine has descriptors to spare")
}

/// What producers and the consumer know of each other beside the channel.
#[derive(Default)]
struct Shared {
    received: AtomicU64,
    stop: AtomicBool,
}

fn transfers<C: Channel>(work: &Work, producers: u64, capacity: Option<usize>) -> Answer {
    let (sender, receiver) = C::channel(capacity);
    let shared = Arc::new(Shared::default());
    let threads: Vec<_> = (0..producers)
        .map(|number| {
            let (sender, shared) = (sender.clone(), shared.clone());
            let ahead = capacity.is_none().then_some(AHEAD / producers);
            thread::spawn(move || run(produce::<C>(&sender, number, ahead, &shared, producers)))
        })
        .collect();
    drop(sender);
    let (answer, received) = run(consume::<C>(work, receiver, producers, &shared));
    let sent: u64 = threads
        .into_iter()
        .map(|thread| thread.join().expect("a producer only sends"))
        .sum();
    assert_eq!(received, sent);
    answer
}

/// Sends its numbers in order until it is told to stop; how many.
async fn produce<C: Channel>(
    sender: &C::Sender,
    producer: u64,
    ahead: Option<u64>,
    shared: &Shared,
    producers: u64,
) -> u64 {
    let mut sent = 0;
    while !shared.stop.load(Relaxed) {
        for _ in 0..BATCH {
            C::send(sender, producer << NUMBER_BITS | sent).await;
            sent += 1;
        }
        let too_far = |ahead| sent > shared.received.load(Relaxed) / producers + ahead;
        while ahead.is_some_and(too_far) && !shared.stop.load(Relaxed) {
            thread::yield_now();
        }
    }
    sent
}

async fn consume<C: Channel>(
    work: &Work,
    mut receiver: C::Receiver,
    producers: u64,
    shared: &Shared,
) -> (Answer, u64) {
    let mut next = vec![0; producers as usize];
    let mut pace = work.pace();
    while pace.goes_on() {
        for _ in 0..BATCH {
            let value = C::receive(&mut receiver).await.expect("producers go on");
            check(value, &mut next);
        }
        pace.did(BATCH);
        shared.received.fetch_add(BATCH, Relaxed);
    }
    shared.stop.store(true, Relaxed);
    while let Some(value) = C::receive(&mut receiver).await {
        check(value, &mut next);
    }
    (Answer::of([pace.ns_each()]), next.iter().sum())
}

/// Nothing lost, nothing twice, nothing overtaken.
fn check(value: u64, next: &mut [u64]) {
    let producer = (value >> NUMBER_BITS) as usize;
    assert_eq!(value & ((1 << NUMBER_BITS) - 1), next[producer]);
    next[producer] += 1;
}

fn trips<C: Channel>(work: &Work) -> Answer {
    let (there, mut from_here) = C::channel(Some(1));
    let (back, mut from_there) = C::channel(Some(1));
    let partner = thread::spawn(move || {
        run(async move {
            while let Some(value) = C::receive(&mut from_here).await {
                C::send(&back, value + 1).await;
            }
        });
    });
    let mut latencies = Latencies::new();
    let mut pace = work.pace();
    run(async {
        let mut value = 0;
        while pace.goes_on() {
            let mut before = Instant::now();
            for _ in 0..TRIPS {
                C::send(&there, value).await;
                let answer = C::receive(&mut from_there).await;
                assert_eq!(answer, Some(value + 1));
                value += 1;
                let now = Instant::now();
                if pace.is_measuring() {
                    latencies.record(now - before);
                }
                before = now;
            }
            pace.did(TRIPS);
        }
    });
    drop(there);
    partner.join().expect("the partner plays to the end");
    latencies.answer()
}
