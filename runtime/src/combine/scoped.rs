//! Tasks that may borrow from the code that awaits them.
//!
//! They are no tasks of the loop: their futures live inside the scope's own
//! future, which polls them. So the borrow checker sees what they are, and no
//! promise about destructors is needed: if the scope is dropped, they are; if
//! it is leaked, they are never polled again.
#![forbid(unsafe_code)]

use crate::error::TaskError;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use pin_project_lite::pin_project;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Runs `body` with a [`Scope`] whose tasks may borrow whatever outlives this
/// call, waits until all of them are done, and gives the body's value; the
/// asynchronous [`std::thread::scope`].
///
/// The tasks run inside the task that awaits this, concurrently and in turns,
/// never in parallel. Use a [`TaskGroup`](crate::TaskGroup) for tasks that own
/// what they use.
///
/// # Cancel safety
/// Dropping it drops the body and every task of the scope, at once.
///
/// # Panics
/// With the panic of the body; or with that of a task whose handle nobody has
/// awaited, and then body and tasks are dropped.
///
/// # Examples
/// ```
/// use std::cell::Cell;
///
/// # polyloop::run(async {
/// let words = ["to", "be", "or", "not"];
/// let total = Cell::new(0);
/// polyloop::scope(async |scope| {
///     for word in &words {
///         let total = &total;
///         drop(scope.create_task(async move {
///             polyloop::yield_now().await;
///             total.set(total.get() + word.len());
///         }));
///     }
/// })
/// .await;
/// assert_eq!(total.get(), 9);
/// # }).unwrap();
/// ```
pub async fn scope<'env, F: Future>(body: impl FnOnce(Scope<'env>) -> F) -> F::Output {
    let scope = Scope::new();
    let end = EndOnDrop(&scope);
    let mut body = pin!(Some(body(scope.clone())));
    let mut children = FuturesUnordered::new();
    let mut value = None;
    let panic = poll_fn(|cx| {
        if let Some(running) = body.as_mut().as_pin_mut()
            && let Poll::Ready(output) = running.poll(cx)
        {
            value = Some(output);
            body.set(None);
        }
        scope.poll_children(&mut children, cx, value.is_some())
    })
    .await;
    drop(end);
    if let Some(payload) = panic {
        body.set(None);
        drop(children);
        resume_unwind(payload);
    }
    value.expect("a scope ends without a panic when its body has")
}

/// Where borrowing tasks are made; see [`scope`]. Clones are the same scope.
#[derive(Clone)]
pub struct Scope<'env> {
    shared: Rc<Shared<'env>>,
}

type Child<'env> = Pin<Box<dyn Future<Output = ()> + 'env>>;

struct Shared<'env> {
    open: Cell<bool>,
    /// Children that were made and have not been polled.
    fresh: RefCell<Vec<Child<'env>>>,
    waker: Cell<Option<Waker>>,
    panic: Rc<PanicOfNobody>,
}

/// The first panic of a child that nobody awaits, and who wants to know.
#[derive(Default)]
struct PanicOfNobody {
    payload: Cell<Option<Box<dyn Any + Send>>>,
    waker: Cell<Option<Waker>>,
}

impl<'env> Scope<'env> {
    /// Makes a task of the scope, which starts when the scope is next polled.
    /// The handle may be dropped.
    ///
    /// # Panics
    /// If the scope is over.
    pub fn create_task<F>(&self, future: F) -> ScopedTask<F::Output>
    where
        F: Future + 'env,
        F::Output: 'env,
    {
        assert!(
            self.shared.open.get(),
            "the scope is over; make its tasks before it ends"
        );
        let slot = Rc::new(Slot::default());
        let child = Scoped {
            future: Some(future),
            signed: SignOff {
                slot: slot.clone(),
                panic: self.shared.panic.clone(),
            },
        };
        self.shared.fresh.borrow_mut().push(Box::pin(child));
        if let Some(waker) = self.shared.waker.take() {
            waker.wake();
        }
        ScopedTask {
            slot,
            panic: self.shared.panic.clone(),
        }
    }

    fn new() -> Self {
        Self {
            shared: Rc::new(Shared {
                open: Cell::new(true),
                fresh: RefCell::default(),
                waker: Cell::default(),
                panic: Rc::default(),
            }),
        }
    }

    /// Ready when all are done and the body is, or when somebody panicked.
    fn poll_children(
        &self,
        children: &mut FuturesUnordered<Child<'env>>,
        cx: &mut Context<'_>,
        body_done: bool,
    ) -> Poll<Option<Box<dyn Any + Send>>> {
        let shared = &*self.shared;
        shared.waker.set(Some(cx.waker().clone()));
        shared.panic.waker.set(Some(cx.waker().clone()));
        children.extend(shared.fresh.take());
        while let Poll::Ready(Some(())) = children.poll_next_unpin(cx) {}
        if let Some(payload) = shared.panic.payload.take() {
            return Poll::Ready(Some(payload));
        }
        // What was made meanwhile has woken this task, and starts next turn.
        if body_done && children.is_empty() && shared.fresh.borrow().is_empty() {
            return Poll::Ready(None);
        }
        Poll::Pending
    }
}

