//! What cancelling means, and what becomes of a future that is cancelled.
#![forbid(unsafe_code)]

use polyloop::{
    EventLoop, Outcome, TaskError, create_task, current_loop, sleep, timeout, yield_now,
};
use polyloop_tests::with_watchdog;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

const HANG: Duration = Duration::from_secs(120);

/// Sets its flag when it is dropped.
struct OnDrop(Rc<Cell<bool>>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[test]
fn cancelled_before_its_start_a_body_never_runs() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let ran = Rc::new(Cell::new(false));
            let inner = ran.clone();
            let task = create_task(async move { inner.set(true) });
            assert!(task.cancel());
            assert!(task.cancel(), "asking twice is asking");
            let error = task.await.unwrap_err();
            assert!(error.is_cancelled() && !error.is_loop_closed() && !error.is_panic());
            assert!(!ran.get());
        })
        .unwrap();
    });
}

#[test]
fn cancelling_never_drops_the_future_inside_the_call() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let gone = Rc::new(Cell::new(false));
            let held = OnDrop(gone.clone());
            let task = create_task(async move {
                let _held = held;
                sleep(Duration::from_secs(3600)).await;
            });
            yield_now().await;
            assert!(task.cancel());
            assert!(!gone.get() && !task.is_finished());
            yield_now().await;
            assert!(gone.get() && task.is_finished() && !task.cancel());
            assert!(task.await.unwrap_err().is_cancelled());
        })
        .unwrap();
    });
}

#[test]
fn a_task_that_finished_first_keeps_its_value() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let task = create_task(async { 5 });
            yield_now().await;
            assert!(!task.cancel());
            assert_eq!(task.await.unwrap(), 5);
        })
        .unwrap();
    });
}

#[test]
fn a_task_may_cancel_itself_and_ends_at_its_next_wait() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let own = Rc::new(RefCell::new(None::<polyloop::Task<()>>));
            let steps = Rc::new(Cell::new(0));
            let (me, step) = (own.clone(), steps.clone());
            let task = create_task(async move {
                yield_now().await;
                step.set(1);
                assert!(me.borrow().as_ref().is_some_and(polyloop::Task::cancel));
                step.set(2);
                yield_now().await;
                step.set(3);
            });
            *own.borrow_mut() = Some(task);
            for _ in 0..5 {
                yield_now().await;
            }
            let task = own.borrow_mut().take();
            assert!(task.is_some_and(|task| task.is_finished()));
            assert_eq!(
                steps.get(),
                2,
                "the rest of its poll runs, nothing after it"
            );
        })
        .unwrap();
    });
}

#[test]
fn a_task_that_cancels_itself_and_returns_keeps_its_value() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let own = Rc::new(RefCell::new(None::<polyloop::Task<i32>>));
            let me = own.clone();
            *own.borrow_mut() = Some(create_task(async move {
                assert!(me.borrow().as_ref().is_some_and(polyloop::Task::cancel));
                11
            }));
            yield_now().await;
            let task = own.borrow_mut().take().unwrap();
            assert_eq!(task.await.unwrap(), 11);
        })
        .unwrap();
    });
}

#[test]
fn cancel_and_wait_returns_when_the_future_is_gone() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let gone = Rc::new(Cell::new(false));
            let held = OnDrop(gone.clone());
            let task = create_task(async move {
                let _held = held;
                std::future::pending::<()>().await;
            });
            assert!(task.cancel_and_wait().await.unwrap_err().is_cancelled());
            assert!(gone.get());
        })
        .unwrap();
    });
}

#[test]
fn dropping_the_guard_cancels_and_dropping_the_handle_does_not() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let (detached, guarded) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
            let count = |cell: &Rc<Cell<i32>>| {
                let cell = cell.clone();
                create_task(async move {
                    for _ in 0..3 {
                        yield_now().await;
                        cell.set(cell.get() + 1);
                    }
                })
            };
            drop(count(&detached));
            drop(count(&guarded).abort_on_drop());
            sleep(Duration::from_millis(1)).await;
            assert_eq!((detached.get(), guarded.get()), (3, 0));
        })
        .unwrap();
    });
}

