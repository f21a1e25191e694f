//! A budget for each poll, so that a task for which everything is always ready
//! lets the others run.
//!
//! A task gives way when something is not ready. If a socket always has data or
//! a channel always has a value, nothing ever is, and one poll could last for
//! ever. So a poll may do [`BUDGET`] operations; after that every operation of
//! this crate's sockets and of the bridge's channels and queues answers "not
//! ready" and wakes the task at once, which then goes on in the next turn.
//!
//! The budget is one cell of the thread. Outside of a loop it never ends.
//!
//! For a future of your own:
//! ```
//! use polyloop::coop;
//! use std::task::{Context, Poll, ready};
//!
//! fn poll_next(queue: &mut Vec<u8>, cx: &mut Context<'_>) -> Poll<Option<u8>> {
//!     ready!(coop::poll_proceed(cx));
//!     // ... answer Pending here if there is nothing yet ...
//!     let next = queue.pop();
//!     coop::made_progress();
//!     Poll::Ready(next)
//! }
//! # polyloop::run(std::future::poll_fn(|cx| poll_next(&mut vec![1], cx))).unwrap();
//! ```
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

/// How many operations a poll may do.
pub const BUDGET: u64 = 128;
/// Outside of a loop's polls; at a nanosecond each they last for centuries.
const ENDLESS: u64 = u64::MAX;

// std's own, also under the model checker: nothing else reads it, and a model
// never comes near its end.
thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(ENDLESS) };
}

/// A poll begins.
#[inline(always)]
pub(crate) fn begin() {
    set(BUDGET);
}

/// No poll is under way any more.
#[inline]
pub(crate) fn end() {
    set(ENDLESS);
}

#[inline(always)]
fn set(left: u64) {
    // Gone in a thread's last moments, when nothing is polled any more.
    let _ = LEFT.try_with(|cell| cell.set(left));
}

/// May the running task go on? Asked by a future before it does what may be
/// ready; if the budget is spent, the task is woken and has to wait for its
/// next turn.
#[inline]
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<()> {
    if has_budget() {
        return Poll::Ready(());
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// Takes one operation from the budget; for a future that was ready.
#[inline]
pub fn made_progress() {
    let _ = LEFT.try_with(|cell| cell.set(cell.get().saturating_sub(1)));
}

/// Is anything left of the running poll's budget? Always, outside of a loop.
#[inline]
pub fn has_budget() -> bool {
    LEFT.try_with(|cell| cell.get() > 0).unwrap_or(true)
}

/// Gives the other tasks a turn if the budget is spent, and takes one operation
/// from it: for a loop that computes for long without waiting for anything.
///
/// # Cancel safety
/// It holds nothing.
///
/// # Examples
/// ```
/// # polyloop::run(async {
/// let mut sum = 0u64;
/// for block in 0..1_000u64 {
///     sum += (block * 100..(block + 1) * 100).sum::<u64>();
///     polyloop::yield_if_needed().await;
/// }
/// assert_eq!(sum, 4_999_950_000);
/// # }).unwrap();
/// ```
pub async fn yield_if_needed() {
    poll_fn(|cx| {
        ready!(poll_proceed(cx));
        made_progress();
        Poll::Ready(())
    })
    .await;
}
