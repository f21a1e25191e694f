//! Sockets on the loop: ends, errors, and many at once.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::future::Future;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use polyloop::net::{TcpListener, TcpStream};
use polyloop::{create_task, gather, timeout, yield_now};
use polyloop_tests::with_watchdog;

/// Runs a test on a loop; a hang ends it.
fn run(test: impl Future<Output = io::Result<()>>) {
    let limit = Duration::from_secs(60);
    let outcome = with_watchdog(limit, || polyloop::run(test));
    outcome.expect("a loop can be had").expect("no error");
}

async fn listener() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Two ends of one connection.
async fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let (listener, address) = listener().await?;
    let (client, server) = polyloop::gather!(TcpStream::connect(address), listener.accept()).await;
    Ok((client?, server?.0))
}

#[test]
fn a_half_closed_connection_goes_on_in_the_other_direction() {
    run(async {
        let (mut client, mut server) = pair().await?;
        client.write_all(b"question").await?;
        client.shutdown(Shutdown::Write)?;
        let mut text = String::new();
        server.read_to_string(&mut text).await?;
        assert_eq!(text, "question");
        server.write_all(b"answer").await?;
        drop(server);
        text.clear();
        client.read_to_string(&mut text).await?;
        assert_eq!(text, "answer");
        assert_eq!(client.read(&mut [0; 8]).await?, 0, "the end stays the end");
        Ok(())
    });
}

#[test]
fn data_and_end_that_come_in_one_event_are_both_read() {
    // A short read proves the socket drained, and no further event will come.
    run(async {
        for _ in 0..200 {
            let (mut client, mut server) = pair().await?;
            // The server's first attempt finds nothing, so that it waits.
            assert_eq!(
                server.try_read(&mut [0; 8]).unwrap_err().kind(),
                ErrorKind::WouldBlock
            );
            client.write_all(b"all").await?;
            drop(client);
            let mut text = String::new();
            server.read_to_string(&mut text).await?;
            assert_eq!(text, "all");
        }
        Ok(())
    });
}

#[test]
fn a_reset_reaches_a_waiting_reader_and_the_next_writer() {
    run(async {
        let (client, mut server) = pair().await?;
        let reader = create_task(async move {
            let read = server.read(&mut [0; 8]).await;
            (read, server)
        });
        yield_now().await;
        client.set_linger(Some(Duration::ZERO))?;
        drop(client);
        let (read, mut server) = reader.await.expect("not cancelled");
        assert_eq!(read.unwrap_err().kind(), ErrorKind::ConnectionReset);
        // trap_084: no SIGPIPE ends the process.
        assert_eq!(
            server.write(b"x").await.unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );
        Ok(())
    });
}

#[test]
fn trap_080_an_error_wakes_reader_and_writer() {
    run(async {
        let (client, server) = pair().await?;
        let server = Rc::new(server);
        let reader = create_task({
            let server = server.clone();
            async move { (&*server).read(&mut [0; 8]).await }
        });
        let writer = create_task(async move {
            let chunk = vec![0; 1 << 20];
            loop {
                (&*server).write_all(&chunk).await?;
            }
            #[expect(unreachable_code)]
            io::Result::Ok(())
        });
        for _ in 0..20 {
            yield_now().await;
        }
        client.set_linger(Some(Duration::ZERO))?;
        drop(client);
        assert!(reader.await.expect("not cancelled").is_err());
        assert!(writer.await.expect("not cancelled").is_err());
        Ok(())
    });
}

#[test]
fn a_refused_connection_is_an_error() {
    run(async {
        let (listener, address) = listener().await?;
        drop(listener);
        let error = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        Ok(())
    });
}

#[test]
fn connect_tries_each_address() {
    run(async {
        let (gone, refused) = listener().await?;
        drop(gone);
        let (listener, address) = listener().await?;
        let stream = TcpStream::connect(vec![refused, address]).await?;
        assert_eq!(stream.peer_addr()?, address);
        let (_, peer) = listener.accept().await?;
        assert_eq!(stream.local_addr()?, peer);
        let none = TcpStream::connect(Vec::new()).await.unwrap_err();
        assert_eq!(none.kind(), ErrorKind::NotFound);
        Ok(())
    });
}

#[test]
fn a_socket_may_be_dropped_while_tasks_wait_for_it() {
    run(async {
        for _ in 0..100 {
            let (client, server) = pair().await?;
            let waiting = create_task(async move { (&client).read(&mut [0; 8]).await });
            yield_now().await;
            waiting.cancel();
            (&server).write_all(b"late").await?;
            assert!(waiting.await.unwrap_err().is_cancelled());
            // The next pair takes over the slot, and maybe the number.
        }
        Ok(())
    });
}

