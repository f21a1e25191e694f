//! CPython's asyncio tests, re-expressed: one module a CPython file, a test
//! named after its original, with the verdict in its doc lines (see
//! `polyloop_tests::conformance`). `TABLE.md` lists them all.
//!
//! To add some: write the tests into the module of their file, or a line into
//! `not_applicable/`. `TABLE.md` may be left alone; whoever releases blesses
//! it. When a file's tests all have a verdict, add it to `complete.txt`.
#![forbid(unsafe_code)]
// The same bodies run against the primitives of one loop and those of many.
#![allow(clippy::duplicate_mod)]

mod base_events;
mod bridge;
mod differential;
mod eager;
mod events;
mod futures;
mod futures_executor;
mod kit;
mod local;
mod runners;
mod staggered;
mod table;
mod taskgroups;
mod tasks;
mod threads;
mod threadsafe;
mod timeouts;
mod waitfor;
