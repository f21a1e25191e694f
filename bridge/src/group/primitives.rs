//! What the seats of a group are made of. A test puts the scheduler's own types
//! in the place of this module, and drives the same code through them.
#![forbid(unsafe_code)]

pub(super) use parking_lot::Mutex;
pub(super) use std::sync::atomic::{AtomicU64, AtomicUsize};
