//! The cell that carries one answer from one thread to one waiter.
//!
//! A oneshot channel, a submission to a loop and a job of an executor are the
//! same thing here: one producer gives at most one value, one consumer takes
//! it, and either may end first. The cell lives inside whatever allocation the
//! two sides share; each of the three has one, and no more.
//!
//! # Protocol
//! One atomic byte of five flags, each set once; WAITING may also be cleared.
//!
//! ```text
//!   consumer                     flags                       producer
//!   poll:  fetch_or(WAITING)    WAITING
//!   poll:  fetch_and(!WAITING)     │
//!                                DONE            finish:  fetch_or(DONE)
//!   leave: fetch_or(GONE)        GONE
//!   follow: fetch_or(FOLLOWED)   FOLLOWED        finish: was it set before DONE?
//! ```
//! FOLLOWED is about no field of the cell: it spares a producer the look at a
//! list of callbacks that is kept elsewhere. Of `follow` and `finish` one comes
//! first: then either `follow` answers that it is too late for the list, or the
//! producer sees FOLLOWED and looks. EXPIRED says why a producer gave the value
//! up: it is set before DONE, and read after.
//!
//! Who may touch the two fields that are no atomics:
//!
//! | field   | until DONE is set           | after                              |
//! |---------|-----------------------------|------------------------------------|
//! | `value` | the producer                | GONE came first: the producer, which takes it back; else the consumer |
//! | `waker` | WAITING clear: the consumer. WAITING set: nobody, it waits to be claimed | the side that found the other too late, see below |
//!
//! The waker is claimed by a read-modify-write that tells the claimant what
//! came before it, so exactly one side has it:
//! - `finish` finds WAITING without GONE: the producer's. It takes and wakes it.
//! - `finish` finds WAITING clear, or GONE set: it never looks at the waker.
//! - `poll` clears WAITING and finds DONE clear: the consumer's again.
//! - `poll` sets WAITING and finds DONE: the consumer's, for `finish` came
//!   before and did not find WAITING.
//! - `leave` finds WAITING without DONE: the consumer's, since a later `finish`
//!   will find GONE. It is dropped at once, so that a waiter that has gone is
//!   not kept alive by its producer.
//!
//! Every step is AcqRel: it hands over a field, its own or the other side's.
//! Both fields are `Option`s, so that freeing the cell, by whoever is last to
//! hold the allocation, needs no reading of the flags.
//!
//! That each side is used by one thread at a time is the contract of the two
//! unsafe functions, [`OutcomeCell::finish`] and [`Taker::new`].

use crate::blocked::DoneBit;
use crate::loom::{AtomicU8, UnsafeCell};
use crate::waiters::{TimedOut, block_on_ready};
use std::marker::PhantomData;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// Room for one answer, and for the waker of the one who waits for it.
#[derive(Debug)]
pub(crate) struct OutcomeCell<T> {
    flags: AtomicU8,
    value: UnsafeCell<Option<T>>,
    waker: UnsafeCell<Option<Waker>>,
}

// SAFETY: the table in the head gives each field to one thread at a time, and
// the read-modify-writes that hand it over are AcqRel. A `&OutcomeCell<T>` thus
// moves `T`s between threads and never shares one, which asks for `T: Send`.
unsafe impl<T: Send> Sync for OutcomeCell<T> {}

impl<T> OutcomeCell<T> {
    pub(crate) fn new() -> Self {
        Self {
            flags: AtomicU8::new(0),
            value: UnsafeCell::new(None),
            waker: UnsafeCell::new(None),
        }
    }

    /// Gives the answer, or says with `None` that there will be none, and wakes
    /// the consumer.
    ///
    /// # Errors
    /// Gives the value back if the consumer has gone.
    ///
    /// # Safety
    /// Called once at most in the life of the cell, this or `end`.
    pub(crate) unsafe fn finish(&self, answer: Option<T>) -> Result<(), T> {
        // SAFETY: passed on to the caller.
        let ended = unsafe { self.end(answer) };
        if let Some(waker) = ended.waker {
            waker.wake();
        }
        ended.back.map_or(Ok(()), Err)
    }

