//! How a blocking action is told to stop: by the end of a pipe.
//!
//! The loop's side holds the one writing end and never writes. When it is
//! dropped, on purpose or because the run's future was dropped, the reading end
//! is at its end: code that checks now and then sees it, and code that sleeps in
//! `poll` wakes from it. So no way of ending a run leaves its blocking part
//! behind.

use std::io;
use std::io::{PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Orders to stop when it is dropped.
#[derive(Debug)]
pub struct StopOnDrop(#[expect(dead_code, reason = "only its drop matters")] PipeWriter);

/// Shows whether the order was given.
#[derive(Clone, Debug)]
pub struct StopSignal(Arc<PipeReader>);

/// The two ends of an order to stop.
///
/// # Errors
///
/// The process has no file descriptors left.
pub fn order() -> io::Result<(StopOnDrop, StopSignal)> {
    let (reader, writer) = io::pipe()?;
    Ok((StopOnDrop(writer), StopSignal(Arc::new(reader))))
}

impl StopSignal {
    /// Whether the order to stop was given.
    #[must_use]
    pub fn is_set(&self) -> bool {
        let mut fds = [PollFd::new(self, PollFlags::IN)];
        // An error here is a signal or a full kernel; the next check sees more.
        matches!(poll(&mut fds, Some(&Timespec::default())), Ok(ready) if ready > 0)
    }
}

impl AsFd for StopSignal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_one_end_shows_at_every_other() {
        let (stop, signal) = order().unwrap();
        let other = signal.clone();
        assert!(!signal.is_set() && !other.is_set());
        drop(stop);
        assert!(signal.is_set() && other.is_set());
    }
}
