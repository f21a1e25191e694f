//! Mutual exclusion between the tasks of one loop.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell, RefMut};
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
/// A task that holds no lock across an `.await` needs none: use a
/// [`Cell`] or a [`RefCell`] then.
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
    state: LockState,
    value: RefCell<T>,
}

impl<T> Lock<T> {
    /// An unlocked lock around `value`.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self {
            state: LockState {
                locked: Cell::new(false),
                waiters: WaitQueue::new(),
            },
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
    pub fn acquire(&self) -> AcquireLock<'_, T> {
        AcquireLock {
            lock: self,
            waiter: Waiter::new(&self.state.waiters, ()),
        }
    }

    /// Takes the lock if it is free and nobody is in line for it.
    #[doc(alias = "try_lock")]
    #[must_use = "the lock is released as soon as the guard is dropped"]
    pub fn try_acquire(&self) -> Option<LockGuard<'_, T>> {
        let free = !self.state.locked.get() && self.state.waiters.is_idle();
        free.then(|| self.take())
    }

    /// Is the lock held?
    ///
    /// It is not while it is on its way from one task to the next; yet
    /// [`try_acquire`](Self::try_acquire) fails then.
    #[must_use]
    pub fn locked(&self) -> bool {
        self.state.locked.get()
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
            waiting: self.state.waiters.waiting(),
        }
    }

    fn take(&self) -> LockGuard<'_, T> {
        debug_assert!(!self.state.locked.get(), "two tasks hold one lock");
        self.state.locked.set(true);
        LockGuard {
            value: self.value.borrow_mut(),
            held: Held { state: &self.state },
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
        out.field("waiting", &self.state.waiters.waiting()).finish()
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
    held: Held<'a>,
}

impl<T> LockGuard<'_, T> {
    /// Is it `lock` that it holds?
    pub(super) fn belongs_to(&self, lock: &Lock<T>) -> bool {
        std::ptr::eq(self.held.state, &lock.state)
    }
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
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
                this.lock.state.wake_next();
            }
        }
    }
}

impl<'a, T> Future for AcquireLock<'a, T> {
    type Output = LockGuard<'a, T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.waiter.is_idle()
            && let Some(guard) = this.lock.try_acquire()
        {
            return Poll::Ready(guard);
        }
        ready!(this.waiter.poll_woken(cx));
        Poll::Ready(this.lock.take())
    }
}

impl<T> fmt::Debug for AcquireLock<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireLock").finish_non_exhaustive()
    }
}

/// Everything about the lock but its value.
struct LockState {
    locked: Cell<bool>,
    waiters: WaitQueue,
}

impl LockState {
    /// Wakes the first in line, unless one is already on its way to the lock.
    fn wake_next(&self) {
        if !self.locked.get() && self.waiters.woken() == 0 {
            self.waiters.wake_first();
        }
    }
}

struct Held<'a> {
    state: &'a LockState,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.state.locked.set(false);
        self.state.wake_next();
    }
}

#[cfg(test)]
#[path = "lock_tests.rs"]
mod tests;
