//! compio, with io_uring on Linux.

use super::{local_sync, mailbox};
use crate::Echo;
use crate::runtime::{Exchange, Part, Remote, Runtime, Setup};
use compio::buf::BufResult;
use compio::driver::ProactorBuilder;
use compio::io::{AsyncRead, AsyncWriteExt};
use compio::net::{TcpListener, UdpSocket};
use compio::runtime::{JoinHandle, ResumeUnwind, RuntimeBuilder};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// compio on one thread.
pub struct Compio;

impl Runtime for Compio {
    const NAME: &'static str = "compio";

    fn lacks(part: Part) -> Option<String> {
        match part {
            Part::Tasks => {
                let refused = RuntimeBuilder::new().build().err();
                refused.map(|error| format!("it cannot be made here: {error}"))
            }
            Part::Exchange(what) => local_sync::lacks(what),
            Part::Http => Some("hyper's traits for it are in another crate".to_owned()),
            _ => None,
        }
    }

    fn start<F: Future<Output: 'static> + 'static>(setup: Setup, main: F) -> F::Output {
        let mut proactor = ProactorBuilder::new();
        if let Some(threads) = setup.blocking {
            proactor.thread_pool_limit(threads);
        }
        let runtime = RuntimeBuilder::new().with_proactor(proactor).build();
        runtime.expect("`lacks` made one").block_on(main)
    }

    fn spawn<F: Future<Output: 'static> + 'static>(
        future: F,
    ) -> impl Future<Output = F::Output> + 'static {
        Joined(Some(compio::runtime::spawn(future)))
    }

    fn yield_now() -> impl Future<Output = ()> {
        // It has none of its own; this one wakes itself once.
        smol::future::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> {
        compio::time::sleep(duration)
    }

    async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
        compio::time::timeout(limit, future).await.ok()
    }

    async fn exchange(what: Exchange, count: u64) -> u64 {
        local_sync::exchange::<Self>(what, count).await
    }

    fn remote() -> Box<dyn Remote> {
        // Its own dispatcher is the same: a channel of flume's and one answer each.
        mailbox::remote::<Self>()
    }

    fn offload(value: u64) -> impl Future<Output = u64> + 'static {
        let call = compio::runtime::spawn_blocking(move || value);
        async { call.await.resume_unwind().expect("a thread runs it") }
    }

    async fn echo_tcp(echo: Echo) -> io::Result<u64> {
        let listener = TcpListener::from_std(echo.listener.try_clone()?)?;
        let mut tasks = Vec::new();
        for _ in 0..echo.connections {
            let (mut stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let handler = echo.handler();
            tasks.push(Self::spawn(async move {
                // The kernel has the buffer while it reads or writes.
                let mut buffer = Vec::with_capacity(handler.buffer);
                let mut echoed = 0;
                loop {
                    buffer.clear();
                    let BufResult(read, back) = stream.read(buffer).await;
                    buffer = back;
                    let length = read?;
                    if length == 0 {
                        return io::Result::Ok(echoed);
                    }
                    handler.work(&buffer);
                    let BufResult(written, back) = stream.write_all(buffer).await;
                    written?;
                    buffer = back;
                    echoed += length as u64;
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
        let socket = UdpSocket::from_std(socket)?;
        let mut buffer = Vec::with_capacity(1 << 16);
        let mut echoed = 0;
        loop {
            buffer.clear();
            let BufResult(read, back) = socket.recv_from(buffer).await;
            let (length, from) = read?;
            if length == 0 {
                return Ok(echoed);
            }
            let BufResult(sent, back) = socket.send_to(back, from).await;
            echoed += sent? as u64;
            buffer = back;
        }
    }
}

/// A task that runs on when nobody waits for it any more.
struct Joined<T>(Option<JoinHandle<T>>);

impl<T> Future for Joined<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let task = self.0.as_mut().expect("it is taken when it is dropped");
        let ended = Pin::new(task).poll(cx);
        ended.map(|ended| ended.resume_unwind().expect("nobody cancels it"))
    }
}

impl<T> Drop for Joined<T> {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.detach();
        }
    }
}
