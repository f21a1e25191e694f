//! How a task begins: in the next turn, as nearly all do, or at once.
//!
//! What a loop does beyond that when a task is made (a context to inherit, an
//! eager start) is asked for in one look at [`Unusual`], so that a loop that
//! does neither pays for neither.
#![forbid(unsafe_code)]

use super::core::Core;
use crate::error::TaskError;
use crate::task::TaskRef;
use crate::util::Context;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the new tasks of a loop need beyond a place in the ready queue.
pub(super) struct Unusual(Cell<u8>);

impl Unusual {
    pub(super) fn new(eager: bool) -> Self {
        Self(Cell::new(if eager { Self::EAGER } else { 0 }))
    }

    #[inline]
    pub(super) fn is_nothing(&self) -> bool {
        self.0.get() == 0
    }

    fn is_eager(&self) -> bool {
        self.0.get() & Self::EAGER != 0
    }

    /// From now on there may be context variables.
    pub(super) fn has_contexts(&self) {
        self.0.set(self.0.get() | Self::CONTEXTS);
    }

    const CONTEXTS: u8 = 1;
    const EAGER: u8 = 2;
}

/// What a task's builder was told.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) name: Option<String>,
    /// `None`: the caller's.
    pub(super) context: Option<Context>,
    /// `None`: as the loop does.
    pub(super) eager: Option<bool>,
}

impl Core {
    /// Has a new task begin that is not to be scheduled and no more.
    #[cold]
    pub(super) fn begin(&self, task: TaskRef, settings: Settings) {
        if let Some(name) = &settings.name {
            task.set_name(name);
        }
        match settings.context {
            Some(context) => {
                self.unusual.has_contexts();
                task.replace_context(context);
            }
            None => self.inherit(task),
        }
        if settings.eager.unwrap_or(self.unusual.is_eager()) {
            self.start_now(task);
        } else {
            self.schedule_new(task);
        }
    }

    /// Polls a new task here and now, inside the poll of the task that made it,
    /// up to its first wait.
    fn start_now(&self, task: TaskRef) {
        let before = self.running.replace(Some(task));
        let ran = catch_unwind(AssertUnwindSafe(|| self.run(task)));
        if let Err(payload) = ran {
            self.abort(task, TaskError::panic(payload));
        }
        self.running.set(before);
    }
}
