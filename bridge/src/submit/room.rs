//! Waiting for room in a mailbox, as a task or as a thread.
//!
//! Whoever waits has an answer in bounded time: room, the loop's close, or the
//! submission's own deadline. A thread that waits without any limit is told if
//! nobody runs the loop, as in [`Submission::result`].
#![forbid(unsafe_code)]

use super::gate::Gate;
use super::patience::while_it_runs;
use super::start::SubmissionBuilder;
use super::{CancelOnDrop, Submission, SubmitError, run_coroutine_threadsafe};
use crate::blocked::{DoneBit, Node, blocked};
use crate::loom::{AtomicU8, Mutex};
use crate::waiters::{Ticket, block_on};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Release;
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::Instant;

/// A submission that waits for room; from [`SubmissionBuilder::start`].
#[must_use = "nothing is sent until it is awaited"]
pub struct Start<F> {
    /// `None` when it was sent or given back.
    wishes: Option<(SubmissionBuilder, F)>,
    gate: Option<Arc<Gate>>,
    ticket: Ticket,
    /// Ends at the submission's deadline, on the loop that waits.
    timer: Option<CancelOnDrop<()>>,
}

impl<F> Start<F> {
    pub(super) fn new(builder: SubmissionBuilder, f: F) -> Self {
        Self {
            gate: builder.gate().cloned(),
            wishes: Some((builder, f)),
            ticket: Ticket::new(),
            timer: None,
        }
    }

    fn expires(&self) -> Option<Instant> {
        self.wishes.as_ref()?.0.expires()
    }

    /// Ready when the submission's deadline is over.
    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(moment) = self.expires() else {
            return Poll::Pending;
        };
        if Instant::now() >= moment {
            return Poll::Ready(());
        }
        if self.timer.is_none()
            && let Some(here) = polyloop::try_current_loop()
        {
            let sleeps = run_coroutine_threadsafe(&here, move || polyloop::sleep_until(moment));
            self.timer = Some(sleeps.cancel_on_drop());
        }
        let Some(timer) = &mut self.timer else {
            return Poll::Pending;
        };
        match ready!(Pin::new(timer).poll(cx)) {
            Ok(()) => Poll::Ready(()),
            // The timer's loop has closed; if it is polled on another, that has one.
            Err(_) => {
                self.timer = None;
                Poll::Pending
            }
        }
    }

    fn give_back(&mut self) -> F {
        if let Some(gate) = &self.gate {
            gate.pass(&mut self.ticket);
        }
        self.timer = None;
        let (_, f) = self.wishes.take().expect("it was not sent");
        f
    }
}

impl<F, Fut> Start<F>
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future + 'static,
    Fut::Output: Send + 'static,
{
    pub(super) fn block(
        mut self,
        limit: Option<Instant>,
    ) -> Result<Submission<Fut::Output>, SubmitError<F>> {
        if let Poll::Ready(sent) = self.poll_send(Waker::noop()) {
            return sent;
        }
        let (builder, _) = self.wishes.as_ref().expect("it was not sent");
        let target = builder.target().clone();
        if target.is_own_thread() {
            return Err(SubmitError::WouldDeadlock(self.give_back()));
        }
        let expires = builder.expires();
        let until = [limit, expires].into_iter().flatten().min();
        let noticed = Arc::new(Noticed::default());
        let waker = Waker::from(noticed.clone());
        let mut wait = |until| {
            block_on(until, |cx| {
                noticed.waits_with(cx.waker());
                self.poll_send(&waker)
            })
        };
        let wait = || match until {
            Some(_) => wait(until).ok(),
            None => while_it_runs(&target, &mut wait),
        };
        let on = Node::Loops(target.home_thread());
        let bit = DoneBit::new(&noticed.woken, WOKEN);
        let why: fn(F) -> SubmitError<F> = match blocked(on, bit, until.is_none(), wait) {
            Ok(Some(sent)) => return sent,
            Ok(None) if until.is_none() => SubmitError::NotRunning,
            Ok(None) if until == expires => SubmitError::Expired,
            Ok(None) => SubmitError::TimedOut,
            Err(_) => SubmitError::WouldDeadlock,
        };
        Err(why(self.give_back()))
    }

    fn poll_send(
        &mut self,
        waker: &Waker,
    ) -> Poll<Result<Submission<Fut::Output>, SubmitError<F>>> {
        let permit = match &self.gate {
            None => None,
            Some(gate) => match gate.enter(&mut self.ticket, waker) {
                Some(permit) => Some(permit),
                None => return Poll::Pending,
            },
        };
        self.timer = None;
        let (builder, f) = self.wishes.take().expect("polled after it was ready");
        Poll::Ready(builder.send(f, permit))
    }
}

impl<F, Fut> Future for Start<F>
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future + 'static,
    Fut::Output: Send + 'static,
{
    type Output = Result<Submission<Fut::Output>, SubmitError<F>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Poll::Ready(sent) = this.poll_send(cx.waker()) {
            return Poll::Ready(sent);
        }
        ready!(this.poll_expired(cx));
        Poll::Ready(Err(SubmitError::Expired(this.give_back())))
    }
}

// The closure is moved out and sent, never pinned.
impl<F> Unpin for Start<F> {}

impl<F> Drop for Start<F> {
    fn drop(&mut self) {
        if let Some(gate) = &self.gate {
            gate.pass(&mut self.ticket);
        }
    }
}

impl<F> fmt::Debug for Start<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("sent", &self.wishes.is_none())
            .finish_non_exhaustive()
    }
}

/// Remembers that it was woken, for those who look for rings: a thread that has
/// got its room is awake, if not yet back from its sleep.
#[derive(Debug)]
struct Noticed {
    woken: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

impl Default for Noticed {
    fn default() -> Self {
        Self {
            woken: AtomicU8::new(0),
            waker: Mutex::new(None),
        }
    }
}

impl Noticed {
    fn waits_with(&self, waker: &Waker) {
        self.woken.store(0, Release);
        let waker = waker.clone();
        let old = self.waker.lock().replace(waker);
        drop(old);
    }
}

impl Wake for Noticed {
    fn wake(self: Arc<Self>) {
        self.woken.store(WOKEN, Release);
        let waker = self.waker.lock().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

const WOKEN: u8 = 1;
