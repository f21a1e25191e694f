//! What a future answers when it has no result, and a promise when it is late.

use std::error::Error;
use std::fmt;
use std::rc::Rc;

use super::Outcome;

/// Why a [`Future`](super::Future) has no result.
#[derive(Clone, Debug)]
pub struct FutureError(Reason);

#[derive(Clone, Debug)]
enum Reason {
    Exception(Rc<dyn Error>),
    Cancelled,
    Abandoned,
    Pending,
}

impl FutureError {
    pub(super) fn of<T>(outcome: Option<&Outcome<T>>) -> Self {
        Self(match outcome {
            Some(Outcome::Exception(error)) => Reason::Exception(Rc::clone(error)),
            Some(Outcome::Cancelled) => Reason::Cancelled,
            Some(Outcome::Abandoned) => Reason::Abandoned,
            Some(Outcome::Result(_)) | None => Reason::Pending,
        })
    }

    /// Was the future cancelled? asyncio's `CancelledError`.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0, Reason::Cancelled)
    }

    /// Was the promise dropped without a result?
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        matches!(self.0, Reason::Abandoned)
    }

    /// Is the future not done? asyncio's `InvalidStateError`; only
    /// [`result`](super::Future::result) and
    /// [`exception`](super::Future::exception), which do not wait, say so.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        matches!(self.0, Reason::Pending)
    }

    /// The error that was set, if that is the reason.
    #[must_use]
    pub fn exception(&self) -> Option<&Rc<dyn Error>> {
        match &self.0 {
            Reason::Exception(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for FutureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::Exception(error) => write!(f, "the future's result is an error: {error}"),
            Reason::Cancelled => f.write_str("the future was cancelled"),
            Reason::Abandoned => {
                f.write_str("the promise was dropped without a result: keep it until it is set")
            }
            Reason::Pending => f.write_str("the future is not done: await it"),
        }
    }
}

impl Error for FutureError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.exception().map(|error| &**error)
    }
}

/// The future was done already, so what was to be set comes back: asyncio's
/// `InvalidStateError`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct InvalidStateError<T>(pub(super) T);

impl<T> InvalidStateError<T> {
    /// The value or error that was not set.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for InvalidStateError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvalidStateError(..)")
    }
}

impl<T> fmt::Display for InvalidStateError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the future is done: set its result once, and ask whether it was cancelled")
    }
}

impl<T> Error for InvalidStateError<T> {}
