//! Where the context of the running code is: with the task or callback that is
//! being polled, else with the thread.
//!
//! A task without context variables has no place for them, and being created
//! and polled costs it nothing: a loop on which no context was ever set
//! (`Core::unusual`) does not look for one to inherit, and a poll never
//! switches anything, since reading a variable asks for the task that runs.
#![forbid(unsafe_code)]

use super::context::try_with;
use super::core::Core;
use crate::task::TaskRef;
use crate::util::Context;
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

std::thread_local! {
    /// The context of code that runs in no task.
    static OUTSIDE: RefCell<Context> = const { RefCell::new(Context::new()) };
    /// Was `OUTSIDE` ever set? Asked whenever a loop begins to run.
    static USED: Cell<bool> = const { Cell::new(false) };
}

/// Had any code of the process a value in its context? A thread that has got one
/// from elsewhere has got this with it.
static EVER: AtomicBool = AtomicBool::new(false);

/// The context of the calling code; one look in a program without variables.
#[inline]
pub(crate) fn copy() -> Context {
    match EVER.load(Relaxed) {
        true => current(),
        false => Context::new(),
    }
}

/// The context of the calling code.
pub(crate) fn current() -> Context {
    match running() {
        Some(task) => task.context(),
        // Past the thread's end there is no context any more.
        None => OUTSIDE
            .try_with(|outside| outside.borrow().clone())
            .unwrap_or_default(),
    }
}

/// Gives the calling code another context, and returns the one that it had.
pub(crate) fn replace(context: Context) -> Context {
    if !context.is_empty() {
        EVER.store(true, Relaxed);
        try_with(|core| core.unusual.has_contexts());
    }
    match running() {
        Some(task) => task.replace_context(context),
        None => {
            USED.set(true);
            OUTSIDE
                .try_with(|outside| outside.replace(context))
                .unwrap_or_default()
        }
    }
}

fn running() -> Option<TaskRef> {
    try_with(|core| core.running.get()).flatten()
}

impl Core {
    /// The loop begins to run on this thread, whose context its tasks inherit.
    pub(super) fn look_for_contexts(&self) {
        if USED.get() {
            self.unusual.has_contexts();
        }
    }

    /// A new task or callback has its creator's context.
    pub(super) fn inherit(&self, task: TaskRef) {
        let context = current();
        if !context.is_empty() {
            task.replace_context(context);
        }
    }
}
