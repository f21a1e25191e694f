//! Scenarios and the order in which their sides take turns.

use std::io::{IsTerminal, Write};

/// How much to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// A tenth of the work, for a look.
    pub quick: bool,
    /// How often each side runs each scenario, after one run to warm up.
    pub rounds: usize,
    /// Only scenarios whose name contains this.
    pub only: Option<String>,
}

impl Plan {
    /// `full`, or a tenth of it.
    pub fn scale(&self, full: u64) -> u64 {
        if self.quick { (full / 10).max(1) } else { full }
    }
}

/// One runtime's part in a scenario: does the work, checks that it was really
/// done, and answers a figure for each of the scenario's metrics.
pub type Side = fn(&Plan) -> Vec<f64>;

/// The same work for every runtime. Lower figures are better.
pub struct Scenario {
    /// What is done.
    pub name: &'static str,
    /// What each figure is.
    pub metrics: &'static [&'static str],
    /// The runtimes, polyloop first.
    pub sides: Vec<(&'static str, Side)>,
    /// One round is enough, and no warm-up is wanted.
    pub once: bool,
}

/// The figures of one scenario: by side, by metric, by round.
pub struct Measured {
    /// The scenario.
    pub scenario: Scenario,
    /// The figures, sorted.
    pub figures: Vec<Vec<Vec<f64>>>,
}

/// Runs the scenarios; in each, the sides take turns round by round, so that
/// whatever changes on the machine meanwhile changes for all of them.
pub fn measure(plan: &Plan, scenarios: Vec<Scenario>) -> Vec<Measured> {
    let wanted = |scenario: &Scenario| match &plan.only {
        Some(only) => scenario.name.contains(only.as_str()),
        None => true,
    };
    scenarios
        .into_iter()
        .filter(wanted)
        .map(|scenario| measure_one(plan, scenario))
        .collect()
}

fn measure_one(plan: &Plan, scenario: Scenario) -> Measured {
    let empty = vec![Vec::new(); scenario.metrics.len()];
    let mut figures = vec![empty; scenario.sides.len()];
    let (warm_up, rounds) = if scenario.once {
        (0, 1)
    } else {
        (1, plan.rounds)
    };
    for round in 0..warm_up + rounds {
        progress(&format!("{} {round}/{rounds}", scenario.name));
        for (side, (_, run)) in scenario.sides.iter().enumerate() {
            let answer = run(plan);
            assert_eq!(answer.len(), scenario.metrics.len());
            if round >= warm_up {
                for (metric, figure) in answer.into_iter().enumerate() {
                    figures[side][metric].push(figure);
                }
            }
        }
    }
    progress("");
    for metric in figures.iter_mut().flatten() {
        metric.sort_by(f64::total_cmp);
    }
    Measured { scenario, figures }
}

/// Says what goes on, on one line of a terminal.
fn progress(what: &str) {
    let mut screen = std::io::stderr();
    if screen.is_terminal() {
        // Nobody is left to tell when standard error is closed.
        let _ = write!(screen, "\r\x1b[K{what}");
    }
}

/// The middle one of sorted figures; the mean of the two in the middle.
pub fn median(sorted: &[f64]) -> f64 {
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[1.0, 2.0, 9.0]), 2.0);
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), 3.0);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn every_side_runs_every_round_and_the_warm_up_does_not_count() {
        static RUNS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let count: Side = |_| {
            let run = RUNS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            vec![run as f64]
        };
        let plan = Plan {
            quick: true,
            rounds: 3,
            only: None,
        };
        let scenario = Scenario {
            name: "count",
            metrics: &["runs"],
            sides: vec![("a", count), ("b", count)],
            once: false,
        };
        let measured = measure(&plan, vec![scenario]);
        assert_eq!(measured[0].figures, [[[2.0, 4.0, 6.0]], [[3.0, 5.0, 7.0]]]);
    }
}
