//! Mutual exclusion between loops and threads.
//!
//! # Invariant
//! *One holder*: a guard is made only by who has taken the one permit, and its
//! drop gives it back. So a guard's value is nobody else's.

use super::permits::{Permits, Taking};
use crate::waiters::deadline_after;
use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A value that one task or thread at a time may use, and may keep while it
/// awaits: `asyncio.Lock`, `threading.Lock`.
///
/// It goes to tasks of any loop and to threads in the order in which they
/// asked. If nobody waits, acquiring and releasing are one atomic operation
/// each. A holder that panics releases it; the value is then as it was left.
///
/// # Examples
/// ```
/// use polyloop_bridge::sync::Lock;
///
/// let total = Lock::new(0);
/// std::thread::scope(|scope| {
///     scope.spawn(|| *total.acquire_blocking() += 1);
///     scope.spawn(|| {
///         polyloop::run(async { *total.acquire().await += 1 }).unwrap();
///     });
/// });
/// assert_eq!(total.into_inner(), 2);
/// ```
#[doc(alias = "Mutex")]
pub struct Lock<T = ()> {
    permits: Permits,
    value: UnsafeCell<T>,
}

// SAFETY: the value goes from thread to thread, and *One holder* at a time
// reaches it.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// A free lock around `value`.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self {
            permits: Permits::new(1),
            value: UnsafeCell::new(value),
        }
    }

    /// Takes the lock, waiting for it.
    ///
    /// # Cancel safety
    /// A future that is dropped has taken nothing; had it been given the lock,
    /// the next in line gets it.
    #[doc(alias = "lock")]
    pub fn acquire(&self) -> AcquireLock<'_, T> {
        AcquireLock {
            lock: self,
            taking: self.permits.take(1),
        }
    }

    /// Takes the lock if it is free and nobody waits.
    #[doc(alias = "try_lock")]
    #[must_use = "the lock is released as soon as the guard is dropped"]
    pub fn try_acquire(&self) -> Option<LockGuard<'_, T>> {
        let taken = self.permits.try_take(1);
        taken.then(|| self.guard())
    }

    /// Takes the lock, blocking the calling thread. Not for a loop's thread: if
    /// a task of that loop holds the lock, it waits for ever.
    pub fn acquire_blocking(&self) -> LockGuard<'_, T> {
        self.permits.take(1).block(None);
        self.guard()
    }

    /// As [`acquire_blocking`](Self::acquire_blocking); `None` if it was not
    /// free within `timeout`.
    pub fn acquire_blocking_timeout(&self, timeout: Duration) -> Option<LockGuard<'_, T>> {
        let taken = self.permits.take(1).block(deadline_after(timeout));
        taken.then(|| self.guard())
    }

    /// Is it held, or on its way to somebody who waits?
    #[must_use]
    pub fn locked(&self) -> bool {
        self.permits.free() == 0
    }

    /// The value, which nobody else can reach now.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }

    /// Whether it is held and who waits.
    #[must_use]
    pub fn statistics(&self) -> LockStatistics {
        LockStatistics {
            locked: self.locked(),
            waiting: self.permits.waiting(),
        }
    }

    /// For who has just taken the permit.
    fn guard(&self) -> LockGuard<'_, T> {
        LockGuard {
            lock: self,
            value: PhantomData,
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
        let mut out = f.debug_struct("Lock");
        match self.try_acquire() {
            Some(guard) => out.field("value", &&*guard),
            None => out.field("value", &format_args!("<locked>")),
        };
        out.field("waiting", &self.permits.waiting()).finish()
    }
}

/// A look at a [`Lock`], from [`Lock::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockStatistics {
    /// Is it held, or on its way to somebody who waits?
    pub locked: bool,
    /// Tasks and threads that wait and were not given the lock.
    pub waiting: usize,
}

/// The held lock; its drop releases it. It may be dropped on another thread.
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct LockGuard<'a, T = ()> {
    lock: &'a Lock<T>,
    /// Sent and shared as the value itself is.
    value: PhantomData<&'a mut T>,
}

impl<T> LockGuard<'_, T> {
    pub(super) fn belongs_to(&self, lock: &Lock<T>) -> bool {
        std::ptr::eq(self.lock, lock)
    }
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: *One holder*, and that is this guard.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: *One holder*, and that is this guard.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for LockGuard<'_, T> {
    fn drop(&mut self) {
        let released = self.lock.permits.give(1);
        debug_assert!(released, "there is room for the one permit");
    }
}

impl<T: fmt::Debug> fmt::Debug for LockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The wait for a [`Lock`], from [`Lock::acquire`].
#[must_use = "nothing is locked until the future is awaited"]
pub struct AcquireLock<'a, T> {
    lock: &'a Lock<T>,
    taking: Taking<'a>,
}

impl<'a, T> Future for AcquireLock<'a, T> {
    type Output = LockGuard<'a, T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<LockGuard<'a, T>> {
        let this = self.get_mut();
        this.taking.poll(cx).map(|()| this.lock.guard())
    }
}

impl<T> fmt::Debug for AcquireLock<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireLock").finish_non_exhaustive()
    }
}
