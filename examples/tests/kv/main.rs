//! The real `kv` process, by its protocol and by Redis's own programs.
#![forbid(unsafe_code)]

mod limits;
mod server;
mod tools;

use server::Server;
use std::thread;

#[test]
fn a_pipeline_is_answered_in_order_whatever_shards_its_keys_are_in() {
    let server = Server::start(&["--loops", "4"]);
    let mut client = server.connect();
    let mut expected = String::new();
    for number in 0..1_000 {
        client.send(&["SET", &format!("key:{number}"), &number.to_string()]);
        client.send(&["INCR", &format!("key:{number}")]);
        client.send(&["ECHO", "between"]);
        client.send(&["GET", &format!("key:{number}")]);
        let next = (number + 1).to_string();
        expected.push_str(&format!(
            "+OK\r\n:{next}\r\n$7\r\nbetween\r\n${}\r\n{next}\r\n",
            next.len()
        ));
    }
    client.flush();
    assert_eq!(client.read(expected.len()), expected);
    assert_eq!(client.ask(&["DBSIZE"]), ":1000\r\n");
}

#[test]
fn commands_of_many_keys_are_put_together_from_all_shards() {
    let server = Server::start(&["--loops", "3"]);
    let mut client = server.connect();
    let names: Vec<String> = (0..40).map(|number| format!("k{number}")).collect();
    let mut pairs = vec!["MSET"];
    for name in &names {
        pairs.extend([name.as_str(), name.as_str()]);
    }
    assert_eq!(client.ask(&pairs), "+OK\r\n");
    let mut all = vec!["MGET", "absent"];
    all.extend(names.iter().map(String::as_str));
    client.send(&all);
    client.flush();
    let values: String = names
        .iter()
        .map(|name| format!("${}\r\n{name}\r\n", name.len()))
        .collect();
    let expected = format!("*41\r\n$-1\r\n{values}");
    assert_eq!(client.read(expected.len()), expected);
    all[0] = "EXISTS";
    assert_eq!(client.ask(&all), ":40\r\n");
    all[0] = "DEL";
    assert_eq!(client.ask(&all), ":40\r\n");
    assert_eq!(client.ask(&all), ":0\r\n");
    assert_eq!(client.ask(&["FLUSHALL"]), "+OK\r\n");
}

#[test]
fn clients_on_all_loops_count_one_key_up_and_none_is_lost() {
    let server = Server::start(&["--loops", "4"]);
    let counts: Vec<_> = (0..8)
        .map(|_| {
            let mut client = server.connect();
            thread::spawn(move || {
                let mut last = 0;
                for _ in 0..50 {
                    for _ in 0..20 {
                        client.send(&["INCR", "count"]);
                    }
                    client.flush();
                    for _ in 0..20 {
                        let now: i64 = client.line()[1..].trim().parse().expect("a number");
                        assert!(now > last, "a client's own commands are in order");
                        last = now;
                    }
                }
            })
        })
        .collect();
    for count in counts {
        count.join().expect("every client is answered");
    }
    assert_eq!(server.connect().ask(&["GET", "count"]), "$4\r\n8000\r\n");
}

#[test]
fn a_key_that_has_expired_is_gone_and_is_swept() {
    let server = Server::start(&["--loops", "2"]);
    let mut client = server.connect();
    for number in 0..500 {
        client.send(&["SET", &format!("short:{number}"), "x", "PX", "40"]);
    }
    client.flush();
    (0..500).for_each(|_| assert_eq!(client.line(), "+OK\r\n"));
    assert_eq!(client.ask(&["SET", "long", "x", "EX", "1000"]), "+OK\r\n");
    assert_eq!(client.ask(&["TTL", "long"]), ":1000\r\n");
    assert_eq!(client.ask(&["TTL", "absent"]), ":-2\r\n");
    // Nobody asks for them: the sweep alone takes them away.
    server::until(|| client.ask(&["DBSIZE"]) == ":1\r\n");
    assert_eq!(client.ask(&["EXPIRE", "long", "0"]), ":1\r\n");
    assert_eq!(client.ask(&["GET", "long"]), "$-1\r\n");
}

#[test]
fn info_tells_of_all_shards_together() {
    let server = Server::start(&["--loops", "2"]);
    let mut client = server.connect();
    for number in 0..10 {
        client.ask(&["SET", &format!("{number}"), "x", "EX", "100"]);
    }
    let info = client.bulk(&["INFO"]);
    for line in [
        "loops:2",
        "connected_clients:1",
        "total_commands_processed:11",
        "db0:keys=10,expires=10,avg_ttl=0",
    ] {
        assert!(info.lines().any(|one| one == line), "no {line} in {info}");
    }
}

#[test]
fn ctrl_c_ends_it_in_order_with_clients_connected() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    assert_eq!(client.ask(&["PING"]), "+PONG\r\n");
    let (status, output) = server.interrupt();
    assert!(status.success(), "{status}: {output}");
    assert!(client.is_over());
}
