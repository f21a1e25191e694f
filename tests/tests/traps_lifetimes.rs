//! Tasks, wakers and values that end in an order which other runtimes did not
//! survive. What is freed too early or never is AddressSanitizer's to find.
#![forbid(unsafe_code)]

use polyloop::{EventLoop, Task, create_task, yield_now};
use polyloop_tests::{Alive, Bomb, listening, with_watchdog};
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(240);

/// How a task ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Returns,
    Panics,
    IsCancelled,
    WaitsUntilTheClose,
}

/// What becomes of its handle.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Handle {
    DroppedAtOnce,
    DroppedAfter,
    Awaited,
    AbortsOnDrop,
}

/// What becomes of a waker of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Woken {
    Never,
    Here,
    Elsewhere,
    AfterTheLoop,
}

/// Is pending once, and leaves its waker; then ends as it should.
async fn life(end: End, wakers: Rc<Cell<Option<Waker>>>, alive: Alive) -> Alive {
    let mut polled = false;
    poll_fn(|cx| {
        if polled {
            return Poll::Ready(());
        }
        polled = true;
        wakers.set(Some(cx.waker().clone()));
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    match end {
        End::Returns => alive,
        End::Panics => std::panic::resume_unwind(Box::new(end as u8)),
        End::IsCancelled | End::WaitsUntilTheClose => pending().await,
    }
}

fn live(end: End, handle: Handle, woken: Woken) {
    let count = Rc::new(Cell::new(0));
    let wakers = Rc::new(Cell::new(None));
    let mut looped = EventLoop::builder()
        .exception_handler(|_| {})
        .build()
        .unwrap();
    let task = looped.create_task(life(end, wakers.clone(), Alive::new(&count)));
    looped
        .run_until_complete(async {
            let mut kept = None;
            match handle {
                Handle::DroppedAtOnce => {
                    if end == End::IsCancelled {
                        task.cancel();
                    }
                    drop(task);
                }
                Handle::AbortsOnDrop => drop(task.abort_on_drop()),
                _ => kept = Some(task),
            }
            yield_now().await;
            yield_now().await;
            if let Some(task) = kept {
                settle(end, handle, task).await;
            }
        })
        .unwrap();
    let waker = wakers.take();
    match (woken, waker) {
        (Woken::Here, Some(waker)) => {
            waker.wake_by_ref();
            looped.run_until_complete(yield_now()).unwrap();
            waker.wake();
        }
        (Woken::Elsewhere, Some(waker)) => thread::spawn(move || waker.wake()).join().unwrap(),
        (Woken::AfterTheLoop, Some(waker)) => {
            looped.close(Duration::ZERO);
            assert_eq!(count.get(), 0, "{end:?} {handle:?} {woken:?}");
            waker.wake_by_ref();
            thread::spawn(move || waker.wake()).join().unwrap();
            return;
        }
        _ => {}
    }
    looped.close(Duration::ZERO);
    assert_eq!(count.get(), 0, "{end:?} {handle:?} {woken:?}");
}

async fn settle(end: End, handle: Handle, task: Task<Alive>) {
    if end == End::IsCancelled {
        task.cancel();
    }
    if handle == Handle::Awaited && end != End::WaitsUntilTheClose {
        let outcome = task.await;
        assert_eq!(outcome.is_ok(), end == End::Returns);
    }
}

#[test]
fn trap_028_tasks_end_in_every_way_whatever_becomes_of_handles_and_wakers() {
    with_watchdog(HANG, || {
        for end in [
            End::Returns,
            End::Panics,
            End::IsCancelled,
            End::WaitsUntilTheClose,
        ] {
            for handle in [
                Handle::DroppedAtOnce,
                Handle::DroppedAfter,
                Handle::Awaited,
                Handle::AbortsOnDrop,
            ] {
                for woken in [
                    Woken::Never,
                    Woken::Here,
                    Woken::Elsewhere,
                    Woken::AfterTheLoop,
                ] {
                    live(end, handle, woken);
                }
            }
        }
    });
}

/// The future of a task holds the last handle of its own loop, and a waker of
/// itself: letting go of the future lets go of both.
#[test]
fn trap_031_a_task_that_holds_its_own_waker_and_loop_ends_cleanly() {
    with_watchdog(HANG, || {
        let count = Rc::new(Cell::new(0));
        for closes in [true, false] {
            let looped = EventLoop::new().unwrap();
            let (alive, own) = (Alive::new(&count), Rc::new(RefCell::new(None)));
            let handle = looped.handle();
            let mut looped = looped;
            let held = own.clone();
            let task = looped.create_task(poll_fn(move |cx| {
                let _held = (&alive, &handle);
                *held.borrow_mut() = Some(cx.waker().clone());
                Poll::<()>::Pending
            }));
            drop(own);
            looped.run_until_complete(yield_now()).unwrap();
            match closes {
                true => drop(looped),
                false => {
                    task.cancel();
                    looped
                        .run_until_complete(async { assert!(task.await.is_err()) })
                        .unwrap();
                }
            }
            assert_eq!(count.get(), 0);
        }
    });
}

/// Whoever lets go of a task last, its future dies at home, and nobody panics.
#[test]
fn trap_034_the_last_reference_may_go_on_another_thread() {
    with_watchdog(HANG, || {
        for closed_first in [false, true] {
            let count = Rc::new(Cell::new(0));
            let mut looped = EventLoop::new().unwrap();
            let place = Rc::new(Cell::new(None));
            let (left, alive) = (place.clone(), Alive::new(&count));
            drop(looped.create_task(poll_fn(move |cx| {
                let _held = &alive;
                left.set(Some(cx.waker().clone()));
                Poll::<()>::Pending
            })));
            looped.run_until_complete(yield_now()).unwrap();
            let waker = place.take().expect("it was polled");
            let mut looped = Some(looped);
            if closed_first {
                looped = None;
                assert_eq!(count.get(), 0, "the close dropped it, here");
            }
            thread::spawn(move || drop(waker)).join().unwrap();
            drop(looped);
            assert_eq!(count.get(), 0);
        }
    });
}

/// A wake calls nobody's code, so it cannot panic: of a task that runs, that has
/// ended, that is cancelled, on a loop that stands still and one that is gone.
#[test]
fn trap_038_039_a_waker_is_good_for_ever_and_on_every_thread() {
    with_watchdog(HANG, || {
        let wakers: Vec<Waker> = {
            let kept = Rc::new(RefCell::new(Vec::new()));
            let mut looped = EventLoop::new().unwrap();
            let leaves = |end: End| {
                let (kept, place) = (kept.clone(), Rc::new(Cell::new(None)));
                let alive = Alive::new(&Rc::default());
                async move {
                    let inner = create_task(life(end, place.clone(), alive));
                    yield_now().await;
                    yield_now().await;
                    if end == End::IsCancelled {
                        inner.cancel();
                    }
                    kept.borrow_mut().extend(place.take());
                    let own = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
                    kept.borrow_mut().push(own);
                }
            };
            for end in [End::Returns, End::IsCancelled, End::WaitsUntilTheClose] {
                looped.run_until_complete(leaves(end)).unwrap();
            }
            for waker in kept.borrow().iter() {
                waker.wake_by_ref();
            }
            kept.take()
        };
        assert_eq!(wakers.len(), 6);
        let on_another = thread::spawn(move || {
            for waker in &wakers {
                let copy = waker.clone();
                assert!(waker.will_wake(&copy));
                waker.wake_by_ref();
                copy.wake();
            }
            wakers
        });
        // That thread and its thread-locals are gone when the last are dropped.
        let wakers = on_another.join().unwrap();
        for waker in wakers {
            waker.wake();
        }
    });
}

/// Outputs that panic when they are dropped leave nothing behind.
#[test]
fn trap_043_a_loop_is_freed_with_all_it_held() {
    with_watchdog(HANG, || {
        let count = Rc::new(Cell::new(0));
        let (mut looped, told) = listening();
        for _ in 0..10 {
            let alive = Alive::new(&count);
            drop(looped.create_task(async move { (alive, Bomb("output")) }));
            let alive = Alive::new(&count);
            drop(looped.create_task(async move {
                let _held = (alive, Bomb("future"));
                pending::<()>().await;
            }));
        }
        looped.run_until_complete(yield_now()).unwrap();
        looped.close(Duration::ZERO);
        assert_eq!(count.get(), 0);
        let heard = |what| told.borrow().iter().filter(|told| *told == what).count();
        assert_eq!((heard("output"), heard("future")), (10, 10));
    });
}
