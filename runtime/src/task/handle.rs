//! The handles of a task: `Task`, `AbortOnDrop`, `CallHandle`. All are `!Send`:
//! they live on the home thread, so their counting is plain.

use super::abort_on_drop::AbortOnDrop;
use super::id::TaskId;
use super::raw::{TaskRef, flags};
use super::waker::clone_for;
use crate::error::TaskError;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A task of this thread's loop; asyncio's `Task`.
///
/// Awaiting it gives what became of it: `Ok` with the value, or a [`TaskError`]
/// that says cancelled or carries the panic's payload. Dropping the handle
/// detaches the task: it runs on, and a panic that then nobody awaits goes to
/// the loop's exception handler.
///
/// # Cancel safety
/// Dropping a future that awaits `&mut task` loses nothing; the output stays
/// until it is taken.
///
/// # Panics
/// Polling it again after it gave its output panics, and so does a task that
/// awaits itself.
///
/// # Examples
/// ```
/// # polyloop::run(async {
/// let task = polyloop::create_task(async { 6 * 7 });
/// assert_eq!(task.await.unwrap(), 42);
/// # }).unwrap();
/// ```
#[must_use = "dropping the handle detaches the task; keep it, await it, or say `drop(task)`"]
#[doc(alias = "JoinHandle")]
pub struct Task<T> {
    task: TaskRef,
    _not_send: PhantomData<(Rc<()>, T)>,
}

impl<T> Unpin for Task<T> {}

impl<T> Task<T> {
    /// # Safety
    /// On the home thread; the cell is new, its output is `T`, its sink is
    /// `Kept`; it was made with HANDLE, and this is that handle.
    #[inline]
    pub(crate) unsafe fn new(task: TaskRef) -> Self {
        debug_assert!(task.header().has(flags::HANDLE));
        Self {
            task,
            _not_send: PhantomData,
        }
    }

    pub(crate) fn as_ref(&self) -> TaskRef {
        self.task
    }

    /// Asks the task to end: its future is dropped on this loop at the next
    /// turn, never inside this call. `false` if it is done already. A task that
    /// finishes before that turn keeps its value.
    ///
    /// # Examples
    /// ```
    /// # polyloop::run(async {
    /// let task = polyloop::create_task(std::future::pending::<()>());
    /// assert!(task.cancel());
    /// assert!(task.await.unwrap_err().is_cancelled());
    /// # }).unwrap();
    /// ```
    #[doc(alias = "abort")]
    pub fn cancel(&self) -> bool {
        self.task.cancel_here()
    }

    /// Cancels the task and waits until its future is gone.
    ///
    /// # Errors
    /// The task's own error; the value, when it was done first, is `Ok`.
    pub async fn cancel_and_wait(self) -> Result<T, TaskError> {
        self.cancel();
        self.await
    }

    /// A handle that cancels the task when it is dropped.
    pub fn abort_on_drop(self) -> AbortOnDrop<T> {
        AbortOnDrop(Some(self))
    }

    /// Is the future gone: returned, panicked or cancelled?
    pub fn is_finished(&self) -> bool {
        self.task.header().has(flags::DONE)
    }

    /// Did the task end by a panic?
    pub fn has_panicked(&self) -> bool {
        self.task.header().has(flags::PANICKED)
    }

    /// The task's number.
    pub fn id(&self) -> TaskId {
        self.task.id()
    }

    /// The name it was given through [`task()`](crate::task).
    pub fn name(&self) -> Option<&str> {
        self.task.name()
    }

    /// Where it was created.
    pub fn location(&self) -> &'static Location<'static> {
        self.task.header().location
    }

    /// What the task came to, left where it is: `None` while it runs, and after
    /// its output was taken. asyncio's `Task.result` and `Task.exception`.
    ///
    /// # Examples
    /// ```
    /// # polyloop::run(async {
    /// let task = polyloop::create_task(async { 42 });
    /// assert!(task.peek().is_none());
    /// polyloop::yield_now().await;
    /// assert!(matches!(task.peek(), Some(Ok(42))));
    /// # }).unwrap();
    /// ```
    pub fn peek(&self) -> Option<Result<&T, &TaskError>> {
        if !self.task.header().has(flags::OUTPUT) {
            return None;
        }
        // SAFETY: the cell's output is `T` (the contract of `new`), this is the
        // home thread, and taking the output takes `&mut self` or the drop.
        Some(unsafe { self.task.output_ref() }.as_ref())
    }

