use super::tests::{WATCHDOG, occupy, pool};
use super::*;
use crate::channel;
use crate::test_tools::{Dice, poll_with};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::thread;
use std::time::Duration;

#[test]
fn after_the_shutdown_nothing_is_taken() {
    let pool = pool(2);
    assert_eq!(pool.submit(|| 1).result().expect("a value"), 1);
    assert!(pool.shutdown(Shutdown::default()).is_complete());
    assert!(pool.is_shut_down());
    assert!(
        pool.submit(|| 2)
            .result()
            .expect_err("shut down")
            .is_shut_down()
    );
    let refused = pool.try_submit(|| 3).expect_err("shut down");
    assert!(refused.is_shut_down());
    assert_eq!(refused.into_inner()(), 3);
    assert!(pool.shutdown(Shutdown::default()).is_complete());
}

#[test]
fn a_shutdown_runs_or_cancels_what_is_queued() {
    for cancel_pending in [false, true] {
        let pool = pool(1);
        let (release, _busy) = occupy(&pool);
        let jobs: Vec<_> = (0..10).map(|n| pool.submit(move || n)).collect();
        let first = pool.shutdown(Shutdown {
            wait: false,
            cancel_pending,
            timeout: None,
        });
        assert_eq!(first.cancelled, if cancel_pending { 10 } else { 0 });
        drop(release);
        assert!(pool.shutdown(Shutdown::default()).is_complete());
        for (n, job) in jobs.into_iter().enumerate() {
            match job.result() {
                Ok(value) => assert!(!cancel_pending && value == n),
                Err(error) => assert!(cancel_pending && error.is_cancelled()),
            }
        }
    }
}

#[test]
fn trap_062_a_stuck_job_is_named_and_not_waited_for() {
    let pool = pool(2);
    let (release, _busy) = occupy(&pool);
    let report = pool.shutdown(Shutdown {
        timeout: Some(Duration::from_millis(5)),
        ..Shutdown::default()
    });
    assert!(!report.is_complete());
    let [stuck] = report.stuck.as_slice() else {
        panic!("one job is stuck: {report}");
    };
    assert!(stuck.submitted_at.file().ends_with("executor/tests.rs"));
    assert!(report.to_string().contains("tests.rs"), "{report}");
    drop(release);
    assert!(pool.shutdown(Shutdown::default()).is_complete());
}

#[test]
fn a_job_may_shut_its_own_executor_down() {
    let pool = pool(2);
    let inner = pool.clone();
    let report = pool.submit(move || inner.shutdown(Shutdown::default()));
    assert_eq!(report.result().expect("no deadlock").workers, 1);
}

#[test]
fn the_last_handle_lets_what_is_queued_run() {
    let (sender, receiver) = channel::unbounded();
    let pool = pool(1);
    let (release, busy) = occupy(&pool);
    for n in 0..5 {
        let sender = sender.clone();
        pool.submit(move || sender.try_send(n)).detach();
    }
    drop((pool, sender, release));
    busy.result().expect("a value");
    let ran: Vec<_> = std::iter::from_fn(|| receiver.recv_blocking().ok()).collect();
    assert_eq!(ran, [0, 1, 2, 3, 4]);
}

#[test]
fn every_job_is_answered_once_while_all_is_shut_down_and_cancelled() {
    for round in 0..100 {
        let pool = ThreadPoolExecutor::builder()
            .max_workers(2)
            .queue_limit(if round % 2 == 0 { 3 } else { 1_000 })
            .build()
            .expect("no thread is started yet");
        let ran = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..3)
            .map(|n| {
                let (pool, ran) = (pool.clone(), ran.clone());
                thread::spawn(move || submit_and_count(&pool, &ran, round * 3 + n + 1))
            })
            .collect();
        if round % 3 == 0 {
            thread::sleep(Duration::from_micros(100));
        }
        let report = pool.shutdown(Shutdown {
            cancel_pending: round % 4 == 0,
            ..Shutdown::default()
        });
        let values: usize = threads
            .into_iter()
            .map(|t| t.join().expect("no panic"))
            .sum();
        assert!(pool.shutdown(Shutdown::default()).is_complete(), "{report}");
        assert_eq!(values, ran.load(SeqCst));
    }
}

/// Returns how many of its jobs gave a value.
fn submit_and_count(pool: &ThreadPoolExecutor, ran: &Arc<AtomicUsize>, seed: u64) -> usize {
    let mut dice = Dice::new(seed);
    let mut values = 0;
    for _ in 0..60 {
        let ran = ran.clone();
        let mut job = pool.submit(move || ran.fetch_add(1, SeqCst));
        let cancelled = dice.roll(4) == 0 && job.cancel();
        match job.result_timeout(WATCHDOG) {
            Ok(_) => {
                assert!(!cancelled);
                values += 1;
            }
            Err(error) => assert!(error.is_cancelled() || error.is_shut_down(), "{error}"),
        }
        let asked_again = poll_with(&mut job, std::task::Waker::noop());
        assert!(
            matches!(asked_again, Poll::Ready(Err(_))),
            "one answer is all"
        );
    }
    values
}
