//! A blocked thread as a waiter: it polls, and sleeps between polls.
//!
//! # Protocol
//! Each thread has one [`Parker`], and a [`Waker`] that stands for it.
//!
//! ```text
//!             sleep: compare-exchange            wake: swap
//!    EMPTY ───────────────────────▶ PARKED ─────────────────▶ NOTIFIED
//!      ▲  └─────────────────────────────────────────────────────▲ │
//!      └──────────────────────── the thread, awake ───────────────┘
//! ```
//! Only the thread itself leaves NOTIFIED, and then it polls again: a wake is
//! never lost, and one that comes after the wait has ended costs the next wait
//! one needless poll. Only the wake that replaces PARKED makes a system call.
#![forbid(unsafe_code)]

use crate::loom::{AtomicU8, thread, thread_local};
use polyloop::spin::{BusyThread, SpinBudget};
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// The deadline came before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimedOut;

/// Polls until there is an answer or the deadline has passed; the thread
/// sleeps between polls. An answer that is there at the deadline wins.
///
/// # Errors
/// [`TimedOut`], with a deadline only.
pub(crate) fn block_on<T>(
    deadline: Option<Instant>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Result<T, TimedOut> {
    let mut seat = Seat::take();
    // An answer that is there at once is no wait, and needs no clock.
    if let Poll::Ready(answer) = poll(&mut Context::from_waker(&seat.waker)) {
        return Ok(answer);
    }
    let began = Instant::now();
    seat.wait(deadline);
    seat.poll_until(Some(began), deadline, poll)
}

/// As [`block_on`], for an answer that can be seen coming. As long as the thread
/// only looks at `ready`, it has not asked to be woken, and the other side has
/// nobody to wake: a conversation is then a few words that cross, no more.
/// `ready` is told once a microsecond to be thorough, and look at what costs more.
///
/// # Errors
/// [`TimedOut`], with a deadline only.
pub(crate) fn block_on_ready<S, T>(
    deadline: Option<Instant>,
    state: &mut S,
    ready: impl Fn(&S, bool) -> bool,
    mut poll: impl FnMut(&mut S, &mut Context<'_>) -> Poll<T>,
) -> Result<T, TimedOut> {
    let mut seat = Seat::take();
    let began = match ready(state, true) {
        true => None,
        false => Some(Instant::now()),
    };
    if began.is_some() {
        seat.spin(deadline, |thorough| ready(state, thorough));
    }
    seat.poll_until(began, deadline, |cx| poll(state, cx))
}

/// The deadline that lies `timeout` ahead; none if that is beyond the clock.
pub(crate) fn deadline_after(timeout: Duration) -> Option<Instant> {
    Instant::now().checked_add(timeout)
}

/// What a thread needs in order to wait, kept by it from wait to wait.
struct Seat {
    parker: Arc<Parker>,
    waker: Waker,
    budget: SpinBudget,
}

impl Seat {
    /// The thread's own seat, or a new one if that is in use (a waker that
    /// blocks) or gone already (the thread is ending).
    fn take() -> Taken {
        let kept = SEAT
            .try_with(|kept| kept.try_borrow_mut().ok().and_then(|mut seat| seat.take()))
            .ok()
            .flatten();
        Taken(Some(kept.unwrap_or_else(Seat::new)))
    }

    fn new() -> Self {
        let parker = Arc::new(Parker {
            state: AtomicU8::new(EMPTY),
            thread: thread::current(),
        });
        Self {
            waker: Waker::from(parker.clone()),
            parker,
            budget: SpinBudget::new(),
        }
    }

    /// Polls and sleeps in turn.
    fn poll_until<T>(
        &mut self,
        began: Option<Instant>,
        deadline: Option<Instant>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Result<T, TimedOut> {
        // An answer that came while it looked needs no clock.
        let mut slept = false;
        loop {
            // Read before the poll, so that an answer at the deadline wins.
            let late = slept && deadline.is_some_and(|at| Instant::now() >= at);
            if let Poll::Ready(answer) = poll(&mut Context::from_waker(&self.waker)) {
                if let Some(began) = began {
                    self.budget.wait_ended(began.elapsed());
                }
                return Ok(answer);
            }
            if late {
                return Err(TimedOut);
            }
            self.wait(deadline);
            slept = true;
        }
    }

    /// Returns when the waker was woken, at the deadline, or for no reason.
    fn wait(&mut self, deadline: Option<Instant>) {
        let parker = self.parker.clone();
        if parker.take_notice() || self.spin(deadline, |_| parker.take_notice()) {
            return;
        }
        self.parker.park(deadline);
    }

    /// Looks for as long as the budget allows; true if it came.
    fn spin(&mut self, deadline: Option<Instant>, ready: impl Fn(bool) -> bool) -> bool {
        if cfg!(loom) {
            return false;
        }
        let _busy = BusyThread::enter();
        let found = self
            .budget
            .spin(deadline, |thorough| ready(thorough).then_some(()));
        found.is_some()
            || self
                .budget
                .offer(deadline, || ready(true).then_some(()))
                .is_some()
    }
}

/// A seat in use; goes back to its thread afterwards.
struct Taken(Option<Seat>);

impl std::ops::Deref for Taken {
    type Target = Seat;
    fn deref(&self) -> &Seat {
        self.0.as_ref().expect("only drop empties it")
    }
}

impl std::ops::DerefMut for Taken {
    fn deref_mut(&mut self) -> &mut Seat {
        self.0.as_mut().expect("only drop empties it")
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut seat = self.0.take();
        // A thread that is ending has nowhere to keep it: dropped here.
        let _ = SEAT.try_with(|kept| {
            if let Ok(mut kept) = kept.try_borrow_mut() {
                std::mem::swap(&mut *kept, &mut seat);
            }
        });
    }
}

thread_local! {
    static SEAT: RefCell<Option<Seat>> = RefCell::default();
}

/// The word that the thread sleeps on.
struct Parker {
    state: AtomicU8,
    thread: thread::Thread,
}

impl Parker {
    /// NOTIFIED → EMPTY, by the thread itself.
    fn take_notice(&self) -> bool {
        self.state.load(Relaxed) == NOTIFIED && {
            // Acquire: what the waker did before its wake is seen by the poll.
            self.state.swap(EMPTY, AcqRel);
            true
        }
    }

    fn park(&self, deadline: Option<Instant>) {
        let empty = self
            .state
            .compare_exchange(EMPTY, PARKED, AcqRel, Acquire)
            .is_ok();
        if empty {
            sleep_until(deadline);
        }
        self.state.swap(EMPTY, AcqRel);
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(NOTIFIED, AcqRel) == PARKED {
            self.thread.unpark();
        }
    }
}

/// Sleeps until unparked, until the deadline, or for no reason.
fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        None => thread::park(),
        #[cfg(not(loom))]
        Some(at) => thread::park_timeout(at.saturating_duration_since(Instant::now())),
        #[cfg(loom)]
        Some(_) => unreachable!("models have no clock"),
    }
}

const EMPTY: u8 = 0;
const PARKED: u8 = 1;
const NOTIFIED: u8 = 2;
