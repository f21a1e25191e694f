//! Small things that every layer may use.

mod context;
mod prefetch;
mod returns;

pub use context::Context;
pub(crate) use context::Value;
pub(crate) use prefetch::{prefetch_lines, trail};
pub(crate) use returns::refill_returns;

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// This process's own number of the calling thread. The system's numbers and
/// addresses of thread-locals are used again after a thread has ended.
pub(crate) fn thread_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    std::thread_local! {
        static MINE: u64 = NEXT.fetch_add(1, Relaxed);
    }
    // The value needs no destructor, so it can be read until the thread's end.
    MINE.try_with(|number| *number).unwrap_or(0)
}

std::thread_local! {
    /// Loops that live on this thread.
    static LOOPS: Cell<usize> = const { Cell::new(0) };
}

/// A loop is made on this thread.
pub(crate) fn loop_came() {
    let _ = LOOPS.try_with(|loops| loops.set(loops.get() + 1));
}

/// A loop of this thread is closed.
pub(crate) fn loop_left() {
    let _ = LOOPS.try_with(|loops| loops.set(loops.get() - 1));
}

/// Does any loop live on this thread?
pub(crate) fn lives_with_loops() -> bool {
    LOOPS.try_with(|loops| loops.get() > 0).unwrap_or(false)
}

/// `delay` after `now`; what is too far ahead for an `Instant` is thirty years
/// ahead, which no program waits for.
pub(crate) fn after(now: Instant, delay: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);
    now.checked_add(delay).unwrap_or_else(|| now + FAR)
}
