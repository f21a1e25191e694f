//! Runs: what the actions do.

pub mod command;
pub mod digest;
pub mod output;
pub mod sql;
pub mod stop;
