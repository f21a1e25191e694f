//! finish × await × callback × drop, on the real type that a loop tells. The
//! loop's part (one `resolve` for a cancel, a close or an end) is the runtime's
//! and is modelled there.

use super::told::Told;
use crate::outcome::{HoldsCell, OutcomeCell, Taker};
use polyloop::{Outcome, TaskError};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

type Answer = Result<u8, TaskError>;

impl HoldsCell<Answer> for Arc<Told<u8>> {
    fn cell(&self) -> &OutcomeCell<Answer> {
        &self.cell
    }
}

fn ends() -> (Arc<Told<u8>>, Taker<Answer, Arc<Told<u8>>>) {
    let told = Arc::new(Told::new());
    // SAFETY: one taker for a new cell.
    let taker = unsafe { Taker::new(told.clone()) };
    (told, taker)
}

#[test]
fn loom_trap_024_submission_is_awaited_and_followed() {
    loom::model(|| {
        let (told, mut taker) = ends();
        let calls = Arc::new(AtomicUsize::new(0));
        let producer = {
            let told = told.clone();
            loom::thread::spawn(move || told.resolve(Ok(7)))
        };
        let counter = calls.clone();
        told.follow(Box::new(move || {
            counter.fetch_add(1, SeqCst);
        }));
        assert!(matches!(taker.block(None), Ok(Some(Ok(7)))));
        producer.join().unwrap();
        assert_eq!(calls.load(SeqCst), 1);
    });
}

#[test]
fn loom_submission_is_followed_from_two_threads() {
    loom::model(|| {
        let (told, taker) = ends();
        let calls = Arc::new(AtomicUsize::new(0));
        let follow = |told: &Told<u8>, calls: &Arc<AtomicUsize>| {
            let calls = calls.clone();
            told.follow(Box::new(move || {
                calls.fetch_add(1, SeqCst);
            }));
        };
        let producer = {
            let told = told.clone();
            loom::thread::spawn(move || told.resolve(Ok(7)))
        };
        let follower = {
            let (told, calls) = (told.clone(), calls.clone());
            loom::thread::spawn(move || follow(&told, &calls))
        };
        follow(&told, &calls);
        drop(taker);
        producer.join().unwrap();
        follower.join().unwrap();
        assert_eq!(calls.load(SeqCst), 2);
    });
}

/// The same on real loops: submit × run × cancel × drop × close.
mod on_a_loop {
    use crate::submit::{Submission, SubmissionError, run_coroutine_threadsafe};
    use crate::waiters::block_on;
    use loom::sync::{Condvar, Mutex};
    use polyloop::{Driver, Event, EventLoop, Unpark, Wait};
    use std::future::Future;
    use std::io;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::Context;
    use std::time::Duration;

    /// Sleeps on a primitive that the checker knows, in place of a selector.
    struct LoomDriver(Arc<Sleeper>);

    struct Sleeper {
        woken: Mutex<bool>,
        changed: Condvar,
    }

    impl Driver for LoomDriver {
        fn wait(&mut self, wait: Wait, _sink: &mut dyn FnMut(Event)) -> io::Result<()> {
            let mut woken = self.0.woken.lock().unwrap();
            while wait == Wait::Forever && !*woken {
                woken = self.0.changed.wait(woken).unwrap();
            }
            *woken = false;
            Ok(())
        }

        fn unparker(&self) -> Arc<dyn Unpark> {
            self.0.clone()
        }

        fn registry(&self) -> io::Result<Option<mio::Registry>> {
            Ok(None)
        }
    }

    impl Unpark for Sleeper {
        fn unpark(&self) -> io::Result<()> {
            *self.woken.lock().unwrap() = true;
            self.changed.notify_one();
            Ok(())
        }
    }

    fn new_loop() -> EventLoop {
        let sleeper = Sleeper {
            woken: Mutex::new(false),
            changed: Condvar::new(),
        };
        EventLoop::builder()
            .name("model")
            .driver(LoomDriver(Arc::new(sleeper)))
            .busy_poll(Duration::ZERO)
            .debug(false)
            .build()
            .unwrap()
    }

    /// Blocks the model's thread. `result()` would refuse to: the checker runs
    /// all its threads on one, which is the loop's own.
    fn outcome<T>(mut submission: Submission<T>) -> Result<T, SubmissionError> {
        let poll = |cx: &mut Context<'_>| Pin::new(&mut submission).poll(cx);
        block_on(None, poll).expect("there is no deadline")
    }

    #[test]
    fn loom_a_thread_gets_its_result_from_a_loop() {
        loom::model(|| {
            let mut looped = new_loop();
            let handle = looped.handle();
            let thread = loom::thread::spawn(move || {
                let submission = run_coroutine_threadsafe(&handle, || async { 7 });
                assert!(matches!(outcome(submission), Ok(7)));
                handle.stop();
            });
            looped.run_forever().unwrap();
            thread.join().unwrap();
        });
    }

    #[test]
    fn loom_a_cancel_is_answered_once() {
        loom::model(|| {
            let mut looped = new_loop();
            let handle = looped.handle();
            let thread = loom::thread::spawn(move || {
                let submission = run_coroutine_threadsafe(&handle, || async { 7 });
                submission.cancel();
                let answer = outcome(submission);
                assert!(matches!(answer, Ok(7) | Err(SubmissionError::Cancelled)));
                handle.stop();
            });
            looped.run_forever().unwrap();
            thread.join().unwrap();
        });
    }

    #[test]
    fn loom_a_close_answers_what_it_meets() {
        loom::model(|| {
            let looped = new_loop();
            let handle = looped.handle();
            let thread = loom::thread::spawn(move || {
                let submission = run_coroutine_threadsafe(&handle, || async { 7 });
                // A hang, which the checker reports, would be the fault.
                let error = outcome(submission).unwrap_err();
                assert!(error.is_loop_closed());
            });
            looped.close(Duration::ZERO);
            thread.join().unwrap();
        });
    }

    #[test]
    fn loom_trap_029_a_drop_meets_the_end_and_the_close() {
        loom::model(|| {
            let mut looped = new_loop();
            let handle = looped.handle();
            let value = Arc::new(());
            let sent = value.clone();
            let thread = loom::thread::spawn(move || {
                drop(run_coroutine_threadsafe(&handle, || async { sent }));
                handle.stop();
            });
            looped.run_forever().unwrap();
            looped.close(Duration::ZERO);
            thread.join().unwrap();
            assert_eq!(Arc::strong_count(&value), 1, "it ended once, and at once");
        });
    }
}
