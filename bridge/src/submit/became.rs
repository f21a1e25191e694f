//! What became of a submission that was to end.
#![forbid(unsafe_code)]

use polyloop::{PanicPayload, TaskError};
use std::fmt;

/// What became of a submission that was cancelled; from
/// [`Submission::cancel_and_wait`](super::Submission::cancel_and_wait).
#[must_use = "it may hold the value of work that ended before the cancel came"]
pub enum Outcome<T> {
    /// It never began: the closure was dropped without being called.
    NeverStarted,
    /// It had begun, and its future was dropped on its loop.
    Cancelled,
    /// It ended first, with this value.
    Finished(T),
    /// It ended first, by a panic with this payload.
    Panicked(PanicPayload),
    /// It ended before, and how was told then: by
    /// [`Submission::result_timeout`](super::Submission::result_timeout) or an await.
    Taken,
}

impl<T> Outcome<T> {
    pub(super) fn of(answer: Result<T, TaskError>) -> Self {
        match answer {
            Ok(value) => Self::Finished(value),
            Err(error) if error.is_never_started() => Self::NeverStarted,
            Err(error) => match error.into_panic() {
                Ok(payload) => Self::Panicked(PanicPayload::new(payload)),
                Err(_) => Self::Cancelled,
            },
        }
    }

    /// Did it never begin?
    pub fn is_never_started(&self) -> bool {
        matches!(self, Self::NeverStarted)
    }

    /// Was it dropped before it ended, whether it had begun or not?
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::NeverStarted | Self::Cancelled)
    }

    /// Did it panic?
    pub fn is_panic(&self) -> bool {
        matches!(self, Self::Panicked(_))
    }

    /// The value, if it ended with one.
    pub fn finished(self) -> Option<T> {
        match self {
            Self::Finished(value) => Some(value),
            _ => None,
        }
    }
}

impl<T> fmt::Debug for Outcome<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverStarted => f.write_str("Outcome::NeverStarted"),
            Self::Cancelled => f.write_str("Outcome::Cancelled"),
            Self::Finished(_) => f.write_str("Outcome::Finished(..)"),
            Self::Panicked(payload) => f
                .debug_tuple("Outcome::Panicked")
                .field(&payload.message())
                .finish(),
            Self::Taken => f.write_str("Outcome::Taken"),
        }
    }
}