#[test]
fn closing_cancels_and_lets_clean_up_run_for_its_grace() {
    with_watchdog(HANG, || {
        struct SpawnOnDrop(Rc<Cell<bool>>);
        impl Drop for SpawnOnDrop {
            fn drop(&mut self) {
                let done = self.0.clone();
                drop(create_task(async move {
                    yield_now().await;
                    done.set(true);
                }));
            }
        }
        let cleaned = Rc::new(Cell::new(false));
        let looped = EventLoop::new().unwrap();
        let held = SpawnOnDrop(cleaned.clone());
        let task = looped.create_task(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        // Far longer than the watchdog: it ends when the clean-up does.
        let report = looped.close(Duration::from_secs(3600));
        assert_eq!((report.cancelled, report.unfinished.len()), (1, 0));
        assert!(cleaned.get() && task.is_finished());
    });
}

#[test]
fn trap_063_closing_ends_although_every_drop_makes_a_task() {
    with_watchdog(HANG, || {
        struct Again(u32);
        impl Drop for Again {
            fn drop(&mut self) {
                if self.0 > 0 {
                    let next = Again(self.0 - 1);
                    drop(create_task(async move {
                        let _next = next;
                        std::future::pending::<()>().await;
                    }));
                }
            }
        }
        // Each destroyed task is told of: not on standard error here.
        let builder = EventLoop::builder().exception_handler(|_| {});
        let looped = builder.build().unwrap();
        let first = Again(1_000);
        drop(looped.create_task(async move { drop(first) }));
        let report = looped.close(Duration::ZERO);
        assert_eq!(report.cancelled, 1);
    });
}

#[test]
fn a_timeout_drops_the_future_before_it_answers() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let gone = Rc::new(Cell::new(false));
            let held = OnDrop(gone.clone());
            let slow = async move {
                let _held = held;
                std::future::pending::<()>().await;
            };
            assert!(timeout(Duration::from_millis(1), slow).await.is_err());
            assert!(gone.get());
            let polled = timeout(Duration::ZERO, async { 1 }).await;
            assert_eq!(polled, Ok(1), "a limit of zero polls once");
        })
        .unwrap();
    });
}

/// Counts how often it was told, and what.
#[derive(Default)]
struct Count {
    values: AtomicUsize,
    cancelled: AtomicUsize,
}

struct Told(Arc<Count>);

impl Outcome<u32> for Told {
    fn resolve(&self, result: Result<u32, TaskError>) {
        let which = match result {
            Ok(_) => &self.0.values,
            Err(error) => {
                assert!(error.is_cancelled());
                &self.0.cancelled
            }
        };
        which.fetch_add(1, SeqCst);
    }
}

#[test]
fn trap_061_submitted_work_is_cancelled_from_another_thread() {
    with_watchdog(HANG, || {
        let told = Arc::new(Count::default());
        let outcome = told.clone();
        polyloop::run(async move {
            let handle = current_loop();
            let work = || async {
                std::future::pending::<()>().await;
                1
            };
            let remote = handle.submit(work, Told(outcome.clone())).unwrap();
            yield_now().await;
            yield_now().await;
            let remote = std::thread::spawn(move || {
                assert!(remote.cancel());
                remote
            });
            let remote = remote.join().unwrap();
            yield_now().await;
            yield_now().await;
            assert!(!remote.cancel(), "it is finished");
            assert_eq!(outcome.cancelled.load(SeqCst), 1);
            // Cancelled before it began: the closure is dropped uncalled.
            let never = handle.submit(|| async { unreachable!() }, Told(outcome.clone()));
            assert!(never.unwrap().cancel());
            yield_now().await;
            yield_now().await;
        })
        .unwrap();
        assert_eq!(told.cancelled.load(SeqCst), 2);
        assert_eq!(told.values.load(SeqCst), 0);
    });
}
