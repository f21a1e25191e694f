//! Waiting for several submissions and jobs on a plain thread;
//! `concurrent.futures.wait` and `as_completed`.
//!
//! Each of them is given a waker of its own, which puts its number into a queue
//! and wakes the one thread that waits: so an end costs the same however many
//! there are.
#![forbid(unsafe_code)]

use crate::blocked::{Wait, blocked_on_some};
use crate::executor::Offloaded;
use crate::submit::{CancelOnDrop, PATIENCE, Submission};
use crate::waiters::{Ticket, TimedOut, Waiters, block_on, deadline_after};
use concurrent_queue::ConcurrentQueue;
use polyloop::ReturnWhen;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// Something that ends once and can be waited for: [`Submission`],
/// [`CancelOnDrop`], [`Offloaded`], and mutable references to them.
pub trait Completes: sealed::Completes {}

impl<C: sealed::Completes> Completes for C {}

mod sealed {
    use super::{Context, Poll, Wait};

    pub trait Completes {
        /// Ready when it has ended; else the waker is woken then.
        fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<()>;
        /// Did it end, and neither with a value nor by a cancel?
        fn has_failed(&mut self) -> bool;
        /// Can it not end as long as the calling thread waits, or, after it has
        /// waited for some time, as long as nobody runs its loop?
        fn is_stuck(&self, waited: bool) -> bool;
        /// Who has to act for it to end; `None` if there is nobody.
        fn wait(&self) -> Option<Wait<'_>>;
    }
}

/// Blocks the calling thread until submissions or jobs have ended as
/// `return_when` says, or until the time is up, and returns all of them as
/// `(done, pending)`, each in the order given; `concurrent.futures.wait`.
///
/// Nothing is cancelled, and all results are there to be taken. It returns
/// early, with what is pending, where it would never end: when all that is left
/// belongs to loops of the calling thread, to loops and jobs that block, by way of
/// others or not, until this thread goes on, or to loops that nobody has run for a
/// second or two and no timeout was given. What is pending then says why when it
/// is asked for its result.
///
/// In a job of an executor it blocks as the result of one job does: another thread
/// stands in, so that jobs which wait for jobs do not starve it.
///
/// # Examples
/// ```
/// use polyloop_bridge::{ThreadPoolExecutor, wait_blocking};
/// use polyloop::ReturnWhen;
///
/// let pool = ThreadPoolExecutor::new();
/// let jobs = (0..3).map(|n| pool.submit(move || n));
/// let (done, pending) = wait_blocking(jobs, ReturnWhen::AllCompleted, None);
/// assert_eq!((done.len(), pending.len()), (3, 0));
/// ```
pub fn wait_blocking<C: Completes>(
    items: impl IntoIterator<Item = C>,
    return_when: ReturnWhen,
    timeout: Option<Duration>,
) -> (Vec<C>, Vec<C>) {
    let mut all = Collection::new(items);
    let deadline = timeout.and_then(deadline_after);
    let mut ended = vec![false; all.items.len()];
    let mut enough = all.items.is_empty();
    let wants_all = return_when == ReturnWhen::AllCompleted;
    // What has ended at the time of the call is done, and what has ended at the
    // time of a return is.
    while let Some(index) = match enough {
        true => all.next_now(),
        false => all.next(deadline, wants_all).ok().flatten(),
    } {
        ended[index] = true;
        enough |= match return_when {
            ReturnWhen::FirstCompleted => true,
            ReturnWhen::FirstException => all.has_failed(index),
            ReturnWhen::AllCompleted => false,
        };
    }
    let (mut done, mut pending) = (Vec::new(), Vec::new());
    for (item, ended) in all.items.into_iter().flatten().zip(ended) {
        if ended { &mut done } else { &mut pending }.push(item);
    }
    (done, pending)
}

