//! The memory of a task: a header of fixed shape, what outlives the future, and
//! the future itself or its output.

use super::TaskRef;
use super::beside::Beside;
use super::id::LoopId;
use super::raw::flags;
use super::state::{Arrival, Word};
use crate::error::TaskError;
use crate::loom::UnsafeCell;
use std::alloc::Layout;
use std::cell;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::ptr::NonNull;
use std::task::RawWakerVTable;

/// The part of a cell whose shape does not depend on the future. The first
/// cache line holds all that a wake, a pop and a poll touch.
#[repr(C)]
pub(crate) struct Header {
    pub(super) word: Word,
    /// The home thread's count of references; it moves into the word at the end,
    /// and before that whenever it is full.
    pub(super) local_refs: cell::Cell<i16>,
    flags: cell::Cell<u16>,
    /// The mailbox's link; owned by whoever set QUEUED, until QUEUED is cleared.
    inbox_next: UnsafeCell<Option<TaskRef>>,
    pub(crate) home: NonNull<()>,
    pub(super) vtable: &'static VTable,

    // From here on: the home thread's alone, but for `location`.
    /// The ready queue's link, while SCHEDULED.
    pub(crate) ready_next: cell::Cell<Option<TaskRef>>,
    /// The links of the loop's set of unfinished tasks.
    pub(crate) set_next: cell::Cell<Option<TaskRef>>,
    pub(crate) set_previous: cell::Cell<Option<TaskRef>>,
    /// Who awaits the task, and what few tasks have: a name, done-callbacks.
    pub(super) beside: Beside,
    /// Its number among its loop's tasks; before that a submission's trail.
    sequence: cell::Cell<u64>,
    pub(crate) location: &'static Location<'static>,
    /// Nothing, but to the model checker: who touches the stage, and when.
    stage: UnsafeCell<()>,
}

/// What the cell's code needs to know of its types.
pub(crate) struct VTable {
    /// Polls the future; on an end of any kind, runs the cell's finish.
    pub(super) poll: unsafe fn(TaskRef),
    /// Drops the future and finishes the task with this error.
    pub(super) abort: unsafe fn(TaskRef, TaskError),
    /// Where in the cell the output lies, while OUTPUT is set.
    pub(super) output_offset: usize,
    /// Schedules the task, from whatever thread this is.
    pub(super) wake: unsafe fn(TaskRef),
    /// Drops what outlived the future, then gives the memory back.
    pub(super) free: unsafe fn(TaskRef),
    /// Hands a panic that nobody awaits to the loop's exception handler.
    pub(super) report: unsafe fn(TaskRef, Box<dyn std::any::Any + Send>),
    /// Tells the exception handler of an error that nobody looks at.
    pub(super) report_error: unsafe fn(TaskRef, &str),
    /// The vtable of the wakers of this home's tasks.
    pub(super) waker: &'static RawWakerVTable,
    /// The loop's number.
    pub(super) loop_id: unsafe fn(TaskRef) -> LoopId,
}

// The layout of a header, in bytes: word 4, local count 2, flags 2; then eight
// each: mailbox link, home, vtable, ready link, two links of the set; who awaits
// and what is beside 16; number 8, location 8.
#[cfg(all(not(loom), target_pointer_width = "64"))]
const _: () = assert!(size_of::<Header>() == 88);

/// The future until the task is finished, then its output while OUTPUT is set:
/// the flags know which, so nothing here has to.
#[repr(C)]
pub(super) union Stage<F, T> {
    pub(super) future: ManuallyDrop<F>,
    pub(super) output: ManuallyDrop<Result<T, TaskError>>,
}

/// Where a task's result goes: into the cell for its handle, or to an outcome
/// that other threads read.
pub(crate) trait Sink<T> {
    /// Does `deliver` give every result back, and nothing else? So it is for a
    /// loop's own tasks, and for no submission.
    const KEEPS: bool;

    /// Takes the result, or gives it back to be kept in the cell.
    fn deliver(&self, result: Result<T, TaskError>) -> Option<Result<T, TaskError>>;
}

/// A whole cell. `header` and `outcome` come first and in this order, so that
/// both are found without knowing `F` (see [`Prefix`]).
#[repr(C)]
pub(crate) struct Cell<F: Future, S> {
    pub(super) header: Header,
    pub(super) outcome: S,
    stage: cell::UnsafeCell<Stage<F, F::Output>>,
}

impl<F: Future, S> Cell<F, S> {
    /// The offset of the output, for the vtable.
    pub(super) const STAGE: usize = std::mem::offset_of!(Self, stage);

    /// The stage; the home thread's, as the model checker is told.
    #[inline(always)]
    pub(super) fn stage(&self) -> *mut Stage<F, F::Output> {
        self.header.touch_stage();
        self.stage.get()
    }
}

/// The front of every cell with outcome `S`, whatever its future.
#[repr(C)]
pub(crate) struct Prefix<S> {
    _header: Header,
    pub(crate) outcome: S,
}

