//! Work sent to a loop on another thread, and its result waited for by this one.

use polyloop_benches::{Plan, Scenario, Side, median};
use polyloop_bridge::{Submission, run_coroutine_threadsafe};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Submissions that wait for their results at a time.
const OUTSTANDING: u64 = 1_000;
/// Long enough for every budget of spinning to run out.
const SILENCE: Duration = Duration::from_millis(2);

/// Round trips, cold and warm, and throughput.
pub fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "submit-cold",
            metrics: &["ns a round trip, after 2 ms of silence"],
            sides: sides![cold],
            once: false,
        },
        Scenario {
            name: "submit-warm",
            metrics: &["ns a round trip, one after another"],
            sides: sides![warm],
            once: false,
        },
        Scenario {
            name: "submit-throughput",
            metrics: &["ns a submission, 1,000 outstanding"],
            sides: sides![throughput],
            once: false,
        },
    ]
}

/// A runtime on a thread of its own.
trait Remote {
    /// A submission whose result is still to come.
    type Pending;

    /// Starts the thread.
    fn start() -> Self;
    /// Sends work that answers `value`.
    fn submit(&self, value: u64) -> Self::Pending;
    /// Waits for the results and adds them up.
    fn collect(&self, pending: &mut Vec<Self::Pending>) -> u64;
    /// Sends work that answers `value`, and waits for it.
    fn round_trip(&self, value: u64) -> u64;
    /// Ends the thread.
    fn stop(self);
}

fn cold<R: Remote>(plan: &Plan) -> Vec<f64> {
    let remote = R::start();
    let mut took: Vec<f64> = (0..plan.scale(200))
        .map(|value| {
            thread::sleep(SILENCE);
            let began = Instant::now();
            assert_eq!(remote.round_trip(value), value);
            began.elapsed().as_nanos() as f64
        })
        .collect();
    remote.stop();
    took.sort_by(f64::total_cmp);
    vec![median(&took)]
}

fn warm<R: Remote>(plan: &Plan) -> Vec<f64> {
    let count = plan.scale(100_000);
    let remote = R::start();
    // Into the conversation, before the clock runs.
    for value in 0..count / 10 {
        assert_eq!(remote.round_trip(value), value);
    }
    let began = Instant::now();
    for value in 0..count {
        assert_eq!(remote.round_trip(value), value);
    }
    let took = began.elapsed();
    remote.stop();
    vec![took.as_nanos() as f64 / count as f64]
}

fn throughput<R: Remote>(plan: &Plan) -> Vec<f64> {
    let batches = plan.scale(1_000);
    let remote = R::start();
    let mut pending = Vec::with_capacity(OUTSTANDING as usize);
    let mut sum = 0;
    let began = Instant::now();
    for batch in 0..batches {
        let values = batch * OUTSTANDING..(batch + 1) * OUTSTANDING;
        pending.extend(values.map(|value| remote.submit(value)));
        sum += remote.collect(&mut pending);
    }
    let took = began.elapsed();
    remote.stop();
    let count = batches * OUTSTANDING;
    assert_eq!(sum, count * (count - 1) / 2);
    vec![took.as_nanos() as f64 / count as f64]
}

struct Polyloop {
    handle: polyloop::LoopHandle,
    thread: thread::JoinHandle<()>,
}

impl Remote for Polyloop {
    type Pending = Submission<u64>;

    fn start() -> Self {
        let (send, receive) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut looped = polyloop::EventLoop::new().expect("descriptors to spare");
            send.send(looped.handle()).expect("the starter waits");
            looped.run_forever().expect("it is stopped, not broken");
        });
        let handle = receive.recv().expect("the thread sends it");
        Self { handle, thread }
    }

    fn submit(&self, value: u64) -> Submission<u64> {
        run_coroutine_threadsafe(&self.handle, move || async move { value })
    }

    fn collect(&self, pending: &mut Vec<Submission<u64>>) -> u64 {
        let results = pending.drain(..).map(Submission::result);
        results.map(|result| result.expect("the loop runs")).sum()
    }

    fn round_trip(&self, value: u64) -> u64 {
        self.submit(value).result().expect("the loop runs")
    }

    fn stop(self) {
        self.handle.stop();
        self.thread.join().expect("the loop ends in peace");
    }
}

#[cfg(feature = "peers")]
struct Tokio {
    handle: tokio::runtime::Handle,
    stop: tokio::sync::oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

#[cfg(feature = "peers")]
impl Remote for Tokio {
    type Pending = tokio::task::JoinHandle<u64>;

    fn start() -> Self {
        let runtime = crate::tasks::current_thread();
        let handle = runtime.handle().clone();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(stopped).expect("the sender says stop");
        });
        Self {
            handle,
            stop,
            thread,
        }
    }

    fn submit(&self, value: u64) -> Self::Pending {
        self.handle.spawn(async move { value })
    }

    fn collect(&self, pending: &mut Vec<Self::Pending>) -> u64 {
        futures::executor::block_on(async {
            let mut sum = 0;
            for joined in pending.drain(..) {
                sum += joined.await.expect("the runtime runs");
            }
            sum
        })
    }

    fn round_trip(&self, value: u64) -> u64 {
        let (send, receive) = tokio::sync::oneshot::channel();
        // Its answer comes through the channel.
        drop(self.handle.spawn(async move { send.send(value) }));
        receive.blocking_recv().expect("the runtime runs")
    }

    fn stop(self) {
        self.stop.send(()).expect("the runtime waits for it");
        self.thread.join().expect("the runtime ends in peace");
    }
}
