//! test_tasks.BaseTaskTests: cancelling.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use polyloop::sync::Event;
use polyloop::{
    CancelToken, Task, TaskGroup, call_soon, create_task, sleep, time, timeout, yield_now,
};

use crate::kit::{on_loop, settle, was_cancelled};

const LONG: Duration = Duration::from_secs(10);

/// A cell that a task's end sets, however it comes.
fn guard() -> (impl Drop, Rc<Cell<bool>>) {
    struct Gone(Rc<Cell<bool>>);
    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let gone = Rc::new(Cell::new(false));
    (Gone(gone.clone()), gone)
}

/// same test_tasks.BaseTaskTests.test_cancel
/// same test_tasks.BaseTaskTests.test_task_cancel_sleeping_task
#[test]
fn test_cancel() {
    on_loop(async {
        let began = time::now();
        let task = create_task(async {
            sleep(LONG).await;
            12
        });
        settle().await;
        assert!(task.cancel());
        assert!(was_cancelled(task).await);
        assert_eq!(time::now(), began);
    });
}

/// adapted test_tasks.BaseTaskTests.test_cancel_with_message_before_starting_task: there are no messages; the body never runs
#[test]
fn test_cancel_with_message_before_starting_task() {
    on_loop(async {
        let task = create_task(async { unreachable!("it is cancelled before it starts") });
        assert!(task.cancel());
        let error = task.await.unwrap_err();
        assert!(error.is_cancelled());
    });
}

/// same test_tasks.BaseTaskTests.test_cancel_yield
#[test]
fn test_cancel_yield() {
    on_loop(async {
        let task = create_task(async {
            yield_now().await;
            yield_now().await;
            12
        });
        yield_now().await;
        assert!(task.cancel());
        assert!(was_cancelled(task).await);
    });
}

/// adapted test_tasks.BaseTaskTests.test_cancel_inner_future: what a task awaits is another task, cancelled alone; the outer one sees a value
/// adapted test_tasks.BaseTaskTests.test_cancel_awaited_task: the outer task sees the inner one's end as a value
#[test]
fn test_cancel_inner_future() {
    on_loop(async {
        let inner = create_task(pending::<()>());
        let token = CancelToken::new();
        let asked = token.clone();
        let canceller = create_task(async move {
            asked.cancelled().await;
            inner.cancel();
            assert!(was_cancelled(inner).await);
            42
        });
        settle().await;
        token.cancel();
        assert_eq!(canceller.await.unwrap(), 42);
    });
}

/// adapted test_tasks.BaseTaskTests.test_cancel_both_task_and_inner_future: a task that awaits another one
#[test]
fn test_cancel_both_task_and_inner_future() {
    on_loop(async {
        let event = Rc::new(Event::new());
        let wait = event.clone();
        let inner = create_task(async move { wait.wait().await });
        let outer = create_task(inner);
        settle().await;
        assert!(outer.cancel());
        event.set();
        assert!(was_cancelled(outer).await);
    });
}

/// adapted test_tasks.BaseTaskTests.test_cancel_task_catching: the future is dropped, so clean-up that returns a value watches a token
/// adapted test_tasks.BaseTaskTests.test_cancel_task_ignoring: the future is dropped, so who wants to go on watches a token
#[test]
fn test_cancel_task_catching() {
    on_loop(async {
        let token = CancelToken::new();
        let asked = token.clone();
        let task = create_task(async move {
            assert!(asked.run_until_cancelled(sleep(LONG)).await.is_none());
            // And it can wait again: a cancelled token forbids nothing.
            sleep(LONG).await;
            42
        });
        settle().await;
        token.cancel();
        assert_eq!(task.await.unwrap(), 42);
    });
}

/// same test_tasks.BaseTaskTests.test_cancel_current_task
#[test]
fn test_cancel_current_task() {
    on_loop(async {
        let handle: Rc<Cell<Option<Task<u32>>>> = Rc::default();
        let own = handle.clone();
        let task = create_task(async move {
            let this = own.take().unwrap();
            assert!(this.cancel());
            own.set(Some(this));
            // The next wait is its last.
            sleep(LONG).await;
            12
        });
        handle.set(Some(task));
        settle().await;
        assert!(was_cancelled(handle.take().unwrap()).await);
    });
}

/// adapted test_tasks.BaseTaskTests.test_cancel_at_end: who returns in the turn in which he cancels himself has returned: the value wins
#[test]
fn test_cancel_at_end() {
    on_loop(async {
        let handle: Rc<Cell<Option<Task<u32>>>> = Rc::default();
        let own = handle.clone();
        let task = create_task(async move {
            let this = own.take().unwrap();
            assert!(this.cancel());
            own.set(Some(this));
            12
        });
        handle.set(Some(task));
        settle().await;
        assert_eq!(handle.take().unwrap().await.unwrap(), 12);
    });
}

