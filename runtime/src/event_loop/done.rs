//! Callbacks that wait for the end of a task or a future.
#![forbid(unsafe_code)]

use super::core::Core;
use super::vars;
use crate::remote::LoopHandle;
use crate::task::{DoneCallback, Home, Task};
use std::marker::PhantomData;

impl<T> Task<T> {
    /// Calls `callback` in the turn after the task is done; in the next turn,
    /// if it is done already. Never inline. Several are called in the order in
    /// which they were added, each with the context variables of the code that
    /// added it. asyncio's `Future.add_done_callback`.
    ///
    /// # Panics
    /// Never here: a panic in `callback` goes to the exception handler.
    ///
    /// # Examples
    /// ```
    /// use std::{cell::Cell, rc::Rc};
    /// # polyloop::run(async {
    /// let told = Rc::new(Cell::new(false));
    /// let task = polyloop::create_task(async {});
    /// task.add_done_callback({
    ///     let told = told.clone();
    ///     move || told.set(true)
    /// });
    /// task.await.unwrap();
    /// polyloop::yield_now().await;
    /// assert!(told.get());
    /// # }).unwrap();
    /// ```
    pub fn add_done_callback(&self, callback: impl FnOnce() + 'static) {
        let callback = DoneCallback {
            context: vars::current(),
            call: Box::new(callback),
        };
        if self.is_finished() {
            Core::schedule_callback(self.as_ref().header().home, callback);
        } else {
            self.as_ref().push_done_callback(callback);
        }
    }
}

/// A callback that is to run on the loop that it was made on, wherever what it
/// waits for is resolved: in a turn of that loop, or between two runs.
pub(crate) struct PendingCallback {
    home: LoopHandle,
    callback: DoneCallback,
    /// A callback must not leave the loop's thread.
    _thread: PhantomData<*const ()>,
}

impl PendingCallback {
    /// # Panics
    /// Outside of a loop.
    #[track_caller]
    pub(crate) fn new(call: impl FnOnce() + 'static) -> Self {
        let callback = DoneCallback {
            context: vars::current(),
            call: Box::new(call),
        };
        Self {
            home: super::current_loop(),
            callback,
            _thread: PhantomData,
        }
    }

    /// Calls it in a later turn; drops it if the loop is closed.
    pub(crate) fn schedule(self) {
        Core::schedule_callback(self.home.home(), self.callback);
    }
}
