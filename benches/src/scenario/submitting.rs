//! Work sent to a runtime on another thread, and its answer waited for.

use super::{Run, Scenario};
use crate::machine::pin_to;
use crate::runtime::{Part, Remote, Runtime, Setup};
use crate::work::{Answer, Latencies, Pace, Work};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// Submissions of one thread that wait for their answers at a time.
const OUTSTANDING: u64 = 1_000;
/// Round trips in a batch.
pub const TRIPS: u64 = 100;
/// Long enough for every budget of spinning to run out.
pub const SILENCE: Duration = Duration::from_millis(2);

/// What round trips answer.
pub const TRIP_METRICS: &[&str] = &["ns, median", "ns, 99 %", "ns, 99.9 %"];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "submit-cold",
        about: "a thread sends work to a loop and waits, after 2 ms of silence",
        metrics: TRIP_METRICS,
        needs: &[Part::Submit],
        weight: 1.5,
    },
    Scenario {
        name: "submit-warm",
        about: "a thread sends work to a loop and waits, then the next",
        metrics: TRIP_METRICS,
        needs: &[Part::Submit],
        weight: 1.0,
    },
    Scenario {
        name: "submit-1",
        about: "1 thread sends 1,000 pieces of work, then collects the answers",
        metrics: &["ns a submission"],
        needs: &[Part::Submit],
        weight: 1.0,
    },
    Scenario {
        name: "submit-2",
        about: "2 threads do so at once",
        metrics: &["ns a submission"],
        needs: &[Part::Submit],
        weight: 1.0,
    },
    Scenario {
        name: "submit-4",
        about: "4 threads do so at once",
        metrics: &["ns a submission"],
        needs: &[Part::Submit],
        weight: 1.0,
    },
    Scenario {
        name: "loop-to-loop",
        about: "a task sends work to another thread's loop and awaits it, then the next",
        metrics: TRIP_METRICS,
        needs: &[Part::Submit],
        weight: 1.0,
    },
    Scenario {
        name: "loop-to-loop-one-core",
        about: "the same, both threads kept on one core",
        metrics: TRIP_METRICS,
        needs: &[Part::Submit],
        weight: 0.5,
    },
    Scenario {
        name: "loop-to-loop-two-cores",
        about: "the same, each thread kept on a core of its own",
        metrics: TRIP_METRICS,
        needs: &[Part::Submit],
        weight: 0.5,
    },
];

/// Where the two threads are kept: the one that is asked, and the one that asks.
pub type Cores = [usize; 2];
/// Both on one.
pub const ONE_CORE: Cores = [0, 0];
/// Each on its own, if there are two.
pub const TWO_CORES: Cores = [0, 1];

