//! The primitives that the model checker has to see: std's, or loom's.
//!
//! This is the only file that asks `cfg(loom)` about types. Whatever several
//! threads touch by a protocol of ours (the outcome cell, the waiter list, the
//! parker) is written against these names, so the models drive the real types.

#[cfg(not(loom))]
pub(crate) use std_types::*;

#[cfg(not(loom))]
mod std_types {
    pub(crate) use parking_lot::Mutex;
    use std::sync::atomic::Ordering::SeqCst;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, fence};
    pub(crate) use std::thread;
    pub(crate) use std::thread_local;

    /// A sequentially consistent fence. On x86-64 any read-modify-write is one,
    /// and takes half the time of the instruction that std's compiles to.
    #[inline(always)]
    pub(crate) fn full_fence() {
        if cfg!(all(target_arch = "x86_64", not(tsan))) {
            std::sync::atomic::compiler_fence(SeqCst);
            let word = std::sync::atomic::AtomicBool::new(false);
            std::hint::black_box(&word).swap(true, SeqCst);
            std::sync::atomic::compiler_fence(SeqCst);
        } else {
            fence(SeqCst);
        }
    }

    /// Stands between a sequentially consistent read-modify-write and a
    /// sequentially consistent load, which need no fence.
    #[inline(always)]
    pub(crate) fn fence_after_claim() {}

    /// `std::cell::UnsafeCell` behind loom's closure interface.
    #[derive(Debug)]
    #[repr(transparent)]
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
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
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, fence};
    pub(crate) use loom::thread;
    pub(crate) use loom::thread_local;
    use std::sync::atomic::Ordering::SeqCst;

    pub(crate) fn full_fence() {
        fence(SeqCst);
    }

    /// loom orders sequentially consistent accesses as if they were AcqRel, so
    /// the models have to be told of the order between a claim and a load.
    pub(crate) fn fence_after_claim() {
        fence(SeqCst);
    }

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
