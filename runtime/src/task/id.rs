//! Names of loops and tasks.
#![forbid(unsafe_code)]

use std::fmt;

/// A loop's number, unique in the process and never used again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoopId(pub(crate) u64);

impl LoopId {
    /// The number itself, from 1.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for LoopId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoopId({})", self.0)
    }
}

impl fmt::Display for LoopId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A task's number: its loop's, and its place in that loop's order of creation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId {
    pub(crate) on: LoopId,
    pub(crate) sequence: u64,
}

impl TaskId {
    /// The loop that the task lives on.
    pub fn loop_id(self) -> LoopId {
        self.on
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskId({self})")
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.on, self.sequence)
    }
}
