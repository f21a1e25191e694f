//! The first bench: what a loop is asked for all day, beside tokio's
//! current-thread runtime in the same run.
//!
//! `cargo run --release -p polyloop-benches --features peers --bin first`
#![forbid(unsafe_code)]

/// A scenario's sides: the same function for each runtime's type, which are
/// called alike in every scenario.
#[cfg(feature = "peers")]
macro_rules! sides {
    [$run:ident] => {
        vec![
            ("polyloop", $run::<Polyloop> as Side),
            ("tokio", $run::<Tokio> as Side),
        ]
    };
}
#[cfg(not(feature = "peers"))]
macro_rules! sides {
    [$run:ident] => {
        vec![("polyloop", $run::<Polyloop> as Side)]
    };
}

mod echo;
mod echo_client;
mod idle;
mod offload;
mod spawning;
mod submit;
mod tasks;
mod yielding;

use polyloop_benches::{Plan, measure, print_table};
use std::process::ExitCode;

const HELP: &str = "\
Usage: first [--quick] [--scenario NAME] [--rounds N]

  --quick          a tenth of the work and 3 rounds
  --scenario NAME  only scenarios whose name contains NAME
  --rounds N       how often each runtime does each scenario (7)

Built with `--features peers` it compares with tokio's current-thread runtime.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // The bench starts itself for what must be a process of its own.
    match words[..] {
        ["echo-client", address, requests] => return echo_client::main(address, requests),
        ["idle-process", runtime, milliseconds] => return idle::main(runtime, milliseconds),
        _ => {}
    }
    match plan(&words) {
        Ok(Some(plan)) => {
            run(&plan);
            ExitCode::SUCCESS
        }
        Ok(None) => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Err(mistake) => {
            eprintln!("{mistake}\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}

/// What the command line asks for; `None`: help.
fn plan(words: &[&str]) -> Result<Option<Plan>, String> {
    let mut plan = Plan {
        quick: false,
        rounds: 7,
        only: None,
    };
    let mut rounds = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match *word {
            "--help" | "-h" => return Ok(None),
            "--quick" => plan.quick = true,
            "--scenario" => plan.only = Some((*value()?).to_owned()),
            "--rounds" => {
                let given = value()?.parse().ok().filter(|rounds| *rounds > 0);
                rounds = Some(given.ok_or("--rounds needs a number above zero")?);
            }
            other => return Err(format!("what is {other}?")),
        }
    }
    plan.rounds = rounds.unwrap_or(if plan.quick { 3 } else { plan.rounds });
    Ok(Some(plan))
}

fn run(plan: &Plan) {
    let mut scenarios = yielding::scenarios();
    scenarios.extend(spawning::scenarios());
    scenarios.extend(submit::scenarios());
    scenarios.extend(offload::scenarios());
    scenarios.extend(echo::scenarios());
    scenarios.extend(idle::scenarios());
    let measured = measure(plan, scenarios);
    if measured.is_empty() {
        eprintln!("no scenario has that in its name");
    }
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores");
    print_table(&measured);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_understood() {
        let quick = plan(&["--quick", "--scenario", "echo"]).unwrap().unwrap();
        assert!(quick.quick && quick.rounds == 3);
        assert_eq!(quick.only.as_deref(), Some("echo"));
        assert_eq!(plan(&["--rounds", "2"]).unwrap().unwrap().rounds, 2);
        assert!(plan(&["--rounds", "0"]).is_err() && plan(&["--what"]).is_err());
        assert!(plan(&["--help"]).unwrap().is_none());
    }
}
