//! The loop as the home of its cells: what turns a wake into a push.

use super::core::Core;
use super::{context, vars};
use crate::error::TaskError;
use crate::remote::{Inbox, LoopHandle, Mailbox, Outcome, Refused, Remote, submit_to};
use crate::task::recycle::{self, Memory};
use crate::task::{DoneCallback, Home, LoopId, TaskRef, flags, waker};
use std::any::Any;
use std::cell::Cell;
use std::error::Error;
use std::panic::{Location, resume_unwind};
use std::ptr::NonNull;
use std::task::{RawWakerVTable, Waker};

/// The most that a turn takes from the mailbox. A sender that is faster than the
/// loop would else make each turn longer than the one before, for everybody.
pub(super) const ARRIVALS: usize = if cfg!(loom) { 1 } else { 256 };

static WAKER: RawWakerVTable = waker::vtable::<Core>();

impl Home for Core {
    const WAKER: &'static RawWakerVTable = &WAKER;

    #[inline(always)]
    fn here<R>(home: NonNull<()>, f: impl FnOnce(&Self) -> R) -> Option<R> {
        context::try_with(|core| (core.mailbox.cast() == home).then(|| f(core))).flatten()
    }

    #[inline(always)]
    fn push_ready(&self, task: TaskRef) {
        self.ready.push(task);
    }

    fn send(home: NonNull<()>, task: TaskRef) -> bool {
        // SAFETY: a cell's home is a mailbox, which the cell keeps alive, and
        // the caller's reference keeps the cell.
        unsafe { home.cast::<Mailbox>().as_ref() }
            .push(task)
            .is_ok()
    }

    // Inlined into each cell's `free`, where the size class is a constant.
    #[inline(always)]
    unsafe fn reclaim(home: NonNull<()>, memory: Memory) {
        // No closure: it would not always be inlined.
        // SAFETY: set by an `Enter` guard on this thread, which the core outlives.
        match unsafe { context::current().as_ref() } {
            // SAFETY: passed on from the caller.
            Some(core) if core.mailbox.cast() == home => unsafe { core.reclaim(memory) },
            // SAFETY: passed on from the caller.
            _ => unsafe { reclaim_elsewhere(home, memory) },
        }
    }

    fn id(home: NonNull<()>) -> LoopId {
        // SAFETY: a live cell keeps its mailbox alive.
        unsafe { home.cast::<Mailbox>().as_ref() }.id
    }

    #[inline]
    fn retire(home: NonNull<()>, task: TaskRef) {
        Self::here(home, |core| core.tasks.remove(task));
    }

    fn schedule_callback(home: NonNull<()>, callback: DoneCallback) {
        let mut callback = Some(callback);
        Self::here(home, |core| {
            if let Some(DoneCallback { context, call }) = callback.take() {
                core.call_soon_in(context, call, Location::caller());
            }
        });
        if let Some(callback) = callback.map(AtHome) {
            // Between two runs it goes by the mailbox; after the last one
            // there is no next turn, and it is dropped.
            // SAFETY: a cell's home is a mailbox, which the cell keeps alive.
            let target = unsafe { LoopHandle::new(home.cast()) };
            let sent = target.submit(move || async move { callback.call() }, PanicsAreTold);
            drop(sent);
        }
    }

    fn report(home: NonNull<()>, task: Option<TaskRef>, payload: Box<dyn Any + Send>) {
        // Between two runs, or after the last, only standard error is told.
        let observer = Self::here(home, |core| core.observer.clone());
        let info = task.map(TaskRef::info);
        observer.unwrap_or_default().panicked(info, payload);
    }

    fn report_error(home: NonNull<()>, task: TaskRef, error: &str) {
        let observer = Self::here(home, |core| core.observer.clone());
        observer
            .unwrap_or_default()
            .failed(Some(task.info()), error);
    }
}

/// A cell of another thread's loop, or of one that is not running, is gone.
///
/// # Safety
/// As for [`Home::reclaim`].
#[inline(never)]
unsafe fn reclaim_elsewhere(home: NonNull<()>, memory: Memory) {
    // SAFETY: the cell's part in the mailbox's count is given up with it; the
    // memory is the caller's.
    unsafe {
        recycle::free_elsewhere(memory);
        Mailbox::settle(home.cast(), -1);
    }
}

/// As `waker.wake_by_ref()`; quicker for the waker of a task of this loop.
#[inline(always)]
pub(crate) fn wake_by_ref(waker: &Waker) {
    waker::wake_by_ref::<Core>(waker);
}

/// A callback on its way to the loop of this very thread.
struct AtHome(DoneCallback);

