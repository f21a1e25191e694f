//! The handle of `call_soon_threadsafe`, in `test_events`.

use super::Running;
use polyloop_bridge::channel::oneshot;
use polyloop_bridge::{ThreadsafeCallHandle, call_soon_threadsafe, run_coroutine_threadsafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

const MOMENT: Duration = Duration::from_millis(1);

/// A callback that runs on the loop until it is let go.
struct Held {
    handle: ThreadsafeCallHandle,
    release: oneshot::Sender<()>,
}

fn held(on: &Running) -> Held {
    let (began, begins) = oneshot::channel();
    let (release, released) = oneshot::channel();
    let handle = call_soon_threadsafe(&on.handle, move || {
        let _ = began.send(());
        let _ = released.recv_blocking();
    });
    begins.recv_blocking().expect("it runs");
    Held {
        handle: handle.expect("the loop is open"),
        release,
    }
}

/// adapted test_events.EventLoopTestsMixin.test_call_soon_threadsafe_handle_block_check_cancelled: asking does not block, since the answer cannot change any more: what runs was not cancelled
#[test]
fn test_call_soon_threadsafe_handle_block_check_cancelled() {
    let running = Running::start();
    let held = held(&running);
    assert!(!held.handle.is_cancelled(), "while it runs");
    held.release.send(()).expect("it waits for that");
    assert!(!held.handle.cancel(), "it has been called");
    assert!(!held.handle.is_cancelled(), "and so it stays");
}

/// same test_events.EventLoopTestsMixin.test_call_soon_threadsafe_handle_block_cancellation
#[test]
fn test_call_soon_threadsafe_handle_block_cancellation() {
    let (running, cancels) = (Running::start(), Running::start());
    let (began, begins) = oneshot::channel();
    let ended = Arc::new(AtomicBool::new(false));
    let (end, canceller) = (ended.clone(), cancels.handle.clone());
    let handle = call_soon_threadsafe(&running.handle, move || {
        let _ = began.send(());
        // To wait for the canceller is refused as soon as it waits for this.
        let answer = || run_coroutine_threadsafe(&canceller, || async {}).result_timeout(MOMENT);
        while !answer().is_err_and(|error| error.is_would_deadlock()) {}
        end.store(true, SeqCst);
    });
    let handle = handle.expect("the loop is open");
    let cancelled = run_coroutine_threadsafe(&cancels.handle, || async move {
        begins.recv_blocking().expect("it runs");
        assert!(!handle.cancel(), "it is too late for that");
        assert!(ended.load(SeqCst), "cancel came back before the end");
    });
    cancelled.result().expect("cancel waits for the end");
}

/// same test_events.EventLoopTestsMixin.test_call_soon_threadsafe_handle_cancel_same_thread
#[test]
fn test_call_soon_threadsafe_handle_cancel_same_thread() {
    let called = Arc::new(AtomicBool::new(false));
    let call = called.clone();
    polyloop::run(async move {
        let here = polyloop::current_loop();
        let handle = call_soon_threadsafe(&here, move || call.store(true, SeqCst));
        let handle = handle.expect("the loop is open");
        assert!(handle.cancel());
        assert!(handle.is_cancelled());
        for _ in 0..3 {
            polyloop::yield_now().await;
        }
    })
    .expect("a loop");
    assert!(!called.load(SeqCst));
}

/// same test_events.EventLoopTestsMixin.test_call_soon_threadsafe_handle_cancel_other_thread
#[test]
fn test_call_soon_threadsafe_handle_cancel_other_thread() {
    let running = Running::start();
    let called = Arc::new(AtomicBool::new(false));
    // The loop is busy, so the second callback has to wait behind the first.
    let held = held(&running);
    let call = called.clone();
    let handle = call_soon_threadsafe(&running.handle, move || call.store(true, SeqCst));
    let handle = handle.expect("the loop is open");
    assert!(handle.cancel());
    assert!(handle.is_cancelled());
    held.release.send(()).expect("it waits for that");
    // After a third one has been called, the second never will be.
    let (tell, told) = oneshot::channel();
    let last = call_soon_threadsafe(&running.handle, move || tell.send(()).expect("it waits"));
    drop(last.expect("the loop is open"));
    told.recv_blocking().expect("it is called");
    assert!(!called.load(SeqCst));
}
