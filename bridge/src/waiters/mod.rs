//! One line of waiters for tasks and for plain threads.
//!
//! A waiter is a [`Waker`]: a task brings its own, a blocked thread brings one
//! that unparks it ([`block_on`]). So every primitive of this crate has one
//! line, one order and one hand-over rule for both.
//!
//! # Protocol
//! A condition (a message, a free slot) lives outside the line, in atomics.
//!
//! ```text
//!   waiter                                  whoever makes the condition true
//!   1. looks: not yet                       1. makes it true
//!   2. joins: under the lock, counts        2. fence(SeqCst)
//!      itself in `waiting`                  3. reads `waiting`: 0 → done,
//!   3. fence(SeqCst)                           no lock was touched
//!   4. looks again; only then sleeps        4. else lock, take the first
//!                                              waker, unlock, wake
//! ```
//! Of the two fences one comes first in the order of all fences. If it is the
//! waiter's, the other side reads its count; if it is the other side's, the
//! waiter's second look sees the condition. Either way nobody sleeps through.
//! Where the condition is made true by a sequentially consistent
//! read-modify-write, and that is what the waiter looks at, the operation
//! itself stands in for the other side's fence: if the waiter's look misses it,
//! it comes after the waiter's fence, and so does the reading of `waiting`.
//!
//! A place in line is a [`Ticket`], owned by the waiting future:
//!
//! ```text
//!            join                 wake_one, wake_all
//!   (none) ───────▶ WAITING ─────────────────────▶ WOKEN
//!      ▲               │ leave                       │ leave → true
//!      └───────────────┴─────────────────────────────┘
//!                                    join: back to WAITING, at the front
//! ```
//! A woken place stays reserved until its owner leaves. An owner that leaves
//! WOKEN without having used the wake hands it to the next in line ([`pass`]):
//! a cancelled waiter never swallows a notification. An owner that was woken
//! and found the condition gone (somebody was faster) goes to the front again.
//!
//! Wakers are cloned before the lock, and woken and dropped after it: they are
//! foreign code, which may call back into this line.
//!
//! [`pass`]: Waiters::pass
#![forbid(unsafe_code)]

mod line;
#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;
mod thread;

pub(crate) use line::{Line, Stand, Woken};
pub(crate) use thread::{TimedOut, block_on, block_on_ready, deadline_after};

use crate::loom::{AtomicUsize, Mutex, fence, fence_after_claim, full_fence};
use polyloop::coop;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::task::{Context, Poll, Waker, ready};

/// A first-in, first-out line of waiting tasks and threads.
#[derive(Debug)]
pub(crate) struct Waiters {
    /// How many places are WAITING; written under the lock only.
    waiting: AtomicUsize,
    line: Mutex<Line>,
}

/// One waiter's place in a line; its owner must [`leave`](Waiters::leave) or
/// [`pass`](Waiters::pass) before dropping it.
#[derive(Debug)]
pub(crate) struct Ticket(usize);

impl Ticket {
    /// A ticket that is in no line.
    pub(crate) const fn new() -> Self {
        Self(line::NOWHERE)
    }

    /// Is it in no line?
    pub(crate) const fn is_nowhere(&self) -> bool {
        self.0 == line::NOWHERE
    }
}

