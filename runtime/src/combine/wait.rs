//! Waiting for some or all of several tasks, with a time limit.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::finished::{Finished, Waitable, WaitableResult};

/// Until when [`wait`] waits: asyncio's constants of the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnWhen {
    /// Until one task has ended, in whichever way.
    FirstCompleted,
    /// Until one task has panicked, or all have ended. A cancelled task does
    /// not count as one that failed; an `Err` does for [`wait_results`] alone.
    FirstException,
    /// Until all tasks have ended.
    AllCompleted,
}

/// Waits until tasks have ended as `return_when` says, or until the time is
/// up, and returns all tasks as `(done, pending)`: `asyncio.wait`.
///
/// Both vectors hold what was given ([`Task`](crate::Task)s or `&mut Task`s), in
/// input order; `done` holds everything that has ended by then. Awaiting a task
/// out of `done` gives its result at once. Without a `timeout` it waits for as
/// long as it takes; with one of zero it only looks. No tasks are done at once.
///
/// It never cancels a task, not when the time is up either.
///
/// # Cancel safety
///
/// Dropping the future cancels nothing. Tasks given by value are detached then:
/// give `&mut Task` to keep them.
///
/// ```
/// use polyloop::combine::{ReturnWhen, wait};
/// use std::time::Duration;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let mut fast = polyloop::create_task(async { 1 });
///     let mut never = polyloop::create_task(std::future::pending());
///     let (done, pending) = wait(
///         [&mut fast, &mut never],
///         ReturnWhen::AllCompleted,
///         Some(Duration::from_millis(5)),
///     )
///     .await;
///     assert_eq!((done.len(), pending.len()), (1, 1));
///     assert_eq!(fast.await.expect("it was done"), 1);
///     never.cancel();
/// })
/// # }
/// ```
pub async fn wait<I>(
    tasks: I,
    return_when: ReturnWhen,
    timeout: Option<Duration>,
) -> (Vec<I::Item>, Vec<I::Item>)
where
    I: IntoIterator<Item: Waitable>,
{
    wait_until(tasks, return_when, timeout, has_panicked).await
}

/// As [`wait`], for tasks that give a `Result`: an `Err` counts as a failure,
/// as an exception does in asyncio.
///
/// # Cancel safety
///
/// That of [`wait`].
///
/// ```
/// use polyloop::combine::{ReturnWhen, wait_results};
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let good = polyloop::create_task(async { "1".parse::<u32>() });
///     let bad = polyloop::create_task(async { "x".parse::<u32>() });
///     let never = polyloop::create_task(std::future::pending());
///     let tasks = [good, bad, never];
///     let (done, pending) = wait_results(tasks, ReturnWhen::FirstException, None).await;
///     assert_eq!((done.len(), pending.len()), (2, 1));
/// })
/// # }
/// ```
pub async fn wait_results<I>(
    tasks: I,
    return_when: ReturnWhen,
    timeout: Option<Duration>,
) -> (Vec<I::Item>, Vec<I::Item>)
where
    I: IntoIterator<Item: WaitableResult>,
{
    wait_until(tasks, return_when, timeout, has_failed).await
}

fn has_panicked<W: Waitable>(task: &W) -> bool {
    task.has_panicked()
}

fn has_failed<W: WaitableResult>(task: &W) -> bool {
    task.has_failed()
}

async fn wait_until<I>(
    tasks: I,
    return_when: ReturnWhen,
    timeout: Option<Duration>,
    failed: impl Fn(&I::Item) -> bool,
) -> (Vec<I::Item>, Vec<I::Item>)
where
    I: IntoIterator<Item: Waitable>,
{
    let enough = |task: &I::Item| match return_when {
        ReturnWhen::FirstCompleted => true,
        ReturnWhen::FirstException => failed(task),
        ReturnWhen::AllCompleted => false,
    };
    let mut running: FuturesUnordered<_> =
        tasks.into_iter().enumerate().map(Finished::new).collect();
    let mut done = Vec::with_capacity(running.len());
    let mut timer = pin!(timeout.map(crate::time::sleep));
    poll_fn(|cx| {
        if poll_enough(&mut running, &mut done, &enough, cx).is_ready() {
            return Poll::Ready(());
        }
        match timer.as_mut().as_pin_mut() {
            Some(timer) => timer.poll(cx),
            None => Poll::Pending,
        }
    })
    .await;
    split(done, running)
}

/// Moves tasks that have ended to `done`; ready when that is enough.
fn poll_enough<W: Waitable>(
    running: &mut FuturesUnordered<Finished<W>>,
    done: &mut Vec<(usize, W)>,
    enough: &impl Fn(&W) -> bool,
    cx: &mut Context<'_>,
) -> Poll<()> {
    while let Poll::Ready(next) = running.poll_next_unpin(cx) {
        // The end of the stream: everything has ended.
        let Some((index, task)) = next else {
            return Poll::Ready(());
        };
        let enough = enough(&task);
        done.push((index, task));
        if enough {
            return Poll::Ready(());
        }
    }
    Poll::Pending
}

/// Done and pending tasks in input order. Those that ended since they were last
/// looked at are done as well.
fn split<W: Waitable>(
    mut done: Vec<(usize, W)>,
    running: FuturesUnordered<Finished<W>>,
) -> (Vec<W>, Vec<W>) {
    let mut pending = Vec::with_capacity(running.len());
    for (index, task) in running.into_iter().map(Finished::into_task) {
        let side = if task.is_finished() {
            &mut done
        } else {
            &mut pending
        };
        side.push((index, task));
    }
    (in_input_order(done), in_input_order(pending))
}

fn in_input_order<W>(mut tasks: Vec<(usize, W)>) -> Vec<W> {
    tasks.sort_unstable_by_key(|(index, _)| *index);
    tasks.into_iter().map(|(_, task)| task).collect()
}
