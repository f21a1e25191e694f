//! A place where loops and threads wait for one another.
#![forbid(unsafe_code)]

use crate::loom::Mutex;
use crate::waiters::{Line, Stand, Ticket, Woken, block_on, deadline_after};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A place where `parties` tasks and threads wait until all of them have come:
/// `asyncio.Barrier`, `threading.Barrier`.
///
/// Then all go on, and it can be used again. Who comes while the last ones are
/// still leaving waits until they have left. A wait that is given up does not
/// break the barrier, as in asyncio and unlike `threading`.
///
/// # Examples
/// ```
/// use polyloop_bridge::sync::Barrier;
///
/// let start = Barrier::new(3);
/// std::thread::scope(|scope| {
///     scope.spawn(|| start.wait_blocking().unwrap());
///     scope.spawn(|| polyloop::run(async { start.wait().await.unwrap() }));
///     let place = start.wait_blocking().unwrap();
///     assert!(place < 3);
/// });
/// ```
pub struct Barrier {
    parties: usize,
    inside: Mutex<Inside>,
}

struct Inside {
    state: BarrierState,
    /// Those who were counted and have not left.
    count: usize,
    /// Those who have left since it opened.
    left: usize,
    filling: Line,
    blocked: Line,
}

impl Barrier {
    /// A barrier for `parties` tasks and threads.
    ///
    /// # Panics
    /// If `parties` is 0.
    #[must_use]
    pub fn new(parties: usize) -> Self {
        assert!(parties > 0, "a barrier is for one party at least");
        Self {
            parties,
            inside: Mutex::new(Inside {
                state: BarrierState::Filling,
                count: 0,
                left: 0,
                filling: Line::new(),
                blocked: Line::new(),
            }),
        }
    }

    /// Waits until all have come; gives each one another number, from 0 on.
    ///
    /// # Cancel safety
    /// A future that is dropped before the barrier opened is as one that never
    /// came.
    ///
    /// # Errors
    /// The future gives [`BrokenBarrierError`] if the barrier is broken, or was
    /// reset or aborted during the wait.
    pub fn wait(&self) -> BarrierWait<'_> {
        BarrierWait {
            barrier: self,
            counted: false,
            blocked: Ticket::new(),
            filling: Ticket::new(),
        }
    }

    /// As [`wait`](Self::wait), blocking the calling thread. Not for the thread
    /// of a loop whose tasks are among the parties.
    ///
    /// # Errors
    /// As for [`wait`](Self::wait).
    pub fn wait_blocking(&self) -> Result<usize, BrokenBarrierError> {
        let mut wait = self.wait();
        match block_on(None, |cx| wait.poll_through(cx)) {
            Ok(answer) => answer,
            // Not without a deadline.
            Err(_) => Err(BrokenBarrierError(())),
        }
    }

    /// As [`wait_blocking`](Self::wait_blocking), `timeout` at most.
    ///
    /// # Errors
    /// [`BarrierTimeoutError`], which says whether the time ran out, as if this
    /// one had never come, or the barrier broke.
    pub fn wait_blocking_timeout(&self, timeout: Duration) -> Result<usize, BarrierTimeoutError> {
        let mut wait = self.wait();
        match block_on(deadline_after(timeout), |cx| wait.poll_through(cx)) {
            Ok(answer) => answer.map_err(|_| BarrierTimeoutError { timed_out: false }),
            Err(_) => Err(BarrierTimeoutError { timed_out: true }),
        }
    }

    /// Sends away those who wait, with an error; the barrier can be used again.
    ///
    /// # Panics
    /// With the first panic of a waker, after all were woken.
    pub fn reset(&self) {
        let mut woken = Woken::new();
        let mut inside = self.inside.lock();
        let state = match inside.count {
            0 => BarrierState::Filling,
            _ => BarrierState::Resetting,
        };
        inside.turn_to(state, &mut woken);
    }

    /// Breaks the barrier: all who wait and who come get an error until
    /// [`reset`](Self::reset).
    ///
    /// # Panics
    /// With the first panic of a waker, after all were woken.
    pub fn abort(&self) {
        let mut woken = Woken::new();
        let mut inside = self.inside.lock();
        inside.turn_to(BarrierState::Broken, &mut woken);
    }

    /// How many have to come.
    #[must_use]
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// How many have come and wait for the others.
    #[must_use]
    pub fn n_waiting(&self) -> usize {
        self.inside.lock().waiting()
    }

    /// Was it aborted and not reset since?
    #[must_use]
    pub fn broken(&self) -> bool {
        self.inside.lock().state == BarrierState::Broken
    }

    /// What it does and who is there.
    #[must_use]
    pub fn statistics(&self) -> BarrierStatistics {
        let inside = self.inside.lock();
        BarrierStatistics {
            state: inside.state,
            parties: self.parties,
            inside: inside.count,
            blocked: inside.blocked.waiting(),
        }
    }
}

impl Inside {
    fn waiting(&self) -> usize {
        match self.state {
            BarrierState::Filling => self.count,
            _ => 0,
        }
    }

    fn is_emptying(&self) -> bool {
        use BarrierState::{Draining, Resetting};
        matches!(self.state, Draining | Resetting)
    }

