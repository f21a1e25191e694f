//! The clock seam: real time, or time that a test moves.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A source of time for one loop. Without one, a loop reads [`Instant::now`].
pub trait Clock {
    /// The time now; never earlier than an answer given before.
    fn now(&self) -> Instant;

    /// The loop has nothing to do before `deadline`. A clock that is not bound
    /// to real time moves there and answers `true`; the others answer `false`,
    /// and the loop sleeps.
    fn jump(&self, deadline: Instant) -> bool;
}

/// Time that stands still while anything can run, and jumps to the next timer
/// when nothing can: a program of many seconds is over in a moment, with every
/// timer in its place.
///
/// I/O counts as "can run" only when it is ready at the moment of the jump, and
/// work on other threads does not count: it is a clock for programs whose
/// waiting is sleeping.
/// The limit of a [`turn`](crate::EventLoop::turn) and the grace of a
/// [`close`](crate::EventLoop::close) are jumped over in the same way.
///
/// # Examples
/// ```
/// use polyloop::{EventLoop, time::VirtualClock};
/// use std::time::{Duration, Instant};
///
/// let began = Instant::now();
/// let mut looped = EventLoop::builder().clock(VirtualClock::new()).build().unwrap();
/// looped
///     .run_until_complete(async { polyloop::sleep(Duration::from_secs(3600)).await })
///     .unwrap();
/// assert!(began.elapsed() < Duration::from_secs(60));
/// ```
#[derive(Debug, Clone)]
pub struct VirtualClock {
    now: Rc<Cell<Instant>>,
}

impl VirtualClock {
    /// A clock that stands at the present moment.
    pub fn new() -> Self {
        Self {
            now: Rc::new(Cell::new(Instant::now())),
        }
    }

    /// Moves the clock on by hand.
    pub fn advance(&self, by: Duration) {
        if let Some(later) = self.now.get().checked_add(by) {
            self.now.set(later);
        }
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        self.now.get()
    }

    fn jump(&self, deadline: Instant) -> bool {
        if deadline > self.now.get() {
            self.now.set(deadline);
        }
        true
    }
}
