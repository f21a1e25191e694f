//! tokio's `LocalRuntime`: one thread, and tasks that need not be `Send`.

use super::tokio_current as common;
use crate::Echo;
use crate::runtime::{Exchange, Part, Remote, Runtime, Setup};
use futures::FutureExt;
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

/// tokio on one thread, without `Send`.
pub struct TokioLocal;

impl Runtime for TokioLocal {
    const NAME: &'static str = "tokio-local";

    fn lacks(part: Part) -> Option<String> {
        common::TokioCurrent::lacks(part)
    }

    fn start<F: Future<Output: 'static> + 'static>(setup: Setup, main: F) -> F::Output {
        build(setup).block_on(main)
    }

    fn spawn<F: Future<Output: 'static> + 'static>(
        future: F,
    ) -> impl Future<Output = F::Output> + 'static {
        let joined = tokio::task::spawn_local(future);
        joined.map(|ended| ended.expect("no task of a scenario fails"))
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
        // It cannot be sent to the thread that it is to run on.
        common::remote_of(|send, stopped| {
            thread::spawn(move || {
                let runtime = build(Setup::default());
                send.send(runtime.handle().clone())
                    .expect("the starter waits");
                runtime.block_on(stopped).expect("the sender says stop");
            })
        })
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

fn build(setup: Setup) -> LocalRuntime {
    let mut builder = Builder::new_current_thread();
    if let Some(threads) = setup.blocking {
        builder.max_blocking_threads(threads);
    }
    let runtime = builder.enable_all().build_local(LocalOptions::default());
    runtime.expect("a bench machine has descriptors to spare")
}
