//! A result that somebody will set: the place where callbacks become awaits.

mod error;
// The only one with unsafe code: a wait that owns what it waits for.
mod owned;
mod wait;

use std::cell::{Cell, OnceCell, RefCell};
use std::error::Error;
use std::fmt;
use std::rc::Rc;

use super::wait_queue::{WaitQueue, Waiter};
use crate::event_loop::{PendingCallback, tell_unawaited};

pub use error::{FutureError, InvalidStateError};
pub use owned::FutureOutput;
pub use wait::{FutureWait, PromiseCancelled};

/// A future without a result, and the promise that sets it: asyncio's
/// `loop.create_future()`.
///
/// ```
/// use polyloop::sync::create_future;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let (promise, future) = create_future();
///     polyloop::call_soon(move || {
///         promise.set_result("called").expect("nobody cancels the future");
///     });
///     assert_eq!(future.await.expect("a result is set"), "called");
/// })
/// # }
/// ```
#[must_use = "without the promise the future has no result"]
pub fn create_future<T>() -> (Promise<T>, Future<T>) {
    let future = Future {
        shared: Rc::new(Shared {
            outcome: OnceCell::new(),
            waiters: WaitQueue::new(),
            callbacks: RefCell::default(),
            next_callback: Cell::new(0),
            retrieved: Cell::new(false),
        }),
    };
    let promise = Promise {
        future: future.clone(),
    };
    (promise, future)
}

/// A result that somebody will set: `asyncio.Future`, from [`create_future`].
///
/// It can be cloned and awaited many times. `(&future).await` gives a reference
/// to the result and `future.await` a clone of it.
///
/// An error that was set and that nobody looked at is told to the loop's
/// exception handler when the last clone is dropped.
pub struct Future<T> {
    shared: Rc<Shared<T>>,
}

impl<T> Future<T> {
    /// Waits for the result and returns a reference to it.
    ///
    /// # Errors
    ///
    /// [`FutureError`] if an error was set, or the future was cancelled, or its
    /// promise was dropped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the wait does not cancel the future, nor anybody else's wait.
    pub fn wait(&self) -> FutureWait<'_, T> {
        FutureWait {
            future: self,
            waiter: Waiter::new(&self.shared.waiters, ()),
        }
    }

    /// The result that was set.
    ///
    /// # Errors
    ///
    /// [`FutureError`] if an error was set, or the future was cancelled, or its
    /// promise was dropped, or it is not done: asyncio's `InvalidStateError`.
    pub fn result(&self) -> Result<&T, FutureError> {
        match self.look() {
            Some(Outcome::Result(value)) => Ok(value),
            outcome => Err(FutureError::of(outcome)),
        }
    }

    /// The error that was set; `None` if it was a result.
    ///
    /// # Errors
    ///
    /// [`FutureError`] if the future was cancelled, or its promise was dropped,
    /// or it is not done.
    pub fn exception(&self) -> Result<Option<&Rc<dyn Error>>, FutureError> {
        match self.look() {
            Some(Outcome::Result(_)) => Ok(None),
            Some(Outcome::Exception(error)) => Ok(Some(error)),
            outcome => Err(FutureError::of(outcome)),
        }
    }

    /// Is there a result or an error, or will there be none?
    #[must_use]
    pub fn done(&self) -> bool {
        self.shared.outcome.get().is_some()
    }

    /// Was it cancelled?
    #[must_use]
    pub fn cancelled(&self) -> bool {
        matches!(self.shared.outcome.get(), Some(Outcome::Cancelled))
    }

    /// Cancels the future, so that nobody can set its result; `false` if it is
    /// done already.
    pub fn cancel(&self) -> bool {
        self.shared.settle(Outcome::Cancelled).is_ok()
    }

    /// Calls `callback` in the turn after the future is done; in the next turn
    /// if it is done already. Never inline, in the order of the additions, and
    /// each with the context variables of the code that added it.
    ///
    /// # Panics
    ///
    /// Outside of a loop. A panic in the callback goes to the exception handler.
    #[track_caller]
    pub fn add_done_callback(&self, callback: impl FnOnce() + 'static) -> CallbackId {
        let callback = PendingCallback::new(callback);
        let id = CallbackId(self.shared.next_callback.get());
        self.shared.next_callback.set(id.0 + 1);
        if self.done() {
            callback.schedule();
        } else {
            self.shared.callbacks.borrow_mut().push((id, callback));
        }
        id
    }

    /// Takes back a callback that is not scheduled yet; `false` if there is no
    /// such callback.
    pub fn remove_done_callback(&self, id: CallbackId) -> bool {
        let removed = {
            let mut callbacks = self.shared.callbacks.borrow_mut();
            let at = callbacks.iter().position(|(known, _)| *known == id);
            at.map(|at| callbacks.remove(at))
        };
        // What it holds is dropped when the list is not borrowed any more.
        removed.is_some()
    }

    /// Whether it is done, and who waits for that.
    #[must_use]
    pub fn statistics(&self) -> FutureStatistics {
        FutureStatistics {
            done: self.done(),
            waiting: self.shared.waiters.waiting(),
            callbacks: self.shared.callbacks.borrow().len(),
        }
    }

    /// The outcome, which counts as looked at.
    fn look(&self) -> Option<&Outcome<T>> {
        let outcome = self.shared.outcome.get()?;
        self.shared.retrieved.set(true);
        Some(outcome)
    }
}

