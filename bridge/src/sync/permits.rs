//! What [`Lock`], [`RwLock`] and the semaphores are made of: a number of permits
//! that are handed out in the order in which they were asked for.
//!
//! # Protocol
//! One word: the free permits, and LINED, which says that somebody stands in
//! line, waiting or woken and not gone yet.
//!
//! ```text
//!               take: compare-exchange            give: compare-exchange
//!   free, ¬LINED ─────────────────────▶ fewer free ─────────────────────▶ more free
//!        │ ▲
//!   join │ │ the line is deserted            LINED: the line's lock owns the word
//!        ▼ │
//!   free, LINED: give, join, leave ─▶ hand out, first in line first
//! ```
//! 1. Without LINED nobody is in line, and the word alone decides: one
//!    read-modify-write takes, one gives.
//! 2. LINED is set and cleared under the line's lock, and whenever that is free,
//!    LINED is set if and only if somebody is in line. It is set by a
//!    compare-exchange from the very word that had too few permits: a give comes
//!    before it, and then the permits are seen, or after it, and then LINED is.
//! 3. With LINED set only the holder of the lock changes the word: takers join
//!    the line, and givers hand out. So nobody gets in before those who wait;
//!    and who comes while others were woken and have not run yet goes behind
//!    them, also if there are permits for all, as in asyncio.
//! 4. Permits are handed over, not announced: a place that is WOKEN has got its
//!    permits. Whoever gives such a place up gives them back.
//!
//! Gives are releases and takes acquires; what is handed over passes the lock.
//!
//! [`Lock`]: super::Lock
//! [`RwLock`]: super::RwLock
#![forbid(unsafe_code)]

use crate::loom::{AtomicUsize, Mutex};
use crate::waiters::{Line, Stand, Ticket, Woken, block_on_ready};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::task::{Context, Poll};
use std::time::Instant;

pub(super) struct Permits {
    word: AtomicUsize,
    /// How many each of those who wait asked for.
    line: Mutex<Line<usize>>,
}

impl Permits {
    /// # Panics
    /// If there are more than [`MOST`].
    pub(super) fn new(count: usize) -> Self {
        assert!(count <= MOST, "{TOO_MANY}");
        Self {
            word: AtomicUsize::new(count << 1),
            line: Mutex::new(Line::new()),
        }
    }

