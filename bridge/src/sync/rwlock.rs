//! A lock that many readers or one writer hold, between loops and threads.
//!
//! # Invariant
//! *Readers or a writer*: a reader's guard has one of all the permits, a
//! writer's has all of them. So where there is a writer's guard, there is no
//! other.

use super::permits::{MOST, Permits, Taking};
use crate::waiters::deadline_after;
use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A value that many tasks and threads may read at the same time, or one may
/// write.
///
/// They come in the order in which they asked: readers that come after a writer
/// that waits, wait behind it, so no writer is starved. asyncio has none.
///
/// # Examples
/// ```
/// use polyloop_bridge::sync::RwLock;
///
/// let settings = RwLock::new(vec!["a"]);
/// settings.write_blocking().push("b");
/// polyloop::run(async {
///     let (one, other) = (settings.read().await, settings.read().await);
///     assert_eq!((one.len(), other.len()), (2, 2));
/// })
/// .unwrap();
/// ```
pub struct RwLock<T = ()> {
    permits: Permits,
    value: UnsafeCell<T>,
}

// SAFETY: readers on several threads share the value, and a writer on any of
// them reaches it alone (*Readers or a writer*).
unsafe impl<T: Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    /// A free lock around `value`.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self {
            permits: Permits::new(ALL),
            value: UnsafeCell::new(value),
        }
    }

    /// Takes the lock for reading, waiting for it.
    ///
    /// A task or thread that reads already must not: a writer in between would
    /// wait for the first guard, and the second one for the writer.
    ///
    /// # Cancel safety
    /// A future that is dropped has taken nothing; had it been given the lock,
    /// the next in line gets it.
    #[doc(alias = "acquire_read")]
    pub fn read(&self) -> AcquireRead<'_, T> {
        AcquireRead {
            lock: self,
            taking: self.permits.take(1),
        }
    }

    /// Takes the lock for writing, waiting for it.
    ///
    /// # Cancel safety
    /// As for [`read`](Self::read); who waits behind it goes on.
    #[doc(alias = "acquire_write")]
    pub fn write(&self) -> AcquireWrite<'_, T> {
        AcquireWrite {
            lock: self,
            taking: self.permits.take(ALL),
        }
    }

    /// Takes the lock for reading if nobody writes or waits.
    #[must_use = "the lock is released as soon as the guard is dropped"]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        let taken = self.permits.try_take(1);
        taken.then(|| self.reader())
    }

    /// Takes the lock for writing if nobody holds it or waits.
    #[must_use = "the lock is released as soon as the guard is dropped"]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        let taken = self.permits.try_take(ALL);
        taken.then(|| self.writer())
    }

    /// Takes the lock for reading, blocking the calling thread. Not for a loop's
    /// thread: if a task of that loop writes, it waits for ever.
    pub fn read_blocking(&self) -> RwLockReadGuard<'_, T> {
        self.permits.take(1).block(None);
        self.reader()
    }

    /// As [`read_blocking`](Self::read_blocking); `None` if it could not be had
    /// within `timeout`.
    pub fn read_blocking_timeout(&self, timeout: Duration) -> Option<RwLockReadGuard<'_, T>> {
        let taken = self.permits.take(1).block(deadline_after(timeout));
        taken.then(|| self.reader())
    }

    /// Takes the lock for writing, blocking the calling thread. Not for a loop's
    /// thread: if a task of that loop holds it, it waits for ever.
    pub fn write_blocking(&self) -> RwLockWriteGuard<'_, T> {
        self.permits.take(ALL).block(None);
        self.writer()
    }

    /// As [`write_blocking`](Self::write_blocking); `None` if it could not be
    /// had within `timeout`.
    pub fn write_blocking_timeout(&self, timeout: Duration) -> Option<RwLockWriteGuard<'_, T>> {
        let taken = self.permits.take(ALL).block(deadline_after(timeout));
        taken.then(|| self.writer())
    }

    /// Is it held, for reading or for writing?
    #[must_use]
    pub fn locked(&self) -> bool {
        self.permits.free() < ALL
    }

    /// The value, which nobody else can reach now.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }

    /// Who holds it and who waits.
    #[must_use]
    pub fn statistics(&self) -> RwLockStatistics {
        let free = self.permits.free();
        RwLockStatistics {
            readers: if free == 0 { 0 } else { ALL - free },
            writing: free == 0,
            waiting: self.permits.waiting(),
        }
    }

    /// For who has just taken one permit.
    fn reader(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard {
            lock: self,
            value: PhantomData,
        }
    }

    /// For who has just taken all permits.
    fn writer(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard {
            lock: self,
            value: PhantomData,
        }
    }

    fn give(&self, permits: usize) {
        let given = self.permits.give(permits);
        debug_assert!(given, "there is room for what was taken");
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
        match self.try_read() {
            Some(guard) => out.field("value", &&*guard),
            None => out.field("value", &format_args!("<locked>")),
        };
        out.field("waiting", &self.permits.waiting()).finish()
    }
}

/// A look at an [`RwLock`], from [`RwLock::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RwLockStatistics {
    /// Those who hold it for reading.
    pub readers: usize,
    /// Does somebody hold it for writing?
    pub writing: bool,
    /// Tasks and threads that wait and were not given the lock.
    pub waiting: usize,
}

/// An [`RwLock`] held for reading; its drop releases it.
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct RwLockReadGuard<'a, T = ()> {
    lock: &'a RwLock<T>,
    /// Sent and shared as a reference to the value is.
    value: PhantomData<&'a T>,
}

impl<T> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: *Readers or a writer*, and here is a reader.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.give(1);
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// An [`RwLock`] held for writing; its drop releases it.
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct RwLockWriteGuard<'a, T = ()> {
    lock: &'a RwLock<T>,
    /// Sent and shared as the value itself is.
    value: PhantomData<&'a mut T>,
}

impl<'a, T> RwLockWriteGuard<'a, T> {
    /// Goes on as a reader, with nobody having written in between.
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        let lock = self.lock;
        // Of all permits, one stays: it becomes the reader's.
        std::mem::forget(self);
        let reader = lock.reader();
        lock.give(ALL - 1);
        reader
    }
}

impl<T> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: *Readers or a writer*, and here is the writer.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: *Readers or a writer*, and here is the writer.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.give(ALL);
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The wait for an [`RwLock`] to read, from [`RwLock::read`].
#[must_use = "nothing is locked until the future is awaited"]
pub struct AcquireRead<'a, T> {
    lock: &'a RwLock<T>,
    taking: Taking<'a>,
}

impl<'a, T> Future for AcquireRead<'a, T> {
    type Output = RwLockReadGuard<'a, T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.taking.poll(cx).map(|()| this.lock.reader())
    }
}

impl<T> fmt::Debug for AcquireRead<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireRead").finish_non_exhaustive()
    }
}

/// The wait for an [`RwLock`] to write, from [`RwLock::write`].
#[must_use = "nothing is locked until the future is awaited"]
pub struct AcquireWrite<'a, T> {
    lock: &'a RwLock<T>,
    taking: Taking<'a>,
}

impl<'a, T> Future for AcquireWrite<'a, T> {
    type Output = RwLockWriteGuard<'a, T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.taking.poll(cx).map(|()| this.lock.writer())
    }
}

impl<T> fmt::Debug for AcquireWrite<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireWrite").finish_non_exhaustive()
    }
}

/// What a writer takes; more readers than there can be.
const ALL: usize = MOST;
