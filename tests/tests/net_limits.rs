//! Datagrams, shared ports, names, and what happens when descriptors run out.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use polyloop::net::{TcpListener, TcpStream, UdpSocket, lookup_host};
use polyloop::{create_task, timeout};
use polyloop_tests::{require, with_watchdog};

/// Runs a test on a loop; a hang ends it.
fn run(test: impl Future<Output = io::Result<()>>) {
    let limit = Duration::from_secs(60);
    let outcome = with_watchdog(limit, || polyloop::run(test));
    outcome.expect("a loop can be had").expect("no error");
}

#[test]
fn udp_datagrams_arrive_whole() {
    run(async {
        let server = UdpSocket::bind("127.0.0.1:0").await?;
        let client = UdpSocket::bind("127.0.0.1:0").await?;
        let mut datagram = [0; 64];
        let nothing = server.try_recv_from(&mut datagram).unwrap_err();
        assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
        client.connect(server.local_addr()?).await?;
        let receiver = create_task(async move {
            let mut datagram = [0; 64];
            let (length, sender) = server.recv_from(&mut datagram).await?;
            server.send_to(&datagram[..length], sender).await?;
            io::Result::Ok(())
        });
        assert_eq!(client.send(b"ping").await?, 4);
        assert_eq!(client.recv(&mut datagram).await?, 4);
        assert_eq!(&datagram[..4], b"ping");
        receiver.await.expect("not cancelled")
    });
}

#[cfg(target_os = "linux")]
#[test]
fn listeners_share_a_port() {
    run(async {
        let first = TcpListener::bind_reuseport("127.0.0.1:0").await?;
        let address = first.local_addr()?;
        let second = TcpListener::bind_reuseport(address).await?;
        let taken = TcpListener::bind(address).await.unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
        let counts = [Rc::new(Cell::new(0)), Rc::new(Cell::new(0))];
        let servers = [first, second].into_iter().zip(counts.clone());
        let servers: Vec<_> = servers
            .map(|(listener, count)| {
                create_task(async move {
                    loop {
                        let accepted = listener.accept().await;
                        count.set(count.get() + usize::from(accepted.is_ok()));
                    }
                })
            })
            .collect();
        let mut clients = Vec::new();
        while counts.iter().any(|count| count.get() == 0) {
            clients.push(TcpStream::connect(address).await?);
        }
        for server in servers {
            server.cancel();
        }
        Ok(())
    });
}

#[test]
fn names_are_looked_up_off_the_loop() {
    run(async {
        let addresses = lookup_host("localhost:80").await?;
        assert!(!addresses.is_empty());
        assert!(addresses.iter().all(|address| address.ip().is_loopback()));
        assert!(addresses.iter().all(|address| address.port() == 80));
        let numbers = lookup_host(("127.0.0.1", 9)).await?;
        assert_eq!(numbers, [SocketAddr::from((Ipv4Addr::LOCALHOST, 9))]);
        let malformed = lookup_host("localhost").await.unwrap_err();
        assert_eq!(malformed.kind(), ErrorKind::InvalidInput);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let stream = TcpStream::connect(("localhost", address.port())).await?;
        listener.accept().await?;
        drop(stream);
        Ok(())
    });
}

/// The variable that tells this program that it is the child with few descriptors.
const CHILD: &str = "POLYLOOP_TEST_FEW_DESCRIPTORS";

#[test]
fn trap_081_a_server_without_descriptors_serves_on_and_recovers() {
    if std::env::var_os(CHILD).is_some() {
        run(exhaust_and_recover());
        return;
    }
    if !cfg!(target_os = "linux") || !require("sh", "any POSIX shell") {
        return;
    }
    // The limit is the process's, and other tests run in this one.
    let program = std::env::current_exe().expect("a test has a file");
    let status = Command::new("sh")
        .args(["-c", "ulimit -n 64; exec \"$0\" --exact \"$1\""])
        .arg(program)
        .arg("trap_081_a_server_without_descriptors_serves_on_and_recovers")
        .env(CHILD, "1")
        .status();
    assert!(status.expect("a shell can be run").success());
}

async fn exhaust_and_recover() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let echo = |stream: TcpStream, _| async move {
        // An error ends this connection only.
        let _ = polyloop::io::copy(&stream, &mut &stream).await;
    };
    let server = create_task(async move { listener.serve(echo).await });

    let mut first = TcpStream::connect(address).await?;
    ping(&mut first).await?;
    let mut crowd = Vec::new();
    let refused = loop {
        match TcpStream::connect(address).await {
            Ok(stream) => crowd.push(stream),
            Err(error) => break error,
        }
    };
    assert!(refused.to_string().contains("open files"), "{refused}");
    // The accept loop has met the same end, and leaves the loop to others.
    for _ in 0..10 {
        polyloop::sleep(Duration::from_millis(5)).await;
        ping(&mut first).await?;
    }
    drop(crowd);
    let mut later = TcpStream::connect(address).await?;
    let answer = timeout(Duration::from_secs(30), ping(&mut later)).await;
    answer.expect("descriptors are free again")?;
    assert!(server.cancel(), "the server goes on");
    Ok(())
}

async fn ping(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"ping").await?;
    let mut echo = [0; 4];
    stream.read_exact(&mut echo).await?;
    assert_eq!(&echo, b"ping");
    Ok(())
}
