//! Other crates' ends of the bridge: rayon's pool as a loop's executor, and
//! tracing's spans.
#![forbid(unsafe_code)]

use polyloop::EventLoop;
use polyloop_bridge::executor::offload_fn;
use polyloop_bridge::span::{call_in_current_span, in_current_span};
use polyloop_bridge::{LoopGroup, run_coroutine_threadsafe, to_thread};
use polyloop_tests::with_watchdog;
use std::sync::Arc;
use std::time::Duration;
use tracing::Span;

const HANG: Duration = Duration::from_secs(120);

#[test]
fn rayons_pool_is_a_loops_executor() {
    with_watchdog(HANG, || {
        let rayon = rayon::ThreadPoolBuilder::new()
            .num_threads(2)
            .thread_name(|n| format!("rayon-{n}"))
            .build()
            .unwrap();
        let place = offload_fn(move |job| {
            rayon.spawn(job);
            Ok(())
        });
        let looped = EventLoop::builder().offload(Arc::new(place)).build();
        let names = looped.unwrap().run_until_complete(async {
            let mut names = Vec::new();
            for _ in 0..20 {
                let name = || std::thread::current().name().map(str::to_owned);
                names.push(to_thread(name).await.unwrap().unwrap());
            }
            let panics = to_thread(|| -> u8 { std::panic::resume_unwind(Box::new("planted")) });
            assert_eq!(panics.await.unwrap_err().panic_message(), Some("planted"));
            names
        });
        assert!(names.unwrap().iter().all(|name| name.starts_with("rayon-")));
    });
}

#[test]
fn a_place_that_drops_its_jobs_hangs_nobody() {
    with_watchdog(HANG, || {
        let place = offload_fn(|job| {
            drop(job);
            Ok(())
        });
        let looped = EventLoop::builder().offload(Arc::new(place)).build();
        let answer = looped
            .unwrap()
            .run_until_complete(async { to_thread(|| 1).await });
        assert!(answer.unwrap().unwrap_err().is_shut_down());
    });
}

#[test]
fn work_runs_inside_its_senders_span() {
    with_watchdog(HANG, || {
        let registry = tracing_subscriber::registry();
        tracing::subscriber::set_global_default(registry).expect("no other in this process");
        let group = LoopGroup::builder().loops(1).build().unwrap();
        let span = tracing::info_span!("request");
        let _entered = span.enter();
        let work = in_current_span(|| {
            let made_in = Span::current().id();
            async move {
                polyloop::yield_now().await;
                (made_in, Span::current().id())
            }
        });
        let (made_in, ran_in) = run_coroutine_threadsafe(group.handle(0), work)
            .result()
            .unwrap();
        assert!(span.id().is_some());
        assert_eq!((made_in, ran_in), (span.id(), span.id()));
        let job = to_thread(call_in_current_span(|| Span::current().id()));
        assert_eq!(job.result().unwrap(), span.id());
        let outside = run_coroutine_threadsafe(group.handle(0), || async { Span::current().id() });
        assert_eq!(outside.result().unwrap(), None);
        group.shutdown(Duration::from_secs(1));
    });
}
