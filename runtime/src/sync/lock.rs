//! Mutual exclusion between the tasks of one loop.
//!
//! # Why the value's cell is sound
//! `locked` is set by whoever makes the one guard that there is, and cleared
//! when that guard is dropped; `Debug` sets it, too, while it shows the value. So
//! whoever has set it has the value alone. A `RefCell` would say the same, and
//! take half as long again: its release reads what its acquire has just written.

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::wait_queue::{WaitQueue, Waiter};

/// A lock that tasks of one loop hold across `.await`: `asyncio.Lock`.
///
/// It guards a value, which its guard gives access to; `Lock<()>` guards a
/// stretch of code. Tasks get it in the order in which they asked: a task that
/// asks while another one has been woken to take it waits behind that one, even
/// though nobody holds the lock in that moment.
///
/// A task that holds no lock across an `.await` needs none: a `RefCell` will do.
///
/// ```
/// use polyloop::sync::Lock;
/// use std::time::Duration;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let log = Lock::new(Vec::new());
///     {
///         let mut log = log.acquire().await;
///         log.push("begin");
///         polyloop::sleep(Duration::from_millis(1)).await;
///         log.push("end");
///     }
///     assert_eq!(log.into_inner(), ["begin", "end"]);
/// })
/// # }
/// ```
#[doc(alias = "Mutex")]
pub struct Lock<T = ()> {
    waiters: WaitQueue,
    locked: Cell<bool>,
    value: UnsafeCell<T>,
}

impl<T> Lock<T> {
    /// An unlocked lock around `value`.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self {
            waiters: WaitQueue::new(),
            locked: Cell::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits for the lock and holds it until the guard is dropped.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped while it waits gives up its place; if the lock
    /// had just been handed to it, the next in line gets it.
    #[doc(alias = "lock")]
    #[inline]
    pub fn acquire(&self) -> AcquireLock<'_, T> {
        AcquireLock {
            lock: self,
            waiter: Waiter::new(&self.waiters, ()),
        }
    }

    /// Takes the lock if it is free and nobody is in line for it.
    #[doc(alias = "try_lock")]
    #[must_use = "the lock is released as soon as the guard is dropped"]
    #[inline]
    pub fn try_acquire(&self) -> Option<LockGuard<'_, T>> {
        let free = self.waiters.is_idle() && !self.locked();
        free.then(|| self.guard())
    }

    /// Is the lock held?
    ///
    /// It is not while it is on its way from one task to the next; yet
    /// [`try_acquire`](Self::try_acquire) fails then.
    #[must_use]
    #[inline]
    pub fn locked(&self) -> bool {
        self.locked.get()
    }

    /// The value, without locking: nobody else can have the lock.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Ends the lock and returns its value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }

    /// Whether the lock is held and how many tasks wait for it.
    #[must_use]
    pub fn statistics(&self) -> LockStatistics {
        LockStatistics {
            locked: self.locked(),
            waiting: self.waiters.waiting(),
        }
    }

    /// The one guard of a lock that nobody holds.
    #[inline]
    fn guard(&self) -> LockGuard<'_, T> {
        debug_assert!(!self.locked(), "two tasks have the lock");
        self.locked.set(true);
        LockGuard { lock: self }
    }

    /// Wakes the first in line, unless the lock is held or one is already on its
    /// way to it.
    fn wake_next(&self) {
        if !self.locked() && self.waiters.woken() == 0 {
            self.waiters.wake_first();
        }
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.waiters.waiting();
        let mut out = f.debug_struct("Lock");
        if self.locked() {
            out.field("value", &format_args!("<locked>"));
        } else {
            // Whatever the value's own `Debug` does, it cannot get at it twice.
            let _shown = Shown::new(self);
            // SAFETY: `locked` was clear and is set: the value is this call's.
            out.field("value", unsafe { &*self.value.get() });
        }
        out.field("waiting", &waiting).finish()
    }
}

/// Holds the lock while its value is shown, without having asked for a turn.
struct Shown<'a, T>(&'a Lock<T>);

impl<'a, T> Shown<'a, T> {
    fn new(lock: &'a Lock<T>) -> Self {
        lock.locked.set(true);
        Self(lock)
    }
}

impl<T> Drop for Shown<'_, T> {
    fn drop(&mut self) {
        self.0.locked.set(false);
        // Who got in line meanwhile has nobody else to wake it.
        self.0.wake_next();
    }
}

/// A look at a [`Lock`], from [`Lock::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockStatistics {
    /// Does a task hold the lock?
    pub locked: bool,
    /// Tasks that wait and have not been woken.
    pub waiting: usize,
}

/// A held [`Lock`]; dropping it lets the next task in line have it.
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct LockGuard<'a, T = ()> {
    lock: &'a Lock<T>,
}

impl<T> LockGuard<'_, T> {
    /// Is it `lock` that it holds?
    pub(super) fn belongs_to(&self, lock: &Lock<T>) -> bool {
        std::ptr::eq(self.lock, lock)
    }
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this is the one guard, so the value is borrowed through it only.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and mutably through a mutable guard only.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for LockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Free before the waker of the next task is called.
        self.lock.locked.set(false);
        // Whoever holds the lock was the only one woken.
        debug_assert_eq!(self.lock.waiters.woken(), 0, "two tasks had the turn");
        self.lock.waiters.wake_first();
    }
}

impl<T: fmt::Debug> fmt::Debug for LockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

pin_project! {
    /// The wait for a [`Lock`], from [`Lock::acquire`].
    #[must_use = "nothing is locked until the future is awaited"]
    pub struct AcquireLock<'a, T> {
        lock: &'a Lock<T>,
        #[pin]
        waiter: Waiter<'a>,
    }

    impl<T> PinnedDrop for AcquireLock<'_, T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.waiter.abandon() {
                this.lock.wake_next();
            }
        }
    }
}

impl<'a, T> Future for AcquireLock<'a, T> {
    type Output = LockGuard<'a, T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.waiter.is_idle()
            && let Some(guard) = this.lock.try_acquire()
        {
            return Poll::Ready(guard);
        }
        ready!(this.waiter.poll_woken(cx));
        // Nobody took it since the wake: newcomers line up behind this waiter.
        Poll::Ready(this.lock.guard())
    }
}

impl<T> fmt::Debug for AcquireLock<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireLock").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "lock_tests.rs"]
mod tests;
