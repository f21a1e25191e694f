//! When a loop that always has something to do looks at its I/O.
//!
//! A look is a system call, which nearly always brings nothing; a task that
//! waits for a socket waits for the next one. So [`SHARE`] times as long as the
//! last vain look took is left until the next: a loop without a break spends
//! about a thirtieth of its time on them. It is [`LATEST`] at the most, however
//! dear they are.
#![forbid(unsafe_code)]

/// How long I/O may go unlooked at while tasks are ready, in nanoseconds.
pub(super) const LATEST: u64 = 50_000;
/// No less than this between two looks, however cheap they are.
const SOONEST: u64 = 5_000;
const SHARE: u64 = 32;

/// A loop's looks at its I/O; times are nanoseconds of the loop's time.
#[derive(Debug)]
pub(super) struct Looks {
    last: u64,
    every: u64,
}

impl Looks {
    pub(super) fn new() -> Self {
        Self {
            last: 0,
            every: LATEST,
        }
    }

    /// I/O was looked at just before `now`.
    pub(super) fn looked(&mut self, now: u64) {
        self.last = now;
    }

    /// Is it time for the next look?
    pub(super) fn is_due(&self, now: u64) -> bool {
        now - self.last.min(now) >= self.every
    }

    /// How long after a look the next is due.
    pub(super) fn every(&self) -> u64 {
        self.every
    }

    /// The look that began at `began` and ended with the last
    /// [`looked`](Self::looked) brought nothing.
    pub(super) fn was_in_vain(&mut self, began: u64) {
        let took = self.last - began.min(self.last);
        self.every = took.saturating_mul(SHARE).clamp(SOONEST, LATEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dear_looks_are_rare_and_cheap_ones_frequent_within_bounds() {
        let mut looks = Looks::new();
        let mut every = |took: u64| {
            looks.looked(1_000_000 + took);
            looks.was_in_vain(1_000_000);
            assert!(!looks.is_due(1_000_000 + took + looks.every() - 1));
            assert!(looks.is_due(1_000_000 + took + looks.every()));
            looks.every()
        };
        assert_eq!(every(0), SOONEST);
        assert_eq!(every(500), 500 * SHARE);
        assert_eq!(every(1_000_000), LATEST);
    }
}
