//! The mailbox: the one door into a loop from other threads.
//!
//! # One word
//! The inbox is a lock-free stack that is taken whole and reversed. Its head is
//! one pointer with four kinds of value:
//!
//! ```text
//!            push                      take: swap(EMPTY)
//!   EMPTY ─────────▶ node ─▶ node … ───────────────────▶ EMPTY
//!     │  ▲                                                 │
//!     │  └──────────────── take ───────────┐               │ close: swap(CLOSED)
//!     └── park: cas ──▶ PARKED ── push ──▶ node, and       ▼
//!                                          one wake owed  CLOSED (for good)
//! ```
//!
//! * A push that replaces PARKED owes exactly one wake; any other push owes
//!   none. A loop that is awake is never sent a system call. A wake whose system
//!   call fails is tried again, never dropped: nobody else owes one.
//! * The loop parks by exchanging EMPTY for PARKED. If that fails there is work,
//!   and it does not sleep. "Parked", "closed" and the list are one word, so
//!   there is no second variable to race with.
//! * A push that meets CLOSED gives its node back. What was pushed before the
//!   close is in what the close takes. So "accepted" is a single instant.
//!
//! A node is a task cell, linked through `Header::inbox_next`; whoever set its
//! QUEUED bit owns that link until the loop has read it and cleared the bit.
//! Pushes order release, takes order acquire (all are `AcqRel`, there is nothing
//! to win), so what a thread wrote before a push is seen by the poll after it.
//!
//! # Lifetime
//! A mailbox outlives its loop: handles and cells point to it for as long as
//! they like. `references` counts handles, plus [`LOOP_SHARE`] while the loop
//! is open. Cells do not touch it on their hot path: the loop counts the cells
//! it adopts and those it frees itself in plain cells; one that is freed
//! elsewhere takes 1 off; at the close the loop swaps its share for the number
//! of cells still about. Whoever brings the count to zero frees the mailbox.
//! (A registry of static slots would have to be reused, and a handle's check of
//! a slot's generation is not atomic with the push; counting costs nothing
//! where it matters, so the handle is `Clone`, not `Copy`.)

use crate::loom::{AtomicIsize, AtomicPtr, Mutex};
use crate::task::recycle::Returns;
use crate::task::{Header, LoopId, TaskRef};
use crate::util::{prefetch_lines, thread_number};
use std::io;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicU8, AtomicU64};

/// What the loop itself holds of `references` while it is open; larger than
/// any number of cells and handles.
const LOOP_SHARE: isize = isize::MAX / 2;

/// The cache lines of a submission's cell that are asked for on arrival.
const LINES: usize = 3;

const EMPTY: *mut Header = ptr::null_mut();
const PARKED: *mut Header = ptr::without_provenance_mut(1);
const CLOSED: *mut Header = ptr::without_provenance_mut(2);

/// Ends a driver's wait from another thread.
pub trait Unpark: Send + Sync + 'static {
    /// Makes the wait that goes on, or else the next one, return at once.
    ///
    /// # Errors
    /// The system call failed; the caller tries again.
    fn unpark(&self) -> io::Result<()>;
}

/// Figures that a loop publishes now and then, for any thread to read.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) turns: AtomicU64,
    pub(crate) polls: AtomicU64,
    pub(crate) tasks: AtomicU64,
    pub(crate) ready: AtomicU64,
    pub(crate) parked_ns: AtomicU64,
    pub(crate) parks: AtomicU64,
}

/// A line of cache (and its neighbour, which is fetched with it) for a word that
/// several threads write.
#[repr(align(128))]
struct Line<T>(T);

pub(crate) struct Mailbox {
    head: Line<AtomicPtr<Header>>,
    /// Cell memory on its way back to those who send.
    returns: Line<Returns>,
    references: Line<AtomicIsize>,
    unpark: Mutex<Option<Arc<dyn Unpark>>>,
    pub(crate) id: LoopId,
    pub(crate) name: Box<str>,
    /// The thread that the loop lives on, in this process's own numbering.
    pub(crate) thread: u64,
    pub(crate) counters: Counters,
    /// One of [`phase`]; written by the loop at the ends of its runs.
    pub(crate) phase: AtomicU8,
}

/// Whether somebody runs the loop.
pub(crate) mod phase {
    pub(crate) const NEW: u8 = 0;
    pub(crate) const RUNNING: u8 = 1;
    pub(crate) const STOPPED: u8 = 2;
}

impl Mailbox {
    /// A new mailbox of the calling thread's loop, which holds its share.
    pub(crate) fn create(id: LoopId, name: Box<str>, unpark: Arc<dyn Unpark>) -> NonNull<Self> {
        let mailbox = Box::new(Self {
            head: Line(AtomicPtr::new(EMPTY)),
            returns: Line(Returns::new()),
            references: Line(AtomicIsize::new(LOOP_SHARE)),
            unpark: Mutex::new(Some(unpark)),
            id,
            name,
            thread: thread_number(),
            counters: Counters::default(),
            phase: AtomicU8::new(phase::NEW),
        });
        NonNull::from(Box::leak(mailbox))
    }

