//! A submission with wishes: a deadline, a class, a context, and what to do when
//! there is no room.
//!
//! What is wished for travels with the closure, so that plain submissions know
//! nothing of it.

use super::gate::{Gate, Permit};
use super::room::Start;
use super::submitter::Gates;
use super::told::Told;
use super::{Class, Submission, SubmitError};
use crate::waiters::deadline_after;
use pin_project_lite::pin_project;
use polyloop::{LoopHandle, Refused, copy_context};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Begins a submission to a loop with wishes; see [`SubmissionBuilder`]. Without
/// any it is [`run_coroutine_threadsafe`](super::run_coroutine_threadsafe).
pub fn submission(target: &LoopHandle) -> SubmissionBuilder {
    SubmissionBuilder::new(target.clone(), None)
}

/// A submission that is being prepared, from [`submission`] or
/// [`Submitter::submission`](super::Submitter::submission).
///
/// # Examples
/// ```
/// use polyloop_bridge::{LoopGroup, submit::submission};
/// use std::time::Duration;
///
/// let group = LoopGroup::builder().loops(1).build().unwrap();
/// let quick = submission(group.handle(0))
///     .expires_after(Duration::from_secs(5))
///     .try_start(|| async { 42 })
///     .unwrap();
/// assert_eq!(quick.result().unwrap(), 42);
/// group.shutdown(Duration::from_secs(1));
/// ```
#[must_use = "nothing is sent until it is started"]
pub struct SubmissionBuilder {
    target: LoopHandle,
    gates: Option<Arc<Gates>>,
    class: Class,
    expires: Option<Instant>,
    context: polyloop::contextvars::Context,
}

impl SubmissionBuilder {
    pub(super) fn new(target: LoopHandle, gates: Option<Arc<Gates>>) -> Self {
        Self {
            target,
            gates,
            class: Class::DATA,
            expires: None,
            context: copy_context(),
        }
    }

    /// The context variables that it begins with; default: a copy of the calling
    /// code's, taken when the builder was made.
    pub fn context(mut self, context: polyloop::contextvars::Context) -> Self {
        self.context = context;
        self
    }

    /// The kind of traffic; default: [`Class::DATA`].
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// The moment, of real time, after which it must not begin any more; by
    /// default there is none.
    ///
    /// Work that its loop comes to later is dropped there unbegun, and answers
    /// [`Expired`](super::SubmissionError::Expired). Work that finds no room until
    /// then is not sent, see [`start`](Self::start). Work that has begun is not
    /// touched; for that there is [`polyloop::timeout`].
    pub fn deadline(mut self, moment: Instant) -> Self {
        self.expires = Some(moment);
        self
    }

    /// As [`deadline`](Self::deadline), so long from now.
    pub fn expires_after(mut self, time: Duration) -> Self {
        self.expires = deadline_after(time);
        self
    }

    /// Sends it if there is room now; never waits.
    ///
    /// # Errors
    /// [`SubmitError`] gives the closure back: the loop is closed, or there is
    /// no room, or others wait for it already.
    #[track_caller]
    pub fn try_start<F, Fut>(self, f: F) -> Result<Submission<Fut::Output>, SubmitError<F>>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Send + 'static,
    {
        let permit = match self.gate() {
            None => None,
            Some(gate) => match gate.try_enter() {
                Some(permit) => Some(permit),
                None => return Err(SubmitError::Full(f)),
            },
        };
        self.send(f, permit)
    }

    /// Sends it as soon as there is room: at once, or when the returned future,
    /// which is first in, first out with others, has got some.
    ///
    /// # Cancel safety
    /// Dropping the future drops the closure; its place in line goes to the next.
    ///
    /// # Errors
    /// The future gives [`SubmitError::Closed`] with the closure when the loop is
    /// closed, also while it waits, and [`SubmitError::Expired`] if there is no room
    /// until the [deadline](Self::deadline). That is told by a timer of the loop it
    /// is awaited on; on another executor it is looked at whenever the future is
    /// polled. Without a deadline it waits as long as the loop's mailbox is full,
    /// also if nobody runs that loop: see [`polyloop::timeout`].
    pub fn start<F>(self, f: F) -> Start<F> {
        Start::new(self, f)
    }

