//! A lock that many readers or one writer hold.

#![forbid(unsafe_code)]

use std::cell::{Ref, RefCell, RefMut};
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::semaphore::{AcquireSemaphore, Semaphore, SemaphorePermit};

/// A lock that any number of tasks hold to read a value, or one to change it.
///
/// asyncio has none; the rules are those of [`Lock`](super::Lock): who asks first
/// is served first, so that a stream of readers does not keep a writer out, and
/// readers that stand in line one after the other get the lock together.
///
/// A task that holds the lock must not ask for it again, not even to read twice:
/// if a writer stands in line between, both wait for ever.
///
/// ```
/// use polyloop::sync::RwLock;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let names = RwLock::new(vec!["Ada"]);
///     {
///         let one = names.read().await;
///         let other = names.read().await;
///         assert_eq!(one.len(), other.len());
///     }
///     names.write().await.push("Grace");
///     assert_eq!(names.into_inner(), ["Ada", "Grace"]);
/// })
/// # }
/// ```
pub struct RwLock<T = ()> {
    /// A reader takes one permit, a writer all.
    permits: Semaphore,
    value: RefCell<T>,
}

impl<T> RwLock<T> {
    /// An unlocked lock around `value`.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self {
            permits: Semaphore::new(ALL),
            value: RefCell::new(value),
        }
    }

    /// Waits until no task writes, and holds the lock together with other
    /// readers until the guard is dropped.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped while it waits gives up its place; if the lock
    /// had just been handed to it, the next in line gets it.
    #[doc(alias = "acquire_read")]
    #[inline]
    pub fn read(&self) -> AcquireRead<'_, T> {
        AcquireRead {
            lock: self,
            acquire: self.permits.acquire_many(1),
        }
    }

    /// Waits until no task reads or writes, and holds the lock alone until the
    /// guard is dropped.
    ///
    /// # Cancel safety
    ///
    /// As for [`read`](Self::read); readers that stood in line behind it only
    /// get the lock at once.
    #[doc(alias = "acquire_write")]
    #[inline]
    pub fn write(&self) -> AcquireWrite<'_, T> {
        AcquireWrite {
            lock: self,
            acquire: self.permits.acquire_many(ALL),
        }
    }

    /// Takes the lock to read if no task writes and nobody is in line.
    #[must_use = "the lock is released as soon as the guard is dropped"]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        let permit = self.permits.try_acquire_many(1)?;
        Some(self.reader(permit))
    }

    /// Takes the lock to write if no task holds it and nobody is in line.
    #[must_use = "the lock is released as soon as the guard is dropped"]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        let permit = self.permits.try_acquire_many(ALL)?;
        Some(self.writer(permit))
    }

    /// Is the lock held, by readers or a writer?
    #[must_use]
    pub fn locked(&self) -> bool {
        self.permits.available_permits() < ALL
    }

    /// The value, without locking: nobody else can have the lock.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Ends the lock and returns its value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }

    /// Who holds the lock and how many tasks wait for it.
    #[must_use]
    pub fn statistics(&self) -> RwLockStatistics {
        let permits = self.permits.statistics();
        let writing = permits.available == 0;
        RwLockStatistics {
            readers: if writing { 0 } else { ALL - permits.available },
            writing,
            waiting: permits.waiting,
        }
    }

    #[inline]
    fn reader<'a>(&'a self, permit: SemaphorePermit<'a>) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard {
            value: self.value.borrow(),
            _permit: permit,
        }
    }

    #[inline]
    fn writer<'a>(&'a self, permit: SemaphorePermit<'a>) -> RwLockWriteGuard<'a, T> {
        RwLockWriteGuard {
            value: self.value.borrow_mut(),
            permit,
            lock: self,
        }
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RwLock");
        match self.value.try_borrow() {
            Ok(value) => out.field("value", &&*value),
            Err(_) => out.field("value", &format_args!("<locked>")),
        };
        out.field("waiting", &self.permits.statistics().waiting)
            .finish()
    }
}

/// A look at a [`RwLock`], from [`RwLock::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RwLockStatistics {
    /// Tasks that hold the lock to read, or were woken to.
    pub readers: usize,
    /// Does a task hold the lock to write, or was one woken to?
    pub writing: bool,
    /// Tasks that wait and have not been woken.
    pub waiting: usize,
}

/// A [`RwLock`] held to read; dropping it lets those in line have it.
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct RwLockReadGuard<'a, T = ()> {
    // Fields are dropped in this order: the value is no longer borrowed when
    // the waker of the next task is called.
    value: Ref<'a, T>,
    _permit: SemaphorePermit<'a>,
}

impl<T> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A [`RwLock`] held to write; dropping it lets those in line have it.
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct RwLockWriteGuard<'a, T = ()> {
    // In this order, as above.
    value: RefMut<'a, T>,
    permit: SemaphorePermit<'a>,
    lock: &'a RwLock<T>,
}

impl<'a, T> RwLockWriteGuard<'a, T> {
    /// Goes on as a reader: no other writer gets in between, and readers at the
    /// head of the line get the lock as well.
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        let Self {
            value,
            mut permit,
            lock,
        } = self;
        drop(value);
        let reader = RwLockReadGuard {
            value: lock.value.borrow(),
            _permit: permit.split_off(1),
        };
        drop(permit);
        reader
    }
}

impl<T> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

pin_project! {
    /// The wait to read, from [`RwLock::read`].
    #[must_use = "nothing is locked until the future is awaited"]
    pub struct AcquireRead<'a, T> {
        lock: &'a RwLock<T>,
        #[pin]
        acquire: AcquireSemaphore<'a>,
    }
}

impl<'a, T> Future for AcquireRead<'a, T> {
    type Output = RwLockReadGuard<'a, T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let lock: &'a RwLock<T> = this.lock;
        this.acquire.poll(cx).map(|permit| lock.reader(permit))
    }
}

impl<T> fmt::Debug for AcquireRead<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireRead").finish_non_exhaustive()
    }
}

pin_project! {
    /// The wait to write, from [`RwLock::write`].
    #[must_use = "nothing is locked until the future is awaited"]
    pub struct AcquireWrite<'a, T> {
        lock: &'a RwLock<T>,
        #[pin]
        acquire: AcquireSemaphore<'a>,
    }
}

impl<'a, T> Future for AcquireWrite<'a, T> {
    type Output = RwLockWriteGuard<'a, T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let lock: &'a RwLock<T> = this.lock;
        this.acquire.poll(cx).map(|permit| lock.writer(permit))
    }
}

impl<T> fmt::Debug for AcquireWrite<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireWrite").finish_non_exhaustive()
    }
}

/// More readers than a [`RefCell`] counts borrows are not to be had.
const ALL: usize = usize::MAX >> 2;

#[cfg(test)]
#[path = "rwlock_tests.rs"]
mod tests;
