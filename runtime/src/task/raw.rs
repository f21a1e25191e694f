//! A counted pointer to a cell, without its types, and what can be done to any
//! task through it.

use super::cell::Header;
use super::id::TaskId;
use super::state::Wake;
use crate::error::TaskError;
use crate::util::Context;
use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::ptr::NonNull;

/// The home thread's flags of a task.
pub(crate) mod flags {
    /// In the ready queue.
    pub(crate) const SCHEDULED: u16 = 1;
    /// Finished: no future any more.
    pub(crate) const DONE: u16 = 2;
    /// The local count has been added to the word; count there from now on.
    pub(crate) const MERGED: u16 = 4;
    /// Cancellation was asked for; the next pop drops the future.
    pub(crate) const CANCEL: u16 = 8;
    /// No handle wants the output.
    pub(crate) const DETACHED: u16 = 16;
    /// It ended by a panic.
    pub(crate) const PANICKED: u16 = 32;
    /// Made elsewhere, not yet seen by its loop.
    pub(crate) const SUBMITTED: u16 = 64;
    /// A callback of `call_soon` and its kin, not a task that users see.
    pub(crate) const CALLBACK: u16 = 128;
    /// The cell keeps an output that nobody has taken yet.
    pub(crate) const OUTPUT: u16 = 512;
    /// A handle (there is at most one) holds one of the local references.
    pub(crate) const HANDLE: u16 = 1024;
    /// Finished, and the handle is all that is left: it frees the cell.
    pub(crate) const QUIET: u16 = 2048;
    /// Not polled yet. Every cell is made with it.
    pub(crate) const FRESH: u16 = 4096;
}

/// A callback that waits for the end of a task, and the context that it will
/// run in: the one of the code that added it.
pub(crate) struct DoneCallback {
    pub(crate) context: Context,
    pub(crate) call: Box<dyn FnOnce()>,
}

/// A pointer to a live cell.
///
/// *Invariant*: it exists only where the protocol keeps the cell alive: in the
/// ready queue (SCHEDULED), in the mailbox (QUEUED), in the loop's set of
/// unfinished tasks, or under a reference that its holder counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskRef(NonNull<Header>);

impl TaskRef {
    /// # Safety
    /// The pointer is a live cell's, and the invariant of the type holds.
    #[inline]
    pub(crate) unsafe fn from_raw(header: NonNull<Header>) -> Self {
        Self(header)
    }

    #[inline]
    pub(crate) fn as_ptr(self) -> *mut Header {
        self.0.as_ptr()
    }

    #[inline]
    pub(super) fn cast<T>(self) -> NonNull<T> {
        self.0.cast()
    }

    #[inline]
    pub(crate) fn header<'a>(self) -> &'a Header {
        // SAFETY: the type's invariant: the cell is alive.
        unsafe { self.0.as_ref() }
    }

    /// One turn's work on a task that was popped from the ready queue: polls
    /// it, drops its future if it was cancelled, or merges it if it is done.
    ///
    /// # Safety
    /// On the home thread, inside the loop, after popping it. A panic of the
    /// future unwinds out of here; the caller then ends the task with it, by
    /// [`abort`](Self::abort).
    #[inline]
    pub(crate) unsafe fn run(self) {
        let header = self.header();
        let before = header.flags();
        // SAFETY: passed on from the caller.
        unsafe {
            if before & (flags::DONE | flags::CANCEL) == 0 {
                header.clear(flags::SCHEDULED | flags::FRESH);
                return (header.vtable.poll)(self);
            }
            header.clear(flags::SCHEDULED);
            if before & flags::DONE != 0 {
                self.merge();
            } else {
                (header.vtable.abort)(self, TaskError::cancelled(self.is_started()));
            }
        }
    }

    /// Home: has it been polled?
    pub(crate) fn is_started(self) -> bool {
        !self.header().has(flags::FRESH)
    }

    /// Ends an unfinished task at once with `error`; a finished one is left.
    ///
    /// # Safety
    /// On the home thread, inside the loop, and not from inside the task's poll.
    pub(crate) unsafe fn abort(self, error: TaskError) {
        if !self.header().has(flags::DONE) {
            // SAFETY: passed on from the caller.
            unsafe { (self.header().vtable.abort)(self, error) }
        }
    }

