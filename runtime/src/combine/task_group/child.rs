//! A child's future, in the wrapper that tells its group what became of it.
#![forbid(unsafe_code)]

use super::error::ChildError;
use super::output::GroupOutput;
use super::{Inner, State};
use crate::task::TaskRef;
use pin_project_lite::pin_project;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

pin_project! {
    pub(super) struct Child<F> {
        // Dropped before the place is given up: `None` once it has failed.
        #[pin]
        future: Option<F>,
        place: Place,
    }
}

/// A child's place in the group's list.
struct Place {
    group: Rc<Inner>,
    index: usize,
}

impl<F> Child<F> {
    pub(super) fn new(group: Rc<Inner>, future: F) -> Self {
        let index = group.children.borrow_mut().insert(None);
        Self {
            future: Some(future),
            place: Place { group, index },
        }
    }

    pub(super) fn place(&self) -> usize {
        self.place.index
    }
}

impl<F: Future<Output: GroupOutput>> Future for Child<F> {
    type Output = <F::Output as GroupOutput>::Value;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            // Failed, and about to be cancelled.
            return Poll::Pending;
        };
        match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => match output.settle() {
                Ok(value) => return Poll::Ready(value),
                Err(failure) => {
                    let task = this.place.task().map(TaskRef::info);
                    this.place.group.fail(ChildError::new(failure, task));
                }
            },
            Err(payload) => this.place.group.panicked(payload),
        }
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| this.future.set(None))) {
            this.place.group.panicked(payload);
        }
        // The handle is to say that there is no value, so this ends by a
        // cancellation in the next turn. One that fails in its first poll, made
        // by an eager start, is cancelled by `create_task`.
        this.place.task().map(TaskRef::cancel_here);
        Poll::Pending
    }
}

impl Place {
    fn task(&self) -> Option<TaskRef> {
        self.group.children.borrow()[self.index]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut children = self.group.children.borrow_mut();
        children.remove(self.index);
        let last = children.is_empty();
        drop(children);
        if last && self.group.state.get() != State::Closed {
            self.group.wake_scope();
        }
    }
}
