//! What the bargain of the workers is made of. A test puts a scheduler's own
//! types in the place of this module, and drives the same code through them.
#![forbid(unsafe_code)]

pub(super) use crate::loom::{AtomicUsize, Mutex, fence, fence_after_claim};
#[cfg(all(test, loom))]
pub(super) use loom::{sync, thread};
