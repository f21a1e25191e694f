//! What is measured: one file a family of scenarios, generic over the runtime.
//!
//! A file has `SCENARIOS`, what is done and what the figures mean, and `of`,
//! the same functions for whichever runtime. Lower figures are better, always.

pub mod channels;
mod exchanging;
mod offloading;
mod resting;
pub mod serving;
mod sharing;
mod spawning;
pub mod submitting;
mod timing;
mod yielding;

use crate::runtime::{Part, Runtime};
use crate::work::{Answer, Work};

/// One kind of work.
#[derive(Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is done, for the tables.
    pub about: &'static str,
    /// What each figure is, with its unit.
    pub metrics: &'static [&'static str],
    /// What a runtime needs for it.
    pub needs: &'static [Part],
    /// How often the time of an ordinary measurement it takes.
    pub weight: f64,
}

/// One runtime's part in a scenario: does the work, checks that it was really
/// done, and answers a figure for each of the scenario's metrics.
pub type Run = fn(&Work) -> Answer;

/// All scenarios, in the order of the tables.
pub fn all() -> Vec<&'static Scenario> {
    let families = [
        yielding::SCENARIOS,
        spawning::SCENARIOS,
        exchanging::SCENARIOS,
        submitting::SCENARIOS,
        offloading::SCENARIOS,
        timing::SCENARIOS,
        channels::SCENARIOS,
        serving::SCENARIOS,
        sharing::SCENARIOS,
        resting::SCENARIOS,
    ];
    families.into_iter().flatten().collect()
}

/// The scenarios for one runtime, by their names.
pub fn of<R: Runtime>() -> Vec<(&'static str, Run)> {
    let mut runs = Vec::new();
    runs.extend(yielding::of::<R>());
    runs.extend(spawning::of::<R>());
    runs.extend(exchanging::of::<R>());
    runs.extend(submitting::of::<R>());
    runs.extend(offloading::of::<R>());
    runs.extend(timing::of::<R>());
    runs.extend(serving::of::<R>());
    runs.extend(sharing::of::<R>());
    runs.extend(resting::of::<R>());
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::{self, Peer};
    use std::collections::BTreeSet;

    #[test]
    fn every_run_has_a_scenario_and_every_scenario_a_run() {
        let scenarios = all();
        let known: BTreeSet<_> = scenarios.iter().map(|scenario| scenario.name).collect();
        assert_eq!(known.len(), scenarios.len(), "a name is there twice");
        let peers = peers::all();
        let names = |peer: &Peer| peer.runs.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        let run: BTreeSet<_> = peers.iter().flat_map(names).collect();
        assert_eq!(run, known);
    }
}