/// Gives submissions or jobs one after the other, as they end;
/// `concurrent.futures.as_completed`.
///
/// The iterator's `next` blocks the calling thread. It gives the item itself,
/// whose result is there. One that cannot end while the thread waits (see
/// [`wait_blocking`]) is given as it is, after all that have ended.
///
/// # Examples
/// ```
/// use polyloop_bridge::{ThreadPoolExecutor, as_completed_blocking};
///
/// let pool = ThreadPoolExecutor::new();
/// let jobs = (0..3).map(|n| pool.submit(move || n));
/// let sum: i32 = as_completed_blocking(jobs).map(|job| job.result().unwrap()).sum();
/// assert_eq!(sum, 3);
/// ```
pub fn as_completed_blocking<C: Completes>(
    items: impl IntoIterator<Item = C>,
) -> AsCompletedBlocking<C> {
    AsCompletedBlocking(Collection::new(items))
}

/// See [`as_completed_blocking`].
#[must_use = "it waits for nothing until it is asked"]
pub struct AsCompletedBlocking<C>(Collection<C>);

impl<C: Completes> AsCompletedBlocking<C> {
    /// As `next`, and waits for `timeout` at most.
    ///
    /// # Errors
    /// [`NotYet`]; what is pending stays, and can be asked for again.
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<Option<C>, NotYet> {
        // Beyond the clock is without a limit.
        self.step(deadline_after(timeout))
    }

    /// What has not been given yet, ended or not.
    pub fn into_pending(self) -> Vec<C> {
        self.0.items.into_iter().flatten().collect()
    }

    fn step(&mut self, deadline: Option<Instant>) -> Result<Option<C>, NotYet> {
        Ok(match self.0.next(deadline, false)? {
            Some(index) => self.0.items[index].take(),
            None => self.0.items.iter_mut().find_map(Option::take),
        })
    }
}

impl<C: Completes> Iterator for AsCompletedBlocking<C> {
    type Item = C;

    fn next(&mut self) -> Option<C> {
        // Without a deadline there is no other answer.
        self.step(None).ok().flatten()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.0.items.iter().flatten().count();
        (left, Some(left))
    }
}

impl<C> fmt::Debug for AsCompletedBlocking<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompletedBlocking")
            .field("left", &self.0.items.iter().flatten().count())
            .finish_non_exhaustive()
    }
}

/// Nothing more had ended when the time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotYet(());

impl fmt::Display for NotYet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing more has ended in this time: ask again, or cancel what is left")
    }
}

impl Error for NotYet {}

/// Items, and the numbers of those that have ended.
struct Collection<C> {
    /// `None`: it was given away.
    items: Vec<Option<C>>,
    /// Those that were not reported.
    left: Vec<bool>,
    ends: Arc<Ends>,
    wakers: Vec<Waker>,
}

struct Ends {
    numbers: ConcurrentQueue<usize>,
    waiter: Waiters,
}

impl Ends {
    /// Until one has ended that was not asked for.
    fn sleep(&self, until: Option<Instant>) -> Result<(), TimedOut> {
        let mut ticket = Ticket::new();
        let came = block_on(until, |cx| {
            if self.numbers.is_empty() {
                self.waiter.join(&mut ticket, cx.waker());
                if self.numbers.is_empty() {
                    return Poll::Pending;
                }
            }
            Poll::Ready(())
        });
        self.waiter.leave(&mut ticket);
        came
    }
}

struct EndOf {
    number: usize,
    ends: Arc<Ends>,
}

impl Wake for EndOf {
    fn wake(self: Arc<Self>) {
        // It is unbounded and never closed.
        let _ = self.ends.numbers.push(self.number);
        self.ends.waiter.wake_one();
    }
}

impl<C: Completes> Collection<C> {
    fn new(items: impl IntoIterator<Item = C>) -> Self {
        let items: Vec<_> = items.into_iter().map(Some).collect();
        let ends = Arc::new(Ends {
            numbers: ConcurrentQueue::unbounded(),
            waiter: Waiters::new(),
        });
        let waker = |number| {
            let ends = ends.clone();
            Waker::from(Arc::new(EndOf { number, ends }))
        };
        let mut all = Self {
            left: vec![true; items.len()],
            wakers: (0..items.len()).map(waker).collect(),
            items,
            ends,
        };
        for number in 0..all.items.len() {
            if all.poll(number) {
                let _ = all.ends.numbers.push(number);
            }
        }
        all
    }

