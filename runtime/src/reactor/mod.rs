//! Readiness: the driver that waits for events, and the sources registered
//! with it.
//!
//! A registration is an `Rc` shared by the socket and the table, so that an
//! operation touches two `Cell`s and no table. The table maps an event's token
//! to it; tokens carry a generation, so an event that was already in the batch
//! when its socket closed never reaches the socket that took the slot over.
//!
//! A loop that has no source, and no deadline, does not sleep in the selector but
//! on a word ([`bell`]).

mod bell;
mod driver;
mod io;
mod registration;
mod sleeper;
#[cfg(all(test, not(loom)))]
mod tests;
#[cfg(target_os = "linux")]
mod timer_fd;

pub(crate) use driver::MioDriver;
pub use driver::{Driver, Event, Wait};
pub(crate) use io::Io;
pub(crate) use registration::{Direction, Reactor};