    /// Blocks the calling thread until there is room, then sends it.
    ///
    /// # Errors
    /// All with the closure: [`SubmitError::Closed`] when the loop is closed, also
    /// while it waits. [`SubmitError::WouldDeadlock`] at once on the loop's own
    /// thread, or in a ring of threads that block on each other.
    /// [`SubmitError::Expired`] if there is no room until the
    /// [deadline](Self::deadline); without one, [`SubmitError::NotRunning`] after a
    /// second or two if nobody runs the loop.
    pub fn start_blocking<F, Fut>(self, f: F) -> Result<Submission<Fut::Output>, SubmitError<F>>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Send + 'static,
    {
        self.start(f).block(None)
    }

    /// As [`start_blocking`](Self::start_blocking), for `timeout` at most.
    ///
    /// # Errors
    /// As there, and [`SubmitError::TimedOut`]. It waits that long also for somebody
    /// to run the loop.
    pub fn start_blocking_timeout<F, Fut>(
        self,
        f: F,
        timeout: Duration,
    ) -> Result<Submission<Fut::Output>, SubmitError<F>>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Send + 'static,
    {
        self.start(f).block(deadline_after(timeout))
    }

    pub(super) fn target(&self) -> &LoopHandle {
        &self.target
    }

    pub(super) fn expires(&self) -> Option<Instant> {
        self.expires
    }

    pub(super) fn gate(&self) -> Option<&Arc<Gate>> {
        self.gates.as_ref()?.of(self.class)
    }

    #[track_caller]
    pub(super) fn send<F, Fut>(
        self,
        f: F,
        permit: Option<Permit>,
    ) -> Result<Submission<Fut::Output>, SubmitError<F>>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Send + 'static,
    {
        let Self {
            target,
            expires,
            context,
            ..
        } = self;
        let parts = Parts {
            f,
            permit,
            expires,
            context,
        };
        let make = move || Begin::Waiting { parts: Some(parts) };
        match target.submit(make, Told::new()) {
            Ok(remote) => Ok(Submission::accepted(remote)),
            Err(Refused { make, .. }) => match make() {
                Begin::Waiting { parts: Some(parts) } => Err(SubmitError::Closed(parts.f)),
                _ => unreachable!("a refused submission has not begun"),
            },
        }
    }
}

impl fmt::Debug for SubmissionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmissionBuilder")
            .field("target", &self.target)
            .field("class", &self.class)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// What a submission with wishes ends with on its loop.
pub(super) enum Begun<T> {
    Value(T),
    /// Its time to begin was over.
    TooLate,
}

/// What a submission takes along until it begins.
struct Parts<F> {
    f: F,
    permit: Option<Permit>,
    expires: Option<Instant>,
    context: polyloop::contextvars::Context,
}

pin_project! {
    /// On the loop: the closure until the first poll, then its future.
    #[project = BeginProjection]
    enum Begin<F, Fut> {
        Waiting { parts: Option<Parts<F>> },
        Running { #[pin] future: Fut },
    }
}

impl<F: FnOnce() -> Fut, Fut: Future> Future for Begin<F, Fut> {
    type Output = Begun<Fut::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let BeginProjection::Waiting { parts } = self.as_mut().project() {
            let Parts {
                f,
                permit,
                expires,
                context,
            } = parts.take().expect("polled until it is ready");
            // It has left the mailbox, whatever becomes of it now.
            drop(permit);
            if expires.is_some_and(|moment| Instant::now() >= moment) {
                return Poll::Ready(Begun::TooLate);
            }
            if !context.is_empty() {
                context.make_current();
            }
            let future = f();
            self.set(Self::Running { future });
        }
        match self.project() {
            BeginProjection::Running { future } => future.poll(cx).map(Begun::Value),
            BeginProjection::Waiting { .. } => unreachable!("it has begun"),
        }
    }
}
