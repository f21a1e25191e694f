//! Several futures or tasks as one: [`gather`], [`try_gather`], [`wait`],
//! [`as_completed`] and [`race`], under asyncio's names and by its rules.
//!
//! [`gather`], [`try_gather`] and [`race`] run the futures they are given inside
//! the task that awaits them, and drop them with it. Given [`Task`](crate::Task)s
//! they await those, and dropping a `Task` only detaches it: the task runs on.
//! [`wait`] and [`as_completed`] take tasks alone, hand them back, and never
//! cancel one. [`shield`] keeps a cancellation from a task.
//!
//! Tasks that belong together end together in a [`TaskGroup`], or in a
//! [`scope`](scope()) if they borrow from the code that waits for them. Where
//! an end has to be asked for, not forced, it is asked for with a
//! [`CancelToken`].

#![forbid(unsafe_code)]

mod as_completed;
mod cancel_token;
mod finished;
mod gather;
mod race;
mod scoped;
mod shield;
mod staggered;
mod task_group;
mod wait;

pub use as_completed::{AsCompleted, as_completed};
pub use cancel_token::{CancelGuard, CancelToken};
pub use finished::{Waitable, WaitableResult};
pub use gather::{Gather, TryGather, gather, try_gather};
pub use race::{Either, race};
pub use scoped::{Scope, ScopedTask, scope};
pub use shield::{Shield, shield};
pub use staggered::{Staggered, staggered_race};
pub use task_group::{
    ChildError, Failure, GroupError, GroupOutput, Plain, StartError, Started, TaskGroup,
};
pub use wait::{ReturnWhen, wait, wait_results};

/// What [`gather!`](crate::gather!) expands to.
#[doc(hidden)]
pub mod expansion {
    pub use futures::future::{FutureExt, join};
}

#[cfg(test)]
mod tests;
