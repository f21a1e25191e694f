//! Waiting for a thread that is between two instructions.
#![forbid(unsafe_code)]

use crate::loom::thread;

/// How long to wait for somebody who is between two instructions: a moment, and
/// after that the core is offered, which may be what that thread lacks.
pub(super) struct Patience(u32);

impl Patience {
    pub(super) fn new() -> Self {
        Self(0)
    }

    pub(super) fn wait(&mut self) {
        if self.0 < PAUSES && !cfg!(loom) {
            self.0 += 1;
            std::hint::spin_loop();
        } else {
            thread::yield_now();
        }
    }
}

const PAUSES: u32 = 32;
