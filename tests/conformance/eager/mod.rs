//! test_eager_task_factory: tasks that start inside the call that makes them.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use polyloop::sync::Event;
use polyloop::{EventLoop, TaskGroup, all_tasks, create_task, current_task, gather, yield_now};

polyloop::context_var! {
    static CONTEXT: &'static str = "default";
}

/// Runs `main` on a loop whose tasks start eagerly.
fn eagerly<F: Future>(main: F) -> F::Output {
    polyloop_tests::with_watchdog(Duration::from_secs(60), || {
        let builder = EventLoop::builder().eager_tasks(true);
        let mut event_loop = builder.build().expect("the machine has descriptors left");
        let ran = event_loop.run_until_complete(main);
        event_loop.close(Duration::ZERO);
        ran.expect("nobody stops this loop")
    })
}

/// same test_eager_task_factory.EagerTaskFactoryLoopTests.test_await_future_during_eager_step
#[test]
fn test_await_future_during_eager_step() {
    eagerly(async {
        let event = Rc::new(Event::new());
        event.set();
        let ready = event.clone();
        let task = create_task(async move {
            ready.wait().await;
            "ready"
        });
        assert!(task.is_finished());
        assert_eq!(task.await.unwrap(), "ready");
    });
}

/// same test_eager_task_factory.EagerTaskFactoryLoopTests.test_eager_completion
#[test]
fn test_eager_completion() {
    eagerly(async {
        let task = create_task(async { "hello" });
        assert!(task.is_finished());
        assert_eq!(task.await.unwrap(), "hello");
    });
}

/// same test_eager_task_factory.EagerTaskFactoryLoopTests.test_block_after_eager_step
#[test]
fn test_block_after_eager_step() {
    eagerly(async {
        let steps = Rc::new(Cell::new(0));
        let step = steps.clone();
        let task = create_task(async move {
            step.set(1);
            yield_now().await;
            step.set(2);
            "finished"
        });
        assert_eq!(steps.get(), 1);
        assert!(!task.is_finished());
        assert_eq!(task.await.unwrap(), "finished");
        assert_eq!(steps.get(), 2);
    });
}

/// same test_eager_task_factory.EagerTaskFactoryLoopTests.test_cancellation_after_eager_completion
#[test]
fn test_cancellation_after_eager_completion() {
    eagerly(async {
        let task = create_task(async { "hello" });
        assert!(!task.cancel());
        assert_eq!(task.await.unwrap(), "hello");
    });
}

/// same test_eager_task_factory.EagerTaskFactoryLoopTests.test_cancellation_after_eager_step_blocks
#[test]
fn test_cancellation_after_eager_step_blocks() {
    eagerly(async {
        let task = create_task(async {
            yield_now().await;
            unreachable!("it is cancelled before")
        });
        assert!(task.cancel());
        assert!(task.await.unwrap_err().is_cancelled());
    });
}

/// same test_eager_task_factory.EagerTaskFactoryLoopTests.test_current_task
#[test]
fn test_current_task() {
    eagerly(async {
        let outer = current_task();
        let task = create_task(async { current_task() });
        let id = task.id();
        assert_eq!(task.await.unwrap(), Some(id));
        assert_eq!(current_task(), outer);
    });
}

/// same test_eager_task_factory.EagerTaskFactoryLoopTests.test_all_tasks_with_eager_completion
#[test]
fn test_all_tasks_with_eager_completion() {
    eagerly(async {
        let task = create_task(async { all_tasks().len() });
        // Itself, and the main task.
        assert_eq!(task.await.unwrap(), 2);
        assert_eq!(all_tasks().len(), 1);
    });
}

/// same test_eager_task_factory.EagerTaskFactoryLoopTests.test_all_tasks_with_blocking
#[test]
fn test_all_tasks_with_blocking() {
    eagerly(async {
        let (go, done) = (Rc::new(Event::new()), Rc::new(Event::new()));
        let (started, finish) = (go.clone(), done.clone());
        let first = create_task(async move {
            started.set();
            finish.wait().await;
        });
        let second = create_task(async move {
            go.wait().await;
            let count = all_tasks().len();
            done.set();
            count
        });
        assert_eq!(second.await.unwrap(), 3);
        first.await.unwrap();
    });
}

/// same test_eager_task_factory.EagerTaskFactoryLoopTests.test_context_vars
#[test]
fn test_context_vars() {
    eagerly(async {
        CONTEXT.set("main");
        let task = create_task(async {
            assert_eq!(CONTEXT.get(), Some("main"));
            CONTEXT.set("task");
            yield_now().await;
            assert_eq!(CONTEXT.get(), Some("task"));
        });
        assert_eq!(CONTEXT.get(), Some("main"));
        task.await.unwrap();
        assert_eq!(CONTEXT.get(), Some("main"));
    });
}

/// How many turns pass while `main` runs: a chain that never waits takes none.
async fn turns<F: Future>(main: F) -> (F::Output, u32) {
    let count = Rc::new(Cell::new(0));
    let counted = count.clone();
    let counter = create_task(async move {
        loop {
            yield_now().await;
            counted.set(counted.get() + 1);
        }
    });
    let output = main.await;
    counter.cancel();
    (output, count.get())
}

/// same test_eager_task_factory.BaseTaskCountingTests.test_awaitables_chain
#[test]
fn test_awaitables_chain() {
    async fn chain(depth: u32) -> u32 {
        if depth == 0 {
            return 1;
        }
        1 + create_task(Box::pin(chain(depth - 1))).await.unwrap()
    }
    assert_eq!(eagerly(async { turns(chain(20)).await }), (21, 0));
}

/// same test_eager_task_factory.BaseTaskCountingTests.test_recursive_taskgroups
#[test]
fn test_recursive_taskgroups() {
    async fn tree(depth: u32, leaves: Rc<Cell<u32>>) {
        if depth == 0 {
            return leaves.set(leaves.get() + 1);
        }
        let grouped = TaskGroup::scope(async |group| {
            for _ in 0..3 {
                let child: std::pin::Pin<Box<dyn Future<Output = ()>>> =
                    Box::pin(tree(depth - 1, leaves.clone()));
                drop(group.create_task(child));
            }
        });
        grouped.await.unwrap();
    }
    let leaves = Rc::new(Cell::new(0));
    let ((), turns) = eagerly(turns(tree(4, leaves.clone())));
    assert_eq!((leaves.get(), turns), (81, 0));
}

/// same test_eager_task_factory.BaseTaskCountingTests.test_recursive_gather
#[test]
fn test_recursive_gather() {
    async fn tree(depth: u32) -> u32 {
        if depth == 0 {
            return 1;
        }
        let tasks = (0..3).map(|_| {
            let child: std::pin::Pin<Box<dyn Future<Output = u32>>> = Box::pin(tree(depth - 1));
            create_task(child)
        });
        gather(tasks).await.into_iter().map(Result::unwrap).sum()
    }
    assert_eq!(eagerly(turns(tree(4))), (81, 0));
}
