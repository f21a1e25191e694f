//! For the code inside a job of an executor: is it still wanted, and how it
//! calls back into a loop.
#![forbid(unsafe_code)]

use crate::executor::is_cancel_asked;
use crate::submit::{Answer, SubmissionError, run_coroutine_threadsafe};
use polyloop::LoopHandle;
use std::error::Error;
use std::fmt;
use std::future::Future;

/// The job was asked to end; from [`check_cancelled`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled(());

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the job was cancelled while it ran: clean up and return")
    }
}

impl Error for Cancelled {}

/// Was the job that runs on this thread asked to end, by
/// [`Offloaded::cancel`](crate::Offloaded::cancel) or because the future of its
/// value was dropped?
///
/// A closure that runs cannot be stopped from outside; one that takes long calls
/// this now and then. Outside of a job it is always `Ok`.
///
/// # Errors
/// [`Cancelled`], to be passed on with `?`.
///
/// # Examples
/// ```
/// use polyloop_bridge::{ThreadPoolExecutor, blocking};
///
/// let pool = ThreadPoolExecutor::new();
/// # let (begun, begins) = std::sync::mpsc::channel();
/// let endless = pool.submit(move || loop {
///     # let _ = begun.send(());
///     if let Err(cancelled) = blocking::check_cancelled() {
///         return cancelled;
///     }
///     std::thread::yield_now();
/// });
/// # begins.recv().unwrap();
/// assert!(!endless.cancel(), "it has begun, so it is asked");
/// endless.result().unwrap();
/// ```
pub fn check_cancelled() -> Result<(), Cancelled> {
    match is_cancel_asked() {
        true => Err(Cancelled(())),
        false => Ok(()),
    }
}

/// Runs a coroutine on a loop and blocks the job until it is done; what
/// `anyio.from_thread.run` is.
///
/// The loop goes on meanwhile, and so does the executor, which may have one
/// thread more as long as this one blocks.
///
/// # Errors
/// See [`SubmissionError`]; [`Cancelled`](SubmissionError::Cancelled) at once in
/// a job that was asked to end.
///
/// # Examples
/// ```
/// use polyloop_bridge::{blocking, to_thread};
///
/// polyloop::run(async {
///     let home = polyloop::current_loop();
///     let job = to_thread(move || {
///         let asked = blocking::run_on_loop(&home, || async { 20 }).unwrap();
///         asked + 22
///     });
///     assert_eq!(job.await.unwrap(), 42);
/// }).unwrap();
/// ```
#[track_caller]
pub fn run_on_loop<F, Fut>(target: &LoopHandle, f: F) -> Answer<Fut::Output>
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future + 'static,
    Fut::Output: Send + 'static,
{
    if is_cancel_asked() {
        return Err(SubmissionError::Cancelled);
    }
    run_coroutine_threadsafe(target, f).result()
}
