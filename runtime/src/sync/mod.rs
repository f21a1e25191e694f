//! Primitives for the tasks of one loop, under asyncio's names and by its rules:
//! [`Event`], [`Lock`], [`Condition`], [`Semaphore`], [`BoundedSemaphore`],
//! [`Barrier`], [`Queue`], [`LifoQueue`], [`PriorityQueue`] and [`Future`]; and
//! what asyncio lacks: [`RwLock`], [`Notify`], [`Once`], [`CapacityLimiter`],
//! [`watch`] and [`broadcast`].
//!
//! They belong to the loop they are used on: none is `Send` or `Sync`, none
//! uses an atomic or a lock, and a wait allocates nothing. Between loops and
//! threads use the primitives of `polyloop-bridge`, which have the same names.
//! Tasks of one loop share a primitive by reference or by [`Rc`](std::rc::Rc):
//!
//! ```
//! use std::rc::Rc;
//! use polyloop::sync::Lock;
//!
//! # fn main() -> std::io::Result<()> {
//! polyloop::run(async {
//!     let total = Rc::new(Lock::new(0));
//!     let tasks: Vec<_> = (1..=4)
//!         .map(|n| {
//!             let total = Rc::clone(&total);
//!             polyloop::create_task(async move { *total.acquire().await += n })
//!         })
//!         .collect();
//!     for task in tasks {
//!         task.await.expect("nobody cancels the task and it does not panic");
//!     }
//!     assert_eq!(*total.acquire().await, 10);
//! })
//! # }
//! ```
//!
//! # Rules that hold for all of them
//!
//! - Who waits first is served first. Where asyncio lets a newcomer take what a
//!   woken waiter has not fetched yet ([`Queue`]), it is said at the type.
//! - A future that is dropped while it waits leaves no trace; one that is
//!   dropped after it was woken passes on what it was woken for. Nothing is
//!   lost to a cancelled task.
//! - Nothing happens before a future is first polled.
//! - Wakers and values are called and dropped when no internal state is
//!   borrowed, so that they may use the same primitive.
//! - `statistics()` says who holds and who waits, for a person who looks for a
//!   task that does not go on.

mod barrier;
mod bounded_semaphore;
pub mod broadcast;
mod capacity_limiter;
mod condition;
mod event;
mod future;
mod lock;
mod notify;
mod once;
mod queue;
mod rwlock;
mod semaphore;
mod wait_queue;
mod wake_on_drop;
pub mod watch;

#[cfg(test)]
mod testing;

#[cfg(test)]
mod model_tests;

#[cfg(test)]
mod waker_tests;

pub use barrier::{Barrier, BarrierState, BarrierStatistics, BarrierWait, BrokenBarrierError};
pub use bounded_semaphore::{
    AcquireBounded, BoundedSemaphore, BoundedSemaphorePermit, ReleaseError,
};
pub use capacity_limiter::{
    AcquireToken, CapacityLimiter, CapacityLimiterStatistics, CapacityToken,
};
pub use condition::{Condition, ConditionStatistics, ConditionWait};
pub use event::{Event, EventStatistics, EventWait};
pub use future::{
    CallbackId, Future, FutureError, FutureOutput, FutureStatistics, FutureWait, InvalidStateError,
    Promise, PromiseCancelled, create_future,
};
pub use lock::{AcquireLock, Lock, LockGuard, LockStatistics};
pub use notify::{Notified, Notify, NotifyStatistics};
pub use once::{Once, OnceStatistics};
pub use queue::{
    Fifo, Lifo, LifoQueue, LowestFirst, PriorityQueue, Queue, QueueGet, QueueJoin, QueueOrder,
    QueuePut, QueuePutError, QueueShutDown, QueueStatistics, TaskDoneError, TryGetError,
    TryPutError,
};
pub use rwlock::{
    AcquireRead, AcquireWrite, RwLock, RwLockReadGuard, RwLockStatistics, RwLockWriteGuard,
};
pub use semaphore::{
    AcquireSemaphore, OwnedSemaphorePermit, Semaphore, SemaphorePermit, SemaphoreStatistics,
};
