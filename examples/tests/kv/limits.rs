//! Bad requests, and requests for too much.

use super::server::Server;
use std::process::Command;
use std::thread;

#[test]
fn a_wrong_command_is_told_and_the_connection_goes_on() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    for (request, answer) in [
        (
            &["NONSENSE", "x"][..],
            "-ERR unknown command 'nonsense'\r\n",
        ),
        (
            &["GET"],
            "-ERR wrong number of arguments for 'get' command\r\n",
        ),
        (
            &["MSET", "a"],
            "-ERR wrong number of arguments for 'mset' command\r\n",
        ),
        (&["SET", "a", "b", "NX", "XX"], "-ERR syntax error\r\n"),
        (&["SET", "a", "b", "EX"], "-ERR syntax error\r\n"),
        (
            &["SET", "a", "b", "EX", "0"],
            "-ERR invalid expire time\r\n",
        ),
        (
            &["EXPIRE", "a", "9223372036854775807"],
            "-ERR invalid expire time\r\n",
        ),
        (
            &["INCRBY", "a", "many"],
            "-ERR value is not an integer or out of range\r\n",
        ),
        (&["SELECT", "1"], "-ERR DB index is out of range\r\n"),
        (&["HELLO", "3"], "-NOPROTO unsupported protocol version\r\n"),
    ] {
        assert_eq!(client.ask(request), answer, "{request:?}");
    }
    let long = "x".repeat(65 << 10);
    assert!(
        client
            .ask(&["GET", &long])
            .starts_with("-ERR a key may have")
    );
    assert_eq!(client.ask(&["PING", "still here"]), "$10\r\nstill here\r\n");
}

#[test]
fn what_is_no_request_is_told_after_the_answers_before_it() {
    let server = Server::start(&["--max-value", "1"]);
    for (bytes, mistake) in [
        (&b"*1\r\n:1\r\n"[..], "expected '$', got ':'"),
        (b"*100000000\r\n", "invalid multibulk length"),
        (b"*2\r\n$3\r\nGET\r\n$1025\r\n", "invalid bulk length"),
        (
            b"*1\r\n$4\r\nPING12\r\n",
            "an argument is longer than it says",
        ),
    ] {
        let mut client = server.connect();
        client.send(&["SET", "key", "value"]);
        client.send_raw(bytes);
        client.flush();
        assert_eq!(client.line(), "+OK\r\n");
        assert_eq!(client.line(), format!("-ERR Protocol error: {mistake}\r\n"));
        assert!(client.is_over());
    }
    let mut client = server.connect();
    client.send_raw(b"get key\r\n\r\nQUIT\r\nPING\r\n");
    client.flush();
    assert_eq!(client.read(16), "$5\r\nvalue\r\n+OK\r\n");
    assert!(client.is_over(), "nothing is done after QUIT");
}

#[test]
fn long_values_come_back_whole_and_in_order_however_many_are_asked_for() {
    let server = Server::start(&["--loops", "3"]);
    let mut client = server.connect();
    let value = |letter: char| letter.to_string().repeat(1 << 20);
    for letter in ['a', 'b', 'c', 'd'] {
        let name = letter.to_string();
        assert_eq!(client.ask(&["SET", &name, &value(letter)]), "+OK\r\n");
    }
    // More than any pause, kept nowhere as a whole.
    let mut reader = server.connect();
    let asked = thread::spawn(move || {
        for _ in 0..10 {
            reader.send(&["MGET", "a", "b", "nothing", "c", "d"]);
            reader.send(&["STRLEN", "a"]);
        }
        reader.flush();
        for _ in 0..10 {
            assert_eq!(reader.line(), "*5\r\n");
            for letter in ['a', 'b', '-', 'c', 'd'] {
                if letter == '-' {
                    assert_eq!(reader.line(), "$-1\r\n");
                    continue;
                }
                assert_eq!(reader.line(), "$1048576\r\n");
                assert!(reader.read((1 << 20) + 2).trim() == value(letter));
            }
            assert_eq!(reader.line(), ":1048576\r\n");
        }
    });
    asked.join().expect("every answer is right");
}

#[test]
fn a_full_memory_refuses_writes_and_serves_reads() {
    let server = Server::start(&["--memory", "1", "--loops", "1"]);
    let mut client = server.connect();
    let value = "x".repeat(100 << 10);
    let answers: Vec<String> = (0..12)
        .map(|number| client.ask(&["SET", &number.to_string(), &value]))
        .collect();
    assert_eq!(answers[0], "+OK\r\n");
    assert!(answers[11].starts_with("-OOM "), "{}", answers[11]);
    assert_eq!(client.ask(&["STRLEN", "0"]), ":102400\r\n");
    assert_eq!(client.ask(&["DEL", "0"]), ":1\r\n");
    assert_eq!(client.ask(&["SET", "0", &value]), "+OK\r\n");
}

#[test]
fn a_client_too_many_is_told_and_others_go_on() {
    let server = Server::start(&["--clients", "2"]);
    let (mut first, second) = (server.connect(), server.connect());
    assert_eq!(first.ask(&["PING"]), "+PONG\r\n");
    // Both are counted only when their loops have accepted them.
    super::server::until(|| {
        let info = first.bulk(&["INFO"]);
        info.contains("connected_clients:2")
    });
    let mut third = server.connect();
    assert_eq!(third.line(), "-ERR max number of clients reached\r\n");
    assert!(third.is_over());
    drop(second);
    super::server::until(|| server.connect().ask(&["PING"]) == "+PONG\r\n");
}

#[test]
fn other_machines_are_served_only_when_that_is_said() {
    let output = Command::new(env!("CARGO_BIN_EXE_kv"))
        .args(["--listen", "0.0.0.0:0"])
        .output()
        .expect("the kv program starts");
    assert_eq!(output.status.code(), Some(2));
    let why = String::from_utf8(output.stderr).expect("text");
    assert!(why.contains("--allow-remote"), "{why}");
}
