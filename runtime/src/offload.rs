//! Blocking work leaves the loop through one trait, so that the runtime needs
//! no thread pool of its own; polyloop-bridge's executor implements it.
#![forbid(unsafe_code)]

use std::any::Any;
use std::io;

/// A blocking call on its way to a thread that may block.
pub type Job = Box<dyn FnOnce() + Send + 'static>;

/// Runs blocking calls away from the loop; installed with
/// [`Builder::offload`](crate::Builder::offload).
///
/// [`Any`], so that code which knows the place by its type can use it by that.
pub trait Offload: Any + Send + Sync {
    /// Takes a job to run on some thread that may block, without waiting.
    ///
    /// # Errors
    /// Gives the job back if it is not taken (shut down, or full).
    fn offload(&self, job: Job) -> Result<(), Job>;
}

/// What a loop without an executor does: a thread for each call. Slow but
/// right.
///
/// # Errors
/// The system's, when it has no thread left.
pub(crate) fn on_own_thread(job: Job) -> io::Result<()> {
    std::thread::Builder::new()
        .name("polyloop-blocking".into())
        .spawn(job)
        .map(drop)
}
