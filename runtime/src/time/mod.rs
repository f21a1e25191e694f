//! Sleeping, ticking and giving up in time.
#![forbid(unsafe_code)]

mod interval;
mod sleep;
mod timeout;

pub use crate::timers::{Clock, VirtualClock};
pub use interval::{Interval, MissedTicks, interval, interval_at};
pub use sleep::{Sleep, sleep, sleep_until, yield_now};
pub use timeout::{Timeout, timeout, timeout_at};

use crate::event_loop::context;
use std::time::{Duration, Instant};

/// The running loop's time: the system's monotonic clock, or the clock that the
/// loop was built with. asyncio's `loop.time()`.
///
/// # Panics
/// Outside of a loop.
#[track_caller]
pub fn now() -> Instant {
    context::with(|core| core.time())
}

/// `delay` after `now`; what is too far ahead for an `Instant` is thirty years
/// ahead, which no program waits for.
pub(crate) fn after(now: Instant, delay: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);
    now.checked_add(delay).unwrap_or_else(|| now + FAR)
}
