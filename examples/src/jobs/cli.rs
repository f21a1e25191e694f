//! The command line.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::Parser;

use super::config::{Config, ConfigError};
use super::duration;
use super::service::{self, Options};

/// Runs the jobs of a file on their period and shows them on a page.
///
/// Without --config it reads jobs.toml in the current folder or, if there is
/// none, runs a few jobs that only look around.
#[derive(Debug, Parser)]
#[command(name = "jobs", version)]
struct Arguments {
    /// The file that lists the jobs
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Where the page and the API are served; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = address)]
    listen: SocketAddr,

    /// Serve other machines too, which know this one by this name (repeatable)
    ///
    /// Whoever can reach the address can start and cancel jobs.
    #[arg(long, value_name = "HOST")]
    allow_remote: Vec<String>,

    /// Loops that run jobs and answer requests, one thread each [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    loops: Option<u16>,

    /// The SQLite file of the run history; ":memory:" keeps it in memory
    #[arg(long, value_name = "FILE", default_value = "jobs.db")]
    database: PathBuf,

    /// How long runs may go on after Ctrl-C before they are cancelled
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration::parse)]
    grace: Duration,
}

/// The program: 0 after an orderly end, 2 for a mistake in the arguments or in the
/// file, 1 if the service could not start.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(why) = check(&arguments) {
        eprintln!("jobs: {why}");
        return ExitCode::from(2);
    }
    let config = match config(arguments.config.as_deref()) {
        Ok(config) => config,
        Err(why) => {
            eprintln!("jobs: {why}");
            return ExitCode::from(2);
        }
    };
    let cores = available_parallelism().map_or(1, NonZero::get);
    let options = Options {
        config,
        listen: arguments.listen,
        names: arguments.allow_remote,
        loops: arguments.loops.map_or(cores, usize::from),
        database: arguments.database,
        grace: arguments.grace,
    };
    match service::run(options) {
        Ok(report) => {
            // Nobody may be reading any more; that is no failure of ours.
            let _ = write!(io::stdout(), "{report}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("jobs: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Commands are started by whoever can reach the page: other machines only when told so.
fn check(arguments: &Arguments) -> Result<(), String> {
    let ip = arguments.listen.ip();
    if !ip.is_loopback() && arguments.allow_remote.is_empty() {
        return Err(format!(
            "--listen {}: whoever reaches this address can start jobs; say --allow-remote HOST, \
             the name that they use for this machine, if that is wanted",
            arguments.listen
        ));
    }
    match arguments.allow_remote.iter().find(|name| !is_name(name)) {
        Some(name) => Err(format!(
            "--allow-remote {name:?}: a host name or an address, no port"
        )),
        None => Ok(()),
    }
}

fn is_name(name: &str) -> bool {
    let inside = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match inside {
        Some(inside) => matches!(inside.parse(), Ok(IpAddr::V6(_))),
        None => {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        }
    }
}

fn config(file: Option<&Path>) -> Result<Config, ConfigError> {
    let usual = Path::new("jobs.toml");
    match file {
        Some(file) => Config::load(file),
        None if usual.exists() => Config::load(usual),
        None => Ok(Config::embedded()),
    }
}

/// An address, or a name of this machine such as `localhost:8080`.
fn address(text: &str) -> Result<SocketAddr, String> {
    let mut found = text
        .to_socket_addrs()
        .map_err(|_| format!("{text:?} is not an address with a port, such as 127.0.0.1:8080"))?;
    found
        .next()
        .ok_or_else(|| format!("{text:?} has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        let words = std::iter::once("jobs").chain(line.split_whitespace());
        let arguments = Arguments::try_parse_from(words).map_err(|why| why.to_string())?;
        check(&arguments).map(|()| arguments)
    }

    #[test]
    fn without_arguments_it_serves_this_machine_only() {
        let arguments = parse("").unwrap();
        assert_eq!(arguments.listen, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(arguments.grace, Duration::from_secs(10));
        assert_eq!(
            (arguments.loops, arguments.database),
            (None, "jobs.db".into())
        );
    }

    #[test]
    fn other_machines_must_be_asked_for() {
        assert!(
            parse("--listen 0.0.0.0:80")
                .unwrap_err()
                .contains("--allow-remote")
        );
        assert!(parse("--listen [::]:80").is_err());
        assert!(parse("--listen 0.0.0.0:80 --allow-remote box.lan").is_ok());
        assert!(parse("--listen [::]:80 --allow-remote [fe80::1]").is_ok());
        assert!(parse("--listen [::1]:0").is_ok());
        assert!(parse("--allow-remote box.lan:80").is_err());
    }

    #[test]
    fn wrong_values_are_refused() {
        for line in [
            "--loops 0",
            "--loops 257",
            "--grace 10",
            "--listen 8080",
            "--what",
            "x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
