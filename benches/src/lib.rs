//! Measuring runtimes beside each other; README.md tells how.
//!
//! # Code map
//! | module | what it is |
//! |---|---|
//! | `runtime`, `echo` | what a runtime shows of itself |
//! | `machine` | processor time, pinning, memory |
//! | `http` | the request of the HTTP scenario, and its answer |
//! | `client` | the client of every server |
//! | `work` | how long a scenario works, and what it answers |
//! | `scenario` | what is measured, one file a family |
//! | `peers` | who is measured, one file a runtime |
//! | `command` | the command line, rounds, figures, tables |
//! | `report` | the page with the plots |
#![deny(unsafe_code)]

pub mod client;
pub mod command;
mod echo;
pub mod http;
mod machine;
pub mod peers;
mod report;
pub mod runtime;
pub mod scenario;
mod work;

pub use echo::{Echo, Handler};
pub use machine::{pin_to, process_time, raise_descriptor_limit, resident_bytes, thread_time};
pub use work::{Answer, Latencies, Pace, Work};
