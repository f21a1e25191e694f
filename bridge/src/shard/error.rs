//! Why an invocation gave no value.
#![forbid(unsafe_code)]

use crate::submit::SubmissionError;
use std::any::Any;
use std::error::Error;
use std::fmt;

/// Why an invocation gave no value.
#[derive(Debug)]
#[non_exhaustive]
pub enum InvokeError {
    /// The value was there no more: its shards were stopped, or it was ended.
    Stopped,
    /// The work was not done, or not to its end; among other things, because the
    /// value's loop is closed, and the value gone with it.
    Submission(SubmissionError),
}

impl InvokeError {
    /// Was the value stopped?
    pub fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped)
    }

    /// Is the value's loop closed, and the value gone with it?
    pub fn is_loop_closed(&self) -> bool {
        self.is(SubmissionError::is_loop_closed)
    }

    /// Was the invocation cancelled?
    pub fn is_cancelled(&self) -> bool {
        self.is(SubmissionError::is_cancelled)
    }

    /// Did it panic?
    pub fn is_panic(&self) -> bool {
        self.is(SubmissionError::is_panic)
    }

    /// Did the time run out?
    pub fn is_timed_out(&self) -> bool {
        self.is(SubmissionError::is_timed_out)
    }

    /// Would blocking have been for ever?
    pub fn is_would_deadlock(&self) -> bool {
        self.is(SubmissionError::is_would_deadlock)
    }

    /// Was it too late for it to begin?
    pub fn is_expired(&self) -> bool {
        self.is(SubmissionError::is_expired)
    }

    /// Does nobody run the value's loop?
    pub fn is_not_running(&self) -> bool {
        self.is(SubmissionError::is_not_running)
    }

    /// The panic's message, when its payload is a string as it nearly always is.
    pub fn panic_message(&self) -> Option<&str> {
        match self {
            Self::Submission(error) => error.panic_message(),
            Self::Stopped => None,
        }
    }

    /// The payload of the panic, fit for [`std::panic::resume_unwind`].
    ///
    /// # Errors
    /// Gives the error back when the invocation did not panic.
    pub fn into_panic(self) -> Result<Box<dyn Any + Send>, Self> {
        match self {
            Self::Submission(error) => error.into_panic().map_err(Self::Submission),
            Self::Stopped => Err(self),
        }
    }

    fn is(&self, test: impl Fn(&SubmissionError) -> bool) -> bool {
        matches!(self, Self::Submission(error) if test(error))
    }
}

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("the value was stopped: invoke it before that, or never"),
            Self::Submission(error) if error.is_loop_closed() => {
                f.write_str("the value's loop is closed, and the value gone with it")
            }
            Self::Submission(error) => error.fmt(f),
        }
    }
}

impl Error for InvokeError {}

impl From<SubmissionError> for InvokeError {
    fn from(error: SubmissionError) -> Self {
        Self::Submission(error)
    }
}
