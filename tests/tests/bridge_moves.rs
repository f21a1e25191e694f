//! Connections that move from loop to loop while they are in use.
#![forbid(unsafe_code)]

use futures::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, FutureExt};
use parking_lot::Mutex;
use polyloop::io::BufReader;
use polyloop::net::{DetachedTcpStream, TcpStream};
use polyloop_bridge::{LoopGroup, run_coroutine_threadsafe};
use polyloop_tests::{XorShift, descriptor_count, with_watchdog};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(240);
const LOOPS: usize = 3;

/// A client and the server's end of its connection, off any loop.
fn connection() -> (std::net::TcpStream, std::net::TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let client = std::net::TcpStream::connect(listener.local_addr().expect("an address"));
    let (server, _) = listener.accept().expect("it connects");
    (client.expect("it listens"), server)
}

fn group() -> Arc<LoopGroup> {
    let group = LoopGroup::builder().loops(LOOPS).build();
    Arc::new(group.expect("threads and loops"))
}

/// Everything that a byte stream echoes while it wanders.
macro_rules! wandering {
    ($name:ident, $detached:ty) => {
        /// Echoes a few pieces here, then goes on to another loop.
        fn $name(detached: $detached, group: Arc<LoopGroup>, mut dice: XorShift, moves: Moves) {
            let target = group.handle(dice.below(LOOPS as u64) as usize).clone();
            drop(run_coroutine_threadsafe(&target, move || async move {
                let mut reader = BufReader::with_capacity(61, detached.attach().expect("a loop"));
                for _ in 0..dice.below(4) {
                    // Any part of what is buffered is echoed; the rest moves on
                    // in the buffer.
                    let buffered = reader.fill_buf().await.expect("the client is there");
                    if buffered.is_empty() {
                        return reader.get_mut().close().await.expect("it listens");
                    }
                    let count = 1 + dice.below(buffered.len() as u64) as usize;
                    let piece = buffered[..count].to_vec();
                    reader.consume_unpin(count);
                    reader.write_all(&piece).await.expect("it reads");
                }
                moves.fetch_add(1, SeqCst);
                let detached = <$detached>::from_buffered(reader);
                $name(detached, group, dice, moves);
            }));
        }
    };
}

type Moves = Arc<AtomicUsize>;

wandering!(tcp_wanders, DetachedTcpStream);
#[cfg(unix)]
wandering!(unix_wanders, polyloop::net::DetachedUnixStream);

/// Sends a stream of bytes in pieces and expects them back in order, each once.
fn talk(mut write: impl Write + Send, mut read: impl Read, end: impl FnOnce() + Send, seed: u64) {
    const BYTES: usize = 200_000;
    let all: Vec<u8> = (0..BYTES).map(|n| (n % 251) as u8).collect();
    let mut echo = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut dice = XorShift::new(seed);
            let mut left = &all[..];
            while !left.is_empty() {
                let (now, later) = left.split_at(left.len().min(1 + dice.below(997) as usize));
                write.write_all(now).expect("it reads");
                left = later;
            }
            end();
        });
        read.read_to_end(&mut echo).expect("it answers");
    });
    assert!(echo == all, "{} bytes of {BYTES}, or others", echo.len());
}

#[test]
fn a_tcp_connection_moves_under_traffic_and_loses_nothing() {
    with_watchdog(HANG, || {
        let group = group();
        let moves = Moves::default();
        thread::scope(|scope| {
            for seed in 1..=4 {
                let (client, server) = connection();
                let server = put_and_take(server, &group);
                tcp_wanders(server, group.clone(), XorShift::new(seed), moves.clone());
                scope.spawn(move || {
                    let end = || client.shutdown(Shutdown::Write).expect("it is open");
                    talk(&client, &client, end, seed);
                });
            }
        });
        assert!(moves.load(SeqCst) > 1_000, "{moves:?} moves");
    });
}

#[cfg(unix)]
#[test]
fn a_unix_connection_moves_under_traffic_and_loses_nothing() {
    use polyloop::net::UnixStream;
    with_watchdog(HANG, || {
        let group = group();
        let moves = Moves::default();
        let (client, server) = std::os::unix::net::UnixStream::pair().expect("two sockets");
        let detached = run_coroutine_threadsafe(group.next(), || async {
            UnixStream::from_std(server).map(UnixStream::detach)
        });
        let detached = detached.result().expect("a value").expect("registered");
        unix_wanders(detached, group, XorShift::new(5), moves.clone());
        let end = || client.shutdown(Shutdown::Write).expect("it is open");
        talk(&client, &client, end, 5);
        assert!(moves.load(SeqCst) > 250, "{moves:?} moves");
    });
}

