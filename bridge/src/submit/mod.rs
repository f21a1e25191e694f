//! Work sent to a chosen loop, with its result: `run_coroutine_threadsafe` and
//! `call_soon_threadsafe`.
//!
//! The closure travels, the future does not: it is made on its loop and need not
//! be `Send`. The outcome lives inside the task's own allocation.

mod became;
mod call;
mod cancel_on_drop;
mod error;
mod gate;
#[cfg(all(test, loom))]
mod loom_tests;
mod patience;
mod room;
mod start;
mod submission;
mod submitter;
#[cfg(all(test, not(loom)))]
mod tests;
mod told;

pub use became::Outcome;
pub use call::{ThreadsafeCallHandle, call_soon_threadsafe};
pub use cancel_on_drop::CancelOnDrop;
pub use error::{SubmissionError, SubmitError};
pub(crate) use patience::PATIENCE;
pub use room::Start;
pub use start::{SubmissionBuilder, submission};
pub use submission::{Answer, Submission, run_coroutine_threadsafe, try_run_coroutine_threadsafe};
pub use submitter::{Class, MailboxStatistics, Submitter};
