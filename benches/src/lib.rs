//! Measuring runtimes beside each other: scenarios, interleaved rounds, and the
//! table that they end in.
#![forbid(unsafe_code)]

mod measure;
mod table;

pub use measure::{Measured, Plan, Scenario, Side, measure, median};
pub use table::print_table;

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The processor time that this process has used, all threads together.
pub fn process_time() -> Duration {
    read(ClockId::ProcessCPUTime)
}

/// The processor time that the calling thread has used.
pub fn thread_time() -> Duration {
    read(ClockId::ThreadCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    // Such clocks begin at zero and never run back.
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}
