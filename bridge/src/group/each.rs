//! One submission to every loop, awaited together.

use crate::submit::{Answer, Submission};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The future of [`LoopGroup::on_each`](super::LoopGroup::on_each): the outcomes
/// in the order of the loops.
///
/// # Cancel safety
/// Dropping it detaches the work, which runs on.
#[must_use = "without it nobody learns the outcomes; drop it to detach the work"]
pub struct Each<T> {
    parts: Vec<Part<T>>,
}

enum Part<T> {
    Sent(Submission<T>),
    Ended(Answer<T>),
    Taken,
}

impl<T> Each<T> {
    pub(super) fn new(sent: Vec<Submission<T>>) -> Self {
        Self {
            parts: sent.into_iter().map(Part::Sent).collect(),
        }
    }

    /// Blocks the calling thread until all have ended.
    ///
    /// Each outcome is a [`Submission::result`], with its errors.
    pub fn results(self) -> Vec<Answer<T>> {
        let parts = self.parts.into_iter();
        parts
            .filter_map(|part| match part {
                Part::Sent(submission) => Some(submission.result()),
                Part::Ended(outcome) => Some(outcome),
                Part::Taken => None,
            })
            .collect()
    }

    /// Asks all of them to end.
    pub fn cancel(&self) {
        for part in &self.parts {
            if let Part::Sent(submission) = part {
                submission.cancel();
            }
        }
    }
}

impl<T> Future for Each<T> {
    type Output = Vec<Answer<T>>;

    /// Polled after it was ready, it gives nothing.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let parts = &mut self.get_mut().parts;
        let mut pending = false;
        for part in parts.iter_mut() {
            if let Part::Sent(submission) = part {
                match Pin::new(submission).poll(cx) {
                    Poll::Ready(outcome) => *part = Part::Ended(outcome),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending {
            return Poll::Pending;
        }
        let ended =
            parts
                .iter_mut()
                .filter_map(|part| match std::mem::replace(part, Part::Taken) {
                    Part::Ended(outcome) => Some(outcome),
                    Part::Sent(_) | Part::Taken => None,
                });
        Poll::Ready(ended.collect())
    }
}

// The outcomes are moved out, never pinned.
impl<T> Unpin for Each<T> {}

impl<T> fmt::Debug for Each<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sent = |part: &&Part<T>| matches!(part, Part::Sent(_));
        f.debug_struct("Each")
            .field("parts", &self.parts.len())
            .field("pending", &self.parts.iter().filter(sent).count())
            .finish()
    }
}