    /// Ready when the task is done; its output stays where it is.
    pub(crate) fn poll_finished(&self, cx: &mut Context<'_>) -> Poll<()> {
        let header = self.task.header();
        if header.has(flags::DONE) {
            return Poll::Ready(());
        }
        if std::ptr::eq(cx.waker().data(), self.task.as_ptr().cast()) {
            awaits_itself();
        }
        if header.beside.is_nothing() || !header.beside.wakes(cx.waker()) {
            let waker = clone_for(self.task, cx.waker());
            let stale = header.beside.replace_waiter(waker);
            drop(stale);
        }
        Poll::Pending
    }

    #[inline]
    fn take_output(&self) -> Option<Result<T, TaskError>> {
        let header = self.task.header();
        if !header.has(flags::OUTPUT) {
            return None;
        }
        header.clear(flags::OUTPUT);
        // SAFETY: the cell's output is `T` (the contract of `new`), this is the
        // home thread, and OUTPUT was set: the output is there, and is moved
        // out once.
        Some(unsafe { self.task.read_output() })
    }

    /// Drops an output that nobody took. A panic in its drop is reported, as
    /// the task's own is: passed on from here it would keep the cell for ever,
    /// and end the process if the handle is itself dropped by a panic.
    fn discard(&self, output: Result<T, TaskError>) {
        let payload = match output {
            Ok(value) => catch_unwind(AssertUnwindSafe(move || {
                // SAFETY: this is the task's output.
                unsafe { self.task.report_unobserved(NonNull::from(&value).cast()) };
                drop(value);
            }))
            .err(),
            Err(error) => error.into_panic().ok(),
        };
        if let Some(payload) = payload {
            self.task.report(payload);
        }
    }
}

#[cold]
fn awaits_itself() -> ! {
    panic!("a task awaits itself, and would never end; give the handle to another task")
}

impl<T, E: fmt::Display> Task<Result<T, E>> {
    /// From now on, an `Err` that nobody takes is told to the loop's exception
    /// handler, once, as a panic always is; asyncio's "Task exception was never
    /// retrieved". That is the case when the task ends after its handle was
    /// dropped, or the handle is dropped before it gave the error.
    ///
    /// # Examples
    /// ```
    /// # polyloop::run(async {
    /// // Nobody waits, and still a failure is heard of.
    /// drop(polyloop::create_task(async { "x".parse::<u32>() }).report_errors());
    /// # }).unwrap();
    /// ```
    pub fn report_errors(self) -> Self {
        let extra = self.task.header().beside.extra_or_new();
        extra.describe.set(Some(describe::<T, E>));
        self
    }
}

/// # Safety
/// `output` points to a `Result<T, E>`.
unsafe fn describe<T, E: fmt::Display>(output: NonNull<()>) -> Option<String> {
    // SAFETY: passed on from the caller.
    let output = unsafe { output.cast::<Result<T, E>>().as_ref() };
    output.as_ref().err().map(E::to_string)
}

impl<T> Future for Task<T> {
    type Output = Result<T, TaskError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.poll_finished(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Poll::Ready(
                self.take_output()
                    .expect("a Task was polled again after it gave its output"),
            ),
        }
    }
}

impl<T> Drop for Task<T> {
    #[inline]
    fn drop(&mut self) {
        let header = self.task.header();
        if header.flags() & (flags::QUIET | flags::OUTPUT) == flags::QUIET {
            // Awaited to the end, and never left its loop: nearly every task.
            // SAFETY: the handle's own reference, given up once, at home.
            return unsafe { self.task.release_handle() };
        }
        header.set(flags::DETACHED);
        let waiter = header.beside.take_waiter();
        if let Some(output) = self.take_output() {
            self.discard(output);
        }
        // SAFETY: the handle's own reference, given up once, at home.
        unsafe { self.task.release_handle() };
        drop(waiter);
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("finished", &self.is_finished())
            .finish()
    }
}

/// A callback that was scheduled by [`call_soon`](crate::call_soon) or its kin;
/// asyncio's `Handle` and `TimerHandle`. Dropping it changes nothing.
pub struct CallHandle {
    task: TaskRef,
    _not_send: PhantomData<Rc<()>>,
}

impl CallHandle {
    /// # Safety
    /// On the home thread; the cell is alive.
    pub(crate) unsafe fn new(task: TaskRef) -> Self {
        task.retain_handle();
        Self {
            task,
            _not_send: PhantomData,
        }
    }

    /// Asks that the callback not be called; `false` if it is too late.
    pub fn cancel(&self) -> bool {
        self.task.cancel_here()
    }

    /// Has the callback been called, or dropped uncalled?
    pub fn is_finished(&self) -> bool {
        self.task.header().has(flags::DONE)
    }
}

impl Drop for CallHandle {
    fn drop(&mut self) {
        // SAFETY: the handle's own reference, given up once, at home.
        unsafe { self.task.release_handle() };
    }
}

impl fmt::Debug for CallHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallHandle")
            .field("finished", &self.is_finished())
            .finish()
    }
}
