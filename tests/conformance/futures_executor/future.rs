//! `test_future`: what the handle of work that another thread does can do. Here
//! there are two, of a submission and of a job; done-callbacks are a
//! submission's.

use super::{cancelled, ended, pool, waits};
use crate::threadsafe::Running;
use polyloop_bridge::channel::{self, oneshot};
use polyloop_bridge::{Shutdown, Submission, run_coroutine_threadsafe};
use std::time::Duration;

/// How a submission is to end.
#[derive(Clone, Copy, Debug)]
enum End {
    Value,
    Panic,
    Cancel,
}

/// A submission that waits for the sender, and is then to end so.
fn submit(target: &Running, end: End) -> (oneshot::Sender<()>, Submission<u8>) {
    let (go, goes) = oneshot::channel::<()>();
    let work = move || async move {
        let _ = goes.await;
        if matches!(end, End::Panic) {
            std::panic::resume_unwind(Box::new("test"));
        }
        5
    };
    (go, run_coroutine_threadsafe(&target.handle, work))
}

fn finish(go: oneshot::Sender<()>, work: &Submission<u8>, end: End) {
    match end {
        End::Cancel => assert!(work.cancel()),
        _ => go.send(()).unwrap(),
    }
}

/// same test_future.FutureTests.test_done_callback_with_result
/// same test_future.FutureTests.test_done_callback_with_exception
/// same test_future.FutureTests.test_done_callback_with_cancel
#[test]
fn test_done_callback_with_each_end() {
    let target = Running::start();
    for end in [End::Value, End::Panic, End::Cancel] {
        let (go, work) = submit(&target, end);
        let (sender, called) = channel::unbounded();
        work.add_done_callback(move || sender.try_send(()).expect("no limit"));
        assert!(called.try_recv().is_err(), "not before the end");
        finish(go, &work, end);
        assert_eq!(called.recv_blocking(), Ok(()));
        assert!(called.recv_blocking().is_err(), "once");
        assert!(work.is_done());
    }
}

/// adapted test_future.FutureTests.test_done_callback_raises: the panic goes to the loop's exception handler, and the others are called
#[test]
fn test_done_callback_raises() {
    let target = Running::start();
    let (go, work) = submit(&target, End::Value);
    let (sender, called) = channel::unbounded();
    work.add_done_callback(|| std::panic::resume_unwind(Box::new("foo")));
    work.add_done_callback(move || sender.try_send(()).expect("no limit"));
    finish(go, &work, End::Value);
    assert_eq!(called.recv_blocking(), Ok(()));
    assert_eq!(work.result().unwrap(), 5);
}

/// same test_future.FutureTests.test_done_callback_already_successful
/// same test_future.FutureTests.test_done_callback_already_failed
/// same test_future.FutureTests.test_done_callback_already_cancelled
/// adapted test_future.FutureTests.test_done_callback_raises_already_succeeded: called here and now, it panics here and now
#[test]
fn test_done_callback_already_ended() {
    let target = Running::start();
    for end in [End::Value, End::Panic, End::Cancel] {
        let (go, work) = submit(&target, end);
        finish(go, &work, end);
        while !work.is_done() {
            std::thread::yield_now();
        }
        let (sender, called) = channel::unbounded();
        work.add_done_callback(move || sender.try_send(()).expect("no limit"));
        assert_eq!(called.try_recv(), Ok(()), "at once");
        let fails = || work.add_done_callback(|| std::panic::resume_unwind(Box::new("foo")));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(fails));
        assert!(panicked.is_err());
    }
}

/// same test_future.FutureTests.test_cancel
#[test]
fn test_cancel() {
    let pool = pool(1);
    let (set, running) = waits(&pool);
    let pending = pool.submit(|| 1);
    assert!(
        pending.cancel() && !pending.cancel(),
        "a second one finds it ended"
    );
    assert!(!running.cancel(), "it has begun");
    set.send(()).unwrap();
    assert_eq!(running.result().unwrap(), 0);
    for done in [cancelled(), ended(Ok(42)), ended(Err("failed"))] {
        assert!(!done.cancel());
    }
}

/// adapted test_future.FutureTests.test_cancelled: it is the result's error that says so
/// same test_future.FutureTests.test_done
/// same test_future.FutureTests.test_result_with_success
/// same test_future.FutureTests.test_exception_with_success
#[test]
fn test_done() {
    let pool = pool(1);
    let (set, running) = waits(&pool);
    let pending = pool.submit(|| 1);
    assert!(!running.is_done() && !pending.is_done());
    drop(set);
    assert!(cancelled().is_done());
    assert!(cancelled().result().unwrap_err().is_cancelled());
    assert_eq!(ended(Ok(42)).result().unwrap(), 42);
    let error = ended(Err("failed")).result().unwrap_err();
    assert!(!error.is_cancelled());
    assert_eq!(error.panic_message(), Some("failed"));
}

/// same test_future.FutureTests.test_result_with_timeout
/// adapted test_future.FutureTests.test_exception_with_timeout: a result and an error are asked for by the same call
#[test]
fn test_result_with_timeout() {
    let pool = pool(1);
    let (set, mut running) = waits(&pool);
    let mut pending = pool.submit(|| 1);
    for _ in 0..2 {
        let late = running.result_timeout(Duration::ZERO).unwrap_err();
        assert!(late.is_timed_out());
        let late = pending
            .result_timeout(Duration::from_micros(10))
            .unwrap_err();
        assert!(late.is_timed_out());
    }
    set.send(()).unwrap();
    assert_eq!(pending.result().unwrap(), 1, "a time-out cancels nothing");
}

/// same test_future.FutureTests.test_result_with_cancel
#[test]
fn test_result_with_cancel() {
    let (target, waiting) = (pool(1), pool(1));
    let (_set, _busy) = waits(&target);
    let queued = target.submit(|| 1);
    let blocked = waiting.submit(|| queued.result());
    // The pool's one thread blocks by now: another one runs this in its place.
    let cancels = waiting.submit(move || {
        target.shutdown(Shutdown {
            wait: false,
            cancel_pending: true,
            timeout: None,
        })
    });
    assert_eq!(cancels.result().unwrap().cancelled, 1);
    assert!(blocked.result().unwrap().unwrap_err().is_cancelled());
}
