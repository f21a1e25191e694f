//! A value that is made once, by a future.

#![forbid(unsafe_code)]

use std::cell::{Cell, OnceCell};
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::wait_queue::{WaitQueue, Waiter};

/// A value that the first task that needs it makes, while the others wait for
/// it: a `OnceCell` whose initialiser may await.
///
/// If making it fails, panics or is cancelled, the next task in line makes it.
///
/// ```
/// use polyloop::sync::Once;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let config = Once::new();
///     let load = || async {
///         polyloop::yield_now().await;
///         "loaded"
///     };
///     let (one, other) = polyloop::gather!(
///         config.get_or_init(load),
///         config.get_or_init(|| async { "never asked" }),
///     ).await;
///     assert_eq!((*one, *other), ("loaded", "loaded"));
/// })
/// # }
/// ```
#[doc(alias = "OnceCell")]
pub struct Once<T> {
    value: OnceCell<T>,
    making: Cell<bool>,
    waiters: WaitQueue,
}

impl<T> Once<T> {
    /// One without a value.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            value: OnceCell::new(),
            making: Cell::new(false),
            waiters: WaitQueue::new(),
        }
    }

    /// The value, if it was made.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// The value, to change it: nobody else has it.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// Ends it and returns the value, if it was made.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Sets the value without a future.
    ///
    /// # Errors
    ///
    /// `value`, if there is one already or a task is making one.
    pub fn set(&self, value: T) -> Result<(), T> {
        if self.making.get() {
            return Err(value);
        }
        self.value.set(value)?;
        self.waiters.wake_all();
        Ok(())
    }

    /// Returns the value; makes it with `make` if no other task has or does.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped while it makes the value, or was to make it
    /// next, leaves that to the next task in line.
    pub async fn get_or_init<F: Future<Output = T>>(&self, make: impl FnOnce() -> F) -> &T {
        let make = async || Ok::<T, Infallible>(make().await);
        match self.get_or_try_init(make).await {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// As [`get_or_init`](Self::get_or_init), with a `make` that may fail.
    ///
    /// # Errors
    ///
    /// What `make` failed with; the next task in line tries then.
    ///
    /// # Cancel safety
    ///
    /// As for [`get_or_init`](Self::get_or_init).
    pub async fn get_or_try_init<E, F: Future<Output = Result<T, E>>>(
        &self,
        make: impl FnOnce() -> F,
    ) -> Result<&T, E> {
        loop {
            if let Some(value) = self.value.get() {
                return Ok(value);
            }
            if !self.making.replace(true) {
                break;
            }
            TurnToMake {
                once: self,
                waiter: Waiter::new(&self.waiters, ()),
            }
            .await;
        }
        let _making = Making(self);
        let value = make().await?;
        // Nobody else sets it while `making` is true.
        Ok(self.value.get_or_init(|| value))
    }

    /// Whether there is a value, or a task makes one, and how many wait for it.
    #[must_use]
    pub fn statistics(&self) -> OnceStatistics {
        OnceStatistics {
            made: self.value.get().is_some(),
            making: self.making.get(),
            waiting: self.waiters.waiting(),
        }
    }

    /// Wakes those whom the present state concerns, unless a task makes the
    /// value: all if it is made, else the one who is to make it.
    fn tell(&self) {
        if self.value.get().is_some() {
            self.waiters.wake_all();
        } else if !self.making.get() {
            self.waiters.wake_first();
        }
    }
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Once<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once")
            .field("value", &self.value.get())
            .field("waiting", &self.waiters.waiting())
            .finish()
    }
}

/// A look at a [`Once`], from [`Once::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OnceStatistics {
    /// Is there a value?
    pub made: bool,
    /// Does a task make it?
    pub making: bool,
    /// Tasks that wait for it and have not been woken.
    pub waiting: usize,
}

/// The task that makes the value; dropped when it has, or has not.
struct Making<'a, T>(&'a Once<T>);

impl<T> Drop for Making<'_, T> {
    fn drop(&mut self) {
        self.0.making.set(false);
        self.0.tell();
    }
}

pin_project! {
    /// The wait for the value, or for the turn to make it.
    struct TurnToMake<'a, T> {
        once: &'a Once<T>,
        #[pin]
        waiter: Waiter<'a>,
    }

    impl<T> PinnedDrop for TurnToMake<'_, T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.waiter.abandon() {
                this.once.tell();
            }
        }
    }
}

impl<T> Future for TurnToMake<'_, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.project().waiter.poll_woken(cx));
        Poll::Ready(())
    }
}

#[cfg(test)]
#[path = "once_tests.rs"]
mod tests;
