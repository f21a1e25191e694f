//! Work sent to a chosen loop, with its result: `run_coroutine_threadsafe` and
//! `call_soon_threadsafe`.
//!
//! The closure travels, the future does not: it is made on its loop and need not
//! be `Send`. The outcome lives inside the task's own allocation.

mod became;
mod call;
mod error;
mod gate;
#[cfg(all(test, loom))]
mod loom_tests;
mod start;
mod submission;
mod submitter;
#[cfg(all(test, not(loom)))]
mod tests;

pub use became::Outcome;
pub use call::{ThreadsafeCallHandle, call_soon_threadsafe};
pub use error::{SubmissionError, SubmitError};
pub use start::{Start, SubmissionBuilder, submission};
pub use submission::{
    Answer, CancelOnDrop, Submission, run_coroutine_threadsafe, try_run_coroutine_threadsafe,
};
pub use submitter::{Class, MailboxStatistics, Submitter};
