use std::cell::{Cell, RefCell};
use std::future::{Future, pending, ready};
use std::rc::Rc;
use std::time::Duration;

use futures::StreamExt;

use super::{Either, ReturnWhen, as_completed, gather, race, try_gather, wait};
use crate::sync::Event;
use crate::task::Task;
use crate::{create_task, yield_now};

fn run<F: Future>(main: F) -> F::Output {
    crate::run(main).expect("a loop can be had")
}

/// A task that ends with `value` once the event is set.
fn task_after<T: 'static>(event: &Rc<Event>, value: T) -> Task<T> {
    let event = Rc::clone(event);
    create_task(async move {
        event.wait().await;
        value
    })
}

/// Is the future still waiting after one more poll?
async fn must_wait(future: impl Future + Unpin) -> bool {
    let polled = futures::future::select(future, ready(())).await;
    matches!(polled, Either::Right(_))
}

fn panicking_task() -> Task<()> {
    create_task(async { panic!("a task's own trouble") })
}

#[test]
fn test_success() {
    // Results come in input order, whichever future is ready first.
    run(async {
        let (first, second) = (Rc::new(Event::new()), Rc::new(Event::new()));
        let tasks = [task_after(&first, 'a'), task_after(&second, 'b')];
        second.set();
        let opener = create_task(async move {
            yield_now().await;
            first.set();
        });
        let both = gather(tasks).await;
        let both: Vec<_> = both.into_iter().map(Result::unwrap).collect();
        assert_eq!(both, ['a', 'b']);
        opener.await.unwrap();
    });
}

#[test]
fn test_gather_of_nothing_and_of_many() {
    run(async {
        assert!(gather(Vec::<Task<()>>::new()).await.is_empty());
        let many = gather((0..1000).map(|n| async move {
            yield_now().await;
            n
        }));
        assert_eq!(many.await, (0..1000).collect::<Vec<_>>());
    });
}

#[test]
fn test_result_exception_one_cancellation() {
    run(async {
        let never = create_task(pending::<()>());
        never.cancel();
        let all = gather([never, panicking_task(), create_task(ready(()))]).await;
        assert!(all[0].as_ref().is_err_and(|error| error.is_cancelled()));
        assert!(all[1].as_ref().is_err_and(|error| error.is_panic()));
        assert!(all[2].is_ok());
    });
}

#[test]
fn test_one_exception() {
    // The first error completes it at once; a sibling that is a task runs on.
    run(async {
        let gate = Rc::new(Event::new());
        let finished = Rc::new(Cell::new(false));
        let sibling = create_task({
            let (gate, finished) = (gate.clone(), finished.clone());
            async move {
                gate.wait().await;
                finished.set(true);
                Ok(())
            }
        });
        let failing = create_task(async { Err("no") });
        let flat = |task: Task<Result<(), &'static str>>| async { task.await.unwrap() };
        assert_eq!(try_gather([flat(sibling), flat(failing)]).await, Err("no"));
        gate.set();
        while !finished.get() {
            yield_now().await;
        }
    });
}

#[test]
fn plain_futures_are_dropped_with_their_gather() {
    run(async {
        let alive = Rc::new(());
        let held = alive.clone();
        let mut both = Box::pin(crate::gather!(pending::<()>(), async move {
            let _held = held;
            pending::<()>().await;
        }));
        assert!(must_wait(&mut both).await);
        assert_eq!(Rc::strong_count(&alive), 2);
        drop(both);
        assert_eq!(Rc::strong_count(&alive), 1);
    });
}

#[test]
fn test_constructor_heterogenous_futures() {
    run(async {
        assert_eq!(crate::gather!(ready(1)).await, (1,));
        assert_eq!(crate::gather!(ready(1), ready("b")).await, (1, "b"));
        let many = crate::gather!(
            ready(1),
            async { 'b' },
            ready(()),
            ready(4.0),
            create_task(ready(vec![5])),
            ready(None::<u8>),
        );
        let (a, b, c, d, e, f) = many.await;
        assert_eq!((a, b, c, d, f), (1, 'b', (), 4.0, None));
        assert_eq!(e.unwrap(), [5]);
    });
}

#[test]
fn the_gather_macro_polls_in_input_order() {
    run(async {
        let order = RefCell::new(Vec::new());
        let note = |n| {
            let order = &order;
            async move { order.borrow_mut().push(n) }
        };
        crate::gather!(note(1), note(2), note(3)).await;
        assert_eq!(*order.borrow(), [1, 2, 3]);
    });
}

#[test]
fn test_wait_first_completed() {
    run(async {
        let gate = Rc::new(Event::new());
        let slow = task_after(&gate, 1);
        let fast = create_task(ready(2));
        let (done, pending) = wait([slow, fast], ReturnWhen::FirstCompleted, None).await;
        assert_eq!((done.len(), pending.len()), (1, 1));
        gate.set();
        for task in done {
            assert_eq!(task.await.unwrap(), 2);
        }
        for task in pending {
            assert_eq!(task.await.unwrap(), 1);
        }
    });
}

