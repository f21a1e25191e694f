use super::*;

/// A job that is right, to which tests add what is wrong.
const GOOD: &str = "[[job]]\nname = \"a\"\nevery = \"10s\"\ncommand = \"true\"\n";

fn refused(text: &str) -> (usize, String) {
    let error = Config::parse(text, "jobs.toml").expect_err(text);
    (error.line().expect("a line"), error.to_string())
}

#[test]
fn the_embedded_file_has_every_kind_of_job_and_of_overlap() {
    let config = Config::embedded();
    for kind in ["command", "http", "digest", "sql"] {
        assert!(
            config.jobs.iter().any(|job| job.action.kind() == kind),
            "{kind}"
        );
    }
    for overlap in ["allow", "skip", "queue"] {
        assert!(
            config
                .jobs
                .iter()
                .any(|job| job.overlap.as_str() == overlap),
            "{overlap}"
        );
    }
    for job in &config.jobs {
        let seconds = job.every.as_secs();
        assert!(
            (2..=15).contains(&seconds),
            "{} shows itself within seconds",
            job.name
        );
    }
}

#[test]
fn what_is_left_out_has_a_default() {
    let config = Config::parse(GOOD, "x").unwrap();
    assert_eq!(config.history, 500);
    let job = &config.jobs[0];
    assert_eq!(
        job.action,
        Action::Command(vec!["/bin/sh".into(), "-c".into(), "true".into()])
    );
    assert_eq!(
        (job.timeout, job.overlap),
        (Duration::from_secs(60), Overlap::Skip)
    );
    assert_eq!(job.rhythm(), "every 10s, timeout 1m, overlap skip");
    assert_eq!(job.action.to_string(), "true");
}

#[test]
fn actions_are_read_in_all_their_forms() {
    let text = r#"
        history = 7
        [[job]]
        name = "list"
        every = "1s"
        command = ["echo", "two words", ""]
        [[job]]
        name = "own"
        every = "1s"
        http = "/metrics?x=1"
        [[job]]
        name = "v6"
        every = "1s"
        http = "http://[::1]:81"
        [[job]]
        name = "one digest"
        every = "1s"
        digest = "/etc/*"
        overlap = "queue"
        queue_limit = 3
        [[job]]
        name = "sql"
        every = "1s"
        sql = "SELECT 1"
        database = "x.db"
    "#;
    let config = Config::parse(text, "x").unwrap();
    let actions: Vec<_> = config.jobs.iter().map(|job| job.action.clone()).collect();
    assert_eq!(config.history, 7);
    assert_eq!(
        actions[0],
        Action::Command(vec!["echo".into(), "two words".into(), "".into()])
    );
    assert_eq!(
        actions[1],
        Action::Http(Probe::Own {
            path: "/metrics?x=1".into()
        })
    );
    let v6 = Probe::Elsewhere {
        authority: "[::1]:81".into(),
        host: "::1".into(),
        port: 81,
        path: "/".into(),
    };
    assert_eq!(actions[2], Action::Http(v6));
    assert_eq!(actions[3], Action::Digest(vec!["/etc/*".into()]));
    assert_eq!(config.jobs[3].overlap, Overlap::Queue { limit: 3 });
    let sql = Action::Sql {
        query: "SELECT 1".into(),
        database: Some("x.db".into()),
    };
    assert_eq!(actions[4], sql);
}

#[test]
fn mistakes_in_a_value_name_their_line_and_their_reason() {
    for (line, reason) in [
        ("every = \"0s\"", "every = \"0s\" must be from 10ms to 366d"),
        ("every = \"500d\"", "must be from 10ms to 366d"),
        ("every = \"10\"", "every: \"10\" is not a duration"),
        ("every = 10", "invalid type"),
        ("timeout = \"0s\"", "timeout = \"0s\" must be"),
        (
            "overlap = \"wait\"",
            "overlap is \"allow\", \"skip\" or \"queue\", not \"wait\"",
        ),
        ("queue_limit = 3", "queue_limit needs overlap"),
        ("name = \"\"", "a name has 1 to 64"),
        ("name = \"a/b\"", "a name has no '/'"),
        ("name = \"a\\nb\"", "no control character"),
        ("command = []", "command is empty"),
        ("command = [\"\"]", "command is empty"),
        ("command = \" \"", "command is empty"),
        ("command = [\"a\", 1]", "a string or a list of strings"),
        ("command = \"a\\u0000\"", "NUL"),
        ("http = \"https://localhost/\"", "https:// is not supported"),
        ("http = \"ftp://localhost/\"", "http is a URL such as"),
        ("http = \"http://\"", "is not a URL"),
        ("http = \"http://me:pw@localhost/\"", "user name"),
        ("digest = 3", "digest must be a string"),
        ("digest = \"/etc/[a\"", "is not a pattern"),
        ("sql = [\"a\"]", "sql must be a string"),
        ("evry = \"10s\"", "unknown field `evry`"),
        ("database = \"x\"", "database goes with sql only"),
    ] {
        let key = line.split(' ').next().unwrap();
        let is_action = ["http", "digest", "sql"].contains(&key);
        let rest = |skip: &str| {
            GOOD.lines()
                .filter(|l| !(l.starts_with(skip) || is_action && l.starts_with("command")))
                .map(|l| format!("{l}\n"))
                .collect::<String>()
        };
        let text = format!("# a comment\n{}{line}\n", rest(key));
        let (at, message) = refused(&text);
        assert_eq!(at, text.lines().count(), "{message}");
        assert!(message.contains(reason), "{message} lacks {reason}");
        assert!(
            message.starts_with(&format!("jobs.toml:{at}: ")),
            "{message}"
        );
    }
}

#[test]
fn mistakes_of_the_whole_name_a_line_too() {
    let twice = format!("{GOOD}\n{GOOD}");
    assert_eq!(refused(&twice).0, 7);
    assert!(refused(&twice).1.contains("already a job named \"a\""));

    let two_actions = format!("{GOOD}sql = \"SELECT 1\"\n");
    assert_eq!(refused(&two_actions).0, 5);
    assert!(refused(&two_actions).1.contains("both command and sql"));

    let no_action = "\n[[job]]\nname = \"a\"\nevery = \"1s\"\n";
    assert_eq!(refused(no_action).0, 2);
    assert!(refused(no_action).1.contains("has no action"));

    let no_period = "\n[[job]]\nname = \"a\"\ncommand = \"true\"\n";
    assert_eq!(refused(no_period).0, 2);
    assert!(refused(no_period).1.contains("missing field `every`"));

    assert!(refused("").1.contains("no [[job]]"));
    assert_eq!(refused("a = \n").0, 1);
    assert!(
        refused("history = 0\n")
            .1
            .contains("history must be from 1")
    );
    assert_eq!(refused(&format!("history = -1\n{GOOD}")).0, 1);
    assert_eq!(
        refused(&format!("{GOOD}every = \"1s\"\n")).0,
        5,
        "a key given twice"
    );
}

#[test]
fn a_file_that_is_not_there_is_an_error_without_a_line() {
    let error = Config::load(Path::new("/nowhere/jobs.toml")).unwrap_err();
    assert_eq!(error.line(), None);
    assert!(
        error.to_string().starts_with("/nowhere/jobs.toml: "),
        "{error}"
    );
}
