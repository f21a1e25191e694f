//! Any other place for blocking work as the executor of a loop.
#![forbid(unsafe_code)]

use polyloop::{Job, Offload};
use std::fmt;

/// Makes a place for blocking work of a closure that takes one job, without
/// waiting, or gives it back; for a thread pool that the program has anyway.
///
/// A job that it gives back is answered as [full](super::OffloadError::is_full),
/// and one that it takes and drops without calling it as shut down.
///
/// # Examples
/// A pool of the program's own, here a thread and a channel:
/// ```
/// use polyloop_bridge::{executor::offload_fn, to_thread};
/// use std::sync::{Arc, mpsc};
///
/// let (jobs, queue) = mpsc::channel::<polyloop::Job>();
/// std::thread::spawn(move || queue.into_iter().for_each(|job| job()));
/// let place = offload_fn(move |job| jobs.send(job).map_err(|refused| refused.0));
///
/// let looped = polyloop::EventLoop::builder().offload(Arc::new(place)).build();
/// let answer = looped.unwrap().run_until_complete(async { to_thread(|| 6 * 7).await });
/// assert_eq!(answer.unwrap().unwrap(), 42);
/// ```
/// With rayon it is `offload_fn(|job| { rayon::spawn(job); Ok(()) })`.
pub fn offload_fn<F>(take: F) -> OffloadFn<F>
where
    F: Fn(Job) -> Result<(), Job> + Send + Sync + 'static,
{
    OffloadFn(take)
}

/// A place for blocking work, from [`offload_fn`].
#[derive(Clone)]
pub struct OffloadFn<F>(F);

impl<F> Offload for OffloadFn<F>
where
    F: Fn(Job) -> Result<(), Job> + Send + Sync + 'static,
{
    fn offload(&self, job: Job) -> Result<(), Job> {
        (self.0)(job)
    }
}

impl<F> fmt::Debug for OffloadFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OffloadFn { .. }")
    }
}
