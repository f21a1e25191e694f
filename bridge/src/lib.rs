//! Many polyloop event loops in one program: work sent to a chosen loop, blocking
//! calls kept off the loops, channels between loops and threads.
//!
//! A loop of `polyloop` lives on one thread, and so do its tasks. This crate is
//! what crosses threads; everything in it is `Send + Sync`.
//!
//! | to                                         | use                                  |
//! |--------------------------------------------|--------------------------------------|
//! | run a coroutine on another loop            | [`run_coroutine_threadsafe`]         |
//! | call a function on another loop            | [`call_soon_threadsafe`]             |
//! | make a blocking call                       | [`run_in_executor`], [`to_thread`]   |
//! | pass values between loops and threads      | [`channel`]                          |
//! | run a loop a core                          | [`LoopGroup`]                        |
//!
//! Whatever is accepted is answered exactly once, with the value, a panic's
//! payload, or the reason why there is none; whatever is refused comes back. No
//! call waits for something that has ended.
//!
//! # Where to read
//! `waiters` is the one line in which tasks and blocked threads wait, `outcome`
//! the one cell in which a single answer travels; both open with their protocol,
//! and everything else stands on them. A journey through the crate: [`submit`]
//! (a closure goes to a loop, its outcome comes back), [`executor`] (a closure
//! goes to a thread), [`group`] (the loops and their threads).

pub mod channel;
pub mod executor;
pub mod group;
mod loom;
mod outcome;
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
