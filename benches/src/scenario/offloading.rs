//! Blocking calls: from a task to a thread that may block, and back.

use super::{Run, Scenario, submitting::TRIP_METRICS};
use crate::runtime::{Part, Runtime, Setup};
use crate::work::{Answer, Latencies, Work};
use std::time::Instant;

/// Calls that wait for their results at a time.
const OUTSTANDING: u64 = 1_000;
/// Threads for blocking calls on all sides, where they are to be equal.
const WORKERS: usize = 4;
/// Round trips in a batch.
const TRIPS: u64 = 100;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "offload",
        about: "a task makes a blocking call and awaits it, then the next",
        metrics: TRIP_METRICS,
        needs: &[Part::Offload],
        weight: 1.0,
    },
    Scenario {
        name: "offload-1000",
        about: "1,000 blocking calls are made, then awaited; each runtime's own pool",
        metrics: &["ns a call"],
        needs: &[Part::Offload],
        weight: 1.0,
    },
    Scenario {
        name: "offload-1000-of-4",
        about: "1,000 blocking calls are made, then awaited; 4 threads where that can be said",
        metrics: &["ns a call"],
        needs: &[Part::Offload],
        weight: 1.0,
    },
];

pub(super) fn of<R: Runtime>() -> [(&'static str, Run); 3] {
    [
        ("offload", round_trips::<R>),
        ("offload-1000", |work| many::<R>(work, None)),
        ("offload-1000-of-4", |work| many::<R>(work, Some(WORKERS))),
    ]
}

fn round_trips<R: Runtime>(work: &Work) -> Answer {
    let mut pace = work.pace();
    R::start(Setup::default(), async move {
        let mut latencies = Latencies::new();
        while pace.goes_on() {
            for value in 0..TRIPS {
                let began = Instant::now();
                assert_eq!(R::offload(value).await, value);
                if pace.is_measuring() {
                    latencies.record(began.elapsed());
                }
            }
            pace.did(TRIPS);
        }
        latencies.answer()
    })
}

fn many<R: Runtime>(work: &Work, blocking: Option<usize>) -> Answer {
    let mut pace = work.pace();
    let setup = Setup {
        blocking,
        workers: None,
    };
    R::start(setup, async move {
        let mut calls = Vec::with_capacity(OUTSTANDING as usize);
        while pace.goes_on() {
            let mut sum = 0;
            calls.extend((0..OUTSTANDING).map(R::offload));
            for call in calls.drain(..) {
                sum += call.await;
            }
            assert_eq!(sum, OUTSTANDING * (OUTSTANDING - 1) / 2);
            pace.did(OUTSTANDING);
        }
        Answer::of([pace.ns_each()])
    })
}