impl Waiters {
    pub(crate) fn new() -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            line: Mutex::new(Line::new()),
        }
    }

    /// Takes a place in line, or keeps the one held with this waker.
    ///
    /// The caller must look at its condition once more after this.
    pub(crate) fn join(&self, ticket: &mut Ticket, waker: &Waker) {
        if !ticket.is_nowhere() && self.line.lock().waits_with(ticket, waker) {
            fence(SeqCst);
            return;
        }
        let waker = waker.clone();
        let old;
        {
            let mut line = self.line.lock();
            old = line.join(ticket, waker, ());
            self.waiting.store(line.waiting(), Relaxed);
        }
        fence(SeqCst);
        drop(old);
    }

    /// As [`join`](Self::join), unless the place was woken: then it is left, and the
    /// wake is the caller's. For lines whose wakes hand something over.
    pub(crate) fn join_or_leave_woken(&self, ticket: &mut Ticket, waker: &Waker) -> bool {
        let waker = waker.clone();
        // Dropped after the lock's guard is.
        let old;
        {
            let mut line = self.line.lock();
            if line.stand(ticket) == Stand::Woken {
                line.leave(ticket);
                return true;
            }
            old = line.join(ticket, waker, ());
            self.waiting.store(line.waiting(), Relaxed);
        }
        fence(SeqCst);
        drop(old);
        false
    }

    /// Gives the place up if it was woken, and says whether it was.
    pub(crate) fn leave_woken(&self, ticket: &mut Ticket) -> bool {
        let mut line = self.line.lock();
        let woken = line.stand(ticket) == Stand::Woken;
        if woken {
            line.leave(ticket);
        }
        woken
    }

    /// Gives the place up; `true` if it held a wake that is now the caller's.
    #[inline]
    pub(crate) fn leave(&self, ticket: &mut Ticket) -> bool {
        !ticket.is_nowhere() && self.leave_line(ticket)
    }

    #[cold]
    fn leave_line(&self, ticket: &mut Ticket) -> bool {
        let old;
        {
            let mut line = self.line.lock();
            old = line.leave(ticket);
            self.waiting.store(line.waiting(), Relaxed);
        }
        old.is_none()
    }

    /// Gives the place up, and hands an unused wake to the next in line; quietly,
    /// since it is called in drops, and by those that hold what they waited for.
    #[inline]
    pub(crate) fn pass(&self, ticket: &mut Ticket) {
        if self.leave(ticket) {
            self.wake_one_quietly(false);
        }
    }

    /// Wakes the first in line, where a waker's panic would take along what the
    /// caller holds: it ends here, told of by the panic hook. `claimed`: as
    /// [`wake_one_after_claim`](Self::wake_one_after_claim).
    #[inline]
    pub(crate) fn wake_one_quietly(&self, claimed: bool) {
        if !claimed {
            full_fence();
        }
        fence_after_claim();
        if self.waiting.load(SeqCst) != 0 {
            self.wake_first_quietly();
        }
    }

    /// Wakes the first in line; the condition was made true before this.
    #[inline]
    pub(crate) fn wake_one(&self) {
        full_fence();
        self.wake_one_after_claim();
    }

    /// As [`wake_one`](Self::wake_one), where the condition was made true by a
    /// sequentially consistent read-modify-write of a word that the waiter's
    /// second look reads: that operation stands in for the fence.
    #[inline]
    pub(crate) fn wake_one_after_claim(&self) {
        fence_after_claim();
        if self.waiting.load(SeqCst) != 0 {
            self.wake_first();
        }
    }

    /// Wakes the first `count` in line; the condition was made true before this.
    ///
    /// # Panics
    /// With the first panic of a waker, after all of them were woken.
    pub(crate) fn wake_some(&self, count: usize) {
        full_fence();
        if self.waiting.load(SeqCst) == 0 {
            return;
        }
        // Dropped, and so woken, after the lock is.
        let mut woken = Woken::new();
        let mut line = self.line.lock();
        woken.extend((0..count).map_while(|_| line.wake_first()));
        self.waiting.store(line.waiting(), Relaxed);
    }

    /// Wakes everybody in line now; the condition was made true before this.
    ///
    /// # Panics
    /// With the first panic of a waker, after all of them were woken.
    pub(crate) fn wake_all(&self) {
        self.wake_some(usize::MAX);
    }

    /// How many wait now.
    pub(crate) fn len(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// Does anybody wait? What they wait for was made true before this.
    pub(crate) fn anybody_waits(&self) -> bool {
        full_fence();
        fence_after_claim();
        self.waiting.load(SeqCst) != 0
    }

    /// Wakes the first in line, and says whether there was one. A waker's panic
    /// ends here, as in [`wake_one_quietly`](Self::wake_one_quietly).
    #[cold]
    pub(crate) fn wake_first_quietly(&self) -> bool {
        let mut woken = true;
        quietly(|| woken = self.wake_first());
        woken
    }

    #[cold]
    fn wake_first(&self) -> bool {
        let first;
        {
            let mut line = self.line.lock();
            first = line.wake_first();
            self.waiting.store(line.waiting(), Relaxed);
        }
        let woken = first.is_some();
        if let Some(waker) = first {
            waker.wake();
        }
        woken
    }
}

/// A poll of what may be ready again and again, for a task: it takes from the
/// task's budget, so that a flood from other threads does not keep its loop from
/// everything else. A thread that blocks has no budget, and must not ask for it.
#[inline]
pub(crate) fn poll_fairly<T>(
    cx: &mut Context<'_>,
    poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    ready!(coop::poll_proceed(cx));
    let answer = ready!(poll(cx));
    coop::made_progress();
    Poll::Ready(answer)
}

/// Calls foreign code whose panic is not the caller's; the panic hook has told of
/// it.
pub(crate) fn quietly(f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f))
        && let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload)))
    {
        std::mem::forget(second);
    }
}

/// Calls `f`, foreign code, on every item; a panic waits until all had theirs.
pub(crate) fn each_then_panic<T>(items: impl IntoIterator<Item = T>, mut f: impl FnMut(T)) {
    let mut first: Option<Box<dyn Any + Send>> = None;
    for item in items {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| f(item))) {
            match first {
                None => first = Some(payload),
                // A payload whose drop panics must not stop the others either.
                Some(_) => std::mem::forget(payload),
            }
        }
    }
    if let Some(payload) = first {
        resume_unwind(payload);
    }
}
