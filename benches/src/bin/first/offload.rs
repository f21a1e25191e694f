//! Blocking calls: from a loop to a thread that may block, and back.

use polyloop_benches::{Plan, Scenario, Side};
use polyloop_bridge::{OffloadError, Offloaded, ThreadPoolExecutor, run_in_executor};
use std::fmt::Debug;
use std::sync::OnceLock;
use std::time::Instant;

/// Calls that wait for their results at a time.
const OUTSTANDING: u64 = 1_000;
/// Threads for blocking calls on both sides, where they are to be equal.
const WORKERS: usize = 4;

/// Round trips, and throughput.
pub fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "offload",
            metrics: &["ns a round trip from inside the loop"],
            sides: sides![round_trips],
            once: false,
        },
        Scenario {
            name: "offload-throughput",
            metrics: &["ns a call, 1,000 outstanding, each with its own defaults"],
            sides: sides![throughput],
            once: false,
        },
        Scenario {
            name: "offload-throughput-4",
            metrics: &["ns a call, 1,000 outstanding, 4 workers each"],
            sides: sides![throughput_of_four],
            once: false,
        },
    ]
}

/// A single-threaded runtime that can get blocking work out of the way.
trait Offloading {
    /// A call whose result is still to come.
    type Call: Future<Output = Result<u64, Self::Failure>>;
    /// Why a call gave no value.
    type Failure: Debug;

    /// Makes the runtime, with so many threads for blocking work if it is said,
    /// and runs `main` on it.
    fn run<F: Future>(workers: Option<usize>, main: F) -> F::Output;
    /// Sends a closure that answers `value`; `workers` as for `run`.
    fn call(workers: Option<usize>, value: u64) -> Self::Call;
}

fn round_trips<R: Offloading>(plan: &Plan) -> Vec<f64> {
    let count = plan.scale(50_000);
    R::run(None, async move {
        for value in 0..count / 10 {
            assert_eq!(R::call(None, value).await.expect("a worker runs it"), value);
        }
        let began = Instant::now();
        for value in 0..count {
            assert_eq!(R::call(None, value).await.expect("a worker runs it"), value);
        }
        vec![began.elapsed().as_nanos() as f64 / count as f64]
    })
}

fn throughput<R: Offloading>(plan: &Plan) -> Vec<f64> {
    many::<R>(None, plan.scale(300))
}

fn throughput_of_four<R: Offloading>(plan: &Plan) -> Vec<f64> {
    many::<R>(Some(WORKERS), plan.scale(300))
}

fn many<R: Offloading>(workers: Option<usize>, batches: u64) -> Vec<f64> {
    R::run(workers, async move {
        let mut calls = Vec::with_capacity(OUTSTANDING as usize);
        let mut sum = 0;
        let began = Instant::now();
        for batch in 0..batches {
            let values = batch * OUTSTANDING..(batch + 1) * OUTSTANDING;
            calls.extend(values.map(|value| R::call(workers, value)));
            for call in calls.drain(..) {
                sum += call.await.expect("a worker runs it");
            }
        }
        let took = began.elapsed();
        let count = batches * OUTSTANDING;
        assert_eq!(sum, count * (count - 1) / 2);
        vec![took.as_nanos() as f64 / count as f64]
    })
}

struct Polyloop;

impl Offloading for Polyloop {
    type Call = Offloaded<u64>;
    type Failure = OffloadError;

    fn run<F: Future>(_workers: Option<usize>, main: F) -> F::Output {
        polyloop::run(main).expect("a bench machine has descriptors to spare")
    }

    fn call(workers: Option<usize>, value: u64) -> Offloaded<u64> {
        static POOL: OnceLock<ThreadPoolExecutor> = OnceLock::new();
        let pool = workers.map(|workers| {
            POOL.get_or_init(|| {
                let builder = ThreadPoolExecutor::builder().max_workers(workers);
                builder.build().expect("it starts no thread yet")
            })
        });
        run_in_executor(pool, move || value)
    }
}

#[cfg(feature = "peers")]
struct Tokio;

#[cfg(feature = "peers")]
impl Offloading for Tokio {
    type Call = tokio::task::JoinHandle<u64>;
    type Failure = tokio::task::JoinError;

    fn run<F: Future>(workers: Option<usize>, main: F) -> F::Output {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        if let Some(workers) = workers {
            builder.max_blocking_threads(workers);
        }
        let runtime = builder.build();
        runtime.expect("descriptors to spare").block_on(main)
    }

    fn call(_workers: Option<usize>, value: u64) -> Self::Call {
        tokio::task::spawn_blocking(move || value)
    }
}