    fn turn_to(&mut self, state: BarrierState, woken: &mut Woken) {
        self.state = state;
        self.left = 0;
        self.tell_all(woken);
    }

    fn tell_all(&mut self, woken: &mut Woken) {
        woken.extend(self.filling.wake_all());
        woken.extend(self.blocked.wake_all());
    }

    /// The last party has come, and does not stay.
    fn open(&mut self, woken: &mut Woken) {
        if self.count > 0 {
            self.state = BarrierState::Draining;
            woken.extend(self.filling.wake_all());
        }
    }

    /// One that was counted goes.
    fn leave(&mut self, woken: &mut Woken) {
        self.count -= 1;
        if self.count > 0 {
            return;
        }
        if self.state != BarrierState::Broken {
            self.state = BarrierState::Filling;
            self.left = 0;
        }
        self.tell_all(woken);
    }

    fn next_number(&mut self) -> usize {
        self.left += 1;
        self.left - 1
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inside = self.inside.lock();
        f.debug_struct("Barrier")
            .field("state", &inside.state)
            .field("parties", &self.parties)
            .field("waiting", &inside.waiting())
            .finish()
    }
}

/// What a [`Barrier`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarrierState {
    /// It waits for those who have not come.
    Filling,
    /// All have come and are leaving.
    Draining,
    /// It was reset, and those who waited are leaving.
    Resetting,
    /// It was aborted.
    Broken,
}

/// A look at a [`Barrier`], from [`Barrier::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BarrierStatistics {
    /// What it does.
    pub state: BarrierState,
    /// How many have to come.
    pub parties: usize,
    /// Those who came and have not left.
    pub inside: usize,
    /// Those who came while others were leaving, and wait for that.
    pub blocked: usize,
}

/// The barrier was reset or aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenBarrierError(());

impl fmt::Display for BrokenBarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier was reset or aborted: wait again if it is whole, or reset it")
    }
}

impl Error for BrokenBarrierError {}

/// Why a timed wait for a barrier ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierTimeoutError {
    timed_out: bool,
}

impl BarrierTimeoutError {
    /// Did the others not come in time?
    #[must_use]
    pub fn is_timed_out(&self) -> bool {
        self.timed_out
    }

    /// Was the barrier reset or aborted?
    #[must_use]
    pub fn is_broken(&self) -> bool {
        !self.timed_out
    }
}

impl fmt::Display for BarrierTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.timed_out {
            true => {
                f.write_str("the others did not come in time: wait again, or abort the barrier")
            }
            false => BrokenBarrierError(()).fmt(f),
        }
    }
}

impl Error for BarrierTimeoutError {}

/// The wait for the others, from [`Barrier::wait`].
#[must_use = "nothing waits until the future is awaited"]
pub struct BarrierWait<'a> {
    barrier: &'a Barrier,
    counted: bool,
    blocked: Ticket,
    filling: Ticket,
}

impl BarrierWait<'_> {
    fn poll_through(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, BrokenBarrierError>> {
        let waker = cx.waker().clone();
        // Both are dropped after the lock's guard is.
        let mut woken = Woken::new();
        let old;
        let mut inside = self.barrier.inside.lock();
        if !self.counted {
            let stand = inside.blocked.stand(&self.blocked);
            if stand == Stand::Waiting || inside.is_emptying() {
                if stand == Stand::Woken {
                    // It waits again, behind the others.
                    inside.blocked.leave(&mut self.blocked);
                }
                old = inside.blocked.join(&mut self.blocked, waker, ());
                drop(inside);
                drop(old);
                return Poll::Pending;
            }
            inside.blocked.leave(&mut self.blocked);
            if inside.state == BarrierState::Broken {
                return Poll::Ready(Err(BrokenBarrierError(())));
            }
            if inside.count + 1 == self.barrier.parties {
                inside.open(&mut woken);
                return Poll::Ready(Ok(self.barrier.parties - 1));
            }
            self.counted = true;
            inside.count += 1;
        }
        if inside.state == BarrierState::Filling {
            old = inside.filling.join(&mut self.filling, waker, ());
            drop(inside);
            drop(old);
            return Poll::Pending;
        }
        old = inside.filling.leave(&mut self.filling);
        self.counted = false;
        let answer = match inside.state {
            BarrierState::Draining => Ok(inside.next_number()),
            _ => Err(BrokenBarrierError(())),
        };
        inside.leave(&mut woken);
        drop(inside);
        drop(old);
        Poll::Ready(answer)
    }
}

impl Future for BarrierWait<'_> {
    type Output = Result<usize, BrokenBarrierError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_through(cx)
    }
}

impl Drop for BarrierWait<'_> {
    fn drop(&mut self) {
        if !self.counted && self.blocked.is_nowhere() {
            return;
        }
        // All are dropped after the lock's guard is.
        let mut woken = Woken::new();
        let mut old = [None, None];
        let mut inside = self.barrier.inside.lock();
        // Those behind it were woken as well: there is nothing to pass on.
        old[0] = inside.blocked.leave(&mut self.blocked);
        old[1] = inside.filling.leave(&mut self.filling);
        if self.counted {
            inside.leave(&mut woken);
        }
        drop(inside);
        drop(old);
    }
}

impl fmt::Debug for BarrierWait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWait").finish_non_exhaustive()
    }
}