    /// Gives up the loop's own reference, at the end of a finished task.
    ///
    /// # Safety
    /// On the home thread; DONE is set, SCHEDULED and MERGED are not.
    pub(super) unsafe fn merge(self) {
        let header = self.header();
        let now = header.flags();
        let handle = now & flags::HANDLE != 0;
        if header.local_refs.get() == i16::from(handle) && header.word.is_untouched() {
            if handle {
                // Written whole: the handle's drop reads it whole, and soon.
                return header.set_flags(now | flags::QUIET);
            }
            // SAFETY: no handle, and no waker anywhere.
            return unsafe { (header.vtable.free)(self) };
        }
        header.set(flags::MERGED);
        if header.word.merge(header.local_refs.get()) {
            // SAFETY: merged, count zero, not queued: nobody else has it.
            unsafe { (header.vtable.free)(self) }
        }
    }

    /// The task's one handle is made, where the cell was not made with it.
    pub(super) fn retain_handle(self) {
        self.header().set(flags::HANDLE);
        self.retain_here();
    }

    /// The task's one handle goes.
    ///
    /// # Safety
    /// On the home thread; the caller is the handle, and forgets the task.
    pub(super) unsafe fn release_handle(self) {
        let header = self.header();
        header.clear(flags::HANDLE);
        if header.has(flags::QUIET) {
            // SAFETY: QUIET: the handle's was the last reference.
            unsafe { (header.vtable.free)(self) }
        } else {
            // SAFETY: passed on from the caller.
            unsafe { self.release_here() }
        }
    }

    /// Home: takes a reference.
    #[inline(always)]
    pub(super) fn retain_here(self) {
        let header = self.header();
        if header.has(flags::MERGED) {
            return header.word.retain();
        }
        match within(header.local_refs.get().checked_add(1)) {
            Some(count) => header.local_refs.set(count),
            None => self.move_local_refs(1),
        }
    }

    /// Home: the word goes on with what was counted so far.
    #[cold]
    #[inline(never)]
    fn move_local_refs(self, next: i16) {
        let header = self.header();
        header.word.take_over(header.local_refs.replace(next));
    }

    /// Home: gives a reference back.
    ///
    /// # Safety
    /// On the home thread; the caller owns the reference and forgets it.
    #[inline]
    pub(super) unsafe fn release_here(self) {
        let header = self.header();
        if header.has(flags::MERGED) {
            // SAFETY: the reference is the caller's.
            return unsafe { self.release_elsewhere() };
        }
        match within(header.local_refs.get().checked_sub(1)) {
            Some(count) => header.local_refs.set(count),
            None => self.move_local_refs(-1),
        }
    }

    /// Elsewhere: takes a reference.
    pub(crate) fn retain_elsewhere(self) {
        self.header().word.retain();
    }

    /// Elsewhere: gives a reference back.
    ///
    /// # Safety
    /// The caller owns the reference and forgets it.
    pub(crate) unsafe fn release_elsewhere(self) {
        if self.header().word.release() {
            // SAFETY: merged, count zero, not queued: nobody else has it.
            unsafe { (self.header().vtable.free)(self) }
        }
    }

    /// Frees a cell whose last reference was its place in the mailbox.
    ///
    /// # Safety
    /// [`Arrival::last`](super::state::Arrival) or `withdraw` said so.
    pub(crate) unsafe fn free(self) {
        // SAFETY: passed on from the caller.
        unsafe { (self.header().vtable.free)(self) }
    }

    /// Elsewhere: asks the task to end; `send` puts it into the mailbox and
    /// says whether that took it. `false` when it was too late.
    pub(crate) fn cancel_elsewhere(self, send: impl FnOnce(TaskRef) -> bool) -> bool {
        match self.header().word.cancel() {
            Wake::Done => false,
            Wake::Queued => true,
            Wake::Push => {
                if send(self) {
                    return true;
                }
                // The caller holds a reference, so this is never the last one.
                let last = self.header().word.withdraw();
                debug_assert!(!last, "cancelled without a reference");
                false
            }
        }
    }

    /// Home: asks the task to end at its next turn; `false` if it is done.
    pub(crate) fn cancel_here(self) -> bool {
        let header = self.header();
        if header.has(flags::DONE) {
            return false;
        }
        header.set(flags::CANCEL);
        // SAFETY: an unfinished task is alive.
        unsafe { (header.vtable.wake)(self) };
        true
    }