    fn poll(&mut self, number: usize) -> bool {
        let mut cx = Context::from_waker(&self.wakers[number]);
        let item = self.items[number].as_mut();
        item.is_some_and(|item| item.poll_done(&mut cx).is_ready())
    }

    fn has_failed(&mut self, number: usize) -> bool {
        let item = self.items[number].as_mut();
        item.is_some_and(|item| item.has_failed())
    }

    /// One that has ended and was not reported.
    fn next_now(&mut self) -> Option<usize> {
        while let Ok(number) = self.ends.numbers.pop() {
            // A waker may be woken for nothing, and more than once.
            if self.left[number] && self.poll(number) {
                self.left[number] = false;
                return Some(number);
            }
        }
        None
    }

    /// As [`next_now`](Self::next_now), and waits for it; the caller needs one, or
    /// `all` of them. `None` if there is none to come.
    fn next(&mut self, deadline: Option<Instant>, all: bool) -> Result<Option<usize>, NotYet> {
        let patient = deadline.is_none();
        let mut waited = 0;
        loop {
            if let Some(number) = self.next_now() {
                return Ok(Some(number));
            }
            if self.is_stuck(waited > 1) {
                return Ok(None);
            }
            // Without a limit it looks again now and then, at the loops and for rings
            // that have closed since.
            let until = deadline.or_else(|| deadline_after(PATIENCE));
            match blocked_on_some(self.waits(), all, patient, || self.ends.sleep(until)) {
                Ok(Ok(())) => waited = 0,
                Ok(Err(_)) if patient => waited += 1,
                Ok(Err(_)) => return self.next_now().map(Some).ok_or(NotYet(())),
                Err(_) => return Ok(self.next_now()),
            }
        }
    }

    /// What is waited for: those that are left, and can end.
    fn waits(&self) -> impl Iterator<Item = Wait<'_>> + Clone {
        let items = self.items.iter().zip(&self.left);
        let left = items.filter_map(|(item, left)| item.as_ref().filter(|_| *left));
        left.filter(|item| !item.is_stuck(false))
            .filter_map(|item| item.wait())
    }

    /// Can none of those that are left end? Also if there are none.
    fn is_stuck(&self, waited: bool) -> bool {
        let mut left = self.items.iter().zip(&self.left);
        left.all(|(item, left)| match item {
            Some(item) if *left => item.is_stuck(waited),
            _ => true,
        })
    }
}

impl<T> sealed::Completes for Submission<T> {
    fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        Submission::poll_done(self, cx)
    }

    fn has_failed(&mut self) -> bool {
        Submission::has_failed(self)
    }

    fn is_stuck(&self, waited: bool) -> bool {
        Submission::is_stuck(self, waited)
    }

    fn wait(&self) -> Option<Wait<'_>> {
        Submission::wait(self)
    }
}

impl<T> sealed::Completes for CancelOnDrop<T> {
    fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        (**self).poll_done(cx)
    }

    fn has_failed(&mut self) -> bool {
        (**self).has_failed()
    }

    fn is_stuck(&self, waited: bool) -> bool {
        (**self).is_stuck(waited)
    }

    fn wait(&self) -> Option<Wait<'_>> {
        (**self).wait()
    }
}

impl<T> sealed::Completes for Offloaded<T> {
    fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        Offloaded::poll_done(self, cx)
    }

    fn has_failed(&mut self) -> bool {
        Offloaded::has_failed(self)
    }

    fn is_stuck(&self, _: bool) -> bool {
        false
    }

    fn wait(&self) -> Option<Wait<'_>> {
        Some(Offloaded::wait(self))
    }
}

impl<C: sealed::Completes> sealed::Completes for &mut C {
    fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        (**self).poll_done(cx)
    }

    fn has_failed(&mut self) -> bool {
        (**self).has_failed()
    }

    fn is_stuck(&self, waited: bool) -> bool {
        (**self).is_stuck(waited)
    }

    fn wait(&self) -> Option<Wait<'_>> {
        (**self).wait()
    }
}