    /// As [`finish`](Self::finish), with what is left to do as the answer. The
    /// cell is not touched after DONE is set, unless its waker is the producer's
    /// to take: by then its cache line is on the way to the consumer.
    ///
    /// # Safety
    /// As for [`finish`](Self::finish).
    pub(crate) unsafe fn end(&self, answer: Option<T>) -> Ended<T> {
        // SAFETY: DONE is clear until the next step, which happens once: until
        // then `value` is the producer's, and the caller is the producer.
        self.value.with_mut(|value| unsafe { *value = answer });
        let before = self.flags.fetch_or(DONE, AcqRel);
        debug_assert!(before & DONE == 0, "a cell is finished once");
        let mut ended = Ended {
            followed: before & FOLLOWED != 0,
            waker: None,
            back: None,
        };
        if before & GONE != 0 {
            // SAFETY: GONE came first, so the consumer leaves `value` alone.
            ended.back = self.value.with_mut(|value| unsafe { (*value).take() });
        } else if before & WAITING != 0 {
            // SAFETY: WAITING without GONE: the waker is the producer's.
            ended.waker = self.waker.with_mut(|waker| unsafe { (*waker).take() });
        }
        ended
    }

    /// Has the answer been given, or given up?
    pub(crate) fn is_done(&self) -> bool {
        self.flags.load(Acquire) & DONE != 0
    }

    /// What those who look for rings of blocked threads look at.
    pub(crate) fn done_bit(&self) -> DoneBit<'_> {
        DoneBit::new(&self.flags, DONE)
    }

    /// Producer, before it gives the value up: says that the time was over.
    pub(crate) fn note_expired(&self) {
        self.flags.fetch_or(EXPIRED, AcqRel);
    }

    /// Consumer, after there was no value: was it for want of time?
    pub(crate) fn is_expired(&self) -> bool {
        self.flags.load(Acquire) & EXPIRED != 0
    }

    /// Announces a callback for after the end; false if it is too late.
    pub(crate) fn follow(&self) -> bool {
        self.flags.fetch_or(FOLLOWED, AcqRel) & DONE == 0
    }

    /// Has the consumer gone?
    pub(crate) fn is_gone(&self) -> bool {
        self.flags.load(Relaxed) & GONE != 0
    }

    /// One step of the consumer; `Ready(None)` when the value was given up or
    /// taken before.
    ///
    /// # Safety
    /// Called by the one consumer, which has not left before the answer came.
    unsafe fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let flags = self.flags.load(Acquire);
        // SAFETY: passed on to the caller; the flags are what was just read.
        if flags & DONE == 0 && unsafe { self.wait_with(flags, cx.waker()) } {
            return Poll::Pending;
        }
        // SAFETY: DONE is set, and it came before GONE: `value` is the consumer's.
        Poll::Ready(self.value.with_mut(|value| unsafe { (*value).take() }))
    }

    /// As [`poll`](Self::poll), and leaves the value where it is.
    ///
    /// # Safety
    /// As for [`poll`](Self::poll).
    unsafe fn poll_done(&self, cx: &mut Context<'_>) -> Poll<()> {
        let flags = self.flags.load(Acquire);
        // SAFETY: passed on to the caller; the flags are what was just read.
        if flags & DONE == 0 && unsafe { self.wait_with(flags, cx.waker()) } {
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Looks at the value, if it is there.
    ///
    /// # Safety
    /// As for [`poll`](Self::poll), and DONE was seen.
    unsafe fn peek<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        // SAFETY: DONE is set, and it came before GONE: `value` is the consumer's.
        self.value
            .with_mut(|value| unsafe { (*value).as_ref() }.map(f))
    }

    /// Leaves `waker` to be woken; false if the answer came meanwhile.
    ///
    /// # Safety
    /// Called by the one consumer, which has not left.
    unsafe fn wait_with(&self, flags: u8, waker: &Waker) -> bool {
        if flags & WAITING != 0 && self.flags.fetch_and(!WAITING, AcqRel) & DONE != 0 {
            return false;
        }
        // SAFETY: WAITING is clear, by the consumer's own hand, and DONE was
        // clear then: the waker is the consumer's until it sets WAITING again.
        let old = self.waker.with_mut(|kept| unsafe {
            match &*kept {
                Some(kept) if kept.will_wake(waker) => None,
                _ => (*kept).replace(waker.clone()),
            }
        });
        let waits = self.flags.fetch_or(WAITING, AcqRel) & DONE == 0;
        // Foreign code, run only when the cell is in order again.
        drop(old);
        waits
    }

    /// The consumer wants no answer any more; `true` if there was none yet.
    ///
    /// # Safety
    /// Called by the one consumer, once.
    unsafe fn leave(&self) -> bool {
        let before = self.flags.fetch_or(GONE, AcqRel);
        if before & DONE != 0 {
            return false;
        }
        if before & WAITING != 0 {
            // SAFETY: WAITING without DONE: a later `finish` finds GONE and
            // does not look at the waker, which is the consumer's.
            drop(self.waker.with_mut(|waker| unsafe { (*waker).take() }));
        }
        true
    }
}

