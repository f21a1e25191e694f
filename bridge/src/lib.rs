//! Many polyloop event loops: submission to a chosen loop, blocking offload,
//! channels across threads.

pub mod channel;
pub mod executor;
pub mod group;
mod loom;
mod outcome;
mod panics;
pub mod submit;
mod waiters;

pub use executor::{
    OffloadError, Offloaded, Shutdown, ShutdownReport, ThreadPoolExecutor, TrySubmitError,
    run_in_executor, to_thread,
};
pub use group::LoopGroup;
pub use submit::{
    Submission, SubmissionError, SubmitError, ThreadsafeCallHandle, call_soon_threadsafe,
    run_coroutine_threadsafe, try_run_coroutine_threadsafe,
};

#[cfg(all(test, not(loom)))]
mod test_tools;
