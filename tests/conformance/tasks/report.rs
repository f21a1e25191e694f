//! test_tasks: what nobody looks at is told, once.

use std::cell::RefCell;
use std::future::pending;
use std::panic::catch_unwind;
use std::rc::Rc;
use std::time::Duration;

use polyloop::{EventLoop, Task, call_soon, create_task};

use crate::kit::settle;

/// Runs `main` on a loop, drops the loop, and gives what its handler was told.
fn told<F: Future<Output = ()>>(main: F) -> Vec<String> {
    polyloop_tests::with_watchdog(Duration::from_secs(60), || {
        let told = Rc::new(RefCell::new(Vec::new()));
        let tell = told.clone();
        let builder = EventLoop::builder()
            .exception_handler(move |context| tell.borrow_mut().push(context.to_string()));
        let mut event_loop = builder.build().expect("the machine has descriptors left");
        let ran = event_loop.run_until_complete(main);
        ran.expect("nobody stops this loop");
        drop(event_loop);
        told.take()
    })
}

fn failing() -> Task<Result<(), &'static str>> {
    create_task(async { Err("no luck") })
}

/// adapted test_tasks.BaseTaskTests.test_log_traceback: a panic that nobody awaits is told by itself, an Err if the task is asked to
#[test]
fn test_log_traceback() {
    let tolds = told(async {
        drop(create_task(async { panic!("unheard") }));
        drop(failing().report_errors());
        drop(failing());
        let kept = failing().report_errors();
        let taken = failing().report_errors();
        settle().await;
        assert_eq!(taken.await.unwrap(), Err("no luck"));
        drop(kept);
        drop(create_task(async { Ok::<_, String>(()) }).report_errors());
        settle().await;
    });
    assert_eq!(tolds.len(), 3, "{tolds:?}");
    assert!(tolds[0].contains("a panic that nobody awaits: unheard"));
    for error in &tolds[1..] {
        assert!(
            error.contains("an error that nobody looks at: no luck"),
            "{error}"
        );
        assert!(error.contains("report.rs"), "{error}");
    }
}

/// same test_tasks.BaseTaskTests.test_tb_logger_not_called_after_cancel
#[test]
fn test_tb_logger_not_called_after_cancel() {
    let told = told(async {
        let task = create_task(pending::<Result<(), String>>()).report_errors();
        settle().await;
        task.cancel();
        settle().await;
        drop(task);
    });
    assert!(told.is_empty(), "{told:?}");
}

/// adapted test_tasks.BaseTaskTests.test_log_destroyed_pending_task: a task lives until its loop ends, which tells when it is dropped and not closed
#[test]
fn test_log_destroyed_pending_task() {
    let told = told(async {
        drop(polyloop::task().name("forgotten").start(pending::<()>));
        settle().await;
    });
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("destroyed while it was pending"),
        "{told:?}"
    );
    assert!(told[0].contains("\"forgotten\" created at"), "{told:?}");
}

/// same test_tasks.BaseTaskTests.test_task_source_traceback
#[test]
fn test_task_source_traceback() {
    told(async {
        let task = create_task(async {});
        let location = task.location();
        assert!(location.file().ends_with("report.rs"));
        assert_eq!(location.line(), line!() - 3);
        task.await.unwrap();
    });
}

/// adapted test_tasks.BaseTaskTests.test_exception_traceback: the panic's payload is in the error
#[test]
fn test_exception_traceback() {
    told(async {
        let task: Task<()> = create_task(async { panic!("zero") });
        let payload = task.await.unwrap_err().into_panic().unwrap();
        assert_eq!(payload.downcast_ref(), Some(&"zero"));
    });
}

/// adapted test_tasks.BaseTaskTests.test_error_in_call_soon: scheduling cannot fail inside a loop, and outside of one it panics
#[test]
fn test_error_in_call_soon() {
    assert!(catch_unwind(|| drop(call_soon(|| ()))).is_err());
    assert!(catch_unwind(|| drop(create_task(async {}))).is_err());
}
