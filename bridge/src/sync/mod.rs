//! Primitives between loops and threads: [`Lock`], [`RwLock`], [`Event`],
//! [`Condition`], [`Semaphore`], [`BoundedSemaphore`], [`Barrier`], [`Queue`],
//! [`LifoQueue`] and [`PriorityQueue`], under the names and by the rules of
//! [`polyloop::sync`], but `Send` and `Sync`.
//!
//! Each is awaited from a task of any loop, and blocked for from any thread:
//! `x().await`, `x_blocking()`, `x_blocking_timeout(duration)`.
//!
//! # Rules that hold for all of them
//! - Who waits first is served first, tasks and threads in one line. Where
//!   asyncio lets a newcomer take what a woken waiter has not fetched yet
//!   ([`Queue`]), it is said at the type.
//! - A future that is dropped while it waits leaves no trace; one that is
//!   dropped after it was woken passes on what it was woken for. So does a
//!   blocking call whose time runs out.
//! - Nothing happens before a future is first polled.
//! - Wakers are woken and dropped, and values dropped, when no lock of ours is
//!   held, so that they may use the same primitive.
//! - A blocking call stops the loop of the thread that makes it. If only a task
//!   of that very loop could end the wait, it never ends: who that could be is
//!   known to nobody, so it is not found out. On a loop's thread, await.
//!
//! Within one loop, `polyloop::sync` does the same without atomics.

mod barrier;
mod bounded_semaphore;
mod condition;
mod event;
mod lock;
#[cfg(all(test, loom))]
mod loom_tests;
mod permits;
mod queue;
mod rwlock;
mod semaphore;
#[cfg(all(test, not(loom)))]
mod tests;
#[cfg(all(test, not(loom)))]
mod waker_tests;

pub use barrier::{
    Barrier, BarrierState, BarrierStatistics, BarrierTimeoutError, BarrierWait, BrokenBarrierError,
};
pub use bounded_semaphore::{
    AcquireBounded, BoundedSemaphore, BoundedSemaphorePermit, ReleaseError,
};
pub use condition::{Condition, ConditionStatistics, ConditionWait};
pub use event::{Event, EventStatistics, EventWait};
pub use lock::{AcquireLock, Lock, LockGuard, LockStatistics};
pub use queue::{
    Fifo, Lifo, LifoQueue, LowestFirst, PriorityQueue, Queue, QueueGet, QueueGetTimeoutError,
    QueueJoin, QueueOrder, QueuePut, QueuePutError, QueuePutTimeoutError, QueueShutDown,
    QueueStatistics, TaskDoneError, TryGetError, TryPutError,
};
pub use rwlock::{
    AcquireRead, AcquireWrite, RwLock, RwLockReadGuard, RwLockStatistics, RwLockWriteGuard,
};
pub use semaphore::{
    AcquireSemaphore, OwnedSemaphorePermit, Semaphore, SemaphorePermit, SemaphoreStatistics,
};
