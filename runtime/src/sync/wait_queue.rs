//! First-in-first-out queue of waiters whose nodes live inside the waiting
//! futures: a wait allocates nothing, and leaving the queue is O(1).
//!
//! # States of a waiter
//!
//! ```text
//!            poll_woken                 wake_first / wake_all
//!   Idle ----------------> Queued ------------------------------> Woken
//!    ^                       |                                      |
//!    |     abandon / drop    |      poll_woken (Ready)              |
//!    +-----------------------+--------------------------------------+
//!                                   abandon / drop (answers true)
//! ```
//!
//! A waiter that was woken has left the list, so the head of the list is always
//! the first waiter nobody has woken yet. It still counts in [`WaitQueue::woken`]
//! until its future has run or is dropped: this is how the primitives know that
//! somebody is ahead of a newcomer. (`Woken` is two states: a waiter knows whether
//! it was woken alone or together with others.) A primitive that hands something over with
//! the wake (a permit, a turn) must ask [`Waiter::abandon`] when its future is
//! dropped, and pass the thing on if the answer is `true`.
//!
//! # Why the raw pointers are sound
//!
//! 1. *A node in the list is alive and does not move.* Only `poll_woken` links a
//!    node, and it takes the waiter pinned; a pinned value's memory stays valid
//!    until its destructor has run, and the destructor unlinks it. A waiter that
//!    is leaked keeps its memory for ever, so its neighbours may go on pointing
//!    to it.
//! 2. *Nodes never point to the queue*, only to one another. The queue may
//!    therefore be moved or freed once no waiter borrows it, even if leaked ones
//!    are still linked.
//! 3. *A node is linked in the queue of its own waiter or in none*: the waiter
//!    holds that one borrow from its birth.
//! 4. *One thread.* Queue and waiter are neither `Send` nor `Sync` (they hold
//!    `Cell`s of `NonNull`).
//! 5. *No `&mut` to a linked node is ever used*: every field is a cell, and
//!    `Waiter` is `!Unpin`, so that the `&mut` in a caller's `Pin` claims no
//!    exclusive access to it.
//! 6. *The place of a node is written before the node leaves `Idle`*, and read
//!    in the other states only. Most waits end before they begin: they should
//!    not pay for what a place in line needs. There is a waker in it in `Queued`
//!    only, so that nothing has to be dropped with an idle or woken node.
//!
//! # User code
//!
//! Cloning, waking and dropping a waker may run anything, this queue's own
//! methods included. Every such call is made when the list is consistent and
//! nothing read before it is relied upon after it.

use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomPinned;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

/// The queue; `T` is what a waiter says about its wish (how many permits).
pub(crate) struct WaitQueue<T = ()> {
    head: Cell<Link<T>>,
    tail: Cell<Link<T>>,
    waiting: Cell<usize>,
    woken: Cell<usize>,
    arrivals: Cell<u64>,
}

impl<T: Copy> WaitQueue<T> {
    pub(crate) const fn new() -> Self {
        Self {
            head: Cell::new(None),
            tail: Cell::new(None),
            waiting: Cell::new(0),
            woken: Cell::new(0),
            arrivals: Cell::new(0),
        }
    }

