//! Threads that stand in for those that block.
//!
//! A worker that blocks on a job or a loop ([`blocked`](crate::blocked)) is
//! `away`, and the pool may have one more than its maximum for each of these, up
//! to [`STAND_INS`](super::pool::STAND_INS): so jobs that wait for jobs cannot
//! starve it. When they are back, what is too many ends as soon as it finds
//! nothing to do.
//!
//! With as many away jobs stay in the queue until one is back. If every one of
//! them blocked on a job of the pool, none would be: so the last is told that its
//! wait would be for ever, and nothing that is queued is lost by that.
#![forbid(unsafe_code)]

use super::OffloadError;
use super::pool::Pool;
use crate::blocked::{PoolId, StandIn, Until, one_is_answered};
use std::sync::Arc;

impl StandIn for Pool {
    fn pool_id(&self) -> PoolId {
        self.id
    }

    fn thread_goes(self: Arc<Self>, until: Until) -> bool {
        let bound = until == Until::OwnJob;
        if !self.bargain.goes_away(bound, || one_is_answered(self.id)) {
            return false;
        }
        // With an empty queue, whoever pushes next sees that there is one more to
        // call.
        if !self.is_empty()
            && let Err(error) = self.notify()
        {
            self.refuse_all(|| OffloadError::no_thread(error.kind()));
        }
        true
    }

    fn thread_is_back(&self, until: Until) {
        self.bargain.is_back(until == Until::OwnJob);
    }
}
