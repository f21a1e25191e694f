//! A coroutine sent to a chosen loop, and the handle to its outcome.
//!
//! The loop is the producer: it tells [`Told`] exactly once what became of the
//! task. The [`Submission`] is the one consumer.
//!
//! # A loop that nobody runs
//! It is open, so it accepts work, for its next run; when it is closed or
//! dropped instead, all that it holds is answered. But as long as neither
//! happens, a thread that blocks for its answer would hang. So a wait without a
//! limit looks [now and then](super::patience) whether somebody runs the loop, and says so
//! if nobody does. A wait with a limit of its own lasts as long as it was told.

use super::patience::while_it_runs;
use super::start::submission;
use super::told::Told;
use super::{CancelOnDrop, Outcome, SubmissionError, SubmitError};
use crate::blocked::{Node, Wait, blocked};
use crate::outcome::Taker;
use crate::waiters::deadline_after;
use polyloop::{LoopHandle, LoopState, Refused, Remote, TaskError, copy_context};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// What a submission ends with.
pub type Answer<T> = Result<T, SubmissionError>;

/// Sends a coroutine to a loop, from any thread; asyncio's function of this name.
///
/// `f` is called on the loop's own thread, and the future that it makes, which
/// need not be `Send`, runs there as a task. Submissions of one thread to one
/// loop start in the order in which they were made. Never waits. The task begins
/// with a copy of the caller's context variables.
///
/// A loop that is closed gives [`SubmissionError::LoopClosed`], and `f` is
/// dropped here; [`try_run_coroutine_threadsafe`] gives it back instead.
///
/// # Examples
/// ```
/// use polyloop_bridge::run_coroutine_threadsafe;
/// use std::rc::Rc;
///
/// let sum = polyloop::run(async {
///     let target = polyloop::current_loop();
///     let thread = std::thread::spawn(move || {
///         let submission = run_coroutine_threadsafe(&target, || async {
///             let stays_here = Rc::new(20);
///             polyloop::yield_now().await;
///             *stays_here + 22
///         });
///         submission.result().unwrap()
///     });
///     polyloop_bridge::to_thread(|| thread.join().unwrap()).await.unwrap()
/// });
/// assert_eq!(sum.unwrap(), 42);
/// ```
#[track_caller]
pub fn run_coroutine_threadsafe<F, Fut>(target: &LoopHandle, f: F) -> Submission<Fut::Output>
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future + 'static,
    Fut::Output: Send + 'static,
{
    match try_run_coroutine_threadsafe(target, f) {
        Ok(submission) => submission,
        Err(_refused) => Submission { sent: None },
    }
}

/// Sends a coroutine to a loop, or gives it back; see
/// [`run_coroutine_threadsafe`].
///
/// # Errors
/// [`SubmitError::Closed`] with the closure when the loop is closed.
#[track_caller]
pub fn try_run_coroutine_threadsafe<F, Fut>(
    target: &LoopHandle,
    f: F,
) -> Result<Submission<Fut::Output>, SubmitError<F>>
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future + 'static,
    Fut::Output: Send + 'static,
{
    let context = copy_context();
    if !context.is_empty() {
        return submission(target).context(context).try_start(f);
    }
    match target.submit(f, Told::new()) {
        Ok(remote) => Ok(Submission::accepted(remote)),
        Err(Refused { make, .. }) => Err(SubmitError::Closed(make)),
    }
}

/// Work that was sent to a loop: await it from any loop or executor, or ask for
/// its [`result`](Self::result) on a plain thread.
///
/// Stands for the `concurrent.futures.Future` that asyncio's
/// `run_coroutine_threadsafe` returns. It resolves exactly once: with the value,
/// the panic's payload, cancelled, or loop closed.
///
/// # Cancel safety
/// Dropping it detaches the work, which runs on; a panic in it then goes to the
/// loop's exception handler. Awaiting `&mut submission` loses nothing.
///
/// # A loop that nobody runs
/// It is new, or was stopped and not closed, and keeps the work for its next run.
/// [`result`](Self::result) finds out and says so. An await does not: it resolves
/// when the loop is run, closed or dropped, and until then costs nothing. Where
/// that may never be, give it a limit: `polyloop::timeout(limit, &mut submission)`.
#[must_use = "without it nobody learns the outcome; drop it to detach the work"]
pub struct Submission<T> {
    /// `None` when the loop was closed already.
    sent: Option<Consumer<T>>,
}

impl<T> Submission<T> {
    pub(super) fn accepted(remote: Remote<Told<T>>) -> Self {
        Self {
            // SAFETY: called once, with the handle that `submit` has just
            // returned; a `Remote` always leads to the one outcome in its task.
            sent: Some(unsafe { Taker::new(remote) }),
        }
    }

    /// Blocks the calling thread until the work is done.
    ///
    /// # Errors
    /// See [`SubmissionError`]; [`WouldDeadlock`](SubmissionError::WouldDeadlock)
    /// at once on the loop's own thread or in a ring of threads that block on
    /// each other, and [`NotRunning`](SubmissionError::NotRunning) after a
    /// second or two if nobody runs the loop. The work is then detached.
    pub fn result(mut self) -> Answer<T> {
        self.block(None)
    }

    /// Blocks the calling thread until the work is done, `timeout` at most.
    ///
    /// A time-out does not cancel: ask again, or call [`cancel`](Self::cancel).
    ///
    /// # Errors
    /// See [`SubmissionError`]; [`WouldDeadlock`](SubmissionError::WouldDeadlock)
    /// at once on the loop's own thread or in a ring. After the outcome was given
    /// once it is [`Cancelled`](SubmissionError::Cancelled).
    pub fn result_timeout(&mut self, timeout: Duration) -> Answer<T> {
        self.block(deadline_after(timeout))
    }

