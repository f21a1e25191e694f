//! Which loop the calling thread is inside of: one pointer in a thread-local
//! that needs no destructor, so it can be read until the thread's last moment.

use super::core::Core;
use crate::error::NO_LOOP;
use crate::loom::thread_local;
use std::cell::Cell;
use std::ptr;

#[cfg(not(loom))]
thread_local! {
    static CURRENT: Cell<*const Core> = const { Cell::new(ptr::null()) };
}
#[cfg(loom)]
thread_local! {
    static CURRENT: Cell<*const Core> = Cell::new(ptr::null());
}

/// The loop that the calling thread is inside of.
#[inline(always)]
pub(super) fn current() -> *const Core {
    CURRENT.try_with(Cell::get).unwrap_or(ptr::null())
}

/// Makes `core` the current loop while the guard lives.
pub(super) struct Enter {
    before: *const Core,
}

impl Enter {
    /// The guard must be dropped before the core is; the event loop, which owns
    /// the core, keeps it on its own stack.
    pub(super) fn new(core: &Core) -> Self {
        core.look_for_contexts();
        Self {
            before: CURRENT.with(|current| current.replace(core)),
        }
    }
}

impl Drop for Enter {
    fn drop(&mut self) {
        CURRENT.with(|current| current.set(self.before));
    }
}

/// Calls `f` with the current loop, if there is one.
#[inline(always)]
pub(crate) fn try_with<R>(f: impl FnOnce(&Core) -> R) -> Option<R> {
    let core = current();
    if core.is_null() {
        return None;
    }
    // SAFETY: set by an `Enter` guard on this thread, which the core outlives.
    Some(f(unsafe { &*core }))
}

/// A panic that nobody awaits, caught in code of this crate.
pub(crate) fn report_panic(payload: Box<dyn std::any::Any + Send>) {
    let observer = try_with(|core| core.observer.clone());
    observer.unwrap_or_default().panicked(None, payload);
}

/// An error that nobody looks at.
pub(crate) fn report_error(error: &str, task: Option<crate::task::TaskInfo>) {
    let observer = try_with(|core| core.observer.clone());
    observer.unwrap_or_default().failed(task, error);
}

/// Calls `f` with the current loop.
///
/// # Panics
/// If the calling thread is not inside a loop.
#[inline(always)]
#[track_caller]
pub(crate) fn with<R>(f: impl FnOnce(&Core) -> R) -> R {
    match try_with(f) {
        Some(answer) => answer,
        None => panic!("{NO_LOOP}"),
    }
}
