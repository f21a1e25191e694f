//! Work sent to a chosen loop, with its result: `run_coroutine_threadsafe` and
//! `call_soon_threadsafe`.
//!
//! The closure travels, the future does not: it is made on its loop and need not
//! be `Send`. The outcome lives inside the task's own allocation.

mod call;
mod error;
#[cfg(all(test, loom))]
mod loom_tests;
mod submission;
#[cfg(all(test, not(loom)))]
mod tests;

pub use call::{ThreadsafeCallHandle, call_soon_threadsafe};
pub use error::{SubmissionError, SubmitError};
pub use submission::{Outcome, Submission, run_coroutine_threadsafe, try_run_coroutine_threadsafe};
