//! tokio's multi-thread runtime.

use super::assume_send::AssumeSend;
use super::tokio_current as common;
use crate::Echo;
use crate::runtime::{Exchange, Part, Remote, Runtime, Setup};
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::time::Duration;
use tokio::runtime::Builder;

/// tokio on as many threads as there are cores, or as the setup says.
pub struct TokioMulti;

impl Runtime for TokioMulti {
    const NAME: &'static str = "tokio-multi";
    const MULTI_THREAD: bool = true;

    fn lacks(part: Part) -> Option<String> {
        common::TokioCurrent::lacks(part)
    }

    fn start<F: Future<Output: 'static> + 'static>(setup: Setup, main: F) -> F::Output {
        let mut builder = Builder::new_multi_thread();
        if let Some(workers) = setup.workers {
            builder.worker_threads(workers);
        }
        // Main runs on a worker like everything else: what it spawned from outside
        // would go through the slower, shared queue.
        let main = AssumeSend(main);
        let runtime = common::build(builder, setup);
        let joined = runtime.block_on(async { runtime.spawn(main).await });
        joined.expect("no scenario fails").0
    }

    fn spawn<F: Future<Output: 'static> + 'static>(
        future: F,
    ) -> impl Future<Output = F::Output> + 'static {
        common::TokioCurrent::spawn(future)
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
        common::exchange(what, count).await
    }

    fn remote() -> Box<dyn Remote> {
        common::remote(common::build(Builder::new_multi_thread(), Setup::default()))
    }

    fn offload(value: u64) -> impl Future<Output = u64> + 'static {
        common::TokioCurrent::offload(value)
    }

    async fn echo_tcp(echo: Echo) -> io::Result<u64> {
        common::echo_tcp(echo).await
    }

    async fn echo_udp(socket: UdpSocket) -> io::Result<u64> {
        common::echo_udp(socket).await
    }

    async fn http(listener: TcpListener, connections: usize) -> io::Result<()> {
        common::http(listener, connections).await
    }
}
