//! What a loop consists of. Everything here is the loop thread's alone; the
//! mailbox is the one part that others reach.

use super::begin::{Settings, Unusual};
use super::calls::{CallAt, CallSoon};
use super::home::Backlog;
use super::local::Locals;
use super::observe::Observer;
use super::spans::{call_in_span, in_span};
use super::task_set::TaskSet;
use crate::error::TaskError;
use crate::offload::Offload;
use crate::reactor::Reactor;
use crate::ready::ReadyQueue;
use crate::remote::{LoopHandle, Mailbox};
use crate::task::recycle::{CellPool, Memory};
use crate::task::state::Word;
use crate::task::{
    CallHandle, Kept, LoopId, Parts, Task, TaskRef, allocate, flags, layout_of, vtable,
};
use crate::timers::{Clock, Due, TimerKey, TimerStore};
use crate::util::Context;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

pub(crate) struct Core {
    pub(super) mailbox: NonNull<Mailbox>,
    pub(super) ready: ReadyQueue,
    /// Mail that was taken and waits for its turn; see `take_inbox`.
    pub(super) backlog: Backlog,
    pub(super) tasks: TaskSet,
    pub(super) pool: CellPool,
    pub(super) reactor: Rc<Reactor>,
    pub(super) timers: RefCell<TimerStore>,
    /// Is any timer set? Asked every turn, so it is not behind the borrow.
    pub(super) has_timers: Cell<bool>,
    pub(super) due: Cell<Vec<Due>>,
    pub(super) clock: Option<Rc<dyn Clock>>,
    /// Zero of the loop's time.
    pub(super) base: Instant,
    /// The time as of the last look, in nanoseconds since `base`.
    pub(super) now: Cell<u64>,
    pub(super) stopping: Cell<bool>,
    /// Being closed: work from other threads that has not begun is refused.
    pub(super) closing: Cell<bool>,
    /// How much was refused so.
    pub(super) unstarted: Cell<usize>,
    /// The task that is being polled.
    pub(super) running: Cell<Option<TaskRef>>,
    /// What new tasks need beyond a place in the ready queue; see `begin`.
    pub(super) unusual: Unusual,
    pub(super) observer: Observer,
    pub(super) offload: Option<Arc<dyn Offload>>,
    pub(super) locals: Locals,
    next_task: Cell<u64>,
    /// Cells made here or adopted, less those freed here.
    cells: Cell<isize>,
}

/// The parts of a core that its builder chooses.
pub(super) struct Choices {
    pub(super) mailbox: NonNull<Mailbox>,
    pub(super) reactor: Reactor,
    pub(super) clock: Option<Rc<dyn Clock>>,
    pub(super) observer: Observer,
    pub(super) offload: Option<Arc<dyn Offload>>,
    pub(super) eager: bool,
}

impl Core {
    pub(super) fn new(choices: Choices) -> Self {
        let base = match &choices.clock {
            Some(clock) => clock.now(),
            None => Instant::now(),
        };
        Self {
            mailbox: choices.mailbox,
            ready: ReadyQueue::default(),
            backlog: Backlog::default(),
            tasks: TaskSet::default(),
            pool: CellPool::default(),
            reactor: Rc::new(choices.reactor),
            timers: RefCell::new(TimerStore::new()),
            has_timers: Cell::new(false),
            due: Cell::default(),
            clock: choices.clock,
            base,
            now: Cell::new(0),
            stopping: Cell::new(false),
            closing: Cell::new(false),
            unstarted: Cell::new(0),
            running: Cell::new(None),
            unusual: Unusual::new(choices.eager),
            observer: choices.observer,
            offload: choices.offload,
            locals: Locals::default(),
            next_task: Cell::new(1),
            cells: Cell::new(0),
        }
    }

    #[inline]
    pub(super) fn mailbox(&self) -> &Mailbox {
        // SAFETY: the loop's share keeps the mailbox alive; it is given up
        // after the core's last use (see `shutdown`).
        unsafe { self.mailbox.as_ref() }
    }

    #[inline]
    pub(crate) fn id(&self) -> LoopId {
        self.mailbox().id
    }

    pub(crate) fn handle(&self) -> LoopHandle {
        // SAFETY: as in `mailbox`.
        unsafe { LoopHandle::new(self.mailbox) }
    }

    pub(crate) fn reactor(&self) -> Rc<Reactor> {
        self.reactor.clone()
    }

