//! test_tasks.

mod as_completed;
mod basics;
mod cancel;
mod context;
mod gather;
mod report;
mod shield;
mod threadsafe;
mod wait;
