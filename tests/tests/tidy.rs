//! The source tree keeps its own rules: sizes, `unsafe` in few files, no stubs,
//! shared lints, reasons for dependencies, no words that do not belong here.
#![forbid(unsafe_code)]

use polyloop_tests::tidy::{
    SourceFile, Words, bare_ignores, forbidden_words, inherits_lints, long_functions, rust_files,
    stubs, text_files, uncommented_dependencies, uses_unsafe,
};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;

/// The files whose code may say `unsafe`: the task cell and its lists, the
/// mailbox, what calls into them, the wait queue's pinned nodes, hints to the
/// processor, the bridge's one-allocation results and its table of blocked
/// threads, and the mistakes that the sanitizers have to find.
const UNSAFE_FILES: &[&str] = &[
    "benches/src/peers/assume_send.rs",
    "bridge/src/blocked/graph.rs",
    "bridge/src/channel/oneshot.rs",
    "bridge/src/channel/list.rs",
    "bridge/src/channel/ring.rs",
    "bridge/src/executor/job.rs",
    "bridge/src/executor/offloaded.rs",
    "bridge/src/outcome.rs",
    "runtime/src/sync/lock.rs",
    "bridge/src/sync/lock.rs",
    "bridge/src/sync/rwlock.rs",
    "bridge/src/submit/submission.rs",
    "bridge/src/submit/told.rs",
    "runtime/src/compat/hyper.rs",
    "runtime/src/event_loop/context.rs",
    "runtime/src/event_loop/core.rs",
    "runtime/src/event_loop/home.rs",
    "runtime/src/event_loop/mod.rs",
    "runtime/src/event_loop/shutdown.rs",
    "runtime/src/remote/handle.rs",
    "runtime/src/remote/mailbox.rs",
    "runtime/src/remote/submit.rs",
    "runtime/src/signal/mod.rs",
    "runtime/src/sync/future/owned.rs",
    "runtime/src/sync/wait_queue.rs",
    "runtime/src/task/beside.rs",
    "runtime/src/task/cell.rs",
    "runtime/src/task/handle.rs",
    "runtime/src/task/mod.rs",
    "runtime/src/task/raw.rs",
    "runtime/src/task/recycle.rs",
    "runtime/src/task/run.rs",
    "runtime/src/task/waker.rs",
    "runtime/src/util/prefetch.rs",
    "runtime/src/util/returns.rs",
    "tests/src/bin/planted.rs",
];

/// Hosts that an address in the tree may name: this machine, names reserved
/// for examples, standards, and the index that `Cargo.lock` records.
const HOSTS: &[&str] = &[
    "",
    "127.0.0.1",
    "apache.org",
    "choosealicense.com",
    "docs.rs",
    ".example",
    "elsewhere.invalid",
    "example.com",
    "github.com",
    "keepachangelog.com",
    "localhost",
    "rust-lang.org",
    "semver.org",
    "www.apache.org",
    "www.w3.org",
];

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    check(rust_files(), |file| {
        let lines = file.text.lines().count();
        let long = lines > FILE_LINES;
        long.then(|| format!("{lines} lines, more than {FILE_LINES}"))
    });
}

#[test]
fn no_function_is_longer_than_a_screen_or_two() {
    check(rust_files(), |file| {
        let long = long_functions(&file.text, FUNCTION_LINES);
        let long = long.into_iter().map(|(line, name, length)| {
            format!("line {line}: `{name}` has {length} lines, more than {FUNCTION_LINES}")
        });
        long.collect::<Vec<_>>()
    });
}

#[test]
fn unsafe_stands_in_the_listed_files_only() {
    check(rust_files(), |file| {
        // Models and unit tests that drive unsafe code may use it.
        let of_tests = file.path.ends_with("_tests.rs") || file.path.ends_with("/tests.rs");
        let listed = of_tests || UNSAFE_FILES.contains(&file.path.as_str());
        (!listed && uses_unsafe(&file.text)).then(|| "has `unsafe` and is not listed".to_owned())
    });
}

#[test]
fn no_stub_and_no_ignored_test_is_left() {
    check(rust_files(), |file| {
        let stubs = stubs(&file.text);
        let stubs = stubs
            .into_iter()
            .map(|(line, name)| format!("line {line}: `{name}!`"));
        let ignored = bare_ignores(&file.text);
        let ignored = ignored
            .into_iter()
            .map(|line| format!("line {line}: an ignored test; use `require` and return"));
        stubs.chain(ignored).collect::<Vec<_>>()
    });
}

#[test]
fn every_member_takes_the_shared_lints() {
    check(manifests(), |file| {
        (!inherits_lints(&file.text)).then(|| "lacks `[lints] workspace = true`".to_owned())
    });
}

#[test]
fn every_dependency_says_why_it_is_there() {
    check(manifests(), |file| {
        let bare = uncommented_dependencies(&file.text, &["polyloop", "polyloop-bridge"]);
        let bare = bare.into_iter().map(|(line, text)| {
            format!("line {line}: `{text}` has no comment above it that says why")
        });
        bare.collect::<Vec<_>>()
    });
}

#[test]
fn no_word_of_a_workplace_is_left() {
    // Put together here, so that this file passes its own check.
    let word = |parts: &[&str]| parts.concat();
    let words = Words {
        never: vec![
            word(&["/wo", "rk/"]),
            word(&["ses", "sion"]),
            word(&["/ro", "ot/"]),
            word(&["/ho", "me/"]),
        ],
        hosts: HOSTS.to_vec(),
    };
    check(text_files(), |file| {
        let found = forbidden_words(&file.text, &words);
        let found = found
            .into_iter()
            .map(|(line, word)| format!("line {line}: \"{word}\" does not belong here"));
        found.collect::<Vec<_>>()
    });
}

/// The members' manifests.
fn manifests() -> Vec<SourceFile> {
    let mut files = text_files();
    files.retain(|file| file.path.ends_with("/Cargo.toml"));
    files
}

/// Fails with every complaint about every file.
fn check<C: IntoIterator<Item = String>>(
    files: Vec<SourceFile>,
    complain: impl Fn(&SourceFile) -> C,
) {
    assert!(!files.is_empty(), "the tree was not found");
    let complaints: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let complaints = complain(file).into_iter();
            complaints.map(|complaint| format!("{}: {complaint}", file.path))
        })
        .collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