    /// How many wait and have not been woken.
    #[inline]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.get()
    }

    /// How many were woken and have neither run nor been dropped since.
    #[inline]
    pub(crate) fn woken(&self) -> usize {
        self.woken.get()
    }

    /// Is nobody waiting, nor about to run after having waited?
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting() == 0 && self.woken() == 0
    }

    /// What the first waiter that is not yet woken asked for.
    #[inline]
    pub(crate) fn first_wish(&self) -> Option<T> {
        // SAFETY: (1) of the module's head: a linked node is alive.
        self.head.get().map(|head| unsafe { head.as_ref() }.wish)
    }

    /// Wakes the first waiter; `false` if there is none.
    #[inline]
    pub(crate) fn wake_first(&self) -> bool {
        self.head.get().is_some() && self.wake_head()
    }

    #[inline(never)]
    fn wake_head(&self) -> bool {
        let Some(waker) = self.take_first(u64::MAX, State::Chosen) else {
            return false;
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Wakes everyone who waits now; those who come while this runs wait on.
    #[inline]
    pub(crate) fn wake_all(&self) {
        if self.head.get().is_some() {
            self.wake_some(usize::MAX);
        }
    }

    /// Wakes the first `count` of those who wait now.
    pub(crate) fn wake_some(&self, count: usize) {
        let end = self.arrivals.get();
        let mut left = count;
        self.wake_while(end, |_| {
            let more = left > 0;
            left = left.saturating_sub(1);
            more
        });
    }

    /// Wakes the first in line again and again while `next` says so of its wish.
    #[inline]
    pub(crate) fn wake_while_wished(&self, next: impl FnMut(T) -> bool) {
        if self.head.get().is_some() {
            self.wake_while(u64::MAX, next);
        }
    }

    /// A waker that panics does not keep the others asleep: the panic goes on
    /// when all have been woken.
    #[inline(never)]
    fn wake_while(&self, end: u64, mut next: impl FnMut(T) -> bool) {
        let mut panic = None;
        while let Some(wish) = self.first_wish()
            && next(wish)
            && let Some(waker) = self.take_first(end, State::Woken)
        {
            let Some(waker) = waker else { continue };
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
                panic = panic.or(Some(payload));
            }
        }
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }

    /// Moves the first waiter from `Queued` to `woken` if it arrived before the
    /// arrival numbered `end`, and hands out its waker. The inner `None` stands
    /// for a waiter that is just replacing its waker: it looks again by itself.
    fn take_first(&self, end: u64, woken: State) -> Option<Option<Waker>> {
        let head = self.head.get()?;
        // SAFETY: (1): a linked node is alive, and no user code runs below
        // before the last use of `node`.
        let node = unsafe { head.as_ref() };
        if node.place().arrival >= end {
            return None;
        }
        self.unlink(node);
        node.state.set(woken);
        self.woken.set(self.woken.get() + 1);
        Some(node.place().waker.take())
    }

    /// Puts an idle node at the end of the line.
    fn link_last(&self, node: &Node<T>, waker: Waker) {
        let link = Some(NonNull::from(node));
        let tail = self.tail.replace(link);
        let arrival = self.arrivals.get();
        self.arrivals.set(arrival + 1);
        let place = Place {
            previous: Cell::new(tail),
            next: Cell::new(None),
            waker: Cell::new(Some(waker)),
            arrival,
        };
        // SAFETY: (6): nobody reads the place of an idle node, and nothing in
        // it has to be dropped.
        unsafe { (*node.place.get()).write(place) };
        node.state.set(State::Queued);
        match tail {
            // SAFETY: (1): a linked node is alive.
            Some(tail) => unsafe { tail.as_ref() }.place().next.set(link),
            None => self.head.set(link),
        }
        self.waiting.set(self.waiting.get() + 1);
    }

    fn unlink(&self, node: &Node<T>) {
        let place = node.place();
        let (previous, next) = (place.previous.take(), place.next.take());
        match previous {
            // SAFETY: (1) and (3): a neighbour is linked here, hence alive.
            Some(previous) => unsafe { previous.as_ref() }.place().next.set(next),
            None => self.head.set(next),
        }
        match next {
            // SAFETY: as above.
            Some(next) => unsafe { next.as_ref() }.place().previous.set(previous),
            None => self.tail.set(previous),
        }
        self.waiting.set(self.waiting.get() - 1);
    }
}

/// One future's place in a [`WaitQueue`]; it can wait again after it was woken.
pub(crate) struct Waiter<'a, T: Copy = ()> {
    queue: &'a WaitQueue<T>,
    node: Node<T>,
    _pinned: PhantomPinned,
}

impl<'a, T: Copy> Waiter<'a, T> {
    /// A waiter that is not in the queue yet.
    #[inline]
    pub(crate) fn new(queue: &'a WaitQueue<T>, wish: T) -> Self {
        Self {
            queue,
            node: Node {
                state: Cell::new(State::Idle),
                place: UnsafeCell::new(MaybeUninit::uninit()),
                wish,
            },
            _pinned: PhantomPinned,
        }
    }

