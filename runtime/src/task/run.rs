//! Polling a cell and finishing it: the code that knows the types.

use super::cell::{Cell, Sink, VTable};
use super::id::LoopId;
use super::raw::{TaskRef, flags};
use super::recycle::Memory;
use super::{Home, waker};
use crate::error::TaskError;
use std::any::Any;
use std::mem::{ManuallyDrop, needs_drop};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

/// The sink of a task made on its own loop: the cell keeps the result until
/// the handle takes it.
pub(crate) struct Kept;

impl<T> Sink<T> for Kept {
    const KEEPS: bool = true;

    #[inline(always)]
    fn deliver(&self, result: Result<T, TaskError>) -> Option<Result<T, TaskError>> {
        Some(result)
    }
}

/// The table of a cell's types.
pub(crate) fn vtable<F: Future, S: Sink<F::Output>, H: Home>() -> &'static VTable {
    const {
        &VTable {
            poll: poll::<F, S, H>,
            abort: abort::<F, S, H>,
            output_offset: Cell::<F, S>::STAGE,
            wake: waker::wake::<H>,
            free: free::<F, S, H>,
            report: report::<H>,
            report_error: report_error::<H>,
            waker: H::WAKER,
            loop_id: loop_id::<H>,
        }
    }
}

/// # Safety
/// On the home thread, inside the loop; the cell is unfinished and of these
/// types. If the future's panic unwinds out of here, the caller aborts the task
/// with it: the loop catches panics once a batch, not once a poll.
unsafe fn poll<F: Future, S: Sink<F::Output>, H: Home>(task: TaskRef) {
    // SAFETY: the cell is of these types (the vtable was made for them).
    let cell = unsafe { task.cast::<Cell<F, S>>().as_ref() };
    let waker = waker::borrow::<H>(task);
    let mut cx = Context::from_waker(&waker);
    let stage = cell.stage();
    // SAFETY: the stage is the home thread's and holds the future, which nothing
    // else borrows while it is polled, and which is never moved.
    let future: Pin<&mut F> = unsafe { Pin::new_unchecked(&mut (*stage).future) };
    let Poll::Ready(value) = future.poll(&mut cx) else {
        return;
    };
    // SAFETY: passed on from the caller.
    unsafe { finish::<F, S, H>(cell, task, Ok(value)) }
}

/// # Safety
/// As for [`poll`], and not from inside the task's own poll.
unsafe fn abort<F: Future, S: Sink<F::Output>, H: Home>(task: TaskRef, error: TaskError) {
    // SAFETY: as in `poll`.
    unsafe {
        let cell = task.cast::<Cell<F, S>>().as_ref();
        finish::<F, S, H>(cell, task, Err(error));
    }
}

/// The one way out. Each step leaves the cell consistent before it calls code
/// that is not ours.
///
/// # Safety
/// As for [`poll`].
unsafe fn finish<F: Future, S: Sink<F::Output>, H: Home>(
    cell: &Cell<F, S>,
    task: TaskRef,
    result: Result<F::Output, TaskError>,
) {
    let header = &cell.header;
    // 1. The future goes, here and now. A panic in its drop is the outcome.
    let result = match drop_future(cell) {
        Ok(()) => result,
        Err(payload) => displace::<_, H>(task, result, payload),
    };
    // 2. It is done, for all who ask.
    if matches!(&result, Err(error) if error.is_panic()) {
        header.set(flags::PANICKED);
    }
    header.set(flags::DONE);
    H::retire(header.home, task);
    // 3. The result goes to whoever wants it.
    if S::KEEPS && !header.has(flags::DETACHED) {
        keep(cell, cell.outcome.deliver(result));
    } else {
        guarded::<H>(task, || {
            if let Some(unwanted) = cell.outcome.deliver(result) {
                discard::<_, H>(task, unwanted);
            }
        });
    }
    // 4. Those who wait are told. A submission has none but in its outcome, and
    // this part of its cell is on the way to the sender by now.
    if S::KEEPS {
        tell_waiters::<H>(task);
    }
    // 5. The loop lets go; a queued cell waits for its pop.
    if !header.has(flags::SCHEDULED) {
        // SAFETY: done, not scheduled, and this is the only merge.
        unsafe { task.merge() }
    }
}

