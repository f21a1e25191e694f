//! The set of a loop's unfinished tasks, oldest first: an intrusive doubly
//! linked list. Joining and leaving allocate nothing, and touch neighbours in
//! age, which are the ones in the cache.
#![forbid(unsafe_code)]

use crate::task::TaskRef;
use std::cell::Cell;

#[derive(Default)]
pub(super) struct TaskSet {
    first: Cell<Option<TaskRef>>,
    last: Cell<Option<TaskRef>>,
    length: Cell<usize>,
}

impl TaskSet {
    /// Adds a new task, at the end.
    #[inline]
    pub(super) fn insert(&self, task: TaskRef) {
        let last = self.last.replace(Some(task));
        match last {
            Some(last) => last.header().set_next.set(Some(task)),
            None => self.first.set(Some(task)),
        }
        task.header().set_previous.set(last);
        self.length.set(self.length.get() + 1);
    }

    /// Takes a finished task out.
    #[inline]
    pub(super) fn remove(&self, task: TaskRef) {
        let previous = task.header().set_previous.get();
        let next = task.header().set_next.get();
        match previous {
            Some(previous) => previous.header().set_next.set(next),
            None => self.first.set(next),
        }
        match next {
            Some(next) => next.header().set_previous.set(previous),
            None => self.last.set(previous),
        }
        self.length.set(self.length.get() - 1);
    }

    pub(super) fn len(&self) -> usize {
        self.length.get()
    }

    pub(super) fn first(&self) -> Option<TaskRef> {
        self.first.get()
    }

    /// The tasks, oldest first. None may join or leave meanwhile.
    pub(super) fn iter(&self) -> impl Iterator<Item = TaskRef> {
        std::iter::successors(self.first.get(), |task| task.header().set_next.get())
    }
}
