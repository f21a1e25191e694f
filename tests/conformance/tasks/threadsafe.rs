//! test_tasks.RunCoroutineThreadsafeTests.

use std::sync::mpsc;
use std::time::Duration;

use polyloop::{current_loop, sleep};
use polyloop_bridge::{Submission, SubmissionError, run_coroutine_threadsafe, to_thread};

/// Runs a loop, and beside it, on a thread, `call` with a submission of `add`.
fn beside_a_loop<T: Send + 'static>(
    wait: Option<Duration>,
    fail: bool,
    call: impl FnOnce(Submission<u32>) -> T + Send + 'static,
) -> T {
    polyloop_tests::with_watchdog(Duration::from_secs(60), move || {
        let ran = polyloop::run(async move {
            let target = current_loop();
            let called = to_thread(move || {
                let add = move || async move {
                    if let Some(wait) = wait {
                        sleep(wait).await;
                    }
                    assert!(!fail, "Fail!");
                    1 + 2
                };
                call(run_coroutine_threadsafe(&target, add))
            });
            called.await.expect("the call returns")
        });
        ran.expect("a loop can be had")
    })
}

/// same test_tasks.RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe
#[test]
fn test_run_coroutine_threadsafe() {
    let sum = beside_a_loop(None, false, Submission::result);
    assert_eq!(sum.unwrap(), 3);
}

/// same test_tasks.RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_with_exception
#[test]
fn test_run_coroutine_threadsafe_with_exception() {
    let failed = beside_a_loop(None, true, Submission::result).unwrap_err();
    assert!(failed.to_string().contains("Fail!"), "{failed}");
}

/// same test_tasks.RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_with_timeout
/// same test_tasks.RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_task_cancelled
#[test]
fn test_run_coroutine_threadsafe_with_timeout() {
    let far = Some(Duration::from_secs(1000));
    let (timed_out, cancelled) = beside_a_loop(far, false, |mut submission| {
        let timed_out = submission.result_timeout(Duration::from_millis(1));
        // Giving up does not cancel.
        assert!(!submission.is_done());
        assert!(submission.cancel());
        (timed_out, submission.result())
    });
    assert!(matches!(timed_out, Err(SubmissionError::TimedOut)));
    assert!(matches!(cancelled, Err(SubmissionError::Cancelled)));
}

/// adapted test_tasks.RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_task_factory_exception: what can fail on the loop is the closure that makes the future
#[test]
fn test_run_coroutine_threadsafe_task_factory_exception() {
    let (sender, receiver) = mpsc::channel();
    let ran = polyloop::run(async move {
        let target = current_loop();
        let called = to_thread(move || {
            let made = run_coroutine_threadsafe(&target, || -> std::future::Ready<u32> {
                panic!("the factory fails")
            });
            sender.send(made.result()).expect("the test waits");
        });
        called.await.expect("the call returns");
    });
    ran.unwrap();
    let failed = receiver.recv().unwrap().unwrap_err();
    assert!(failed.to_string().contains("the factory fails"), "{failed}");
}
