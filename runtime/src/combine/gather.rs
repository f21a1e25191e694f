//! All outputs of several futures, in the order of the futures.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::{JoinAll, TryFuture, TryJoinAll, join_all, try_join_all};
use pin_project_lite::pin_project;

/// Runs the futures concurrently and returns their outputs in input order:
/// `asyncio.gather` with `return_exceptions=True`.
///
/// For a handful of futures of different types use [`gather!`](crate::gather!).
/// No futures give an empty vector at once. A gathered [`Task`](crate::Task)
/// gives a `Result`, so the failure of one keeps nothing from the others.
///
/// # Cancel safety
///
/// Dropping it drops the futures. Tasks among them are detached and run on.
///
/// # Panics
///
/// A panic of a future goes through to the caller, and the others are dropped.
/// A task that panics gives an error instead.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let tasks = (1..=3).map(|n| polyloop::create_task(async move { n * n }));
///     let squares = polyloop::gather(tasks).await;
///     let squares: Vec<_> = squares.into_iter().map(Result::unwrap).collect();
///     assert_eq!(squares, [1, 4, 9]);
/// })
/// # }
/// ```
#[doc(alias = "join_all")]
pub fn gather<I>(futures: I) -> Gather<I::Item>
where
    I: IntoIterator<Item: Future>,
{
    Gather {
        all: join_all(futures),
    }
}

/// Runs the futures concurrently and returns their values in input order, or
/// the first error as soon as there is one: `asyncio.gather`.
///
/// The first error in time counts. The other futures are dropped then; tasks
/// among them are detached and run on.
///
/// # Errors
///
/// The first error that any of the futures came to.
///
/// # Cancel safety
///
/// As for [`gather`].
///
/// # Panics
///
/// As for [`gather`].
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let texts = ["1", "2", "x"];
///     let parsed = texts.map(|text| async move { text.parse::<i32>() });
///     assert!(polyloop::try_gather(parsed).await.is_err());
///
///     let parsed = ["1", "2"].map(|text| async move { text.parse::<i32>() });
///     assert_eq!(polyloop::try_gather(parsed).await, Ok(vec![1, 2]));
/// })
/// # }
/// ```
#[doc(alias = "try_join_all")]
pub fn try_gather<I>(futures: I) -> TryGather<I::Item>
where
    I: IntoIterator<Item: TryFuture>,
{
    TryGather {
        all: try_join_all(futures),
    }
}

/// Runs a fixed number of futures concurrently and returns their outputs as a
/// tuple in input order: `asyncio.gather`.
///
/// The futures may be of different types, and nothing is allocated. They are
/// first polled in the order given. Cancel safety and panics are those of
/// [`gather`](crate::gather()).
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let task = polyloop::create_task(async { "three" });
///     let (one, two, three) =
///         polyloop::gather!(async { 1 }, async { '2' }, task).await;
///     assert_eq!((one, two), (1, '2'));
///     assert_eq!(three.expect("the task neither panics nor is cancelled"), "three");
/// })
/// # }
/// ```
#[doc(alias = "join")]
#[macro_export]
macro_rules! gather {
    // Joins pair by pair, and keeps a pattern that takes the pairs apart again.
    (@pairs $joined:expr, $pattern:pat, ($($output:ident)+)) => {
        $crate::combine::expansion::FutureExt::map($joined, |$pattern| ($($output,)+))
    };
    (@pairs $joined:expr, $pattern:pat, ($($output:ident)+) $next:expr, $($rest:expr,)*) => {
        $crate::gather!(
            @pairs
            $crate::combine::expansion::join($joined, $next),
            ($pattern, output),
            ($($output)+ output)
            $($rest,)*
        )
    };
    ($first:expr $(, $rest:expr)* $(,)?) => {
        $crate::gather!(@pairs $first, output, (output) $($rest,)*)
    };
}

pin_project! {
    /// The future of [`gather`].
    #[must_use = "nothing runs until the future is awaited"]
    pub struct Gather<F>
    where
        F: Future,
    {
        #[pin]
        all: JoinAll<F>,
    }
}

impl<F: Future> Future for Gather<F> {
    type Output = Vec<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().all.poll(cx)
    }
}

impl<F: Future> fmt::Debug for Gather<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather").finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`try_gather`].
    #[must_use = "nothing runs until the future is awaited"]
    pub struct TryGather<F>
    where
        F: TryFuture,
    {
        #[pin]
        all: TryJoinAll<F>,
    }
}

impl<F: TryFuture> Future for TryGather<F> {
    type Output = Result<Vec<F::Ok>, F::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().all.poll(cx)
    }
}

impl<F: TryFuture> fmt::Debug for TryGather<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryGather").finish_non_exhaustive()
    }
}
