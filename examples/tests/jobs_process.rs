//! The life of the real process: how it refuses to start, how it ends, and what
//! is left when it is killed.

mod support;

use std::collections::HashSet;

use rusqlite::Connection;
use rustix::process::Signal;
use support::{Service, by_hand, command};

const TICKER: &str = "[[job]]\nname = \"tick\"\nevery = \"50ms\"\ncommand = [\"true\"]\n";

#[test]
fn a_wrong_file_is_refused_with_its_line() {
    for (config, reason) in [
        (
            "[[job]]\nname = \"a\"\nevery = \"0s\"\ncommand = \"true\"\n",
            "jobs.toml:3: every",
        ),
        (
            "[[job]]\nname = \"a\"\nevry = \"1s\"\ncommand = \"true\"\n",
            "jobs.toml:3: unknown field",
        ),
        ("[[job]\n", "jobs.toml:1: "),
        ("", "jobs.toml:1: no [[job]]"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("jobs.toml"), config).unwrap();
        let output = command(&folder)
            .args(["--listen", "127.0.0.1:0"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(reason), "{text} lacks {reason}");
        assert!(!folder.path().join("jobs.db").exists(), "nothing was begun");
    }
}

#[test]
fn wrong_arguments_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, code, reason) in [
        (vec!["--config", "nowhere.toml"], 2, "nowhere.toml"),
        (vec!["--listen", "0.0.0.0:0"], 2, "--allow-remote"),
        (vec!["--grace", "soon"], 2, "not a duration"),
        (vec!["--loops", "0"], 2, "--loops"),
        (
            vec!["--database", "/nowhere/jobs.db", "--listen", "127.0.0.1:0"],
            1,
            "/nowhere/jobs.db",
        ),
    ] {
        let output = command(&folder).args(&arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?} {text}");
        assert!(text.contains(reason), "{text} lacks {reason}");
    }
    let help = command(&folder).arg("--help").output().unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(help.status.success());
    for option in [
        "--config",
        "--listen",
        "--loops",
        "--database",
        "--grace",
        "--help",
    ] {
        assert!(text.contains(option), "{text}");
    }
}

#[test]
fn an_address_and_a_database_have_one_owner() {
    let service = Service::start(TICKER);
    let folder = tempfile::tempdir().unwrap();
    let address = service.address.to_string();
    let output = command(&folder)
        .args(["--listen", &address])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text.contains(&address) && text.contains("--listen"),
        "{text}"
    );

    let database = service.database();
    let database = database.to_str().unwrap();
    let arguments = ["--listen", "127.0.0.1:0", "--database", database];
    let output = command(&folder).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("another process is using it"), "{text}");
}

