//! Bounds of a mailbox, by class of traffic.
#![forbid(unsafe_code)]

use super::gate::Gate;
use super::start::SubmissionBuilder;
use polyloop::LoopHandle;
use std::fmt;
use std::sync::Arc;

/// A way into a loop with room for so much work that has not begun.
///
/// A loop's own mailbox has no limit, which is what
/// [`run_coroutine_threadsafe`](super::run_coroutine_threadsafe) uses. Senders
/// that share a submitter (clones are the same one) have one: work takes its
/// room when it is sent, and leaves it when it *begins* on its loop, or is dropped
/// there unbegun: too late, cancelled, or at the loop's close. What was cancelled
/// is in the mailbox until its loop comes to it. So a loop that is stuck holds its
/// senders back instead of filling the memory.
///
/// Each [`Class`] has a limit of its own, so that control traffic passes when
/// there is no room for data. Work of all classes begins in the order in which
/// it was sent.
///
/// # Examples
/// ```
/// use polyloop_bridge::submit::{Class, Submitter};
///
/// let looped = polyloop::EventLoop::new().unwrap();
/// let submitter = Submitter::bounded(&looped.handle(), 1);
/// let first = submitter.submission().try_start(|| async { 1 }).unwrap();
/// let refused = submitter.submission().try_start(|| async { 2 });
/// assert!(refused.unwrap_err().is_full());
/// let urgent = submitter.submission().class(Class::CONTROL);
/// let urgent = urgent.try_start(|| async { 3 }).unwrap();
/// # drop((first, urgent));
/// ```
#[derive(Clone)]
pub struct Submitter {
    target: LoopHandle,
    gates: Arc<Gates>,
}

/// A kind of traffic, with a limit of its own; [`DATA`](Self::DATA) by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Class(u8);

impl Class {
    /// What nearly all work is.
    pub const DATA: Self = Self(0);
    /// What has to pass when there is no room for data.
    pub const CONTROL: Self = Self(1);
    /// How many classes there are.
    pub const COUNT: usize = 8;

    /// A class of the program's own.
    ///
    /// # Panics
    /// If `index` is not below [`COUNT`](Self::COUNT). 0 is `DATA`, 1 `CONTROL`.
    pub const fn new(index: u8) -> Self {
        assert!((index as usize) < Self::COUNT, "there are eight classes");
        Self(index)
    }
}

#[derive(Clone, Default)]
pub(super) struct Gates([Option<Bound>; Class::COUNT]);

#[derive(Clone)]
struct Bound {
    limit: usize,
    gate: Arc<Gate>,
}

impl Gates {
    pub(super) fn of(&self, class: Class) -> Option<&Arc<Gate>> {
        self.bound(class).map(|bound| &bound.gate)
    }

    fn bound(&self, class: Class) -> Option<&Bound> {
        self.0[usize::from(class.0)].as_ref()
    }
}

impl Submitter {
    /// A way without limits; see [`limit`](Self::limit).
    pub fn new(target: &LoopHandle) -> Self {
        Self {
            target: target.clone(),
            gates: Arc::default(),
        }
    }

    /// A way with a limit for data, and none for other classes.
    pub fn bounded(target: &LoopHandle, limit: usize) -> Self {
        Self::new(target).limit(Class::DATA, limit)
    }

    /// Gives a class its limit: so many submissions that have not begun. At
    /// least 1. Clones made before keep what they have.
    #[must_use]
    pub fn limit(mut self, class: Class, limit: usize) -> Self {
        let limit = limit.max(1);
        let gate = Gate::new(limit);
        Arc::make_mut(&mut self.gates).0[usize::from(class.0)] = Some(Bound { limit, gate });
        self
    }

    /// The loop that it leads to.
    pub fn target(&self) -> &LoopHandle {
        &self.target
    }

    /// Begins a submission by this way.
    pub fn submission(&self) -> SubmissionBuilder {
        SubmissionBuilder::new(self.target.clone(), Some(self.gates.clone()))
    }

    /// How full a class is; `None` for one without a limit.
    pub fn statistics(&self, class: Class) -> Option<MailboxStatistics> {
        self.gates.bound(class).map(|bound| MailboxStatistics {
            limit: bound.limit,
            queued: bound.limit.saturating_sub(bound.gate.free()),
            waiting: bound.gate.waiting(),
        })
    }
}

impl fmt::Debug for Submitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submitter")
            .field("target", &self.target)
            .field("data", &self.statistics(Class::DATA))
            .finish_non_exhaustive()
    }
}

/// How full a class of a [`Submitter`] is, as of a moment ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailboxStatistics {
    /// The most submissions that may wait to begin.
    pub limit: usize,
    /// Those that wait to begin.
    pub queued: usize,
    /// Tasks and threads that wait for room.
    pub waiting: usize,
}
