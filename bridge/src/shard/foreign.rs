//! A value that any thread may have and one loop has.
#![forbid(unsafe_code)]

use super::invocation::Invocation;
use super::store::{self, Gone, Here};
use crate::submit::{Submission, run_coroutine_threadsafe};
use parking_lot::Mutex;
use polyloop::{LoopHandle, Outcome, TaskError, try_current_loop};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::resume_unwind;

/// A value that lives, is used and is dropped on its home loop, and that any
/// thread may hold: `Foreign<T>` is `Send` and `Sync` whatever `T` is.
///
/// Work is sent to the value ([`with`](Self::with), [`invoke`](Self::invoke));
/// the value never comes to the work. Work of one thread starts in the order in
/// which it was sent. Dropping the `Foreign` has the value dropped on its loop,
/// when the last use of it that has begun ends.
///
/// # When the home loop is closed
/// The value is dropped then, on the loop's thread and inside the loop, after
/// all of its tasks have ended and the last value made first. What is sent
/// afterwards answers [`is_loop_closed`](super::InvokeError::is_loop_closed), and
/// dropping the `Foreign` does nothing. So a value never outlives its loop and
/// is never leaked or dropped elsewhere.
///
/// # Examples
/// ```
/// use polyloop_bridge::{Foreign, LoopGroup};
/// use std::cell::RefCell;
/// use std::rc::Rc;
///
/// let group = LoopGroup::builder().loops(1).build()?;
/// // An Rc could not leave its thread; this stays there.
/// let log = Foreign::make_on(group.handle(0), || async {
///     Rc::new(RefCell::new(Vec::new()))
/// });
/// let log = log.result().unwrap();
/// log.with(|log| log.borrow_mut().push("a line")).result().unwrap();
/// let lines = log.with(|log| log.borrow().len());
/// assert_eq!(lines.result().unwrap(), 1);
/// # Ok::<(), polyloop_bridge::group::GroupError>(())
/// ```
#[must_use = "the value is dropped when this is"]
pub struct Foreign<T: 'static> {
    home: LoopHandle,
    number: u64,
    /// Until somebody waits for it.
    gone: Mutex<Option<Gone>>,
    _value: PhantomData<fn() -> T>,
}

impl<T: 'static> Foreign<T> {
    /// Gives a value to the running loop, where it stays.
    ///
    /// # Panics
    /// Outside of a loop; [`make_on`](Self::make_on) works everywhere.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let home = polyloop::current_loop();
        let (number, gone) = store::keep(value);
        Self {
            home,
            number,
            gone: Mutex::new(Some(gone)),
            _value: PhantomData,
        }
    }

    /// Makes a value on a loop, which need not be the running one.
    #[track_caller]
    pub fn make_on<F, Fut>(home: &LoopHandle, make: F) -> Submission<Self>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
    {
        run_coroutine_threadsafe(home, move || async move { Self::new(make().await) })
    }

    /// The loop that it lives on.
    pub fn home(&self) -> &LoopHandle {
        &self.home
    }

    /// The value itself, in code that runs inside its loop; `None` elsewhere.
    ///
    /// What counts is the loop that the calling code runs in, not the one that
    /// the task which polls it came from.
    pub fn here(&self) -> Option<Here<T>> {
        match self.is_here() {
            true => store::find(self.number),
            false => None,
        }
    }

    /// Calls `f` with the value on its loop. The work is sent at the call.
    ///
    /// # Errors
    /// Those of the [`Invocation`].
    #[track_caller]
    pub fn with<F, R>(&self, f: F) -> Invocation<R>
    where
        F: FnOnce(&T) -> R + Send + 'static,
        R: Send + 'static,
    {
        self.invoke(|value: Here<T>| async move { f(&value) })
    }

    /// Calls `f` with the value on its loop and runs the future that it makes,
    /// which need not be `Send`, there as a task. The work is sent at the call.
    ///
    /// The value stays until the future has ended, unless the loop is closed.
    ///
    /// # Errors
    /// Those of the [`Invocation`].
    #[track_caller]
    pub fn invoke<F, Fut>(&self, f: F) -> Invocation<Fut::Output>
    where
        F: FnOnce(Here<T>) -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Send + 'static,
    {
        let number = self.number;
        Invocation::new(run_coroutine_threadsafe(&self.home, move || async move {
            let value = store::find(number)?;
            Some(f(value).await)
        }))
    }

    /// Has the value dropped, and waits until it is, with the uses that have
    /// begun; or until its loop is closed.
    ///
    /// # Cancel safety
    /// Dropping the future waits no longer; the value goes all the same.
    pub async fn end(self) {
        self.end_now().await;
    }

    /// As [`end`](Self::end), for one whose handle others may use still.
    pub(super) async fn end_now(&self) {
        self.forget();
        let gone = self.gone.lock().take();
        if let Some(gone) = gone {
            match gone.await {
                Ok(never) => match never {},
                Err(_gone) => {}
            }
        }
    }

    fn forget(&self) {
        let number = self.number;
        if self.is_here() {
            return store::forget(number);
        }
        let forget = move || async move { store::forget(number) };
        // A closed loop refuses: it has dropped its values.
        let _ = self.home.submit(forget, Forgotten).map(drop);
    }

    fn is_here(&self) -> bool {
        try_current_loop().is_some_and(|current| current == self.home)
    }
}

impl<T: 'static> Drop for Foreign<T> {
    fn drop(&mut self) {
        self.forget();
    }
}

impl<T: 'static> fmt::Debug for Foreign<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foreign")
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}

/// Nobody waits for the drop of a value.
struct Forgotten;

impl Outcome<()> for Forgotten {
    fn resolve(&self, result: Result<(), TaskError>) {
        if let Err(error) = result
            && let Ok(payload) = error.into_panic()
        {
            // The value's own destructor: out of here it goes to the loop's
            // exception handler.
            resume_unwind(payload);
        }
    }
}
