use super::scope;
use crate::{create_task, timeout, yield_now};
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::ptr::{from_mut, null_mut};
use std::rc::Rc;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

fn run<F: Future>(main: F) -> F::Output {
    crate::run(main).expect("a loop can be had")
}

#[test]
fn tasks_borrow_and_the_scope_waits_for_them() {
    run(async {
        let mut numbers = vec![1, 2, 3];
        let seen = RefCell::new(Vec::new());
        let sum = scope(async |scope| {
            let halves = numbers.iter_mut().map(|number| {
                let seen = &seen;
                scope.create_task(async move {
                    yield_now().await;
                    *number *= 10;
                    seen.borrow_mut().push(*number);
                    *number
                })
            });
            let tasks: Vec<_> = halves.collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await.unwrap();
            }
            sum
        });
        assert_eq!(sum.await, 60);
        assert_eq!(seen.into_inner(), [10, 20, 30]);
        assert_eq!(numbers, [10, 20, 30]);
    });
}

#[test]
fn children_make_children_and_all_are_waited_for() {
    run(async {
        let done = Cell::new(0);
        scope(async |scope| {
            let (inner, done) = (scope.clone(), &done);
            drop(scope.create_task(async move {
                for _ in 0..10 {
                    drop(inner.create_task(async move {
                        yield_now().await;
                        done.set(done.get() + 1);
                    }));
                }
                done.set(done.get() + 1);
            }));
        })
        .await;
        assert_eq!(done.get(), 11);
    });
}

#[test]
fn dropping_the_scope_drops_its_children_at_once() {
    run(async {
        let alive = Rc::new(());
        let held = &alive;
        let limited = scope(async |scope| {
            let (one, two, inner) = (held.clone(), held.clone(), scope.clone());
            drop(scope.create_task(async move {
                let (_one, _inner) = (one, inner);
                pending::<()>().await;
            }));
            yield_now().await;
            // Not polled by then: it is made in the scope's last poll.
            drop(scope.create_task(async move { drop(two) }));
            pending::<()>().await;
        });
        assert!(timeout(Duration::from_millis(2), limited).await.is_err());
        assert_eq!(Rc::strong_count(&alive), 1);
    });
}

#[test]
fn a_child_can_be_cancelled_alone() {
    run(async {
        scope(async |scope| {
            let never = scope.create_task(pending::<()>());
            let other = scope.create_task(async { 7 });
            yield_now().await;
            assert!(never.cancel());
            assert!(never.await.unwrap_err().is_cancelled());
            assert_eq!(other.await.unwrap(), 7);
        })
        .await;
    });
}

#[test]
fn a_panic_goes_to_who_awaits_the_child_or_else_out_of_the_scope() {
    run(async {
        scope(async |scope| {
            let bad = scope.create_task(async { panic!("told") });
            assert_eq!(bad.await.unwrap_err().panic_message(), Some("told"));
        })
        .await;
        let mut bad = pin!(scope(async |scope| {
            drop(scope.create_task(async { panic!("untold") }));
            pending::<()>().await;
        }));
        let panicked =
            poll_fn(
                |cx| match catch_unwind(AssertUnwindSafe(|| bad.as_mut().poll(cx))) {
                    Ok(Poll::Pending) => Poll::Pending,
                    Ok(Poll::Ready(())) => unreachable!("the body never ends"),
                    Err(payload) => Poll::Ready(payload),
                },
            );
        assert_eq!(panicked.await.downcast_ref(), Some(&"untold"));
    });
}

#[test]
#[should_panic(expected = "the scope is over")]
fn a_handle_that_was_carried_out_takes_no_more() {
    run(async {
        let scope = scope(async |scope| scope).await;
        drop(scope.create_task(async {}));
    });
}

#[test]
fn a_leaked_scope_is_never_polled_again() {
    // A leak checker finds it here, and sees that it is meant.
    static LEAKED: AtomicPtr<()> = AtomicPtr::new(null_mut());
    run(async {
        let runs = Rc::new(Cell::new(0));
        let count = runs.clone();
        let mut leaked = Box::pin(scope(async move |scope| {
            drop(scope.create_task(async move {
                loop {
                    count.set(count.get() + 1);
                    yield_now().await;
                }
            }));
            pending::<()>().await;
        }));
        let polled = create_task(async move {
            poll_fn(|cx| Poll::Ready(leaked.as_mut().poll(cx).is_pending())).await;
            LEAKED.store(from_mut(Box::leak(Box::new(leaked))).cast(), Relaxed);
        });
        polled.await.unwrap();
        let before = runs.get();
        yield_now().await;
        yield_now().await;
        assert_eq!((before, runs.get()), (1, 1));
    });
}
