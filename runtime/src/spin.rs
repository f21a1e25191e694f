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
//!   that somebody took the offer, and the next `REST` waits sleep at once;
//! - a thread that waits for what others work out, on cores that are crowded by
//!   just those, offers them its core a few times before it sleeps
//!   ([`SpinBudget::offer`]): a switch costs less than a sleep, for which
//!   somebody has to pay the wake.
//!
//! Loops, threads blocked in `result()` and idle executor workers all wait by
//! this rule, each with a budget of its own.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// The longest that anybody spins before one wait.
pub const MAX_SPIN: Duration = Duration::from_micros(200);

/// The first budget after an early end; half of it is nothing.
pub const FIRST_SPIN: Duration = Duration::from_micros(12);

/// A round of spinning takes about a microsecond; one that takes this long was
/// interrupted by somebody else who needs the core.
const CROWDED: Duration = Duration::from_micros(40);

/// Waits that do not spin after a round was interrupted.
const REST: u16 = 200;

/// How often a thread offers its core before it sleeps.
const OFFERS: u32 = 3;

/// An offer that takes this long went to somebody else's program.
const TAKEN: Duration = Duration::from_millis(2);

/// Looks in a round: between two readings of the clock.
const LOOKS: u32 = 8;

/// Pauses of the processor between two looks. Each look takes the cache line
/// from under the one who is about to write it.
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
}

impl SpinBudget {
    /// An adaptive budget; it begins at nothing.
    pub const fn new() -> Self {
        Self {
            now: Duration::ZERO,
            fixed: false,
            resting: 0,
            wary: 0,
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
        }
    }

    /// The budget as it stands.
    pub fn get(&self) -> Duration {
        self.now
    }

    /// How long to spin in the wait that begins now.
    pub fn wait_begins(&self) -> Duration {
        if self.fixed || !(overcommitted() || self.resting > 0) {
            self.now
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
        mut look: impl FnMut(bool) -> Option<R>,
    ) -> Option<R> {
        let budget = self.wait_begins();
        if budget.is_zero() {
            return None;
        }
        let began = Instant::now();
        let mut round = began;
        loop {
            for number in 0..LOOKS {
                let found = look(number == 0);
                if found.is_some() {
                    return found;
                }
                for _ in 0..PAUSES {
                    std::hint::spin_loop();
                }
            }
            std::thread::yield_now();
            let now = Instant::now();
            if now.saturating_duration_since(round) >= CROWDED && !self.fixed {
                self.now = Duration::ZERO;
                self.resting = REST;
                return None;
            }
            if now.saturating_duration_since(began) >= budget
                || deadline.is_some_and(|deadline| now >= deadline)
            {
                return None;
            }
            round = now;
        }
    }

    /// Where the cores are crowded, offers the calling thread's a few times, until
    /// `look` answers or `deadline` has come; `None` if it is time to sleep.
    ///
    /// For threads that wait for an answer. Not for those that an event from
    /// outside wakes: the system wakes a sleeper sooner than one who stood back.
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
                self.wary = REST;
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
        if self.resting > 0 {
            self.resting -= 1;
            return;
        }
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

/// The cores this process may use, asked once; two threads that ask at the same
/// time get the same answer.
fn cores() -> usize {
    static CORES: AtomicUsize = AtomicUsize::new(0);
    match CORES.load(Relaxed) {
        0 => {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            CORES.store(cores, Relaxed);
            cores
        }
        cores => cores,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_budget_does_not_adapt() {
        let mut budget = SpinBudget::fixed(Duration::from_micros(7));
        budget.wait_ended(Duration::from_secs(1));
        budget.wait_ended(Duration::from_nanos(1));
        assert_eq!(budget.wait_begins(), Duration::from_micros(7));
    }

    #[test]
    fn an_interrupted_round_ends_the_spinning_for_a_while() {
        let mut budget = SpinBudget::new();
        budget.wait_ended(Duration::ZERO);
        let found: Option<()> = budget.spin(None, |_| {
            std::thread::sleep(CROWDED);
            None
        });
        assert!(found.is_none());
        budget.wait_ended(Duration::ZERO);
        assert_eq!(budget.get(), Duration::ZERO, "resting");
        for _ in 0..REST {
            budget.wait_ended(Duration::ZERO);
        }
        assert_eq!(budget.get(), FIRST_SPIN);
    }

    #[test]
    fn nothing_is_spun_while_busy_threads_outnumber_cores() {
        let mut budget = SpinBudget::new();
        budget.wait_ended(Duration::ZERO);
        let _crowd: Vec<_> = (0..=cores()).map(|_| BusyThread::enter()).collect();
        assert_eq!(budget.wait_begins(), Duration::ZERO);
    }

    #[test]
    fn a_waiter_offers_its_core_while_the_cores_are_crowded() {
        let _crowd: Vec<_> = (0..=cores()).map(|_| BusyThread::enter()).collect();
        let offered = |deadline, answer_at| {
            let mut looks = 0;
            let found = SpinBudget::new().offer(deadline, || {
                looks += 1;
                (looks == answer_at).then_some(())
            });
            (found, looks)
        };
        assert_eq!(offered(None, 1), (Some(()), 1), "what is there is found");
        // Whether there is a second offer is up to those who had the first.
        let (found, looks) = offered(None, 2);
        assert!(found.is_some() == (looks == 2));
        let (found, looks) = offered(None, u32::MAX);
        assert!(found.is_none() && (1..=OFFERS).contains(&looks));
        assert_eq!(offered(Some(Instant::now()), u32::MAX), (None, 1));
        let nobody = SpinBudget::fixed(Duration::ZERO).offer(None, || Some(()));
        assert_eq!(nobody, None, "it is turned off");
    }

    #[test]
    fn an_offer_that_was_taken_for_long_is_not_made_again_soon() {
        let mut budget = SpinBudget::new();
        let _crowd: Vec<_> = (0..=cores()).map(|_| BusyThread::enter()).collect();
        let long = budget.offer(None, || {
            std::thread::sleep(TAKEN);
            Some(())
        });
        assert!(long.is_some(), "what came meanwhile is not lost");
        for _ in 0..REST {
            assert_eq!(budget.offer(None, || Some(())), None);
        }
        assert!(budget.offer(None, || Some(())).is_some());
    }
}
