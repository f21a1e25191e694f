//! Measuring runtimes beside each other; README.md tells how.
//!
//! # Code map
//! | module | what it is |
//! |---|---|
//! | `runtime`, `echo` | what a runtime shows of itself |
//! | `work` | how long a scenario works, and what it answers |
//! | `scenario` | what is measured, one file a family |
//! | `peers` | who is measured, one file a runtime |
//! | `command` | rounds, figures, tables |
#![deny(unsafe_code)]

pub mod command;
mod echo;
mod measure;
pub mod peers;
pub mod runtime;
pub mod scenario;
mod table;
mod work;

pub use echo::{Echo, Handler};
pub use measure::{Measured, Plan, Scenario, Side, measure, median};
pub use table::print_table;
pub use work::{Answer, Latencies, Pace, Work, thread_time_of};

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