impl Header {
    fn new(
        word: Word,
        home: NonNull<()>,
        vtable: &'static VTable,
        location: &'static Location<'static>,
        flags: u16,
    ) -> Self {
        let handles = i16::from(flags & flags::HANDLE != 0);
        Self {
            word,
            local_refs: cell::Cell::new(handles),
            flags: cell::Cell::new(flags),
            inbox_next: UnsafeCell::new(None),
            home,
            vtable,
            ready_next: cell::Cell::new(None),
            set_next: cell::Cell::new(None),
            set_previous: cell::Cell::new(None),
            beside: Beside::nothing(),
            sequence: cell::Cell::new(0),
            location,
            stage: UnsafeCell::new(()),
        }
    }

    /// Tells the model checker that the stage is being used.
    #[inline(always)]
    pub(super) fn touch_stage(&self) {
        self.stage.with_mut(|_| ());
    }

    /// The sender, before it sends: the address of a cell further down the
    /// mailbox's list. It uses the place of the number, which the task is given
    /// when it is adopted.
    pub(crate) fn set_trail(&self, address: usize) {
        self.sequence.set(address as u64);
    }

    /// Home, before the adoption: the trail that the sender left.
    pub(crate) fn trail(&self) -> Option<usize> {
        self.has(flags::SUBMITTED)
            .then(|| self.sequence.get() as usize)
    }

    /// Home: a submission has arrived; from here on it is a task like others.
    pub(crate) fn begin(&self) {
        self.clear(flags::SUBMITTED);
    }

    /// Home: the task was taken from the mailbox, and its link was read.
    pub(crate) fn arrive(&self) -> Arrival {
        self.word.arrive()
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.sequence.get()
    }

    pub(crate) fn set_sequence(&self, sequence: u64) {
        self.sequence.set(sequence);
    }

    pub(crate) fn flags(&self) -> u16 {
        self.flags.get()
    }

    #[inline]
    pub(super) fn set_flags(&self, flags: u16) {
        self.flags.set(flags);
    }

    #[inline]
    pub(crate) fn has(&self, flags: u16) -> bool {
        self.flags.get() & flags != 0
    }

    #[inline]
    pub(crate) fn set(&self, flags: u16) {
        self.flags.set(self.flags.get() | flags);
    }

    #[inline]
    pub(crate) fn clear(&self, flags: u16) {
        self.flags.set(self.flags.get() & !flags);
    }

    /// # Safety
    /// The caller owns the link: it set QUEUED, or took the task from the
    /// mailbox and has not cleared QUEUED yet.
    pub(crate) unsafe fn inbox_next(&self) -> Option<TaskRef> {
        // SAFETY: the link is the caller's alone.
        self.inbox_next.with(|link| unsafe { *link })
    }

    /// # Safety
    /// As for [`inbox_next`](Self::inbox_next).
    pub(crate) unsafe fn set_inbox_next(&self, next: Option<TaskRef>) {
        // SAFETY: the link is the caller's alone.
        self.inbox_next.with_mut(|link| unsafe { *link = next });
    }
}

/// What a new cell is made of.
pub(crate) struct Parts<F, S> {
    pub(crate) word: Word,
    pub(crate) home: NonNull<()>,
    pub(crate) vtable: &'static VTable,
    pub(crate) location: &'static Location<'static>,
    pub(crate) flags: u16,
    pub(crate) outcome: S,
    pub(crate) future: F,
}

/// Writes a cell into `memory`.
///
/// # Safety
/// `memory` is unused, and fits [`layout_of`]`::<F, S>()`.
#[inline]
pub(crate) unsafe fn allocate<F: Future, S>(memory: NonNull<u8>, parts: Parts<F, S>) -> TaskRef {
    let cell = memory.cast::<Cell<F, S>>();
    let header = Header::new(
        parts.word,
        parts.home,
        parts.vtable,
        parts.location,
        parts.flags,
    );
    // SAFETY: the memory is large enough, aligned and ours.
    unsafe {
        cell.write(Cell {
            header,
            outcome: parts.outcome,
            stage: cell::UnsafeCell::new(Stage {
                future: ManuallyDrop::new(parts.future),
            }),
        });
        TaskRef::from_raw(cell.cast::<Header>())
    }
}

/// Takes a cell apart that its loop refused, and frees the memory.
///
/// # Safety
/// The cell is of these types and was never published; the caller forgets it.
pub(crate) unsafe fn dismantle<F: Future, S: Sink<F::Output>>(task: TaskRef) -> (F, S) {
    let memory = task.cast::<Cell<F, S>>();
    // SAFETY: nobody else knows the cell: it is read out once, then freed; its
    // memory came from `recycle` with this layout. It was never polled, so the
    // stage holds the future.
    unsafe {
        let cell = memory.read();
        super::recycle::free(memory.cast(), layout_of::<F, S>());
        let future = ManuallyDrop::into_inner(cell.stage.into_inner().future);
        (future, cell.outcome)
    }
}

/// The memory that a cell takes, rounded up to a size class of the recycler.
pub(crate) const fn layout_of<F: Future, S: Sink<F::Output>>() -> Layout {
    super::recycle::rounded(Layout::new::<Cell<F, S>>(), !S::KEEPS)
}
