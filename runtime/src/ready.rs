//! The ready queue: an intrusive FIFO of tasks to poll. A task is in it exactly
//! while its SCHEDULED flag is set, so a push allocates nothing and cannot fail.

use crate::task::TaskRef;
use std::cell::Cell;

/// A FIFO linked through `Header::ready_next`; the home thread's alone.
#[derive(Default)]
pub(crate) struct ReadyQueue {
    first: Cell<Option<TaskRef>>,
    last: Cell<Option<TaskRef>>,
    length: Cell<usize>,
}

impl ReadyQueue {
    /// Appends a task whose SCHEDULED flag the caller has just set.
    #[inline]
    pub(crate) fn push(&self, task: TaskRef) {
        match self.last.replace(Some(task)) {
            Some(last) => last.header().ready_next.set(Some(task)),
            None => self.first.set(Some(task)),
        }
        self.length.set(self.length.get() + 1);
    }

    /// The task that waited longest.
    pub(crate) fn first(&self) -> Option<TaskRef> {
        self.first.get()
    }

    /// Takes the task that waited longest; its SCHEDULED flag is the caller's
    /// to clear.
    #[inline]
    pub(crate) fn pop(&self) -> Option<TaskRef> {
        let task = self.first.get()?;
        let next = task.header().ready_next.take();
        self.first.set(next);
        if next.is_none() {
            self.last.set(None);
        }
        self.length.set(self.length.get() - 1);
        Some(task)
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.length.get()
    }
}
