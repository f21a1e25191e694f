//! `interval`: ticks on a grid that does not drift.

use super::{Sleep, after, now, sleep_until};
use futures::Stream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// Ticks now and then every `period`.
///
/// # Panics
/// If `period` is zero; outside of a loop.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// # polyloop::run(async {
/// let mut ticks = polyloop::interval(Duration::from_millis(1));
/// let first = ticks.tick().await;
/// let second = ticks.tick().await;
/// assert_eq!(second - first, Duration::from_millis(1));
/// # }).unwrap();
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(now(), period)
}

/// Ticks at `start` and then every `period`.
///
/// # Panics
/// If `period` is zero.
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(!period.is_zero(), "an interval needs a period above zero");
    Interval {
        sleep: sleep_until(start),
        period,
        missed: MissedTicks::default(),
    }
}

/// What an [`Interval`] does when the program came too late for ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissedTicks {
    /// Makes up for every missed tick at once; the grid stays. The default.
    #[default]
    Burst,
    /// The next tick is a whole period after this one; the grid moves.
    Delay,
    /// Leaves the missed ticks out; the grid stays.
    Skip,
}

/// A source of ticks; see [`interval`].
#[must_use = "an Interval ticks only when it is awaited"]
#[derive(Debug)]
pub struct Interval {
    sleep: Sleep,
    period: Duration,
    missed: MissedTicks,
}

impl Interval {
    /// Waits for the next tick and answers the moment it was set for.
    ///
    /// # Cancel safety
    /// A tick that was not answered is not lost.
    pub async fn tick(&mut self) -> Instant {
        std::future::poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// As [`tick`](Self::tick), for hand-written futures.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        ready!(Pin::new(&mut self.sleep).poll(cx));
        let tick = self.sleep.deadline();
        let next = self.next_after(tick, now());
        self.sleep.reset(next);
        Poll::Ready(tick)
    }

    /// What to do when ticks are missed; [`MissedTicks::Burst`] by default.
    pub fn set_missed_ticks(&mut self, missed: MissedTicks) {
        self.missed = missed;
    }

    /// The period.
    pub fn period(&self) -> Duration {
        self.period
    }

    fn next_after(&self, tick: Instant, now: Instant) -> Instant {
        let next = after(tick, self.period);
        if next > now {
            return next;
        }
        match self.missed {
            MissedTicks::Burst => next,
            MissedTicks::Delay => after(now, self.period),
            MissedTicks::Skip => {
                let behind = now.saturating_duration_since(tick).as_nanos();
                let into = behind % self.period.as_nanos();
                // The rest of a period fits where the period did.
                let rest = self.period.as_nanos() - into;
                after(
                    now,
                    Duration::from_nanos(u64::try_from(rest).unwrap_or(u64::MAX)),
                )
            }
        }
    }
}

impl Stream for Interval {
    type Item = Instant;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Instant>> {
        self.poll_tick(cx).map(Some)
    }
}
