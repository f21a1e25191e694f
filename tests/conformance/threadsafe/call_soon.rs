//! `call_soon_threadsafe` and `run_in_executor` of `test_events` and
//! `test_base_events`.

use super::Running;
use polyloop::{EventLoop, sleep};
use polyloop_bridge::{
    Shutdown, ThreadPoolExecutor, call_soon_threadsafe, channel::oneshot, run_in_executor,
};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// same test_events.EventLoopTestsMixin.test_call_soon_threadsafe
#[test]
fn test_call_soon_threadsafe() {
    let mut looped = EventLoop::new().unwrap();
    let handle = looped.handle();
    let (results, stopper) = (Arc::new(Mutex::new(Vec::new())), handle.clone());
    let log = results.clone();
    let thread = thread::spawn(move || {
        call_soon_threadsafe(&handle, move || {
            log.lock().unwrap().extend(["hello", "world"]);
            stopper.stop();
        })
        .map(drop)
        .unwrap();
    });
    looped.run_forever().unwrap();
    thread.join().unwrap();
    assert_eq!(*results.lock().unwrap(), ["hello", "world"]);
}

/// same test_events.EventLoopTestsMixin.test_call_soon_threadsafe_same_thread
#[test]
fn test_call_soon_threadsafe_same_thread() {
    let mut looped = EventLoop::new().unwrap();
    let handle = looped.handle();
    let (log, stopper) = (Arc::new(Mutex::new(Vec::new())), handle.clone());
    let (inner, last) = (log.clone(), handle.clone());
    let call = call_soon_threadsafe(&handle, move || {
        // From a callback of the loop itself: it runs in the next turn.
        let second = inner.clone();
        call_soon_threadsafe(&last, move || {
            second.lock().unwrap().push("second");
            stopper.stop();
        })
        .map(drop)
        .unwrap();
        inner.lock().unwrap().push("first");
    });
    drop(call.unwrap());
    looped.run_forever().unwrap();
    assert_eq!(*log.lock().unwrap(), ["first", "second"]);
}

/// same test_events.EventLoopTestsMixin.test_run_in_executor
#[test]
fn test_run_in_executor() {
    let (value, elsewhere) = polyloop::run(async {
        let job = run_in_executor(None, || ("yo", thread::current().id()));
        job.await.unwrap()
    })
    .unwrap();
    assert_eq!(value, "yo");
    assert_ne!(elsewhere, thread::current().id());
}

/// same test_events.EventLoopTestsMixin.test_run_in_executor_cancel
#[test]
fn test_run_in_executor_cancel() {
    let called = Arc::new(AtomicBool::new(false));
    let ended = Arc::new(AtomicBool::new(false));
    let mut looped = EventLoop::new().unwrap();
    let (flag, end) = (called.clone(), ended.clone());
    let main = async move {
        let (begun, begins) = oneshot::channel();
        let job = polyloop::create_task(async move {
            let run = move || {
                let _ = begun.send(());
                thread::sleep(Duration::from_millis(5));
                end.store(true, SeqCst);
            };
            let _ = run_in_executor(None, run).await;
            flag.store(true, SeqCst);
        });
        begins.await.unwrap();
        job.cancel();
        assert!(job.await.unwrap_err().is_cancelled());
    };
    looped.run_until_complete(main).unwrap();
    looped.close(Duration::ZERO);
    // The job ends on a loop that is closed, and nobody is told.
    while !ended.load(SeqCst) {
        thread::yield_now();
    }
    assert!(!called.load(SeqCst));
}

/// adapted test_base_events.BaseEventLoopTests.test_set_default_executor: the default place for blocking work is the builder's
#[test]
fn test_set_default_executor() {
    let pool = ThreadPoolExecutor::builder().name("mine").build().unwrap();
    let looped = EventLoop::builder().offload(Arc::new(pool.clone())).build();
    let name = looped.unwrap().run_until_complete(async {
        let name = || thread::current().name().unwrap_or_default().to_owned();
        run_in_executor(None, name).await.unwrap()
    });
    assert_eq!(name.unwrap(), "mine-0");
    assert!(pool.shutdown(Shutdown::default()).is_complete());
}

/// adapted test_base_events.BaseEventLoopTests.test_shutdown_default_executor_timeout: the executor's shutdown has the time-out, and names who is stuck
#[test]
fn test_shutdown_default_executor_timeout() {
    let pool = ThreadPoolExecutor::new();
    let looped = EventLoop::builder().offload(Arc::new(pool.clone())).build();
    let (release, released) = oneshot::channel::<()>();
    let (begun, begins) = oneshot::channel();
    looped
        .unwrap()
        .run_until_complete(async {
            let stuck = move || {
                let _ = begun.send(());
                let _ = released.recv_blocking();
            };
            run_in_executor(None, stuck).detach();
            begins.await.unwrap();
            sleep(Duration::from_micros(1)).await;
        })
        .unwrap();
    let report = pool.shutdown(Shutdown {
        timeout: Some(Duration::from_millis(10)),
        ..Shutdown::default()
    });
    assert_eq!(report.stuck.len(), 1);
    assert!(
        report.stuck[0]
            .submitted_at
            .file()
            .ends_with("call_soon.rs")
    );
    release.send(()).unwrap();
    assert!(pool.shutdown(Shutdown::default()).is_complete());
}

#[test]
fn a_handle_can_be_cancelled_by_the_thread_that_did_not_make_it() {
    let target = Running::start();
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let (hold, held) = oneshot::channel::<()>();
    let blocks = call_soon_threadsafe(&target.handle, move || {
        let _ = held.recv_blocking();
    });
    let call = call_soon_threadsafe(&target.handle, move || {
        count.fetch_add(1, SeqCst);
    })
    .unwrap();
    let other = call.clone();
    assert!(thread::spawn(move || other.cancel()).join().unwrap());
    hold.send(()).unwrap();
    drop(blocks.unwrap());
    polyloop_bridge::blocking::run_on_loop(&target.handle, || async {}).unwrap();
    assert!(call.is_cancelled());
    assert_eq!(calls.load(SeqCst), 0);
}
