//! The primitives that the model checker has to see: std's, or loom's.
//!
//! This is the only file that asks `cfg(loom)` about types. Everything that
//! another thread may touch (the task's word, the mailbox, the link inside a
//! cell) is written against these names, so the models drive the real types.

#[cfg(not(loom))]
pub(crate) use std_types::*;

#[cfg(not(loom))]
mod std_types {
    pub(crate) use parking_lot::Mutex;
    pub(crate) use std::sync::atomic::{AtomicIsize, AtomicPtr, AtomicU32};
    #[cfg(not(target_os = "linux"))]
    pub(crate) use std::thread;
    pub(crate) use std::thread_local;

    /// `std::cell::UnsafeCell` behind loom's closure interface.
    #[derive(Debug)]
    #[repr(transparent)]
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        /// A pointer for reading; the caller keeps the module's protocol.
        #[inline(always)]
        pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }

        /// A pointer for writing; the caller keeps the module's protocol.
        #[inline(always)]
        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }
}

#[cfg(loom)]
pub(crate) use loom_types::*;

#[cfg(loom)]
mod loom_types {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::sync::atomic::{AtomicIsize, AtomicPtr, AtomicU32};
    pub(crate) use loom::{thread, thread_local};

    /// loom's mutex with parking_lot's face: a lock that cannot be poisoned.
    #[derive(Debug)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
        }
    }
}

/// Lets other threads run before an attempt is made again.
pub(crate) fn yield_now() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::thread::yield_now();
}
