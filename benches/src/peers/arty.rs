//! arty with one worker: tasks, timers and blocking calls; its I/O drivers are
//! other crates, of which none is there.
//!
//! A worker is pinned to a processor that arty draws, so that two runtimes may
//! share one: the rounds of `loop-to-loop` may lie far apart.
//!
//! `start` moves `main` to the worker before it is polled for the first time,
//! and its output back when it has ended; in between no task leaves its thread.

use super::assume_send::AssumeSend;
use crate::runtime::{Part, Remote, Runtime, Setup};
use arty::runtime::{BlockingPoolPolicy, WorkersPolicy};
use arty::task::{Builtins, Scheduler};
use futures::FutureExt as _;
use std::cell::RefCell;
use std::ops::Range;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tick::FutureExt;

/// arty.
pub struct Arty;

thread_local! {
    /// What arty gives to each task, kept for those that are not given it.
    static BUILTINS: RefCell<Option<Builtins>> = const { RefCell::new(None) };
}

fn builtins<T>(with: impl FnOnce(&Builtins) -> T) -> T {
    BUILTINS.with_borrow(|builtins| with(builtins.as_ref().expect("a worker's thread")))
}

fn build(setup: Setup) -> arty::runtime::Runtime {
    let pool = BlockingPoolPolicy::shared();
    let pool = setup
        .blocking
        .map_or(pool.clone(), |threads| pool.max(threads));
    let builder = arty::runtime::Runtime::builder();
    let builder = builder.workers(WorkersPolicy::exactly(1));
    let runtime = builder.blocking_pool(pool).build();
    runtime.expect("a bench machine has a processor to spare")
}

impl Runtime for Arty {
    const NAME: &'static str = "arty";

    fn lacks(part: Part) -> Option<String> {
        let reason = match part {
            Part::Exchange(_) => "it has no primitives of its own",
            Part::Tcp | Part::Udp | Part::Http => "it has no sockets",
            _ => return None,
        };
        Some(reason.to_owned())
    }

    fn start<F: Future<Output: 'static> + 'static>(setup: Setup, main: F) -> F::Output {
        let runtime = build(setup);
        let main = AssumeSend(main);
        let ended = runtime.scheduler().block_on(move |cx| {
            BUILTINS.set(Some(cx));
            main
        });
        let output = ended.expect("no scenario fails").0;
        runtime.stop().expect("the worker ends in peace");
        output
    }

    fn spawn<F: Future<Output: 'static> + 'static>(
        future: F,
    ) -> impl Future<Output = F::Output> + 'static {
        let future = AssumeSend(future);
        let joined = builtins(|cx| cx.scheduler().spawn(move |_| future));
        joined.map(|ended| ended.expect("no task of a scenario fails").0)
    }

    async fn yield_now() {
        let mut yielded = false;
        std::future::poll_fn(|cx| {
            if yielded {
                return Poll::Ready(());
            }
            yielded = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> {
        builtins(|cx| cx.clock().delay(duration))
    }

    async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
        let limited = builtins(|cx| future.timeout(cx.clock(), limit));
        limited.await.ok()
    }

    fn remote() -> Box<dyn Remote> {
        let runtime = build(Setup::default());
        let scheduler = runtime.scheduler();
        let scheduler = scheduler.block_on(async |cx| cx.scheduler().clone());
        Box::new(OtherThread {
            scheduler: scheduler.expect("it does nothing else yet"),
            runtime,
        })
    }

    fn offload(value: u64) -> impl Future<Output = u64> + 'static {
        let call = builtins(|cx| cx.scheduler().spawn_blocking(move || value));
        async { call.await.expect("a thread runs it") }
    }
}

/// A runtime, and what sends work to its one worker.
struct OtherThread {
    scheduler: Scheduler,
    runtime: arty::runtime::Runtime,
}

impl OtherThread {
    fn submit(&self, value: u64) -> impl Future<Output = u64> + use<> {
        let joined = self.scheduler.spawn(async move |_| value);
        async { joined.await.expect("the runtime runs") }
    }
}

impl Remote for OtherThread {
    fn round_trip(&self, value: u64) -> u64 {
        futures::executor::block_on(self.submit(value))
    }

    fn batch(&self, values: Range<u64>) -> u64 {
        let pending: Vec<_> = values.map(|value| self.submit(value)).collect();
        futures::executor::block_on(async {
            let mut sum = 0;
            for answer in pending {
                sum += answer.await;
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
                answered(self.submit(value).await);
            }
        })
    }

    fn stop(self: Box<Self>) {
        // arty lets no worker wait for another runtime's end.
        let stopping = std::thread::spawn(|| self.runtime.stop());
        let stopped = stopping.join().expect("nothing there panics");
        stopped.expect("the worker ends in peace");
    }
}
