use super::tests::{GRACE, group};
use super::*;
use crate::test_tools::wait;
use std::thread;
use std::time::Duration;

/// Long enough for any machine; a read that waits for it has failed.
const WATCHDOG: Duration = Duration::from_secs(60);

/// Connects, sends a line and gives the name of the loop that answered.
fn ask(address: std::net::SocketAddr) -> String {
    use std::io::{Read, Write};
    let mut client = std::net::TcpStream::connect(address).expect("it listens");
    client.set_read_timeout(Some(WATCHDOG)).expect("a time-out");
    client.write_all(b"?").expect("it reads");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("it answers");
    answer
}

/// Answers with the name of its loop.
async fn answer(stream: polyloop::net::TcpStream) {
    use futures::{AsyncReadExt, AsyncWriteExt};
    let mut stream = stream;
    let mut question = [0];
    stream.read_exact(&mut question).await.expect("a question");
    assert_eq!(question, *b"?", "a handler that panics ends alone");
    let name = polyloop::current_loop().name().to_owned();
    stream.write_all(name.as_bytes()).await.expect("it listens");
}

#[test]
fn a_server_answers_on_every_loop_by_rule() {
    let group = group(3);
    let rules = [
        Accept::ReusePort,
        Accept::HandOff(Policy::RoundRobin),
        Accept::HandOff(Policy::LeastLoaded),
        Accept::HandOff(Policy::ByPeer),
    ];
    for rule in rules {
        let server = group
            .serve_tcp("127.0.0.1:0", rule, answer)
            .expect("a port");
        let address = server.local_addr();
        // A handler that panics changes nothing.
        let mut bad = std::net::TcpStream::connect(address).expect("it listens");
        std::io::Write::write_all(&mut bad, b"!").expect("it reads");
        let mut names: Vec<_> = (0..30).map(|_| ask(address)).collect();
        names.sort_unstable();
        names.dedup();
        match rule {
            Accept::HandOff(Policy::ByPeer) => assert_eq!(names.len(), 1),
            Accept::HandOff(Policy::RoundRobin) => assert_eq!(names.len(), 3),
            _ => assert!(!names.is_empty()),
        }
        server.close();
        wait(server.wait_closed()).expect("no listener broke");
        assert!(std::net::TcpStream::connect(address).is_err());
    }
    assert!(group.shutdown(GRACE).is_complete());
}

#[test]
fn a_server_needs_a_free_port_and_ends_with_its_group() {
    let group = group(2);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    for rule in [Accept::ReusePort, Accept::HandOff(Policy::RoundRobin)] {
        let refused = group.serve_tcp(address, rule, answer);
        let error = refused.expect_err("it is in use");
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    }
    let server = group.serve_tcp("127.0.0.1:0", Accept::ReusePort, answer);
    let address = server.expect("a port").local_addr();
    assert!(!ask(address).is_empty());
    drop(group);
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn a_connection_for_a_closed_loop_goes_to_another() {
    let group = group(2);
    let rule = Accept::HandOff(Policy::RoundRobin);
    let server = group
        .serve_tcp("127.0.0.1:0", rule, answer)
        .expect("a port");
    group.handle(1).stop();
    while !group.handle(1).is_closed() {
        thread::yield_now();
    }
    for _ in 0..4 {
        assert_eq!(ask(server.local_addr()), "loop-0");
    }
}
