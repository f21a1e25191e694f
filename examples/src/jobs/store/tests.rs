use super::*;

fn new_run(job: &str, status: Status) -> NewRun {
    NewRun {
        job: job.to_owned(),
        trigger: Trigger::Schedule,
        due_ms: 1_000,
        started_ms: 1_001,
        status,
        loop_index: Some(2),
        output: String::new(),
    }
}

fn outcome(status: Status, code: Option<i64>) -> Outcome {
    Outcome {
        status,
        code,
        output: "said <b>so</b>\n".to_owned(),
    }
}

#[test]
fn a_run_is_read_back_as_it_was_written() {
    let store = Store::open(Path::new(":memory:"), 10).unwrap();
    let id = store.insert(&new_run("a \"b\"", Status::Running)).unwrap();
    store
        .finish(id, 1_500, &outcome(Status::Failed, Some(3)))
        .unwrap();
    let run = store.run(id).unwrap().unwrap();
    assert_eq!(
        run,
        Run {
            id,
            job: "a \"b\"".into(),
            trigger: Trigger::Schedule,
            due_ms: 1_000,
            started_ms: 1_001,
            finished_ms: Some(1_500),
            status: Status::Failed,
            code: Some(3),
            loop_index: Some(2),
            output: "said <b>so</b>\n".into(),
        }
    );
    assert_eq!(store.run(id + 1).unwrap(), None);
}

#[test]
fn a_queued_run_starts_later_and_ends_once() {
    let store = Store::open(Path::new(":memory:"), 10).unwrap();
    let queued = NewRun {
        loop_index: None,
        ..new_run("a", Status::Queued)
    };
    let id = store.insert(&queued).unwrap();
    store.start(id, 2_000, 1).unwrap();
    let run = store.run(id).unwrap().unwrap();
    assert_eq!(
        (run.status, run.started_ms, run.loop_index),
        (Status::Running, 2_000, Some(1))
    );
    store
        .finish(id, 3_000, &outcome(Status::Cancelled, None))
        .unwrap();
    store
        .finish(id, 4_000, &outcome(Status::Ok, Some(0)))
        .unwrap();
    let run = store.run(id).unwrap().unwrap();
    assert_eq!(
        (run.status, run.finished_ms),
        (Status::Cancelled, Some(3_000))
    );
}

#[test]
fn a_skipped_run_is_over_at_once() {
    let store = Store::open(Path::new(":memory:"), 10).unwrap();
    let id = store.insert(&new_run("a", Status::Skipped)).unwrap();
    assert_eq!(store.run(id).unwrap().unwrap().finished_ms, Some(1_001));
}

#[test]
fn history_is_bounded_per_job_and_never_drops_what_is_under_way() {
    let store = Store::open(Path::new(":memory:"), 3).unwrap();
    let under_way = store.insert(&new_run("a", Status::Running)).unwrap();
    for _ in 0..5 {
        let id = store.insert(&new_run("a", Status::Running)).unwrap();
        store
            .finish(id, 2_000, &outcome(Status::Ok, Some(0)))
            .unwrap();
        store.insert(&new_run("b", Status::Skipped)).unwrap();
    }
    let of = |job| {
        store
            .runs(Some(job), 100)
            .unwrap()
            .iter()
            .map(|r| r.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("a"), [10, 8, 6, under_way]);
    assert_eq!(of("b"), [11, 9, 7]);
    assert_eq!(
        store
            .runs(None, 2)
            .unwrap()
            .iter()
            .map(|r| r.id)
            .collect::<Vec<_>>(),
        [11, 10]
    );
}

#[test]
fn what_a_killed_process_left_is_interrupted_and_ids_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let store = Store::open(&path, 10).unwrap();
    assert_eq!(store.interrupted(), 0);
    let running = store.insert(&new_run("a", Status::Running)).unwrap();
    let queued = store.insert(&new_run("a", Status::Queued)).unwrap();
    let over = store.insert(&new_run("a", Status::Running)).unwrap();
    store
        .finish(over, 2_000, &outcome(Status::Ok, None))
        .unwrap();
    drop(store);

    let store = Store::open(&path, 10).unwrap();
    assert_eq!(store.interrupted(), 2);
    for id in [running, queued] {
        let run = store.run(id).unwrap().unwrap();
        assert_eq!(
            (run.status, run.finished_ms),
            (Status::Interrupted, Some(1_001))
        );
        assert!(run.output.contains("was killed"), "{}", run.output);
    }
    assert_eq!(store.run(over).unwrap().unwrap().status, Status::Ok);
    assert!(store.insert(&new_run("a", Status::Running)).unwrap() > over);
}

#[test]
fn a_database_has_one_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let first = Store::open(&path, 10).unwrap();
    let second = Store::open(&path, 10).err().expect("refused");
    assert!(
        second.to_string().contains("another process is using it"),
        "{second}"
    );
    drop(first);
    assert!(Store::open(&path, 10).is_ok());
}

#[test]
fn a_newer_or_a_foreign_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let newer = folder.path().join("newer.db");
    let connection = Connection::open(&newer).unwrap();
    connection
        .pragma_update(None, "user_version", schema::VERSION + 1)
        .unwrap();
    drop(connection);
    let error = Store::open(&newer, 10).err().expect("refused");
    assert!(error.to_string().contains("schema version 2"), "{error}");

    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE x (y)")
        .unwrap();
    let error = Store::open(&foreign, 10).err().expect("refused");
    assert!(error.to_string().contains("something else"), "{error}");

    let text = folder.path().join("text.db");
    std::fs::write(
        &text,
        "not a database, but long enough to look at\n".repeat(40),
    )
    .unwrap();
    assert!(Store::open(&text, 10).is_err());
    assert!(Store::open(Path::new("/nowhere/jobs.db"), 10).is_err());
}

#[test]
fn readers_of_other_processes_see_committed_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let store = Store::open(&path, 10).unwrap();
    let id = store.insert(&new_run("a", Status::Running)).unwrap();
    let reader = Connection::open(&path).unwrap();
    let seen: i64 = reader
        .query_row("SELECT max(id) FROM runs", [], |row| row.get(0))
        .unwrap();
    assert_eq!(seen, id);
}
