//! The guard of the hot paths: how many instructions each takes, counted by
//! callgrind, beside the limits in `benches/guard.toml`.
//!
//! `cargo run --release -p polyloop-benches --bin guard`
//!
//! The machine's speed and its other work change nothing here. A path is run
//! with N and with 2N operations, and the difference is what N of them take: how
//! the process and the loop begin and end does not count.
#![forbid(unsafe_code)]

mod callgrind;
mod limits;
mod paths;

use limits::{Limits, Verdict};
use paths::{PATHS, Path};
use std::process::ExitCode;

const HELP: &str = "\
Usage: guard [--bless | --self-test]

  --bless      takes what is counted now as the new limits
  --self-test  plants a slow-down of about 7 % into each path, and fails unless
               every one of them is caught

Needs valgrind and a release build. Fails when a path takes 3 % more instructions
than its limit.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = match words[..] {
        [] => check(),
        ["--bless"] => bless(),
        ["--self-test"] => self_test(),
        // What the guard starts itself as, under callgrind.
        ["run", name, operations, planted] => run(name, operations, planted),
        ["--help" | "-h"] => {
            print!("{HELP}");
            Ok(true)
        }
        _ => Err(format!("what is {}?\n\n{HELP}", words.join(" "))),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(mistake) => {
            eprintln!("{mistake}");
            ExitCode::from(2)
        }
    }
}

fn run(name: &str, operations: &str, planted: &str) -> Result<bool, String> {
    let path = PATHS.iter().find(|path| path.name == name);
    let path = path.ok_or_else(|| format!("no path is called {name}"))?;
    let number = |word: &str| word.parse::<u64>().map_err(|error| error.to_string());
    paths::plant(number(planted)?);
    (path.run)(number(operations)?);
    Ok(true)
}

fn check() -> Result<bool, String> {
    let limits = Limits::read()?;
    let mut grown = 0;
    for path in PATHS {
        let verdict = limits.judge(path.name, count(path, 0)?)?;
        println!("{}", verdict.line(path));
        grown += usize::from(verdict.has_grown());
    }
    if grown == 0 {
        return Ok(true);
    }
    println!("\n{grown} of {} have grown too much.", PATHS.len());
    limits.say_what_differs();
    println!("Wanted? Then `guard --bless`, and say why where you commit it.");
    Ok(false)
}

fn bless() -> Result<bool, String> {
    let mut limits = Limits::new();
    for path in PATHS {
        let taken = count(path, 0)?;
        println!("{:<16} {taken:>9.2}  {}", path.name, path.what);
        limits.set(path.name, taken);
    }
    limits.write()?;
    Ok(true)
}

/// Plants into every path what is a little more than it may grow.
fn self_test() -> Result<bool, String> {
    let limits = Limits::read()?;
    let mut all_caught = true;
    for path in PATHS {
        let planted = (limits.of(path.name)? * PLANTED / 4.0).ceil();
        let verdict = limits.judge(path.name, count(path, planted as u64)?)?;
        println!("{}", verdict.line(path));
        all_caught &= verdict.has_grown();
    }
    println!(
        "\nplanted slow-downs: {}",
        if all_caught {
            "all caught"
        } else {
            "NOT all caught"
        }
    );
    Ok(all_caught)
}

/// The part of a path's limit that the self-test adds to it, at a guess of four
/// instructions for each unit that is planted.
const PLANTED: f64 = 0.07;

/// Instructions an operation.
fn count(path: &Path, planted: u64) -> Result<f64, String> {
    if cfg!(debug_assertions) {
        return Err("the limits are those of a release build: add --release".to_owned());
    }
    let count = |operations| callgrind::count(path, operations, planted);
    let (once, twice) = (count(path.operations)?, count(2 * path.operations)?);
    let more = twice
        .checked_sub(once)
        .ok_or_else(|| format!("{}: twice the work took less", path.name))?;
    Ok(more as f64 / path.operations as f64)
}

impl Verdict {
    fn line(&self, path: &Path) -> String {
        let mark = match self {
            _ if self.has_grown() => "GROWN",
            _ if self.has_shrunk() => "less: bless it, to keep it",
            _ => "",
        };
        format!(
            "{:<16} {:>9.2} of {:>9.2}  {:>+6.2} %  {}  {mark}",
            path.name,
            self.taken,
            self.limit,
            self.growth() * 100.0,
            path.what
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_does_its_work() {
        for path in PATHS {
            let done = std::thread::spawn(|| (path.run)(3 * paths::BATCH)).join();
            assert!(done.is_ok(), "{}", path.name);
        }
    }

    #[test]
    fn every_path_has_a_limit_and_every_limit_a_path() {
        let limits = Limits::read().unwrap();
        let mut names: Vec<_> = PATHS.iter().map(|path| path.name).collect();
        names.sort_unstable();
        assert_eq!(limits.names(), names);
    }

    #[test]
    fn an_unknown_path_is_refused() {
        assert!(run("no-such-path", "1", "0").is_err());
        assert!(run("yield", "many", "0").is_err());
    }
}
