//! What tasks of one thread exchange: ping-pong, and primitives that nobody
//! else wants.

use super::{Run, Scenario};
use crate::runtime::{Exchange, Part, Runtime, Setup};
use crate::work::{Answer, Work};

/// Exchanges in a batch.
const BATCH: u64 = 2_000;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "ping-pong",
        about: "two tasks of one thread send a number to and fro",
        metrics: &["ns a round trip"],
        needs: &[Part::Exchange(Exchange::PingPong)],
        weight: 1.0,
    },
    Scenario {
        name: "lock",
        about: "a lock that nobody else wants is taken and released",
        metrics: &["ns a turn"],
        needs: &[Part::Exchange(Exchange::Lock)],
        weight: 0.5,
    },
    Scenario {
        name: "semaphore",
        about: "one of 4 free permits is taken and given back",
        metrics: &["ns a turn"],
        needs: &[Part::Exchange(Exchange::Semaphore)],
        weight: 0.5,
    },
    Scenario {
        name: "event",
        about: "an event is set, waited for and cleared",
        metrics: &["ns a turn"],
        needs: &[Part::Exchange(Exchange::Event)],
        weight: 0.5,
    },
    Scenario {
        name: "queue",
        about: "a number is put into a queue with room and got out",
        metrics: &["ns a turn"],
        needs: &[Part::Exchange(Exchange::Queue)],
        weight: 0.5,
    },
];

pub(super) fn of<R: Runtime>() -> [(&'static str, Run); 5] {
    [
        ("ping-pong", |work| exchanges::<R>(work, Exchange::PingPong)),
        ("lock", |work| exchanges::<R>(work, Exchange::Lock)),
        ("semaphore", |work| {
            exchanges::<R>(work, Exchange::Semaphore)
        }),
        ("event", |work| exchanges::<R>(work, Exchange::Event)),
        ("queue", |work| exchanges::<R>(work, Exchange::Queue)),
    ]
}

fn exchanges<R: Runtime>(work: &Work, what: Exchange) -> Answer {
    let mut pace = work.pace();
    R::start(Setup::default(), async move {
        // A runtime of several threads is to do it on one of its own.
        R::spawn(async move {
            while pace.goes_on() {
                assert_eq!(R::exchange(what, BATCH).await, BATCH);
                pace.did(BATCH);
            }
            Answer::of([pace.ns_each()])
        })
        .await
    })
}
