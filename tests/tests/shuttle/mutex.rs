//! shuttle's mutex and condition variable with `parking_lot`'s faces.
#![allow(dead_code, reason = "a test uses what its code does")]

use std::ops::{Deref, DerefMut};
use std::time::Instant;

const UNPOISONED: &str = "no test panics under the lock";

pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().expect(UNPOISONED)))
    }
}

/// Empty while it is lent to a condition variable.
pub(crate) struct MutexGuard<'a, T>(Option<shuttle::sync::MutexGuard<'a, T>>);

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is not lent")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("it is not lent")
    }
}

pub(crate) struct Condvar(shuttle::sync::Condvar);

/// Time stands still: no wait ends by it.
pub(crate) struct NeverTimedOut;

impl NeverTimedOut {
    pub(crate) fn timed_out(&self) -> bool {
        false
    }
}

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(shuttle::sync::Condvar::new())
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.0.take().expect("it is not lent");
        guard.0 = Some(self.0.wait(held).expect(UNPOISONED));
    }

    pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _: Instant) -> NeverTimedOut {
        self.wait(guard);
        NeverTimedOut
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}
