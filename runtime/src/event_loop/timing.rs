//! The timers' part of a turn: which have come, and when to look again.
//!
//! # Gathering
//! To sleep and be woken costs the kernel several microseconds, so a loop that
//! woke for each of very many timers would do little else. Where [`MANY`]
//! timers fall due within [`GATHER`] of the last that fired, the loop wakes for
//! them together, when that time is over. None fires early, the order is that
//! of the deadlines, and a timer waits less than [`GATHER`] for the others.
//! Fewer, or one that comes after a while without, have a wake of their own.
//! A loop with a clock of its own does not gather: its waits cost nothing.
#![forbid(unsafe_code)]

use super::core::Core;
use std::time::Instant;

/// How long after timers fired the next may be gathered. Half of it, and what the
/// system takes to wake the loop, is how late they are in the median.
const GATHER: u64 = 130_000;
/// So many timers in that time are gathered.
const MANY: usize = 4;

/// When timers last fired.
#[derive(Debug, Default)]
pub(super) struct Timing {
    fired: u64,
}

impl Timing {
    /// Wakes every timer whose deadline has come, in order.
    pub(super) fn fire(&mut self, core: &Core) {
        let now = core.now.get();
        let mut due = core.due.take();
        {
            let mut timers = core.timers.borrow_mut();
            timers.advance(now, &mut due);
            core.has_timers.set(!timers.is_empty());
        }
        if !due.is_empty() {
            self.fired = now;
        }
        for timer in due.drain(..) {
            core.guarded(|| timer.waker.wake());
        }
        core.due.set(due);
    }

    /// When timers want the loop to look at them again.
    pub(super) fn next(&self, core: &Core) -> Option<u64> {
        if !core.has_timers.get() {
            return None;
        }
        let timers = core.timers.borrow();
        let next = timers.next_deadline()?;
        let gathered = self.fired.saturating_add(GATHER);
        if next < gathered && core.clock.is_none() && timers.fall_due(gathered, MANY) {
            return Some(gathered);
        }
        Some(next)
    }
}

impl Core {
    /// Reads the clock and remembers the answer for this turn.
    pub(super) fn refresh_now(&self) -> u64 {
        self.set_now(self.time())
    }

    /// Remembers for this turn what the clock said.
    pub(super) fn set_now(&self, time: Instant) -> u64 {
        self.now.set(self.nanos(time));
        self.now.get()
    }
}
