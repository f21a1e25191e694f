//! How long to spin before a real wait.
//!
//! A wake that crosses cores costs two trips through the kernel; a word that
//! crosses cores costs about a tenth of a microsecond. So whoever is about to
//! sleep looks for its event for a short while first. The time is adaptive:
//!
//! - a wait that ended within [`MAX_SPIN`] says "a conversation is going on":
//!   the budget doubles, from [`FIRST_SPIN`] up to [`MAX_SPIN`];
//! - a longer one says "nobody is talking": the budget is halved, and under
//!   [`FIRST_SPIN`] it becomes nothing, so that an idle thread burns nothing;
//! - while busy threads outnumber cores the answer is nothing, whatever the
//!   budget: a spinner would take the core from the thread it waits for;
//! - other processes want cores too, and cannot be counted. So a spinner offers
//!   its core once a round; a round that then takes longer than `CROWDED` says
//!   that somebody took the offer, and the next few waits sleep at once. An
//!   interruption now and then costs no more than those; where it comes again
//!   and again, the rests grow from `FIRST_REST` to `LAST_REST` waits, so that a
//!   core that somebody else wants all the time is offered hardly ever;
//! - a thread that waits for what others work out, on cores that are crowded by
//!   just those, offers them its core a few times before it sleeps
//!   ([`SpinBudget::offer`]): a switch costs less than a sleep, for which
//!   somebody has to pay the wake.
//!
//! Loops, threads blocked in `result()` and idle executor workers all wait by
//! this rule, each with a budget of its own.
#![forbid(unsafe_code)]

mod cores;
#[cfg(test)]
mod tests;

use cores::cores;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// The longest that anybody spins before one wait.
pub const MAX_SPIN: Duration = Duration::from_micros(200);

/// The first budget after an early end; half of it is nothing.
pub const FIRST_SPIN: Duration = Duration::from_micros(12);

/// A round of spinning takes about a microsecond; one that takes this long was
/// interrupted by somebody else who needs the core.
const CROWDED: Duration = Duration::from_micros(40);

/// Waits that do not spin after a round was interrupted: the first time, and
/// where it happens all the time.
const FIRST_REST: u16 = 8;
const LAST_REST: u16 = 4096;

/// How often a thread offers its core before it sleeps.
const OFFERS: u32 = 3;

/// An offer that takes this long went to somebody else's program.
const TAKEN: Duration = Duration::from_millis(2);

/// Waits without an offer after one that was taken so.
const WARY: u16 = 200;

/// Looks in a round: between two readings of the clock.
const LOOKS: u32 = 8;

/// Pauses of the processor between two looks. Each look takes the cache line
/// from under the one who is about to write it. Not so in the first round, which
/// looks after every pause: in a conversation the answer comes about now, and
/// half the time between two looks is how late it is seen.
const PAUSES: u32 = 4;

/// Threads that run or spin now. Advisory: a wrong reading costs time only.
static BUSY: AtomicUsize = AtomicUsize::new(0);

/// One waiter's spinning budget.
///
/// # Examples
/// ```
/// use polyloop::spin::{MAX_SPIN, SpinBudget};
/// use std::time::Duration;
///
/// let mut budget = SpinBudget::new();
/// assert_eq!(budget.get(), Duration::ZERO);
/// for _ in 0..10 {
///     budget.wait_ended(Duration::from_micros(3));
/// }
/// assert_eq!(budget.get(), MAX_SPIN);
/// for _ in 0..10 {
///     budget.wait_ended(Duration::from_secs(1));
/// }
/// assert_eq!(budget.get(), Duration::ZERO);
/// ```
#[derive(Debug, Clone)]
pub struct SpinBudget {
    now: Duration,
    fixed: bool,
    /// Waits to be spent asleep, since the cores are crowded.
    resting: u16,
    /// Waits without an offer, since the last one was taken for long.
    wary: u16,
    /// How many that will be the next time.
    rest: u16,
    /// How long the last spin lasted, as of its last look at the clock.
    spun: Duration,
}

impl SpinBudget {
    /// An adaptive budget; it begins at nothing.
    pub const fn new() -> Self {
        Self {
            fixed: false,
            ..Self::fixed(Duration::ZERO)
        }
    }

    /// A budget fixed by hand, which neither adapts nor asks how many cores
    /// are busy; [`Duration::ZERO`] turns spinning off.
    pub const fn fixed(budget: Duration) -> Self {
        Self {
            now: budget,
            fixed: true,
            resting: 0,
            wary: 0,
            rest: FIRST_REST,
            spun: Duration::ZERO,
        }
    }

