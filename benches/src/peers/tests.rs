//! Every part that a peer does not lack does its work.

use super::arty::Arty;
use super::compio::Compio;
use super::glommio::Glommio;
use super::monoio::{Epoll, Monoio, Uring};
use super::runite::Runite;
use super::smol::Smol;
use super::tokio_current::TokioCurrent;
use super::tokio_local::TokioLocal;
use super::tokio_multi::TokioMulti;
use crate::Echo;
use crate::runtime::{Exchange, Part, Runtime, Setup};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

const EXCHANGES: [Exchange; 5] = [
    Exchange::Lock,
    Exchange::Semaphore,
    Exchange::Event,
    Exchange::Queue,
    Exchange::PingPong,
];

/// All but the servers; says so and does nothing where it cannot run.
fn runs_here<R: Runtime>() -> bool {
    if let Some(reason) = R::lacks(Part::Tasks) {
        eprintln!("SKIPPED {}: {reason}", R::NAME);
        return false;
    }
    true
}

fn exercise<R: Runtime>() {
    if !runs_here::<R>() {
        return;
    }
    let sum = R::start(Setup::default(), async {
        drop(R::spawn(R::yield_now()));
        let task = R::spawn(async {
            R::yield_now().await;
            40
        });
        R::sleep(Duration::from_millis(1)).await;
        task.await
            + R::timeout(Duration::from_secs(60), async { 2 })
                .await
                .unwrap()
    });
    assert_eq!(sum, 42);
    for what in EXCHANGES {
        if R::lacks(Part::Exchange(what)).is_none() {
            let done = R::start(Setup::default(), R::exchange(what, 100));
            assert_eq!(done, 100, "{what:?}");
        }
    }
    let blocking = Setup {
        blocking: Some(2),
        ..Setup::default()
    };
    let offloaded = R::start(blocking, async {
        let calls: Vec<_> = (0..100).map(|value| R::offload(value)).collect();
        let mut sum = 0;
        for call in calls {
            sum += call.await;
        }
        sum
    });
    assert_eq!(offloaded, 4_950);
    remote::<R>();
    if R::lacks(Part::Tcp).is_none() {
        echo_tcp::<R>();
    }
}

fn remote<R: Runtime>() {
    let remote = R::remote();
    assert_eq!(remote.round_trip(7), 7);
    assert_eq!(remote.batch(0..1_000), 499_500);
    let remote = R::start(Setup::default(), async {
        let mut sum = 0;
        remote.ask(0..100, &mut |value| sum += value).await;
        assert_eq!(sum, 4_950);
        remote
    });
    remote.stop();
}

fn echo_tcp<R: Runtime>() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        for length in [1, 64, 10_000] {
            let text = vec![length as u8; length];
            let mut back = vec![0; length];
            stream.write_all(&text).unwrap();
            stream.read_exact(&mut back).unwrap();
            assert_eq!(text, back);
        }
        stream.shutdown(Shutdown::Write).unwrap();
    };
    let clients = [thread::spawn(client), thread::spawn(client)];
    let echo = Echo {
        listener,
        connections: 2,
        buffer: 4_096,
        rounds: 0,
    };
    let echoed = R::start(Setup::default(), async { R::echo_tcp(echo).await });
    assert_eq!(echoed.unwrap(), 2 * 10_065);
    for client in clients {
        client.join().unwrap();
    }
}

fn echo_udp<R: Runtime>() {
    if !runs_here::<R>() {
        return;
    }
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let client = thread::spawn(move || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(address).unwrap();
        let mut back = [0; 2_000];
        for length in [1, 1_000, 64] {
            socket.send(&vec![7; length]).unwrap();
            assert_eq!(socket.recv(&mut back).unwrap(), length);
        }
        socket.send(&[]).unwrap();
    });
    let echoed = R::start(Setup::default(), async { R::echo_udp(socket).await });
    assert_eq!(echoed.unwrap(), 1_065);
    client.join().unwrap();
}

#[test]
fn tokio_current_does_its_parts() {
    exercise::<TokioCurrent>();
}

#[test]
fn tokio_local_does_its_parts() {
    exercise::<TokioLocal>();
}

#[test]
fn tokio_multi_does_its_parts() {
    exercise::<TokioMulti>();
}

#[test]
fn smol_does_its_parts() {
    exercise::<Smol>();
    echo_udp::<Smol>();
}

#[test]
fn monoio_with_epoll_does_its_parts() {
    exercise::<Monoio<Epoll>>();
    echo_udp::<Monoio<Epoll>>();
}

#[test]
fn monoio_with_uring_does_its_parts() {
    exercise::<Monoio<Uring>>();
    echo_udp::<Monoio<Uring>>();
}

#[test]
fn glommio_does_its_parts() {
    exercise::<Glommio>();
    echo_udp::<Glommio>();
}

#[test]
fn compio_does_its_parts() {
    exercise::<Compio>();
    echo_udp::<Compio>();
}

#[test]
fn runite_does_its_parts() {
    exercise::<Runite>();
    echo_udp::<Runite>();
}

#[test]
fn arty_does_its_parts() {
    exercise::<Arty>();
}
