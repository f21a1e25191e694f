//! Time on a loop: the clock it reads and the store of its timers.

mod clock;
mod store;

pub use clock::{Clock, VirtualClock};
pub(crate) use store::{Due, TimerKey, TimerStore};
