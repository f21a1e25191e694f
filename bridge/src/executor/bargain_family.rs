//! What the models of the [`bargain`](super::bargain) sleep on, and jobs that block
//! on each other.
#![forbid(unsafe_code)]

use super::primitives::{AtomicUsize, sync};
use std::sync::atomic::Ordering::SeqCst;

/// What a thread sleeps on until it is called.
pub(super) struct Bell {
    rung: sync::Mutex<bool>,
    heard: sync::Condvar,
}

impl Bell {
    pub(super) fn new() -> Self {
        Self {
            rung: sync::Mutex::new(false),
            heard: sync::Condvar::new(),
        }
    }

    pub(super) fn ring(&self) {
        *self.rung.lock().expect("nobody panics under it") = true;
        self.heard.notify_one();
    }

    pub(super) fn has_rung(&self) -> bool {
        *self.rung.lock().expect("nobody panics under it")
    }

    pub(super) fn sleep(&self) {
        let mut rung = self.rung.lock().expect("nobody panics under it");
        while !std::mem::take(&mut *rung) {
            rung = self.heard.wait(rung).expect("nobody panics under it");
        }
    }
}

/// What jobs do, in the order in which they begin.
#[derive(Clone, Copy)]
pub(super) enum Role {
    /// Brings another job, and blocks until a child of this parent has run.
    Parent(usize),
    ChildOf(usize),
    /// Blocks until the first thread lets it go.
    Patient(usize),
}

pub(super) struct Family {
    pub(super) roles: &'static [Role],
    pub(super) bells: [Bell; 3],
    /// Sets of those who block, and of those whose wait is over.
    pub(super) waiting: AtomicUsize,
    pub(super) let_go: AtomicUsize,
    /// How many were told not to block.
    pub(super) told: AtomicUsize,
}

impl Family {
    pub(super) fn new(roles: &'static [Role]) -> Self {
        Self {
            roles,
            bells: [Bell::new(), Bell::new(), Bell::new()],
            waiting: AtomicUsize::new(0),
            let_go: AtomicUsize::new(0),
            told: AtomicUsize::new(0),
        }
    }

    pub(super) fn let_go(&self, of: usize) {
        self.let_go.fetch_or(1 << of, SeqCst);
        self.bells[of].ring();
    }
}
