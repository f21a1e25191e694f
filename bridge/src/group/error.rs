//! Why a loop could not be started, or not be retired.
#![forbid(unsafe_code)]

use polyloop::PanicPayload;
use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;

/// A loop of a group could not be started. If that was the start of the whole
/// group, the others were stopped again.
pub struct GroupError {
    name: String,
    cause: Cause,
}

pub(super) enum Cause {
    Thread(io::Error),
    Loop(io::Error),
    Panicked(PanicPayload),
    Stopped,
}

impl GroupError {
    pub(super) fn new(name: String, cause: Cause) -> Self {
        Self { name, cause }
    }

    /// The name of the loop.
    pub fn loop_name(&self) -> &str {
        &self.name
    }

    /// Did the system refuse the thread?
    pub fn is_thread(&self) -> bool {
        matches!(self.cause, Cause::Thread(_))
    }

    /// Did the system refuse the loop a descriptor?
    pub fn is_loop(&self) -> bool {
        matches!(self.cause, Cause::Loop(_))
    }

    /// Did `on_start` panic?
    pub fn is_panic(&self) -> bool {
        matches!(self.cause, Cause::Panicked(_))
    }

    /// Was the group being shut down?
    pub fn is_stopped(&self) -> bool {
        matches!(self.cause, Cause::Stopped)
    }

    /// The payload of the panic of `on_start`.
    ///
    /// # Errors
    /// Gives the error back when it did not panic.
    pub fn into_panic(self) -> Result<Box<dyn Any + Send>, Self> {
        match self.cause {
            Cause::Panicked(payload) => Ok(payload.into_inner()),
            cause => Err(Self { cause, ..self }),
        }
    }
}

impl fmt::Debug for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupError({self})")
    }
}

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.cause {
            Cause::Thread(error) => write!(
                f,
                "no thread for the loop {name:?}: {error}; ask for fewer loops, or raise the limit"
            ),
            Cause::Loop(error) => write!(
                f,
                "the loop {name:?} could not be made: {error}; raise the limit on open files"
            ),
            Cause::Panicked(payload) => {
                write!(f, "on_start panicked on the loop {name:?}: {payload}")
            }
            Cause::Stopped => write!(
                f,
                "the loop {name:?} was not started: its group is shut down, build another one"
            ),
        }
    }
}

impl Error for GroupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Cause::Thread(error) | Cause::Loop(error) => Some(error),
            Cause::Panicked(_) | Cause::Stopped => None,
        }
    }
}

impl From<GroupError> for io::Error {
    fn from(error: GroupError) -> Self {
        let kind = match &error.cause {
            Cause::Thread(error) | Cause::Loop(error) => error.kind(),
            Cause::Panicked(_) | Cause::Stopped => return Self::other(error.to_string()),
        };
        Self::new(kind, error.to_string())
    }
}

/// A loop was not retired; it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetireError {
    /// There is no loop of this number in the group, or it was retired before.
    Absent,
    /// It is the only one: a group is never empty.
    Last,
}

impl fmt::Display for RetireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "the group has no loop of this number (any more)",
            Self::Last => "it is the group's only loop: add one first, or shut the group down",
        })
    }
}

impl Error for RetireError {}
