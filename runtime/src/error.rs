//! The runtime's errors: small types with predicates.
#![forbid(unsafe_code)]

use parking_lot::Mutex;
use std::any::Any;
use std::borrow::Cow;
use std::fmt;

/// Why a task ended without a value.
///
/// Stands for asyncio's `CancelledError` and for the exception a task died of.
pub struct TaskError(Repr);

/// Flat, so that its tag fills a whole word: a result is then moved in two words.
/// With a `bool` beside a tag of one byte it was moved in pieces that overlap, and
/// the processor waited for each of them to reach the cache.
enum Repr {
    NeverStarted,
    Cancelled,
    ClosedNeverStarted,
    Closed,
    Panic(PanicPayload),
}

/// What a panic carried. Unlike the bare payload it is `Sync`, so that errors
/// that hold one pass through `?` into any boxed error.
///
/// # Examples
/// ```
/// # polyloop::run(async {
/// let task = polyloop::create_task(async { panic!("no luck") });
/// let error: Box<dyn std::error::Error + Send + Sync> = task.await.unwrap_err().into();
/// assert!(error.to_string().contains("no luck"));
/// # }).unwrap();
/// ```
pub struct PanicPayload(Box<Carried>);

struct Carried {
    message: Cow<'static, str>,
    /// Never locked: the mutex is what makes a payload, which is only `Send`,
    /// fit to be shared.
    payload: Mutex<Box<dyn Any + Send>>,
}

impl PanicPayload {
    /// Wraps what [`std::panic::catch_unwind`] gave.
    pub fn new(payload: Box<dyn Any + Send>) -> Self {
        let message = match payload.downcast_ref::<&'static str>() {
            Some(text) => Cow::Borrowed(*text),
            None => Cow::Owned(panic_message(payload.as_ref()).to_owned()),
        };
        Self(Box::new(Carried {
            message,
            payload: Mutex::new(payload),
        }))
    }

    /// What the panic said, when its payload is a string as it nearly always
    /// is; a stand-in when it is not.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The payload itself, fit for [`std::panic::resume_unwind`].
    pub fn into_inner(self) -> Box<dyn Any + Send> {
        self.0.payload.into_inner()
    }
}

impl fmt::Debug for PanicPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PanicPayload")
            .field(&self.message())
            .finish()
    }
}

impl fmt::Display for PanicPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl TaskError {
    /// `started`: had the task been polled?
    pub(crate) fn cancelled(started: bool) -> Self {
        Self(match started {
            true => Repr::Cancelled,
            false => Repr::NeverStarted,
        })
    }

    /// `started`: had the task been polled?
    pub(crate) fn loop_closed(started: bool) -> Self {
        Self(match started {
            true => Repr::Closed,
            false => Repr::ClosedNeverStarted,
        })
    }

    pub(crate) fn panic(payload: Box<dyn Any + Send>) -> Self {
        Self(Repr::Panic(PanicPayload::new(payload)))
    }

    /// Was the task cancelled, by its handle or because its loop was closed?
    pub fn is_cancelled(&self) -> bool {
        !self.is_panic()
    }

    /// Did the task end because its loop was closed before it was done?
    pub fn is_loop_closed(&self) -> bool {
        matches!(self.0, Repr::Closed | Repr::ClosedNeverStarted)
    }

    /// Did the task end before its first poll, so that nothing of it ran?
    pub fn is_never_started(&self) -> bool {
        matches!(self.0, Repr::NeverStarted | Repr::ClosedNeverStarted)
    }

    /// Did the task panic?
    pub fn is_panic(&self) -> bool {
        matches!(self.0, Repr::Panic(_))
    }

    /// The payload of the panic, fit for [`std::panic::resume_unwind`].
    ///
    /// # Errors
    /// Gives the error back when the task did not panic.
    pub fn into_panic(self) -> Result<Box<dyn Any + Send>, Self> {
        match self.0 {
            Repr::Panic(payload) => Ok(payload.into_inner()),
            other => Err(Self(other)),
        }
    }

    /// The panic's message, when its payload is a string as it nearly always is.
    pub fn panic_message(&self) -> Option<&str> {
        match &self.0 {
            Repr::Panic(payload) => Some(payload.message()),
            _ => None,
        }
    }
}

/// What a payload says, when it is a string; a stand-in when it is not.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "(a panic whose payload is not a string)"
    }
}

impl fmt::Debug for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::NeverStarted | Repr::Cancelled => f.write_str("TaskError::Cancelled"),
            Repr::ClosedNeverStarted | Repr::Closed => f.write_str("TaskError::LoopClosed"),
            Repr::Panic(payload) => f
                .debug_tuple("TaskError::Panic")
                .field(&payload.message())
                .finish(),
        }
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::NeverStarted | Repr::Cancelled => f.write_str("the task was cancelled"),
            Repr::ClosedNeverStarted | Repr::Closed => {
                f.write_str("the loop was closed before the task was done; submit to a running one")
            }
            Repr::Panic(payload) => write!(
                f,
                "the task panicked: {} (into_panic() gives the payload)",
                payload.message()
            ),
        }
    }
}

impl std::error::Error for TaskError {}

/// Why a loop did not run, or stopped before its main future was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunError {
    /// A loop is running on this thread already; asyncio's "Cannot run the
    /// event loop while another loop is running".
    Nested,
    /// `stop()` was called before the main future was done; it was dropped.
    Stopped,
    /// The operating system refused to wait for events; the kind says why.
    Driver(std::io::ErrorKind),
}

impl RunError {
    /// Is a loop running on this thread already?
    pub fn is_nested(&self) -> bool {
        matches!(self, Self::Nested)
    }

    /// Was the loop stopped before the main future was done?
    pub fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped)
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nested => f.write_str(
                "a loop is running on this thread already; await the future there, \
                 or run the second loop on a thread of its own",
            ),
            Self::Stopped => f.write_str(
                "the loop was stopped before its main future was done; \
                 do not call stop() while run_until_complete() runs",
            ),
            Self::Driver(kind) => write!(f, "the loop could not wait for events: {kind}"),
        }
    }
}

impl std::error::Error for RunError {}

impl From<RunError> for std::io::Error {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Driver(kind) => kind.into(),
            other => std::io::Error::other(other),
        }
    }
}

/// The time given to [`timeout`](crate::timeout) passed; asyncio's `TimeoutError`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed(pub(crate) ());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline passed before the future was done")
    }
}

impl std::error::Error for Elapsed {}

impl From<Elapsed> for std::io::Error {
    fn from(elapsed: Elapsed) -> Self {
        std::io::Error::new(std::io::ErrorKind::TimedOut, elapsed)
    }
}

/// The panic message of every call that needs a running loop and found none.
pub(crate) const NO_LOOP: &str = "no polyloop event loop is running on this thread; \
     call this from inside polyloop::run() or EventLoop::run_until_complete()";
