//! A job's other end: the future of its value.

use super::OffloadError;
use super::job::{Answer, Answers};
use super::limited::Lane;
use super::pool::{Pool, Refusal};
use crate::blocked::{Wait, blocked};
use crate::channel::Look;
use crate::outcome::Taker;
use crate::waiters::{Ticket, Waiters, block_on, deadline_after};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A job given to a [`ThreadPoolExecutor`](super::ThreadPoolExecutor): await it
/// on any loop, or ask for its [`result`](Self::result) on a plain thread.
///
/// Stands for the `concurrent.futures.Future` of `Executor.submit` and for the
/// future of `loop.run_in_executor`.
///
/// # Cancel safety
/// Dropping it cancels a job that has not begun; its closure is dropped then and
/// there. A job that runs is asked to end, see [`cancel`](Self::cancel), and its
/// value is dropped by the worker.
/// [`detach`](Self::detach) lets the job run with nobody waiting.
#[must_use = "a job that has not begun is cancelled when this is dropped; detach() lets it run"]
pub struct Offloaded<T> {
    taker: Taker<Answer<T>, Arc<dyn Answers<T>>>,
    /// Where there was no room yet.
    admission: Option<Admission>,
    detached: bool,
}

/// A place among those who wait for room.
struct Admission {
    entry: Entry,
    ticket: Ticket,
}

/// Where jobs are taken in.
pub(super) enum Entry {
    Queue(Arc<Pool>),
    Share(Arc<Lane>),
}

impl Entry {
    /// Takes the job in, or ends it; false if there is no room.
    fn admits<T>(&self, job: &Arc<dyn Answers<T>>, past_limit: bool) -> bool {
        let entered = match self {
            Self::Queue(pool) => pool.enter(job.clone(), past_limit),
            Self::Share(lane) => lane.enter(job.clone(), past_limit),
        };
        is_admitted(entered, job)
    }

    fn room(&self) -> &Waiters {
        match self {
            Self::Queue(pool) => &pool.room,
            Self::Share(lane) => &lane.room,
        }
    }
}

/// Ends a job that came too late; false if there was no room for it.
pub(super) fn is_admitted<T>(entered: Result<(), Refusal>, job: &Arc<dyn Answers<T>>) -> bool {
    match entered {
        Ok(()) => true,
        Err(Refusal::Full) => false,
        Err(Refusal::ShutDown) => {
            job.refuse(OffloadError::shut_down());
            true
        }
    }
}

impl<T> Offloaded<T> {
    pub(super) fn new(job: Arc<dyn Answers<T>>) -> Self {
        Self {
            // SAFETY: called once for a job, by the function that made it, and
            // a job leads to the one cell inside it.
            taker: unsafe { Taker::new(job) },
            admission: None,
            detached: false,
        }
    }

    /// Makes it wait for room, whenever it is polled.
    pub(super) fn not_admitted(mut self, entry: Entry) -> Self {
        self.admission = Some(Admission {
            entry,
            ticket: Ticket::new(),
        });
        self
    }

    /// Cancels the job if it has not begun; true if that was so.
    ///
    /// A job that has begun is asked to end: the code inside it finds out by
    /// [`blocking::check_cancelled`](crate::blocking::check_cancelled), if it
    /// looks. Its answer then is whatever it gives.
    pub fn cancel(&self) -> bool {
        if self.is_done() {
            return false;
        }
        let job = self.taker.holder();
        let unbegun = job.refuse(OffloadError::cancelled());
        if !unbegun {
            job.state().ask();
        }
        unbegun
    }

    /// Has the job ended, in whatever way?
    pub fn is_done(&self) -> bool {
        self.taker.holder().outcome().is_done()
    }

    /// Lets the job run with nobody waiting; its value is dropped, and a panic
    /// is known to the panic hook only.
    ///
    /// A job that waits for room in the queue is queued past the limit.
    pub fn detach(mut self) {
        self.detached = true;
        if let Some(admission) = self.admission.take() {
            let Admission { entry, mut ticket } = admission;
            entry.room().pass(&mut ticket);
            entry.admits(self.taker.holder(), true);
        }
    }

