//! The conformance table: which tests of CPython's asyncio are kept here, how,
//! and why not the others.
//!
//! It is made of plain text, so that a verdict stands where it is true: above
//! the Rust test that keeps the behaviour, or in a list of what has no meaning
//! in Rust. Directly above a `#[test]`:
//!
//! ```text
//! /// same test_locks.LockTests.test_acquire_cancel
//! /// adapted test_tasks.BaseTaskTests.test_cancel_task_catching: the future is
//! ///   dropped, so clean-up is a token's
//! ```
//!
//! and in `tests/conformance/not_applicable/test_locks.txt`, where a last word
//! `*` stands for all tests of a class, and `#` begins a comment:
//!
//! ```text
//! test_locks.LockTests.test_repr: Debug's text is not part of the interface
//! ```
#![forbid(unsafe_code)]

mod annotations;
mod check;
mod table;

pub use annotations::{of_list, of_rust, scripts_of};
pub use check::{complaints, unreachable_files};
pub use table::table;

use crate::tidy::{rust_files, text_files};
use std::fmt;

/// Where everything about conformance stands, from the workspace's root.
pub const FOLDER: &str = "tests/conformance/";

/// What became of a behaviour that a CPython test fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The same here.
    Same,
    /// Kept, in the form that Rust gives it: how.
    Adapted(String),
    /// Without a meaning here: why.
    NotApplicable(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "same",
            Self::Adapted(_) => "adapted",
            Self::NotApplicable(_) => "not applicable",
        })
    }
}

impl Verdict {
    /// How, or why.
    pub fn reason(&self) -> &str {
        match self {
            Self::Same => "",
            Self::Adapted(reason) | Self::NotApplicable(reason) => reason,
        }
    }
}

/// One verdict on one CPython test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `test_locks.LockTests.test_repr`, or with `*` as its last word.
    pub name: String,
    /// What became of it.
    pub verdict: Verdict,
    /// The file that says so, and the line.
    pub place: (String, usize),
    /// The Rust test; none if the verdict is from a list.
    pub test: Option<String>,
}

/// Every verdict in the tree.
///
/// # Panics
/// If the tree cannot be read.
pub fn entries() -> Vec<Entry> {
    let mut entries = Vec::new();
    for file in text_files() {
        let Some(path) = file.path.strip_prefix(FOLDER) else {
            continue;
        };
        if path.ends_with(".rs") {
            entries.extend(of_rust(path, &file.text));
        } else if path.starts_with("not_applicable/") {
            entries.extend(of_list(path, &file.text));
        }
    }
    entries
}

/// Every differential script, with the reason for its difference, if it has one.
///
/// # Panics
/// If the tree cannot be read.
pub fn scripts() -> Vec<(String, Option<String>)> {
    let mut files = rust_files();
    files.retain(|file| file.path.starts_with(FOLDER));
    files
        .iter()
        .flat_map(|file| scripts_of(&file.text))
        .collect()
}

/// A list that stands in a text file of the folder: a name a line.
///
/// # Panics
/// If it cannot be read.
pub fn list(name: &str) -> Vec<String> {
    let path = crate::tidy::root().join(FOLDER).join(name);
    let text = std::fs::read_to_string(path).expect("the source tree is readable");
    lines(&text).map(|(_, line)| line.to_owned()).collect()
}

/// The lines that say something, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}
