//! How long a scenario works, and what it answers.
//!
//! Work is given in time, not in amounts: a runtime that is a hundred times
//! slower takes as long as the others, and the whole run has a known length.

use crate::process_time;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// One measurement's share of time.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// How long to measure. Before that, a fifth as long goes into warming up.
    pub budget: Duration,
}

impl Work {
    /// Begins with the warm-up.
    pub fn pace(&self) -> Pace {
        Pace {
            warm_up: self.warm_up(),
            budget: self.budget,
            measuring: false,
            began: Instant::now(),
            cpu: process_time(),
            took: Duration::ZERO,
            used: Duration::ZERO,
            count: 0,
        }
    }

    /// How long to warm up.
    pub fn warm_up(&self) -> Duration {
        self.budget / 5
    }
}

/// Counts batches of work while the time lasts.
///
/// ```
/// # use polyloop_benches::Work;
/// # let work = Work { budget: std::time::Duration::from_millis(1) };
/// let mut pace = work.pace();
/// while pace.goes_on() {
///     pace.did(1_000); // after having done it
/// }
/// assert!(pace.ns_each() > 0.0);
/// ```
#[derive(Debug)]
pub struct Pace {
    warm_up: Duration,
    budget: Duration,
    measuring: bool,
    began: Instant,
    cpu: Duration,
    took: Duration,
    used: Duration,
    count: u64,
}

impl Pace {
    /// Asked before each batch: is it to be done? At least one is measured.
    pub fn goes_on(&mut self) -> bool {
        let elapsed = self.began.elapsed();
        if self.measuring {
            if elapsed >= self.budget && self.count > 0 {
                self.took = elapsed;
                self.used = process_time().saturating_sub(self.cpu);
                return false;
            }
        } else if elapsed >= self.warm_up && self.count > 0 {
            self.measuring = true;
            self.count = 0;
            self.cpu = process_time();
            self.began = Instant::now();
        }
        true
    }

    /// Is the warm-up over? What is recorded before is to be thrown away.
    pub fn is_measuring(&self) -> bool {
        self.measuring
    }

    /// Told after each batch: how many pieces of work it was.
    pub fn did(&mut self, count: u64) {
        self.count += count;
    }

    /// Nanoseconds a piece of work, when it no longer goes on.
    pub fn ns_each(&self) -> f64 {
        self.took.as_nanos() as f64 / self.count as f64
    }

    /// Nanoseconds of the process's processor time a piece of work.
    pub fn cpu_ns_each(&self) -> f64 {
        self.used.as_nanos() as f64 / self.count as f64
    }
}

/// What one measurement found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// A figure for each of the scenario's metrics.
    pub figures: Vec<f64>,
    /// How the single durations were distributed, where they were taken: pairs
    /// of a quantile and nanoseconds.
    pub quantiles: Vec<(f64, u64)>,
}

impl Answer {
    /// Figures without a distribution.
    pub fn of(figures: impl Into<Vec<f64>>) -> Self {
        Self {
            figures: figures.into(),
            quantiles: Vec::new(),
        }
    }
}

/// Single durations, in nanoseconds.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

/// The quantiles that are kept: enough for a curve.
const QUANTILES: [f64; 19] = [
    0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999,
    0.9999, 1.0,
];

/// A minute; what is longer counts as that.
const LONGEST: u64 = 60_000_000_000;

impl Latencies {
    /// None yet.
    pub fn new() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are in order"))
    }

    /// Adds one.
    pub fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.0.saturating_record(nanos.max(1));
    }

    /// Forgets those of the warm-up.
    pub fn clear(&mut self) {
        self.0.reset();
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The nanoseconds that this share of them stays within.
    pub fn at(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64
    }

    /// The curve.
    pub fn quantiles(&self) -> Vec<(f64, u64)> {
        let at = |quantile| (quantile, self.0.value_at_quantile(quantile));
        QUANTILES.into_iter().map(at).collect()
    }

    /// The usual three figures with the curve: median, 99 % and 99.9 %.
    pub fn answer(&self) -> Answer {
        Answer {
            figures: vec![self.at(0.5), self.at(0.99), self.at(0.999)],
            quantiles: self.quantiles(),
        }
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warm_up_is_not_counted_and_one_batch_always_is() {
        let work = Work {
            budget: Duration::ZERO,
        };
        let mut pace = work.pace();
        let mut batches = 0;
        while pace.goes_on() {
            batches += 1;
            assert_eq!(pace.is_measuring(), batches == 2);
            pace.did(10);
        }
        assert_eq!(batches, 2, "one to warm up, one to measure");
        assert_eq!(pace.count, 10);
    }

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let mut latencies = Latencies::new();
        latencies.record(Duration::from_secs(100));
        latencies.clear();
        for nanos in 1..=1_000 {
            latencies.record(Duration::from_nanos(nanos));
        }
        assert_eq!((latencies.len(), latencies.is_empty()), (1_000, false));
        assert_eq!(latencies.at(0.5), 500.0);
        assert_eq!(latencies.answer().figures[1], 990.0);
        assert_eq!(latencies.quantiles().last(), Some(&(1.0, 1_000)));
    }
}