fn put_and_take(server: std::net::TcpStream, group: &LoopGroup) -> DetachedTcpStream {
    let detached = run_coroutine_threadsafe(group.next(), || async {
        TcpStream::from_std(server).map(TcpStream::detach)
    });
    detached.result().expect("a value").expect("registered")
}

#[test]
fn a_connection_that_is_dropped_while_detached_is_closed() {
    with_watchdog(HANG, || {
        let group = group();
        // The first one opens what the process keeps.
        let mut before = None;
        for _ in 0..50 {
            let (mut client, server) = connection();
            client.write_all(b"unread").expect("there is room");
            drop(put_and_take(server, &group));
            let ended = client.read(&mut [0; 8]);
            assert!(
                matches!(ended, Ok(0))
                    || ended.is_err_and(|e| e.kind() == io::ErrorKind::ConnectionReset)
            );
            drop(client);
            if let (Some(before), Some(now)) = (before, descriptor_count()) {
                // Other tests of this process open some, too.
                assert!(now < before + 40, "{before} before, {now} now");
            }
            before = before.or(descriptor_count());
        }
    });
}

#[test]
fn bytes_that_were_put_back_are_read_first_by_every_way_of_reading() {
    with_watchdog(HANG, || {
        let ended = polyloop::run(async {
            let (mut client, server) = connection();
            client.write_all(b"-socket")?;
            let stream = TcpStream::from_std(server)?;
            let detached = stream.detach().unread("later").unread(b"first-");
            assert_eq!(detached.unread_len(), 11);
            let mut stream = detached.attach()?;

            let mut two = [0; 2];
            assert_eq!(stream.peek(&mut two).await?, 2);
            assert_eq!(&two, b"fi");
            assert!(stream.readable().now_or_never().is_some());
            assert_eq!(stream.try_read(&mut two)?, 2);
            assert_eq!(&two, b"fi");
            let (mut one, mut four) = ([0; 1], [0; 4]);
            let mut parts = [
                io::IoSliceMut::new(&mut one),
                io::IoSliceMut::new(&mut four),
            ];
            assert_eq!(stream.read_vectored(&mut parts).await?, 5);
            assert_eq!((&one, &four), (b"r", b"st-l"));

            // What is left goes along once more.
            stream = stream.detach().attach()?;
            let mut rest = [0; 11];
            stream.read_exact(&mut rest).await?;
            assert_eq!(&rest, b"ater-socket");
            io::Result::Ok(())
        });
        ended.expect("a loop").expect("no error");
    });
}

#[test]
fn a_connection_that_finds_no_loop_comes_back() {
    let (mut client, server) = connection();
    client.write_all(b"socket").expect("there is room");
    let detached = polyloop::run(async {
        let stream = TcpStream::from_std(server)?;
        io::Result::Ok(stream.detach().unread("kept "))
    });
    let detached = detached.expect("a loop").expect("registered");
    let error = detached.attach().expect_err("there is no loop here");
    assert!(error.to_string().contains("into_detached"), "{error}");
    let detached = error.into_detached();
    assert!(detached.socket().peer_addr().is_ok());
    let text = polyloop::run(async {
        let mut stream = detached.attach()?;
        let mut text = [0; 11];
        stream.read_exact(&mut text).await?;
        io::Result::Ok(text)
    });
    assert_eq!(&text.expect("a loop").expect("no error"), b"kept socket");
}

#[test]
fn a_connection_for_a_closed_loop_stays_with_its_sender() {
    let group = group();
    let (client, server) = connection();
    let detached = put_and_take(server, &group);
    group.shutdown(HANG);
    let kept = Arc::new(Mutex::new(Some(detached)));
    let work = {
        let kept = kept.clone();
        move || async move { drop(kept.lock().take()) }
    };
    let refused = polyloop_bridge::try_run_coroutine_threadsafe(group.handle(0), work);
    assert!(refused.expect_err("it is closed").is_closed());
    let detached = kept.lock().take().expect("nobody took it");
    let (mut socket, unread) = detached.into_parts();
    assert!(unread.is_empty());
    socket.set_nonblocking(false).expect("it is open");
    socket.write_all(b"!").expect("it is open");
    assert_eq!((&client).read(&mut [0; 1]).expect("it is open"), 1);
}
