//! What the command line says.

use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// Every scenario with every peer, in one run: a table here, `results.csv` and
/// `report.html` in a folder.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo bench-all")]
pub struct Options {
    /// A look, in less than 3 minutes: shorter measurements, one round.
    #[arg(long)]
    pub quick: bool,
    /// Only scenarios whose name contains this; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub scenario: Vec<String>,
    /// Only peers whose name contains this; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub runtime: Vec<String>,
    /// How often each peer runs each scenario. Default: 5; 1 with --quick.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: Option<u32>,
    /// The folder for results.csv and report.html.
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    pub out: PathBuf,
    /// Lists the scenarios and the peers, with what each cannot do.
    #[arg(long)]
    pub list: bool,
}

impl Options {
    /// Those that the program was started with; ends it where they are wrong.
    pub fn of_command_line() -> Self {
        Self::parse()
    }

    /// How often each peer runs each scenario.
    pub fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 1 } else { 5 })
    }

    /// How long an ordinary measurement takes, without its warm-up.
    pub fn budget(&self) -> Duration {
        Duration::from_millis(if self.quick { 60 } else { 200 })
    }

    /// Was this scenario asked for?
    pub fn wants_scenario(&self, name: &str) -> bool {
        contains_any(name, &self.scenario)
    }

    /// Was this peer asked for?
    pub fn wants_peer(&self, name: &str) -> bool {
        contains_any(name, &self.runtime)
    }
}

fn contains_any(name: &str, wanted: &[String]) -> bool {
    wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Option<Options> {
        Options::try_parse_from([&["bench-all"], words].concat()).ok()
    }

    #[test]
    fn the_command_line_is_understood() {
        let quick = parsed(&["--quick", "--scenario", "echo", "--scenario", "udp"]).unwrap();
        assert!(quick.wants_scenario("tcp-echo-64") && quick.wants_scenario("udp"));
        assert!(!quick.wants_scenario("yield-1") && quick.wants_peer("anybody"));
        assert_eq!(quick.rounds(), 1);
        assert_eq!(parsed(&["--rounds", "2"]).unwrap().rounds(), 2);
        assert!(parsed(&["--rounds", "0"]).is_none() && parsed(&["--what"]).is_none());
    }
}
