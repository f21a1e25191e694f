//! Interleaved rounds: in each scenario the peers take turns round by round, so
//! that whatever changes on the machine meanwhile changes for all of them. Each
//! measurement is a process of its own, which warms up before it measures.

use super::{MEASURE, Options};
use crate::peers::{self, Peer, Without};
use crate::scenario::{self, Scenario};
use crate::work::Answer;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A scenario with everybody's figures.
pub struct Row {
    /// What was done.
    pub scenario: &'static Scenario,
    /// By peer, in the peers' order; those that it is not meant for are absent.
    pub cells: Vec<Cell>,
}

/// One peer's part of a row.
pub struct Cell {
    /// Who.
    pub peer: &'static str,
    /// The rounds' answers; none if it could not.
    pub answers: Vec<Answer>,
    /// Why it could not, or what went wrong.
    pub reason: Option<String>,
}

impl Cell {
    /// The figures of one metric, by round.
    pub fn figures(&self, metric: usize) -> Vec<f64> {
        self.answers
            .iter()
            .map(|answer| answer.figures[metric])
            .collect()
    }
}

/// Everything that was measured.
pub struct Measured {
    /// By scenario.
    pub rows: Vec<Row>,
    /// Everybody who took part, with what they are.
    pub peers: Vec<(&'static str, String)>,
}

/// Runs what the options ask for.
///
/// # Errors
/// Nothing is asked for; in words.
pub fn measure(options: &Options) -> Result<Measured, String> {
    let mut peers = peers::all();
    peers.retain(|peer| options.wants_peer(peer.name));
    let mut scenarios = scenario::all();
    scenarios.retain(|scenario| options.wants_scenario(scenario.name));
    if peers.is_empty() || scenarios.is_empty() {
        return Err("no scenario or no peer has that in its name; see --list".to_owned());
    }
    let rows = scenarios
        .into_iter()
        .map(|scenario| measure_row(options, scenario, &peers))
        .filter(|row| !row.cells.is_empty());
    Ok(Measured {
        rows: rows.collect(),
        peers: peers
            .into_iter()
            .map(|peer| (peer.name, peer.about))
            .collect(),
    })
}

fn measure_row(options: &Options, scenario: &'static Scenario, peers: &[Peer]) -> Row {
    let mut cells: Vec<Cell> = peers
        .iter()
        .filter_map(|peer| {
            let reason = match peer.run(scenario) {
                Ok(_) => None,
                Err(Without::Cannot(reason)) => Some(reason),
                Err(Without::NotMeant) => return None,
            };
            Some(Cell {
                peer: peer.name,
                answers: Vec::new(),
                reason,
            })
        })
        .collect();
    for _ in 0..options.rounds() {
        for cell in cells.iter_mut().filter(|cell| cell.reason.is_none()) {
            match measure_one(options, scenario, cell.peer) {
                Ok(answer) => cell.answers.push(answer),
                Err(reason) => cell.reason = Some(reason),
            }
        }
    }
    Row { scenario, cells }
}

/// Starts this very program to measure.
fn measure_one(options: &Options, scenario: &Scenario, peer: &str) -> Result<Answer, String> {
    let budget: Duration = options.budget().mul_f64(scenario.weight);
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program)
        .args([
            MEASURE,
            peer,
            scenario.name,
            &budget.as_millis().to_string(),
        ])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("its process did not start: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let answer = printed
        .lines()
        .last()
        .and_then(|line| serde_json::from_str(line).ok());
    answer.filter(|_| output.status.success()).ok_or_else(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said
            .lines()
            .find(|line| !line.is_empty())
            .unwrap_or("no word");
        format!("failed with {}: {said}", output.status)
    })
}
