//! Interleaved rounds: in each scenario the peers take turns round by round, so
//! that whatever changes on the machine meanwhile changes for all of them. Each
//! measurement is a process of its own, which warms up before it measures.

use super::facts::facts;
use super::progress::Progress;
use super::{MEASURE, Options};
use crate::peers::{self, Peer, Without};
use crate::scenario::{self, Scenario};
use crate::work::Answer;
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
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
    /// What it said when it went wrong; none if it could not from the start.
    pub failure: Option<String>,
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
    /// Where and when.
    pub facts: Vec<(&'static str, String)>,
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
    let mut rows: Vec<Row> = scenarios
        .into_iter()
        .map(|scenario| row(scenario, &peers))
        .filter(|row| !row.cells.is_empty())
        .collect();
    let mut progress = Progress::new(rows.iter().map(|row| length(options, row)).sum());
    for row in &mut rows {
        measure_row(options, row, &mut progress);
    }
    progress.end();
    Ok(Measured {
        rows,
        peers: peers
            .into_iter()
            .map(|peer| (peer.name, peer.about))
            .collect(),
        facts: facts(),
    })
}

/// A row without figures yet, with the reasons of those that cannot.
fn row(scenario: &'static Scenario, peers: &[Peer]) -> Row {
    let cells = peers.iter().filter_map(|peer| {
        let reason = match peer.run(scenario) {
            Ok(_) => None,
            Err(Without::Cannot(reason)) => Some(reason),
            Err(Without::NotMeant) => return None,
        };
        Some(Cell {
            peer: peer.name,
            answers: Vec::new(),
            reason,
            failure: None,
        })
    });
    Row {
        scenario,
        cells: cells.collect(),
    }
}

/// How long a row is going to take, in any unit.
fn length(options: &Options, row: &Row) -> f64 {
    let cells = row.cells.iter().filter(|cell| cell.reason.is_none());
    cells.count() as f64 * row.scenario.weight * f64::from(options.rounds())
}

fn measure_row(options: &Options, row: &mut Row, progress: &mut Progress) {
    let (scenario, all) = (row.scenario, length(options, row));
    let mut told = 0.0;
    for round in 1..=options.rounds() {
        for cell in row.cells.iter_mut().filter(|cell| cell.reason.is_none()) {
            progress.show(&format!("{} {round}: {}", scenario.name, cell.peer));
            match measure_one(options, scenario, cell.peer) {
                Ok(answer) => cell.answers.push(answer),
                Err(failed) => {
                    cell.reason = Some(failed.reason);
                    cell.failure = Some(failed.said);
                }
            }
            progress.did(scenario.weight);
            told += scenario.weight;
        }
    }
    // What failed is not measured again.
    progress.did(all - told);
}

/// A measurement that went wrong.
struct Failed {
    /// In a line.
    reason: String,
    /// All that its process said.
    said: String,
}

impl From<String> for Failed {
    fn from(reason: String) -> Self {
        let said = String::new();
        Self { reason, said }
    }
}

/// Starts this very program to measure.
fn measure_one(options: &Options, scenario: &Scenario, peer: &str) -> Result<Answer, Failed> {
    let budget: Duration = options.budget().mul_f64(scenario.weight);
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let child = Command::new(program)
        .args([
            MEASURE,
            peer,
            scenario.name,
            &budget.as_millis().to_string(),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = child.map_err(|error| format!("its process did not start: {error}"))?;
    let output = output_of(child, PATIENCE + budget * 10)?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let answer = printed
        .lines()
        .last()
        .and_then(|line| serde_json::from_str(line).ok());
    answer.filter(|_| output.status.success()).ok_or_else(|| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let mut lines = said.lines().filter(|line| !line.is_empty());
        let line = lines.next().unwrap_or("no word");
        Failed {
            reason: format!("failed with {}: {line}", output.status),
            said,
        }
    })
}

/// What a process printed, if it ends in time; else it is killed.
fn output_of(child: Child, limit: Duration) -> Result<Output, String> {
    let pid = Pid::from_child(&child);
    let (send, receive) = mpsc::channel();
    let waiter = thread::spawn(move || send.send(child.wait_with_output()));
    let ended = match receive.recv_timeout(limit) {
        Ok(ended) => Ok(ended),
        Err(_) => {
            // The waiter has not reaped it, so that the number is still its own.
            let _ = kill_process(pid, Signal::KILL);
            Err(format!("was not done after {} s", limit.as_secs()))
        }
    };
    // It ends with the process, and sends to nobody if that was too late.
    let _ = waiter.join();
    ended?.map_err(|error| error.to_string())
}

/// A measurement that takes this much longer than its time hangs.
const PATIENCE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Child {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdout(Stdio::piped());
        command.spawn().expect("a shell")
    }

    #[test]
    fn a_process_that_hangs_is_killed_and_one_that_ends_is_heard() {
        let output = output_of(shell("echo done"), Duration::from_secs(60)).unwrap();
        assert_eq!(output.stdout, b"done\n");
        let hung = output_of(shell("exec sleep 1000"), Duration::from_millis(1));
        assert_eq!(hung.unwrap_err(), "was not done after 0 s");
    }
}
