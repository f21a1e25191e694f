//! The channels' errors: each says what ended, and gives the value back.
#![forbid(unsafe_code)]

use concurrent_queue::PopError;
use std::error::Error;
use std::fmt;

/// The channel is closed and empty: nothing comes any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecvError;

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the channel is closed and empty: stop receiving")
    }
}

impl Error for RecvError {}

/// Why `try_recv` had nothing to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryRecvError {
    /// Nothing is there now; more may come.
    Empty,
    /// Nothing is there and nothing comes any more.
    Closed,
}

impl TryRecvError {
    pub(super) fn from_pop(none: PopError) -> Self {
        match none {
            PopError::Empty => Self::Empty,
            PopError::Closed => Self::Closed,
        }
    }

    /// May something still come?
    pub fn is_empty(&self) -> bool {
        *self == Self::Empty
    }

    /// Does nothing come any more?
    pub fn is_closed(&self) -> bool {
        *self == Self::Closed
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "nothing is there yet: await recv(), or try again later",
            Self::Closed => "the channel is closed and empty: stop receiving",
        })
    }
}

impl Error for TryRecvError {}

/// Why a timed receive had nothing to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecvTimeoutError {
    /// Nothing came in time; more may come.
    TimedOut,
    /// Nothing is there and nothing comes any more.
    Closed,
}

impl RecvTimeoutError {
    /// Did the time run out?
    pub fn is_timed_out(&self) -> bool {
        *self == Self::TimedOut
    }

    /// Does nothing come any more?
    pub fn is_closed(&self) -> bool {
        *self == Self::Closed
    }
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "nothing came in time: ask again, or give up",
            Self::Closed => "the channel is closed and empty: stop receiving",
        })
    }
}

impl Error for RecvTimeoutError {}

/// The channel is closed; here is the value again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

impl<T> SendError<T> {
    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the channel is closed: stop sending (into_inner() gives the value back)")
    }
}

impl<T> Error for SendError<T> {}

/// Why `try_send` did not send; the value is in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// There is no room now.
    Full(T),
    /// Nobody receives any more.
    Closed(T),
}

impl<T> TrySendError<T> {
    /// Was there no room?
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Does nobody receive any more?
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Closed(value) => value,
        }
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "TrySendError::Full(..)",
            Self::Closed(_) => "TrySendError::Closed(..)",
        })
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the channel is full: await send(), or try again later",
            Self::Closed(_) => "the channel is closed: stop sending",
        })
    }
}

impl<T> Error for TrySendError<T> {}

/// Why a timed send did not send; the value is in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SendTimeoutError<T> {
    /// There was no room in time.
    TimedOut(T),
    /// Nobody receives any more.
    Closed(T),
}

impl<T> SendTimeoutError<T> {
    /// Did the time run out?
    pub fn is_timed_out(&self) -> bool {
        matches!(self, Self::TimedOut(_))
    }

    /// Does nobody receive any more?
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            Self::TimedOut(value) | Self::Closed(value) => value,
        }
    }
}

impl<T> fmt::Debug for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut(_) => "SendTimeoutError::TimedOut(..)",
            Self::Closed(_) => "SendTimeoutError::Closed(..)",
        })
    }
}

impl<T> fmt::Display for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut(_) => "the channel stayed full: send again, or give up",
            Self::Closed(_) => "the channel is closed: stop sending",
        })
    }
}

impl<T> Error for SendTimeoutError<T> {}
