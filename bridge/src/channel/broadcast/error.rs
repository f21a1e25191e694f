//! Why a receiver of a broadcast got no value.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fmt;

/// Why a receive gave no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecvError {
    /// So many values were overwritten before this receiver took them; the next
    /// receive gives the oldest that is left.
    Lagged(u64),
    /// Nothing is left and nothing comes any more.
    Closed,
}

impl RecvError {
    /// Were values lost? More may come.
    pub fn is_lagged(&self) -> bool {
        matches!(self, Self::Lagged(_))
    }

    /// Does nothing come any more?
    pub fn is_closed(&self) -> bool {
        *self == Self::Closed
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lagged(lost) => lagged(*lost, f),
            Self::Closed => f.write_str(CLOSED),
        }
    }
}

impl Error for RecvError {}

/// Why `try_recv` gave no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryRecvError {
    /// Nothing is there now; more may come.
    Empty,
    /// As [`RecvError::Lagged`].
    Lagged(u64),
    /// Nothing is left and nothing comes any more.
    Closed,
}

impl TryRecvError {
    /// Is nothing there, but may come?
    pub fn is_empty(&self) -> bool {
        *self == Self::Empty
    }

    /// Were values lost? More may come.
    pub fn is_lagged(&self) -> bool {
        matches!(self, Self::Lagged(_))
    }

    /// Does nothing come any more?
    pub fn is_closed(&self) -> bool {
        *self == Self::Closed
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nothing is there yet: await recv(), or try again later"),
            Self::Lagged(lost) => lagged(*lost, f),
            Self::Closed => f.write_str(CLOSED),
        }
    }
}

impl Error for TryRecvError {}

/// Why a timed receive gave no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecvTimeoutError {
    /// Nothing came in time; more may come.
    TimedOut,
    /// As [`RecvError::Lagged`].
    Lagged(u64),
    /// Nothing is left and nothing comes any more.
    Closed,
}

impl RecvTimeoutError {
    /// Did the time run out?
    pub fn is_timed_out(&self) -> bool {
        *self == Self::TimedOut
    }

    /// Were values lost? More may come.
    pub fn is_lagged(&self) -> bool {
        matches!(self, Self::Lagged(_))
    }

    /// Does nothing come any more?
    pub fn is_closed(&self) -> bool {
        *self == Self::Closed
    }
}

impl From<RecvError> for RecvTimeoutError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Lagged(lost) => Self::Lagged(lost),
            RecvError::Closed => Self::Closed,
        }
    }
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("nothing came in time: ask again, or give up"),
            Self::Lagged(lost) => lagged(*lost, f),
            Self::Closed => f.write_str(CLOSED),
        }
    }
}

impl Error for RecvTimeoutError {}

fn lagged(lost: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "{lost} values were lost: receive faster, or hold more of them"
    )
}

const CLOSED: &str = "the channel is closed and empty: stop receiving";
