//! What the integration tests share: the harness ([`require`],
//! [`with_watchdog`], [`XorShift`], counts of the process's threads and
//! descriptors), the checks of the source tree ([`tidy`]) and the table of CPython's
//! tests ([`conformance`]).
#![forbid(unsafe_code)]

pub mod conformance;
mod listening;
pub mod tidy;

pub use listening::{Alive, Bomb, Told, listening};

/// README's program has to compile and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

/// Set to `all`, it turns every skipped test into a failed one.
const REQUIRE_VARIABLE: &str = "POLYLOOP_TEST_REQUIRE";

/// Is `program` in the search path? If not, says on standard error what to
/// install, and the caller returns: the test counts as skipped.
///
/// # Panics
/// If the program is absent and `POLYLOOP_TEST_REQUIRE` is `all`.
///
/// # Examples
/// ```
/// if !polyloop_tests::require("cargo", "see rust-lang.org") {
///     return;
/// }
/// ```
#[must_use = "a test whose tool is absent must return"]
pub fn require(program: &str, install_hint: &str) -> bool {
    require_that(find_program(program).is_some(), program, install_hint)
}

/// As [`require`], for what the caller has looked for itself.
///
/// # Panics
/// If it is absent and `POLYLOOP_TEST_REQUIRE` is `all`.
#[must_use = "a test whose tool is absent must return"]
pub fn require_that(present: bool, what: &str, install_hint: &str) -> bool {
    if present {
        return true;
    }
    let all = std::env::var_os(REQUIRE_VARIABLE).is_some_and(|value| value == "all");
    assert!(!all, "{what} is required and absent: {install_hint}");
    let current = thread::current();
    let test = current.name().unwrap_or("a test");
    // Past the capture of libtest, so that the line is seen. Nobody is left to
    // tell when standard error is closed.
    let line = format!("SKIPPED {test}: needs {what}: {install_hint}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    false
}

/// Does a sanitizer watch this process? Such a one keeps freed memory, to see who
/// uses it, and takes more for what is in use.
pub fn sanitized() -> bool {
    cfg!(tsan) || std::env::var_os("ASAN_OPTIONS").is_some()
}

/// The memory that this process occupies, in bytes; `None` where the system does
/// not say.
pub fn resident_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes = line.split_whitespace().nth(1)?;
    Some(kilobytes.parse::<usize>().ok()? * 1024)
}

/// Where `program` is in the search path.
pub fn find_program(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Runs `test`; if it takes longer than `limit`, ends the whole process with a
/// message that says which threads there were. For catching hangs: `limit` is
/// generous, and no statement about speed.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// let answer = polyloop_tests::with_watchdog(Duration::from_secs(60), || 42);
/// assert_eq!(answer, 42);
/// ```
pub fn with_watchdog<T>(limit: Duration, test: impl FnOnce() -> T) -> T {
    let done = Arc::new(AtomicBool::new(false));
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let watched = done.clone();
    let watchdog = thread::Builder::new()
        .name("watchdog".into())
        .spawn(move || watch(&name, limit, &watched))
        .expect("a test machine has a thread to spare");
    let _end = EndWatch { done, watchdog };
    test()
}

/// Tells the watchdog that its test has ended, also by a panic.
struct EndWatch {
    done: Arc<AtomicBool>,
    watchdog: thread::JoinHandle<()>,
}

impl Drop for EndWatch {
    fn drop(&mut self) {
        self.done.store(true, SeqCst);
        self.watchdog.thread().unpark();
    }
}

fn watch(name: &str, limit: Duration, done: &AtomicBool) {
    let until = Instant::now() + limit;
    while !done.load(SeqCst) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            eprintln!(
                "{name} hangs: not done after {limit:?}. Threads: {}. For backtraces run it \
                 alone under `gdb --args` and say `thread apply all bt`.",
                thread_names().join(", ")
            );
            std::process::abort();
        }
        thread::park_timeout(left);
    }
}

/// The names of the process's threads, as the system knows them.
pub fn thread_names() -> Vec<String> {
    let comm = |task: PathBuf| std::fs::read_to_string(task.join("comm")).ok();
    let names = entries(Path::new("/proc/self/task"))
        .into_iter()
        .filter_map(comm);
    names.map(|name| name.trim().to_owned()).collect()
}

/// How many threads the process has; `None` where the system does not say.
pub fn thread_count() -> Option<usize> {
    Some(entries(Path::new("/proc/self/task")).len()).filter(|count| *count > 0)
}

/// How many file descriptors the process has open, less the one that counting
/// takes; `None` where the system does not say.
pub fn descriptor_count() -> Option<usize> {
    entries(Path::new("/proc/self/fd")).len().checked_sub(1)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries.flatten().map(|entry| entry.path()).collect()
}

/// Marsaglia's xorshift: numbers for stress tests, the same for the same seed.
///
/// # Examples
/// ```
/// use polyloop_tests::XorShift;
/// assert_eq!(XorShift::new(7).next(), XorShift::new(7).next());
/// assert!(XorShift::new(7).below(10) < 10);
/// ```
#[derive(Debug, Clone)]
pub struct XorShift(u64);

impl XorShift {
    /// Any seed will do.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number; never zero.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `bound`, which is above zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_present_program_is_found_and_an_absent_one_is_not() {
        assert!(require("cargo", "it runs this test"));
        assert!(find_program("no-such-program-anywhere").is_none());
    }

    #[test]
    fn the_watchdog_lets_a_panic_through() {
        let caught = std::panic::catch_unwind(|| {
            with_watchdog(Duration::from_secs(60), || panic!("mine"));
        });
        assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "mine");
    }

    #[test]
    fn threads_and_descriptors_are_counted() {
        let Some(before) = descriptor_count() else {
            return;
        };
        assert!(before >= 1 && thread_count().is_some_and(|count| count >= 1));
    }
}
