//! `run_in_executor`, and the executor of those who name none.
#![forbid(unsafe_code)]

use super::{Offloaded, ThreadPoolExecutor};
use std::panic::Location;
use std::sync::OnceLock;

/// Runs a blocking closure on an executor's thread; `loop.run_in_executor`.
///
/// `None` names the executor of the process, which is made at the first use with
/// the default settings and never shut down. The job is queued at the call if
/// there is room, else when the returned future is polled.
///
/// # Cancel safety
/// Dropping the future cancels a job that has not begun; one that runs goes on.
///
/// # Errors
/// The future gives [`OffloadError`](super::OffloadError); a panic's payload is
/// in it.
#[doc(alias = "spawn_blocking")]
#[track_caller]
pub fn run_in_executor<T, F>(executor: Option<&ThreadPoolExecutor>, f: F) -> Offloaded<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let location = Location::caller();
    match executor {
        Some(executor) => executor.submit_at(f, location),
        None => default_executor().submit_at(f, location),
    }
}

/// Runs a blocking closure on a thread of the default executor;
/// `asyncio.to_thread`.
///
/// # Cancel safety, errors
/// Those of [`run_in_executor`].
#[track_caller]
pub fn to_thread<T, F>(f: F) -> Offloaded<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    run_in_executor(None, f)
}

fn default_executor() -> &'static ThreadPoolExecutor {
    static DEFAULT: OnceLock<ThreadPoolExecutor> = OnceLock::new();
    DEFAULT.get_or_init(ThreadPoolExecutor::new)
}
