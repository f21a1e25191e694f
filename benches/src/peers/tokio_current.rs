//! tokio's current-thread runtime, and what its kinds have in common.

use super::assume_send::AssumeSend;
use crate::Echo;
use crate::runtime::{Exchange, Remote, Runtime, Setup};
use futures::FutureExt;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Mutex, Notify, Semaphore, mpsc, oneshot};

/// tokio on one thread.
pub struct TokioCurrent;

impl Runtime for TokioCurrent {
    const NAME: &'static str = "tokio";

    fn start<F: Future<Output: 'static> + 'static>(setup: Setup, main: F) -> F::Output {
        build(Builder::new_current_thread(), setup).block_on(main)
    }

    fn spawn<F: Future<Output: 'static> + 'static>(
        future: F,
    ) -> impl Future<Output = F::Output> + 'static {
        let joined = tokio::spawn(AssumeSend(future));
        joined.map(|ended| ended.expect("no task of a scenario fails").0)
    }

    fn yield_now() -> impl Future<Output = ()> {
        tokio::task::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> {
        tokio::time::sleep(duration)
    }

    async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
        tokio::time::timeout(limit, future).await.ok()
    }

    async fn exchange(what: Exchange, count: u64) -> u64 {
        exchange(what, count).await
    }

    fn remote() -> Box<dyn Remote> {
        remote(build(Builder::new_current_thread(), Setup::default()))
    }

    fn offload(value: u64) -> impl Future<Output = u64> + 'static {
        let call = tokio::task::spawn_blocking(move || value);
        async { call.await.expect("a thread runs it") }
    }

    async fn echo_tcp(echo: Echo) -> io::Result<u64> {
        echo_tcp(echo).await
    }

    async fn echo_udp(socket: std::net::UdpSocket) -> io::Result<u64> {
        echo_udp(socket).await
    }

    async fn http(listener: std::net::TcpListener, connections: usize) -> io::Result<()> {
        http(listener, connections).await
    }
}

/// Makes one of tokio's runtimes.
pub fn build(mut builder: Builder, setup: Setup) -> tokio::runtime::Runtime {
    if let Some(threads) = setup.blocking {
        builder.max_blocking_threads(threads);
    }
    let runtime = builder.enable_all().build();
    runtime.expect("a bench machine has descriptors to spare")
}

/// tokio's primitives, for every kind of its runtimes.
pub async fn exchange(what: Exchange, count: u64) -> u64 {
    let mut done = 0;
    match what {
        Exchange::Lock => {
            let lock = Mutex::new(0);
            for _ in 0..count {
                *lock.lock().await += 1;
            }
            done = lock.into_inner();
        }
        Exchange::Semaphore => {
            let semaphore = Semaphore::new(4);
            for _ in 0..count {
                let _permit = semaphore.acquire().await.expect("nobody closes it");
                done += 1;
            }
        }
        Exchange::Event => {
            // Nearest to an event: a kept notification, taken by the wait.
            let notify = Notify::new();
            for _ in 0..count {
                notify.notify_one();
                notify.notified().await;
                done += 1;
            }
        }
        Exchange::Queue => {
            let (put, mut get) = mpsc::channel(16);
            for value in 1..=count {
                put.send(value).await.expect("the receiver is here");
                done = get.recv().await.expect("so is the sender");
            }
        }
        Exchange::PingPong => done = ping_pong(count).await,
    }
    done
}

async fn ping_pong(count: u64) -> u64 {
    let (there, mut from_here) = mpsc::channel(1);
    let (back, mut from_there) = mpsc::channel(1);
    let partner = tokio::spawn(async move {
        while let Some(value) = from_here.recv().await {
            back.send(value + 1).await.expect("the other waits");
        }
    });
    let mut value = 0_u64;
    for _ in 0..count {
        there.send(value).await.expect("the partner waits");
        value = from_there.recv().await.expect("the partner answers");
    }
    drop(there);
    partner.await.expect("the partner plays to the end");
    value
}

/// tokio's echo server, for every kind of its runtimes with `tokio::spawn`.
pub async fn echo_tcp(echo: Echo) -> io::Result<u64> {
    let listener = echo.listener.try_clone()?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut tasks = Vec::new();
    for _ in 0..echo.connections {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let handler = echo.handler();
        tasks.push(tokio::spawn(async move {
            let mut buffer = vec![0; handler.buffer];
            let mut echoed = 0;
            loop {
                let length = stream.read(&mut buffer).await?;
                if length == 0 {
                    return io::Result::Ok(echoed);
                }
                handler.work(&buffer[..length]);
                stream.write_all(&buffer[..length]).await?;
                echoed += length as u64;
            }
        }));
    }
    let mut echoed = 0;
    for task in tasks {
        echoed += task.await??;
    }
    Ok(echoed)
}

/// tokio's echo of datagrams, for every kind of its runtimes.
pub async fn echo_udp(socket: std::net::UdpSocket) -> io::Result<u64> {
    socket.set_nonblocking(true)?;
    let socket = tokio::net::UdpSocket::from_std(socket)?;
    let mut buffer = vec![0; 2048];
    let mut echoed = 0;
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await?;
        if length == 0 {
            return Ok(echoed);
        }
        echoed += socket.send_to(&buffer[..length], from).await? as u64;
    }
}

/// hyper on tokio, for every kind of its runtimes with `tokio::spawn`.
pub async fn http(listener: std::net::TcpListener, connections: usize) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tasks.push(tokio::spawn(async move {
            let served = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(crate::http::answer));
            served.await.map_err(io::Error::other)
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

/// Any of tokio's runtimes on a thread of its own.
pub fn remote(runtime: tokio::runtime::Runtime) -> Box<dyn Remote> {
    remote_of(|send, stopped| {
        send.send(runtime.handle().clone())
            .expect("the receiver is here");
        thread::spawn(move || {
            runtime.block_on(stopped).expect("the sender says stop");
        })
    })
}

/// What `start` starts: it sends its handle, and runs until it is stopped.
pub fn remote_of(
    start: impl FnOnce(std::sync::mpsc::Sender<Handle>, oneshot::Receiver<()>) -> JoinHandle<()>,
) -> Box<dyn Remote> {
    let (send, receive) = std::sync::mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    let thread = start(send, stopped);
    let handle = receive.recv().expect("the thread sends it");
    Box::new(OtherThread {
        handle,
        stop,
        thread,
    })
}

struct OtherThread {
    handle: Handle,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Remote for OtherThread {
    fn round_trip(&self, value: u64) -> u64 {
        let (send, receive) = oneshot::channel();
        // Its answer comes through the channel.
        drop(self.handle.spawn(async move { send.send(value) }));
        receive.blocking_recv().expect("the runtime runs")
    }

    fn batch(&self, values: Range<u64>) -> u64 {
        let submit = |value| self.handle.spawn(async move { value });
        let pending: Vec<_> = values.map(submit).collect();
        futures::executor::block_on(async {
            let mut sum = 0;
            for joined in pending {
                sum += joined.await.expect("the runtime runs");
            }
            sum
        })
    }

    fn ask<'a>(
        &'a self,
        values: Range<u64>,
        answered: &'a mut dyn FnMut(u64),
    ) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        Box::pin(async move {
            for value in values {
                let joined = self.handle.spawn(async move { value });
                answered(joined.await.expect("the runtime runs"));
            }
        })
    }

    fn stop(self: Box<Self>) {
        self.stop.send(()).expect("the runtime waits for it");
        self.thread.join().expect("the runtime ends in peace");
    }
}
