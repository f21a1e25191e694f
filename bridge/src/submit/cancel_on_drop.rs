//! A submission that does not outlive the interest in it.
#![forbid(unsafe_code)]

use super::{Answer, Outcome, Submission};
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A submission whose drop cancels the work; from
/// [`Submission::cancel_on_drop`]. In all else it is the submission.
#[must_use = "dropping it cancels the work"]
pub struct CancelOnDrop<T>(Option<Submission<T>>);

impl<T> CancelOnDrop<T> {
    pub(super) fn new(submission: Submission<T>) -> Self {
        Self(Some(submission))
    }

    /// The submission, whose drop detaches the work again.
    pub fn into_inner(mut self) -> Submission<T> {
        self.0.take().expect("only this and the drop empty it")
    }

    /// As [`Submission::result`].
    ///
    /// # Errors
    /// As there; work that goes on is cancelled then.
    pub fn result(mut self) -> Answer<T> {
        self.block(None)
    }

    /// As [`Submission::cancel_and_wait`].
    pub fn cancel_and_wait(self) -> impl Future<Output = Outcome<T>> {
        self.into_inner().cancel_and_wait()
    }
}

impl<T> Deref for CancelOnDrop<T> {
    type Target = Submission<T>;

    fn deref(&self) -> &Submission<T> {
        self.0
            .as_ref()
            .expect("only into_inner and the drop empty it")
    }
}

impl<T> DerefMut for CancelOnDrop<T> {
    fn deref_mut(&mut self) -> &mut Submission<T> {
        self.0
            .as_mut()
            .expect("only into_inner and the drop empty it")
    }
}

impl<T> Future for CancelOnDrop<T> {
    type Output = Answer<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut **self).poll(cx)
    }
}

impl<T> Drop for CancelOnDrop<T> {
    fn drop(&mut self) {
        if let Some(submission) = &self.0 {
            submission.cancel();
        }
    }
}

impl<T> fmt::Debug for CancelOnDrop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelOnDrop").field(&self.0).finish()
    }
}
