//! The task cell: one allocation that holds a future, its state, and later its
//! outcome. This file is the protocol; the others are its parts.
//!
//! # Two kinds of thread
//! A cell has a *home*: the loop that polls it, on the one thread that the loop
//! lives on. Every other thread is *elsewhere*. Which one a call runs on is
//! decided by identity (`Home::here` compares the thread's current loop with
//! the cell's), never by "am I being polled".
//!
//! | field | home | elsewhere |
//! |---|---|---|
//! | `word` ([`state::Word`]) | atomic | atomic |
//! | `inbox_next` | whoever set QUEUED owns it until the loop clears QUEUED | the same |
//! | `flags`, `local_refs`, `ready_next`, `set_*`, `beside`, `sequence`, stage | plain | never |
//! | `sequence` of a submission before it arrives | read once: the sender's trail, a hint for prefetching | the sender, before it pushes |
//! | `home`, `vtable`, `location` | read | read |
//! | `outcome` | read (`Sync`) | read (`Sync`) |
//!
//! # What it takes
//! A header has 88 bytes: the word 4, the local count 2, the flags 2; 8 each for
//! the mailbox's link, the home, the vtable, the ready link, and the two of the set
//! of live tasks; 16 for who awaits it or [what few tasks have](beside); 8 each for
//! the number and the place in the program. A future, or in its place later the
//! result (16 bytes at least), follows. So the smallest task takes 104 bytes, and
//! with the allocator's own word 112. The larger ones go up in steps of 32.
//!
//! # The word
//! `QUEUED` (1) | `MERGED` (2) | `CANCEL` (4) | a wrapping signed count of
//! references taken and given back elsewhere (8 and up).
//!
//! ```text
//!                 wake elsewhere: fetch_or(QUEUED)
//!   idle ──────────────────────────────────────────▶ queued ── push ──▶ in the mailbox
//!    ▲                                                 │ closed            │
//!    │◀──────────────── withdraw: and(!QUEUED) ────────┘                   │
//!    │◀──────────────── arrive: read link, and(!QUEUED), schedule ─────────┘
//!    │
//!    └── finish: fetch_add(local_refs << 3 | MERGED) ──▶ merged ── last reference ──▶ freed
//! ```
//!
//! *QUEUED counts as a reference*, so a wake from elsewhere is one `fetch_or`.
//! While the task is unfinished the loop holds a reference of its own, which is
//! simply the absence of MERGED; so neither count needs a zero test before the
//! merge. References may be taken on one side and given back on the other:
//! each count alone may be negative, their sum never is. A local count that is full
//! moves into the word, and begins again at zero. At the merge the local
//! count is added to the word once, and from there every thread counts
//! atomically. Whoever brings the word to *merged, count zero, not queued*
//! frees the memory, **and memory only**: future and output are long gone.
//!
//! A task that never left its loop pays for none of this. If at its end the
//! word is zero and the local count is the handle's alone, then no waker exists
//! anywhere (every reference is counted on one side or the other, and the other
//! is zero), and none can be made any more: the cell is QUIET, and the handle's
//! drop frees it without an atomic operation.
//!
//! Every change of the word is an `AcqRel` read-modify-write, also when the
//! answer is "already queued": the poll that follows must see what the waker's
//! thread wrote before it.
//!
//! # The flags (home only)
//! ```text
//!   spawned ──wake──▶ SCHEDULED ──turn pops──▶ polled ──Pending──▶ waiting ──wake──▶ SCHEDULED
//!                          │ CANCEL set            │ Ready, panic
//!                          ▼                       ▼
//!                  future dropped, Err  ──▶  DONE, merged when not SCHEDULED
//! ```
//! FRESH is there from the start, and the first poll clears it.
//! SCHEDULED means "in the ready queue" and keeps the loop's reference, so a
//! cell that finishes while queued is merged when it is popped.
//!
//! The stage is a union that the flags explain: until DONE it holds the future,
//! from then on an output while OUTPUT is set, and nothing otherwise. A panic
//! unwinds out of the poll; the loop, which guards a whole batch of polls at
//! once, then ends that one task with it.
//!
//! # How it ends
//! `finish` is the one way out: the future is dropped at home, the result goes
//! to the handle (or to the outcome that other threads read), the waiter is
//! woken, the local count is merged. Closing a loop cancels what is left, so
//! the same path runs for every cell. Wakers and handles that outlive the loop
//! hold memory, nothing else.

mod abort_on_drop;
mod beside;
mod cell;
mod handle;
mod id;
mod raw;
pub(crate) mod recycle;
mod run;
pub(crate) mod state;
pub(crate) mod waker;

pub use abort_on_drop::AbortOnDrop;
pub(crate) use cell::{Header, Parts, Prefix, Sink, allocate, dismantle, layout_of};
pub use handle::{CallHandle, Task};
pub use id::{LoopId, TaskId};
pub use raw::TaskInfo;
pub(crate) use raw::{DoneCallback, TaskRef, flags};
pub(crate) use run::{Kept, vtable};

use std::any::Any;
use std::ptr::NonNull;
use std::task::RawWakerVTable;

/// What the cell needs from the loop that it lives on; the seam that lets this
/// layer stand below the loop (and lets the models put a small loop here).
pub(crate) trait Home: Sized + 'static {
    /// The vtable of the wakers of this home's tasks; one static, so that
    /// `will_wake` compares equal across code generation units.
    const WAKER: &'static RawWakerVTable;

    /// Calls `f` with the loop behind `home` if the calling thread is inside it.
    fn here<R>(home: NonNull<()>, f: impl FnOnce(&Self) -> R) -> Option<R>;

    /// Puts a task whose SCHEDULED flag the caller has just set into the ready
    /// queue.
    fn push_ready(&self, task: TaskRef);

    /// Sends a task whose QUEUED bit the caller has just set to the mailbox;
    /// `false` when the loop is closed and the caller must withdraw the bit.
    fn send(home: NonNull<()>, task: TaskRef) -> bool;

    /// Takes a cell's memory back; called wherever the last reference ended,
    /// after everything in the cell has been dropped.
    ///
    /// # Safety
    /// `memory` was allocated with `layout` for a cell of this home.
    unsafe fn reclaim(home: NonNull<()>, memory: recycle::Memory);

    /// The number of the loop behind `home`, which a live cell keeps known.
    fn id(home: NonNull<()>) -> LoopId;

    /// The task is done: it leaves the loop's set of live tasks.
    fn retire(home: NonNull<()>, task: TaskRef);

    /// Schedules a done-callback for the next turn.
    fn schedule_callback(home: NonNull<()>, callback: DoneCallback);

    /// A panic that nobody awaits: the exception handler's.
    fn report(home: NonNull<()>, task: Option<TaskRef>, payload: Box<dyn Any + Send>);

    /// An error that nobody looks at: the exception handler's.
    fn report_error(home: NonNull<()>, task: TaskRef, error: &str);
}
