use super::*;
use crate::channel::{self, oneshot};
use crate::test_tools::{Dice, wait};
use polyloop::{EventLoop, LoopHandle};
use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Long enough for any machine; a test that waits for it has failed.
const WATCHDOG: Duration = Duration::from_secs(60);

/// A loop on a thread of its own, until it is stopped.
struct Running {
    handle: LoopHandle,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start() -> Self {
        let (tell, told) = oneshot::channel();
        let thread = thread::spawn(move || {
            let mut looped = EventLoop::builder()
                .exception_handler(|_| {})
                .build()
                .expect("a loop");
            let _ = tell.send(looped.handle());
            looped.run_forever().expect("not nested");
            looped.close(Duration::ZERO);
        });
        Self {
            handle: told.recv_blocking().expect("the loop's handle"),
            thread: Some(thread),
        }
    }

    fn stop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the loop does not panic");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn a_value_comes_back_to_a_thread_and_to_another_loop() {
    let a = Running::start();
    let b = Running::start();
    let on_a = run_coroutine_threadsafe(&a.handle, || async {
        let stays = Rc::new(Cell::new(40));
        polyloop::yield_now().await;
        stays.set(stays.get() + 2);
        stays.get()
    });
    assert_eq!(on_a.result().expect("a value"), 42);
    let target = a.handle.clone();
    let through_b = run_coroutine_threadsafe(&b.handle, move || async move {
        let inner = run_coroutine_threadsafe(&target, || async { polyloop::current_loop().id() });
        (inner.await.expect("a value"), polyloop::current_loop().id())
    });
    assert_eq!(
        wait(through_b).expect("a value"),
        (a.handle.id(), b.handle.id())
    );
}

#[test]
fn a_panic_comes_back_and_the_loop_goes_on() {
    let a = Running::start();
    let error = run_coroutine_threadsafe(&a.handle, || async { panic!("boom") })
        .result()
        .expect_err("a panic");
    assert_eq!(error.panic_message(), Some("boom"));
    let in_the_closure = run_coroutine_threadsafe(&a.handle, || {
        if true {
            panic!("early");
        }
        async {}
    });
    let payload = in_the_closure.result().expect_err("a panic").into_panic();
    assert_eq!(payload.expect("a payload").downcast_ref(), Some(&"early"));
    assert_eq!(
        run_coroutine_threadsafe(&a.handle, || async { 1 })
            .result()
            .expect("a value"),
        1
    );
}

#[test]
fn a_time_out_does_not_cancel() {
    let a = Running::start();
    let (release, released) = oneshot::channel::<u8>();
    let mut submission = run_coroutine_threadsafe(&a.handle, move || released);
    let late = submission.result_timeout(Duration::from_millis(2));
    assert!(late.expect_err("not yet").is_timed_out());
    assert!(!submission.is_done());
    release.send(9).expect("the loop waits");
    assert_eq!(submission.result_timeout(WATCHDOG).expect("a value"), Ok(9));
    assert!(submission.is_done());
    assert!(!submission.cancel(), "it has ended");
}

/// Tells where and that it was dropped.
struct Guard(channel::Sender<thread::ThreadId>);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.try_send(thread::current().id());
    }
}

#[test]
fn trap_061_a_cancel_drops_the_future_on_its_loop() {
    let a = Running::start();
    let (sender, dropped) = channel::unbounded();
    let home = run_coroutine_threadsafe(&a.handle, || async { thread::current().id() });
    let home = home.result().expect("a value");
    for begun in [false, true] {
        let guard = Guard(sender.clone());
        let (release, released) = oneshot::channel::<()>();
        if !begun {
            // The loop has something else to do until it was cancelled.
            let held = call_soon_threadsafe(&a.handle, || {
                let _ = released.recv_blocking();
            });
            drop(held.expect("the loop is open"));
        }
        let submission = run_coroutine_threadsafe(&a.handle, move || async move {
            let _guard = guard;
            pending::<()>().await;
        });
        if begun {
            let after = run_coroutine_threadsafe(&a.handle, || async {});
            after.result().expect("the first has begun");
        }
        assert!(submission.cancel());
        drop(release);
        let became = wait(submission.cancel_and_wait());
        assert_eq!(became.is_never_started(), !begun);
        assert!(became.is_cancelled());
        assert_eq!(dropped.try_recv(), Ok(home), "gone when the wait is over");
    }
}

