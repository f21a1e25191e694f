//! The first of two futures to be ready.

use std::future::Future;
use std::pin::pin;

use futures::future::select;

pub use futures::future::Either;

/// Runs two futures until one is ready, and drops the other one: what
/// `asyncio.wait(..., FIRST_COMPLETED)` is mostly used for.
///
/// If both are ready, `first` wins. When it answers, the loser is already
/// dropped; a [`Task`](crate::Task) that loses is detached and runs on.
///
/// # Cancel safety
///
/// Dropping it drops both.
///
/// ```
/// use polyloop::combine::Either;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let winner = polyloop::race(std::future::pending::<()>(), async { 7 }).await;
///     assert!(matches!(winner, Either::Right(7)));
/// })
/// # }
/// ```
#[doc(alias = "select")]
pub async fn race<A: Future, B: Future>(first: A, second: B) -> Either<A::Output, B::Output> {
    let (first, second) = (pin!(first), pin!(second));
    match select(first, second).await {
        Either::Left((output, _)) => Either::Left(output),
        Either::Right((output, _)) => Either::Right(output),
    }
}
