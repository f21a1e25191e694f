//! A scenario's future, for a runtime that wants `Send` ones.
//!
//! # Invariant
//! A: a scenario's futures hold across an await nothing but what is `Send` and
//! what the runtime itself made (see [`runtime`](crate::runtime)), and are
//! given here only by runtimes whose own futures are `Send`, or which never
//! move a task from its thread. So they are `Send` in fact, which their generic
//! types cannot say.
#![allow(unsafe_code, reason = "invariant A")]

use std::pin::Pin;
use std::task::{Context, Poll};

/// A future, or its output, that is `Send` by invariant A.
pub struct AssumeSend<T>(pub T);

// SAFETY: invariant A.
unsafe impl<T> Send for AssumeSend<T> {}

impl<F: Future> Future for AssumeSend<F> {
    type Output = AssumeSend<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: a plain projection: the field is moved out of nowhere, and
        // this type has neither `Drop` nor an `Unpin` of its own.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.0) };
        future.poll(cx).map(AssumeSend)
    }
}
