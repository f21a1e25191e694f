//! The command line, and the measuring process that it starts.

mod csv;
mod facts;
mod figures;
mod options;
mod progress;
mod rounds;
mod stats;
mod table;

pub use figures::{Compared, Entry, is_limit, is_own};
pub use options::Options;
pub use rounds::{Cell, Measured, Row, measure};
pub use stats::Stats;
pub use table::digits;

use crate::client::{self, CLIENT};
use crate::work::Work;
use crate::{peers, report, scenario};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, io};

/// The first argument of a process that measures one scenario on one peer.
const MEASURE: &str = "__measure";

/// What `main` does.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // The bench starts itself for what must be a process of its own.
    match words[..] {
        [MEASURE, peer, scenario, millis] => measure_here(peer, scenario, millis),
        [CLIENT, load] => client::main(load),
        _ => run(&Options::of_command_line()),
    }
}

fn run(options: &Options) -> ExitCode {
    if options.list {
        list();
        return ExitCode::SUCCESS;
    }
    let measured = match measure(options) {
        Ok(measured) => measured,
        Err(mistake) => {
            eprintln!("{mistake}");
            return ExitCode::from(2);
        }
    };
    print!("{}", table::table(&measured));
    let own = tell_failures(&measured);
    match write(options, &measured) {
        Ok(report) => {
            println!("\n{}", report.display());
            ExitCode::from(u8::from(own))
        }
        Err(error) => {
            eprintln!("{} cannot be written: {error}", options.out.display());
            ExitCode::FAILURE
        }
    }
}

/// Prints what those said whose measurements went wrong. True if one of them is
/// ours: a peer that fails is a finding, but this one is a mistake.
fn tell_failures(measured: &Measured) -> bool {
    let mut own = false;
    for row in &measured.rows {
        for cell in &row.cells {
            let (Some(failure), Some(reason)) = (&cell.failure, &cell.reason) else {
                continue;
            };
            own |= is_own(cell.peer);
            eprintln!("\n{}, {}: {reason}", row.scenario.name, cell.peer);
            eprint!("{failure}");
        }
    }
    own
}

/// Writes the files; the path of the page.
fn write(options: &Options, measured: &Measured) -> io::Result<PathBuf> {
    fs::create_dir_all(&options.out)?;
    fs::write(options.out.join("results.csv"), csv::csv(measured))?;
    let page = options.out.join("report.html");
    fs::write(&page, report::report(measured))?;
    Ok(page)
}

/// What there is, and what is lacking.
fn list() {
    let peers = peers::all();
    for peer in &peers {
        println!("{:<16} {}", peer.name, peer.about);
    }
    for scenario in scenario::all() {
        println!("\n{:<24} {}", scenario.name, scenario.about);
        for peer in &peers {
            if let Err(peers::Without::Cannot(reason)) = peer.run(scenario) {
                println!("    {:<16} {reason}", peer.name);
            }
        }
    }
}

/// The measuring process: prints its answer.
fn measure_here(peer: &str, scenario: &str, millis: &str) -> ExitCode {
    let peers = peers::all();
    let peer = peers.iter().find(|known| known.name == peer);
    let scenarios = scenario::all();
    let scenario = scenarios.iter().find(|known| known.name == scenario);
    let (Some(peer), Some(scenario), Ok(millis)) = (peer, scenario, millis.parse()) else {
        eprintln!("{MEASURE} is given a peer, a scenario and milliseconds");
        return ExitCode::from(2);
    };
    let Ok(run) = peer.run(scenario) else {
        eprintln!("{} cannot do {}", peer.name, scenario.name);
        return ExitCode::from(2);
    };
    let answer = run(&Work {
        budget: Duration::from_millis(millis),
    });
    assert_eq!(answer.figures.len(), scenario.metrics.len());
    println!("{}", serde_json::to_string(&answer).expect("plain data"));
    ExitCode::SUCCESS
}
