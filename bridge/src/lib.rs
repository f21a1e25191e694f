//! Many polyloop event loops: submission to a chosen loop, blocking offload,
//! channels across threads.

pub mod channel;
pub mod executor;
mod loom;
mod outcome;
mod panics;
mod waiters;

pub use executor::{
    OffloadError, Offloaded, Shutdown, ShutdownReport, ThreadPoolExecutor, TrySubmitError,
    run_in_executor, to_thread,
};

#[cfg(all(test, not(loom)))]
mod test_tools;