/// adapted test_tasks.BaseTaskTests.test_cancelling: nothing is counted; asking again answers true as long as it runs
#[test]
fn test_cancelling() {
    on_loop(async {
        let task = create_task(sleep(LONG));
        settle().await;
        assert!(task.cancel());
        assert!(task.cancel());
        settle().await;
        assert!(!task.cancel());
        assert!(was_cancelled(task).await);
    });
}

/// adapted test_tasks.BaseTaskTests.test_uncancel_structured_blocks: nothing is counted; a limit takes its own expiry alone, and a cancellation from outside always gets through
#[test]
fn test_uncancel_structured_blocks() {
    on_loop(async {
        // The limit's own.
        let limited = create_task(async {
            let expired = timeout(LONG, sleep(3 * LONG)).await.is_err();
            yield_now().await;
            expired
        });
        assert!(limited.await.unwrap());
        // From outside, inside of a limit, of a group, and of both.
        let tasks = [
            create_task(async { assert!(timeout(LONG, pending::<()>()).await.is_ok()) }),
            create_task(async { drop(TaskGroup::scope(async |_| pending::<()>().await).await) }),
            create_task(async {
                let scope = TaskGroup::scope(async |_| pending::<()>().await);
                drop(timeout(LONG, scope).await);
            }),
        ];
        settle().await;
        for task in tasks {
            assert!(task.cancel());
            assert!(was_cancelled(task).await);
        }
    });
}

/// adapted test_tasks.BaseTaskTests.test_uncancel_basic: nothing is counted and nothing withdrawn; who may still decide to go on is asked by a token
/// adapted test_tasks.BaseTaskTests.test_uncancel_resets_must_cancel: nothing is counted and nothing withdrawn; who may still decide to go on is asked by a token
#[test]
fn test_uncancel_basic() {
    on_loop(async {
        let token = CancelToken::new();
        token.cancel();
        let task = create_task(async move { token.run_until_cancelled(sleep(LONG)).await });
        assert_eq!(task.await.unwrap(), None);
    });
}

/// same test_tasks.BaseTaskTests.test_task_cancel_waiter_future
#[test]
fn test_task_cancel_waiter_future() {
    on_loop(async {
        let event = Rc::new(Event::new());
        let wait = event.clone();
        let task = create_task(async move { wait.wait().await });
        settle().await;
        assert_eq!(event.statistics().waiting, 1);
        task.cancel();
        assert!(was_cancelled(task).await);
        assert_eq!(event.statistics().waiting, 0);
    });
}

/// same test_tasks.BaseTaskTests.test_yield_future_passes_cancel
#[test]
fn test_yield_future_passes_cancel() {
    on_loop(async {
        let (guard, gone) = guard();
        let outer = create_task(async move {
            let _guard = guard;
            async { pending::<()>().await }.await;
        });
        settle().await;
        outer.cancel();
        assert!(was_cancelled(outer).await);
        assert!(gone.get());
    });
}

/// same test_tasks.BaseTaskTests.test_sleep_cancel
#[test]
fn test_sleep_cancel() {
    on_loop(async {
        let began = time::now();
        let task = create_task(sleep(LONG));
        let handle = Rc::new(Cell::new(Some(task)));
        let cancel = handle.clone();
        call_soon(move || {
            let task = cancel.take().unwrap();
            task.cancel();
            cancel.set(Some(task));
        });
        settle().await;
        assert!(was_cancelled(handle.take().unwrap()).await);
        // Its timer is gone: nothing is left to wait for.
        assert_eq!(time::now(), began);
    });
}

/// adapted test_tasks.BaseTaskTests.test_baseexception_during_cancel: clean-up that fails is a Drop that panics, and its panic is the task's end
#[test]
fn test_baseexception_during_cancel() {
    struct Base;
    impl Drop for Base {
        fn drop(&mut self) {
            panic!("base");
        }
    }
    on_loop(async {
        let task = create_task(async {
            let _base = Base;
            pending::<()>().await;
        });
        settle().await;
        task.cancel();
        let error = task.await.unwrap_err();
        assert!(!error.is_cancelled());
        assert_eq!(error.panic_message(), Some("base"));
    });
}

/// adapted test_tasks.BaseTaskTests.test_task_set_methods: a task's result is its future's alone; cancelling when it is there changes nothing
/// adapted test_tasks.SetMethodsTest.test_set_result_causes_invalid_state: a task's result is its future's alone; the compiler refuses to set it
/// adapted test_tasks.SetMethodsTest.test_set_exception_causes_invalid_state: a task's result is its future's alone; the compiler refuses to set it
/// adapted test_tasks.BaseTaskTests.test_step_result_future: what a future wakes without being ready is polled again, and no more
#[test]
fn test_task_set_methods() {
    on_loop(async {
        let polls = Rc::new(Cell::new(0));
        let count = polls.clone();
        let task = create_task(poll_fn(move |cx| {
            count.set(count.get() + 1);
            if count.get() == 1 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready("pelota")
        }));
        settle().await;
        assert_eq!(polls.get(), 2);
        assert!(!task.cancel());
        assert_eq!(task.await.unwrap(), "pelota");
    });
}