pub(super) fn of<R: Runtime>() -> [(&'static str, Run); 8] {
    [
        ("submit-cold", cold::<R>),
        ("submit-warm", warm::<R>),
        ("submit-1", |work| throughput::<R>(work, 1)),
        ("submit-2", |work| throughput::<R>(work, 2)),
        ("submit-4", |work| throughput::<R>(work, 4)),
        ("loop-to-loop", loop_to_loop::<R>),
        ("loop-to-loop-one-core", loop_to_loop_on_one_core::<R>),
        ("loop-to-loop-two-cores", loop_to_loop_on_two_cores::<R>),
    ]
}

/// The scenario `submit-cold`.
pub fn cold<R: Runtime>(work: &Work) -> Answer {
    let remote = R::remote();
    let answer = cold_trips(work, |value| remote.round_trip(value));
    remote.stop();
    answer
}

fn warm<R: Runtime>(work: &Work) -> Answer {
    let remote = R::remote();
    let answer = warm_trips(work, |value| remote.round_trip(value));
    remote.stop();
    answer
}

/// Round trips with silences between them; `trip` answers what it is given.
pub fn cold_trips(work: &Work, mut trip: impl FnMut(u64) -> u64) -> Answer {
    let mut latencies = Latencies::new();
    let mut pace = work.pace();
    let mut value = 0;
    while pace.goes_on() {
        thread::sleep(SILENCE);
        let began = Instant::now();
        assert_eq!(trip(value), value);
        record(&mut latencies, &pace, began.elapsed());
        pace.did(1);
        value += 1;
    }
    latencies.answer()
}

/// Round trips one after another; `trip` answers what it is given.
pub fn warm_trips(work: &Work, mut trip: impl FnMut(u64) -> u64) -> Answer {
    let mut latencies = Latencies::new();
    let mut pace = work.pace();
    let mut value = 0;
    while pace.goes_on() {
        let mut before = Instant::now();
        for _ in 0..TRIPS {
            assert_eq!(trip(value), value);
            let now = Instant::now();
            record(&mut latencies, &pace, now - before);
            before = now;
            value += 1;
        }
        pace.did(TRIPS);
    }
    latencies.answer()
}

fn record(latencies: &mut Latencies, pace: &Pace, took: Duration) {
    if pace.is_measuring() {
        latencies.record(took);
    }
}

/// The producers begin together and stop together; the figure is the time over
/// what all of them sent.
fn throughput<R: Runtime>(work: &Work, producers: usize) -> Answer {
    let remote = R::remote();
    let begin = Barrier::new(producers + 1);
    let (sent, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let answer = thread::scope(|scope| {
        for _ in 0..producers {
            scope.spawn(|| {
                begin.wait();
                produce(remote.as_ref(), &sent, &stop);
            });
        }
        begin.wait();
        thread::sleep(work.warm_up());
        let (before, began) = (sent.load(Relaxed), Instant::now());
        let mut count = 0;
        while began.elapsed() < work.budget || count == 0 {
            thread::sleep(work.budget);
            count = sent.load(Relaxed) - before;
        }
        let took = began.elapsed();
        stop.store(true, Relaxed);
        Answer::of([took.as_nanos() as f64 / count as f64])
    });
    remote.stop();
    answer
}

fn produce(remote: &dyn Remote, sent: &AtomicU64, stop: &AtomicBool) {
    let expected = OUTSTANDING * (OUTSTANDING - 1) / 2;
    while !stop.load(Relaxed) {
        assert_eq!(remote.batch(0..OUTSTANDING), expected);
        sent.fetch_add(OUTSTANDING, Relaxed);
    }
}

/// The scenario of that name.
pub fn loop_to_loop<R: Runtime>(work: &Work) -> Answer {
    ask::<R>(work, R::remote())
}

/// The scenario of that name.
pub fn loop_to_loop_on_one_core<R: Runtime>(work: &Work) -> Answer {
    pinned::<R>(work, ONE_CORE)
}

/// The scenario of that name.
pub fn loop_to_loop_on_two_cores<R: Runtime>(work: &Work) -> Answer {
    pinned::<R>(work, TWO_CORES)
}

/// What the runtimes start stays on the core of the thread that starts it. The
/// process's first thread keeps them all, for those who ask it how many there are.
fn pinned<R: Runtime>(work: &Work, [theirs, mine]: Cores) -> Answer {
    thread::scope(|scope| {
        let remote = scope.spawn(|| (pin_to(theirs), R::remote()));
        let (_, remote) = remote.join().expect("the runtime starts");
        let asking = scope.spawn(|| (pin_to(mine), ask::<R>(work, remote)));
        asking.join().expect("every answer comes").1
    })
}

fn ask<R: Runtime>(work: &Work, remote: Box<dyn Remote>) -> Answer {
    let mut pace = work.pace();
    R::start(Setup::default(), async move {
        let mut latencies = Latencies::new();
        let mut expected = 0;
        while pace.goes_on() {
            let mut before = Instant::now();
            let first = expected;
            let mut answered = |value| {
                assert_eq!(value, expected);
                expected += 1;
                let now = Instant::now();
                record(&mut latencies, &pace, now - before);
                before = now;
            };
            let values = first..first + TRIPS;
            remote.ask(values, &mut answered).await;
            pace.did(TRIPS);
        }
        remote.stop();
        latencies.answer()
    })
}
