//! How long a thread waits for a loop that nobody runs.
#![forbid(unsafe_code)]

use crate::waiters::{TimedOut, deadline_after};
use polyloop::{LoopHandle, LoopState};
use std::time::{Duration, Instant};

/// Calls `wait`, with one near deadline after the other, until it has an answer;
/// `None` if nobody runs the loop. That is seen twice, since a loop may be between
/// two runs.
pub(super) fn while_it_runs<R>(
    target: &LoopHandle,
    mut wait: impl FnMut(Option<Instant>) -> Result<R, TimedOut>,
) -> Option<R> {
    let mut ran = true;
    loop {
        if let Ok(answer) = wait(deadline_after(PATIENCE)) {
            return Some(answer);
        }
        let runs = target.state() == LoopState::Running;
        if !runs && !ran {
            // It may have come with the end of the last run.
            return wait(Some(Instant::now())).ok();
        }
        ran = runs;
    }
}

/// How often a thread that waits without a limit asks whether the loop runs.
pub(crate) const PATIENCE: Duration = Duration::from_millis(400);
