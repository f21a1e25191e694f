//! Tasks that end together: [`TaskGroup`].
//!
//! A group's children are tasks of the loop like others, but their futures are
//! wrapped (`child`): a failure goes to the group, and the wrapper's drop signs
//! the child off. So the group's list has exactly the children whose futures
//! exist, and when it is empty, nothing of them is left.
#![forbid(unsafe_code)]

mod child;
mod error;
mod output;
mod start;

#[cfg(test)]
mod tests;

pub use error::{ChildError, GroupError};
pub use output::{Failure, GroupOutput, Plain};
pub use start::{StartError, Started};

use self::child::Child;
use crate::TaskBuilder;
use crate::task::{Task, TaskRef};
use slab::Slab;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Tasks that end together: when one fails, the rest are cancelled, and
/// [`scope`](Self::scope) waits for all of them. asyncio's `TaskGroup`, trio's
/// nursery.
///
/// A child fails by an output that is an error (see [`GroupOutput`]) or by a
/// panic. A child that is cancelled has not failed. The handle can be cloned
/// and given to the children, which may add children of their own.
///
/// # Examples
/// ```
/// use polyloop::TaskGroup;
///
/// # polyloop::run(async {
/// let sum = TaskGroup::scope(async |group| {
///     let two = group.create_task(async { 2 });
///     let three = group.create_task(async { Ok::<_, std::io::Error>(3) });
///     two.await.unwrap() + three.await.unwrap()
/// });
/// assert_eq!(sum.await.unwrap(), 5);
///
/// // The group is the body's own: an async closure, or `async move`.
/// let failed = TaskGroup::scope(|group| async move {
///     drop(group.create_task(std::future::pending::<()>()));
///     drop(group.create_task(async { "12x".parse::<u32>() }));
/// });
/// let error = failed.await.unwrap_err();
/// assert_eq!(error.errors().len(), 1);
/// assert!(error.errors()[0].downcast_ref::<std::num::ParseIntError>().is_some());
/// # }).unwrap();
/// ```
#[doc(alias = "nursery")]
#[doc(alias = "JoinSet")]
#[derive(Clone)]
pub struct TaskGroup {
    inner: Rc<Inner>,
}

struct Inner {
    state: Cell<State>,
    /// The children whose futures exist; `None` while one is being made.
    children: RefCell<Slab<Option<TaskRef>>>,
    errors: RefCell<Vec<ChildError>>,
    panic: RefCell<Option<Box<dyn Any + Send>>>,
    /// Who awaits the scope.
    scope: Cell<Option<Waker>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Something failed, or it was cancelled: nothing begins any more.
    Ending,
    /// The scope is over.
    Closed,
}

