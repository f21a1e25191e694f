//! Threads that stand in for those that block.
//!
//! A worker that blocks on a job or a loop ([`blocked`](crate::blocked)) is
//! `away`, and the pool may have one more than its maximum for each of these, up
//! to a limit: so jobs that wait for jobs cannot starve it. When they are back,
//! what is too many ends as soon as it finds nothing to do. If every worker is
//! away and no other can be started, what is queued is refused, since nobody may
//! ever come for it.
#![forbid(unsafe_code)]

use super::OffloadError;
use super::pool::Pool;
use crate::blocked::StandIn;
use std::sync::Arc;

impl StandIn for Arc<Pool> {
    fn thread_goes(&self) {
        self.bargain.goes_away();
        if self.is_empty() {
            // Whoever pushes next sees that there is one more to call.
            return;
        }
        if let Err(error) = self.notify() {
            self.refuse_all(|| OffloadError::no_thread(error.kind()));
        }
    }

    fn thread_is_back(&self) {
        self.bargain.is_back();
    }
}
