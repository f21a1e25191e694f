//! Two clocks: one that never jumps, for starting, and one to write down.

use std::time::{Duration, Instant};

use crate::jobs::model::now_ms;

/// The moment that all schedules count from, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    instant: Instant,
    unix_ms: i64,
}

impl Origin {
    /// This moment.
    #[must_use]
    pub fn now() -> Self {
        Self {
            instant: Instant::now(),
            unix_ms: now_ms(),
        }
    }

    /// Since the origin.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.instant.elapsed()
    }

    /// The instant that is `at` after the origin.
    #[must_use]
    pub fn instant(&self, at: Duration) -> Instant {
        let far = Duration::from_secs(100 * 366 * 24 * 3600);
        self.instant + at.min(far)
    }

    /// The wall clock's reading at the origin.
    #[must_use]
    pub fn unix_ms(&self) -> i64 {
        self.unix_ms
    }

    /// The wall clock's reading `at` after the origin.
    ///
    /// Counted from the origin, so that start times keep their exact distance; a
    /// wall clock that was set, or a machine that was asleep, moves them all.
    #[must_use]
    pub fn wall_ms(&self, at: Duration) -> i64 {
        let expected = self.unix_ms.saturating_add(ms(self.elapsed()));
        let jump = now_ms().saturating_sub(expected);
        let jump = if jump.abs() < SMALL_JUMP_MS { 0 } else { jump };
        self.unix_ms.saturating_add(ms(at)).saturating_add(jump)
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// What a time daemon corrects while the machine runs.
const SMALL_JUMP_MS: i64 = 1000;
