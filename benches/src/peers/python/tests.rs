//! Every scenario that Python is said to run, it runs.

use super::*;
use crate::scenario;
use polyloop_tests::require_that;

/// Short: whether the work is done is looked at, not how fast.
const WORK: Work = Work {
    budget: Duration::from_millis(20),
};

/// The servers need this program's own client, which a test program is not:
/// `tests/report.rs` has them.
fn runs_all<L: Flavour>(install_hint: &str) {
    let there = version_of(L::NAME).is_ok();
    if !require_that(there, L::NAME, install_hint) {
        return;
    }
    for (name, run) in runs::<L>() {
        if name.starts_with("tcp") || name == "udp" {
            continue;
        }
        let all = scenario::all();
        let scenario = all.iter().find(|scenario| scenario.name == name);
        let answer = run(&WORK);
        let metrics = scenario.expect("it is one").metrics.len();
        assert_eq!(answer.figures.len(), metrics, "{name}");
        let sane = |figure: &f64| figure.is_finite() && *figure >= 0.0;
        assert!(answer.figures.iter().all(sane), "{name}: {answer:?}");
        assert!(
            answer.quantiles.is_sorted_by_key(|(_, nanos)| *nanos),
            "{name}: {answer:?}"
        );
    }
}

#[test]
fn asyncio_runs_its_scenarios() {
    runs_all::<Asyncio>("install Python 3.11 or later as python3");
}

#[test]
fn what_is_not_there_is_said_in_words() {
    let there = version_of(Asyncio::NAME).is_ok();
    if !require_that(there, "python3", "install Python 3.11 or later") {
        return;
    }
    if let Some(reason) = lacks::<Uvloop>(Part::Tasks) {
        assert!(reason.starts_with("uvloop is not installed"), "{reason}");
    } else {
        runs_all::<Uvloop>("pip install uvloop");
    }
}
