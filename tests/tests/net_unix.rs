//! Sockets between the processes of one machine.
#![cfg(unix)]
#![forbid(unsafe_code)]

use std::future::Future;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use polyloop::net::{UnixDatagram, UnixListener, UnixStream};
use polyloop::{create_task, gather};
use polyloop_tests::with_watchdog;

/// Runs a test on a loop; a hang ends it.
fn run(test: impl Future<Output = io::Result<()>>) {
    let limit = Duration::from_secs(60);
    let outcome = with_watchdog(limit, || polyloop::run(test));
    outcome.expect("a loop can be had").expect("no error");
}

/// A path for a socket file, which is removed at the end.
struct SocketFile(PathBuf);

impl SocketFile {
    fn new(name: &str) -> Self {
        let file = format!("polyloop-test-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(file))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // It was never made if the test failed early.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn streams_connect_by_path() {
    run(async {
        let file = SocketFile::new("stream");
        let listener = UnixListener::bind(&file.0)?;
        let server = create_task(async move {
            let accepted: Vec<_> = listener.incoming().take(20).collect().await;
            for stream in accepted {
                let mut stream = stream?;
                let mut word = [0; 4];
                stream.read_exact(&mut word).await?;
                stream.write_all(&word).await?;
            }
            io::Result::Ok(())
        });
        let clients = (0..20_u32).map(|number| {
            let path = file.0.clone();
            async move {
                let mut stream = UnixStream::connect(path).await?;
                stream.write_all(&number.to_le_bytes()).await?;
                let mut echo = Vec::new();
                stream.read_to_end(&mut echo).await?;
                assert_eq!(echo, number.to_le_bytes());
                io::Result::Ok(())
            }
        });
        for outcome in gather(clients).await {
            outcome?;
        }
        server.await.expect("not cancelled")
    });
}

#[test]
fn a_connect_waits_while_the_backlog_is_full() {
    run(async {
        let file = SocketFile::new("backlog");
        // The standard library's backlog is long: this one is not.
        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None)?;
        socket.bind(&socket2::SockAddr::unix(&file.0)?)?;
        socket.listen(1)?;
        let listener = UnixListener::from_std(socket.into())?;
        let path = file.0.clone();
        let clients = create_task(gather(
            (0..8).map(move |_| UnixStream::connect(path.clone())),
        ));
        for _ in 0..8 {
            polyloop::sleep(Duration::from_millis(2)).await;
            drop(listener.accept().await?);
        }
        for client in clients.await.expect("not cancelled") {
            drop(client?);
        }
        Ok(())
    });
}

#[test]
fn a_path_that_nobody_listens_on_is_an_error() {
    run(async {
        let file = SocketFile::new("nobody");
        let absent = UnixStream::connect(&file.0).await.unwrap_err();
        assert_eq!(absent.kind(), ErrorKind::NotFound);
        drop(UnixListener::bind(&file.0)?);
        let refused = UnixStream::connect(&file.0).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let taken = UnixListener::bind(&file.0).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
        Ok(())
    });
}

#[test]
fn datagrams_wait_for_a_full_receiver() {
    run(async {
        let file = SocketFile::new("datagram");
        let receiver = UnixDatagram::bind(&file.0)?;
        let path = file.0.clone();
        let sender = create_task(async move {
            let socket = UnixDatagram::unbound()?;
            for number in 0..2000_u32 {
                socket.send_to(&number.to_le_bytes(), &path).await?;
            }
            io::Result::Ok(())
        });
        let mut datagram = [0; 8];
        for number in 0..2000_u32 {
            let (length, _) = receiver.recv_from(&mut datagram).await?;
            assert_eq!(datagram[..length], number.to_le_bytes());
        }
        sender.await.expect("not cancelled")
    });
}
