//! asyncio's model for Rust: one thread, one mio-backed event loop, and tasks
//! that never leave it.

pub mod combine;
pub mod compat;
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

pub use combine::{ReturnWhen, as_completed, gather, race, try_gather, wait};
pub use error::{Elapsed, RunError, TaskError};
pub use event_loop::{
    Builder, CloseReport, EventLoop, ExceptionContext, TaskBuilder, Turn, all_tasks, call_at,
    call_later, call_soon, create_task, current_loop, current_offload, current_task, run, task,
    try_current_loop,
};
pub use offload::{Job, Offload};
pub use reactor::{Driver, Event, Wait};
pub use remote::{LoopHandle, LoopMetrics, Outcome, Refused, Remote, Unpark};
pub use task::{AbortOnDrop, CallHandle, LoopId, Task, TaskId, TaskInfo};
pub use time::{interval, sleep, sleep_until, timeout, timeout_at, yield_now};
