//! The one command, run as a user does, without the peers' crates; and its page in a real
//! browser.
#![forbid(unsafe_code)]

#[path = "../../examples/tests/support/browser.rs"]
mod browser;

use browser::Browser;
use polyloop_tests::with_watchdog;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

/// A few scenarios of every kind: with and without distributions, with clients,
/// with a limit, and those that the scaling plot is made of.
const SCENARIOS: [&str; 5] = ["yield-1", "submit-warm", "tcp-64-64", "cores-1", "cores-2"];

fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench-all"));
    command.args(arguments).output().expect("the bench starts")
}

/// A quick run into a folder; what it printed.
fn quick_run(folder: &Path) -> String {
    let mut arguments = vec!["--quick", "--rounds", "1", "--runtime", "polyloop"];
    arguments.extend(["--runtime", "limit", "--out"]);
    arguments.push(folder.to_str().expect("a plain name"));
    for name in SCENARIOS {
        arguments.extend(["--scenario", name]);
    }
    let output = bench(&arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_run_ends_in_a_table_and_a_file_of_figures_and_a_page_with_plots() {
    with_watchdog(Duration::from_secs(300), || {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let table = quick_run(folder.path());
        let csv = std::fs::read_to_string(folder.path().join("results.csv")).expect("written");
        for name in SCENARIOS {
            assert!(table.contains(&format!("\n{name}: ")), "{name}: {table}");
            let line = format!("\n{name},");
            assert!(csv.contains(&line), "{name}: {csv}");
        }
        assert!(!csv.contains("failed"), "{csv}");
        let Some(mut page) = Browser::start() else {
            return;
        };
        let file = folder.path().join("report.html");
        for scheme in ["light", "dark"] {
            look_at(&mut page, &file, scheme);
        }
        assert!(page.complaints.is_empty(), "{:?}", page.complaints);
    });
}

fn look_at(page: &mut Browser, file: &Path, scheme: &str) {
    page.emulate(1280, 900, scheme);
    page.go(&format!("file://{}", file.display()));
    page.until("document.readyState === 'complete'");
    let count = |page: &mut Browser, what: &str| {
        let found = page.value(&format!("document.querySelectorAll({what:?}).length"));
        found.as_u64().expect("a number")
    };
    for name in SCENARIOS {
        let bars = count(page, &format!("#{name} svg.bars rect.own"));
        assert!(bars >= 1, "no bar for {name}");
    }
    assert!(count(page, "#submit-warm svg.bars rect.limit") >= 1);
    assert_eq!(count(page, "#submit-warm svg.curves polyline"), 3);
    assert_eq!(count(page, "#scaling svg.curves polyline"), 1);
    // Bars have a length, and text can be told from what is behind it.
    let narrow = "[...document.querySelectorAll('svg.bars rect')].filter(r => !(r.getBBox().width > 0)).length";
    assert_eq!(page.value(narrow), 0);
    let light = |page: &mut Browser, element: &str, property: &str| {
        let colour = format!("getComputedStyle(document.querySelector({element:?})).{property}");
        let channels = format!("{colour}.match(/[0-9]+/g).slice(0, 3).reduce((a, b) => a + +b, 0)");
        page.value(&channels).as_u64().expect("a number")
    };
    let (ink, back) = (
        light(page, "svg text", "fill"),
        light(page, "body", "backgroundColor"),
    );
    assert!(ink.abs_diff(back) > 300, "{scheme}: {ink} on {back}");
    assert_eq!(back > 380, scheme == "light", "{scheme}: {back}");
}

#[test]
fn what_is_not_known_is_said() {
    let output = bench(&["--scenario", "no-such-scenario"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--list"));
}

#[test]
fn the_list_names_scenarios_and_runtimes() {
    let output = bench(&["--list"]);
    let list = String::from_utf8_lossy(&output.stdout);
    assert!(list.contains("\nyield-1000 ") && list.starts_with("polyloop "));
}

#[test]
fn what_python_serves_comes_back_whole_or_a_reason_is_shown() {
    with_watchdog(Duration::from_secs(300), || {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut arguments = vec!["--quick", "--rounds", "1", "--runtime", "asyncio"];
        arguments.extend(["--runtime", "uvloop", "--scenario", "udp"]);
        arguments.extend(["--scenario", "tcp-64-16k", "--out"]);
        arguments.push(folder.path().to_str().expect("a plain name"));
        let output = bench(&arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let csv = std::fs::read_to_string(folder.path().join("results.csv")).expect("written");
        let lines: Vec<&str> = csv.lines().collect();
        for scenario in ["tcp-64-16k", "udp"] {
            for peer in ["asyncio", "uvloop"] {
                let figure = |line: &&&str| {
                    line.starts_with(scenario) && line.contains(&format!(",{peer},0,"))
                };
                let figures = lines.iter().filter(figure).count();
                let reason = format!("{scenario},,{peer},,,\"");
                let reason = lines.iter().find(|line| line.starts_with(&reason));
                match reason {
                    Some(reason) => assert!(!reason.contains("failed with"), "{reason}"),
                    None => assert_eq!(figures, 4, "{csv}"),
                }
            }
        }
    });
}
