//! `run_in_executor`, and the executor of those who name none.
#![forbid(unsafe_code)]

use super::job::{Answers, JobCell};
use super::{LimitedExecutor, OffloadError, Offloaded, ThreadPoolExecutor};
use crate::blocked::PoolId;
use polyloop::{Job, Offload};
use std::any::Any;
use std::panic::Location;
use std::sync::{Arc, OnceLock};

/// Runs a blocking closure on an executor's thread; `loop.run_in_executor`.
///
/// `None` names the place that the running loop was given for blocking work
/// ([`polyloop::Builder::offload`]; a loop of a group has the group's executor).
/// Without one it is the executor of the process, which is made at the first use
/// with the default settings and never shut down.
///
/// The job is queued at the call if there is room, else when the returned future
/// is polled.
///
/// As in asyncio the closure does not see the caller's context variables: that is
/// what [`to_thread`] is for. The same is true of `submit`.
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
        None => match loops_offload() {
            Some(offload) => submit_to_offload(&*offload, f, location),
            None => default_executor().submit_at(f, location),
        },
    }
}

/// Runs a blocking closure on a thread of the default executor;
/// `asyncio.to_thread`. Unlike [`run_in_executor`] it gives the closure a copy of
/// the caller's context variables.
///
/// # Cancel safety, errors
/// Those of [`run_in_executor`].
#[track_caller]
pub fn to_thread<T, F>(f: F) -> Offloaded<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let mut context = polyloop::copy_context();
    if context.is_empty() {
        return run_in_executor(None, f);
    }
    run_in_executor(None, move || context.run(f))
}

fn loops_offload() -> Option<Arc<dyn Offload>> {
    polyloop::try_current_loop().and_then(|_| polyloop::current_offload())
}

/// An executor of ours takes the job as it is; any other place takes it boxed.
fn submit_to_offload<T, F>(
    offload: &dyn Offload,
    f: F,
    location: &'static Location<'static>,
) -> Offloaded<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let any: &dyn Any = offload;
    if let Some(executor) = any.downcast_ref::<ThreadPoolExecutor>() {
        return executor.submit_at(f, location);
    }
    if let Some(share) = any.downcast_ref::<LimitedExecutor>() {
        return share.submit_at(f, location);
    }
    let job: Arc<dyn Answers<T>> = JobCell::new(f, PoolId::NONE, location);
    let away = Away(job.clone());
    if let Err(back) = offload.offload(Box::new(move || away.run())) {
        job.refuse(OffloadError::full());
        drop(back);
    }
    Offloaded::new(job)
}

/// A job in a place that may drop it unrun.
struct Away<T>(Arc<dyn Answers<T>>);

impl<T> Away<T> {
    fn run(self) {
        self.0.run();
    }
}

impl<T> Drop for Away<T> {
    fn drop(&mut self) {
        self.0.refuse(OffloadError::shut_down());
    }
}

/// A job that leaves the loop through the runtime's own door.
///
/// It comes back when the queue is at its limit, the executor is shut down, or
/// there is no thread for it.
impl Offload for ThreadPoolExecutor {
    fn offload(&self, job: Job) -> Result<(), Job> {
        match self.try_submit(job) {
            Ok(offloaded) => {
                offloaded.detach();
                Ok(())
            }
            Err(refused) => Err(refused.into_inner()),
        }
    }
}

pub(super) fn default_executor() -> &'static ThreadPoolExecutor {
    static DEFAULT: OnceLock<ThreadPoolExecutor> = OnceLock::new();
    DEFAULT.get_or_init(ThreadPoolExecutor::new)
}