impl TaskGroup {
    /// Runs `body` with a new group, waits until all children are gone, and
    /// gives the body's value.
    ///
    /// The body runs inside the task that awaits this. When a child fails, the
    /// body is dropped where it stands, the other children are cancelled, and
    /// the errors of all that fail are kept. An `Err` that the body itself
    /// returns is its value; [`try_scope`](Self::try_scope) takes it for a
    /// failure.
    ///
    /// # Errors
    /// [`GroupError`] with the errors of the children, in order of time; or
    /// without any when [`cancel`](Self::cancel) came before the body's end.
    ///
    /// # Cancel safety
    /// Dropping it drops the body and cancels the children, which are gone a
    /// turn later.
    ///
    /// # Panics
    /// With the first panic of the body or of a child, when all children are
    /// gone; further ones go to the exception handler, errors with them.
    pub async fn scope<F: Future>(
        body: impl FnOnce(TaskGroup) -> F,
    ) -> Result<F::Output, GroupError> {
        let group = Self::new();
        let end = EndOnDrop(&group.inner);
        let mut body = pin!(Some(body(group.clone())));
        let mut value = None;
        poll_fn(|cx| {
            group.inner.scope.set(Some(cx.waker().clone()));
            group.inner.poll_body(&mut body, &mut value, cx);
            if group.is_ending() {
                group.inner.cancel_children();
            }
            let over = body.is_none() && group.inner.children.borrow().is_empty();
            if over { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        drop(end);
        group.inner.outcome(value)
    }

    /// As [`scope`](Self::scope), with a body that may fail as a child may: its
    /// `Err` cancels the children and is among the errors.
    ///
    /// # Errors
    /// As for [`scope`](Self::scope).
    ///
    /// # Examples
    /// ```
    /// use polyloop::TaskGroup;
    ///
    /// # polyloop::run(async {
    /// let failed = TaskGroup::try_scope(async |group| {
    ///     drop(group.create_task(std::future::pending::<()>()));
    ///     let number: u32 = "x".parse()?;
    ///     Ok::<_, std::num::ParseIntError>(number)
    /// });
    /// assert_eq!(failed.await.unwrap_err().errors().len(), 1);
    /// # }).unwrap();
    /// ```
    pub async fn try_scope<F: Future<Output: GroupOutput>>(
        body: impl FnOnce(TaskGroup) -> F,
    ) -> Result<<F::Output as GroupOutput>::Value, GroupError> {
        let scoped = Self::scope(async |group: TaskGroup| {
            let inner = group.inner.clone();
            match body(group).await.settle() {
                Ok(value) => Some(value),
                Err(failure) => {
                    inner.fail(ChildError::new(failure, None));
                    None
                }
            }
        });
        match scoped.await {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(GroupError::cancelled()),
            Err(error) => Err(error),
        }
    }

    /// Adds a child, which starts in the loop's next turn. The handle gives
    /// its success; of a child that fails it says cancelled, since the error is
    /// the group's. The handle may be dropped.
    ///
    /// In a group that is ending or over nothing starts: the future is dropped
    /// unpolled in the next turn, and the handle says cancelled.
    ///
    /// # Panics
    /// Outside of a loop.
    #[track_caller]
    pub fn create_task<F>(&self, future: F) -> Task<<F::Output as GroupOutput>::Value>
    where
        F: Future<Output: GroupOutput> + 'static,
    {
        self.create_task_with(crate::task(), future)
    }

    /// As [`create_task`](Self::create_task), with a name or a context of its
    /// own.
    ///
    /// # Panics
    /// Outside of a loop.
    ///
    /// # Examples
    /// ```
    /// # polyloop::run(async {
    /// polyloop::TaskGroup::scope(async |group| {
    ///     let named = group.create_task_with(polyloop::task().name("yolo"), async {});
    ///     assert_eq!(named.name(), Some("yolo"));
    /// })
    /// .await
    /// .unwrap();
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn create_task_with<F>(
        &self,
        mut settings: TaskBuilder,
        future: F,
    ) -> Task<<F::Output as GroupOutput>::Value>
    where
        F: Future<Output: GroupOutput> + 'static,
    {
        if self.inner.state.get() != State::Open {
            // To be cancelled before it has begun.
            settings = settings.eager(false);
        }
        let child = Child::new(self.inner.clone(), future);
        let place = child.place();
        let task = settings.start(|| child);
        if !task.is_finished() {
            self.inner.children.borrow_mut()[place] = Some(task.as_ref());
            // Its first poll, if it was at once, may have ended the group.
            if self.inner.state.get() != State::Open {
                task.cancel();
            }
        }
        task
    }

    /// Ends the group early: cancels all children, and the body if it is not
    /// done. That is no failure: a scope whose body is done gives its value.
    pub fn cancel(&self) {
        self.inner.end();
    }

    /// How many children are not done.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.children.borrow().len()
    }

    /// Are all children done?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Does the group take no more children?
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.inner.state.get() != State::Open
    }

    fn new() -> Self {
        Self {
            inner: Rc::new(Inner {
                state: Cell::new(State::Open),
                children: RefCell::default(),
                errors: RefCell::default(),
                panic: RefCell::default(),
                scope: Cell::new(None),
            }),
        }
    }
}

impl Inner {
    /// Polls the body unless it is done; ends it if the group is ending.
    fn poll_body<F: Future>(
        &self,
        body: &mut Pin<&mut Option<F>>,
        value: &mut Option<F::Output>,
        cx: &mut Context<'_>,
    ) {
        if self.state.get() == State::Open
            && let Some(running) = body.as_mut().as_pin_mut()
        {
            match catch_unwind(AssertUnwindSafe(|| running.poll(cx))) {
                Ok(Poll::Ready(output)) => *value = Some(output),
                Ok(Poll::Pending) if self.state.get() == State::Open => return,
                Ok(Poll::Pending) => {}
                Err(payload) => self.panicked(payload),
            }
        }
        if body.is_some()
            && let Err(payload) = catch_unwind(AssertUnwindSafe(|| body.set(None)))
        {
            self.panicked(payload);
        }
    }

    /// A child failed, or the body did.
    fn fail(&self, error: ChildError) {
        self.errors.borrow_mut().push(error);
        self.end();
    }

    fn panicked(&self, payload: Box<dyn Any + Send>) {
        let mut first = self.panic.borrow_mut();
        if first.is_none() {
            *first = Some(payload);
            drop(first);
        } else {
            drop(first);
            crate::event_loop::report_panic(payload);
        }
        self.end();
    }

    /// Nothing begins any more; the scope, which is woken, drops its body and
    /// cancels the children. So who was to run in this turn runs, and if he
    /// fails as well, his error is kept.
    fn end(&self) {
        if self.state.get() == State::Open {
            self.state.set(State::Ending);
            self.wake_scope();
        }
    }

    /// Cancelling runs nobody's code: it schedules.
    fn cancel_children(&self) {
        for (_, child) in &*self.children.borrow() {
            child.map(TaskRef::cancel_here);
        }
    }

    fn wake_scope(&self) {
        if let Some(waker) = self.scope.take() {
            waker.wake();
        }
    }

    fn outcome<R>(&self, value: Option<R>) -> Result<R, GroupError> {
        let errors = self.errors.take();
        if let Some(payload) = self.panic.take() {
            for error in errors {
                error.report();
            }
            resume_unwind(payload);
        }
        match value {
            Some(value) if errors.is_empty() => Ok(value),
            _ => Err(GroupError::new(errors)),
        }
    }
}

/// Ends the group when its scope does, also when that is dropped.
struct EndOnDrop<'a>(&'a Inner);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.scope.take();
        self.0.state.set(State::Closed);
        self.0.cancel_children();
    }
}

impl fmt::Debug for TaskGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("children", &self.len())
            .field("ending", &self.is_ending())
            .finish()
    }
}
