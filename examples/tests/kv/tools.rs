//! Redis's own programs as clients.

use super::server::Server;
use polyloop_tests::require;
use std::io::Write;
use std::process::{Command, Stdio};

const INSTALL: &str = "apt-get install redis-tools";

/// What `redis-cli` prints when it is given these lines.
fn redis_cli(server: &Server, lines: &str) -> String {
    let mut child = Command::new("redis-cli")
        .args(["-p", &server.address.port().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("redis-cli starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(lines.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it is our child");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn redis_cli_is_at_home() {
    if !require("redis-cli", INSTALL) {
        return;
    }
    let server = Server::start(&["--loops", "2"]);
    let said = redis_cli(
        &server,
        "ping\nset name \"Ada Lovelace\" ex 100\nget name\nttl name\nincrby n 41\nincr n\n\
         mset a 1 b 2\nmget a b c\ndel a b c\nexists a\ndbsize\nincr name\n",
    );
    let expected = "PONG\nOK\nAda Lovelace\n100\n41\n42\nOK\n1\n2\n\n2\n0\n2\n\
                    ERR value is not an integer or out of range\n\n";
    assert_eq!(said, expected);
    assert!(redis_cli(&server, "info\n").contains("db0:keys=2,expires=1"));
}

#[test]
fn redis_benchmark_runs_with_and_without_a_pipeline() {
    if !require("redis-benchmark", INSTALL) {
        return;
    }
    let server = Server::start(&[]);
    let port = server.address.port().to_string();
    for pipeline in ["1", "16"] {
        let output = Command::new("redis-benchmark")
            .args(["-p", &port, "-P", pipeline, "-n", "5000", "-r", "1000"])
            .args(["-c", "20", "-t", "ping,set,get,incr,mset", "--csv"])
            .output()
            .expect("redis-benchmark starts");
        let said = String::from_utf8_lossy(&output.stdout);
        let mistakes = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{mistakes}");
        assert_eq!(mistakes, "", "it stops at an error of the server");
        for name in ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET"] {
            let line = said.lines().find(|line| line.contains(name));
            assert!(line.is_some(), "no {name} in {said}");
        }
    }
    let mut client = server.connect();
    let info = client.bulk(&["INFO"]);
    let done: u64 = info
        .lines()
        .find_map(|line| line.strip_prefix("total_commands_processed:"))
        .and_then(|count| count.parse().ok())
        .expect("a count");
    assert!(done >= 60_000, "every request was served: {done}");
}
