//! The API of the real process: every route, and what it refuses.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use support::{Service, WATCHDOG, by_hand};

fn quiet_config() -> String {
    [
        by_hand(
            "greet",
            "command = \"echo hello; echo '<b>&'; exit $(cat code)\"",
        ),
        by_hand("a \\\"b\\\"", "command = \"true\""),
        by_hand("sleep", "command = \"echo begun; sleep 1000\""),
        by_hand(
            "line",
            "overlap = \"queue\"\nqueue_limit = 1\ncommand = \"sleep 1000\"",
        ),
        by_hand(
            "short",
            "timeout = \"200ms\"\ncommand = \"echo begun; sleep 1000\"",
        ),
        by_hand("self", "http = \"/api/jobs\""),
        by_hand("missing", "http = \"/nothing\""),
        by_hand("closed", "http = \"http://127.0.0.1:1/\""),
        by_hand("sums", "digest = [\"*.toml\", \"/bin/sh\"]"),
        by_hand("gone", "digest = \"/nowhere\""),
        by_hand("count", "sql = \"SELECT count(*) > 0 AS some FROM runs\""),
        by_hand("write", "sql = \"DELETE FROM runs\""),
    ]
    .concat()
}

/// Every job starts once by itself, at the beginning: those runs are over, or
/// cancelled, when this returns.
fn service() -> Service {
    let service = Service::start(&quiet_config());
    for job in service.get("/api/jobs").json()["jobs"].as_array().unwrap() {
        let name = job["name"]
            .as_str()
            .unwrap()
            .replace(' ', "%20")
            .replace('"', "%22");
        let runs = service.until(&format!("/api/runs?job={name}"), |runs| {
            runs["runs"].as_array().is_some_and(|runs| !runs.is_empty())
        });
        let id = runs["runs"][0]["id"].as_i64().unwrap();
        if ["sleep", "line"].contains(&name.as_str()) {
            assert_eq!(service.delete(&format!("/api/runs/{id}")).status, 202);
        }
        service.ended_run(id);
    }
    service
}

#[test]
fn actions_of_every_kind_run_and_tell_what_they_found() {
    let service = service();
    std::fs::write(service.path("code"), "3").unwrap();
    for (job, status, code, output) in [
        ("greet", "failed", Some(3), "hello\n<b>&\n"),
        ("a%20%22b%22", "ok", Some(0), ""),
        ("short", "timeout", None, "begun\nstopped after 200ms\n"),
        ("self", "ok", Some(200), "\"jobs\""),
        ("missing", "failed", Some(404), "nothing at this path"),
        ("closed", "failed", None, "refused"),
        ("sums", "ok", None, "  jobs.toml\n"),
        ("gone", "failed", None, "no such file"),
        ("count", "ok", None, "some\n1\n"),
        ("write", "failed", None, "readonly"),
    ] {
        let id = service.run_now(job);
        let run = service.ended_run(id);
        assert_eq!(run["status"], status, "{run:#}");
        assert_eq!(run["code"].as_i64(), code, "{run:#}");
        assert!(run["output"].as_str().unwrap().contains(output), "{run:#}");
        assert_eq!(run["trigger"], "manual");
        assert!(run["loop_index"].as_u64().unwrap() < 2);
        assert!(run["finished_ms"].as_i64() >= run["started_ms"].as_i64());
    }
}