    /// Moves the output out of the cell.
    ///
    /// # Safety
    /// The task's output is `T`; on the home thread; OUTPUT was set, and the
    /// caller has cleared it.
    #[inline]
    pub(super) unsafe fn read_output<T>(self) -> Result<T, TaskError> {
        let header = self.header();
        header.touch_stage();
        // SAFETY: passed on from the caller; the vtable knows the place.
        unsafe { self.0.byte_add(header.vtable.output_offset).cast().read() }
    }

    /// The output, where it lies.
    ///
    /// # Safety
    /// As for [`read_output`](Self::read_output), but OUTPUT stays set while
    /// the reference lives.
    pub(super) unsafe fn output_ref<'a, T>(self) -> &'a Result<T, TaskError> {
        let header = self.header();
        header.touch_stage();
        // SAFETY: passed on from the caller; the vtable knows the place.
        unsafe { self.0.byte_add(header.vtable.output_offset).cast().as_ref() }
    }

    pub(super) fn report(self, payload: Box<dyn Any + Send>) {
        // SAFETY: the cell is alive.
        unsafe { (self.header().vtable.report)(self, payload) }
    }

    /// Tells the exception handler of an output that nobody takes, if it is an
    /// error and the task was asked to.
    ///
    /// # Safety
    /// `output` points to the task's output.
    pub(super) unsafe fn report_unobserved(self, output: NonNull<()>) {
        let extra = self.header().beside.extra();
        if let Some(describe) = extra.and_then(|extra| extra.describe.get()) {
            // SAFETY: passed on from the caller.
            if let Some(error) = unsafe { describe(output) } {
                // SAFETY: the cell is alive.
                unsafe { (self.header().vtable.report_error)(self, &error) };
            }
        }
    }

    pub(crate) fn name<'a>(self) -> Option<&'a str> {
        self.header().beside.extra()?.name.get().map(AsRef::as_ref)
    }

    /// Gives a task its name, once, right after it was made.
    pub(crate) fn set_name(self, name: &str) {
        let extra = self.header().beside.extra_or_new();
        let first = extra.name.set(name.into());
        debug_assert!(first.is_ok(), "a task is named once");
    }

    /// Home: the values of context variables that the task has.
    pub(crate) fn context(self) -> Context {
        let Some(extra) = self.header().beside.extra() else {
            return Context::new();
        };
        let context = extra.context.take();
        extra.context.set(context.clone());
        context
    }

    /// Home: gives the task another context, and returns the one that it had.
    pub(crate) fn replace_context(self, context: Context) -> Context {
        let beside = &self.header().beside;
        if context.is_empty() && beside.extra().is_none() {
            return context;
        }
        beside.extra_or_new().context.replace(context)
    }

    /// Home: keeps a callback for the end of an unfinished task.
    pub(crate) fn push_done_callback(self, callback: DoneCallback) {
        let extra = self.header().beside.extra_or_new();
        extra.callbacks.borrow_mut().push(callback);
    }

    pub(crate) fn id(self) -> TaskId {
        let header = self.header();
        TaskId {
            // SAFETY: the cell is alive.
            on: unsafe { (header.vtable.loop_id)(self) },
            sequence: header.sequence(),
        }
    }

    pub(crate) fn info(self) -> TaskInfo {
        TaskInfo {
            id: self.id(),
            name: self.name().map(Into::into),
            location: self.header().location,
        }
    }
}

/// The local count, unless it is full; under the model checker it soon is.
#[inline(always)]
fn within(count: Option<i16>) -> Option<i16> {
    count.filter(|count| !cfg!(loom) || (-2..=2).contains(count))
}

/// What can be told of a task: for listings, warnings and close reports.
#[derive(Clone)]
pub struct TaskInfo {
    /// The task's number.
    pub id: TaskId,
    /// Its name, where it was given one.
    pub name: Option<Box<str>>,
    /// Where in the program it was created.
    pub location: &'static Location<'static>,
}

impl fmt::Debug for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.id)?;
        if let Some(name) = &self.name {
            write!(f, " \"{name}\"")?;
        }
        write!(f, " created at {}", self.location)
    }
}
