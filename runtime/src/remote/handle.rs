//! The handle to a loop that any thread may hold.

use super::mailbox::{Mailbox, phase};
use crate::task::LoopId;
use crate::util::{lives_with_loops, thread_number};
use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Names a loop from any thread: to send it work, to stop it, to look at its
/// figures. It outlives the loop; work sent to a closed loop comes back.
///
/// Cloning counts a reference; borrowing it, as every call does, counts none.
///
/// # Examples
/// ```
/// let name = polyloop::run(async { polyloop::current_loop().name().to_owned() });
/// assert_eq!(name.unwrap(), "main");
/// ```
pub struct LoopHandle {
    mailbox: NonNull<Mailbox>,
}

// SAFETY: a mailbox is made for sharing: its word is atomic, its lock a lock,
// the rest immutable. `references` keeps it alive.
unsafe impl Send for LoopHandle {}
// SAFETY: as above.
unsafe impl Sync for LoopHandle {}

/// A loop's figures, as it last published them (a few microseconds old while
/// it is busy, and right while it sleeps). Times are of the loop's whole life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoopMetrics {
    /// Turns made.
    pub turns: u64,
    /// Tasks and callbacks polled.
    pub polls: u64,
    /// Tasks alive.
    pub tasks: u64,
    /// Tasks ready to be polled, and arrivals that the loop has seen.
    pub ready: u64,
    /// How often the loop went to sleep.
    pub parks: u64,
    /// How long it slept in all.
    pub parked: Duration,
}

/// What a loop is doing, as of a moment ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoopState {
    /// It has not run yet; what it is sent waits for its first run.
    New,
    /// It runs, or is driven by somebody who makes single turns.
    Running,
    /// Its last run is over; what it is sent waits for the next one, or is
    /// answered when the loop is closed.
    Stopped,
    /// It is closed; what it is sent comes back.
    Closed,
}

/// The thread that a loop lives on, in the process's own numbering: the numbers
/// of threads that have ended are never used again.
///
/// For finding rings of threads that wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HomeThread(u64);

impl HomeThread {
    /// The calling thread, if any loop lives on it now.
    pub fn current() -> Option<Self> {
        lives_with_loops().then(|| Self(thread_number()))
    }
}

impl LoopHandle {
    /// # Safety
    /// The mailbox is alive.
    pub(crate) unsafe fn new(mailbox: NonNull<Mailbox>) -> Self {
        // SAFETY: passed on from the caller.
        unsafe { mailbox.as_ref() }.retain();
        Self { mailbox }
    }

    pub(crate) fn mailbox(&self) -> &Mailbox {
        // SAFETY: this handle's reference keeps it alive.
        unsafe { self.mailbox.as_ref() }
    }

    pub(crate) fn home(&self) -> NonNull<()> {
        self.mailbox.cast()
    }

    /// The loop's number.
    pub fn id(&self) -> LoopId {
        self.mailbox().id
    }

    /// The loop's name, as given to its builder.
    pub fn name(&self) -> &str {
        &self.mailbox().name
    }

    /// Has the loop been closed? Work sent to it is refused from then on.
    pub fn is_closed(&self) -> bool {
        self.mailbox().is_closed()
    }

    /// Does the loop live on the calling thread, running or not? Blocking here
    /// for something that this loop has to do would never end.
    pub fn is_own_thread(&self) -> bool {
        self.mailbox().thread == thread_number()
    }

    /// The thread that the loop lives on.
    pub fn home_thread(&self) -> HomeThread {
        HomeThread(self.mailbox().thread)
    }

    /// What the loop is doing. It may be doing something else by now.
    pub fn state(&self) -> LoopState {
        let mailbox = self.mailbox();
        match mailbox.phase.load(Relaxed) {
            _ if mailbox.is_closed() => LoopState::Closed,
            phase::NEW => LoopState::New,
            phase::RUNNING => LoopState::Running,
            _ => LoopState::Stopped,
        }
    }

    /// The loop's figures.
    pub fn metrics(&self) -> LoopMetrics {
        let counters = &self.mailbox().counters;
        LoopMetrics {
            turns: counters.turns.load(Relaxed),
            polls: counters.polls.load(Relaxed),
            tasks: counters.tasks.load(Relaxed),
            ready: counters.ready.load(Relaxed),
            parks: counters.parks.load(Relaxed),
            parked: Duration::from_nanos(counters.parked_ns.load(Relaxed)),
        }
    }
}

impl Clone for LoopHandle {
    fn clone(&self) -> Self {
        // SAFETY: this handle keeps the mailbox alive.
        unsafe { Self::new(self.mailbox) }
    }
}

impl Drop for LoopHandle {
    fn drop(&mut self) {
        // SAFETY: this handle's own reference, given up once.
        unsafe { Mailbox::settle(self.mailbox, -1) }
    }
}

impl PartialEq for LoopHandle {
    fn eq(&self, other: &Self) -> bool {
        self.mailbox == other.mailbox
    }
}

impl Eq for LoopHandle {}

impl std::hash::Hash for LoopHandle {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl fmt::Debug for LoopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopHandle")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("closed", &self.is_closed())
            .finish()
    }
}
