//! What stands beside a task: who awaits it, and what few tasks have.
//!
//! Both share two words of the header. Nearly every task has a waker there or
//! nothing. The first name, context or callback moves what is there into an
//! [`Extra`] on the heap, where both have room.
//!
//! | `vtable` | `data` | |
//! |---|---|---|
//! | null | null | nothing |
//! | a waker's | that waker's | who awaits the task; the waker is owned |
//! | null | an [`Extra`]'s | owned; it stays until the cell goes |
//!
//! The home thread's alone, but for the drop of the whole. A waker's own code
//! runs only while nothing here is half done.

use super::raw::DoneCallback;
use crate::util::Context;
use std::cell::{Cell, OnceCell, RefCell};
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::task::{RawWakerVTable, Waker};

/// What few tasks have, kept out of the header of all.
#[derive(Default)]
pub(crate) struct Extra {
    pub(super) name: OnceCell<Box<str>>,
    pub(super) callbacks: RefCell<Vec<DoneCallback>>,
    pub(super) context: Cell<Context>,
    /// Says what an output that nobody takes tells of, if it is an error.
    pub(super) describe: Cell<Option<Describe>>,
    /// Who awaits the task.
    waiter: Cell<Option<Waker>>,
}

/// What the error says, if the output is one.
///
/// # Safety
/// Called with the address of the task's output.
pub(super) type Describe = unsafe fn(NonNull<()>) -> Option<String>;

/// The two words.
pub(super) struct Beside {
    data: Cell<*const ()>,
    vtable: Cell<*const RawWakerVTable>,
}

impl Beside {
    pub(super) const fn nothing() -> Self {
        Self {
            data: Cell::new(ptr::null()),
            vtable: Cell::new(ptr::null()),
        }
    }

    /// Is there nothing to drop?
    #[inline(always)]
    pub(super) fn is_nothing(&self) -> bool {
        self.data.get().is_null() && self.vtable.get().is_null()
    }

    #[inline(always)]
    pub(super) fn extra(&self) -> Option<&Extra> {
        if !self.vtable.get().is_null() {
            return None;
        }
        // SAFETY: the table above: without a vtable it is an Extra's or null; and
        // an Extra is only ever shared, and stays as long as `self`.
        unsafe { self.data.get().cast::<Extra>().as_ref() }
    }

    pub(super) fn extra_or_new(&self) -> &Extra {
        if self.extra().is_none() {
            let extra = Extra {
                waiter: Cell::new(self.take_waiter()),
                ..Extra::default()
            };
            self.data.set(Box::into_raw(Box::new(extra)).cast());
        }
        self.extra().expect("it was made just now")
    }

    /// Is it `waker` who awaits the task, as far as can be told?
    #[inline(never)]
    pub(super) fn wakes(&self, waker: &Waker) -> bool {
        if let Some(extra) = self.extra() {
            let known = extra.waiter.take();
            let same = known.as_ref().is_some_and(|known| known.will_wake(waker));
            extra.waiter.set(known);
            return same;
        }
        self.data.get() == waker.data() && ptr::eq(self.vtable.get(), waker.vtable())
    }

    /// Puts in who awaits the task; gives back who did.
    #[inline(always)]
    pub(super) fn replace_waiter(&self, waker: Waker) -> Option<Waker> {
        if !self.is_nothing() {
            return self.replace_any(waker);
        }
        self.put(waker);
        None
    }

    #[inline(never)]
    fn replace_any(&self, waker: Waker) -> Option<Waker> {
        if let Some(extra) = self.extra() {
            return extra.waiter.replace(Some(waker));
        }
        let before = self.take_waiter();
        self.put(waker);
        before
    }

    /// Where nothing is.
    #[inline(always)]
    fn put(&self, waker: Waker) {
        let waker = ManuallyDrop::new(waker);
        self.data.set(waker.data());
        self.vtable.set(waker.vtable());
    }

    #[inline(always)]
    pub(super) fn take_waiter(&self) -> Option<Waker> {
        let vtable = self.vtable.get();
        if vtable.is_null() {
            return self.extra()?.waiter.take();
        }
        self.vtable.set(ptr::null());
        let data = self.data.replace(ptr::null());
        // SAFETY: the table above: both are of one waker, which was owned here,
        // and is not any more. A waker's vtable is `'static`.
        Some(unsafe { Waker::new(data, &*vtable) })
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if self.vtable.get().is_null() && !self.data.get().is_null() {
            let extra = self.data.get().cast::<Extra>().cast_mut();
            // SAFETY: the table above: an Extra, which was boxed; dropped once.
            drop(unsafe { Box::from_raw(extra) });
        } else {
            drop(self.take_waiter());
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_waiter_is_owned_once_wherever_it_is_kept() {
        struct Nobody;
        impl std::task::Wake for Nobody {
            fn wake(self: Arc<Self>) {}
        }
        let counted = Arc::new(Nobody);
        let waker = Waker::from(counted.clone());
        for [early, late] in [[false, false], [false, true], [true, false]] {
            let beside = Beside::nothing();
            assert!(beside.is_nothing());
            if early {
                beside.extra_or_new();
            }
            assert!(!beside.wakes(&waker));
            assert!(beside.replace_waiter(waker.clone()).is_none());
            if late {
                beside.extra_or_new();
            }
            assert!(beside.wakes(&waker));
            assert!(!beside.wakes(Waker::noop()));
            assert_eq!(Arc::strong_count(&counted), 3);
            let known = beside.replace_waiter(Waker::noop().clone());
            assert!(known.is_some_and(|known| known.will_wake(&waker)));
            assert_eq!(Arc::strong_count(&counted), 2);
            assert_eq!(beside.extra().is_some(), early || late);
            assert!(beside.replace_waiter(waker.clone()).is_some());
            drop(beside);
            assert_eq!(Arc::strong_count(&counted), 2);
        }
    }
}
