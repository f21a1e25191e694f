//! A timer descriptor in the selector: ends a wait at a nanosecond's precision
//! instead of epoll's millisecond.
//!
//! It is registered edge-triggered and never read: arming it again resets its
//! count, and each expiry is an edge of its own. An expiry that was armed for a
//! wait that ended otherwise wakes the loop once for nothing, which costs less
//! than disarming it every time.
#![forbid(unsafe_code)]

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

pub(super) struct TimerFd {
    fd: OwnedFd,
    /// The deadline that it is armed for, so that the same is not set twice.
    armed: Option<Instant>,
}

impl TimerFd {
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        registry.register(&mut SourceFd(&fd.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self { fd, armed: None })
    }

    /// Expires at `deadline`, which is `left` away; `left` is not zero.
    pub(super) fn arm(&mut self, deadline: Instant, left: Duration) -> io::Result<()> {
        if self.armed == Some(deadline) {
            return Ok(());
        }
        let zero = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let value = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        let spec = Itimerspec {
            it_interval: zero,
            it_value: value,
        };
        timerfd_settime(&self.fd, TimerfdTimerFlags::empty(), &spec)?;
        self.armed = Some(deadline);
        Ok(())
    }

    /// The event of an expiry was seen.
    pub(super) fn expired(&mut self) {
        self.armed = None;
    }
}
