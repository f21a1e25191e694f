//! Why a job gave no value, and why a job was not taken.
#![forbid(unsafe_code)]

use polyloop::PanicPayload;
use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;

/// Why a job ended without a value.
pub struct OffloadError(Repr);

enum Repr {
    Panicked(PanicPayload),
    Cancelled,
    ShutDown,
    Full,
    NoThread(io::ErrorKind),
    TimedOut,
    WouldDeadlock,
}

impl OffloadError {
    pub(super) fn panicked(payload: Box<dyn Any + Send>) -> Self {
        Self(Repr::Panicked(PanicPayload::new(payload)))
    }

    pub(super) fn cancelled() -> Self {
        Self(Repr::Cancelled)
    }

    pub(super) fn shut_down() -> Self {
        Self(Repr::ShutDown)
    }

    pub(super) fn full() -> Self {
        Self(Repr::Full)
    }

    pub(super) fn no_thread(kind: io::ErrorKind) -> Self {
        Self(Repr::NoThread(kind))
    }

    pub(super) fn timed_out() -> Self {
        Self(Repr::TimedOut)
    }

    pub(super) fn would_deadlock() -> Self {
        Self(Repr::WouldDeadlock)
    }

    /// Did the closure panic?
    pub fn is_panic(&self) -> bool {
        matches!(self.0, Repr::Panicked(_))
    }

    /// Was the job cancelled before it began?
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0, Repr::Cancelled)
    }

    /// Was the executor shut down before it took the job?
    pub fn is_shut_down(&self) -> bool {
        matches!(self.0, Repr::ShutDown)
    }

    /// Did a loop's own place for blocking work
    /// ([`polyloop::Offload`]) give the job back, as one that is full does?
    pub fn is_full(&self) -> bool {
        matches!(self.0, Repr::Full)
    }

    /// Did the system refuse the thread the job needed, with no other there?
    pub fn is_no_thread(&self) -> bool {
        matches!(self.0, Repr::NoThread(_))
    }

    /// Did the time run out? The job goes on.
    pub fn is_timed_out(&self) -> bool {
        matches!(self.0, Repr::TimedOut)
    }

    /// Would blocking have been for ever? Then the job waits, directly or by way of
    /// others, for the thread that asked.
    pub fn is_would_deadlock(&self) -> bool {
        matches!(self.0, Repr::WouldDeadlock)
    }

    /// The payload of the panic, fit for [`std::panic::resume_unwind`].
    ///
    /// # Errors
    /// Gives the error back when the closure did not panic.
    pub fn into_panic(self) -> Result<Box<dyn Any + Send>, Self> {
        match self.0 {
            Repr::Panicked(payload) => Ok(payload.into_inner()),
            other => Err(Self(other)),
        }
    }

    /// The panic's message, when its payload is a string as it nearly always is.
    pub fn panic_message(&self) -> Option<&str> {
        match &self.0 {
            Repr::Panicked(payload) => Some(payload.message()),
            _ => None,
        }
    }
}

impl fmt::Debug for OffloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Panicked(payload) => f
                .debug_tuple("OffloadError::Panicked")
                .field(&payload.message())
                .finish(),
            Repr::Cancelled => f.write_str("OffloadError::Cancelled"),
            Repr::ShutDown => f.write_str("OffloadError::ShutDown"),
            Repr::Full => f.write_str("OffloadError::Full"),
            Repr::NoThread(kind) => f.debug_tuple("OffloadError::NoThread").field(kind).finish(),
            Repr::TimedOut => f.write_str("OffloadError::TimedOut"),
            Repr::WouldDeadlock => f.write_str("OffloadError::WouldDeadlock"),
        }
    }
}

impl fmt::Display for OffloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Panicked(payload) => write!(
                f,
                "the job panicked: {} (into_panic() gives the payload)",
                payload.message()
            ),
            Repr::Cancelled => f.write_str("the job was cancelled before it began"),
            Repr::ShutDown => {
                f.write_str("the executor is shut down: submit to one that is running")
            }
            Repr::Full => f.write_str(
                "the loop's place for blocking work gave the job back, as one that is full \
                 does: try again later",
            ),
            Repr::NoThread(kind) => write!(
                f,
                "the executor has no thread and could not start one ({kind}): \
                 try again, or raise the limit on threads"
            ),
            Repr::TimedOut => f.write_str("the job is not done yet: ask again, it goes on"),
            Repr::WouldDeadlock => f.write_str(
                "the job waits, directly or by way of others, for the thread that would wait \
                 for it: await it instead",
            ),
        }
    }
}

impl Error for OffloadError {}

/// Why an executor did not take a job; the closure is in it.
pub enum TrySubmitError<F> {
    /// The queue is at its limit.
    Full(F),
    /// The executor is shut down.
    ShutDown(F),
    /// The executor has no thread and the system refused one.
    NoThread(F, io::Error),
}

impl<F> TrySubmitError<F> {
    /// Is the queue at its limit?
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Is the executor shut down?
    pub fn is_shut_down(&self) -> bool {
        matches!(self, Self::ShutDown(_))
    }

    /// Did the system refuse a thread?
    pub fn is_no_thread(&self) -> bool {
        matches!(self, Self::NoThread(..))
    }

    /// The closure that was not taken.
    pub fn into_inner(self) -> F {
        match self {
            Self::Full(f) | Self::ShutDown(f) | Self::NoThread(f, _) => f,
        }
    }
}

impl<F> fmt::Debug for TrySubmitError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("TrySubmitError::Full(..)"),
            Self::ShutDown(_) => f.write_str("TrySubmitError::ShutDown(..)"),
            Self::NoThread(_, error) => f
                .debug_tuple("TrySubmitError::NoThread")
                .field(error)
                .finish_non_exhaustive(),
        }
    }
}

impl<F> fmt::Display for TrySubmitError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("the executor's queue is full: await submit() instead"),
            Self::ShutDown(_) => {
                f.write_str("the executor is shut down: submit to one that is running")
            }
            Self::NoThread(_, error) => write!(f, "the executor could not start a thread: {error}"),
        }
    }
}

impl<F> Error for TrySubmitError<F> {}
