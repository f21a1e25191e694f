//! All of a loop that other threads may touch: the mailbox, the handle to it,
//! and work that is sent through it. Learn this folder once: a submission, a
//! wake from another thread and a blocking job's end all arrive by this way.

mod handle;
mod mailbox;
mod submit;

pub use handle::{HomeThread, LoopHandle, LoopMetrics, LoopState};
pub use mailbox::Unpark;
pub(crate) use mailbox::{Inbox, Mailbox, phase};
pub(crate) use submit::submit_to;
pub use submit::{Outcome, Refused, Remote};
