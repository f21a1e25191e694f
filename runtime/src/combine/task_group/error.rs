//! What a group's scope fails with.
#![forbid(unsafe_code)]

use super::output::Failure;
use crate::task::TaskInfo;
use std::any::Any;
use std::error::Error;
use std::fmt;

/// Why [`TaskGroup::scope`](super::TaskGroup::scope) has no value: the errors
/// of all children that failed; asyncio's `ExceptionGroup`.
pub struct GroupError {
    errors: Vec<ChildError>,
}

impl GroupError {
    pub(super) fn new(errors: Vec<ChildError>) -> Self {
        Self { errors }
    }

    pub(super) fn cancelled() -> Self {
        Self::new(Vec::new())
    }

    /// Was the group cancelled before its body was done, with no child failing?
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.errors.is_empty()
    }

    /// The errors, in order of time.
    #[must_use]
    pub fn errors(&self) -> &[ChildError] {
        &self.errors
    }

    /// The errors, in order of time.
    #[must_use]
    pub fn into_errors(self) -> Vec<ChildError> {
        self.errors
    }
}

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors.len() {
            0 => return f.write_str("the task group was cancelled before its body was done"),
            1 => f.write_str("a task of the group failed")?,
            count => write!(f, "{count} tasks of the group failed")?,
        }
        for (at, error) in self.errors.iter().enumerate() {
            let mark = if at == 0 { ": " } else { "; " };
            write!(f, "{mark}{error}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GroupError").field(&self.errors).finish()
    }
}

impl Error for GroupError {}

/// The error of one child of a group.
pub struct ChildError {
    failure: Failure,
    task: Option<TaskInfo>,
}

impl ChildError {
    pub(super) fn new(failure: Failure, task: Option<TaskInfo>) -> Self {
        Self { failure, task }
    }

    /// Which child it was; `None` for the group's body, and for a child that
    /// failed while it was being created.
    #[must_use]
    pub fn task(&self) -> Option<&TaskInfo> {
        self.task.as_ref()
    }

    /// Tells the exception handler, when nobody else can be told.
    pub(super) fn report(self) {
        crate::event_loop::report_error(&format!("{:?}", self.failure), self.task);
    }

    /// The error itself, if it is an `E`.
    #[must_use]
    pub fn downcast_ref<E: fmt::Debug + 'static>(&self) -> Option<&E> {
        let error: &dyn Any = &*self.failure.error;
        error.downcast_ref()
    }

    /// The error itself, if it is an `E`.
    ///
    /// # Errors
    /// Gives this back when it is not.
    pub fn downcast<E: fmt::Debug + 'static>(self) -> Result<E, Self> {
        if self.downcast_ref::<E>().is_none() {
            return Err(self);
        }
        let error: Box<dyn Any> = self.failure.error;
        let error = error.downcast().expect("its type was asked for");
        Ok(*error)
    }
}

impl fmt::Display for ChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.failure.error)?;
        if let Some(task) = &self.task {
            write!(f, " ({task})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for ChildError {}
