//! Waiting, with a lock, for what another loop or thread does to a value.
//!
//! A waiter joins the condition's line while it still holds the lock, and
//! notifying takes the lock: so no notification falls between a waiter's look
//! at the value and its place in line.
#![forbid(unsafe_code)]

use super::lock::{AcquireLock, Lock, LockGuard};
use crate::loom::Mutex;
use crate::waiters::{Line, Stand, Ticket, Woken, block_on, deadline_after};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// A [`Lock`] whose holder can wait for a change of the value, and who changes
/// it notifies those who wait: `asyncio.Condition`, `threading.Condition`.
///
/// Waiting and notifying take the lock's guard, so that neither is possible
/// without the lock; what asyncio refuses with a `RuntimeError` does not compile.
///
/// Where one waiter after the other may look at the value,
/// [`wait_for`](Self::wait_for) is the call to use: a wait may end without a
/// reason, and the value may have changed again before the lock was got.
///
/// # Examples
/// ```
/// use polyloop_bridge::sync::Condition;
///
/// let stock = Condition::new(0);
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         polyloop::run(async {
///             let guard = stock.acquire().await;
///             *stock.wait_for(guard, |stock| *stock >= 3).await -= 3;
///         })
///         .unwrap();
///     });
///     for _ in 0..3 {
///         let mut guard = stock.acquire_blocking();
///         *guard += 1;
///         stock.notify(&guard, 1);
///     }
/// });
/// assert_eq!(*stock.acquire_blocking(), 0);
/// ```
#[doc(alias = "Condvar")]
pub struct Condition<T = ()> {
    lock: Arc<Lock<T>>,
    line: Mutex<Line>,
}

impl<T> Condition<T> {
    /// A condition with a lock of its own around `value`.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self::with_lock(Arc::new(Lock::new(value)))
    }

    /// A condition with a lock that others use as well: several conditions may
    /// share one, each for another change of the value.
    #[must_use]
    pub fn with_lock(lock: Arc<Lock<T>>) -> Self {
        Self {
            lock,
            line: Mutex::new(Line::new()),
        }
    }

    /// The condition's lock.
    #[must_use]
    pub fn lock(&self) -> &Arc<Lock<T>> {
        &self.lock
    }

    /// Waits for the lock; see [`Lock::acquire`].
    ///
    /// # Cancel safety
    /// As for [`Lock::acquire`].
    pub fn acquire(&self) -> AcquireLock<'_, T> {
        self.lock.acquire()
    }

    /// Takes the lock if it is free; see [`Lock::try_acquire`].
    #[must_use = "the lock is released as soon as the guard is dropped"]
    pub fn try_acquire(&self) -> Option<LockGuard<'_, T>> {
        self.lock.try_acquire()
    }

    /// Blocks for the lock; see [`Lock::acquire_blocking`].
    pub fn acquire_blocking(&self) -> LockGuard<'_, T> {
        self.lock.acquire_blocking()
    }

    /// Blocks for the lock; see [`Lock::acquire_blocking_timeout`].
    pub fn acquire_blocking_timeout(&self, timeout: Duration) -> Option<LockGuard<'_, T>> {
        self.lock.acquire_blocking_timeout(timeout)
    }

    /// Is the lock held?
    #[must_use]
    pub fn locked(&self) -> bool {
        self.lock.locked()
    }

    /// Releases the lock, waits to be notified, and returns the lock's guard
    /// once it has the lock again.
    ///
    /// Releasing and lining up is one step: a notification that comes after the
    /// lock was released is not missed. The wait may end without one.
    ///
    /// # Cancel safety
    /// A future that is dropped gives up its place; if it had been notified and
    /// did not have the lock again, another one that waits is notified in its
    /// stead. The lock is not held after the drop.
    ///
    /// # Panics
    /// If the guard is one of another lock.
    pub fn wait<'a>(&'a self, guard: LockGuard<'a, T>) -> ConditionWait<'a, T> {
        self.check(&guard);
        ConditionWait {
            condition: self,
            guard: Some(guard),
            stage: Stage::Holding,
            ticket: Ticket::new(),
            acquire: self.lock.acquire(),
        }
    }

    /// Waits until `predicate` says `true` of the value, which it is asked first
    /// at once and then after each notification, with the lock held.
    ///
    /// # Cancel safety
    /// As for [`wait`](Self::wait).
    ///
    /// # Panics
    /// If the guard is one of another lock and the predicate is not true yet.
    pub async fn wait_for<'a>(
        &'a self,
        mut guard: LockGuard<'a, T>,
        mut predicate: impl FnMut(&mut T) -> bool,
    ) -> LockGuard<'a, T> {
        while !predicate(&mut guard) {
            guard = self.wait(guard).await;
        }
        guard
    }

    /// As [`wait`](Self::wait), blocking the calling thread. Not for a loop's
    /// thread: a task of that loop cannot notify it meanwhile.
    ///
    /// # Panics
    /// If the guard is one of another lock.
    pub fn wait_blocking<'a>(&'a self, guard: LockGuard<'a, T>) -> LockGuard<'a, T> {
        self.block(guard, None).0
    }

    /// As [`wait_blocking`](Self::wait_blocking), `timeout` at most; says
    /// whether it was notified. It has the lock again in any case, and may wait
    /// longer for that.
    ///
    /// # Panics
    /// If the guard is one of another lock.
    pub fn wait_blocking_timeout<'a>(
        &'a self,
        guard: LockGuard<'a, T>,
        timeout: Duration,
    ) -> (LockGuard<'a, T>, bool) {
        self.block(guard, deadline_after(timeout))
    }

    /// As [`wait_for`](Self::wait_for), blocking the calling thread.
    ///
    /// # Panics
    /// If the guard is one of another lock and the predicate is not true yet.
    pub fn wait_for_blocking<'a>(
        &'a self,
        mut guard: LockGuard<'a, T>,
        mut predicate: impl FnMut(&mut T) -> bool,
    ) -> LockGuard<'a, T> {
        while !predicate(&mut guard) {
            guard = self.wait_blocking(guard);
        }
        guard
    }

    /// As [`wait_for_blocking`](Self::wait_for_blocking), `timeout` at most;
    /// says what the predicate said last.
    ///
    /// # Panics
    /// If the guard is one of another lock and the predicate is not true yet.
    pub fn wait_for_blocking_timeout<'a>(
        &'a self,
        mut guard: LockGuard<'a, T>,
        timeout: Duration,
        mut predicate: impl FnMut(&mut T) -> bool,
    ) -> (LockGuard<'a, T>, bool) {
        let deadline = deadline_after(timeout);
        while !predicate(&mut guard) {
            let (again, notified) = self.block(guard, deadline);
            guard = again;
            if !notified {
                let said = predicate(&mut guard);
                return (guard, said);
            }
        }
        (guard, true)
    }

    /// Wakes the first `count` of those who wait; they go on one after the
    /// other, once the lock is released.
    ///
    /// # Panics
    /// If the guard is one of another lock; and with the first panic of a
    /// waker, after all of them were woken.
    pub fn notify(&self, guard: &LockGuard<'_, T>, count: usize) {
        self.check(guard);
        self.wake(count);
    }

    /// Wakes everybody who waits; see [`notify`](Self::notify).
    ///
    /// # Panics
    /// As for [`notify`](Self::notify).
    pub fn notify_all(&self, guard: &LockGuard<'_, T>) {
        self.notify(guard, usize::MAX);
    }

    /// Who holds the lock, who waits for it and who for a notification.
    #[must_use]
    pub fn statistics(&self) -> ConditionStatistics {
        let lock = self.lock.statistics();
        ConditionStatistics {
            locked: lock.locked,
            lock_waiting: lock.waiting,
            waiting: self.line.lock().waiting(),
        }
    }

    fn wake(&self, count: usize) {
        // Dropped, and so woken, after the line's lock is.
        let mut woken = Woken::new();
        let mut line = self.line.lock();
        woken.extend((0..count).map_while(|_| line.wake_first()));
    }

    fn block<'a>(
        &'a self,
        guard: LockGuard<'a, T>,
        deadline: Option<Instant>,
    ) -> (LockGuard<'a, T>, bool) {
        let mut wait = self.wait(guard);
        let notified = block_on(deadline, |cx| wait.poll_notified(cx)).is_ok();
        // If the notification came just now, it is this one's all the same.
        let notified = wait.end_of_waiting() || notified;
        wait.stage = Stage::Done;
        (self.lock.acquire_blocking(), notified)
    }

    #[track_caller]
    fn check(&self, guard: &LockGuard<'_, T>) {
        assert!(
            guard.belongs_to(&self.lock),
            "the guard is of another lock than the condition's: acquire the condition"
        );
    }
}

