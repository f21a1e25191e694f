//! Why a submission gave no value, and why one was not accepted.
#![forbid(unsafe_code)]

use polyloop::{PanicPayload, TaskError};
use std::any::Any;
use std::error::Error;
use std::fmt;

/// Why a submission gave no value.
#[non_exhaustive]
pub enum SubmissionError {
    /// It was cancelled, by a handle or by the loop's orderly close.
    Cancelled,
    /// It panicked; this is the payload.
    Panicked(PanicPayload),
    /// The loop was closed before it was done, or before it was submitted.
    LoopClosed,
    /// The time ran out; the submission goes on.
    TimedOut,
    /// The calling thread is the one that the submission's loop lives on, or
    /// that loop's thread blocks, by way of others or not, until this one has
    /// answered: blocking it would be for ever.
    WouldDeadlock,
    /// Its deadline was over when its loop came to it: it never began.
    Expired,
    /// Nobody runs the loop: it is new, or was stopped and not closed. The work
    /// stays with it for its next run.
    NotRunning,
}

impl SubmissionError {
    pub(super) fn from_task(error: TaskError) -> Self {
        if error.is_loop_closed() {
            return Self::LoopClosed;
        }
        match error.into_panic() {
            Ok(payload) => Self::Panicked(PanicPayload::new(payload)),
            Err(_) => Self::Cancelled,
        }
    }

    /// Was it cancelled?
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled)
    }

    /// Did it panic?
    pub fn is_panic(&self) -> bool {
        matches!(self, Self::Panicked(_))
    }

    /// Was the loop closed?
    pub fn is_loop_closed(&self) -> bool {
        matches!(self, Self::LoopClosed)
    }

    /// Did the time run out?
    pub fn is_timed_out(&self) -> bool {
        matches!(self, Self::TimedOut)
    }

    /// Would blocking have been for ever?
    pub fn is_would_deadlock(&self) -> bool {
        matches!(self, Self::WouldDeadlock)
    }

    /// Was it too late for it to begin?
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Expired)
    }

    /// Does nobody run the loop?
    pub fn is_not_running(&self) -> bool {
        matches!(self, Self::NotRunning)
    }

    /// The payload of the panic, fit for [`std::panic::resume_unwind`].
    ///
    /// # Errors
    /// Gives the error back when the submission did not panic.
    pub fn into_panic(self) -> Result<Box<dyn Any + Send>, Self> {
        match self {
            Self::Panicked(payload) => Ok(payload.into_inner()),
            other => Err(other),
        }
    }

    /// The panic's message, when its payload is a string as it nearly always is.
    pub fn panic_message(&self) -> Option<&str> {
        match self {
            Self::Panicked(payload) => Some(payload.message()),
            _ => None,
        }
    }
}

impl fmt::Debug for SubmissionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("SubmissionError::Cancelled"),
            Self::Panicked(payload) => f
                .debug_tuple("SubmissionError::Panicked")
                .field(&payload.message())
                .finish(),
            Self::LoopClosed => f.write_str("SubmissionError::LoopClosed"),
            Self::TimedOut => f.write_str("SubmissionError::TimedOut"),
            Self::WouldDeadlock => f.write_str("SubmissionError::WouldDeadlock"),
            Self::Expired => f.write_str("SubmissionError::Expired"),
            Self::NotRunning => f.write_str("SubmissionError::NotRunning"),
        }
    }
}

impl fmt::Display for SubmissionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("the submission was cancelled"),
            Self::Panicked(payload) => write!(
                f,
                "the submission panicked: {} (into_panic() gives the payload)",
                payload.message()
            ),
            Self::LoopClosed => f.write_str("the loop is closed: submit to another one"),
            Self::TimedOut => {
                f.write_str("the submission is not done yet: ask again, or cancel() it")
            }
            Self::WouldDeadlock => f.write_str(
                "this thread would wait for itself, directly or by way of other threads that \
                 block on each other: await the submission",
            ),
            Self::Expired => f.write_str(
                "the deadline was over before the submission could begin: give it more time, \
                 or the loop less to do",
            ),
            Self::NotRunning => f.write_str(
                "nobody runs the loop: run it or close it, or wait with a time-out for somebody \
                 who will",
            ),
        }
    }
}

impl Error for SubmissionError {}

/// Why a loop did not accept a submission; the closure is in it.
#[non_exhaustive]
pub enum SubmitError<F> {
    /// The loop is closed.
    Closed(F),
    /// The loop's mailbox is at its limit; mailboxes without one are never full.
    Full(F),
    /// There was no room before the time ran out.
    TimedOut(F),
    /// There was no room before the submission's own deadline.
    Expired(F),
    /// There is no room, and there will be none as long as the calling thread
    /// blocks: it is the loop's own, or that loop's thread blocks, by way of others
    /// or not, until this one goes on.
    WouldDeadlock(F),
    /// There is no room, and nobody runs the loop: it is new, or was stopped and
    /// not closed.
    NotRunning(F),
}

impl<F> SubmitError<F> {
    /// Is the loop closed?
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// Was the mailbox at its limit, and it was not to be waited for?
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Did the time run out?
    pub fn is_timed_out(&self) -> bool {
        matches!(self, Self::TimedOut(_))
    }

    /// Was the submission's own deadline over?
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Expired(_))
    }

    /// Would blocking have been for ever?
    pub fn is_would_deadlock(&self) -> bool {
        matches!(self, Self::WouldDeadlock(_))
    }

    /// Does nobody run the loop?
    pub fn is_not_running(&self) -> bool {
        matches!(self, Self::NotRunning(_))
    }

    /// The closure that was not accepted.
    pub fn into_inner(self) -> F {
        match self {
            Self::Closed(f)
            | Self::Full(f)
            | Self::TimedOut(f)
            | Self::Expired(f)
            | Self::WouldDeadlock(f)
            | Self::NotRunning(f) => f,
        }
    }
}

impl<F> fmt::Debug for SubmitError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed(_) => "SubmitError::Closed(..)",
            Self::Full(_) => "SubmitError::Full(..)",
            Self::TimedOut(_) => "SubmitError::TimedOut(..)",
            Self::Expired(_) => "SubmitError::Expired(..)",
            Self::WouldDeadlock(_) => "SubmitError::WouldDeadlock(..)",
            Self::NotRunning(_) => "SubmitError::NotRunning(..)",
        })
    }
}

impl<F> fmt::Display for SubmitError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed(_) => "the loop is closed: submit to another one",
            Self::Full(_) => "the loop's mailbox is full: submit again later",
            Self::TimedOut(_) => {
                "the loop's mailbox was full all the time: wait longer, or submit again later"
            }
            Self::Expired(_) => {
                "the deadline was over before there was room in the loop's mailbox: give it \
                 more time, or the loop less to do"
            }
            Self::WouldDeadlock(_) => {
                "the loop's mailbox is full, and this thread would wait for itself, directly or \
                 by way of other threads that block on each other: await the start"
            }
            Self::NotRunning(_) => {
                "the loop's mailbox is full, and nobody runs the loop: run it or close it, or \
                 wait with a time-out for somebody who will"
            }
        })
    }
}

impl<F> Error for SubmitError<F> {}
