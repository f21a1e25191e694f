//! Attempts that start one after another until one succeeds.
#![forbid(unsafe_code)]

use crate::time::{Sleep, sleep};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Starts the attempts one after another, the next when `delay` has passed or
/// the last one started has failed, until one succeeds; asyncio's
/// `staggered_race`, the heart of "happy eyeballs".
///
/// The attempts run inside the task that awaits this. When one succeeds, the
/// others are dropped before this answers; those not started never are. Without
/// a `delay` the next one starts only when the last one started has failed.
/// [`Staggered`] says who won, and the errors of those that failed.
///
/// # Cancel safety
/// Dropping it drops the attempts.
///
/// # Panics
/// With the panic of an attempt; the others are dropped.
///
/// # Examples
/// ```
/// use polyloop::combine::staggered_race;
/// use std::time::Duration;
///
/// # polyloop::run(async {
/// let attempts = [Err("refused"), Ok(7)];
/// let attempts = attempts.map(|answer| move || async move { answer });
/// let race = staggered_race(attempts, Some(Duration::from_millis(250))).await;
/// assert_eq!(race.winner, Some((1, 7)));
/// assert_eq!(race.errors, [Some("refused"), None]);
/// # }).unwrap();
/// ```
#[doc(alias = "happy_eyeballs")]
pub async fn staggered_race<I, M, F, T, E>(attempts: I, delay: Option<Duration>) -> Staggered<T, E>
where
    I: IntoIterator<Item = M>,
    M: FnOnce() -> F,
    F: Future<Output = Result<T, E>>,
{
    let mut race = Race {
        attempts: attempts.into_iter().fuse(),
        delay,
        running: FuturesUnordered::new(),
        next: None,
        outcome: Staggered {
            winner: None,
            errors: Vec::new(),
        },
    };
    race.start_next();
    poll_fn(|cx| race.poll(cx)).await;
    race.outcome
}

/// What a [`staggered_race`] came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staggered<T, E> {
    /// The first success, and the place of its attempt; `None` if all failed.
    pub winner: Option<(usize, T)>,
    /// For each attempt that was started: its error, if it failed.
    pub errors: Vec<Option<E>>,
}

struct Race<I, F: Future, T, E> {
    attempts: I,
    delay: Option<Duration>,
    running: FuturesUnordered<Attempt<F>>,
    /// When the next attempt starts if nothing fails before.
    next: Option<Sleep>,
    outcome: Staggered<T, E>,
}

impl<I, M, F, T, E> Race<I, F, T, E>
where
    I: Iterator<Item = M>,
    M: FnOnce() -> F,
    F: Future<Output = Result<T, E>>,
{
    fn start_next(&mut self) {
        self.next = None;
        if let Some(make) = self.attempts.next() {
            let index = self.outcome.errors.len();
            self.outcome.errors.push(None);
            self.running.push(Attempt {
                index,
                future: Box::pin(make()),
            });
            self.next = self.delay.map(sleep);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            while let Poll::Ready(Some((index, result))) = self.running.poll_next_unpin(cx) {
                match result {
                    Ok(value) => {
                        self.outcome.winner = Some((index, value));
                        self.running.clear();
                        return Poll::Ready(());
                    }
                    Err(error) => self.outcome.errors[index] = Some(error),
                }
                // Only the failure of the last one brings the next one on.
                if index + 1 == self.outcome.errors.len() {
                    self.start_next();
                }
            }
            match self.next.as_mut().map(|next| Pin::new(next).poll(cx)) {
                Some(Poll::Ready(())) => self.start_next(),
                _ if self.running.is_empty() => return Poll::Ready(()),
                _ => return Poll::Pending,
            }
        }
    }
}

struct Attempt<F> {
    index: usize,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Attempt<F> {
    type Output = (usize, F::Output);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let index = self.index;
        self.future.as_mut().poll(cx).map(|output| (index, output))
    }
}