#[test]
fn trap_059_blocking_on_the_loops_own_thread_is_refused() {
    let answer = polyloop::run(async {
        let own = polyloop::current_loop();
        let mut submission = run_coroutine_threadsafe(&own, || async { 5 });
        let error = submission.result_timeout(WATCHDOG).expect_err("refused");
        assert!(error.is_would_deadlock());
        assert_eq!((&mut submission).await.expect("it was not cancelled"), 5);
        run_coroutine_threadsafe(&own, || async {}).result()
    });
    assert!(
        answer
            .expect("a loop")
            .expect_err("refused")
            .is_would_deadlock()
    );
    // Also while the loop is not running.
    let looped = EventLoop::new().expect("a loop");
    let submission = run_coroutine_threadsafe(&looped.handle(), || async {});
    assert!(
        submission
            .result()
            .expect_err("refused")
            .is_would_deadlock()
    );
}

#[test]
fn a_closed_loop_says_so_and_gives_the_closure_back() {
    let mut a = Running::start();
    a.stop();
    let submission = run_coroutine_threadsafe(&a.handle, || async {});
    assert!(submission.is_done() && !submission.cancel());
    assert!(submission.result().expect_err("closed").is_loop_closed());
    let back = try_run_coroutine_threadsafe(&a.handle, || async { 3 });
    let error = back.expect_err("closed");
    assert!(error.is_closed());
    assert_eq!(wait(error.into_inner()()), 3);
    let back = call_soon_threadsafe(&a.handle, || ());
    back.expect_err("closed").into_inner()();
}

#[test]
fn what_a_loop_never_began_is_answered_when_it_is_dropped() {
    let looped = EventLoop::new().expect("a loop");
    let submission = run_coroutine_threadsafe(&looped.handle(), || async {});
    drop(looped);
    assert!(submission.result().expect_err("closed").is_loop_closed());
}

#[test]
fn callbacks_are_called_once_whenever_they_are_added() {
    let a = Running::start();
    let (sender, called) = channel::unbounded();
    let add = |submission: &Submission<u8>, n| {
        let sender = sender.clone();
        submission.add_done_callback(move || sender.try_send(n).expect("no limit"));
    };
    let (release, released) = oneshot::channel::<u8>();
    let submission = run_coroutine_threadsafe(&a.handle, || async { released.await.unwrap_or(0) });
    add(&submission, 1);
    submission.add_done_callback(|| panic!("not the others' business"));
    add(&submission, 2);
    release.send(1).expect("the loop waits");
    assert_eq!(called.recv_blocking(), Ok(1));
    assert_eq!(called.recv_blocking(), Ok(2));
    add(&submission, 3);
    assert_eq!(called.try_recv(), Ok(3), "at once, when it has ended");
    assert_eq!(submission.result().expect("a value"), 1);
}

#[test]
fn a_panic_that_nobody_awaits_reaches_the_exception_handler() {
    let (sender, heard) = channel::unbounded();
    let mut looped = EventLoop::builder()
        .exception_handler(move |context| {
            let message = context.panic_message().expect("a panic");
            drop(sender.try_send(message.to_owned()));
        })
        .build()
        .expect("a loop");
    let handle = looped.handle();
    drop(run_coroutine_threadsafe(&handle, || async {
        panic!("detached")
    }));
    let call = call_soon_threadsafe(&handle, || panic!("callback"));
    call.expect("the loop is open");
    handle.stop();
    looped.run_forever().expect("not nested");
    looped.close(Duration::ZERO);
    assert_eq!(heard.try_recv().as_deref(), Ok("detached"));
    assert_eq!(heard.try_recv().as_deref(), Ok("callback"));
    assert!(heard.try_recv().is_err());
}

