//! Many polyloop event loops: submission to a chosen loop, blocking offload,
//! channels across threads.
//!
//! ```
//! use polyloop_bridge::{LoopGroup, run_coroutine_threadsafe};
//! use std::time::Duration;
//!
//! let group = LoopGroup::builder().loops(2).build().unwrap();
//! let submission = run_coroutine_threadsafe(group.next(), || async { 6 * 7 });
//! assert_eq!(submission.result().unwrap(), 42);
//! group.shutdown(Duration::from_secs(1));
//! ```
//!
//! Everything here is `Send`, and stands on the runtime's public interface
//! alone. What is accepted resolves exactly once; what is refused comes back.
//!
//! # Code map
//! Read it from the bottom; a module uses only modules of lower levels.
//!
//! | level | module | what it is |
//! |---|---|---|
//! | 0 | `loom`, `heap`, `cores` | the model checker's seam; smallest first, stable; pinning |
//! | 1 | `waiters`, `blocked` | who waits: tasks and plain threads, in one line; who blocks on whom |
//! | 2 | `outcome` | the cell that carries one answer from one thread to another |
//! | 3 | [`channel`] | `oneshot`, `broadcast`, `watch`; queues: bounded, unbounded, by priority |
//! | 3 | [`sync`] | locks, semaphores and the rest, under asyncio's names |
//! | 4 | [`submit`], [`executor`] | work for a loop; blocking calls for a pool |
//! | 5 | [`blocking`], [`mod@collect`] | for the code inside a job; waiting for several on a thread |
//! | 5 | `span` (feature `tracing`) | tracing's spans |
//! | 5 | [`group`] | many loops that start and end together |
//! | 6 | [`shard`] | state on loops: `Sharded`, `Foreign` |

mod blocked;
pub mod blocking;
pub mod channel;
pub mod collect;
mod cores;
pub mod executor;
pub mod group;
mod heap;
mod loom;
mod outcome;
pub mod shard;
#[cfg(feature = "tracing")]
pub mod span;
pub mod submit;
pub mod sync;
mod waiters;

pub use collect::{as_completed_blocking, wait_blocking};
pub use executor::{
    LimitedExecutor, OffloadError, Offloaded, Shutdown, ShutdownReport, ThreadPoolExecutor,
    TrySubmitError, run_in_executor, to_thread,
};
pub use group::LoopGroup;
pub use shard::{Foreign, Sharded};
pub use submit::{
    Submission, SubmissionError, SubmitError, Submitter, ThreadsafeCallHandle,
    call_soon_threadsafe, run_coroutine_threadsafe, submission, try_run_coroutine_threadsafe,
};

#[cfg(all(test, not(loom)))]
mod test_tools;