    /// The budget as it stands.
    pub fn get(&self) -> Duration {
        if self.resting > 0 {
            Duration::ZERO
        } else {
            self.now
        }
    }

    /// How long to spin in the wait that begins now.
    pub fn wait_begins(&self) -> Duration {
        if self.fixed || !overcommitted() {
            self.get()
        } else {
            Duration::ZERO
        }
    }

    /// Looks for what the caller waits for, for as long as the budget allows
    /// and until `deadline` at the latest; `None` if it did not come.
    ///
    /// `look` answers when it is there. It is called with `true` once a round,
    /// about once a microsecond, for what costs more to look at.
    pub fn spin<R>(
        &mut self,
        deadline: Option<Instant>,
        look: impl FnMut(bool) -> Option<R>,
    ) -> Option<R> {
        if self.get().is_zero() {
            return None;
        }
        self.spin_since(Instant::now(), deadline, look)
    }

    /// As [`spin`](Self::spin), for who has just read the clock.
    pub(crate) fn spin_since<R>(
        &mut self,
        began: Instant,
        deadline: Option<Instant>,
        mut look: impl FnMut(bool) -> Option<R>,
    ) -> Option<R> {
        self.spun = Duration::ZERO;
        let budget = self.wait_begins();
        if budget.is_zero() {
            return None;
        }
        let mut round = Duration::ZERO;
        let (mut looks, mut pauses) = (LOOKS * PAUSES, 1);
        loop {
            for number in 0..looks {
                let found = look(number == 0);
                if found.is_some() {
                    self.rest = (self.rest - self.rest / 8).max(FIRST_REST);
                    return found;
                }
                for _ in 0..pauses {
                    std::hint::spin_loop();
                }
            }
            (looks, pauses) = (LOOKS, PAUSES);
            std::thread::yield_now();
            let now = Instant::now();
            self.spun = now.saturating_duration_since(began);
            if self.spun - round >= CROWDED && !self.fixed {
                self.resting = self.rest;
                self.rest = (self.rest * 4).min(LAST_REST);
                return None;
            }
            if self.spun >= budget || deadline.is_some_and(|deadline| now >= deadline) {
                return None;
            }
            round = self.spun;
        }
    }

    /// How long the last spin lasted, or up to a round longer.
    pub(crate) fn spun(&self) -> Duration {
        self.spun
    }

    /// Where the cores are crowded, offers the calling thread's a few times, until
    /// `look` answers or `deadline` has come; `None` if it is time to sleep.
    ///
    /// For threads that wait for an answer, or for work that another one may do as
    /// well. Not for those that an event from outside wakes: the system wakes a
    /// sleeper sooner than one who stood back.
    pub fn offer<R>(
        &mut self,
        deadline: Option<Instant>,
        mut look: impl FnMut() -> Option<R>,
    ) -> Option<R> {
        if self.fixed || !(overcommitted() || self.resting > 0) {
            return None;
        }
        if self.wary > 0 {
            self.wary -= 1;
            return None;
        }
        let mut before = Instant::now();
        for _ in 0..OFFERS {
            std::thread::yield_now();
            let found = look();
            let now = Instant::now();
            if now.saturating_duration_since(before) >= TAKEN {
                self.wary = WARY;
                return found;
            }
            if found.is_some() || deadline.is_some_and(|deadline| now >= deadline) {
                return found;
            }
            before = now;
        }
        None
    }

    /// Learns from a wait that ended because what it waited for came, after
    /// `waited` in all, spun and slept.
    pub fn wait_ended(&mut self, waited: Duration) {
        if self.fixed {
            return;
        }
        self.resting = self.resting.saturating_sub(1);
        self.now = if waited <= MAX_SPIN {
            (self.now * 2).clamp(FIRST_SPIN, MAX_SPIN)
        } else if self.now <= FIRST_SPIN {
            Duration::ZERO
        } else {
            self.now / 2
        };
    }
}

impl Default for SpinBudget {
    fn default() -> Self {
        Self::new()
    }
}

/// Counts a thread as busy while it lives; dropped before a real sleep.
#[derive(Debug)]
#[must_use = "the thread counts as busy only while this value lives"]
pub struct BusyThread(());

impl BusyThread {
    /// Counts the calling thread.
    pub fn enter() -> Self {
        BUSY.fetch_add(1, Relaxed);
        Self(())
    }
}

impl Drop for BusyThread {
    fn drop(&mut self) {
        BUSY.fetch_sub(1, Relaxed);
    }
}

/// Do the threads that run or spin outnumber the cores?
fn overcommitted() -> bool {
    BUSY.load(Relaxed) > cores()
}
