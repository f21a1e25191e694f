//! CPython's asyncio, and uvloop: a child of the measuring process works through
//! the scenario by itself, with its own clock, and prints the answer. So neither
//! its start nor the pipe to it is part of a figure.
//!
//! The scripts are one program, handed over as an argument. Sockets come to it
//! as its standard input.

mod servers;

use super::Peer;
use crate::runtime::Part;
use crate::scenario::Run;
use crate::work::{Answer, Work};
use std::process::{Command, Stdio};
use std::time::Duration;

const PROGRAM: &str = concat!(
    include_str!("harness.py"),
    include_str!("tasks.py"),
    include_str!("threads.py"),
    include_str!("timers.py"),
    include_str!("servers.py"),
    include_str!("main.py"),
);

/// What makes the loops.
trait Flavour {
    /// Its name on the command line, in the tables and to the scripts.
    const NAME: &'static str;
}

struct Asyncio;

impl Flavour for Asyncio {
    const NAME: &'static str = "asyncio";
}

struct Uvloop;

impl Flavour for Uvloop {
    const NAME: &'static str = "uvloop";
}

/// asyncio with its own loop.
pub fn asyncio() -> Peer {
    peer::<Asyncio>("CPython's asyncio through python3, its own loop")
}

/// asyncio with the loop of libuv.
pub fn uvloop() -> Peer {
    peer::<Uvloop>("CPython's asyncio through python3, uvloop's loop")
}

/// Which versions there are, or why none: asking takes a process.
pub fn version() -> String {
    let known = version_of(Uvloop::NAME).or_else(|_| version_of(Asyncio::NAME));
    known.unwrap_or_else(|reason| reason)
}

fn peer<L: Flavour>(about: &str) -> Peer {
    Peer {
        name: L::NAME,
        about: about.to_owned(),
        lacks: lacks::<L>,
        runs: runs::<L>(),
    }
}

fn lacks<L: Flavour>(part: Part) -> Option<String> {
    match part {
        // Asked first, for every scenario.
        Part::Tasks => version_of(L::NAME).err(),
        _ => None,
    }
}

fn runs<L: Flavour>() -> Vec<(&'static str, Run)> {
    macro_rules! scripted {
        ($($name:literal)*) => {
            vec![$(($name, (|work: &Work| measured(L::NAME, $name, work)) as Run)),*]
        };
    }
    let mut runs = scripted![
        "yield-1" "yield-1000" "spawn-1" "spawn-10000"
        "ping-pong" "lock" "semaphore" "event" "queue"
        "submit-cold" "submit-warm" "submit-1" "submit-2" "submit-4" "loop-to-loop"
        "offload" "offload-1000" "offload-1000-of-4"
        "sleep-100000" "timeout-ready" "timeout-yield" "timeout-churn" "timeout-reached"
        "idle-task"
    ];
    runs.extend(servers::runs::<L>());
    runs
}

/// A scenario's answer, as the script found it.
fn measured(flavour: &str, scenario: &str, work: &Work) -> Answer {
    let millis = work.budget.as_millis().max(1) as usize;
    let mut python = python(flavour, scenario, millis, work.budget);
    let output = python.stderr(Stdio::inherit()).output();
    let output = output.expect("python3 has told its version before");
    assert!(output.status.success(), "python3 failed");
    serde_json::from_slice(&output.stdout).expect("the script prints an answer")
}

/// `Err`: why it cannot run here.
fn version_of(flavour: &str) -> Result<String, String> {
    let output = python(flavour, "version", 0, Duration::ZERO).output();
    let output = output.map_err(|error| format!("python3 does not start: {error}"))?;
    if output.status.success() {
        return Ok(first_line(&output.stdout));
    }
    match first_line(&output.stderr) {
        said if said.is_empty() => Err(format!("python3 failed: {}", output.status)),
        said => Err(said),
    }
}

fn first_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines().next().unwrap_or_default().to_owned()
}

/// How long it may take beyond ten times its time; less than the bench waits,
/// which does not know this process.
const PATIENCE: Duration = Duration::from_secs(15);

fn python(flavour: &str, what: &str, number: usize, budget: Duration) -> Command {
    let patience = PATIENCE + budget * 10;
    let mut command = Command::new("python3");
    command.args(["-c", PROGRAM, flavour, what]);
    command.args([number.to_string(), patience.as_secs().to_string()]);
    command.stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests;
