//! Waiting, with a lock, for what another task does to a value.

#![forbid(unsafe_code)]

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::lock::{AcquireLock, Lock, LockGuard};
use super::wait_queue::{WaitQueue, Waiter};

/// A [`Lock`] whose holder can wait for a change of the value, and who changes
/// it notifies those who wait: `asyncio.Condition`.
///
/// Waiting and notifying take the lock's guard, so that neither is possible
/// without the lock; what asyncio refuses with a `RuntimeError` does not compile.
///
/// Where one task after the other may look at the value, [`wait_for`](Self::wait_for)
/// is the call to use: a wait may end without a reason, and the value may have
/// changed again before the lock was got.
///
/// ```
/// use std::rc::Rc;
/// use polyloop::sync::Condition;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let stock = Rc::new(Condition::new(0));
///     let buyer = polyloop::create_task({
///         let stock = Rc::clone(&stock);
///         async move {
///             let guard = stock.acquire().await;
///             let mut guard = stock.wait_for(guard, |stock| *stock >= 3).await;
///             *guard -= 3;
///         }
///     });
///     for _ in 0..3 {
///         let mut guard = stock.acquire().await;
///         *guard += 1;
///         stock.notify(&guard, 1);
///         drop(guard);
///         polyloop::yield_now().await;
///     }
///     buyer.await.expect("not cancelled");
///     assert_eq!(*stock.acquire().await, 0);
/// })
/// # }
/// ```
#[doc(alias = "Condvar")]
pub struct Condition<T = ()> {
    lock: Rc<Lock<T>>,
    waiters: WaitQueue,
}

impl<T> Condition<T> {
    /// A condition with a lock of its own around `value`.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self::with_lock(Rc::new(Lock::new(value)))
    }

    /// A condition with a lock that others use as well: several conditions may
    /// share one, each for another change of the value.
    #[must_use]
    pub fn with_lock(lock: Rc<Lock<T>>) -> Self {
        Self {
            lock,
            waiters: WaitQueue::new(),
        }
    }

    /// The condition's lock.
    #[must_use]
    pub fn lock(&self) -> &Rc<Lock<T>> {
        &self.lock
    }

    /// Waits for the lock; see [`Lock::acquire`].
    ///
    /// # Cancel safety
    ///
    /// As for [`Lock::acquire`].
    pub fn acquire(&self) -> AcquireLock<'_, T> {
        self.lock.acquire()
    }

    /// Takes the lock if it is free; see [`Lock::try_acquire`].
    #[must_use = "the lock is released as soon as the guard is dropped"]
    pub fn try_acquire(&self) -> Option<LockGuard<'_, T>> {
        self.lock.try_acquire()
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
    ///
    /// A future that is dropped gives up its place; if it had been notified and
    /// did not have the lock again, another task that waits is notified in its
    /// stead. The lock is not held after the drop.
    ///
    /// # Panics
    ///
    /// If the guard is one of another lock.
    pub fn wait<'a>(&'a self, guard: LockGuard<'a, T>) -> ConditionWait<'a, T> {
        self.check(&guard);
        ConditionWait {
            condition: self,
            guard: Some(guard),
            stage: Stage::Holding,
            waiter: Waiter::new(&self.waiters, ()),
            acquire: self.lock.acquire(),
        }
    }

    /// Waits until `predicate` says `true` of the value, which it is asked first
    /// at once and then after each notification, with the lock held.
    ///
    /// # Cancel safety
    ///
    /// As for [`wait`](Self::wait).
    ///
    /// # Panics
    ///
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

    /// Wakes the first `count` of the tasks that wait, or all if there are fewer.
    ///
    /// They go on when the guard is dropped, one after the other.
    ///
    /// # Panics
    ///
    /// If the guard is one of another lock.
    pub fn notify(&self, guard: &LockGuard<'_, T>, count: usize) {
        self.check(guard);
        self.waiters.wake_some(count);
    }

    /// Wakes all tasks that wait; see [`notify`](Self::notify).
    ///
    /// # Panics
    ///
    /// If the guard is one of another lock.
    pub fn notify_all(&self, guard: &LockGuard<'_, T>) {
        self.notify(guard, usize::MAX);
    }

    /// Whether the lock is held, and how many tasks wait for what.
    #[must_use]
    pub fn statistics(&self) -> ConditionStatistics {
        let lock = self.lock.statistics();
        ConditionStatistics {
            locked: lock.locked,
            lock_waiting: lock.waiting,
            waiting: self.waiters.waiting(),
        }
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
            .field("waiting", &self.waiters.waiting())
            .finish()
    }
}

/// A look at a [`Condition`], from [`Condition::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConditionStatistics {
    /// Does a task hold the lock?
    pub locked: bool,
    /// Tasks that wait for the lock and have not been woken.
    pub lock_waiting: usize,
    /// Tasks that wait to be notified.
    pub waiting: usize,
}

pin_project! {
    /// The wait for a notification, from [`Condition::wait`].
    #[must_use = "nothing waits until the future is awaited"]
    pub struct ConditionWait<'a, T> {
        condition: &'a Condition<T>,
        guard: Option<LockGuard<'a, T>>,
        stage: Stage,
        #[pin]
        waiter: Waiter<'a>,
        #[pin]
        acquire: AcquireLock<'a, T>,
    }

    impl<T> PinnedDrop for ConditionWait<'_, T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.waiter.abandon() || matches!(this.stage, Stage::Acquiring) {
                this.condition.waiters.wake_first();
            }
        }
    }
}

impl<'a, T> Future for ConditionWait<'a, T> {
    type Output = LockGuard<'a, T>;

    /// # Panics
    ///
    /// If it is polled after it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if matches!(this.stage, Stage::Holding) {
            // It lines up first: the lock's next holder may notify at once.
            let woken = this.waiter.as_mut().poll_woken(cx);
            *this.stage = Stage::next(woken);
            drop(this.guard.take());
        }
        if matches!(this.stage, Stage::Waiting) {
            ready!(this.waiter.poll_woken(cx));
            *this.stage = Stage::Acquiring;
        }
        assert!(
            matches!(this.stage, Stage::Acquiring),
            "wait is polled after it was ready"
        );
        let guard = ready!(this.acquire.poll(cx));
        *this.stage = Stage::Done;
        Poll::Ready(guard)
    }
}

impl<T> fmt::Debug for ConditionWait<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConditionWait").finish_non_exhaustive()
    }
}

/// How far a wait has come.
enum Stage {
    /// Not polled yet; it has the guard.
    Holding,
    /// In line for a notification.
    Waiting,
    /// Notified, and in line for the lock.
    Acquiring,
    Done,
}

impl Stage {
    fn next(woken: Poll<()>) -> Self {
        match woken {
            Poll::Pending => Self::Waiting,
            Poll::Ready(()) => Self::Acquiring,
        }
    }
}

#[cfg(test)]
#[path = "condition_tests.rs"]
mod tests;