/// Schedules the task's done-callbacks, and wakes who awaits it.
#[inline(always)]
fn tell_waiters<H: Home>(task: TaskRef) {
    let header = task.header();
    if let Some(extra) = header.beside.extra() {
        // In asyncio's order for the usual program: the callbacks were added when
        // the task was made, and it was awaited later.
        for callback in extra.callbacks.take() {
            H::schedule_callback(header.home, callback);
        }
    }
    if let Some(waiter) = header.beside.take_waiter() {
        // Tasks of this kind run nobody's code when they are woken.
        if let Err(other) = waker::wake_own::<H>(waiter) {
            guarded::<H>(task, || other.wake());
        }
    }
    if let Some(extra) = header.beside.extra() {
        let context = extra.context.take();
        guarded::<H>(task, || drop(context));
    }
}

/// Drops the future; gives the panic of its drop, if it panics.
fn drop_future<F: Future, S>(cell: &Cell<F, S>) -> Result<(), Box<dyn Any + Send>> {
    if !needs_drop::<F>() {
        return Ok(());
    }
    let stage = cell.stage();
    // SAFETY: the stage is the home thread's and holds the future; the poll is
    // over, and `finish` runs once.
    let drop = || unsafe { ManuallyDrop::drop(&mut (*stage).future) };
    catch_unwind(AssertUnwindSafe(drop))
}

/// The panic of the future's drop takes the place of what it had come to.
#[cold]
fn displace<T, H: Home>(
    task: TaskRef,
    result: Result<T, TaskError>,
    payload: Box<dyn Any + Send>,
) -> Result<T, TaskError> {
    guarded::<H>(task, || discard::<_, H>(task, result));
    Err(TaskError::panic(payload))
}

/// Leaves the result in the cell, for the handle to take.
fn keep<F: Future, S>(cell: &Cell<F, S>, result: Option<Result<F::Output, TaskError>>) {
    if let Some(result) = result {
        // SAFETY: the stage is the home thread's, and its future is gone.
        unsafe { (*cell.stage()).output = ManuallyDrop::new(result) };
        cell.header.set(flags::OUTPUT);
    }
}

/// Drops a result that nobody wants; a panic among them is reported.
fn discard<T, H: Home>(task: TaskRef, result: Result<T, TaskError>) {
    match result {
        // SAFETY: it is the task's output, if the task ever had one.
        Ok(value) => unsafe { task.report_unobserved(NonNull::from(&value).cast()) },
        Err(error) => {
            if let Ok(payload) = error.into_panic() {
                H::report(task.header().home, Some(task), payload);
            }
        }
    }
}

/// Runs code that is not ours (wakers, outcomes, drops of values): a panic in
/// it is reported and ends here.
fn guarded<H: Home>(task: TaskRef, f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        H::report(task.header().home, Some(task), payload);
    }
}

/// # Safety
/// Nobody else has a reference; future and output are gone.
unsafe fn free<F: Future, S: Sink<F::Output>, H: Home>(task: TaskRef) {
    let header = task.header();
    // The future and its output are gone and nobody waits: what is left is the outcome
    // and, for few tasks, a name. For most there is nothing to drop at all.
    if !S::KEEPS || needs_drop::<S>() || !header.beside.is_nothing() {
        // SAFETY: passed on from the caller.
        return unsafe { free_with_drop::<F, S, H>(task) };
    }
    let layout = super::cell::layout_of::<F, S>();
    // SAFETY: allocated with this very layout, and nothing in it is alive.
    unsafe { H::reclaim(header.home, Memory::new(task.cast(), layout, false)) };
}

/// # Safety
/// As for [`free`].
#[inline(never)]
unsafe fn free_with_drop<F: Future, S: Sink<F::Output>, H: Home>(task: TaskRef) {
    let home = task.header().home;
    let cell = task.cast::<Cell<F, S>>();
    // SAFETY: this is the last reference; dropped once.
    let dropped = catch_unwind(AssertUnwindSafe(|| unsafe { cell.drop_in_place() }));
    // Told before the memory goes: the task may be the one that runs now, and
    // the handler may ask which one that is.
    if let Err(payload) = dropped {
        H::report(home, None, payload);
    }
    let layout = super::cell::layout_of::<F, S>();
    // SAFETY: allocated with this very layout, and nothing in it is alive.
    unsafe { H::reclaim(home, Memory::new(cell.cast(), layout, !S::KEEPS)) };
}

/// # Safety
/// The cell is alive.
unsafe fn report<H: Home>(task: TaskRef, payload: Box<dyn Any + Send>) {
    H::report(task.header().home, Some(task), payload);
}

/// # Safety
/// The cell is alive.
unsafe fn report_error<H: Home>(task: TaskRef, error: &str) {
    H::report_error(task.header().home, task, error);
}

/// # Safety
/// The cell is alive.
unsafe fn loop_id<H: Home>(task: TaskRef) -> LoopId {
    H::id(task.header().home)
}