// SAFETY: made on the home thread, where the loop calls it or drops it; and what
// a closed loop refuses comes back before the sender goes on.
unsafe impl Send for AtHome {}

impl AtHome {
    fn call(self) {
        vars::replace(self.0.context);
        (self.0.call)();
    }
}

/// Tells the current loop's exception handler of an error that nobody looked at;
/// standard error, if there is no loop.
pub(crate) fn tell_unawaited(message: &str, error: &dyn Error) {
    let observer = context::try_with(|core| core.observer.clone());
    observer
        .unwrap_or_default()
        .unawaited(&format!("{message}: {error}"));
}

/// The outcome of a callback: its panic is passed on to the exception handler.
struct PanicsAreTold;

impl Outcome<()> for PanicsAreTold {
    fn resolve(&self, result: Result<(), TaskError>) {
        if let Some(payload) = result.err().and_then(|error| error.into_panic().ok()) {
            resume_unwind(payload);
        }
    }
}

/// Mail that was taken and has not had its turn yet: the older part of what
/// there is.
#[derive(Default)]
pub(super) struct Backlog {
    rest: Cell<Inbox>,
    /// Asked several times a turn.
    length: Cell<usize>,
}

impl Backlog {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.length.get()
    }

    fn take(&self) -> Inbox {
        self.length.set(0);
        self.rest.take()
    }

    fn put(&self, rest: Inbox) {
        self.length.set(rest.len());
        self.rest.set(rest);
    }
}

impl Core {
    /// Stage one of a turn: what arrived becomes ready, in order of arrival, and
    /// no more than [`ARRIVALS`] of it. The mailbox is taken again when the rest
    /// of what it held has had its turn.
    #[inline]
    pub(super) fn take_inbox(&self) {
        let mut inbox = match self.backlog.len() {
            0 => self.mailbox().take(),
            _ => self.backlog.take(),
        };
        for task in inbox.by_ref().take(ARRIVALS) {
            self.arrived(task);
        }
        if inbox.len() > 0 {
            self.backlog.put(inbox);
        }
    }

    /// At the close: takes all that will ever arrive.
    pub(super) fn close_inbox(&self) {
        for task in self.backlog.take().chain(self.mailbox().close()) {
            self.arrived(task);
        }
    }

    /// A task from the mailbox; its link has been read.
    pub(super) fn arrived(&self, task: TaskRef) {
        let header = task.header();
        let arrival = header.arrive();
        if arrival.last {
            // SAFETY: the word said so.
            return unsafe { task.free() };
        }
        if arrival.finished {
            return;
        }
        if header.has(flags::SUBMITTED) {
            header.begin();
            self.adopt(task);
            if self.closing.get() {
                // What arrives now would only keep the clean-up from its end.
                self.unstarted.set(self.unstarted.get() + 1);
                return self.abort(task, TaskError::loop_closed(false));
            }
        }
        if arrival.cancel {
            header.set(flags::CANCEL);
        }
        if !header.has(flags::SCHEDULED | flags::DONE) {
            header.set(flags::SCHEDULED);
            self.ready.push(task);
        }
    }
}

impl LoopHandle {
    /// Sends work to this loop from any thread: `make` is called there, and the
    /// future that it returns, which need not be `Send`, is polled there.
    /// `outcome` is told, once, what became of it.
    ///
    /// One allocation, no lock, no waiting; a system call only if the loop
    /// sleeps. What one thread sends starts in the order in which it was sent.
    /// This is the primitive that polyloop-bridge's `run_coroutine_threadsafe`
    /// stands on; most programs want that.
    ///
    /// # Errors
    /// [`Refused`] gives everything back if the loop is closed.
    #[track_caller]
    pub fn submit<F, Fut, O>(&self, make: F, outcome: O) -> Result<Remote<O>, Refused<F, O>>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + 'static,
        O: Outcome<Fut::Output>,
    {
        submit_to::<Core, F, Fut, O>(self, Location::caller(), make, outcome)
    }

    /// Asks the loop to stop: it ends the turn it is in, then
    /// [`run_forever`](crate::EventLoop::run_forever) returns. Called before
    /// the loop runs, it makes the next run a single turn. From any thread.
    pub fn stop(&self) {
        let here = Core::here(self.home(), |core| core.stopping.set(true));
        if here.is_none() {
            // A closed loop needs no stopping.
            let _ = self.submit(|| async { stop_current() }, Nothing);
        }
    }
}

fn stop_current() {
    context::with(|core| core.stopping.set(true));
}

/// The outcome of work whose end nobody needs to know.
struct Nothing;

impl Outcome<()> for Nothing {
    fn resolve(&self, result: Result<(), crate::TaskError>) {
        // The loop was closed instead: it has stopped.
        drop(result);
    }
}