#[test]
fn test_wait_really_done() {
    // All that have ended are done, even if one would have been enough.
    run(async {
        let tasks: Vec<_> = (0..40).map(|n| create_task(ready(n))).collect();
        yield_now().await;
        yield_now().await;
        let (done, pending) = wait(tasks, ReturnWhen::FirstCompleted, None).await;
        assert!(pending.is_empty());
        let values: Vec<_> = gather(done).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(values, (0..40).collect::<Vec<_>>());
    });
}

#[test]
fn test_wait_first_exception() {
    // A cancelled task is not one that failed; one that panicked is.
    run(async {
        let gate = Rc::new(Event::new());
        let mut waiting = task_after(&gate, ());
        let mut cancelled = create_task(pending());
        cancelled.cancel();
        let limit = Some(Duration::from_millis(5));
        let (done, pending) = wait(
            [&mut waiting, &mut cancelled],
            ReturnWhen::FirstException,
            limit,
        )
        .await;
        assert_eq!((done.len(), pending.len()), (1, 1));
        let mut failing = panicking_task();
        let (done, pending) = wait(
            [&mut waiting, &mut failing],
            ReturnWhen::FirstException,
            None,
        )
        .await;
        assert_eq!((done.len(), pending.len()), (1, 1));
        assert!(failing.await.unwrap_err().is_panic());
        gate.set();
        waiting.await.unwrap();
    });
}

#[test]
fn test_wait_with_timeout() {
    // Time that is up cancels nothing, and the tasks can be awaited afterwards.
    run(async {
        let gate = Rc::new(Event::new());
        let mut task = task_after(&gate, 5);
        for timeout in [Duration::ZERO, Duration::from_millis(2)] {
            let (done, pending) = wait([&mut task], ReturnWhen::AllCompleted, Some(timeout)).await;
            assert_eq!((done.len(), pending.len()), (0, 1));
        }
        assert!(!task.is_finished());
        gate.set();
        assert_eq!(task.await.unwrap(), 5);
    });
}

#[test]
fn test_wait_errors() {
    // Where asyncio refuses an empty set, there is simply nothing to wait for.
    run(async {
        let (done, pending) = wait(Vec::<Task<()>>::new(), ReturnWhen::FirstCompleted, None).await;
        assert!(done.is_empty() && pending.is_empty());
    });
}

#[test]
fn test_wait_does_not_cancel_when_dropped() {
    run(async {
        let gate = Rc::new(Event::new());
        let mut task = task_after(&gate, 5);
        let mut waiting = Box::pin(wait([&mut task], ReturnWhen::AllCompleted, None));
        assert!(must_wait(&mut waiting).await);
        drop(waiting);
        gate.set();
        assert_eq!(task.await.unwrap(), 5);
    });
}

#[test]
fn test_as_completed() {
    run(async {
        let gates: Vec<_> = (0..3).map(|_| Rc::new(Event::new())).collect();
        let tasks: Vec<_> = (0..3).map(|n| task_after(&gates[n], n)).collect();
        let mut finished = as_completed(tasks);
        assert_eq!(finished.remaining(), 3);
        for n in [1, 2, 0] {
            gates[n].set();
            let task = finished.next().await.expect("there are tasks left");
            assert!(task.is_finished());
            assert_eq!(task.await.unwrap(), n);
        }
        assert!(finished.next().await.is_none());
    });
}

#[test]
fn test_as_completed_resume_iterator() {
    // A wait for the next one that is given up loses nothing.
    run(async {
        let gate = Rc::new(Event::new());
        let mut finished = as_completed([task_after(&gate, 1), task_after(&gate, 2)]);
        assert!(must_wait(finished.next()).await);
        gate.set();
        let first = finished.next().await.expect("two tasks are left");
        assert_eq!(first.await.unwrap(), 1);
        let rest = finished.into_remaining();
        assert_eq!(gather(rest).await.len(), 1);
    });
}

#[test]
fn test_as_completed_same_tasks_in_as_out() {
    run(async {
        let mut task = create_task(ready(3));
        let address = std::ptr::from_ref(&task);
        let same = as_completed([&mut task]).next().await;
        assert!(std::ptr::eq(same.expect("one task"), address));
        assert_eq!(task.await.unwrap(), 3);
    });
}

#[test]
fn a_race_drops_the_loser_before_it_answers() {
    run(async {
        let alive = Rc::new(());
        let held = alive.clone();
        let loser = async move {
            let _held = held;
            pending::<()>().await;
        };
        assert!(matches!(race(loser, ready(1)).await, Either::Right(1)));
        assert_eq!(Rc::strong_count(&alive), 1);
        assert!(matches!(race(ready(1), ready(2)).await, Either::Left(1)));
    });
}
