//! What outlives its loop: handles, wakers and timers that are used or dropped
//! after the end, also while the thread's locals are being destroyed.
#![forbid(unsafe_code)]

use polyloop::{EventLoop, Task, create_task, sleep, yield_now};
use polyloop_tests::with_watchdog;
use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(240);

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::default();
}

/// What a thread may still hold when its thread-locals are destroyed.
#[derive(Default)]
struct Kept {
    running: Option<EventLoop>,
    tasks: Vec<Task<Vec<u8>>>,
    sleeping: Option<polyloop::time::Sleep>,
    waker: Option<Waker>,
    handle: Option<polyloop::LoopHandle>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}

#[test]
fn trap_045_046_everything_may_stand_in_a_thread_local() {
    with_watchdog(HANG, || {
        for close_first in [false, true] {
            thread::spawn(move || {
                // Touched before and after the runtime's own thread-locals, so
                // that it is destroyed after them in one of the two cases.
                if close_first {
                    KEPT.with(|kept| drop(kept.borrow()));
                }
                let mut looped = EventLoop::new().unwrap();
                let (tasks, sleeping, waker) = looped
                    .run_until_complete(async {
                        let done = create_task(async { vec![1_u8; 100] });
                        let asleep = create_task(async {
                            sleep(Duration::from_secs(3600)).await;
                            Vec::new()
                        });
                        let mut timer = sleep(Duration::from_secs(3600));
                        let polled = poll_fn(|cx| {
                            Poll::Ready(std::pin::Pin::new(&mut timer).poll(cx).is_pending())
                        });
                        assert!(polled.await);
                        yield_now().await;
                        let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
                        (vec![done, asleep], timer, waker)
                    })
                    .unwrap();
                KEPT.with(|kept| {
                    let mut kept = kept.borrow_mut();
                    kept.handle = Some(looped.handle());
                    kept.tasks = tasks;
                    kept.sleeping = Some(sleeping);
                    kept.waker = Some(waker);
                    if close_first {
                        looped.close(Duration::ZERO);
                    } else {
                        kept.running = Some(looped);
                    }
                });
            })
            .join()
            .unwrap();
        }
    });
}

#[test]
fn trap_044_handles_outlive_their_loop() {
    with_watchdog(HANG, || {
        let mut looped = EventLoop::new().unwrap();
        let (done, alive, panicked) = looped
            .run_until_complete(async {
                let done = create_task(async { "value".to_owned() });
                let panicked = create_task(async { panic!("planted, and awaited") });
                let alive = create_task(std::future::pending::<String>());
                yield_now().await;
                (done, alive, panicked)
            })
            .unwrap();
        let callback = polyloop::run(async { polyloop::call_soon(|| {}) }).unwrap();
        assert!(callback.is_finished() && !callback.cancel());
        looped.close(Duration::ZERO);
        // On another loop of the same thread they still answer.
        polyloop::run(async {
            assert_eq!(done.await.unwrap(), "value");
            let error = alive.await.unwrap_err();
            assert!(error.is_cancelled());
            let error = panicked.await.unwrap_err();
            assert_eq!(error.panic_message(), Some("planted, and awaited"));
        })
        .unwrap();
    });
}
