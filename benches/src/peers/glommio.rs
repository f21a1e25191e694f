//! glommio: io_uring, one thread.

use super::mailbox;
use crate::Echo;
use crate::runtime::{Exchange, Part, Remote, Runtime, Setup};
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt};
use glommio::channels::local_channel;
use glommio::net::{TcpStream, UdpSocket};
use glommio::sync::{RwLock, Semaphore};
use glommio::{LocalExecutor, LocalExecutorBuilder, Placement, PoolPlacement};
use socket2_0_4::Socket;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// glommio on one thread.
pub struct Glommio;

impl Runtime for Glommio {
    const NAME: &'static str = "glommio";

    fn lacks(part: Part) -> Option<String> {
        match part {
            Part::Tasks => {
                let refused = make(Setup::default()).err();
                refused.map(|error| format!("it cannot be made here: {error}"))
            }
            Part::Exchange(Exchange::Event) => Some("it has no event".to_owned()),
            Part::Http => Some("it has no traits of hyper's".to_owned()),
            _ => None,
        }
    }

    fn start<F: Future<Output: 'static> + 'static>(setup: Setup, main: F) -> F::Output {
        make(setup).expect("`lacks` made one").run(main)
    }

    fn spawn<F: Future<Output: 'static> + 'static>(
        future: F,
    ) -> impl Future<Output = F::Output> + 'static {
        let joined = glommio::spawn_local(future).detach();
        joined.map(|ended| ended.expect("nobody cancels it"))
    }

    async fn yield_now() {
        glommio::executor().yield_now().await;
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> {
        glommio::timer::sleep(duration)
    }

    async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
        let future = async { glommio::Result::<_, ()>::Ok(future.await) };
        glommio::timer::timeout(limit, future).await.ok()
    }

    async fn exchange(what: Exchange, count: u64) -> u64 {
        match what {
            Exchange::Lock => lock(count).await,
            Exchange::Semaphore => semaphore(count).await,
            Exchange::Event => unreachable!("it is lacking"),
            Exchange::Queue => queue(count).await,
            Exchange::PingPong => ping_pong(count).await,
        }
    }

    fn remote() -> Box<dyn Remote> {
        // Its own channels need an executor at both ends, and these senders are
        // plain threads.
        mailbox::remote::<Self>()
    }

    fn offload(value: u64) -> impl Future<Output = u64> + 'static {
        glommio::executor().spawn_blocking(move || value)
    }

    async fn echo_tcp(echo: Echo) -> io::Result<u64> {
        // It takes over no listener but one of its own binding, and connections
        // only as sockets: accepting is not what is measured.
        let listener = Arc::new(echo.listener.try_clone()?);
        let mut tasks = Vec::new();
        for _ in 0..echo.connections {
            let listener = listener.clone();
            let accepting = glommio::executor().spawn_blocking(move || listener.accept());
            let (accepted, _) = accepting.await?;
            accepted.set_nodelay(true)?;
            let mut stream = TcpStream::from(Socket::from(accepted));
            let handler = echo.handler();
            tasks.push(Self::spawn(async move {
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
            echoed += task.await?;
        }
        Ok(echoed)
    }

    async fn echo_udp(socket: std::net::UdpSocket) -> io::Result<u64> {
        let socket = UdpSocket::from(Socket::from(socket));
        let mut buffer = vec![0; 1 << 16];
        let mut echoed = 0;
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await?;
            if length == 0 {
                return Ok(echoed);
            }
            echoed += socket.send_to(&buffer[..length], from).await? as u64;
        }
    }
}

fn make(setup: Setup) -> glommio::Result<LocalExecutor, ()> {
    let mut builder = LocalExecutorBuilder::new(Placement::Unbound);
    if let Some(threads) = setup.blocking {
        builder = builder.blocking_thread_pool_placement(PoolPlacement::Unbound(threads));
    }
    builder.make()
}

async fn lock(count: u64) -> u64 {
    let lock = RwLock::new(0);
    for _ in 0..count {
        *lock.write().await.expect("nobody closes it") += 1;
    }
    lock.into_inner().expect("nobody closes it")
}

async fn semaphore(count: u64) -> u64 {
    let semaphore = Semaphore::new(4);
    let mut done = 0;
    for _ in 0..count {
        let permit = semaphore.acquire_permit(1).await;
        let _permit = permit.expect("nobody closes it");
        done += 1;
    }
    done
}

async fn queue(count: u64) -> u64 {
    let (put, get) = local_channel::new_bounded(16);
    let mut last = 0;
    for value in 1..=count {
        put.send(value).await.expect("the receiver is here");
        last = get.recv().await.expect("so is the sender");
    }
    last
}

async fn ping_pong(count: u64) -> u64 {
    let (there, from_here) = local_channel::new_bounded(1);
    let (back, from_there) = local_channel::new_bounded(1);
    let partner = Glommio::spawn(async move {
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
    partner.await;
    value
}
