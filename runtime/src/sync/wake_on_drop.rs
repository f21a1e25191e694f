//! Wakes that happen when something before them panics, too.

#![forbid(unsafe_code)]

use super::wait_queue::WaitQueue;

/// Wakes the first in line when it is dropped, also by a panic.
pub(crate) struct WakeFirst<'a>(pub(crate) &'a WaitQueue);

impl Drop for WakeFirst<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.wake_first();
    }
}

/// Wakes all in line when it is dropped, also by a panic.
pub(crate) struct WakeAll<'a>(pub(crate) &'a WaitQueue);

impl Drop for WakeAll<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.wake_all();
    }
}
