//! polyloop and its bridge.

use super::Peer;
use crate::Echo;
use crate::runtime::{Exchange, Remote, Runtime, Setup};
use crate::scenario::channels::Channel;
use crate::scenario::submitting;
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt};
use hyper::service::service_fn;
use polyloop::compat::hyper::HyperIo;
use polyloop::sync::{Event, Lock, Queue, Semaphore};
use polyloop::{Builder, EventLoop};
use polyloop_bridge::{
    Submission, ThreadPoolExecutor, channel, run_coroutine_threadsafe, run_in_executor,
};
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{OnceLock, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The runtime of this repository.
pub struct Polyloop;

/// Where blocking calls go, if the scenario says with how many threads.
static POOL: OnceLock<ThreadPoolExecutor> = OnceLock::new();

impl Runtime for Polyloop {
    const NAME: &'static str = "polyloop";

    fn start<F: Future<Output: 'static> + 'static>(setup: Setup, main: F) -> F::Output {
        if let Some(workers) = setup.blocking {
            POOL.get_or_init(|| {
                let builder = ThreadPoolExecutor::builder().max_workers(workers);
                builder.build().expect("it starts no thread yet")
            });
        }
        polyloop::run(main).expect("a bench machine has descriptors to spare")
    }

    fn spawn<F: Future<Output: 'static> + 'static>(
        future: F,
    ) -> impl Future<Output = F::Output> + 'static {
        let task = polyloop::create_task(future);
        task.map(|ended| ended.expect("no task of a scenario fails"))
    }

    fn yield_now() -> impl Future<Output = ()> {
        polyloop::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> {
        polyloop::sleep(duration)
    }

    async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
        polyloop::timeout(limit, future).await.ok()
    }

    async fn exchange(what: Exchange, count: u64) -> u64 {
        match what {
            Exchange::Lock => lock(count).await,
            Exchange::Semaphore => semaphore(count).await,
            Exchange::Event => event(count).await,
            Exchange::Queue => queue(count).await,
            Exchange::PingPong => ping_pong(count).await,
        }
    }

    fn remote() -> Box<dyn Remote> {
        Box::new(Loop::start(EventLoop::builder))
    }

    fn offload(value: u64) -> impl Future<Output = u64> + 'static {
        let call = run_in_executor(POOL.get(), move || value);
        async { call.await.expect("a worker runs it") }
    }

    async fn echo_tcp(echo: Echo) -> io::Result<u64> {
        let listener = polyloop::net::TcpListener::from_std(echo.listener.try_clone()?)?;
        let mut tasks = Vec::new();
        for _ in 0..echo.connections {
            let (mut stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let handler = echo.handler();
            tasks.push(polyloop::create_task(async move {
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
            echoed += task.await.map_err(io::Error::other)??;
        }
        Ok(echoed)
    }

    async fn echo_udp(socket: std::net::UdpSocket) -> io::Result<u64> {
        let socket = polyloop::net::UdpSocket::from_std(socket)?;
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

    async fn http(listener: std::net::TcpListener, connections: usize) -> io::Result<()> {
        let listener = polyloop::net::TcpListener::from_std(listener)?;
        let mut tasks = Vec::new();
        for _ in 0..connections {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tasks.push(polyloop::create_task(answer_http(stream)));
        }
        for task in tasks {
            task.await.map_err(io::Error::other)??;
        }
        Ok(())
    }
}

/// Loops that never spin: every wait is a sleep, every arrival a wake.
pub fn parked() -> Peer {
    Peer {
        name: Parked::NAME,
        about: "polyloop with spinning turned off".to_owned(),
        lacks: Parked::lacks,
        runs: vec![
            ("submit-cold", submitting::cold::<Parked>),
            ("loop-to-loop", submitting::loop_to_loop::<Parked>),
            (
                "loop-to-loop-one-core",
                submitting::loop_to_loop_on_one_core::<Parked>,
            ),
            (
                "loop-to-loop-two-cores",
                submitting::loop_to_loop_on_two_cores::<Parked>,
            ),
        ],
    }
}

struct Parked;

impl Parked {
    fn builder() -> Builder {
        EventLoop::builder().busy_poll(Duration::ZERO)
    }
}

impl Runtime for Parked {
    const NAME: &'static str = "polyloop-parked";

    fn start<F: Future<Output: 'static> + 'static>(_: Setup, main: F) -> F::Output {
        let mut looped = Self::builder().build().expect("descriptors to spare");
        looped.run_until_complete(main).expect("nobody stops it")
    }

    fn spawn<F: Future<Output: 'static> + 'static>(
        future: F,
    ) -> impl Future<Output = F::Output> + 'static {
        Polyloop::spawn(future)
    }

    fn yield_now() -> impl Future<Output = ()> {
        Polyloop::yield_now()
    }

    fn remote() -> Box<dyn Remote> {
        Box::new(Loop::start(Self::builder))
    }
}

/// One connection of the HTTP scenario.
async fn answer_http(stream: polyloop::net::TcpStream) -> io::Result<()> {
    let served = hyper::server::conn::http1::Builder::new()
        .serve_connection(HyperIo::new(stream), service_fn(crate::http::answer));
    served.await.map_err(io::Error::other)
}

async fn lock(count: u64) -> u64 {
    let lock = Lock::new(0);
    for _ in 0..count {
        *lock.acquire().await += 1;
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

async fn event(count: u64) -> u64 {
    let event = Event::new();
    let mut done = 0;
    for _ in 0..count {
        event.set();
        event.wait().await;
        event.clear();
        done += 1;
    }
    done
}

async fn queue(count: u64) -> u64 {
    let queue = Queue::new(16);
    let mut last = 0;
    for value in 1..=count {
        queue.put(value).await.expect("it is not shut down");
        last = queue.get().await.expect("nor emptied by others");
    }
    last
}

async fn ping_pong(count: u64) -> u64 {
    let there = Rc::new(Queue::new(1));
    let back = Rc::new(Queue::new(1));
    let partner = polyloop::create_task({
        let (there, back) = (there.clone(), back.clone());
        async move {
            for _ in 0..count {
                let value: u64 = there.get().await.expect("it is not shut down");
                back.put(value + 1).await.expect("it is not shut down");
            }
        }
    });
    let mut value = 0;
    for _ in 0..count {
        there.put(value).await.expect("it is not shut down");
        value = back.get().await.expect("it is not shut down");
    }
    partner.await.expect("the partner plays to the end");
    value
}

/// The bridge's channels.
pub struct Bridge;

impl Channel for Bridge {
    type Sender = channel::Sender<u64>;
    type Receiver = channel::Receiver<u64>;

    fn channel(capacity: Option<usize>) -> (Self::Sender, Self::Receiver) {
        match capacity {
            Some(capacity) => channel::bounded(capacity),
            None => channel::unbounded(),
        }
    }

    async fn send(sender: &Self::Sender, value: u64) {
        sender.send(value).await.expect("the receiver is there");
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<u64> {
        receiver.recv().await.ok()
    }
}

/// The bridge's channels, whose ends block their threads.
pub struct BlockingBridge;

impl Channel for BlockingBridge {
    type Sender = channel::Sender<u64>;
    type Receiver = channel::Receiver<u64>;

    fn channel(capacity: Option<usize>) -> (Self::Sender, Self::Receiver) {
        Bridge::channel(capacity)
    }

    async fn send(sender: &Self::Sender, value: u64) {
        sender.send_blocking(value).expect("the receiver is there");
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<u64> {
        receiver.recv_blocking().ok()
    }
}

/// A loop on a thread of its own.
struct Loop {
    handle: polyloop::LoopHandle,
    thread: JoinHandle<()>,
}

impl Loop {
    fn start(builder: fn() -> Builder) -> Self {
        let (send, receive) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut looped = builder().build().expect("descriptors to spare");
            send.send(looped.handle()).expect("the starter waits");
            looped.run_forever().expect("it is stopped, not broken");
        });
        let handle = receive.recv().expect("the thread sends it");
        Self { handle, thread }
    }

    fn submit(&self, value: u64) -> Submission<u64> {
        run_coroutine_threadsafe(&self.handle, move || async move { value })
    }
}

impl Remote for Loop {
    fn round_trip(&self, value: u64) -> u64 {
        self.submit(value).result().expect("the loop runs")
    }

    fn batch(&self, values: Range<u64>) -> u64 {
        let pending: Vec<_> = values.map(|value| self.submit(value)).collect();
        let results = pending.into_iter().map(Submission::result);
        results.map(|result| result.expect("the loop runs")).sum()
    }

    fn ask<'a>(
        &'a self,
        values: Range<u64>,
        answered: &'a mut dyn FnMut(u64),
    ) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        Box::pin(async move {
            for value in values {
                answered(self.submit(value).await.expect("the loop runs"));
            }
        })
    }

    fn stop(self: Box<Self>) {
        self.handle.stop();
        self.thread.join().expect("the loop ends in peace");
    }
}
