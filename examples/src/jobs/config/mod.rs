//! `jobs.toml`: which jobs there are, when they start, and what they do.
//!
//! A wrong file is refused whole, with the line and the reason: a job that was
//! silently left out would be noticed only when it is missed.

mod read;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::duration;

/// The whole file.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How many runs of each job the database keeps.
    pub history: u32,
    /// The jobs, in the file's order; names are unique.
    pub jobs: Vec<Job>,
}

/// One `[[job]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// What the page, the API and the metrics call it.
    pub name: String,
    /// A line for the reader of the page.
    pub about: Option<String>,
    /// From one start to the next.
    pub every: Duration,
    /// How long a run may take before it is stopped.
    pub timeout: Duration,
    /// What happens when a start comes while an earlier run is going on.
    pub overlap: Overlap,
    /// What a run does.
    pub action: Action,
}

/// What happens when a start comes while an earlier run of the job is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// It starts all the same.
    Allow,
    /// It is left out, and a row says so.
    Skip,
    /// It waits for its turn; when `limit` are waiting, it is left out.
    Queue {
        /// The longest queue.
        limit: usize,
    },
}

impl Overlap {
    /// The word used in the file and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Skip => "skip",
            Self::Queue { .. } => "queue",
        }
    }
}

/// What a run does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Starts a process; a non-zero exit code is a failure.
    Command(Vec<String>),
    /// Fetches a URL; anything but a 2xx answer is a failure.
    Http(Probe),
    /// Computes the SHA-256 of files, several at a time; an unreadable one is a failure.
    Digest(Vec<String>),
    /// Runs a query, read-only; an error is a failure.
    Sql {
        /// One statement that returns rows.
        query: String,
        /// The SQLite file; `None` is the service's own run history.
        database: Option<PathBuf>,
    },
}

impl Action {
    /// The key that stands for this action in the file.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Http(_) => "http",
            Self::Digest(_) => "digest",
            Self::Sql { .. } => "sql",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(argv) => match argv.as_slice() {
                [shell, flag, script] if shell == SHELL && flag == "-c" => f.write_str(script),
                argv => f.write_str(&argv.join(" ")),
            },
            Self::Http(Probe::Own { path }) => f.write_str(path),
            Self::Http(Probe::Elsewhere {
                authority, path, ..
            }) => {
                write!(f, "http://{authority}{path}")
            }
            Self::Digest(patterns) => f.write_str(&patterns.join(" ")),
            Self::Sql { query, .. } => f.write_str(query.trim()),
        }
    }
}

/// Where an `http` action looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// At this service itself, whatever its port.
    Own {
        /// Path and query.
        path: String,
    },
    /// At another server.
    Elsewhere {
        /// As written in the URL; sent as `Host`.
        authority: String,
        /// A name or an address, without brackets.
        host: String,
        /// 80 unless stated.
        port: u16,
        /// Path and query.
        path: String,
    },
}

/// Why a configuration was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    file: String,
    line: Option<usize>,
    reason: String,
}

impl ConfigError {
    /// The line of the mistake, counted from one; `None` if the file could not be read.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.reason),
            None => write!(f, "{}: {}", self.file, self.reason),
        }
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads the file at `path`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or something in it is wrong.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, &file),
            Err(error) => Err(ConfigError {
                file,
                line: None,
                reason: error.to_string(),
            }),
        }
    }

    /// Reads `text`; `file` is the name that errors show.
    ///
    /// # Errors
    ///
    /// Something in the text is wrong.
    pub fn parse(text: &str, file: &str) -> Result<Self, ConfigError> {
        read::config(text).map_err(|mistake| ConfigError {
            file: file.to_owned(),
            line: Some(line_of(text, mistake.at)),
            reason: mistake.reason,
        })
    }

    /// The jobs that run when no file is given: a few of every kind.
    #[must_use]
    pub fn embedded() -> Self {
        Self::parse(EMBEDDED, "jobs.toml").expect("a test reads this very text")
    }
}

impl Job {
    /// One line for the page: `every 10s, timeout 5s, overlap skip`.
    #[must_use]
    pub fn rhythm(&self) -> String {
        let (every, timeout) = (duration::format(self.every), duration::format(self.timeout));
        format!(
            "every {every}, timeout {timeout}, overlap {}",
            self.overlap.as_str()
        )
    }
}

/// The line, counted from one, in which the byte at `at` stands.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The text of the default configuration; also a starting point for a file of one's own.
pub const EMBEDDED: &str = include_str!("../../../jobs.toml");

/// What runs a command written as one string.
const SHELL: &str = "/bin/sh";