/// Closes the scope when its future ends, also when that is dropped: a handle
/// that was carried out of it holds nothing and takes nothing.
struct EndOnDrop<'a, 'env>(&'a Scope<'env>);

impl Drop for EndOnDrop<'_, '_> {
    fn drop(&mut self) {
        self.0.shared.open.set(false);
        self.0.shared.waker.take();
        self.0.shared.panic.waker.take();
        drop(self.0.shared.fresh.take());
    }
}

pin_project! {
    /// A child's future.
    struct Scoped<F: Future> {
        // Dropped before the handle is told.
        #[pin]
        future: Option<F>,
        signed: SignOff<F::Output>,
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let slot = &this.signed.slot;
        let result = if slot.cancel.get() {
            Err(TaskError::cancelled(slot.started.get()))
        } else {
            let Some(future) = this.future.as_mut().as_pin_mut() else {
                return Poll::Ready(());
            };
            slot.started.set(true);
            match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
                Ok(Poll::Ready(output)) => Ok(output),
                Ok(Poll::Pending) => {
                    slot.child.set(Some(cx.waker().clone()));
                    return Poll::Pending;
                }
                Err(payload) => Err(TaskError::panic(payload)),
            }
        };
        let dropped = catch_unwind(AssertUnwindSafe(|| this.future.set(None)));
        let result = match dropped {
            Ok(()) => result,
            Err(payload) => Err(TaskError::panic(payload)),
        };
        this.signed.end(result);
        Poll::Ready(())
    }
}

/// A child's side of its handle; dropped unfinished, it says cancelled.
struct SignOff<T> {
    slot: Rc<Slot<T>>,
    panic: Rc<PanicOfNobody>,
}

impl<T> SignOff<T> {
    fn end(&self, result: Result<T, TaskError>) {
        let slot = &self.slot;
        slot.done.set(true);
        slot.child.take();
        if slot.detached.get() {
            self.panic.of(result);
        } else {
            slot.result.set(Some(result));
        }
        if let Some(waiter) = slot.waiter.take() {
            waiter.wake();
        }
    }
}

impl<T> Drop for SignOff<T> {
    fn drop(&mut self) {
        if !self.slot.done.get() {
            self.end(Err(TaskError::cancelled(self.slot.started.get())));
        }
    }
}

impl PanicOfNobody {
    /// Drops a result that nobody wants; a panic among them ends the scope.
    fn of<T>(&self, result: Result<T, TaskError>) {
        let Err(Ok(payload)) = result.map_err(TaskError::into_panic) else {
            return;
        };
        let first = self.payload.take();
        let (first, other) = match first {
            None => (payload, None),
            Some(first) => (first, Some(payload)),
        };
        self.payload.set(Some(first));
        if let Some(payload) = other {
            crate::event_loop::report_panic(payload);
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

struct Slot<T> {
    result: Cell<Option<Result<T, TaskError>>>,
    waiter: Cell<Option<Waker>>,
    child: Cell<Option<Waker>>,
    started: Cell<bool>,
    cancel: Cell<bool>,
    done: Cell<bool>,
    detached: Cell<bool>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self {
            result: Cell::default(),
            waiter: Cell::default(),
            child: Cell::default(),
            started: Cell::default(),
            cancel: Cell::default(),
            done: Cell::default(),
            detached: Cell::default(),
        }
    }
}

/// The handle of a [`Scope`]'s task. Dropping it detaches the task, which the
/// scope still waits for.
#[must_use = "await it, or say `drop(task)`: the scope waits for the task either way"]
pub struct ScopedTask<T> {
    slot: Rc<Slot<T>>,
    panic: Rc<PanicOfNobody>,
}

impl<T> ScopedTask<T> {
    /// Asks the task to end: its future is dropped when the scope is next
    /// polled. `false` if it is done.
    pub fn cancel(&self) -> bool {
        if self.slot.done.get() {
            return false;
        }
        self.slot.cancel.set(true);
        if let Some(child) = self.slot.child.take() {
            child.wake();
        }
        true
    }

    /// Is the task's future gone?
    pub fn is_finished(&self) -> bool {
        self.slot.done.get()
    }
}

impl<T> Future for ScopedTask<T> {
    type Output = Result<T, TaskError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(result) = self.slot.result.take() {
            return Poll::Ready(result);
        }
        assert!(
            !self.slot.done.get(),
            "a ScopedTask was polled again after it gave its output"
        );
        self.slot.waiter.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}

impl<T> Drop for ScopedTask<T> {
    fn drop(&mut self) {
        self.slot.detached.set(true);
        self.slot.waiter.take();
        if let Some(result) = self.slot.result.take() {
            self.panic.of(result);
        }
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("open", &self.shared.open.get())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for ScopedTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedTask")
            .field("finished", &self.is_finished())
            .finish()
    }
}

#[cfg(test)]
#[path = "scoped_tests.rs"]
mod tests;
