//! asyncio's model for Rust: one thread, one mio-backed event loop, and tasks
//! that never leave it.
//!
//! ```
//! use std::time::Duration;
//!
//! polyloop::run(async {
//!     // A task starts in the loop's next turn, whether it is awaited or not.
//!     let slow = polyloop::create_task(async {
//!         polyloop::sleep(Duration::from_millis(20)).await;
//!         "slow"
//!     });
//!     let quick = async { "quick" };
//!     let both = polyloop::gather!(quick, slow).await;
//!     assert_eq!(both.0, "quick");
//!     assert_eq!(both.1.unwrap(), "slow");
//! })
//! .unwrap();
//! ```
//!
//! Everything here is `!Send`: plain cells, no locks, no atomics on the hot
//! path. What crosses threads (submission to a chosen loop, blocking calls,
//! channels) is the crate `polyloop-bridge`, built on [`LoopHandle::submit`].
//! So asyncio's "these primitives are not thread-safe" is a type error here.
//!
//! # asyncio's names
//! | asyncio | here |
//! |---|---|
//! | `asyncio.run` | [`run`] |
//! | `get_running_loop` | [`current_loop`] |
//! | `create_task`, `Task.cancel` | [`create_task`], [`Task::cancel`] |
//! | `gather`, `wait`, `as_completed` | [`gather`](gather()), [`wait`](wait()), [`as_completed`] |
//! | `sleep`, `sleep(0)` | [`sleep`], [`yield_now`] |
//! | `wait_for`, `timeout` | [`timeout`], [`time::timeout_scope`] |
//! | `TaskGroup`, `shield`, eager tasks | [`TaskGroup`], [`shield`], [`TaskBuilder::eager`] |
//! | `call_soon`, `call_later`, `call_at` | [`call_soon`], [`call_later`], [`call_at`] |
//! | `contextvars` | [`context_var!`], [`copy_context`] |
//! | `Event`, `Lock`, `Condition`, `Semaphore`, `Barrier`, `Queue` | [`sync`] |
//! | `loop.create_future`, `Future` | [`sync::create_future`], [`sync::Future`] |
//! | `set_exception_handler` | [`Builder::exception_handler`] |
//! | debug mode, slow callbacks | [`Builder::debug`], `POLYLOOP_DEBUG=1` |
//!
//! One thing differs, because Rust does: cancelling does not throw into a
//! coroutine, it drops the future, on its own loop, in the next turn.
//!
//! # Code map
//! Read it from the bottom; a module uses only modules of lower levels.
//!
//! | level | module | what it is |
//! |---|---|---|
//! | 0 | `error`, `loom`, `util`, [`spin`], [`coop`], `offload` | errors, the model checker's seam, how long to spin, a poll's budget, the way out for blocking calls |
//! | 1 | `task` | the cell that a future lives in; its head is the protocol of threads |
//! | 2 | `ready`, `remote`, `timers` | the queue, the mailbox, the wheel |
//! | 3 | `reactor` | readiness, and the driver that waits for it |
//! | 4 | `event_loop` | one turn, and what is around it |
//! | 5 | [`time`], [`sync`], [`contextvars`] | sleeping; primitives of one loop; values that follow the work |
//! | 6 | [`combine`], [`io`] | waiting for several; bytes |
//! | 7 | [`net`], [`signal`] | sockets, names, signals |
//! | 8 | [`compat`] | hyper |
//!
//! # Invariants
//! 1. A future is polled and dropped on its own loop's thread, nowhere else.
//! 2. What another thread may touch of a loop is its mailbox, and of a task its
//!    word, its link while queued, and its outcome.
//! 3. SCHEDULED is "in the ready queue", QUEUED is "in the mailbox or on its
//!    way": each bit has one owner, and there is no third place to wait in.
//! 4. Accepted work resolves exactly once, refused work comes back whole.
//! 5. Code that is not ours (wakers, drops, callbacks) is never called while a
//!    lock or a borrow is held.

pub mod combine;
pub mod compat;
pub mod contextvars;
pub mod coop;
mod error;
mod event_loop;
pub mod io;
mod loom;
pub mod net;
mod offload;
mod reactor;
mod ready;
mod remote;
#[cfg(unix)]
pub mod signal;
pub mod spin;
pub mod sync;
mod task;
pub mod time;
mod timers;
mod util;

pub use combine::{
    CancelToken, ReturnWhen, TaskGroup, as_completed, gather, race, scope, shield, try_gather, wait,
};
pub use contextvars::{ContextVar, copy_context};
pub use coop::yield_if_needed;
pub use error::{Elapsed, PanicPayload, RunError, TaskError};
pub use event_loop::{
    Builder, CloseReport, EventLoop, ExceptionContext, Hooks, LocalError, LoopLocal, TaskBuilder,
    Turn, all_tasks, call_at, call_later, call_soon, create_task, current_loop, current_offload,
    current_task, run, task, try_current_loop,
};
pub use offload::{Job, Offload};
pub use reactor::{Driver, Event, Wait};
pub use remote::{
    HomeThread, LoopHandle, LoopMetrics, LoopState, Outcome, Refused, Remote, Unpark,
};
pub use task::{AbortOnDrop, CallHandle, LoopId, Task, TaskId, TaskInfo};
pub use time::{interval, sleep, sleep_until, timeout, timeout_at, yield_now};