impl<T> Clone for Future<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Rc::clone(&self.shared),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Future");
        match self.shared.outcome.get() {
            None => out.field("state", &"pending"),
            Some(Outcome::Result(value)) => out.field("result", value),
            Some(Outcome::Exception(error)) => out.field("exception", error),
            Some(Outcome::Cancelled) => out.field("state", &"cancelled"),
            Some(Outcome::Abandoned) => out.field("state", &"abandoned"),
        };
        let callbacks = self.statistics().callbacks;
        out.field("callbacks", &callbacks).finish()
    }
}

/// The end that sets the result of a [`Future`], from [`create_future`].
///
/// If it is dropped before, whoever waits gets an error.
pub struct Promise<T> {
    future: Future<T>,
}

impl<T> Promise<T> {
    /// Sets the result and wakes all who wait.
    ///
    /// # Errors
    ///
    /// [`InvalidStateError`] with `value` if the future is done already.
    pub fn set_result(&self, value: T) -> Result<(), InvalidStateError<T>> {
        if self.done() {
            return Err(InvalidStateError(value));
        }
        let settled = self.future.shared.settle(Outcome::Result(value));
        debug_assert!(settled.is_ok(), "nothing ran since it was not done");
        Ok(())
    }

    /// Sets an error, which everybody who awaits the future gets.
    ///
    /// # Errors
    ///
    /// [`InvalidStateError`] with `error` if the future is done already.
    pub fn set_exception<E: Error + 'static>(&self, error: E) -> Result<(), InvalidStateError<E>> {
        if self.done() {
            return Err(InvalidStateError(error));
        }
        let settled = self
            .future
            .shared
            .settle(Outcome::Exception(Rc::new(error)));
        debug_assert!(settled.is_ok(), "nothing ran since it was not done");
        Ok(())
    }

    /// Cancels the future; `false` if it is done already.
    pub fn cancel(&self) -> bool {
        self.future.cancel()
    }

    /// Does the future have a result or an error, or was it cancelled?
    #[must_use]
    pub fn done(&self) -> bool {
        self.future.done()
    }

    /// Was the future cancelled? Its result is not wanted then.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.future.cancelled()
    }

    /// Waits until the future is cancelled, for who works on its result: race
    /// the work with it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the wait changes nothing for anybody else.
    pub fn wait_cancelled(&self) -> PromiseCancelled<'_, T> {
        PromiseCancelled {
            promise: self,
            waiter: Waiter::new(&self.future.shared.waiters, ()),
        }
    }

    /// Another handle to the future.
    #[must_use]
    pub fn future(&self) -> Future<T> {
        self.future.clone()
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        // If it is done, there is nothing to give up.
        let _ = self.future.shared.settle(Outcome::Abandoned);
    }
}

impl<T: fmt::Debug> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Promise").field(&self.future).finish()
    }
}

/// Names a callback, for [`Future::remove_done_callback`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallbackId(u64);

/// A look at a [`Future`], from [`Future::statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FutureStatistics {
    /// Is it done?
    pub done: bool,
    /// Tasks that wait and have not been woken.
    pub waiting: usize,
    /// Callbacks that have not been scheduled.
    pub callbacks: usize,
}

/// What became of a future; once set, it stays.
enum Outcome<T> {
    Result(T),
    Exception(Rc<dyn Error>),
    Cancelled,
    /// The promise was dropped.
    Abandoned,
}

struct Shared<T> {
    outcome: OnceCell<Outcome<T>>,
    waiters: WaitQueue,
    callbacks: RefCell<Vec<(CallbackId, PendingCallback)>>,
    next_callback: Cell<u64>,
    retrieved: Cell<bool>,
}

impl<T> Shared<T> {
    /// Sets the outcome, schedules the callbacks and wakes who waits; gives the
    /// outcome back if there is one.
    fn settle(&self, outcome: Outcome<T>) -> Result<(), Outcome<T>> {
        self.outcome.set(outcome)?;
        for (_, callback) in self.callbacks.take() {
            callback.schedule();
        }
        self.waiters.wake_all();
        Ok(())
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if let Some(Outcome::Exception(error)) = self.outcome.get()
            && !self.retrieved.get()
        {
            tell_unawaited("a future's exception was never retrieved", &**error);
        }
    }
}

#[cfg(test)]
mod tests;