    #[inline]
    pub(super) fn try_take(&self, count: usize) -> bool {
        if count == 0 {
            return true;
        }
        let mut word = self.word.load(Relaxed);
        loop {
            if word & LINED != 0 || word >> 1 < count {
                return false;
            }
            let fewer = word - (count << 1);
            match self
                .word
                .compare_exchange_weak(word, fewer, Acquire, Relaxed)
            {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
    }

    /// Takes when it is this one's turn. A blocked thread's permits too are to
    /// be given back with [`give`](Self::give).
    pub(super) fn take(&self, count: usize) -> Taking<'_> {
        Taking {
            permits: self,
            count,
            ticket: Ticket::new(),
        }
    }

    /// Gives permits, and hands them to those who wait.
    ///
    /// False, and nothing is given, if there would be more than [`MOST`].
    pub(super) fn give(&self, count: usize) -> bool {
        let mut word = self.word.load(Relaxed);
        loop {
            let sum = (word >> 1).checked_add(count);
            if sum.is_none_or(|sum| sum > MOST) {
                return false;
            }
            if word & LINED != 0 {
                match self.give_to_line(count) {
                    true => return true,
                    false => word = self.word.load(Relaxed),
                }
                continue;
            }
            let more = word + (count << 1);
            match self
                .word
                .compare_exchange_weak(word, more, Release, Relaxed)
            {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
    }

    pub(super) fn free(&self) -> usize {
        self.word.load(Relaxed) >> 1
    }

    /// Would a newcomer have to wait for one permit, for want of it or for the
    /// order's sake?
    pub(super) fn locked(&self) -> bool {
        let word = self.word.load(Relaxed);
        word & LINED != 0 || word >> 1 == 0
    }

    pub(super) fn waiting(&self) -> usize {
        self.line.lock().waiting()
    }

    /// False if nobody is in line any more.
    #[cold]
    fn give_to_line(&self, count: usize) -> bool {
        // Dropped, and so woken, after the lock is.
        let mut woken = Woken::new();
        let mut line = self.line.lock();
        if self.word.load(Relaxed) & LINED == 0 {
            return false;
        }
        self.hand_out(count, &mut line, &mut woken);
        true
    }

    /// With the lock held and LINED set: adds permits, serves those whose turn
    /// it is, and clears LINED if the line is deserted.
    fn hand_out(&self, more: usize, line: &mut Line<usize>, woken: &mut Woken) {
        let free = self.word.load(Acquire) >> 1;
        // Others may have filled it up since these permits were taken.
        let mut free = free.saturating_add(more).min(MOST);
        while let Some(&count) = line.first()
            && count <= free
        {
            free -= count;
            woken.extend(line.wake_first());
        }
        let lined = if line.is_deserted() { 0 } else { LINED };
        self.word.store(free << 1 | lined, Release);
    }

    /// With the lock held: takes, or sees to it that LINED is set.
    fn take_or_mark(&self, count: usize) -> bool {
        let mut word = self.word.load(Relaxed);
        while word & LINED == 0 {
            let enough = word >> 1 >= count;
            let next = match enough {
                true => word - (count << 1),
                false => word | LINED,
            };
            match self
                .word
                .compare_exchange_weak(word, next, Acquire, Relaxed)
            {
                Ok(_) => return enough,
                Err(now) => word = now,
            }
        }
        false
    }
}

/// A wait for permits; if it is dropped, it takes none.
pub(super) struct Taking<'a> {
    permits: &'a Permits,
    count: usize,
    ticket: Ticket,
}

impl Taking<'_> {
    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ticket.is_nowhere() && self.permits.try_take(self.count) {
            return Poll::Ready(());
        }
        self.poll_in_line(cx)
    }

    /// Blocks the calling thread; false if the deadline came first.
    pub(super) fn block(&mut self, deadline: Option<Instant>) -> bool {
        let looks = |taking: &Self, _| taking.permits.free() >= taking.count;
        self.permits.try_take(self.count)
            || block_on_ready(deadline, self, looks, |taking, cx| taking.poll(cx)).is_ok()
    }

    fn poll_in_line(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        // Both are dropped after the lock's guard is.
        let mut woken = Woken::new();
        let old;
        let mut line = self.permits.line.lock();
        let stand = line.stand(&self.ticket);
        if stand == Stand::Nowhere && self.permits.take_or_mark(self.count) {
            return Poll::Ready(());
        }
        if stand == Stand::Woken {
            line.leave(&mut self.ticket);
            self.permits.hand_out(0, &mut line, &mut woken);
            return Poll::Ready(());
        }
        old = line.join(&mut self.ticket, waker, self.count);
        if stand == Stand::Nowhere {
            // There may be permits, held back for the order's sake only.
            self.permits.hand_out(0, &mut line, &mut woken);
        }
        drop(line);
        drop(old);
        Poll::Pending
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        if self.ticket.is_nowhere() {
            return;
        }
        // Both are dropped after the lock's guard is.
        let mut woken = Woken::new();
        let left;
        let mut line = self.permits.line.lock();
        left = line.leave(&mut self.ticket);
        // One that had been woken gives its permits back; in any case those
        // behind may ask for less.
        let back = if left.is_none() { self.count } else { 0 };
        self.permits.hand_out(back, &mut line, &mut woken);
        drop(line);
        drop(left);
    }
}

/// The most permits there can be.
pub(super) const MOST: usize = usize::MAX >> 1;

pub(super) const TOO_MANY: &str = "a semaphore holds at most usize::MAX / 2 permits: use fewer";

/// Somebody is in line.
const LINED: usize = 1;
