use super::tests::{GRACE, group};
use super::*;
use crate::channel;
use crate::test_tools::wait;
use std::collections::BTreeSet;
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

/// The two ways in which connections come to the loops.
const BOTH: [Accept; 2] = [Accept::ReusePort, Accept::HandOff(Policy::RoundRobin)];

/// A group of so many loops with a server.
fn serving(loops: usize, rule: Accept) -> (LoopGroup, TcpServer) {
    let group = group(loops);
    let server = group.serve_tcp("127.0.0.1:0", rule, answer);
    (group, server.expect("a port"))
}

/// Asks until so many loops have answered; by chance alone, some thousand times
/// are enough for any machine.
fn await_answers(address: std::net::SocketAddr, loops: usize) {
    let mut names = BTreeSet::new();
    for _ in 0..3_000 {
        names.insert(ask(address));
        if names.len() == loops {
            return;
        }
    }
    panic!("{loops} loops serve, and only these answer: {names:?}");
}

/// Gives a loop tasks, and returns when its figures tell; they end with what is
/// answered.
fn occupy(handle: &LoopHandle) -> Vec<channel::oneshot::Sender<()>> {
    let tasks = (0..50).map(|_| {
        let (release, released) = channel::oneshot::channel::<()>();
        drop(run_coroutine_threadsafe(handle, || async {
            let _ = released.await;
        }));
        release
    });
    let tasks: Vec<_> = tasks.collect();
    while handle.metrics().tasks < 50 {
        thread::yield_now();
    }
    tasks
}

/// As a watchdog does with a loop that is stuck, once it is; what is answered
/// lets that loop go on.
fn replace_stuck(group: &LoopGroup, number: usize) -> channel::oneshot::Sender<()> {
    let (release, released) = channel::oneshot::channel::<()>();
    let (begun, begins) = channel::oneshot::channel();
    drop(run_coroutine_threadsafe(group.handle(number), || async {
        let _ = begun.send(());
        let _ = released.recv_blocking();
    }));
    begins.recv_blocking().expect("it begins");
    let members = &group.inner.members;
    let record = members
        .loops
        .seats()
        .member(number)
        .expect("it is there")
        .record;
    assert!(members.replace(number, record).expect("a thread"));
    release
}

#[test]
fn a_server_goes_on_beside_stuck_loops_that_were_replaced() {
    for rule in BOTH {
        let (group, server) = serving(2, rule);
        let stuck = [0, 1, 0].map(|number| replace_stuck(&group, number));
        for _ in 0..20 {
            ask(server.local_addr());
        }
        await_answers(server.local_addr(), 2);
        drop(stuck);
        server.close();
        let address = server.local_addr();
        wait(server.wait_closed()).expect("no listener broke");
        assert!(std::net::TcpStream::connect(address).is_err());
        assert!(group.shutdown(GRACE).is_complete());
    }
}

#[test]
fn a_server_outlives_the_only_loop_when_it_is_replaced() {
    for rule in BOTH {
        let (group, server) = serving(1, rule);
        let record = group.inner.members.loops.seats().member(0);
        let record = record.expect("it is there").record;
        group.handle(0).stop();
        while !group.handle(0).is_closed() {
            thread::yield_now();
        }
        assert!(std::net::TcpStream::connect(server.local_addr()).is_err());
        assert!(group.inner.members.replace(0, record).expect("a thread"));
        assert_eq!(ask(server.local_addr()), "loop-0");
        assert!(group.shutdown(GRACE).is_complete());
        wait(server.wait_closed()).expect("no listener broke");
    }
}

#[test]
fn a_server_comes_to_added_loops_and_leaves_retired_ones() {
    for rule in BOTH {
        let (group, server) = serving(1, rule);
        group.add_loop().expect("a thread");
        await_answers(server.local_addr(), 2);
        let report = group.retire(0, GRACE).expect("it is there");
        assert!(report.is_complete(), "{report}");
        for _ in 0..9 {
            assert_eq!(ask(server.local_addr()), "loop-1");
        }
        drop(group);
        wait(server.wait_closed()).expect("no listener broke");
    }
}

#[test]
fn a_role_serves_on_its_own_loops() {
    let group = LoopGroup::builder()
        .role("other", 1)
        .role("front", 2)
        .build();
    let group = group.expect("threads and loops");
    let front = group.role("front").expect("it is there");
    for rule in BOTH {
        let server = front.serve_tcp("127.0.0.1:0", rule, answer);
        let server = server.expect("a port");
        for _ in 0..9 {
            assert!(ask(server.local_addr()).starts_with("front-"));
        }
        await_answers(server.local_addr(), 2);
        server.close();
        wait(server.wait_closed()).expect("no listener broke");
    }
    assert!(group.shutdown(GRACE).is_complete());
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
        let answered = |times| (0..times).map(|_| ask(address)).collect::<BTreeSet<_>>();
        match rule {
            Accept::HandOff(Policy::ByPeer) => assert_eq!(answered(9).len(), 1),
            Accept::HandOff(Policy::RoundRobin) => assert_eq!(answered(9).len(), 3),
            Accept::HandOff(Policy::LeastLoaded) => {
                let load = [0, 2].map(|number| occupy(group.handle(number)));
                assert_eq!(answered(9), BTreeSet::from(["loop-1".to_owned()]));
                drop(load);
            }
            // The system spreads them by chance.
            Accept::ReusePort => await_answers(address, 3),
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
    for rule in BOTH {
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
    let (group, server) = serving(2, Accept::HandOff(Policy::RoundRobin));
    group.handle(1).stop();
    while !group.handle(1).is_closed() {
        thread::yield_now();
    }
    for _ in 0..4 {
        assert_eq!(ask(server.local_addr()), "loop-0");
    }
}
