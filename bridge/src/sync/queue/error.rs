//! What the queue answers when it cannot do what it was asked.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fmt;

/// The queue was shut down and is empty: asyncio's `QueueShutDown` out of `get`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueShutDown(pub(super) ());

impl fmt::Display for QueueShutDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue is shut down and has no item left: stop getting from it")
    }
}

impl Error for QueueShutDown {}

/// The queue was shut down, so the item comes back: asyncio's `QueueShutDown`
/// out of `put`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct QueuePutError<T>(pub(super) T);

impl<T> QueuePutError<T> {
    /// The item that was not taken.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for QueuePutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QueuePutError(..)")
    }
}

impl<T> fmt::Display for QueuePutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue is shut down and takes no more items: stop putting")
    }
}

impl<T> Error for QueuePutError<T> {}

/// The queue could not take the item at once, which comes back: asyncio's
/// `QueueFull` and `QueueShutDown` out of `put_nowait`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TryPutError<T> {
    pub(super) item: T,
    pub(super) shut_down: bool,
}

impl<T> TryPutError<T> {
    /// Is the queue full? Waiting may help then.
    pub fn is_full(&self) -> bool {
        !self.shut_down
    }

    /// Is the queue shut down? It will not take any item then.
    pub fn is_shut_down(&self) -> bool {
        self.shut_down
    }

    /// The item that was not taken.
    pub fn into_inner(self) -> T {
        self.item
    }
}

impl<T> fmt::Debug for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryPutError")
            .field("shut_down", &self.shut_down)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.shut_down {
            "the queue is shut down and takes no more items: stop putting"
        } else {
            "the queue is full: wait with put, or drop the item"
        })
    }
}

impl<T> Error for TryPutError<T> {}

/// The queue has no item at once: asyncio's `QueueEmpty` and `QueueShutDown`
/// out of `get_nowait`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryGetError {
    pub(super) shut_down: bool,
}

impl TryGetError {
    /// Is the queue just empty? Waiting may help then.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.shut_down
    }

    /// Is the queue empty and shut down? There will be no item then.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.shut_down
    }
}

impl fmt::Display for TryGetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.shut_down {
            "the queue is shut down and has no item left: stop getting from it"
        } else {
            "the queue is empty: wait with get"
        })
    }
}

impl Error for TryGetError {}

/// `task_done` was called more often than items were put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskDoneError(pub(super) ());

impl fmt::Display for TaskDoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task_done called too often: call it once for each item got")
    }
}

impl Error for TaskDoneError {}

/// Why a timed `put` did not put; the item comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct QueuePutTimeoutError<T> {
    pub(super) item: T,
    pub(super) timed_out: bool,
}

impl<T> QueuePutTimeoutError<T> {
    /// Was there no room in time?
    pub fn is_timed_out(&self) -> bool {
        self.timed_out
    }

    /// Is the queue shut down? It will not take any item then.
    pub fn is_shut_down(&self) -> bool {
        !self.timed_out
    }

    /// The item that was not taken.
    pub fn into_inner(self) -> T {
        self.item
    }
}

impl<T> fmt::Debug for QueuePutTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuePutTimeoutError")
            .field("timed_out", &self.timed_out)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for QueuePutTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.timed_out {
            true => "the queue stayed full: put the item again, or give up",
            false => "the queue is shut down and takes no more items: stop putting",
        })
    }
}

impl<T> Error for QueuePutTimeoutError<T> {}

/// Why a timed `get` had nothing to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueGetTimeoutError {
    pub(super) timed_out: bool,
}

impl QueueGetTimeoutError {
    /// Did no item come in time?
    pub fn is_timed_out(&self) -> bool {
        self.timed_out
    }

    /// Is the queue shut down and empty?
    pub fn is_shut_down(&self) -> bool {
        !self.timed_out
    }
}

impl fmt::Display for QueueGetTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.timed_out {
            true => f.write_str("no item came in time: get again, or give up"),
            false => QueueShutDown(()).fmt(f),
        }
    }
}

impl Error for QueueGetTimeoutError {}