    /// Is it neither queued nor woken?
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.node.state.get() == State::Idle
    }

    /// Joins the queue if idle, then is `Ready` once for each time it is woken.
    #[inline]
    pub(crate) fn poll_woken(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.into_ref().get_ref();
        if !this.node.is_woken() {
            this.line_up(cx.waker());
        }
        if this.node.is_woken() {
            this.settle();
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Puts the node in line if it is idle, and its waker up to date.
    #[inline(never)]
    fn line_up(&self, waker: &Waker) {
        let node = &self.node;
        if node.state.get() == State::Queued && node.place().would_wake(waker) {
            return;
        }
        let fresh = waker.clone();
        // The clone may have woken this node, which must then stay out of the
        // list; an idle one is linked with its waker in place.
        let stale = match node.state.get() {
            State::Idle => {
                self.queue.link_last(node, fresh);
                None
            }
            State::Queued => node.place().waker.replace(Some(fresh)),
            State::Woken | State::Chosen => Some(fresh),
        };
        drop(stale);
    }

    /// Leaves the queue; `true` if it had been woken and nobody has been told.
    #[must_use = "what came with the wake must be passed on"]
    #[inline]
    pub(crate) fn abandon(self: Pin<&mut Self>) -> bool {
        self.into_ref().get_ref().leave() != State::Idle
    }

    /// As [`abandon`](Self::abandon), but a wake that reached all who waited
    /// does not count.
    #[must_use = "what came with the wake must be passed on"]
    #[inline]
    pub(crate) fn abandon_chosen(self: Pin<&mut Self>) -> bool {
        self.into_ref().get_ref().leave() == State::Chosen
    }

    /// Leaves the queue and says how it had been woken, or else `Idle`.
    #[inline]
    fn leave(&self) -> State {
        match self.node.state.get() {
            State::Idle => State::Idle,
            _ => self.leave_line(),
        }
    }

    #[inline(never)]
    fn leave_line(&self) -> State {
        let state = self.node.state.get();
        if state != State::Queued {
            self.settle();
            return state;
        }
        self.queue.unlink(&self.node);
        let waker = self.node.place().waker.take();
        self.node.state.set(State::Idle);
        drop(waker);
        State::Idle
    }

    #[inline]
    fn settle(&self) {
        self.node.state.set(State::Idle);
        self.queue.woken.set(self.queue.woken.get() - 1);
    }
}

impl<T: Copy> Drop for Waiter<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // A future that hands something over has called `abandon` before.
        let _ = self.leave();
    }
}

struct Node<T> {
    state: Cell<State>,
    place: UnsafeCell<MaybeUninit<Place<T>>>,
    wish: T,
}

impl<T> Node<T> {
    #[inline]
    fn is_woken(&self) -> bool {
        matches!(self.state.get(), State::Woken | State::Chosen)
    }

    /// The place of a node that is not idle, or was not a moment ago.
    fn place(&self) -> &Place<T> {
        // SAFETY: (6) of the module's head: it was written when the node left
        // `Idle`, and is written anew only when nobody looks at it.
        unsafe { (*self.place.get()).assume_init_ref() }
    }
}

/// A node's place in line.
struct Place<T> {
    previous: Cell<Link<T>>,
    next: Cell<Link<T>>,
    waker: Cell<Option<Waker>>,
    arrival: u64,
}

impl<T> Place<T> {
    /// Does it hold a waker that wakes the same task as `other`?
    fn would_wake(&self, other: &Waker) -> bool {
        let held = self.waker.take();
        let same = held.as_ref().is_some_and(|held| held.will_wake(other));
        self.waker.set(held);
        same
    }
}

// Words that are not one byte repeated: of a smaller state, or a zero, the compiler
// makes one wide write together with the unwritten place, and reading the state out
// of that makes the processor wait.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
enum State {
    Idle = 1,
    Queued,
    /// Woken together with others.
    Woken,
    /// Woken alone.
    Chosen,
}

type Link<T> = Option<NonNull<Node<T>>>;