#[test]
fn the_embedded_jobs_run_without_any_file() {
    let service = Service::start_without_file();
    let status = service.until("/api/status", |status| {
        let jobs = status["jobs"].as_array().unwrap();
        jobs.iter().all(|job| {
            job["ended"]
                .as_object()
                .is_some_and(|ended| !ended.is_empty())
        })
    });
    for job in status["jobs"].as_array().unwrap() {
        let bad = ["timeout", "cancelled", "interrupted"];
        assert!(
            bad.iter().all(|word| job["ended"][word].is_null()),
            "{job:#}"
        );
        let may_fail = job["name"] == "coin toss";
        assert!(may_fail || job["ended"]["failed"].is_null(), "{job:#}");
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let config = [
        by_hand("quick", "overlap = \"allow\"\ncommand = [\"true\"]"),
        by_hand(
            "slow",
            "overlap = \"allow\"\ncommand = [\"sleep\", \"1000\"]",
        ),
        by_hand(
            "line",
            "overlap = \"queue\"\ncommand = [\"sleep\", \"1000\"]",
        ),
    ]
    .concat();
    let mut service = Service::start(&config);
    let mut acknowledged = HashSet::new();
    for _round in 0..3 {
        for job in ["quick", "slow", "line", "quick", "slow"] {
            acknowledged.insert(service.run_now(job));
        }
        // Killed right after the last answer, whatever is going on.
        service = service.kill_and_restart();
        let runs = service.get("/api/runs?limit=500").json();
        let runs = runs["runs"].as_array().unwrap();
        let kept: HashSet<i64> = runs.iter().map(|run| run["id"].as_i64().unwrap()).collect();
        assert!(acknowledged.is_subset(&kept), "{acknowledged:?} {kept:?}");
        for run in runs
            .iter()
            .filter(|run| acknowledged.contains(&run["id"].as_i64().unwrap()))
        {
            let expected = match run["job"].as_str().unwrap() {
                "quick" => ["ok", "interrupted"],
                _ => ["interrupted", "interrupted"],
            };
            assert!(
                expected.contains(&run["status"].as_str().unwrap()),
                "{run:#}"
            );
        }
        assert!(
            service.get("/api/status").json()["interrupted"]
                .as_u64()
                .unwrap()
                >= 3
        );
    }
}

#[test]
fn ctrl_c_lets_runs_finish_and_reports() {
    let config = by_hand("work", "command = \"echo begun; sleep 1; echo done\"") + TICKER;
    let service = Service::start(&config);
    let id = service.until("/api/runs?job=work", |runs| {
        runs["runs"][0]["status"] == "running"
    })["runs"][0]["id"]
        .as_i64()
        .unwrap();
    service.interrupt();
    let (ended, folder) = service.ended();
    assert!(ended.status.success(), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("jobs: ended after"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.lines().count() <= 24, "one screen");
    let rows = Connection::open(folder.path().join("jobs.db")).unwrap();
    let (status, output): (String, String) = rows
        .query_row(
            "SELECT status, output FROM runs WHERE id = ?1",
            [id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!((status.as_str(), output.as_str()), ("ok", "begun\ndone\n"));
    let open: i64 = rows
        .query_row(
            "SELECT count(*) FROM runs WHERE finished_ms IS NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(open, 0, "every run has its end");
}

#[test]
fn after_the_grace_period_runs_are_cancelled_and_written_down() {
    let config = [
        by_hand(
            "deaf",
            "command = \"trap '' TERM; while :; do sleep 0.1; done\"",
        ),
        by_hand(
            "line",
            "overlap = \"queue\"\ncommand = [\"sleep\", \"1000\"]",
        ),
    ]
    .concat();
    let service = Service::start_with(&config, &["--grace", "100ms"]);
    service.until("/api/status", |status| status["jobs"][1]["running"] == 1);
    let waiting = service.run_now("line");
    service.signal(Signal::TERM);
    let (ended, folder) = service.ended();
    assert!(ended.status.success(), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("2 cancelled at the end of the grace"),
        "{}",
        ended.stdout
    );
    let rows = Connection::open(folder.path().join("jobs.db")).unwrap();
    let mut statement = rows.prepare("SELECT id, status FROM runs").unwrap();
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    let rows: Vec<(i64, String)> = rows.collect::<Result<_, _>>().unwrap();
    assert_eq!(rows.len(), 3);
    assert!(
        rows.iter().all(|(_, status)| status == "cancelled"),
        "{rows:?}"
    );
    assert!(rows.iter().any(|(id, _)| *id == waiting));
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let config = by_hand(
        "deaf",
        "command = \"trap '' TERM INT; while :; do sleep 0.1; done\"",
    );
    let service = Service::start_with(&config, &["--grace", "1h"]);
    service.until("/api/status", |status| status["jobs"][0]["running"] == 1);
    service.interrupt();
    service.until_closed();
    service.interrupt();
    let (ended, _folder) = service.ended();
    assert_eq!(ended.status.code(), Some(130));
    assert!(ended.stderr.contains("ended at once"), "{}", ended.stderr);
}

#[test]
fn starts_keep_their_period_however_long_runs_take() {
    let config = "[[job]]\nname = \"long\"\nevery = \"100ms\"\noverlap = \"allow\"\n\
                  command = [\"sleep\", \"0.35\"]\n";
    let service = Service::start(config);
    service.until("/api/runs?limit=500", |runs| {
        runs["runs"].as_array().unwrap().len() >= 20
    });
    service.interrupt();
    let (_, folder) = service.ended();
    let rows = Connection::open(folder.path().join("jobs.db")).unwrap();
    let mut statement = rows
        .prepare("SELECT due_ms FROM runs ORDER BY due_ms")
        .unwrap();
    let due: Vec<i64> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    // Due times are whole periods apart; a machine that stood still may have missed some.
    for pair in due.windows(2) {
        assert!(
            pair[1] > pair[0] && (pair[1] - pair[0]) % 100 == 0,
            "{due:?}"
        );
    }
    // They overlapped: one after the other, they would have had 350 ms each.
    let periods = (due[due.len() - 1] - due[0]) / 100;
    assert!(i64::try_from(due.len()).unwrap() > periods / 2, "{due:?}");
}
