//! Sleep on a word: a futex where the system has one, else the thread's token
//! (in the models too: loom knows no futex).
#![forbid(unsafe_code)]

pub(super) use kind::Sleeper;

/// The system call stands in the loop's own code, not behind libc's wrapper: see
/// [`refill_returns`](crate::util::refill_returns).
#[cfg(all(target_os = "linux", not(loom)))]
mod kind {
    use crate::util::refill_returns;
    use rustix::thread::futex::{self, Flags};
    use std::sync::atomic::{AtomicU32, Ordering::Acquire};

    pub(in super::super) struct Sleeper;

    impl Sleeper {
        /// The calling thread's.
        pub(in super::super) fn new() -> Self {
            Self
        }

        /// Home: sleeps until `word` has another value than `asleep`.
        #[inline(always)]
        pub(in super::super) fn sleep(&self, word: &AtomicU32, asleep: u32) {
            while word.load(Acquire) == asleep {
                // Another value, or a signal: the word tells.
                let _ = futex::wait(word, Flags::PRIVATE, asleep, None);
                refill_returns();
            }
        }

        /// Whoever has changed the word: ends the sleep on it.
        #[inline(always)]
        pub(in super::super) fn wake(&self, word: &AtomicU32) {
            // It fails for no word that is there.
            let _ = futex::wake(word, Flags::PRIVATE, 1);
            refill_returns();
        }
    }
}

/// The token ([`std::thread::park`]) is shared with the rest of the program: one
/// that is there for others ends no sleep, and one that is left behind ends a
/// later `park` of theirs early, which theirs have to stand.
#[cfg(any(not(target_os = "linux"), loom))]
mod kind {
    use crate::loom::AtomicU32;
    use crate::loom::thread::{self, Thread};
    use std::sync::atomic::Ordering::Acquire;

    pub(in super::super) struct Sleeper {
        home: Thread,
    }

    impl Sleeper {
        /// The calling thread's.
        pub(in super::super) fn new() -> Self {
            Self {
                home: thread::current(),
            }
        }

        /// Home: sleeps until `word` has another value than `asleep`.
        pub(in super::super) fn sleep(&self, word: &AtomicU32, asleep: u32) {
            while word.load(Acquire) == asleep {
                thread::park();
            }
        }

        /// Whoever has changed the word: ends the sleep on it.
        pub(in super::super) fn wake(&self, _: &AtomicU32) {
            self.home.unpark();
        }
    }
}
