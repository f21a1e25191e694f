//! What a loop tells the outside of itself: panics that nobody awaits, and, in
//! debug mode, callbacks that hold the loop up.
#![forbid(unsafe_code)]

use super::watch::Hooks;
use crate::error::panic_message;
use crate::task::TaskInfo;
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

/// What the exception handler is told; asyncio's context dictionary.
#[non_exhaustive]
pub struct ExceptionContext<'a> {
    /// What happened, in a sentence.
    pub message: &'a str,
    /// The task or callback that it happened in, where it is known.
    pub task: Option<TaskInfo>,
    /// The panic's payload, if a panic it was.
    pub payload: Option<&'a (dyn Any + Send)>,
}

impl ExceptionContext<'_> {
    /// What the panic said, when its payload is a string.
    pub fn panic_message(&self) -> Option<&str> {
        self.payload.map(panic_message)
    }
}

impl fmt::Display for ExceptionContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)?;
        if let Some(text) = self.panic_message() {
            write!(f, ": {text}")?;
        }
        if let Some(task) = &self.task {
            write!(f, " ({task})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ExceptionContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A loop's exception handler.
pub(super) type ExceptionHandler = Rc<dyn Fn(&ExceptionContext<'_>)>;

/// A loop's settings for telling.
#[derive(Clone, Default)]
pub(super) struct Observer {
    pub(super) handler: Option<ExceptionHandler>,
    /// In debug mode, how long a poll may take before it is told.
    pub(super) slow: Option<Duration>,
    /// Told of what the loop does.
    pub(super) hooks: Option<Rc<dyn Hooks>>,
}

impl Observer {
    /// A panic that nobody awaits.
    pub(super) fn panicked(&self, task: Option<TaskInfo>, payload: Box<dyn Any + Send>) {
        self.tell(&ExceptionContext {
            message: "a panic that nobody awaits",
            task,
            payload: Some(payload.as_ref()),
        });
        discard(payload);
    }

    /// An error that nobody looked at.
    pub(super) fn unawaited(&self, message: &str) {
        self.tell(&ExceptionContext {
            message,
            task: None,
            payload: None,
        });
    }

    /// An error that nobody looks at.
    pub(super) fn failed(&self, task: Option<TaskInfo>, error: &str) {
        self.tell(&ExceptionContext {
            message: &format!("an error that nobody looks at: {error}"),
            task,
            payload: None,
        });
    }

    /// A task is dropped with its loop, and nobody asked it to end.
    pub(super) fn destroyed(&self, task: TaskInfo) {
        self.tell(&ExceptionContext {
            message: "a task was destroyed while it was pending; cancel or await it",
            task: Some(task),
            payload: None,
        });
    }

    /// A poll took longer than debug mode allows.
    pub(super) fn slow(&self, task: TaskInfo, took: Duration) {
        self.tell(&ExceptionContext {
            message: &format!("a callback held the loop up for {took:?}"),
            task: Some(task),
            payload: None,
        });
    }

    /// Calls the handler; a broken one is told of by the default one.
    fn tell(&self, context: &ExceptionContext<'_>) {
        let Some(handler) = &self.handler else {
            return default_handler(context);
        };
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| handler(context))) {
            default_handler(context);
            default_handler(&ExceptionContext {
                message: "the exception handler itself panicked",
                task: None,
                payload: Some(payload.as_ref()),
            });
            discard(payload);
        }
    }
}

/// Drops a payload, which may itself panic then, with a payload of its own. If
/// that goes on and on, the last one is leaked.
fn discard(mut payload: Box<dyn Any + Send>) {
    for _ in 0..8 {
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return,
            Err(again) => payload = again,
        }
    }
    std::mem::forget(payload);
}

/// One line on standard error, as asyncio's default handler logs.
fn default_handler(context: &ExceptionContext<'_>) {
    use std::io::Write;
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "polyloop: {context}");
}
