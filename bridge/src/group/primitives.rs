//! What the seats and the table of threads of a group are made of. A test puts the
//! scheduler's own types in the place of this module, and drives the same code
//! through them.
#![forbid(unsafe_code)]

pub(super) use parking_lot::{Condvar, Mutex, MutexGuard};
pub(super) use polyloop::LoopHandle;
pub(super) use std::sync::atomic::{AtomicU64, AtomicUsize};
pub(super) use std::thread::{JoinHandle, ThreadId, current};