    /// Asks the work to end: its future is dropped on its loop, which then
    /// answers [`Cancelled`](SubmissionError::Cancelled). False if it has ended.
    ///
    /// Work that ends before the loop comes to it keeps its value.
    pub fn cancel(&self) -> bool {
        // Asked first, since the answer is there before the loop has let go of
        // the task.
        let sent = self.sent.as_ref();
        sent.is_some_and(|sent| !sent.holder().cell.is_done() && sent.holder().cancel())
    }

    /// Cancels the work, waits until it is really gone, and says what became of
    /// it: it may have ended first.
    ///
    /// # Cancel safety
    /// The cancel is asked for by the call. Dropping the future, polled or not,
    /// detaches the work, which stays cancelled.
    pub fn cancel_and_wait(mut self) -> impl Future<Output = Outcome<T>> {
        self.cancel();
        async move {
            let Some(sent) = &mut self.sent else {
                return Outcome::NeverStarted;
            };
            match poll_fn(|cx| sent.poll(cx)).await {
                Some(answer) => Outcome::of(answer),
                None if sent.holder().cell.is_expired() => Outcome::NeverStarted,
                None => Outcome::Taken,
            }
        }
    }

    /// Makes a drop of the handle cancel the work, in place of detaching it.
    pub fn cancel_on_drop(self) -> CancelOnDrop<T> {
        CancelOnDrop::new(self)
    }

    /// Has the work ended, in whatever way?
    pub fn is_done(&self) -> bool {
        let sent = self.sent.as_ref();
        sent.is_none_or(|sent| sent.holder().cell.is_done())
    }

    /// Calls `f` when the work has ended: on its loop's thread, or here and now
    /// if it has ended already. Dropping the submission changes nothing.
    ///
    /// # Panics
    /// Never here for a later call: a panic in `f` then goes to the loop's
    /// exception handler. With `f`'s panic if it is called now.
    pub fn add_done_callback(&self, f: impl FnOnce() + Send + 'static) {
        match &self.sent {
            Some(sent) => sent.holder().follow(Box::new(f)),
            None => f(),
        }
    }

    /// Ready when it has ended; the answer stays takeable.
    pub(crate) fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.sent {
            Some(sent) => sent.poll_done(cx),
            None => Poll::Ready(()),
        }
    }

    /// Did it end, and neither with a value nor by a cancel?
    pub(crate) fn has_failed(&mut self) -> bool {
        let failed = |answer: &Result<T, TaskError>| {
            let error = answer.as_ref().err();
            error.is_some_and(|error| !error.is_cancelled() || error.is_loop_closed())
        };
        match &mut self.sent {
            Some(sent) if sent.holder().cell.is_expired() => true,
            Some(sent) => sent.peek(failed).unwrap_or(false),
            None => true,
        }
    }

    /// Can it not end while the calling thread blocks, or, `waited`, since nobody
    /// runs its loop?
    pub(crate) fn is_stuck(&self, waited: bool) -> bool {
        let Some(sent) = &self.sent else {
            return false;
        };
        let target = sent.holder();
        !target.cell.is_done()
            && (target.is_own_thread()
                || waited && target.loop_handle().state() != LoopState::Running)
    }

    /// Who has to act for it to end; `None` if it was never accepted.
    pub(crate) fn wait(&self) -> Option<Wait<'_>> {
        let target = self.sent.as_ref()?.holder();
        Some(Wait {
            on: Node::Loops(target.loop_handle().home_thread()),
            done: target.cell.done_bit(),
        })
    }

    pub(super) fn block(&mut self, deadline: Option<Instant>) -> Answer<T> {
        let Some(sent) = &mut self.sent else {
            return Err(SubmissionError::LoopClosed);
        };
        if let Some(answer) = sent.try_take() {
            return outcome(sent, answer);
        }
        if sent.holder().is_own_thread() {
            return Err(SubmissionError::WouldDeadlock);
        }
        let target = sent.holder().clone();
        let on = Node::Loops(target.loop_handle().home_thread());
        let wait = || match deadline {
            Some(deadline) => sent
                .block(Some(deadline))
                .map_err(|_| SubmissionError::TimedOut),
            None => while_it_runs(&target.loop_handle(), |until| sent.block(until))
                .ok_or(SubmissionError::NotRunning),
        };
        match blocked(on, target.cell.done_bit(), deadline.is_none(), wait) {
            Ok(Ok(answer)) => outcome(sent, answer),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(SubmissionError::WouldDeadlock),
        }
    }
}

type Consumer<T> = Taker<Result<T, TaskError>, Remote<Told<T>>>;

/// An outcome that was taken before is a submission that has none to give.
fn outcome<T>(sent: &Consumer<T>, answer: Option<Result<T, TaskError>>) -> Answer<T> {
    match answer {
        Some(result) => result.map_err(SubmissionError::from_task),
        None if sent.holder().cell.is_expired() => Err(SubmissionError::Expired),
        None => Err(SubmissionError::Cancelled),
    }
}

impl<T> Future for Submission<T> {
    type Output = Answer<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.get_mut().sent {
            Some(sent) => sent.poll(cx).map(|answer| outcome(sent, answer)),
            None => Poll::Ready(Err(SubmissionError::LoopClosed)),
        }
    }
}

impl<T> fmt::Debug for Submission<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submission")
            .field("accepted", &self.sent.is_some())
            .field("done", &self.is_done())
            .finish()
    }
}
