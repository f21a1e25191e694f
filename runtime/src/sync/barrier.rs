//! A place where tasks wait for one another.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::wait_queue::{WaitQueue, Waiter};
use super::wake_on_drop::WakeAll;

/// A place where tasks wait until a given number of them is there:
/// `asyncio.Barrier`.
///
/// When the last of them comes, all go on, each with an index of its own; then
/// the barrier fills anew. Who comes while they are still leaving waits until
/// all have left.
///
/// A task that is cancelled while it waits just does not count any more; the
/// others wait for another one.
///
/// ```
/// use std::rc::Rc;
/// use polyloop::sync::Barrier;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let barrier = Rc::new(Barrier::new(3));
///     let walkers: Vec<_> = (0..3)
///         .map(|_| {
///             let barrier = Rc::clone(&barrier);
///             polyloop::create_task(async move { barrier.wait().await })
///         })
///         .collect();
///     let mut places = Vec::new();
///     for walker in walkers {
///         places.push(walker.await.expect("not cancelled").expect("nobody breaks it"));
///     }
///     places.sort();
///     assert_eq!(places, [0, 1, 2]);
/// })
/// # }
/// ```
pub struct Barrier {
    parties: usize,
    state: Cell<BarrierState>,
    /// Those who count: they came while the barrier filled, and have not left.
    inside: Cell<usize>,
    /// How many of the present round have left with an index.
    left: Cell<usize>,
    filling: WaitQueue,
    /// Those who wait for the others to leave before they may count.
    blocked: WaitQueue,
}

impl Barrier {
    /// A barrier for `parties` tasks.
    ///
    /// # Panics
    ///
    /// If `parties` is zero.
    #[must_use]
    pub const fn new(parties: usize) -> Self {
        assert!(parties > 0, "a barrier is for one party at least");
        Self {
            parties,
            state: Cell::new(BarrierState::Filling),
            inside: Cell::new(0),
            left: Cell::new(0),
            filling: WaitQueue::new(),
            blocked: WaitQueue::new(),
        }
    }

    /// Waits until all parties are there and returns this one's index, from zero
    /// to the number of parties less one. The one that came last has the last.
    ///
    /// # Errors
    ///
    /// [`BrokenBarrierError`] if the barrier is broken, or is reset or aborted
    /// before this task has left it.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped does not count any more; the barrier stays
    /// whole. If all parties were there, the others leave nevertheless.
    pub fn wait(&self) -> BarrierWait<'_> {
        BarrierWait {
            barrier: self,
            counted: false,
            blocked: Waiter::new(&self.blocked, ()),
            filling: Waiter::new(&self.filling, ()),
        }
    }

    /// Makes the barrier empty and whole again. Tasks that wait in it get an
    /// error; those that wait to get in do so when these have left.
    pub fn reset(&self) {
        let state = if self.inside.get() > 0 {
            BarrierState::Resetting
        } else {
            BarrierState::Filling
        };
        self.turn_to(state);
    }

    /// Breaks the barrier: all who wait get an error, and all who come, until
    /// it is [`reset`](Self::reset).
    pub fn abort(&self) {
        self.turn_to(BarrierState::Broken);
    }

    /// How many tasks it takes.
    #[must_use]
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// How many tasks wait for the rest of the parties.
    #[must_use]
    pub fn n_waiting(&self) -> usize {
        match self.state.get() {
            BarrierState::Filling => self.inside.get(),
            _ => 0,
        }
    }

    /// Was it [aborted](Self::abort) and not reset since?
    #[must_use]
    pub fn broken(&self) -> bool {
        self.state.get() == BarrierState::Broken
    }

    /// What the barrier does, and how many tasks are in it and before it.
    #[must_use]
    pub fn statistics(&self) -> BarrierStatistics {
        BarrierStatistics {
            state: self.state.get(),
            parties: self.parties,
            inside: self.inside.get(),
            blocked: self.blocked.waiting(),
        }
    }

    fn turn_to(&self, state: BarrierState) {
        self.state.set(state);
        self.left.set(0);
        self.tell_all();
    }

    /// Wakes all, to look at the state.
    fn tell_all(&self) {
        // Should a waker panic, the second half is done all the same.
        let _then = WakeAll(&self.blocked);
        self.filling.wake_all();
    }

    /// Do tasks have to leave before others may come in?
    fn is_emptying(&self) -> bool {
        use BarrierState::{Draining, Resetting};
        matches!(self.state.get(), Draining | Resetting)
    }

    /// All parties are there, the last of which goes on at once.
    fn let_go(&self) {
        if self.inside.get() > 0 {
            self.state.set(BarrierState::Draining);
            self.filling.wake_all();
        }
    }

    /// The index of a party that goes on.
    fn next_index(&self) -> usize {
        let index = self.left.get();
        self.left.set(index + 1);
        index
    }

    /// Takes a party out; the last one opens the barrier for the next round.
    fn leave(&self) {
        self.inside.set(self.inside.get() - 1);
        if self.inside.get() > 0 {
            return;
        }
        if self.state.get() != BarrierState::Broken {
            self.state.set(BarrierState::Filling);
            self.left.set(0);
        }
        self.tell_all();
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("state", &self.state.get())
            .field("parties", &self.parties)
            .field("waiting", &self.n_waiting())
            .finish()
    }
}