    /// Blocks the calling thread until the job has ended. Not for a loop's
    /// thread, which would stand still.
    ///
    /// A job may block on another job of its own executor: while it does, the
    /// executor may have one thread more than its maximum, so that jobs which
    /// wait for jobs do not starve it.
    ///
    /// # Errors
    /// See [`OffloadError`]; it [would be a
    /// deadlock](OffloadError::is_would_deadlock) in a ring of jobs and threads
    /// that block on each other, and for the last thread that could run the job.
    pub fn result(mut self) -> Result<T, OffloadError> {
        self.block(None)
    }

    /// Blocks the calling thread until the job has ended, `timeout` at most.
    ///
    /// # Errors
    /// See [`OffloadError`]. After a time-out the job goes on, and can be asked
    /// for again.
    pub fn result_timeout(&mut self, timeout: Duration) -> Result<T, OffloadError> {
        self.block(deadline_after(timeout))
    }

    fn block(&mut self, deadline: Option<Instant>) -> Result<T, OffloadError> {
        let now = self.poll_answer(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(answer) = now {
            return answer;
        }
        let job = self.taker.holder().clone();
        let done = job.outcome().done_bit();
        let wait = || block_on(deadline, |cx| self.poll_answer(cx));
        match blocked(job.state().node(), done, deadline.is_none(), wait) {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(OffloadError::timed_out()),
            Err(_) => Err(OffloadError::would_deadlock()),
        }
    }

    /// Who has to act for it to end.
    pub(crate) fn wait(&self) -> Wait<'_> {
        let job = self.taker.holder();
        Wait {
            on: job.state().node(),
            done: job.outcome().done_bit(),
        }
    }

    /// Ready when there is an answer; it stays takeable.
    pub(crate) fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_admission(cx).is_pending() {
            return Poll::Pending;
        }
        self.taker.poll_done(cx)
    }

    /// Did the job end by itself and without a value?
    pub(crate) fn has_failed(&mut self) -> bool {
        let failed = |answer: &Answer<T>| answer.as_ref().is_err_and(|error| !error.is_cancelled());
        self.taker.peek(failed).unwrap_or(false)
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Answer<T>> {
        if self.poll_admission(cx).is_pending() {
            return Poll::Pending;
        }
        let outcome = self.taker.holder().outcome();
        LOOK.with(|look| look.for_a_moment(1, |_| outcome.is_done()));
        // An answer that was taken before is a job that has none to give.
        let answer = self.taker.poll(cx);
        answer.map(|answer| answer.unwrap_or_else(|| Err(OffloadError::cancelled())))
    }

    fn poll_admission(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(Admission { entry, ticket }) = &mut self.admission else {
            return Poll::Ready(());
        };
        let room = entry.room();
        let job = self.taker.holder();
        let mut joined = false;
        if !job.outcome().is_done() && !entry.admits(job, false) {
            room.join(ticket, cx.waker());
            joined = true;
            if !entry.admits(job, false) {
                return Poll::Pending;
            }
        }
        // A wake that was used is spent. One that a cancelled job was given goes to
        // the next, and so does one that came while it stood in line for room that
        // was there before.
        match joined || job.outcome().is_done() {
            true => room.pass(ticket),
            false => {
                room.leave(ticket);
            }
        }
        self.admission = None;
        Poll::Ready(())
    }
}

impl<T> Future for Offloaded<T> {
    type Output = Result<T, OffloadError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_answer(cx)
    }
}

impl<T> Drop for Offloaded<T> {
    fn drop(&mut self) {
        if let Some(Admission { entry, ticket }) = &mut self.admission {
            entry.room().pass(ticket);
        }
        if !self.detached {
            self.cancel();
        }
    }
}

impl<T> fmt::Debug for Offloaded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offloaded")
            .field("done", &self.is_done())
            .field("admitted", &self.admission.is_none())
            .field("submitted_at", &self.taker.holder().state().location)
            .finish()
    }
}

thread_local! {
    /// A short job is done before its waiter is in line and has been woken, so the
    /// waiter looks first; what that brought, of all jobs that this thread awaits.
    static LOOK: Look = const { Look::new() };
}
