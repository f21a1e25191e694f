//! A callback sent to a chosen loop.
//!
//! # Protocol
//! One word says whose turn it is; the loop and the canceller race for it.
//!
//! ```text
//!              loop: compare-exchange        loop: store
//!   WAITING ─────────────────────▶ RUNNING ─────────────▶ DONE
//!      │ cancel: compare-exchange
//!      └─────────────────────────▶ CANCELLED
//! ```
//! So a cancel that answers true is a callback that never runs, and one that
//! meets RUNNING on another thread waits for DONE: what the callback used is
//! free when `cancel` returns. It does not wait where that would be for ever: in
//! the callback itself, and in a ring of threads that block on each other.
#![forbid(unsafe_code)]

use super::SubmitError;
use crate::blocked::{DoneBit, Node, blocked};
use crate::loom::AtomicU8;
use crate::waiters::{Ticket, Waiters, block_on};
use polyloop::contextvars::Context;
use polyloop::{LoopHandle, Outcome, Refused, Remote, TaskError, copy_context};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};
use std::task::Poll;

/// Calls `f` on a loop's own thread, from any thread; asyncio's
/// `loop.call_soon_threadsafe`.
///
/// Callbacks and coroutines that one thread sends to one loop start in the order
/// in which they were sent. It has a copy of the caller's context variables.
/// Never waits. Dropping the handle changes nothing.
///
/// # Errors
/// [`SubmitError::Closed`] with the callback when the loop is closed.
///
/// # Panics
/// Never here: a panic in `f` goes to the loop's exception handler.
///
/// # Examples
/// ```
/// use polyloop_bridge::{call_soon_threadsafe, channel::oneshot};
///
/// polyloop::run(async {
///     let target = polyloop::current_loop();
///     let (sender, receiver) = oneshot::channel();
///     std::thread::spawn(move || {
///         call_soon_threadsafe(&target, || drop(sender.send("called"))).map(drop)
///     });
///     assert_eq!(receiver.await, Ok("called"));
/// }).unwrap();
/// ```
#[track_caller]
pub fn call_soon_threadsafe<F>(
    target: &LoopHandle,
    f: F,
) -> Result<ThreadsafeCallHandle, SubmitError<F>>
where
    F: FnOnce() + Send + 'static,
{
    let state = Arc::new(State {
        turn: AtomicU8::new(WAITING),
        ended: Waiters::new(),
    });
    let call = Call {
        f: Some(f),
        context: copy_context(),
        state: state.clone(),
    };
    match target.submit(move || call, Told) {
        Ok(remote) => Ok(ThreadsafeCallHandle { remote, state }),
        Err(Refused { make, .. }) => {
            let f = make().f.take().expect("the call was never polled");
            Err(SubmitError::Closed(f))
        }
    }
}

/// A callback on its way to a loop.
#[derive(Clone)]
pub struct ThreadsafeCallHandle {
    remote: Remote<Told>,
    state: Arc<State>,
}

impl ThreadsafeCallHandle {
    /// Keeps the callback from being called; true if it never will be by this
    /// or an earlier cancel, false if it has been called.
    ///
    /// Blocks the calling thread while the callback runs on another one, so that
    /// afterwards it runs nowhere. Called from inside the callback, or in a ring
    /// of threads that block on each other, it answers false at once.
    pub fn cancel(&self) -> bool {
        match self.state.step(WAITING, CANCELLED) {
            Ok(()) => {
                // The closure is dropped soon, on its loop.
                self.remote.cancel();
                true
            }
            Err(RUNNING) => {
                if !self.remote.is_own_thread() {
                    let on = Node::Loops(self.remote.loop_handle().home_thread());
                    let done = DoneBit::new(&self.state.turn, ENDED);
                    // In a ring the callback waits for this thread: it is told
                    // that the callback runs, and no more.
                    let _ = blocked(on, done, true, || self.state.wait_for_end());
                }
                false
            }
            Err(turn) => turn == CANCELLED,
        }
    }

    /// Was it cancelled before it was called?
    pub fn is_cancelled(&self) -> bool {
        self.state.turn.load(Acquire) == CANCELLED
    }
}

impl fmt::Debug for ThreadsafeCallHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadsafeCallHandle")
            .field("cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}

struct State {
    turn: AtomicU8,
    ended: Waiters,
}

impl State {
    /// The turn that it is instead, if it is not `from`.
    fn step(&self, from: u8, to: u8) -> Result<(), u8> {
        self.turn
            .compare_exchange(from, to, AcqRel, Acquire)
            .map(drop)
    }

    fn has_ended(&self) -> bool {
        self.turn.load(Acquire) == DONE
    }

    fn wait_for_end(&self) {
        let mut ticket = Ticket::new();
        // It has no deadline: the callback's end ends it, and that is stored
        // even when it panics.
        let _ = block_on(None, |cx| {
            if !self.has_ended() {
                self.ended.join(&mut ticket, cx.waker());
                if !self.has_ended() {
                    return Poll::Pending;
                }
            }
            Poll::Ready(())
        });
        self.ended.leave(&mut ticket);
    }
}

/// Calls the callback when it is polled.
struct Call<F> {
    f: Option<F>,
    context: Context,
    state: Arc<State>,
}

impl<F: FnOnce()> Future for Call<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut std::task::Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if let Some(f) = this.f.take()
            && this.state.step(WAITING, RUNNING).is_ok()
        {
            let _ended = Ended(&this.state);
            if !this.context.is_empty() {
                std::mem::take(&mut this.context).make_current();
            }
            f();
        }
        Poll::Ready(())
    }
}

// The callback is moved out and called, never pinned.
impl<F> Unpin for Call<F> {}

/// RUNNING → DONE, also when the callback panics.
struct Ended<'a>(&'a State);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.turn.store(DONE, Release);
        self.0.ended.wake_all();
    }
}

/// A callback has no result, but a panic must be heard of.
struct Told;

impl Outcome<()> for Told {
    fn resolve(&self, result: Result<(), TaskError>) {
        if let Err(error) = result
            && let Ok(payload) = error.into_panic()
        {
            // Out of here it goes to the loop's exception handler.
            std::panic::resume_unwind(payload);
        }
    }
}

const WAITING: u8 = 0;
const RUNNING: u8 = 1;
const DONE: u8 = 2;
const CANCELLED: u8 = 3;
/// DONE and CANCELLED have it, and nothing else.
const ENDED: u8 = 2;