/// What the producer has left to do when the answer is given.
#[must_use]
pub(crate) struct Ended<T> {
    /// There are callbacks to be called.
    pub(crate) followed: bool,
    /// The consumer, to be woken.
    pub(crate) waker: Option<Waker>,
    /// The value, if the consumer has gone.
    pub(crate) back: Option<T>,
}

/// Something that leads to one certain cell for as long as it lives.
pub(crate) trait HoldsCell<T> {
    /// Always the same cell.
    fn cell(&self) -> &OutcomeCell<T>;
}

impl<T> HoldsCell<T> for std::sync::Arc<OutcomeCell<T>> {
    fn cell(&self) -> &OutcomeCell<T> {
        self
    }
}

/// The consumer's side of the cell that `H` leads to.
pub(crate) struct Taker<T, H: HoldsCell<T>> {
    holder: H,
    /// There is nothing to come: the answer was taken, or refused beforehand.
    over: bool,
    value: PhantomData<fn() -> T>,
}

impl<T, H: HoldsCell<T>> Taker<T, H> {
    /// # Safety
    /// One `Taker` is made for a cell in its whole life.
    pub(crate) unsafe fn new(holder: H) -> Self {
        Self {
            holder,
            over: false,
            value: PhantomData,
        }
    }

    pub(crate) fn holder(&self) -> &H {
        &self.holder
    }

    /// The answer; `None` when it was given up, taken before, or closed off.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.over {
            return Poll::Ready(None);
        }
        // SAFETY: this is the one consumer, used by one thread at a time
        // (`&mut self`), and it has not left, or left after the answer came.
        let answer = unsafe { self.holder.cell().poll(cx) };
        self.over = answer.is_ready();
        answer
    }

    /// Ready when there is an answer, or none to come; it stays takeable.
    pub(crate) fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.over {
            return Poll::Ready(());
        }
        // SAFETY: as in `poll`.
        unsafe { self.holder.cell().poll_done(cx) }
    }

    /// Looks at the answer, if it is there and was not taken.
    pub(crate) fn peek<R>(&mut self, f: impl FnOnce(&T) -> R) -> Option<R> {
        if self.over || !self.holder.cell().is_done() {
            return None;
        }
        // SAFETY: as in `poll`, and DONE was just seen.
        unsafe { self.holder.cell().peek(f) }
    }

    /// The answer if it is there now.
    pub(crate) fn try_take(&mut self) -> Option<Option<T>> {
        if self.over {
            return Some(None);
        }
        // With DONE set a poll does not touch the waker it is given.
        self.holder.cell().is_done().then(|| {
            match self.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(answer) => answer,
                Poll::Pending => None,
            }
        })
    }

    /// Blocks the calling thread until the answer comes.
    pub(crate) fn block(&mut self, deadline: Option<Instant>) -> Result<Option<T>, TimedOut> {
        // An answer that is there needs no seat to wait in.
        if let Some(answer) = self.try_take() {
            return Ok(answer);
        }
        block_on_ready(
            deadline,
            self,
            |taker, _| taker.over || taker.holder.cell().is_done(),
            |taker, cx| taker.poll(cx),
        )
    }

    /// Refuses an answer that has not come yet: the producer gets it back.
    pub(crate) fn close(&mut self) {
        if !self.over && !self.holder.cell().is_gone() {
            // SAFETY: the one consumer, and `is_gone` shows that it has not left
            // before. If the answer was there, it stays takeable.
            self.over = unsafe { self.holder.cell().leave() };
        }
    }
}

// The holder is a pointer, and the value is moved out: nothing here is pinned.
impl<T, H: HoldsCell<T>> Unpin for Taker<T, H> {}

impl<T, H: HoldsCell<T>> Drop for Taker<T, H> {
    fn drop(&mut self) {
        self.close();
        if !self.over {
            // DONE came before GONE: an answer that nobody took ends here, not
            // when the producer's side lets go of the allocation.
            drop(self.try_take());
        }
    }
}

const WAITING: u8 = 1;
const DONE: u8 = 2;
const GONE: u8 = 4;
const FOLLOWED: u8 = 8;
const EXPIRED: u8 = 16;

#[cfg(all(test, loom))]
mod loom_tests;
