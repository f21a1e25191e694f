//! Several futures or tasks as one: [`gather`], [`try_gather`], [`wait`],
//! [`as_completed`] and [`race`], under asyncio's names and by its rules.
//!
//! [`gather`], [`try_gather`] and [`race`] run the futures they are given inside
//! the task that awaits them, and drop them with it. Given [`Task`](crate::Task)s
//! they await those, and dropping a `Task` only detaches it: the task runs on.
//! [`wait`] and [`as_completed`] take tasks alone, hand them back, and never
//! cancel one.

#![forbid(unsafe_code)]

mod as_completed;
mod finished;
mod gather;
mod race;
mod wait;

pub use as_completed::{AsCompleted, as_completed};
pub use finished::Waitable;
pub use gather::{Gather, TryGather, gather, try_gather};
pub use race::{Either, race};
pub use wait::{ReturnWhen, wait};

/// What [`gather!`](crate::gather!) expands to.
#[doc(hidden)]
pub mod expansion {
    pub use futures::future::{FutureExt, join};
}

#[cfg(test)]
mod tests;
