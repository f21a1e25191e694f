//! `timeout_scope`: a time limit that can be moved while it runs.
#![forbid(unsafe_code)]

use super::{Sleep, now, sleep_until};
use crate::error::Elapsed;
use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Instant;

/// Runs `body` until `when` at most, with a handle that moves the deadline;
/// asyncio's `async with timeout_at(when) as t` and `t.reschedule(...)`.
///
/// `None` sets no limit until one is set. The rules are those of
/// [`timeout`](crate::timeout): a deadline that has passed lets the body run up
/// to its first wait, a value that is ready when the time is up wins, and on
/// expiry the body is dropped before this returns.
///
/// # Cancel safety
/// Dropping it drops the body.
///
/// # Errors
/// [`Elapsed`] when the time is up.
///
/// # Panics
/// Outside of a loop.
///
/// # Examples
/// ```
/// use polyloop::time::{now, timeout_scope};
/// use std::time::Duration;
///
/// # polyloop::run(async {
/// let soon = now() + Duration::from_millis(1);
/// let answer = timeout_scope(Some(soon), async |deadline| {
///     // There is news: it is worth a little longer.
///     deadline.reschedule(Some(now() + Duration::from_secs(5)));
///     polyloop::sleep(Duration::from_millis(5)).await;
///     "done"
/// });
/// assert_eq!(answer.await, Ok("done"));
/// # }).unwrap();
/// ```
pub async fn timeout_scope<F: Future>(
    when: Option<Instant>,
    body: impl FnOnce(Deadline) -> F,
) -> Result<F::Output, Elapsed> {
    let deadline = Deadline {
        state: Rc::new(State {
            when: Cell::new(when),
            phase: Cell::new(Phase::Active),
            waker: Cell::new(None),
        }),
    };
    let state = &*deadline.state;
    let over = Over(state);
    let mut body = pin!(Some(body(deadline.clone())));
    let mut timer: Option<Sleep> = None;
    let result = poll_fn(|cx| {
        if let Some(body) = body.as_mut().as_pin_mut()
            && let Poll::Ready(value) = body.poll(cx)
        {
            return Poll::Ready(Ok(value));
        }
        state.waker.set(Some(cx.waker().clone()));
        let Some(when) = state.when.get() else {
            timer = None;
            return Poll::Pending;
        };
        if when > now() {
            if timer.as_ref().is_none_or(|timer| timer.deadline() != when) {
                timer = Some(sleep_until(when));
            }
            if let Some(timer) = &mut timer
                && Pin::new(timer).poll(cx).is_pending()
            {
                return Poll::Pending;
            }
        }
        Poll::Ready(Err(Elapsed(())))
    })
    .await;
    if result.is_err() {
        // Said before the body is dropped, whose drops may ask.
        state.phase.set(Phase::Expired);
        body.set(None);
    }
    drop(over);
    result
}

/// The deadline of a [`timeout_scope`]; clones are the same. asyncio's
/// `Timeout` object.
#[derive(Clone)]
pub struct Deadline {
    state: Rc<State>,
}

struct State {
    when: Cell<Option<Instant>>,
    phase: Cell<Phase>,
    waker: Cell<Option<Waker>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Active,
    Expired,
    Finished,
}

impl Deadline {
    /// When the time is up; `None`: never.
    #[must_use]
    pub fn when(&self) -> Option<Instant> {
        self.state.when.get()
    }

    /// Sets another deadline, or none. `false` if the scope is over, and then
    /// nothing changes.
    pub fn reschedule(&self, when: Option<Instant>) -> bool {
        if self.state.phase.get() != Phase::Active {
            return false;
        }
        self.state.when.set(when);
        if let Some(waker) = self.state.waker.take() {
            waker.wake();
        }
        true
    }

    /// Did the time run out?
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.state.phase.get() == Phase::Expired
    }
}

/// Ends the deadline with its scope, also when that is dropped.
struct Over<'a>(&'a State);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.waker.take();
        if self.0.phase.get() == Phase::Active {
            self.0.phase.set(Phase::Finished);
        }
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline")
            .field("when", &self.when())
            .field("phase", &self.state.phase.get())
            .finish()
    }
}
