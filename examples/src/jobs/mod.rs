//! A job runner for one machine: what a small team would use in cron's place.
//!
//! # Who does what
//!
//! | thread | owns |
//! |---|---|
//! | the main thread's loop | the schedule and every job's state: [`service`] |
//! | N loops of a `LoopGroup` | the runs ([`run`]) and the HTTP connections ([`http`]) |
//! | one executor thread | the database ([`store`]), so that writes keep their order |
//! | other executor threads | processes being waited for, files being read, queries |
//!
//! No lock guards any of it. The state has one home, the scheduling loop; other
//! loops ask it a question by submitting a coroutine to that loop and awaiting
//! the answer.
//!
//! # Code map
//!
//! [`cli`] reads the arguments, [`config`] the file; [`schedule`] is the pure
//! arithmetic of start times and of what to do about overlapping runs; [`model`]
//! holds the words that all of them share.

pub mod cli;
pub mod config;
pub mod duration;
pub mod http;
pub mod model;
pub mod page;
pub mod run;
pub mod schedule;
pub mod service;
pub mod store;
