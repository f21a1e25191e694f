//! `test_tasks.RunCoroutineThreadsafeTests`.

use super::Running;
use polyloop::{sleep, yield_now};
use polyloop_bridge::{blocking, run_coroutine_threadsafe, to_thread};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

/// same test_tasks.RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe
#[test]
fn test_run_coroutine_threadsafe() {
    let answer = polyloop::run(async {
        let home = polyloop::current_loop();
        let add = move || async {
            sleep(Duration::from_micros(50)).await;
            1 + 2
        };
        to_thread(move || run_coroutine_threadsafe(&home, add).result()).await
    });
    assert_eq!(answer.unwrap().unwrap().unwrap(), 3);
}

/// same test_tasks.RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_with_exception
#[test]
fn test_run_coroutine_threadsafe_with_exception() {
    let target = Running::start();
    let failing = || async {
        yield_now().await;
        std::panic::resume_unwind(Box::new("Fail!"));
    };
    let error = run_coroutine_threadsafe(&target.handle, failing)
        .result()
        .unwrap_err();
    assert_eq!(error.panic_message(), Some("Fail!"));
}

/// Tells that it was dropped.
struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// same test_tasks.RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_with_timeout
#[test]
fn test_run_coroutine_threadsafe_with_timeout() {
    let target = Running::start();
    let gone = Arc::new(AtomicBool::new(false));
    let guard = Gone(gone.clone());
    let mut sent = run_coroutine_threadsafe(&target.handle, || async move {
        let _guard = guard;
        pending::<()>().await;
    });
    let late = sent.result_timeout(Duration::from_millis(1)).unwrap_err();
    assert!(late.is_timed_out());
    // A time-out cancels nothing; who gives up says so.
    assert!(!gone.load(SeqCst));
    assert!(sent.cancel());
    assert!(sent.result().unwrap_err().is_cancelled());
    assert!(gone.load(SeqCst), "the inner task is gone");
}

/// same test_tasks.RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_task_cancelled
#[test]
fn test_run_coroutine_threadsafe_task_cancelled() {
    let target = Running::start();
    // The coroutine cancels its own task: by its handle, from its own thread.
    let (give, handle) = std::sync::mpsc::channel::<Arc<polyloop_bridge::Submission<()>>>();
    let sent = Arc::new(run_coroutine_threadsafe(
        &target.handle,
        move || async move {
            let own = handle.recv().unwrap();
            assert!(own.cancel());
            drop(own);
            pending::<()>().await;
        },
    ));
    give.send(sent.clone()).unwrap();
    while !sent.is_done() {
        std::thread::yield_now();
    }
    let sent = Arc::into_inner(sent).expect("the coroutine gave its own back");
    assert!(sent.result().unwrap_err().is_cancelled());
}

/// adapted test_tasks.RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_task_factory_exception: the closure that makes the future is the factory
#[test]
fn test_run_coroutine_threadsafe_task_factory_exception() {
    let target = Running::start();
    let sent = run_coroutine_threadsafe(&target.handle, || {
        if true {
            std::panic::resume_unwind(Box::new("Fail!"));
        }
        async {}
    });
    assert_eq!(sent.result().unwrap_err().panic_message(), Some("Fail!"));
    // The loop goes on.
    let after = blocking::run_on_loop(&target.handle, || async { 1 });
    assert_eq!(after.unwrap(), 1);
}
