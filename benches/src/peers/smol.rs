//! smol: a `LocalExecutor` for the tasks of one thread, an `Executor` where
//! other threads send work.

use crate::Echo;
use crate::runtime::{Exchange, Part, Remote, Runtime, Setup};
use futures::{AsyncReadExt, AsyncWriteExt};
use smol::lock::{Mutex, Semaphore};
use smol::{Async, Executor, LocalExecutor, Task, Timer, channel};
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// smol on one thread; its reactor has a thread of its own.
pub struct Smol;

thread_local! {
    static LOCAL: LocalExecutor<'static> = const { LocalExecutor::new() };
}

impl Runtime for Smol {
    const NAME: &'static str = "smol";

    fn lacks(part: Part) -> Option<String> {
        match part {
            Part::Exchange(Exchange::Event) => Some("it has no event that stays set".to_owned()),
            Part::Http => Some("hyper's traits for it are in another crate".to_owned()),
            _ => None,
        }
    }

    fn start<F: Future<Output: 'static> + 'static>(_setup: Setup, main: F) -> F::Output {
        LOCAL.with(|local| smol::block_on(local.run(main)))
    }

    fn spawn<F: Future<Output: 'static> + 'static>(
        future: F,
    ) -> impl Future<Output = F::Output> + 'static {
        Joined(Some(LOCAL.with(|local| local.spawn(future))))
    }

    fn yield_now() -> impl Future<Output = ()> {
        smol::future::yield_now()
    }

    async fn sleep(duration: Duration) {
        Timer::after(duration).await;
    }

    async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
        let in_time = async { Some(future.await) };
        let too_late = async {
            Timer::after(limit).await;
            None
        };
        smol::future::or(in_time, too_late).await
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
        let executor = Arc::new(Executor::new());
        let (stop, stopped) = channel::bounded::<()>(1);
        let thread = thread::spawn({
            let executor = executor.clone();
            move || {
                let ended = smol::block_on(executor.run(stopped.recv()));
                ended.expect_err("nothing is sent; the channel's end says stop");
            }
        });
        Box::new(OtherThread {
            executor,
            stop,
            thread,
        })
    }

    fn offload(value: u64) -> impl Future<Output = u64> + 'static {
        smol::unblock(move || value)
    }

    async fn echo_tcp(echo: Echo) -> io::Result<u64> {
        let listener = Async::<TcpListener>::new(echo.listener.try_clone()?)?;
        let mut tasks = Vec::new();
        for _ in 0..echo.connections {
            let (mut stream, _) = listener.accept().await?;
            stream.get_ref().set_nodelay(true)?;
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

    async fn echo_udp(socket: UdpSocket) -> io::Result<u64> {
        let socket = Async::<UdpSocket>::new(socket)?;
        let mut buffer = vec![0; 1 << 16];
        let mut echoed = 0;
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await?;
            if length == 0 {
                return Ok(echoed);
            }
            socket.send_to(&buffer[..length], from).await?;
            echoed += length as u64;
        }
    }
}

/// A task that runs on when nobody waits for it any more.
struct Joined<T>(Option<Task<T>>);

impl<T> Future for Joined<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let task = self.0.as_mut().expect("it is taken when it is dropped");
        Pin::new(task).poll(cx)
    }
}

impl<T> Drop for Joined<T> {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.detach();
        }
    }
}

async fn lock(count: u64) -> u64 {
    let lock = Mutex::new(0);
    for _ in 0..count {
        *lock.lock().await += 1;
    }
    lock.into_inner()
}

async fn semaphore(count: u64) -> u64 {
    let semaphore = Semaphore::new(4);
    let mut done = 0;
    for _ in 0..count {
        let _permit = semaphore.acquire().await;
        done += 1;
    }
    done
}

async fn queue(count: u64) -> u64 {
    let (put, get) = channel::bounded(16);
    let mut last = 0;
    for value in 1..=count {
        put.send(value).await.expect("the receiver is here");
        last = get.recv().await.expect("so is the sender");
    }
    last
}

async fn ping_pong(count: u64) -> u64 {
    let (there, from_here) = channel::bounded(1);
    let (back, from_there) = channel::bounded(1);
    let partner = Smol::spawn(async move {
        while let Ok(value) = from_here.recv().await {
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

/// An executor that a thread of its own runs.
struct OtherThread {
    executor: Arc<Executor<'static>>,
    stop: channel::Sender<()>,
    thread: JoinHandle<()>,
}

impl Remote for OtherThread {
    fn round_trip(&self, value: u64) -> u64 {
        smol::block_on(self.executor.spawn(async move { value }))
    }

    fn batch(&self, values: Range<u64>) -> u64 {
        let submit = |value| self.executor.spawn(async move { value });
        let pending: Vec<_> = values.map(submit).collect();
        smol::block_on(async {
            let mut sum = 0;
            for task in pending {
                sum += task.await;
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
                answered(self.executor.spawn(async move { value }).await);
            }
        })
    }

    fn stop(self: Box<Self>) {
        drop(self.stop);
        self.thread.join().expect("the executor ends in peace");
    }
}
