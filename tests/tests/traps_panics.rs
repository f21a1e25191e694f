//! Panics in code that runs on loops and workers, beside what has to go on.
#![forbid(unsafe_code)]

use futures::future::join;
use polyloop::{current_loop, yield_now};
use polyloop_bridge::{ThreadPoolExecutor, call_soon_threadsafe, run_coroutine_threadsafe};
use polyloop_tests::{Alive, listening, with_watchdog};
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(240);

/// Panics when it is polled, dropped, or neither.
struct Fragile {
    on_poll: bool,
    on_drop: bool,
    _alive: Alive,
}

impl Future for Fragile {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.on_poll {
            std::panic::resume_unwind(Box::new("polled"));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        if self.on_drop && !thread::panicking() {
            std::panic::resume_unwind(Box::new("dropped"));
        }
    }
}

#[test]
fn trap_052_futures_that_panic_in_poll_and_drop_break_no_neighbour() {
    with_watchdog(HANG, || {
        for (on_poll, on_drop) in [(false, false), (false, true), (true, false), (true, true)] {
            let count = Rc::new(Cell::new(0));
            let (mut looped, _told) = listening();
            let fragile = |on_poll, on_drop| Fragile {
                on_poll,
                on_drop,
                _alive: Alive::new(&count),
            };
            let both = join(fragile(on_poll, on_drop), fragile(false, false));
            let group = looped.create_task(both);
            let alone = looped.create_task(fragile(on_poll, on_drop));
            let neighbour = looped.create_task(async {
                for _ in 0..10 {
                    yield_now().await;
                }
                7
            });
            let value = looped.run_until_complete(async {
                let value = neighbour.await.unwrap();
                group.cancel();
                alone.cancel();
                assert!(group.await.is_err() && alone.await.is_err());
                value
            });
            assert_eq!(value, Ok(7));
            looped.close(Duration::ZERO);
            assert_eq!(count.get(), 0, "{on_poll} {on_drop}");
        }
    });
}

/// A panic in whatever runs on a loop or a worker leaves both in use.
#[test]
fn trap_054_loop_and_executor_serve_after_panics_everywhere() {
    fn planted() {
        std::panic::resume_unwind(Box::new("planted"));
    }
    with_watchdog(HANG, || {
        let pool = ThreadPoolExecutor::builder()
            .max_workers(2)
            .build()
            .unwrap();
        let (mut looped, told) = listening();
        for round in 1..=20 {
            assert!(pool.submit(planted).result().is_err());
            call_soon_threadsafe(&looped.handle(), planted).unwrap();
            let sent = run_coroutine_threadsafe(&looped.handle(), || async { planted() });
            drop(looped.create_task(async { planted() }));
            let main = catch_unwind(AssertUnwindSafe(|| {
                looped.run_until_complete(async {
                    yield_now().await;
                    yield_now().await;
                    planted();
                })
            }));
            assert!(main.is_err());
            assert!(sent.result().is_err());
            assert_eq!(pool.submit(move || round).result().unwrap(), round);
            let name = looped.run_until_complete(async { current_loop().name().to_owned() });
            assert!(name.is_ok());
        }
        assert!(told.borrow().len() >= 40, "{}", told.borrow().len());
        let held = Arc::new(());
        let sends = held.clone();
        pool.submit(move || drop(sends)).result().unwrap();
        assert_eq!(Arc::strong_count(&held), 1);
    });
}
