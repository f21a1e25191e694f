//! runite: io_uring on Linux, tasks in the manner of a browser's event loop.

use crate::Echo;
use crate::runtime::{Exchange, Part, Remote, Runtime, Setup};
use futures::FutureExt;
use futures::channel::oneshot;
use runite::channel::mpsc;
use runite::io::{AsyncReadExt, AsyncWriteExt};
use runite::net::{TcpListener, UdpSocket};
use runite::sync::{Mutex, Notify, Semaphore};
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// runite on one thread.
pub struct Runite;

impl Runtime for Runite {
    const NAME: &'static str = "runite";

    fn lacks(part: Part) -> Option<String> {
        match part {
            // Made on a thread of its own: a thread keeps the one it has.
            Part::Tasks => {
                let made = thread::spawn(|| runite::try_block_on(async {})).join();
                let refused = made.expect("it does not panic").err();
                refused.map(|error| format!("it cannot be made here: {error}"))
            }
            Part::Http => Some("hyper's traits for it are another feature".to_owned()),
            _ => None,
        }
    }

    fn start<F: Future<Output: 'static> + 'static>(_setup: Setup, main: F) -> F::Output {
        runite::block_on(main)
    }

    fn spawn<F: Future<Output: 'static> + 'static>(
        future: F,
    ) -> impl Future<Output = F::Output> + 'static {
        let joined = runite::spawn(future);
        joined.map(|ended| ended.expect("no task of a scenario fails"))
    }

    fn yield_now() -> impl Future<Output = ()> {
        runite::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> {
        runite::time::sleep(duration)
    }

    async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
        let in_time = async { Some(future.await) };
        let too_late = async {
            runite::time::sleep(limit).await;
            None
        };
        smol::future::or(in_time, too_late).await
    }

    async fn exchange(what: Exchange, count: u64) -> u64 {
        exchange(what, count).await
    }

    fn remote() -> Box<dyn Remote> {
        let (send, receive) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            runite::block_on(async move {
                let sent = send.send(runite::current_thread_handle());
                sent.expect("the starter waits");
                stopped.await.expect("the sender says stop");
            });
        });
        let handle = receive.recv().expect("the thread sends it");
        Box::new(OtherThread {
            handle,
            stop,
            thread,
        })
    }

    fn offload(value: u64) -> impl Future<Output = u64> + 'static {
        let call = runite::spawn_blocking(move || value);
        async {
            let call = call.expect("a thread is there for it");
            call.await.expect("the thread runs it")
        }
    }

    async fn echo_tcp(echo: Echo) -> io::Result<u64> {
        let listener = TcpListener::from_std(echo.listener.try_clone()?)?;
        let mut tasks = Vec::new();
        for _ in 0..echo.connections {
            let (mut stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
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
        let socket = UdpSocket::from_std(socket)?;
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

async fn exchange(what: Exchange, count: u64) -> u64 {
    let mut done = 0;
    match what {
        Exchange::Lock => {
            let lock = Mutex::new(0);
            for _ in 0..count {
                *lock.lock().await += 1;
            }
            done = *lock.lock().await;
        }
        Exchange::Semaphore => {
            let semaphore = Semaphore::new(4);
            for _ in 0..count {
                let _permit = semaphore.acquire().await;
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
    let partner = Runite::spawn(async move {
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

/// A runtime on a thread of its own, that takes macrotasks.
struct OtherThread {
    handle: runite::ThreadHandle,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl OtherThread {
    fn submit(&self, value: u64) -> oneshot::Receiver<u64> {
        let (answer, answered) = oneshot::channel();
        let queued = self.handle.queue_macrotask(move || {
            // Nobody joins the task: its answer comes through the channel.
            drop(runite::spawn(async move { answer.send(value) }));
        });
        queued.expect("the runtime runs");
        answered
    }
}

impl Remote for OtherThread {
    fn round_trip(&self, value: u64) -> u64 {
        futures::executor::block_on(self.submit(value)).expect("the runtime runs")
    }

    fn batch(&self, values: Range<u64>) -> u64 {
        let pending: Vec<_> = values.map(|value| self.submit(value)).collect();
        futures::executor::block_on(async {
            let mut sum = 0;
            for answered in pending {
                sum += answered.await.expect("the runtime runs");
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
                answered(self.submit(value).await.expect("the runtime runs"));
            }
        })
    }

    fn stop(self: Box<Self>) {
        self.stop.send(()).expect("the runtime waits for it");
        self.thread.join().expect("the runtime ends in peace");
    }
}