    pub(crate) fn offload(&self) -> Option<Arc<dyn Offload>> {
        self.offload.clone()
    }

    // ---- tasks ----

    /// Makes a task and puts it at the end of the ready queue, or starts it at
    /// once if this loop does that.
    #[inline]
    pub(crate) fn create_task<F: Future + 'static>(
        &self,
        future: F,
        location: &'static Location<'static>,
    ) -> Task<F::Output> {
        if !self.unusual.is_nothing() {
            let task = self.create_idle(future, location);
            self.begin(task.as_ref(), Settings::default());
            return task;
        }
        let flags = flags::FRESH | flags::HANDLE | flags::SCHEDULED;
        let task = self.make_bare(in_span(future), location, flags);
        self.ready.push(task);
        // SAFETY: as in `create_idle`.
        unsafe { Task::new(task) }
    }

    /// Makes a task that has not begun: the caller sees to that.
    #[inline]
    pub(super) fn create_idle<F: Future + 'static>(
        &self,
        future: F,
        location: &'static Location<'static>,
    ) -> Task<F::Output> {
        let flags = flags::FRESH | flags::HANDLE;
        let task = self.make_bare(in_span(future), location, flags);
        // SAFETY: this is the home thread, the cell is new, with a handle, and its
        // sink is Kept.
        unsafe { Task::new(task) }
    }

    /// As [`create_task`](Self::create_task), for the main future, which may
    /// borrow.
    ///
    /// # Safety
    /// The task is finished before the borrow ends. (What stays afterwards is
    /// memory, and the output, which the caller takes.)
    pub(super) unsafe fn create_scoped<F: Future>(
        &self,
        future: F,
        location: &'static Location<'static>,
    ) -> Task<F::Output> {
        let task = self.make(future, location, flags::FRESH | flags::HANDLE);
        self.schedule_new(task);
        // SAFETY: as in `create_task`.
        unsafe { Task::new(task) }
    }

    /// Makes a callback that runs in the next turn.
    pub(crate) fn call_soon(
        &self,
        callback: impl FnOnce() + 'static,
        location: &'static Location<'static>,
    ) -> CallHandle {
        let future = CallSoon::new(call_in_span(callback));
        let task = self.make(
            future,
            location,
            flags::FRESH | flags::CALLBACK | flags::DETACHED,
        );
        self.schedule_new(task);
        // SAFETY: this is the home thread; a queued cell is alive.
        unsafe { CallHandle::new(task) }
    }

    /// As [`call_soon`](Self::call_soon), in a context that is not the caller's.
    pub(super) fn call_soon_in(
        &self,
        context: Context,
        callback: Box<dyn FnOnce()>,
        location: &'static Location<'static>,
    ) {
        let future = CallSoon::new(callback);
        let task = self.make(
            future,
            location,
            flags::FRESH | flags::CALLBACK | flags::DETACHED,
        );
        task.replace_context(context);
        self.schedule_new(task);
    }

    /// Makes a callback that runs when `deadline` has come.
    pub(crate) fn call_at(
        &self,
        deadline: Instant,
        callback: impl FnOnce() + 'static,
        location: &'static Location<'static>,
    ) -> CallHandle {
        let future = CallAt::new(call_in_span(callback), deadline);
        let task = self.make(
            future,
            location,
            flags::FRESH | flags::CALLBACK | flags::DETACHED,
        );
        // SAFETY: this is the home thread; a task of the set is alive.
        let handle = unsafe { CallHandle::new(task) };
        // The first poll sets the timer and never calls the callback, so it may
        // happen here; the timer's place among equal deadlines is this call's.
        // SAFETY: the home thread, inside the loop; the task is new, and its
        // first poll runs no code that could panic.
        unsafe { task.run() };
        handle
    }

    /// Makes a cell that has its creator's context.
    fn make<F: Future>(
        &self,
        future: F,
        location: &'static Location<'static>,
        flags: u16,
    ) -> TaskRef {
        let task = self.make_bare(future, location, flags);
        if !self.unusual.is_nothing() {
            self.inherit(task);
        }
        task
    }

    #[inline]
    fn make_bare<F: Future>(
        &self,
        future: F,
        location: &'static Location<'static>,
        flags: u16,
    ) -> TaskRef {
        let memory = self.pool.allocate(layout_of::<F, Kept>());
        let parts = Parts {
            word: Word::local(),
            home: self.mailbox.cast(),
            vtable: vtable::<F, Kept, Core>(),
            location,
            flags,
            outcome: Kept,
            future,
        };
        // SAFETY: the memory is unused and of the right layout.
        let task = unsafe { allocate(memory, parts) };
        self.adopt(task);
        task
    }

    /// A cell joins this loop: it gets its number and its place in the set.
    #[inline]
    pub(super) fn adopt(&self, task: TaskRef) {
        let sequence = self.next_task.get();
        self.next_task.set(sequence + 1);
        task.header().set_sequence(sequence);
        self.cells.set(self.cells.get() + 1);
        self.tasks.insert(task);
        if self.observer.hooks.is_some() {
            self.tell_spawned(task);
        }
    }

    #[inline]
    pub(super) fn schedule_new(&self, task: TaskRef) {
        task.header().set(flags::SCHEDULED);
        self.ready.push(task);
    }

    /// Polls a task that was popped from the ready queue, or ends or merges it.
    /// A panic of its future unwinds out of here.
    #[inline(always)]
    pub(super) fn run(&self, task: TaskRef) {
        // SAFETY: this is the home thread, inside the loop; the caller popped it.
        unsafe { task.run() }
    }

    /// Runs code that is not ours: a panic in it is reported and ends here.
    pub(super) fn guarded(&self, f: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
            self.observer.clone().panicked(None, payload);
        }
    }

    /// Ends a task at once; for the loop's own ends, between polls.
    pub(super) fn abort(&self, task: TaskRef, error: TaskError) {
        // What the drops ask for is this task's: its number, its context.
        let before = self.running.replace(Some(task));
        // SAFETY: this is the home thread, inside the loop, between polls.
        unsafe { task.abort(error) }
        self.running.set(before);
    }

    /// As [`abort`](Self::abort), through a handle.
    pub(super) fn abort_task<T>(&self, task: &Task<T>) {
        let task = task.as_ref();
        self.abort(task, TaskError::cancelled(task.is_started()));
    }

    /// The memory of a cell that ended on this thread comes back.
    ///
    /// # Safety
    /// As for [`CellPool::recycle`].
    #[inline(always)]
    pub(super) unsafe fn reclaim(&self, memory: Memory) {
        self.cells.set(self.cells.get() - 1);
        // SAFETY: passed on from the caller.
        unsafe { self.pool.recycle(memory, self.mailbox().returns()) }
    }

    /// The cells that this loop made or adopted and has not freed itself.
    pub(super) fn cells(&self) -> isize {
        self.cells.get()
    }

    // ---- time ----

    /// The loop's time now, read from the clock.
    #[inline]
    pub(crate) fn time(&self) -> Instant {
        match &self.clock {
            Some(clock) => clock.now(),
            None => Instant::now(),
        }
    }

    /// A moment in nanoseconds of the loop's time; the past is 0, and what lies
    /// centuries ahead is the last one.
    pub(super) fn nanos(&self, moment: Instant) -> u64 {
        let since = moment.saturating_duration_since(self.base).as_nanos();
        u64::try_from(since).unwrap_or(u64::MAX)
    }

    /// The moment of the loop's time, or `None` past what an `Instant` holds.
    pub(super) fn moment(&self, nanos: u64) -> Option<Instant> {
        self.base.checked_add(Duration::from_nanos(nanos))
    }

    /// Sets a timer that wakes `waker` when `deadline` has come.
    pub(crate) fn set_timer(&self, deadline: Instant, waker: Waker) -> TimerKey {
        let deadline = self.nanos(deadline);
        self.has_timers.set(true);
        self.timers.borrow_mut().insert(deadline, waker)
    }

    /// Has the timer still to fire? Then it wakes `waker` from now on.
    pub(crate) fn renew_timer(&self, key: TimerKey, waker: &Waker) -> bool {
        match self.timers.borrow().wakes(key, waker) {
            None => return false,
            Some(true) => return true,
            Some(false) => {}
        }
        // Cloned and dropped outside the borrow: a waker may run anything.
        let waker = waker.clone();
        let stale = self.timers.borrow_mut().replace(key, waker);
        drop(stale);
        true
    }

    /// Takes a timer out, if it has not fired.
    pub(crate) fn cancel_timer(&self, key: TimerKey) {
        let waker = self.timers.borrow_mut().remove(key);
        drop(waker);
    }
}
