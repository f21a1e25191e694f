//! Who stands where: the peers of one row beside each other.

use super::Row;
use super::stats::{Stats, ratio};

/// Whose figures are no runtime's.
pub const LIMIT: &str = "limit";

/// With this the names of our own rows begin, and the first of them is it.
const OWN: &str = "polyloop";

/// One metric of one scenario.
pub struct Compared {
    /// Whoever was measured, in the peers' order.
    pub entries: Vec<Entry>,
    /// The best runtime beside polyloop, and how many times as much it has.
    pub rival: Option<(&'static str, f64)>,
}

/// One peer's place in it.
pub struct Entry {
    /// Who.
    pub peer: &'static str,
    /// Over the rounds.
    pub stats: Stats,
    /// The least of all but the limits.
    pub best: bool,
    /// How many times as much as polyloop; `None` for polyloop itself.
    pub of_own: Option<f64>,
    /// How many times as much as the limit.
    pub of_limit: Option<f64>,
}

impl Compared {
    /// Of a metric, by its place.
    pub fn of(row: &Row, metric: usize) -> Self {
        let figures_of = |peer| {
            let cell = row.cells.iter().find(|cell| cell.peer == peer)?;
            (!cell.answers.is_empty()).then(|| cell.figures(metric))
        };
        let (own, limit) = (figures_of(OWN), figures_of(LIMIT));
        let measured = row.cells.iter().filter(|cell| !cell.answers.is_empty());
        let mut entries: Vec<Entry> = measured
            .map(|cell| {
                let figures = cell.figures(metric);
                let times = |base: &Option<Vec<f64>>, name: &str| {
                    let base = base.as_ref().filter(|_| cell.peer != name)?;
                    Some(ratio(&figures, base)).filter(|ratio| ratio.is_finite())
                };
                Entry {
                    peer: cell.peer,
                    stats: Stats::of(&figures),
                    best: false,
                    of_own: times(&own, OWN),
                    of_limit: times(&limit, LIMIT),
                }
            })
            .collect();
        let runtimes = entries.iter_mut().filter(|entry| !is_limit(entry.peer));
        let least = runtimes.min_by(|a, b| a.stats.median.total_cmp(&b.stats.median));
        if let Some(least) = least {
            least.best = true;
        }
        let is_rival = |entry: &&Entry| !is_limit(entry.peer) && !is_own(entry.peer);
        let peers = entries.iter().filter(is_rival);
        let peers = peers.filter_map(|entry| Some((entry, entry.of_own?)));
        let rival = peers.min_by(|(a, _), (b, _)| a.stats.median.total_cmp(&b.stats.median));
        let rival = rival.map(|(entry, ratio)| (entry.peer, ratio));
        Self { entries, rival }
    }
}

/// Is this no runtime, but what the machine gives?
pub fn is_limit(peer: &str) -> bool {
    peer.starts_with(LIMIT)
}

/// Is this polyloop, one way or another?
pub fn is_own(peer: &str) -> bool {
    peer.starts_with(OWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Cell;
    use crate::scenario;
    use crate::work::Answer;

    #[test]
    fn the_best_is_a_runtime_and_ratios_are_of_medians_of_pairs() {
        let cell = |peer, figures: &[f64]| Cell {
            peer,
            answers: figures.iter().map(|figure| Answer::of([*figure])).collect(),
            reason: None,
            failure: None,
        };
        let row = Row {
            scenario: scenario::all()[0],
            cells: vec![
                cell("polyloop", &[10.0, 20.0]),
                cell("polyloop-in-another-form", &[20.0, 40.0]),
                cell("other", &[40.0, 80.0]),
                cell("absent", &[]),
                cell(LIMIT, &[5.0, 5.0]),
            ],
        };
        let Compared { entries, rival } = Compared::of(&row, 0);
        assert_eq!(rival, Some(("other", 4.0)));
        let names: Vec<_> = entries
            .iter()
            .map(|entry| (entry.peer, entry.best))
            .collect();
        assert_eq!(
            names,
            [
                ("polyloop", true),
                ("polyloop-in-another-form", false),
                ("other", false),
                (LIMIT, false)
            ]
        );
        assert_eq!((entries[0].of_own, entries[0].of_limit), (None, Some(3.0)));
        assert_eq!(entries[2].of_own, Some(4.0));
    }
}
