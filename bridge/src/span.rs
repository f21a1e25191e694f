//! tracing's spans across threads: what is sent runs inside the sender's span.
//!
//! Spans stay out of the crate's own ways, which cost the same with and without
//! this feature: the closure that is sent is wrapped.
#![forbid(unsafe_code)]

use std::future::Future;
use tracing::instrument::Instrumented;
use tracing::{Instrument, Span};

/// Wraps the closure of a submission, so that it and its future run inside the
/// calling code's span.
///
/// # Examples
/// ```
/// use polyloop_bridge::{LoopGroup, run_coroutine_threadsafe, span::in_current_span};
/// use std::time::Duration;
///
/// let group = LoopGroup::builder().loops(1).build().unwrap();
/// let _request = tracing::info_span!("request").entered();
/// let work = in_current_span(|| async {
///     tracing::info!("inside of the request");
///     42
/// });
/// let sent = run_coroutine_threadsafe(group.handle(0), work);
/// assert_eq!(sent.result().unwrap(), 42);
/// # group.shutdown(Duration::from_secs(1));
/// ```
pub fn in_current_span<F, Fut>(f: F) -> impl FnOnce() -> Instrumented<Fut> + Send + 'static
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future + 'static,
{
    let span = Span::current();
    move || {
        let future = span.in_scope(f);
        future.instrument(span)
    }
}

/// Wraps the closure of a job or a callback, so that it runs inside the calling
/// code's span.
///
/// # Examples
/// ```
/// use polyloop_bridge::{ThreadPoolExecutor, span::call_in_current_span};
///
/// let _request = tracing::info_span!("request").entered();
/// let job = ThreadPoolExecutor::shared().submit(call_in_current_span(|| 42));
/// assert_eq!(job.result().unwrap(), 42);
/// ```
pub fn call_in_current_span<F, T>(f: F) -> impl FnOnce() -> T + Send + 'static
where
    F: FnOnce() -> T + Send + 'static,
{
    let span = Span::current();
    move || span.in_scope(f)
}