impl<T: Default> Default for Condition<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Condition<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition")
            .field("lock", &self.lock)
            .field("waiting", &self.line.lock().waiting())
            .finish()
    }
}

/// A look at a [`Condition`], from [`Condition::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConditionStatistics {
    /// Is the lock held?
    pub locked: bool,
    /// Tasks and threads that wait for the lock.
    pub lock_waiting: usize,
    /// Tasks and threads that wait to be notified.
    pub waiting: usize,
}

/// The wait for a notification, from [`Condition::wait`].
#[must_use = "nothing waits until the future is awaited"]
pub struct ConditionWait<'a, T> {
    condition: &'a Condition<T>,
    guard: Option<LockGuard<'a, T>>,
    stage: Stage,
    ticket: Ticket,
    acquire: AcquireLock<'a, T>,
}

impl<T> ConditionWait<'_, T> {
    fn poll_notified(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let old;
        let woken;
        {
            let mut line = self.condition.line.lock();
            woken = line.stand(&self.ticket) == Stand::Woken;
            old = match woken {
                true => line.leave(&mut self.ticket),
                false => line.join(&mut self.ticket, waker, ()),
            };
        }
        drop(old);
        if matches!(self.stage, Stage::Holding) {
            // It has lined up first: the lock's next holder may notify at once.
            self.stage = Stage::Waiting;
            drop(self.guard.take());
        }
        if woken {
            self.stage = Stage::Acquiring;
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Leaves the line; true if it had been woken in it.
    fn end_of_waiting(&mut self) -> bool {
        if self.ticket.is_nowhere() {
            return false;
        }
        let old = self.condition.line.lock().leave(&mut self.ticket);
        old.is_none()
    }
}

impl<'a, T> Future for ConditionWait<'a, T> {
    type Output = LockGuard<'a, T>;

    /// # Panics
    /// If it is polled after it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if matches!(this.stage, Stage::Holding | Stage::Waiting) {
            ready!(this.poll_notified(cx));
        }
        assert!(
            matches!(this.stage, Stage::Acquiring),
            "wait is polled after it was ready"
        );
        let guard = ready!(Pin::new(&mut this.acquire).poll(cx));
        this.stage = Stage::Done;
        Poll::Ready(guard)
    }
}

impl<T> Drop for ConditionWait<'_, T> {
    fn drop(&mut self) {
        if self.end_of_waiting() || matches!(self.stage, Stage::Acquiring) {
            self.condition.wake(1);
        }
    }
}

impl<T> fmt::Debug for ConditionWait<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConditionWait").finish_non_exhaustive()
    }
}

/// What the wait has come to.
enum Stage {
    /// It was not polled yet, and holds the lock.
    Holding,
    /// It waits to be notified.
    Waiting,
    /// It was notified, and waits for the lock.
    Acquiring,
    Done,
}
