//! How a group ended.

use crate::ShutdownReport;
use polyloop::{CloseReport, RunError};
use std::fmt;

/// How a [`LoopGroup`](super::LoopGroup) ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GroupReport {
    /// One for each loop, in the order of their starts; without those that were
    /// retired, whose reports were given then.
    pub loops: Vec<LoopReport>,
    /// The end of the group's own executor, after a shutdown.
    pub executor: Option<ShutdownReport>,
}

/// How one loop ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoopReport {
    /// The loop's name.
    pub name: String,
    /// What closing it did; `None` while it has not ended.
    pub closed: Option<CloseReport>,
    /// Why it ended, if it was not stopped: it could not wait for events.
    pub error: Option<RunError>,
    /// What a panic outside of any task said, such as one of `on_stop`.
    pub panic: Option<String>,
}

impl GroupReport {
    /// Has everything ended, with no task cut off and no job left?
    pub fn is_complete(&self) -> bool {
        let executor = self.executor.as_ref();
        self.loops.iter().all(LoopReport::is_complete)
            && executor.is_none_or(ShutdownReport::is_complete)
    }

    /// The loops that have not ended.
    pub fn stuck(&self) -> impl Iterator<Item = &LoopReport> {
        self.loops.iter().filter(|report| report.closed.is_none())
    }
}

impl LoopReport {
    pub(super) fn not_ended(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            closed: None,
            error: None,
            panic: None,
        }
    }

    /// Has it ended, with no task cut off?
    pub fn is_complete(&self) -> bool {
        let closed = self.closed.as_ref();
        closed.is_some_and(|closed| closed.unfinished.is_empty())
    }
}

impl fmt::Display for GroupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = self.loops.len() - self.stuck().count();
        write!(f, "{ended} of {} loops have ended", self.loops.len())?;
        for report in &self.loops {
            write!(f, "\n  {report}")?;
        }
        if let Some(executor) = &self.executor {
            write!(f, "\n  {executor}")?;
        }
        Ok(())
    }
}

impl fmt::Display for LoopReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match &self.closed {
            Some(closed) => write!(f, "{closed}")?,
            None => f.write_str("has not ended: a task blocks it")?,
        }
        if let Some(error) = &self.error {
            write!(f, "; it had failed: {error}")?;
        }
        if let Some(message) = &self.panic {
            write!(f, "; it panicked: {message}")?;
        }
        Ok(())
    }
}
