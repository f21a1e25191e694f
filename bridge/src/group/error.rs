//! Why a group could not be started.

use polyloop::PanicPayload;
use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;

/// A loop of a group could not be started; the others were stopped again.
pub struct GroupError {
    name: String,
    cause: Cause,
}

pub(super) enum Cause {
    Thread(io::Error),
    Loop(io::Error),
    Panicked(PanicPayload),
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
        }
    }
}

impl Error for GroupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Cause::Thread(error) | Cause::Loop(error) => Some(error),
            Cause::Panicked(_) => None,
        }
    }
}

impl From<GroupError> for io::Error {
    fn from(error: GroupError) -> Self {
        let kind = match &error.cause {
            Cause::Thread(error) | Cause::Loop(error) => error.kind(),
            Cause::Panicked(_) => return Self::other(error.to_string()),
        };
        Self::new(kind, error.to_string())
    }
}
