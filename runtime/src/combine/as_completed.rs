//! Tasks in the order in which they end.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use futures::stream::FuturesUnordered;

use super::finished::{Finished, Waitable};

/// Yields the tasks themselves, each when it has ended, first come first:
/// `asyncio.as_completed`.
///
/// A yielded task is finished: awaiting it gives its result at once. The tasks
/// are [`Task`](crate::Task)s or `&mut Task`s. For a time limit put
/// [`timeout`](crate::timeout) around the wait for the next one; the stream can
/// be used on after that.
///
/// # Cancel safety
///
/// Dropping the stream, or a wait for its next task, cancels nothing.
///
/// ```
/// use futures::StreamExt;
/// use std::time::Duration;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let slow = polyloop::create_task(async {
///         polyloop::sleep(Duration::from_millis(5)).await;
///         "slow"
///     });
///     let fast = polyloop::create_task(async { "fast" });
///     let mut order = Vec::new();
///     let mut finished = polyloop::as_completed([slow, fast]);
///     while let Some(task) = finished.next().await {
///         order.push(task.await.expect("not cancelled"));
///     }
///     assert_eq!(order, ["fast", "slow"]);
/// })
/// # }
/// ```
#[doc(alias = "JoinSet")]
#[doc(alias = "FuturesUnordered")]
pub fn as_completed<I>(tasks: I) -> AsCompleted<I::Item>
where
    I: IntoIterator<Item: Waitable>,
{
    AsCompleted {
        running: tasks.into_iter().enumerate().map(Finished::new).collect(),
    }
}

/// The stream of [`as_completed`].
#[must_use = "nothing waits until the stream is polled"]
pub struct AsCompleted<W> {
    running: FuturesUnordered<Finished<W>>,
}

impl<W: Waitable> AsCompleted<W> {
    /// How many tasks have not been yielded yet.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.running.len()
    }

    /// The tasks that have not been yielded, in the order in which they were given.
    #[must_use]
    pub fn into_remaining(self) -> Vec<W> {
        let mut tasks: Vec<_> = self.running.into_iter().map(Finished::into_task).collect();
        tasks.sort_unstable_by_key(|(index, _)| *index);
        tasks.into_iter().map(|(_, task)| task).collect()
    }
}

impl<W: Waitable> Stream for AsCompleted<W> {
    type Item = W;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<W>> {
        let next = Pin::new(&mut self.running).poll_next(cx);
        next.map(|finished| finished.map(|(_, task)| task))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.running.len(), Some(self.running.len()))
    }
}

impl<W> fmt::Debug for AsCompleted<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("remaining", &self.running.len())
            .finish()
    }
}
