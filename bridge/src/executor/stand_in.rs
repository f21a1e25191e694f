//! Threads that stand in for those that block.
//!
//! A worker that blocks on a job or a loop ([`blocked`](crate::blocked)) is
//! `away`, and the pool may have one more than its maximum for each of these, up
//! to [`STAND_INS`]: so jobs that wait for jobs cannot starve it. When they are
//! back, what is too many ends as soon as it finds nothing to do. If every worker
//! is away and no other can be started, what is queued is refused, since nobody
//! may ever come for it.
#![forbid(unsafe_code)]

use super::OffloadError;
use super::pool::{Pool, Staff};
use crate::blocked::StandIn;
use std::sync::Arc;

impl StandIn for Arc<Pool> {
    fn thread_goes(&self) {
        self.with_staff(|staff| {
            staff.away += 1;
            self.count_callable(staff);
        });
        if self.is_empty() {
            // Whoever pushes next sees that there is one more to call.
            return;
        }
        if let Err(error) = self.notify() {
            self.refuse_all(|| OffloadError::no_thread(error.kind()));
        }
    }

    fn thread_is_back(&self) {
        self.with_staff(|staff| {
            staff.away -= 1;
            self.count_callable(staff);
        });
    }
}

impl Pool {
    /// The most workers there may be now.
    pub(super) fn most(&self, staff: &Staff) -> usize {
        self.config.max_workers + staff.away.min(STAND_INS)
    }

    /// Are there more workers than there may be?
    pub(super) fn has_surplus(&self) -> bool {
        self.with_staff(|staff| staff.workers.len() > self.most(staff))
    }
}

impl Staff {
    /// Is there no worker but such as block?
    pub(super) fn all_away(&self) -> bool {
        self.workers.len() <= self.away
    }
}

/// Workers that may be started in place of those that block.
const STAND_INS: usize = 256;
