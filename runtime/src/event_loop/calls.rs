//! The futures of callbacks.
#![forbid(unsafe_code)]

use super::context;
use crate::timers::TimerKey;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

/// The future of `call_soon`: it calls when it is polled.
pub(super) struct CallSoon<F>(Option<F>);

impl<F> CallSoon<F> {
    pub(super) fn new(callback: F) -> Self {
        Self(Some(callback))
    }
}

impl<F> Unpin for CallSoon<F> {}

impl<F: FnOnce()> Future for CallSoon<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        if let Some(callback) = self.0.take() {
            callback();
        }
        Poll::Ready(())
    }
}

/// The future of `call_at`: its first poll sets the timer.
pub(super) struct CallAt<F> {
    callback: Option<F>,
    deadline: Instant,
    timer: Option<TimerKey>,
}

impl<F> CallAt<F> {
    pub(super) fn new(callback: F, deadline: Instant) -> Self {
        Self {
            callback: Some(callback),
            deadline,
            timer: None,
        }
    }
}

impl<F> Unpin for CallAt<F> {}

impl<F: FnOnce()> Future for CallAt<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker();
        match self.timer {
            None => {
                let timer = context::with(|core| core.set_timer(self.deadline, waker.clone()));
                self.timer = Some(timer);
                return Poll::Pending;
            }
            Some(timer) if context::with(|core| core.renew_timer(timer, waker)) => {
                return Poll::Pending;
            }
            Some(_) => self.timer = None,
        }
        if let Some(callback) = self.callback.take() {
            callback();
        }
        Poll::Ready(())
    }
}

impl<F> Drop for CallAt<F> {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            context::try_with(|core| core.cancel_timer(timer));
        }
    }
}
