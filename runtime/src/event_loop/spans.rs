//! Tracing spans: with the feature `tracing`, a task or callback runs, and its
//! future is dropped, inside the span of the code that made it. Without the
//! feature these functions are nothing at all.
#![forbid(unsafe_code)]

#[cfg(feature = "tracing")]
mod kept {
    use tracing::{Instrument, Span};

    pub(crate) fn in_span<F: Future>(future: F) -> impl Future<Output = F::Output> {
        future.in_current_span()
    }

    pub(crate) fn call_in_span(call: impl FnOnce() + 'static) -> impl FnOnce() + 'static {
        let span = Span::current();
        move || span.in_scope(call)
    }
}

#[cfg(not(feature = "tracing"))]
mod kept {
    #[inline(always)]
    pub(crate) fn in_span<F: Future>(future: F) -> F {
        future
    }

    #[inline(always)]
    pub(crate) fn call_in_span<F: FnOnce() + 'static>(call: F) -> F {
        call
    }
}

pub(super) use kept::{call_in_span, in_span};

#[cfg(all(test, feature = "tracing"))]
#[path = "spans_tests.rs"]
mod tests;
