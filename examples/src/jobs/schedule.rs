//! When a job starts, and what to do when it starts while it is still running.
//!
//! Pure arithmetic: no clock, no loop, no runs. Start `k` is due at
//! `origin + k * period`, whatever happened at the starts before it, so a
//! schedule has no drift and never waits for a run.

use std::time::Duration;

use super::config::Overlap;

/// The start times of one job, as durations since the schedule's origin.
#[derive(Clone, Debug)]
pub struct Schedule {
    period_ns: u128,
    /// The number of the next start.
    next: u128,
}

/// What [`Schedule::take`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When the start should have been, since the origin.
    pub at: Duration,
    /// Starts before this one that nobody was awake for; they are left out.
    pub missed: u64,
}

impl Schedule {
    /// A schedule whose first start is at its origin.
    ///
    /// # Panics
    ///
    /// If `period` is zero.
    #[must_use]
    pub fn new(period: Duration) -> Self {
        assert!(!period.is_zero(), "a period of zero has no next start");
        Self {
            period_ns: period.as_nanos(),
            next: 0,
        }
    }

    /// When the next start is due, since the origin.
    #[must_use]
    pub fn next_at(&self) -> Duration {
        at(self.next, self.period_ns)
    }

    /// Takes the start that is due at `now`, if there is one.
    ///
    /// When several are due, the machine was asleep or stopped: the last of them
    /// is taken and the others are counted, so that a laptop that wakes up does
    /// not run a night's worth of jobs at once.
    pub fn take(&mut self, now: Duration) -> Option<Due> {
        let current = now.as_nanos() / self.period_ns;
        if current < self.next {
            return None;
        }
        let missed = u64::try_from(current - self.next).unwrap_or(u64::MAX);
        self.next = current + 1;
        Some(Due {
            at: at(current, self.period_ns),
            missed,
        })
    }
}

/// What to do with a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Start it now.
    Start,
    /// Keep it until a run ends.
    Wait,
    /// Leave it out; the reason is for the reader of the history.
    Skip(&'static str),
}

/// What to do with a start of a job that has so many runs going on and waiting.
#[must_use]
pub fn verdict(overlap: Overlap, running: usize, waiting: usize) -> Verdict {
    match overlap {
        Overlap::Allow if running >= MAX_RUNNING => {
            Verdict::Skip("as many runs of this job as are allowed are still going on")
        }
        Overlap::Allow => Verdict::Start,
        Overlap::Skip | Overlap::Queue { .. } if running == 0 && waiting == 0 => Verdict::Start,
        Overlap::Skip => Verdict::Skip("the run before it is still going on"),
        Overlap::Queue { limit } if waiting < limit => Verdict::Wait,
        Overlap::Queue { .. } => Verdict::Skip("the queue of runs waiting for this job is full"),
    }
}

/// Runs of one job at the same time, even when overlap is allowed.
pub const MAX_RUNNING: usize = 64;

fn at(start: u128, period_ns: u128) -> Duration {
    let ns = start.saturating_mul(period_ns);
    Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn the_first_start_is_at_the_origin_and_is_taken_once() {
        let mut schedule = Schedule::new(ms(10));
        assert_eq!(schedule.next_at(), ms(0));
        assert_eq!(
            schedule.take(ms(0)),
            Some(Due {
                at: ms(0),
                missed: 0
            })
        );
        assert_eq!(schedule.take(ms(0)), None);
        assert_eq!(schedule.take(ms(9)), None);
        assert_eq!(schedule.next_at(), ms(10));
    }

    #[test]
    fn lateness_does_not_move_later_starts() {
        let mut schedule = Schedule::new(ms(10));
        for k in 0..1000 {
            // A wake-up is always late, by anything below a period.
            let late = ms(10 * k) + Duration::from_micros(k * 7919 % 9999);
            assert_eq!(
                schedule.take(late),
                Some(Due {
                    at: ms(10 * k),
                    missed: 0
                })
            );
        }
        assert_eq!(schedule.next_at(), ms(10_000));
    }

    #[test]
    fn after_a_sleep_the_last_due_start_is_taken_and_the_others_counted() {
        let mut schedule = Schedule::new(ms(10));
        schedule.take(ms(0));
        assert_eq!(
            schedule.take(ms(57)),
            Some(Due {
                at: ms(50),
                missed: 4
            })
        );
        assert_eq!(schedule.take(ms(58)), None);
        assert_eq!(schedule.next_at(), ms(60));
    }

    #[test]
    fn periods_that_are_not_whole_milliseconds_do_not_drift() {
        let period = Duration::from_nanos(33_333_333);
        let mut schedule = Schedule::new(period);
        for k in 0..10_000_u32 {
            assert_eq!(
                schedule.take(period * k).map(|due| due.at),
                Some(period * k)
            );
        }
    }

    #[test]
    fn years_away_is_no_overflow() {
        let mut schedule = Schedule::new(Duration::from_secs(366 * 24 * 3600));
        let far = Duration::from_secs(u64::MAX);
        assert!(schedule.take(far).is_some());
        assert!(schedule.next_at() > Duration::from_secs(3600));
    }

    #[test]
    #[should_panic(expected = "a period of zero")]
    fn a_period_of_zero_is_a_mistake() {
        let _ = Schedule::new(Duration::ZERO);
    }

    #[test]
    fn overlap_rules() {
        use Verdict::{Skip, Start, Wait};
        let queue = Overlap::Queue { limit: 2 };
        for (overlap, running, waiting, expected) in [
            (Overlap::Allow, 0, 0, Some(Start)),
            (Overlap::Allow, MAX_RUNNING - 1, 0, Some(Start)),
            (Overlap::Allow, MAX_RUNNING, 0, None),
            (Overlap::Skip, 0, 0, Some(Start)),
            (Overlap::Skip, 1, 0, None),
            (queue, 0, 0, Some(Start)),
            (queue, 1, 0, Some(Wait)),
            (queue, 1, 1, Some(Wait)),
            (queue, 1, 2, None),
            // The run before has just ended and the waiting one has not started yet.
            (queue, 0, 1, Some(Wait)),
        ] {
            let verdict = verdict(overlap, running, waiting);
            match expected {
                Some(expected) => assert_eq!(verdict, expected, "{overlap:?} {running} {waiting}"),
                None => assert!(
                    matches!(verdict, Skip(_)),
                    "{overlap:?} {running} {waiting}"
                ),
            }
        }
    }
}
