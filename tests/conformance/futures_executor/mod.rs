//! CPython's `test_concurrent_futures`, as far as it is about threads.

mod as_completed;
mod executor;
mod future;
mod shutdown;
mod wait;

use polyloop_bridge::channel::oneshot;
use polyloop_bridge::{Offloaded, Shutdown, ThreadPoolExecutor};

pub fn pool(workers: usize) -> ThreadPoolExecutor {
    let builder = ThreadPoolExecutor::builder().max_workers(workers);
    builder.build().expect("no thread is started yet")
}

/// A job that is under way and ends when the sender is used.
pub fn waits(pool: &ThreadPoolExecutor) -> (oneshot::Sender<()>, Offloaded<u32>) {
    let (set, event) = oneshot::channel();
    let (begun, begins) = oneshot::channel();
    let job = pool.submit(move || {
        let _ = begun.send(());
        let _ = event.recv_blocking();
        0
    });
    begins.recv_blocking().expect("it begins");
    (set, job)
}

/// A job that has ended so.
pub fn ended(value: Result<u32, &'static str>) -> Offloaded<u32> {
    let pool = pool(1);
    let job = pool.submit(move || match value {
        Ok(value) => value,
        Err(payload) => std::panic::resume_unwind(Box::new(payload)),
    });
    pool.shutdown(Shutdown::default());
    assert!(job.is_done());
    job
}

/// A job that was cancelled before it began.
pub fn cancelled() -> Offloaded<u32> {
    let pool = pool(1);
    let (set, _busy) = waits(&pool);
    let job = pool.submit(|| 1);
    assert!(job.cancel());
    drop(set);
    job
}
