//! Mutual exclusion between the tasks of one loop.

#![forbid(unsafe_code)]

use std::cell::{RefCell, RefMut};
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
/// A task that holds no lock across an `.await` needs none: X
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
    /// Mutably borrowed while a task holds the lock, and never otherwise.
    value: RefCell<T>,
}

impl<T> Lock<T> {
    /// An unlocked lock around `value`.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self {
            waiters: WaitQueue::new(),
            value: RefCell::new(value),
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
        if !self.waiters.is_idle() {
            return None;
        }
        let value = self.value.try_borrow_mut().ok()?;
        Some(self.guard(value))
    }

    /// Is the lock held?
    ///
    /// It is not while it is on its way from one task to the next; yet
    /// [`try_acquire`](Self::try_acquire) fails then.
    #[must_use]
    #[inline]
    pub fn locked(&self) -> bool {
        self.value.try_borrow().is_err()
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

    #[inline]
    fn guard<'a>(&'a self, value: RefMut<'a, T>) -> LockGuard<'a, T> {
        LockGuard {
            value,
            turn: Turn(&self.waiters),
        }
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
        let mut out = f.debug_struct("Lock");
        match self.value.try_borrow() {
            Ok(value) => out.field("value", &&*value),
            Err(_) => out.field("value", &format_args!("<locked>")),
        };
        out.field("waiting", &self.waiters.waiting()).finish()
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
    // Fields are dropped in this order: the value is no longer borrowed when
    // the waker of the next task is called.
    value: RefMut<'a, T>,
    turn: Turn<'a>,
}

impl<T> LockGuard<'_, T> {
    /// Is it `lock` that it holds?
    pub(super) fn belongs_to(&self, lock: &Lock<T>) -> bool {
        std::ptr::eq(self.turn.0, &raw const lock.waiters)
    }
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
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
        let lock: &'a Lock<T> = this.lock;
        Poll::Ready(lock.guard(lock.value.borrow_mut()))
    }
}

impl<T> fmt::Debug for AcquireLock<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireLock").finish_non_exhaustive()
    }
}

/// The turn of who holds the lock, which goes to the next in line.
struct Turn<'a>(&'a WaitQueue);

impl Drop for Turn<'_> {
    #[inline]
    fn drop(&mut self) {
        // Whoever holds the lock was the only one woken.
        debug_assert_eq!(self.0.woken(), 0, "two tasks had the turn");
        self.0.wake_first();
    }
}

#[cfg(test)]
#[path = "lock_tests.rs"]
mod tests;