#[test]
fn runs_are_listed_newest_first_and_by_job() {
    let service = service();
    let first = service.run_now("count");
    service.ended_run(first);
    let second = service.run_now("count");
    service.ended_run(second);
    let runs = service.get("/api/runs?job=count&limit=2").json();
    let ids: Vec<i64> = runs["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["id"].as_i64().unwrap())
        .collect();
    assert_eq!(ids, [second, first]);
    assert_eq!(
        service.get("/api/runs?limit=1").json()["runs"][0]["id"],
        second
    );
    assert_eq!(service.get("/api/runs?job=nobody").status, 404);

    let jobs = service.get("/api/jobs").json();
    let job = &jobs["jobs"][10];
    assert_eq!(job["name"], "count");
    assert_eq!(
        (&job["kind"], &job["overlap"]),
        (&"sql".into(), &"skip".into())
    );
    assert_eq!(job["every_ms"], 86_400_000);
    assert_eq!(job["ended"]["ok"], 3);
    assert!(job["next_ms"].as_i64().unwrap() > second);
}

#[test]
fn a_run_is_cancelled_once_and_its_output_is_kept() {
    let service = service();
    let id = service.run_now("sleep");
    assert_eq!(
        service.post("/api/jobs/sleep/run").status,
        409,
        "overlap is skip"
    );
    assert_eq!(service.get("/api/status").json()["jobs"][2]["running"], 1);
    let pid = service.until("/api/status", |_| children(service.pid()) > 0);
    assert!(pid.is_object());
    let answer = service.delete(&format!("/api/runs/{id}"));
    assert_eq!(
        (answer.status, answer.json()["status"].as_str()),
        (202, Some("cancelling"))
    );
    let run = service.ended_run(id);
    assert_eq!(run["status"], "cancelled");
    assert!(
        run["output"]
            .as_str()
            .unwrap()
            .ends_with("stopped on request\n"),
        "{run:#}"
    );
    service.until("/api/status", |_| children(service.pid()) == 0);
    let again = service.delete(&format!("/api/runs/{id}"));
    assert_eq!(again.status, 409);
    assert!(
        again.json()["error"]
            .as_str()
            .unwrap()
            .contains("cancelled")
    );
}

/// Processes whose parent is `pid`, zombies among them.
fn children(pid: u32) -> usize {
    let folders = std::fs::read_dir("/proc").unwrap().flatten();
    folders
        .filter_map(|folder| std::fs::read_to_string(folder.path().join("stat")).ok())
        .filter(|stat| {
            let after_name = stat.rsplit(") ").next().unwrap_or("");
            after_name.split(' ').nth(1) == Some(&pid.to_string())
        })
        .count()
}

#[test]
fn queued_runs_wait_for_their_turn_and_can_be_cancelled() {
    let service = service();
    let first = service.run_now("line");
    let waiting = service.run_now("line");
    assert_eq!(
        service.get(&format!("/api/runs/{waiting}")).json()["status"],
        "queued"
    );
    let full = service.post("/api/jobs/line/run");
    assert_eq!(full.status, 409);
    assert!(full.json()["error"].as_str().unwrap().contains("queue"));
    service.delete(&format!("/api/runs/{waiting}"));
    assert_eq!(service.ended_run(waiting)["status"], "cancelled");

    let next = service.run_now("line");
    service.delete(&format!("/api/runs/{first}"));
    service.ended_run(first);
    service.until(&format!("/api/runs/{next}"), |run| {
        run["status"] == "running"
    });
    service.delete(&format!("/api/runs/{next}"));
    assert_eq!(service.ended_run(next)["status"], "cancelled");
}

#[test]
fn wrong_requests_are_refused_with_a_reason() {
    let service = service();
    for (method, path, status) in [
        ("GET", "/nothing", 404),
        ("GET", "/api/runs/987654321", 404),
        ("DELETE", "/api/runs/987654321", 404),
        ("POST", "/api/jobs/nobody/run", 404),
        ("GET", "/api/runs?limit=many", 400),
        ("GET", "/api/runs/first", 400),
        ("POST", "/metrics", 405),
        ("GET", "/api/jobs/greet/run", 405),
        ("PATCH", "/api/runs/1", 405),
    ] {
        let answer = service.request(method, path, &[], "");
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(!answer.json()["error"].as_str().unwrap().is_empty());
        assert_eq!(
            answer.header("allow").is_some(),
            status == 405,
            "{}",
            answer.head
        );
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    assert_eq!(service.raw("what?\r\n\r\n").status, 400);
}

#[test]
fn bodies_and_heads_are_bounded() {
    let service = service();
    let small = service.request("POST", "/api/jobs/count/run", &[], "{}");
    assert_eq!(small.status, 202);
    let large = "x".repeat(17 * 1024);
    let answer = service.request("POST", "/api/jobs/count/run", &[], &large);
    assert_eq!(answer.status, 413);
    assert!(answer.json()["error"].as_str().unwrap().contains("16384"));
    // Without a length it is noticed while it comes.
    let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let head = format!(
        "POST /api/jobs/count/run HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
        service.address
    );
    assert_eq!(service.raw(&format!("{head}{chunk}")).status, 413);
    let header = format!("X-Long: {}", "x".repeat(64 * 1024));
    assert_eq!(service.request("GET", "/", &[&header], "").status, 431);
    let many: Vec<String> = (0..100).map(|n| format!("X-{n}: 1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(service.request("GET", "/", &many, "").status, 431);
    let path = format!("/{}", "x".repeat(70 * 1024));
    assert!([414, 431].contains(&service.get(&path).status));
}

#[test]
fn a_head_that_does_not_come_is_not_waited_for() {
    let service = service();
    // It is never finished; the service ends the connection by itself.
    let answer = service.raw("GET / HTTP/1.1\r\nX-Slow: ");
    assert!([0, 408].contains(&answer.status), "{}", answer.head);
}

#[test]
fn only_the_services_own_names_and_pages_get_in() {
    let service = service();
    let port = service.address.port();
    let before = service.get("/api/runs?job=count").json();
    for (headers, status) in [
        (vec!["Host: evil.example".to_owned()], 421),
        (vec![format!("Host: evil.example:{port}")], 421),
        (vec!["Host: 127.0.0.1".to_owned()], 421),
        (
            vec![
                format!("Host: localhost:{port}"),
                "Host: evil.example".to_owned(),
            ],
            400,
        ),
        (vec!["Origin: http://evil.example".to_owned()], 403),
        (vec![format!("Origin: http://localhost:{}", port ^ 1)], 403),
        (vec!["Origin: null".to_owned()], 403),
        (vec!["Sec-Fetch-Site: cross-site".to_owned()], 403),
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let answer = service.request("POST", "/api/jobs/count/run", &headers, "");
        assert_eq!(answer.status, status, "{headers:?}");
        assert!(answer.json()["error"].is_string());
    }
    assert_eq!(
        service.get("/api/runs?job=count").json(),
        before,
        "nothing was started"
    );
    assert_eq!(
        service
            .raw("GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
            .status,
        400,
        "no Host at all"
    );

    let host = format!("Host: localhost:{port}");
    let origin = format!("Origin: http://127.0.0.1:{port}");
    let own = service.request("POST", "/api/jobs/count/run", &[&host, &origin], "");
    assert_eq!(own.status, 202);
}

#[test]
fn metrics_are_in_the_format_of_prometheus() {
    let service = service();
    let id = service.run_now("count");
    service.ended_run(id);
    let answer = service.get("/metrics");
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    for line in [
        "# TYPE jobs_runs_total counter",
        "jobs_runs_total{job=\"count\",status=\"ok\"} 2",
        "jobs_runs_total{job=\"a \\\"b\\\"\",status=\"ok\"} 1",
        "jobs_running{job=\"count\"} 0",
    ] {
        assert!(
            answer.body.lines().any(|l| l == line),
            "{line} is not in\n{}",
            answer.body
        );
    }
    for line in answer.body.lines().filter(|line| !line.starts_with('#')) {
        let value = line.rsplit(' ').next().unwrap();
        assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
    }
    assert!(
        answer
            .body
            .contains("loop_busy_seconds_total{loop=\"scheduler\"}")
    );
}

#[test]
fn events_come_at_once_and_with_every_change() {
    let service = service();
    let mut stream = TcpStream::connect(service.address).unwrap();
    stream.set_read_timeout(Some(WATCHDOG)).unwrap();
    let head = format!(
        "GET /api/events HTTP/1.1\r\nHost: {}\r\n\r\n",
        service.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut id = None;
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap();
        let Some(json) = line.strip_prefix("data: ") else {
            continue;
        };
        let status: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(status["loops"].as_array().unwrap().len(), 3);
        match id {
            None => id = Some(service.run_now("sleep")),
            Some(id) if status["jobs"][2]["recent"][0]["id"] == id => return,
            Some(_) => {}
        }
    }
    panic!("the stream ended");
}