/// What a [`Barrier`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarrierState {
    /// It waits for the rest of the parties.
    Filling,
    /// All parties were there, and not all have left.
    Draining,
    /// It was reset, and not all that waited have left.
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
    /// How many tasks it takes.
    pub parties: usize,
    /// Tasks that came in and have not left.
    pub inside: usize,
    /// Tasks that wait for those to leave.
    pub blocked: usize,
}

/// The barrier was aborted, or was reset while the task waited: asyncio's
/// `BrokenBarrierError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenBarrierError(());

impl fmt::Display for BrokenBarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier was reset or aborted: wait again if it is whole, or reset it")
    }
}

impl Error for BrokenBarrierError {}

pin_project! {
    /// The wait for the other parties, from [`Barrier::wait`].
    #[must_use = "nothing waits until the future is awaited"]
    pub struct BarrierWait<'a> {
        barrier: &'a Barrier,
        counted: bool,
        #[pin]
        blocked: Waiter<'a>,
        #[pin]
        filling: Waiter<'a>,
    }

    impl PinnedDrop for BarrierWait<'_> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // Those behind it were woken as well: there is nothing to pass on.
            let _ = this.filling.abandon();
            if *this.counted {
                this.barrier.leave();
            }
        }
    }
}

impl Future for BarrierWait<'_> {
    type Output = Result<usize, BrokenBarrierError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let barrier = *this.barrier;
        if !*this.counted {
            if !this.blocked.is_idle() {
                ready!(this.blocked.as_mut().poll_woken(cx));
            }
            while barrier.is_emptying() {
                ready!(this.blocked.as_mut().poll_woken(cx));
            }
            if barrier.broken() {
                return Poll::Ready(Err(BrokenBarrierError(())));
            }
            if barrier.inside.get() + 1 == barrier.parties {
                barrier.let_go();
                return Poll::Ready(Ok(barrier.parties - 1));
            }
            *this.counted = true;
            barrier.inside.set(barrier.inside.get() + 1);
        }
        while barrier.state.get() == BarrierState::Filling {
            ready!(this.filling.as_mut().poll_woken(cx));
        }
        let _ = this.filling.abandon();
        *this.counted = false;
        let answer = match barrier.state.get() {
            BarrierState::Draining => Ok(barrier.next_index()),
            _ => Err(BrokenBarrierError(())),
        };
        barrier.leave();
        Poll::Ready(answer)
    }
}

impl fmt::Debug for BarrierWait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWait").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "barrier_tests.rs"]
mod tests;
