//! The driver seam: what a loop waits with.
//!
//! mio is the one that serves sockets. A simulated driver can stand here for
//! tests that run many loops under one seed: a loop asks three things of it.
#![forbid(unsafe_code)]

use super::bell::Bell;
use crate::remote::Unpark;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to wait for events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Not at all: collect what is there.
    Poll,
    /// Until this moment of real time at the latest.
    Until(Instant),
    /// Until something happens.
    Forever,
}

/// A source became ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The token that the source was registered with.
    pub token: usize,
    /// There is something to read, or the peer has closed its side, or an error
    /// waits to be picked up.
    pub readable: bool,
    /// There is room to write, or an error waits to be picked up.
    pub writable: bool,
    /// The peer has closed its side, or an error waits to be picked up: no
    /// further event may come.
    pub ended: bool,
}

/// Waits for events on behalf of one loop, on that loop's thread.
pub trait Driver: 'static {
    /// Waits, and passes every event to `sink`. Returns early when
    /// [`unpark`](Unpark::unpark) is called, also when it was called before.
    ///
    /// # Errors
    /// The system call failed for a reason other than a signal.
    fn wait(&mut self, wait: Wait, sink: &mut dyn FnMut(Event)) -> io::Result<()>;

    /// Waits for [`unpark`](Unpark::unpark) alone: no source is registered, and
    /// there is no deadline. Default: as [`wait`](Self::wait), for ever.
    ///
    /// # Errors
    /// As there.
    fn park(&mut self) -> io::Result<()> {
        self.wait(Wait::Forever, &mut |_| {})
    }

    /// What ends a wait from another thread; asked for once.
    fn unparker(&self) -> Arc<dyn Unpark>;

    /// Where sources are registered; `None` if the driver serves none, and
    /// sockets then fail with [`io::ErrorKind::Unsupported`].
    ///
    /// # Errors
    /// The registry could not be cloned.
    fn registry(&self) -> io::Result<Option<mio::Registry>>;
}

const UNPARK: mio::Token = mio::Token(usize::MAX);
#[cfg(target_os = "linux")]
const TIMER: mio::Token = mio::Token(usize::MAX - 1);
/// mio's wait cannot be longer than `i32::MAX` milliseconds; a day is plenty.
const LONGEST: Duration = Duration::from_secs(86_400);

/// mio, and on Linux a timer descriptor in it: epoll alone rounds a wait up to
/// a whole millisecond.
pub(crate) struct MioDriver {
    poll: mio::Poll,
    events: mio::Events,
    waker: Arc<MioWaker>,
    #[cfg(target_os = "linux")]
    timer: super::timer_fd::TimerFd,
}

struct MioWaker {
    bell: Bell,
    selector: mio::Waker,
}

impl Unpark for MioWaker {
    fn unpark(&self) -> io::Result<()> {
        if self.bell.ring() {
            return Ok(());
        }
        self.selector.wake()
    }
}

impl MioDriver {
    pub(crate) fn new() -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let waker = Arc::new(MioWaker {
            bell: Bell::new(),
            selector: mio::Waker::new(poll.registry(), UNPARK)?,
        });
        Ok(Self {
            #[cfg(target_os = "linux")]
            timer: super::timer_fd::TimerFd::new(poll.registry(), TIMER)?,
            poll,
            events: mio::Events::with_capacity(1024),
            waker,
        })
    }

    /// The time-out for mio, with the precise end armed where there is one.
    fn timeout(&mut self, wait: Wait) -> io::Result<Option<Duration>> {
        match wait {
            Wait::Poll => Ok(Some(Duration::ZERO)),
            Wait::Forever => Ok(None),
            Wait::Until(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left > LONGEST {
                    return Ok(Some(LONGEST));
                }
                #[cfg(target_os = "linux")]
                {
                    if left.is_zero() {
                        return Ok(Some(Duration::ZERO));
                    }
                    self.timer.arm(deadline, left)?;
                    Ok(None)
                }
                #[cfg(not(target_os = "linux"))]
                Ok(Some(left))
            }
        }
    }
}

impl Driver for MioDriver {
    fn wait(&mut self, wait: Wait, sink: &mut dyn FnMut(Event)) -> io::Result<()> {
        let timeout = self.timeout(wait)?;
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            // A signal: the loop makes a turn and comes back.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        }
        for event in &self.events {
            match event.token() {
                UNPARK => {}
                #[cfg(target_os = "linux")]
                TIMER => self.timer.expired(),
                mio::Token(token) => sink(Event {
                    token,
                    // An error or a hang-up wakes both directions: either may
                    // be the one that somebody waits for.
                    readable: event.is_readable() || event.is_read_closed() || event.is_error(),
                    writable: event.is_writable() || event.is_write_closed() || event.is_error(),
                    ended: event.is_read_closed() || event.is_write_closed() || event.is_error(),
                }),
            }
        }
        Ok(())
    }

    fn park(&mut self) -> io::Result<()> {
        self.waker.bell.sleep();
        Ok(())
    }

    fn unparker(&self) -> Arc<dyn Unpark> {
        self.waker.clone()
    }

    fn registry(&self) -> io::Result<Option<mio::Registry>> {
        self.poll.registry().try_clone().map(Some)
    }
}
