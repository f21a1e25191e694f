//! The signals' numbers.

#![forbid(unsafe_code)]

use std::fmt;

/// A signal of the operating system.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signal(i32);

impl Signal {
    /// SIGHUP: the terminal is gone; for a service, usually: read the
    /// configuration again.
    pub const HANGUP: Self = Self(1);
    /// SIGINT: Ctrl-C.
    pub const INTERRUPT: Self = Self(2);
    /// SIGQUIT: Ctrl-\.
    pub const QUIT: Self = Self(3);
    /// SIGPIPE: a pipe's reader is gone.
    pub const PIPE: Self = Self(13);
    /// SIGALRM: an alarm clock.
    pub const ALARM: Self = Self(14);
    /// SIGTERM: asked to end.
    pub const TERMINATE: Self = Self(15);
    /// SIGUSR1: for the program to define.
    pub const USER_1: Self = Self(if BSD { 30 } else { 10 });
    /// SIGUSR2: for the program to define.
    pub const USER_2: Self = Self(if BSD { 31 } else { 12 });
    /// SIGCHLD: a child process has ended or stopped.
    pub const CHILD: Self = Self(if BSD { 20 } else { 17 });
    /// SIGWINCH: the terminal's size has changed.
    pub const WINDOW_CHANGE: Self = Self(28);

    /// The signal of this number on this system.
    #[must_use]
    pub const fn from_raw(number: i32) -> Self {
        Self(number)
    }

    /// Its number on this system.
    #[must_use]
    pub const fn as_raw(self) -> i32 {
        self.0
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::HANGUP => "SIGHUP",
            Self::INTERRUPT => "SIGINT",
            Self::QUIT => "SIGQUIT",
            Self::PIPE => "SIGPIPE",
            Self::ALARM => "SIGALRM",
            Self::TERMINATE => "SIGTERM",
            Self::USER_1 => "SIGUSR1",
            Self::USER_2 => "SIGUSR2",
            Self::CHILD => "SIGCHLD",
            Self::WINDOW_CHANGE => "SIGWINCH",
            Self(number) => return write!(f, "signal {number}"),
        };
        f.write_str(name)
    }
}

/// Systems that number the later signals as BSD did.
const BSD: bool = cfg!(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly",
));
