//! monoio, with epoll and with io_uring.

use super::{local_sync, mailbox};
use crate::Echo;
use crate::runtime::{Exchange, Part, Remote, Runtime, Setup};
use monoio::blocking::DefaultThreadPool;
use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::udp::UdpSocket;
use monoio::net::{TcpListener, TcpStream};
use monoio::{IoUringDriver, LegacyDriver, RuntimeBuilder};
use std::io;
use std::time::Duration;

/// monoio on one thread, with the driver that it is told.
pub struct Monoio<D>(D);

/// With epoll.
pub enum Epoll {}
/// With io_uring.
pub enum Uring {}

/// Threads for blocking calls, where the scenario says nothing: monoio itself
/// has none unless it is given a pool.
const BLOCKING: usize = 4;

/// What the two drivers differ in.
pub trait Driver: 'static {
    /// The peer's name.
    const NAME: &'static str;
    /// How its sockets have to be.
    const NONBLOCKING: bool;

    /// Why it cannot run here.
    fn lacks() -> Option<String>;

    /// Makes the runtime and runs `main`.
    fn run<F: Future<Output: 'static>>(pool: Box<DefaultThreadPool>, main: F) -> F::Output;
}

impl Driver for Epoll {
    const NAME: &'static str = "monoio-epoll";
    const NONBLOCKING: bool = true;

    fn lacks() -> Option<String> {
        None
    }

    fn run<F: Future<Output: 'static>>(pool: Box<DefaultThreadPool>, main: F) -> F::Output {
        let builder = RuntimeBuilder::<LegacyDriver>::new().enable_timer();
        let runtime = builder.attach_thread_pool(pool).build();
        runtime.expect("descriptors to spare").block_on(main)
    }
}

impl Driver for Uring {
    const NAME: &'static str = "monoio-uring";
    const NONBLOCKING: bool = false;

    fn lacks() -> Option<String> {
        let refused = RuntimeBuilder::<IoUringDriver>::new().build().err();
        refused.map(|error| format!("no io_uring here: {error}"))
    }

    fn run<F: Future<Output: 'static>>(pool: Box<DefaultThreadPool>, main: F) -> F::Output {
        let builder = RuntimeBuilder::<IoUringDriver>::new().enable_timer();
        let runtime = builder.attach_thread_pool(pool).build();
        runtime.expect("`lacks` made one").block_on(main)
    }
}

impl<D: Driver> Runtime for Monoio<D> {
    const NAME: &'static str = D::NAME;

    fn lacks(part: Part) -> Option<String> {
        match part {
            Part::Tasks => D::lacks(),
            Part::Exchange(what) => local_sync::lacks(what),
            Part::Http => Some("hyper's traits for it are in another crate".to_owned()),
            _ => None,
        }
    }

    fn start<F: Future<Output: 'static> + 'static>(setup: Setup, main: F) -> F::Output {
        let pool = DefaultThreadPool::new(setup.blocking.unwrap_or(BLOCKING));
        D::run(Box::new(pool), main)
    }

    fn spawn<F: Future<Output: 'static> + 'static>(
        future: F,
    ) -> impl Future<Output = F::Output> + 'static {
        monoio::spawn(future)
    }

    fn yield_now() -> impl Future<Output = ()> {
        // It has none of its own; this one wakes itself once.
        smol::future::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> {
        monoio::time::sleep(duration)
    }

    async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
        monoio::time::timeout(limit, future).await.ok()
    }

    async fn exchange(what: Exchange, count: u64) -> u64 {
        local_sync::exchange::<Self>(what, count).await
    }

    fn remote() -> Box<dyn Remote> {
        mailbox::remote::<Self>()
    }

    fn offload(value: u64) -> impl Future<Output = u64> + 'static {
        let call = monoio::spawn_blocking(move || value);
        async { call.await.expect("a thread runs it") }
    }

    async fn echo_tcp(echo: Echo) -> io::Result<u64> {
        let listener = echo.listener.try_clone()?;
        listener.set_nonblocking(D::NONBLOCKING)?;
        let listener = TcpListener::from_std(listener)?;
        let mut tasks = Vec::new();
        for _ in 0..echo.connections {
            let (mut stream, _): (TcpStream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let handler = echo.handler();
            tasks.push(monoio::spawn(async move {
                // The kernel has the buffer while it reads or writes.
                let mut buffer = Vec::with_capacity(handler.buffer);
                let mut echoed = 0;
                loop {
                    let read;
                    (read, buffer) = stream.read(buffer).await;
                    if read? == 0 {
                        return io::Result::Ok(echoed);
                    }
                    handler.work(&buffer);
                    let written;
                    (written, buffer) = stream.write_all(buffer).await;
                    echoed += written? as u64;
                }
            }));
        }
        let mut echoed = 0;
        for task in tasks {
            echoed += task.await?;
        }
        Ok(echoed)
    }

    async fn echo_udp(socket: std::net::UdpSocket) -> io::Result<u64> {
        socket.set_nonblocking(D::NONBLOCKING)?;
        let socket = UdpSocket::from_std(socket)?;
        let mut buffer = Vec::with_capacity(1 << 16);
        let mut echoed = 0;
        loop {
            let read;
            (read, buffer) = socket.recv_from(buffer).await;
            let (length, from) = read?;
            if length == 0 {
                return Ok(echoed);
            }
            let sent;
            (sent, buffer) = socket.send_to(buffer, from).await;
            echoed += sent? as u64;
        }
    }
}