#[test]
fn what_one_thread_sends_starts_in_order() {
    let a = Running::start();
    let (sender, order) = channel::unbounded();
    for n in 0..100 {
        let sender = sender.clone();
        if n % 2 == 0 {
            let sent =
                run_coroutine_threadsafe(&a.handle, move || async move { sender.try_send(n) });
            drop(sent);
        } else {
            let call =
                call_soon_threadsafe(&a.handle, move || sender.try_send(n).expect("no limit"));
            call.expect("the loop is open");
        }
    }
    drop(sender);
    let seen: Vec<_> = std::iter::from_fn(|| order.recv_blocking().ok()).collect();
    assert_eq!(seen, (0..100).collect::<Vec<_>>());
}

#[test]
fn a_cancelled_callback_is_never_called() {
    let mut looped = EventLoop::new().expect("a loop");
    let called = Arc::new(AtomicBool::new(false));
    let flag = called.clone();
    let call = call_soon_threadsafe(&looped.handle(), move || flag.store(true, SeqCst))
        .expect("the loop is open");
    let other = call.clone();
    assert!(
        thread::spawn(move || other.cancel())
            .join()
            .expect("no panic")
    );
    assert!(
        call.cancel() && call.is_cancelled(),
        "also when asked again"
    );
    looped.handle().stop();
    looped.run_forever().expect("not nested");
    assert!(!called.load(SeqCst));
    assert_eq!(Arc::strong_count(&called), 1, "the closure is gone");
}

#[test]
fn a_cancel_waits_while_the_callback_runs_elsewhere() {
    let a = Running::start();
    let (begun, begins) = oneshot::channel();
    let ended = Arc::new(AtomicBool::new(false));
    let flag = ended.clone();
    let call = call_soon_threadsafe(&a.handle, move || {
        let _ = begun.send(());
        thread::sleep(Duration::from_millis(10));
        flag.store(true, SeqCst);
    });
    let call = call.expect("the loop is open");
    begins.recv_blocking().expect("it begins");
    assert!(!call.cancel());
    assert!(ended.load(SeqCst));
    assert!(!call.is_cancelled());
}

#[test]
fn a_callback_that_cancels_itself_does_not_wait() {
    let a = Running::start();
    let (give, own) = oneshot::channel::<ThreadsafeCallHandle>();
    let (tell, told) = oneshot::channel();
    let call = call_soon_threadsafe(&a.handle, move || {
        let own = own.recv_blocking().expect("it is sent");
        let _ = tell.send(own.cancel());
    });
    give.send(call.expect("the loop is open"))
        .expect("it waits");
    assert_eq!(told.recv_blocking(), Ok(false));
}

#[test]
fn trap_058_every_submission_is_answered_once_while_loops_close() {
    for round in 0..60 {
        let mut a = Running::start();
        let (ran, stop) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let threads: Vec<_> = (0..3)
            .map(|n| {
                let (handle, ran, stop) = (a.handle.clone(), ran.clone(), stop.clone());
                thread::spawn(move || submit_until_closed(&handle, &ran, &stop, round * 3 + n + 1))
            })
            .collect();
        thread::sleep(Duration::from_micros(200 * (round % 5)));
        a.stop();
        stop.store(true, SeqCst);
        let values: usize = threads
            .into_iter()
            .map(|t| t.join().expect("no panic"))
            .sum();
        assert_eq!(values, ran.load(SeqCst));
    }
}

/// Returns how many of its submissions gave a value.
fn submit_until_closed(
    handle: &LoopHandle,
    ran: &Arc<AtomicUsize>,
    stop: &AtomicBool,
    seed: u64,
) -> usize {
    let mut dice = Dice::new(seed);
    let (mut values, mut after) = (0, 0);
    while after < 20 {
        after += usize::from(stop.load(SeqCst));
        let ran = ran.clone();
        let hops = dice.roll(3);
        let mut submission = run_coroutine_threadsafe(handle, move || async move {
            for _ in 0..hops {
                polyloop::yield_now().await;
            }
            ran.fetch_add(1, SeqCst)
        });
        match dice.roll(4) {
            0 => drop(submission.cancel()),
            1 => thread::yield_now(),
            _ => {}
        }
        match submission.result_timeout(WATCHDOG) {
            Ok(_) => values += 1,
            Err(error) => assert!(error.is_cancelled() || error.is_loop_closed(), "{error}"),
        }
    }
    values
}

#[test]
fn a_submission_crosses_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<Submission<Cell<u8>>>();
    crosses::<ThreadsafeCallHandle>();
}
