//! Work sent to a loop from another thread: one allocation, made by the sender,
//! that is the task's cell from the start.
//!
//! The cell's outcome is the sender's ([`Outcome`]): it is told exactly once, on
//! the loop's own thread, what became of the work, because the cell's `finish`
//! runs exactly once: after the poll that ends the future, at a cancellation,
//! or when the loop is closed. What a closed loop refuses is taken apart again
//! and comes back whole.

use super::handle::LoopHandle;
use crate::error::TaskError;
use crate::task::state::Word;
use crate::task::{Home, Parts, Prefix, Sink, TaskRef, flags};
use crate::task::{allocate, dismantle, layout_of, recycle, vtable};
use crate::util::thread_number;
use crate::util::trail;
use pin_project_lite::pin_project;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Where the result of submitted work goes.
///
/// It lives inside the task's one allocation, next to the future, and is shared
/// with the sender through [`Remote`].
pub trait Outcome<T>: Send + Sync + 'static {
    /// Takes what became of the work. Called exactly once, on the loop's own
    /// thread; it must not block. A panic in it goes to the exception handler.
    fn resolve(&self, result: Result<T, TaskError>);
}

/// The sender's handle to work that a loop has accepted; it dereferences to the
/// [`Outcome`]. Dropping it leaves the work alone.
#[must_use = "without the handle nobody learns the outcome; drop it to detach the work"]
pub struct Remote<O> {
    task: TaskRef,
    _outcome: PhantomData<O>,
}

// SAFETY: it counts its reference in the atomic word, and gives out `&O` only.
unsafe impl<O: Send + Sync> Send for Remote<O> {}
// SAFETY: as above.
unsafe impl<O: Send + Sync> Sync for Remote<O> {}

/// Work that a closed loop did not take: everything comes back.
pub struct Refused<F, O> {
    /// The closure that would have made the future.
    pub make: F,
    /// The outcome that would have been told.
    pub outcome: O,
}

/// The sink of a submitted task: it passes the result on and keeps nothing.
#[repr(transparent)]
pub(crate) struct Told<O>(O);

impl<T, O: Outcome<T>> Sink<T> for Told<O> {
    const KEEPS: bool = false;

    fn deliver(&self, result: Result<T, TaskError>) -> Option<Result<T, TaskError>> {
        self.0.resolve(result);
        None
    }
}

pin_project! {
    /// The closure until the first poll, then the future that it made.
    #[project = DeferredProjection]
    enum Deferred<F, Fut> {
        Make { make: Option<F> },
        Made { #[pin] future: Fut },
    }
}

impl<F: FnOnce() -> Fut, Fut: Future> Future for Deferred<F, Fut> {
    type Output = Fut::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Fut::Output> {
        if let DeferredProjection::Make { make } = self.as_mut().project()
            && let Some(make) = make.take()
        {
            let future = make();
            self.set(Deferred::Made { future });
        }
        match self.project() {
            DeferredProjection::Made { future } => future.poll(cx),
            DeferredProjection::Make { .. } => unreachable!("the closure was there to be called"),
        }
    }
}

/// Makes the cell and sends it.
pub(crate) fn submit_to<H, F, Fut, O>(
    target: &LoopHandle,
    location: &'static Location<'static>,
    make: F,
    outcome: O,
) -> Result<Remote<O>, Refused<F, O>>
where
    H: Home,
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future + 'static,
    O: Outcome<Fut::Output>,
{
    if target.is_closed() {
        return Err(Refused { make, outcome });
    }
    let layout = layout_of::<Deferred<F, Fut>, Told<O>>();
    let memory = recycle::allocate_elsewhere(layout, target.mailbox().returns());
    let parts = Parts {
        word: Word::submitted(),
        home: target.home(),
        vtable: vtable::<Deferred<F, Fut>, Told<O>, H>(),
        location,
        flags: flags::FRESH | flags::SUBMITTED | flags::DETACHED,
        outcome: Told(outcome),
        future: Deferred::Make { make: Some(make) },
    };
    // SAFETY: the memory is fresh and of the right layout.
    let task = unsafe { allocate(memory, parts) };
    task.header().set_trail(trail(task.as_ptr().addr()));
    match target.mailbox().push(task) {
        // The word was made with this handle's reference in it.
        Ok(()) => Ok(Remote {
            task,
            _outcome: PhantomData,
        }),
        Err(task) => {
            // SAFETY: it was refused, so nobody else has seen it.
            let (future, outcome) = unsafe { dismantle::<Deferred<F, Fut>, Told<O>>(task) };
            match future {
                Deferred::Make { make: Some(make) } => Err(Refused {
                    make,
                    outcome: outcome.0,
                }),
                _ => unreachable!("a refused cell was never polled"),
            }
        }
    }
}

impl<O> Remote<O> {
    /// Asks the work to end: its future (or the closure, if it has not begun)
    /// is dropped on its own loop, which then tells the outcome. `false` if it
    /// is finished already.
    pub fn cancel(&self) -> bool {
        self.task.cancel_elsewhere(|task| {
            let home = task.header().home.cast::<super::Mailbox>();
            // SAFETY: a cell's home is a mailbox, and the cell keeps it alive.
            unsafe { home.as_ref() }.push(task).is_ok()
        })
    }
}

impl<O> Remote<O> {
    /// The handle of the loop that has the work.
    pub fn loop_handle(&self) -> LoopHandle {
        // SAFETY: a cell's home is a mailbox, and the cell keeps it alive.
        unsafe { LoopHandle::new(self.task.header().home.cast()) }
    }

    /// Does the loop that has the work live on the calling thread? Blocking
    /// here until the work is done would never end.
    pub fn is_own_thread(&self) -> bool {
        let home = self.task.header().home.cast::<super::Mailbox>();
        // SAFETY: a cell's home is a mailbox, and the cell keeps it alive.
        unsafe { home.as_ref() }.thread == thread_number()
    }
}

impl<O> std::ops::Deref for Remote<O> {
    type Target = O;

    fn deref(&self) -> &O {
        let prefix = self.task.as_ptr().cast::<Prefix<Told<O>>>();
        // SAFETY: this handle's reference keeps the cell alive, the outcome
        // stands right behind the header (repr(C)), and it is dropped with the
        // cell only.
        unsafe { &(*prefix).outcome.0 }
    }
}

impl<O> Clone for Remote<O> {
    fn clone(&self) -> Self {
        self.task.retain_elsewhere();
        Self {
            task: self.task,
            _outcome: PhantomData,
        }
    }
}

impl<O> Drop for Remote<O> {
    fn drop(&mut self) {
        // SAFETY: this handle's own reference, given up once.
        unsafe { self.task.release_elsewhere() }
    }
}

impl<O: fmt::Debug> fmt::Debug for Remote<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&**self).finish()
    }
}

impl<F, O> fmt::Debug for Refused<F, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refused { .. }")
    }
}

impl<F, O> fmt::Display for Refused<F, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the loop is closed; send the work to another one")
    }
}

impl<F, O> std::error::Error for Refused<F, O> {}