#[test]
fn many_connections_echo_at_the_same_time() {
    run(async {
        let (listener, address) = listener().await?;
        let server = create_task(async move {
            let echo = |stream: TcpStream, _| async move {
                // An error ends this connection only.
                let _ = polyloop::io::copy(&stream, &mut &stream).await;
            };
            listener.serve(echo).await
        });
        let clients = (0..200_u32).map(|number| async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut echo = [0; 4];
            for round in 0..10 {
                let word = (number * 100 + round).to_le_bytes();
                stream.write_all(&word).await?;
                stream.read_exact(&mut echo).await?;
                assert_eq!(echo, word);
            }
            io::Result::Ok(())
        });
        for outcome in gather(clients).await {
            outcome?;
        }
        server.cancel();
        assert!(server.await.unwrap_err().is_cancelled());
        Ok(())
    });
}

#[test]
fn a_large_transfer_passes_through_full_buffers() {
    run(async {
        let (client, mut server) = pair().await?;
        let data: Vec<u8> = (0..8_000_000_u32).map(|n| (n % 251) as u8).collect();
        let (reader, mut writer) = client.into_split();
        let sender = create_task({
            let data = data.clone();
            async move { writer.write_all(&data).await }
        });
        let mut received = Vec::new();
        server.read_to_end(&mut received).await?;
        assert!(received == data);
        sender.await.expect("not cancelled")?;
        drop(reader);
        Ok(())
    });
}

#[test]
fn several_buffers_are_written_and_read_at_once() {
    run(async {
        let (mut client, mut server) = pair().await?;
        let parts = [IoSlice::new(b"one"), IoSlice::new(b"two")];
        assert_eq!(client.write_vectored(&parts).await?, 6);
        let (mut head, mut tail) = ([0; 2], [0; 8]);
        let mut parts = [IoSliceMut::new(&mut head), IoSliceMut::new(&mut tail)];
        assert_eq!(server.read_vectored(&mut parts).await?, 6);
        assert_eq!((&head, &tail[..4]), (b"on", b"etwo".as_slice()));
        Ok(())
    });
}

#[test]
fn a_peek_takes_nothing() {
    run(async {
        let (mut client, server) = pair().await?;
        client.write_all(b"look").await?;
        let mut seen = [0; 4];
        for _ in 0..2 {
            assert_eq!(server.peek(&mut seen).await?, 4);
        }
        server.readable().await;
        assert_eq!(server.try_read(&mut seen)?, 4);
        assert_eq!(
            server.try_read(&mut seen).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
        Ok(())
    });
}

#[test]
fn many_tasks_wait_on_one_listener() {
    run(async {
        let (listener, address) = listener().await?;
        let listener = Rc::new(listener);
        let accepted = Rc::new(Cell::new(0));
        let tasks: Vec<_> = (0..5)
            .map(|_| {
                let (listener, accepted) = (listener.clone(), accepted.clone());
                create_task(async move {
                    listener.accept().await?;
                    accepted.set(accepted.get() + 1);
                    io::Result::Ok(())
                })
            })
            .collect();
        yield_now().await;
        for _ in 0..5 {
            drop(TcpStream::connect(address).await?);
        }
        for outcome in gather(tasks).await {
            outcome.expect("not cancelled")?;
        }
        assert_eq!(accepted.get(), 5);
        Ok(())
    });
}

#[test]
fn halves_find_each_other_again() {
    run(async {
        let ((one, other), (foreign, _)) = (pair().await?, pair().await?);
        let (read, write) = one.into_split();
        let (foreign_read, foreign_write) = foreign.into_split();
        let error = read.reunite(foreign_write).unwrap_err();
        let mut one = error.0.reunite(write).expect("they are of one stream");
        one.write_all(b"still open").await?;
        drop((one, error.1, foreign_read));
        let mut text = String::new();
        (&other).read_to_string(&mut text).await?;
        assert_eq!(text, "still open");
        Ok(())
    });
}

#[test]
fn incoming_is_a_stream_of_connections() {
    run(async {
        let (listener, address) = listener().await?;
        let clients = gather((0..3).map(|_| TcpStream::connect(address))).await;
        let accepted: Vec<_> = listener.incoming().take(3).collect().await;
        assert_eq!(clients.len(), accepted.len());
        Ok(())
    });
}

#[test]
fn trap_085_a_blocking_socket_is_made_non_blocking() {
    run(async {
        let blocking = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let mut thread = std::net::TcpStream::connect(blocking.local_addr()?)?;
        let listener = TcpListener::from_std(blocking)?;
        let (stream, _) = listener.accept().await?;
        let early = timeout(Duration::from_millis(5), (&stream).read(&mut [0; 8])).await;
        assert!(early.is_err());
        thread.write_all(b"now")?;
        let mut word = [0; 3];
        (&stream).read_exact(&mut word).await?;

        // And back: off this loop, onto a thread.
        let mut back = stream.into_std();
        back.set_nonblocking(false)?;
        thread.write_all(b"end")?;
        back.read_exact(&mut word)?;
        assert_eq!(&word, b"end");
        let again = TcpStream::from_std(back)?;
        (&again).write_all(b"bye").await?;
        thread.read_exact(&mut word)?;
        assert!(listener.into_std().local_addr().is_ok());
        Ok(())
    });
}

#[test]
fn a_socket_outside_of_a_loop_is_an_error() {
    let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let error = TcpListener::from_std(socket).unwrap_err();
    assert!(error.to_string().contains("loop"), "{error}");
}
