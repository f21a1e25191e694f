//! `test_threads`: `to_thread`.

use polyloop::gather;
use polyloop_bridge::to_thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

/// same test_threads.ToThreadTests.test_to_thread
/// adapted test_threads.ToThreadTests.test_to_thread_args_kwargs: a closure has its arguments inside
#[test]
fn test_to_thread() {
    let sum = polyloop::run(async { to_thread(|| 40 + 2).await.unwrap() });
    assert_eq!(sum.unwrap(), 42);
}

/// same test_threads.ToThreadTests.test_to_thread_exception
#[test]
fn test_to_thread_exception() {
    let error = polyloop::run(async {
        let fails = || std::panic::resume_unwind(Box::new("test"));
        to_thread::<(), _>(fails).await.unwrap_err()
    });
    assert_eq!(error.unwrap().panic_message(), Some("test"));
}

/// same test_threads.ToThreadTests.test_to_thread_once
#[test]
fn test_to_thread_once() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    polyloop::run(async {
        to_thread(move || count.fetch_add(1, SeqCst)).await.unwrap();
    })
    .unwrap();
    assert_eq!(calls.load(SeqCst), 1);
}

/// same test_threads.ToThreadTests.test_to_thread_concurrent
#[test]
fn test_to_thread_concurrent() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    polyloop::run(async move {
        let jobs = (0..10).map(|_| {
            let count = count.clone();
            to_thread(move || count.fetch_add(1, SeqCst))
        });
        let jobs: Vec<_> = jobs.collect();
        for ended in gather(jobs).await {
            ended.unwrap();
        }
    })
    .unwrap();
    assert_eq!(calls.load(SeqCst), 10);
}

polyloop::context_var! { static TEST_CTX: &'static str; }

/// same test_threads.ToThreadTests.test_to_thread_contextvars
#[test]
fn test_to_thread_contextvars() {
    let seen = polyloop::run(async {
        TEST_CTX.set("parrot");
        let there = to_thread(|| {
            let seen = TEST_CTX.get();
            TEST_CTX.set("set by the job");
            (seen, thread::current().id())
        });
        let (seen, thread) = there.await.unwrap();
        assert_eq!(TEST_CTX.get(), Some("parrot"), "the job has a copy");
        // The thread keeps nothing of it.
        (seen, thread)
    });
    let (seen, elsewhere) = seen.unwrap();
    assert_eq!(seen, Some("parrot"));
    assert_ne!(elsewhere, thread::current().id());
    let after = polyloop_bridge::ThreadPoolExecutor::shared().submit(|| TEST_CTX.get());
    assert_eq!(after.result().unwrap(), None);
}
