//! Sleeping, ticking and giving up in time.
#![forbid(unsafe_code)]

mod interval;
mod sleep;
mod timeout;
mod timeout_scope;

pub use crate::timers::{Clock, VirtualClock};
pub use interval::{Interval, MissedTicks, interval, interval_at};
pub use sleep::{Sleep, sleep, sleep_until, yield_now};
pub use timeout::{Timeout, timeout, timeout_at};
pub use timeout_scope::{Deadline, timeout_scope};

use crate::event_loop::context;
use crate::util::after;
use std::time::Instant;

/// The running loop's time: the system's monotonic clock, or the clock that the
/// loop was built with. asyncio's `loop.time()`.
///
/// # Panics
/// Outside of a loop.
#[track_caller]
pub fn now() -> Instant {
    context::with(|core| core.time())
}
