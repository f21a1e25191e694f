//! The one atomic word of a task cell. One event, one method, one answer:
//! nobody outside this file tests bits. The protocol stands in [`super`].
#![forbid(unsafe_code)]

use crate::loom::AtomicU32;
use std::sync::atomic::Ordering::{AcqRel, Acquire};

/// In the mailbox, or on the way into it. Counts as a reference.
const QUEUED: u32 = 1;
/// The task is finished and its local count has been added to this word.
const MERGED: u32 = 2;
/// Cancellation was asked for elsewhere; read when the task arrives.
const CANCEL: u32 = 4;
/// One reference held elsewhere.
const REFERENCE: u32 = 8;
/// A count that only a leak in a loop can reach; past it the process ends,
/// before the count can wrap round to "nobody holds this".
const TOO_MANY: u32 = u32::MAX / 4;

/// What a wake from elsewhere has to do next.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// This call set QUEUED: push the task to the mailbox.
    Push,
    /// It is queued already: the poll to come sees what was written before.
    Queued,
    /// The task is finished.
    Done,
}

/// What the loop learns of a task that it took from its mailbox.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Cancellation was asked for elsewhere.
    pub(crate) cancel: bool,
    /// The task is finished; do not schedule it.
    pub(crate) finished: bool,
    /// And this was its last reference: free it.
    pub(crate) last: bool,
}

#[derive(Debug)]
pub(crate) struct Word(AtomicU32);

impl Word {
    /// For a task made on its own loop.
    pub(crate) fn local() -> Self {
        Self(AtomicU32::new(0))
    }

    /// For a task made elsewhere: on its way to the mailbox, with one handle
    /// that stays with the sender.
    pub(crate) fn submitted() -> Self {
        Self(AtomicU32::new(QUEUED | REFERENCE))
    }

    /// Elsewhere: the task is woken.
    #[inline]
    pub(crate) fn wake(&self) -> Wake {
        self.set_queued(QUEUED)
    }

    /// Elsewhere: the task is asked to end.
    pub(crate) fn cancel(&self) -> Wake {
        self.set_queued(QUEUED | CANCEL)
    }

    #[inline]
    fn set_queued(&self, bits: u32) -> Wake {
        let old = self.0.fetch_or(bits, AcqRel);
        if old & QUEUED != 0 {
            return if old & MERGED == 0 {
                Wake::Queued
            } else {
                Wake::Done
            };
        }
        if old & MERGED != 0 {
            // The caller holds a reference, so this cannot be the last one.
            let last = self.withdraw();
            debug_assert!(!last, "a waker without a reference");
            return Wake::Done;
        }
        Wake::Push
    }

    /// Takes QUEUED back when the mailbox refused the task. `true`: free it.
    #[must_use]
    pub(crate) fn withdraw(&self) -> bool {
        let old = self.0.fetch_and(!QUEUED, AcqRel);
        is_last(old & !QUEUED)
    }

    /// Home: the task was taken from the mailbox and its link has been read.
    pub(crate) fn arrive(&self) -> Arrival {
        let new = self.0.fetch_and(!QUEUED, AcqRel) & !QUEUED;
        Arrival {
            cancel: new & CANCEL != 0,
            finished: new & MERGED != 0,
            last: is_last(new),
        }
    }

    /// A reference is taken elsewhere, or anywhere after the merge.
    #[inline]
    pub(crate) fn retain(&self) {
        let old = self.0.fetch_add(REFERENCE, AcqRel);
        if (TOO_MANY..u32::MAX - TOO_MANY).contains(&old) {
            std::process::abort();
        }
    }

    /// A reference is given back elsewhere, or anywhere after the merge.
    /// `true`: free the cell.
    #[inline]
    #[must_use]
    pub(crate) fn release(&self) -> bool {
        let old = self.0.fetch_sub(REFERENCE, AcqRel);
        is_last(old.wrapping_sub(REFERENCE))
    }

    /// Home: has no other thread ever touched it, or left no trace?
    pub(crate) fn is_untouched(&self) -> bool {
        self.0.load(Acquire) == 0
    }

    /// Home: moves a part of what the home thread counted to this word, long before
    /// the merge. So neither count grows without end where references are taken
    /// on one side and given back on the other.
    pub(crate) fn take_over(&self, local: i16) {
        let old = self.0.fetch_add(counted(local), AcqRel);
        debug_assert!(old & MERGED == 0, "there is one count after the merge");
    }

    /// Home: the task is finished; `local` is what the home thread counted.
    /// `true`: free the cell.
    #[must_use]
    pub(crate) fn merge(&self, local: i16) -> bool {
        let add = counted(local).wrapping_add(MERGED);
        let old = self.0.fetch_add(add, AcqRel);
        debug_assert!(old & MERGED == 0, "merged twice");
        is_last(old.wrapping_add(add))
    }
}

/// A local count as the word counts.
fn counted(local: i16) -> u32 {
    (i32::from(local) as u32).wrapping_mul(REFERENCE)
}

fn is_last(word: u32) -> bool {
    word & !CANCEL == MERGED
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn references_taken_here_and_given_back_there_add_up() {
        let word = Word::local();
        assert!(!word.release(), "below zero before the merge is no end");
        assert!(
            !word.merge(2),
            "two taken at home, one given back elsewhere"
        );
        assert!(word.release());
    }

    #[test]
    fn a_count_that_moved_over_is_counted_once() {
        let word = Word::local();
        word.take_over(-2);
        assert!(!word.is_untouched());
        word.take_over(3);
        assert!(!word.merge(-1 + 1), "one is left");
        assert!(word.release());
    }

    #[test]
    fn queued_counts_as_a_reference() {
        let word = Word::local();
        assert_eq!(word.wake(), Wake::Push);
        assert_eq!(word.wake(), Wake::Queued);
        assert!(!word.merge(0));
        let arrival = word.arrive();
        assert!(arrival.finished && arrival.last && !arrival.cancel);
    }

    #[test]
    fn a_wake_after_the_end_leaves_no_trace() {
        let word = Word::local();
        assert!(!word.merge(1));
        assert_eq!(word.wake(), Wake::Done);
        assert!(word.release());
    }

    #[test]
    fn a_refused_push_gives_the_bit_back() {
        let word = Word::submitted();
        assert!(!word.withdraw());
        assert_eq!(word.cancel(), Wake::Push);
        assert!(word.arrive().cancel);
    }

    /// The count of a task whose wakers are cloned and forgotten without end.
    #[cfg(unix)]
    #[test]
    fn trap_037_a_count_ends_the_process_before_it_wraps_round() {
        use std::os::unix::process::ExitStatusExt;
        const CHILD: &str = "POLYLOOP_TEST_COUNT_OVERFLOWS";
        if std::env::var_os(CHILD).is_some() {
            let word = Word(AtomicU32::new(TOO_MANY - REFERENCE));
            word.retain();
            eprintln!("one more is possible");
            word.retain();
            unreachable!("it has ended");
        }
        let test = "task::state::tests::trap_037_a_count_ends_the_process_before_it_wraps_round";
        let child = std::process::Command::new(std::env::current_exe().expect("on Linux"))
            .args([test, "--exact", "--nocapture"])
            .env(CHILD, "1")
            .output()
            .expect("the test's own program starts");
        assert!(String::from_utf8_lossy(&child.stderr).contains("one more is possible"));
        assert_eq!(child.status.signal(), Some(6), "aborted");
    }
}
