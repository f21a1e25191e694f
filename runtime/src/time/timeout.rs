//! `timeout` and `timeout_at`.

use super::{Sleep, after, now, sleep_until};
use crate::error::Elapsed;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Gives `future` at most `limit`; asyncio's `timeout` and `wait_for`.
///
/// The time counts from the first poll that did not finish it, so a future that
/// is ready at once costs neither a timer nor a look at the clock. A limit of
/// zero polls it once. A value that is ready when the time is up wins. On
/// expiry the future is dropped before this returns.
///
/// # Cancel safety
/// Dropping it drops the future.
///
/// # Errors
/// [`Elapsed`] when the time is up.
///
/// # Panics
/// Outside of a loop.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// # polyloop::run(async {
/// let slow = polyloop::timeout(Duration::from_millis(1), std::future::pending::<()>());
/// assert!(slow.await.is_err());
/// let quick = polyloop::timeout(Duration::from_secs(1), async { 7 });
/// assert_eq!(quick.await, Ok(7));
/// # }).unwrap();
/// ```
#[doc(alias = "wait_for")]
pub fn timeout<F: Future>(limit: Duration, future: F) -> Timeout<F> {
    Timeout {
        future: Some(future),
        limit: Limit::For(limit),
        sleep: None,
    }
}

/// As [`timeout`], until a moment of the loop's time.
pub fn timeout_at<F: Future>(deadline: Instant, future: F) -> Timeout<F> {
    Timeout {
        future: Some(future),
        limit: Limit::Until(deadline),
        sleep: None,
    }
}

#[derive(Debug, Clone, Copy)]
enum Limit {
    For(Duration),
    Until(Instant),
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    #[must_use = "a Timeout does nothing until it is awaited"]
    #[derive(Debug)]
    pub struct Timeout<F> {
        // `None` once it has expired: the future is gone before the answer is.
        #[pin]
        future: Option<F>,
        limit: Limit,
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let future = this.future.as_mut().as_pin_mut();
        let future = future.expect("a Timeout was polled again after it gave its answer");
        if let Poll::Ready(value) = future.poll(cx) {
            this.sleep.set(None);
            return Poll::Ready(Ok(value));
        }
        if this.sleep.is_none() {
            let now = now();
            let deadline = match *this.limit {
                Limit::For(limit) => after(now, limit),
                Limit::Until(deadline) => deadline,
            };
            if deadline <= now {
                this.future.set(None);
                return Poll::Ready(Err(Elapsed(())));
            }
            this.sleep.set(Some(sleep_until(deadline)));
        }
        match this.sleep.as_mut().as_pin_mut().map(|sleep| sleep.poll(cx)) {
            Some(Poll::Ready(())) => {
                this.future.set(None);
                Poll::Ready(Err(Elapsed(())))
            }
            _ => Poll::Pending,
        }
    }
}
