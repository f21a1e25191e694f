//! The limits in `benches/guard.toml`, and what is more than they allow.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// What a path may grow by, as a part of its limit.
const TOLERANCE: f64 = 0.03;

/// What stands in the file, under its comment.
#[derive(Serialize, Deserialize)]
pub struct Limits {
    blessed_with: BTreeMap<String, String>,
    instructions: BTreeMap<String, f64>,
}

impl Limits {
    /// No limits yet, for the tools that are here.
    pub fn new() -> Self {
        Self {
            blessed_with: tools(),
            instructions: BTreeMap::new(),
        }
    }

    /// The limits of the repository.
    pub fn read() -> Result<Self, String> {
        let text = std::fs::read_to_string(file()).map_err(|error| in_file(&error))?;
        toml::from_str(&text).map_err(|error| in_file(&error))
    }

    /// Makes them the limits of the repository.
    pub fn write(&self) -> Result<(), String> {
        let limits = toml::to_string(self).map_err(|error| in_file(&error))?;
        std::fs::write(file(), format!("{COMMENT}{limits}")).map_err(|error| in_file(&error))
    }

    /// Sets the limit of a path, to the hundredth.
    pub fn set(&mut self, path: &str, instructions: f64) {
        let rounded = (instructions * 100.0).round() / 100.0;
        self.instructions.insert(path.to_owned(), rounded);
    }

    /// The limit of a path.
    pub fn of(&self, path: &str) -> Result<f64, String> {
        let limit = self.instructions.get(path).copied();
        limit.ok_or_else(|| in_file(&format!("no limit for {path}; --bless sets them all")))
    }

    /// What a path took, beside its limit.
    pub fn judge(&self, path: &str, taken: f64) -> Result<Verdict, String> {
        let limit = self.of(path)?;
        Ok(Verdict { taken, limit })
    }

    /// The paths that have a limit.
    #[cfg(test)]
    pub fn names(&self) -> Vec<&str> {
        self.instructions.keys().map(String::as_str).collect()
    }

    /// Another compiler or another C library may be the reason.
    pub fn say_what_differs(&self) {
        for (tool, here) in tools() {
            if let Some(blessed) = self.blessed_with.get(&tool)
                && *blessed != here
            {
                println!("The limits are those of {tool} {blessed}, and this is {here}.");
            }
        }
    }
}

/// A path's figure and its limit.
#[derive(Debug, Clone, Copy)]
pub struct Verdict {
    /// Instructions an operation, now.
    pub taken: f64,
    /// And as blessed.
    pub limit: f64,
}

impl Verdict {
    /// By how much it has grown, as a part of the limit.
    pub fn growth(&self) -> f64 {
        self.taken / self.limit - 1.0
    }

    /// More than is allowed?
    pub fn has_grown(&self) -> bool {
        self.growth() > TOLERANCE
    }

    /// By as much?
    pub fn has_shrunk(&self) -> bool {
        self.growth() < -TOLERANCE
    }
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("guard.toml")
}

fn in_file(what: &impl std::fmt::Display) -> String {
    format!("benches/guard.toml: {what}")
}

/// The versions that the figures depend on.
fn tools() -> BTreeMap<String, String> {
    let version = |program: &str| {
        let output = Command::new(program).arg("--version").output().ok();
        let text = output.and_then(|output| String::from_utf8(output.stdout).ok());
        let line = text.as_deref().and_then(|text| text.lines().next());
        line.unwrap_or("unknown").to_owned()
    };
    ["rustc", "ldd"]
        .into_iter()
        .map(|program| (program.to_owned(), version(program)))
        .collect()
}

const COMMENT: &str = "\
# Instructions an operation of the hot paths takes, as callgrind counts them.
# CI fails when one takes 3 % more. After a wanted change:
#     cargo run --release -p polyloop-benches --bin guard -- --bless

";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_hundredths_are_allowed_and_no_more() {
        let mut limits = Limits::new();
        limits.set("yield", 200.0);
        let judge = |taken| limits.judge("yield", taken).unwrap();
        assert!(!judge(205.9).has_grown() && judge(206.1).has_grown());
        assert!(!judge(194.1).has_shrunk() && judge(193.9).has_shrunk());
        assert!(limits.judge("spawn", 1.0).is_err());
    }

    #[test]
    fn limits_are_read_as_they_were_written() {
        let mut limits = Limits::new();
        limits.set("yield", 61.237);
        let text = format!("{COMMENT}{}", toml::to_string(&limits).unwrap());
        let read: Limits = toml::from_str(&text).unwrap();
        assert_eq!(read.of("yield"), Ok(61.24));
        assert_eq!(read.blessed_with, limits.blessed_with);
    }
}
