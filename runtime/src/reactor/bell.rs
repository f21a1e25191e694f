//! How a loop without sources sleeps: on a word of its own, not in the selector.
//!
//! There is nothing for the selector to tell, and the kernel wakes a thread
//! sooner from a word than from epoll.
//!
//! # Protocol
//! ```text
//!            sleep: compare-exchange            ring: swap
//!   AWAKE ───────────────────────────▶ ASLEEP ─────────────▶ RUNG
//!     ▲  └──────────────── ring: swap ───────────────────────▲ │
//!     └──────────────────── sleep ends: swap ──────────────────┘
//! ```
//! * A ring that replaces ASLEEP wakes the thread. Any other ring met a loop that
//!   may be on its way into the selector, or in it: its caller wakes the selector.
//! * Every ring leaves RUNG, which only the end of a sleep takes away. So a ring
//!   that comes before a sleep, whatever else it woke, ends that sleep at once:
//!   for nothing at times, but none is missed.
#![forbid(unsafe_code)]

use super::sleeper::Sleeper;
use crate::loom::AtomicU32;
use std::sync::atomic::Ordering::{AcqRel, Acquire};

const AWAKE: u32 = 0;
const ASLEEP: u32 = 1;
const RUNG: u32 = 2;

pub(super) struct Bell {
    word: AtomicU32,
    sleeper: Sleeper,
}

impl Bell {
    /// The calling thread's.
    pub(super) fn new() -> Self {
        Self {
            word: AtomicU32::new(AWAKE),
            sleeper: Sleeper::new(),
        }
    }

    /// Home: sleeps until the bell is rung, or not at all if it was rung since the
    /// last sleep.
    #[inline]
    pub(super) fn sleep(&self) {
        let asleep = self.word.compare_exchange(AWAKE, ASLEEP, AcqRel, Acquire);
        if asleep.is_ok() {
            self.sleeper.sleep(&self.word, ASLEEP);
        }
        self.word.swap(AWAKE, AcqRel);
    }

    /// Ends the sleep that goes on, or else the next one; `false` if nobody slept
    /// here, and the selector has to be woken.
    #[must_use]
    #[inline]
    pub(super) fn ring(&self) -> bool {
        let slept = self.word.swap(RUNG, AcqRel) == ASLEEP;
        if slept {
            self.sleeper.wake(&self.word);
        }
        slept
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    //! sleep × ring, on the real bell.

    use super::*;
    use loom::sync::atomic::AtomicUsize;
    use loom::sync::{Arc, Condvar, Mutex};
    use std::sync::atomic::Ordering::Relaxed;

    /// A selector: remembers one wake.
    #[derive(Default)]
    struct Selector {
        woken: Mutex<bool>,
        changed: Condvar,
    }

    impl Selector {
        fn wait(&self) {
            let mut woken = self.woken.lock().unwrap();
            while !*woken {
                woken = self.changed.wait(woken).unwrap();
            }
            *woken = false;
        }

        fn wake(&self) {
            *self.woken.lock().unwrap() = true;
            self.changed.notify_one();
        }
    }

    struct Home {
        bell: Bell,
        selector: Selector,
        mail: AtomicUsize,
    }

    fn ringing(home: &Arc<Home>) -> loom::thread::JoinHandle<()> {
        let home = home.clone();
        loom::thread::spawn(move || {
            home.mail.fetch_add(1, Relaxed);
            if !home.bell.ring() {
                home.selector.wake();
            }
        })
    }

    /// Two ring; the loop sleeps `how`, until it has seen the mail of both.
    fn model(how: impl Fn(&Home, usize) + Sync + Send + 'static) {
        loom::model(move || {
            let home = Arc::new(Home {
                bell: Bell::new(),
                selector: Selector::default(),
                mail: AtomicUsize::new(0),
            });
            let ringers = [ringing(&home), ringing(&home)];
            let mut sleeps = 0;
            while home.mail.load(Relaxed) < 2 {
                how(&home, sleeps);
                sleeps += 1;
            }
            for ringer in ringers {
                ringer.join().unwrap();
            }
        });
    }

    #[test]
    fn loom_no_ring_is_lost_to_a_sleeper() {
        model(|home, _| home.bell.sleep());
    }

    #[test]
    fn loom_no_ring_is_lost_between_the_bell_and_the_selector() {
        model(|home, sleeps| match sleeps % 2 {
            0 => home.bell.sleep(),
            _ => home.selector.wait(),
        });
        model(|home, sleeps| match sleeps % 2 {
            0 => home.selector.wait(),
            _ => home.bell.sleep(),
        });
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_ring_before_the_sleep_ends_it_at_once_and_only_that_one() {
        let bell = Arc::new(Bell::new());
        assert!(!bell.ring(), "nobody slept");
        bell.sleep();
        let ringer = bell.clone();
        let ringing = std::thread::spawn(move || {
            while !ringer.ring() {
                std::thread::yield_now();
            }
        });
        bell.sleep();
        ringing.join().unwrap();
    }

    #[test]
    fn a_token_meant_for_others_ends_no_sleep() {
        let bell = Arc::new(Bell::new());
        std::thread::current().unpark();
        let ringer = bell.clone();
        let ringing = std::thread::spawn(move || ringer.ring());
        bell.sleep();
        // Rung, whether before the sleep or in it.
        ringing.join().unwrap();
    }
}