    /// Puts a task in; gives it back when the mailbox is closed.
    ///
    /// The caller has set the task's QUEUED bit and keeps the mailbox alive.
    /// From the moment of the push it may touch the task only through a
    /// reference of its own.
    #[inline]
    pub(crate) fn push(&self, task: TaskRef) -> Result<(), TaskRef> {
        // Asked for at once for writing, since it is going to be written: one
        // trip to the other core, not two.
        prefetch_lines(&raw const self.head, 1);
        let mut head = self.head.0.load(Relaxed);
        loop {
            if head == CLOSED {
                return Err(task);
            }
            let next = if head == PARKED {
                None
            } else {
                // SAFETY: neither CLOSED nor PARKED: a task in the list, which
                // its QUEUED bit keeps alive, or null.
                NonNull::new(head).map(|head| unsafe { TaskRef::from_raw(head) })
            };
            // SAFETY: the caller set QUEUED and the task is not published yet.
            unsafe { task.header().set_inbox_next(next) };
            match self
                .head
                .0
                .compare_exchange_weak(head, task.as_ptr(), AcqRel, Relaxed)
            {
                Ok(PARKED) => {
                    self.wake_the_loop();
                    return Ok(());
                }
                Ok(_) => return Ok(()),
                Err(now) => head = now,
            }
        }
    }

    #[cold]
    fn wake_the_loop(&self) {
        loop {
            let unpark = self.unpark.lock().clone();
            match unpark.map(|unpark| unpark.unpark()) {
                // Closed meanwhile: it did not sleep through what it owed us.
                None | Some(Ok(())) => return,
                Some(Err(_)) => crate::loom::yield_now(),
            }
        }
    }

    /// Is there something to take? (Also "yes" when closed.)
    #[inline]
    pub(crate) fn has_mail(&self) -> bool {
        let head = self.head.0.load(Relaxed);
        head != EMPTY && head != PARKED
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.head.0.load(Acquire) == CLOSED
    }

    /// Home: takes everything, first come first.
    #[inline]
    pub(crate) fn take(&self) -> Inbox {
        let head = self.head.0.load(Relaxed);
        if head == EMPTY {
            return Inbox::default();
        }
        // The lines are in the sender's cache, as the head is, which the load
        // brought for reading only: all come together, in one more trip.
        prefetch_lines(head, LINES);
        Inbox::reverse(self.head.0.swap(EMPTY, AcqRel))
    }

    /// Home: announces that the loop is about to sleep. `false`: there is mail.
    #[must_use]
    pub(crate) fn park(&self) -> bool {
        self.head
            .0
            .compare_exchange(EMPTY, PARKED, AcqRel, Relaxed)
            .is_ok()
    }

    /// Home: closes for good and takes what was in it. The unparker goes too,
    /// and with it the loop's last file descriptor.
    pub(crate) fn close(&self) -> Inbox {
        let taken = self.head.0.swap(CLOSED, AcqRel);
        let unpark = self.unpark.lock().take();
        drop(unpark);
        Inbox::reverse(taken)
    }

    /// Where the memory of submissions goes back.
    pub(crate) fn returns(&self) -> &Returns {
        &self.returns.0
    }

    /// Takes a reference, for a handle.
    pub(crate) fn retain(&self) {
        let old = self.references.0.fetch_add(1, Relaxed);
        if old > isize::MAX - (1 << 20) {
            std::process::abort();
        }
    }

    /// Adds to the references (a handle's or a foreign cell's end is -1) and
    /// frees the mailbox when none are left.
    ///
    /// # Safety
    /// The caller owns what it gives up, and forgets the pointer.
    pub(crate) unsafe fn settle(this: NonNull<Self>, change: isize) {
        // SAFETY: the caller's reference keeps it alive until here.
        let old = unsafe { this.as_ref() }
            .references
            .0
            .fetch_add(change, AcqRel);
        if old + change == 0 {
            // SAFETY: the last one out; it came from Box::leak.
            drop(unsafe { Box::from_raw(this.as_ptr()) });
        }
    }

    /// Home, last of all: swaps the loop's share for `cells` still about.
    ///
    /// # Safety
    /// As for [`settle`](Self::settle); once.
    pub(crate) unsafe fn settle_loop(this: NonNull<Self>, cells: isize) {
        // SAFETY: passed on from the caller.
        unsafe { Self::settle(this, cells - LOOP_SHARE) }
    }
}

/// What was taken from a mailbox, in order of arrival. Each task's QUEUED bit
/// is the taker's to clear, after the step past it.
#[derive(Default)]
pub(crate) struct Inbox {
    first: Option<TaskRef>,
    length: usize,
}

impl Inbox {
    fn reverse(head: *mut Header) -> Self {
        let mut rest = match NonNull::new(head) {
            Some(task) if head != PARKED && head != CLOSED => {
                // SAFETY: not a mark: a task of the list, alive by its QUEUED bit.
                Some(unsafe { TaskRef::from_raw(task) })
            }
            _ => None,
        };
        let mut taken = Self::default();
        while let Some(task) = rest {
            // The lines are in the sender's cache; asked for together and for
            // writing, they come in one trip instead of five, and asked for
            // ahead, they come while the cells before them are being linked.
            if let Some(ahead) = task.header().trail() {
                prefetch_lines(ptr::without_provenance::<u8>(ahead), LINES);
            }
            // SAFETY: the list was taken whole; its links are ours until each
            // task's QUEUED bit is cleared.
            unsafe {
                rest = task.header().inbox_next();
                task.header().set_inbox_next(taken.first);
            }
            taken.first = Some(task);
            taken.length += 1;
        }
        taken
    }

    /// How many are left.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.length
    }
}

impl Iterator for Inbox {
    type Item = TaskRef;

    fn next(&mut self) -> Option<TaskRef> {
        let task = self.first?;
        // SAFETY: its QUEUED bit is still set, so its link is still ours.
        self.first = unsafe { task.header().inbox_next() };
        self.length -= 1;
        Some(task)
    }
}
