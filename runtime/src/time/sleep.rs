//! `sleep`, `sleep_until` and `yield_now`.

use super::after;
use crate::event_loop::{context, wake_by_ref};
use crate::task::LoopId;
use crate::timers::TimerKey;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Waits for `delay`; asyncio's `sleep`. A delay of zero gives the others one
/// turn, as [`yield_now`] does.
///
/// Precision: on Linux a few tens of microseconds; elsewhere the selector's, a
/// millisecond. Never early. Where four or more timers of a loop fall due within
/// 0.13 milliseconds, they may wait that long for one another.
///
/// # Cancel safety
/// Dropping it takes the timer out.
///
/// # Panics
/// Outside of a loop.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// # polyloop::run(async {
/// let before = polyloop::time::now();
/// polyloop::sleep(Duration::from_millis(2)).await;
/// assert!(polyloop::time::now() - before >= Duration::from_millis(2));
/// # }).unwrap();
/// ```
#[track_caller]
pub fn sleep(delay: Duration) -> Sleep {
    sleep_until(after(super::now(), delay))
}

/// Waits until `deadline`.
///
/// # Cancel safety
/// Dropping it takes the timer out.
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep {
        deadline,
        timer: None,
        done: false,
    }
}

/// The future of [`sleep`] and [`sleep_until`].
///
/// Its timer is set when it is first polled, with the loop that polls it.
#[must_use = "a Sleep does nothing until it is awaited"]
#[derive(Debug)]
pub struct Sleep {
    deadline: Instant,
    timer: Option<(LoopId, TimerKey)>,
    done: bool,
}

impl Sleep {
    /// When it ends.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Has it ended?
    pub fn is_elapsed(&self) -> bool {
        self.done
    }

    /// Sets another deadline, also after it has ended. The task must poll it
    /// again to be woken by the new one.
    pub fn reset(&mut self, deadline: Instant) {
        self.cancel();
        self.deadline = deadline;
        self.done = false;
    }

    fn cancel(&mut self) {
        if let Some((on, timer)) = self.timer.take() {
            // On another thread, or after its loop is gone, the timer is left
            // to fire for nothing.
            context::try_with(|core| {
                if core.id() == on {
                    core.cancel_timer(timer);
                }
            });
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.done {
            return Poll::Ready(());
        }
        let waker = cx.waker();
        context::with(|core| {
            if let Some((on, timer)) = self.timer
                && on == core.id()
            {
                if core.renew_timer(timer, waker) {
                    return Poll::Pending;
                }
                self.timer = None;
                self.done = true;
                return Poll::Ready(());
            }
            // Also when it is due already: every sleep lets the others run.
            let timer = core.set_timer(self.deadline, waker.clone());
            self.timer = Some((core.id(), timer));
            Poll::Pending
        })
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Gives every other ready task a turn; asyncio's `sleep(0)`.
///
/// # Cancel safety
/// It holds nothing.
#[inline]
pub fn yield_now() -> impl Future<Output = ()> {
    // No async function: the future of one would ask for its state twice.
    YieldNow(false)
}

struct YieldNow(bool);

impl Future for YieldNow {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        wake_by_ref(cx.waker());
        Poll::Pending
    }
}
