//! Timers: many sleeps at once, and time limits.

use super::{Run, Scenario};
use crate::process_time;
use crate::runtime::{Part, Runtime, Setup};
use crate::work::{Answer, Latencies, Work};
use std::future::{pending, ready};
use std::time::{Duration, Instant};

/// Time limits in a batch.
const LIMITS: u64 = 1_000;
/// A limit that is never reached.
const FAR: Duration = Duration::from_secs(60);

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "sleep-1000000",
        about: "1,000,000 tasks sleep between 0.5 and 1.5 s (fewer, shorter when quick)",
        metrics: &[
            "ns of processor time a sleep, with its task",
            "ns late, median",
        ],
        needs: &[Part::Timers],
        weight: 3.0,
    },
    Scenario {
        name: "sleep-100000",
        about: "100,000 tasks sleep between 0.5 and 1.5 s (fewer, shorter when quick)",
        metrics: &[
            "ns late, median",
            "ns late, 99 %",
            "ns of processor time a sleep, with its task",
        ],
        needs: &[Part::Timers],
        weight: 3.0,
    },
    Scenario {
        name: "timeout-ready",
        about: "a time limit around a future that is ready",
        metrics: &["ns a limit"],
        needs: &[Part::Timers],
        weight: 0.5,
    },
    Scenario {
        name: "timeout-yield",
        about: "a time limit around one yield",
        metrics: &["ns a limit"],
        needs: &[Part::Timers],
        weight: 0.5,
    },
    Scenario {
        name: "timeout-churn",
        about: "1,000 time limits are set at once, and none is reached",
        metrics: &["ns a limit"],
        needs: &[Part::Timers],
        weight: 1.0,
    },
    Scenario {
        name: "timeout-reached",
        about: "a time limit of nothing around a future that never comes",
        metrics: &["ns a limit"],
        needs: &[Part::Timers],
        weight: 0.5,
    },
];

pub(super) fn of<R: Runtime>() -> [(&'static str, Run); 6] {
    [
        ("sleep-1000000", million::<R>),
        ("sleep-100000", lateness::<R>),
        ("timeout-ready", around_ready::<R>),
        ("timeout-yield", around_yield::<R>),
        ("timeout-churn", churn::<R>),
        ("timeout-reached", reached::<R>),
    ]
}

fn million<R: Runtime>(work: &Work) -> Answer {
    let (latencies, cpu) = sleeps::<R>(work, 1_000_000);
    Answer {
        figures: vec![cpu, latencies.at(0.5)],
        quantiles: latencies.quantiles(),
    }
}

fn lateness<R: Runtime>(work: &Work) -> Answer {
    let (latencies, cpu) = sleeps::<R>(work, 100_000);
    Answer {
        figures: vec![latencies.at(0.5), latencies.at(0.99), cpu],
        quantiles: latencies.quantiles(),
    }
}

/// So many sleeps a second, spread over a second or the time there is for it,
/// beginning after half of that: how late they end, and the processor time of
/// each.
fn sleeps<R: Runtime>(work: &Work, per_second: u64) -> (Latencies, f64) {
    let least = Duration::from_millis(200);
    let window = work.budget.clamp(least, Duration::from_secs(1));
    let (first, spread) = (window / 2, window.as_nanos() as u64);
    let count = (per_second as f64 * window.as_secs_f64()) as u64;
    R::start(Setup::default(), async move {
        let cpu = process_time();
        let mut tasks = Vec::with_capacity(count as usize);
        for number in 0..count {
            // A multiplicative hash, so that the order is no order.
            let place = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 34;
            let duration = first + Duration::from_nanos(place % spread);
            tasks.push(R::spawn(async move {
                let began = Instant::now();
                R::sleep(duration).await;
                let slept = began.elapsed();
                assert!(slept >= duration, "woken before its time");
                slept - duration
            }));
        }
        let mut latencies = Latencies::new();
        for task in tasks {
            latencies.record(task.await);
        }
        let used = process_time().saturating_sub(cpu);
        assert_eq!(latencies.len(), count);
        (latencies, used.as_nanos() as f64 / count as f64)
    })
}

fn around_ready<R: Runtime>(work: &Work) -> Answer {
    let mut pace = work.pace();
    R::start(Setup::default(), async move {
        while pace.goes_on() {
            for value in 0..LIMITS {
                assert_eq!(R::timeout(FAR, ready(value)).await, Some(value));
            }
            pace.did(LIMITS);
        }
        Answer::of([pace.ns_each()])
    })
}

fn around_yield<R: Runtime>(work: &Work) -> Answer {
    let mut pace = work.pace();
    R::start(Setup::default(), async move {
        while pace.goes_on() {
            for _ in 0..LIMITS {
                assert_eq!(R::timeout(FAR, R::yield_now()).await, Some(()));
            }
            pace.did(LIMITS);
        }
        Answer::of([pace.ns_each()])
    })
}

/// A thousand tasks, each of which sets limits around yields in turn, so that
/// there are always a thousand limits under way.
fn churn<R: Runtime>(work: &Work) -> Answer {
    const EACH: u64 = 100;
    let mut pace = work.pace();
    R::start(Setup::default(), async move {
        while pace.goes_on() {
            let limited = |number: u64| {
                R::spawn(async move {
                    let mut done = 0;
                    for turn in 0..EACH {
                        let limit = FAR + Duration::from_millis(number * 7 + turn);
                        if R::timeout(limit, R::yield_now()).await.is_some() {
                            done += 1;
                        }
                    }
                    done
                })
            };
            let tasks: Vec<_> = (0..LIMITS).map(limited).collect();
            let mut done = 0;
            for task in tasks {
                done += task.await;
            }
            assert_eq!(done, LIMITS * EACH);
            pace.did(done);
        }
        Answer::of([pace.ns_each()])
    })
}

fn reached<R: Runtime>(work: &Work) -> Answer {
    const BATCH: u64 = 10;
    let mut pace = work.pace();
    R::start(Setup::default(), async move {
        while pace.goes_on() {
            for _ in 0..BATCH {
                let came = R::timeout(Duration::ZERO, pending::<()>()).await;
                assert_eq!(came, None);
            }
            pace.did(BATCH);
        }
        Answer::of([pace.ns_each()])
    })
}
