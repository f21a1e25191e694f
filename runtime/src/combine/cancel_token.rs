//! Asking for an end without dropping anything: [`CancelToken`].
#![forbid(unsafe_code)]

use crate::sync::Event;
use slab::Slab;
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::rc::{Rc, Weak};

/// A request to end that tasks look at or wait for, with a tree of children.
///
/// Cancelling a [`Task`](crate::Task) drops its future where it stands. Clean-up
/// that has to await is written with a token: the work watches it, and ends by
/// itself. Clones are the same token; [`child`](Self::child) makes one that is
/// cancelled with its parent, and alone. It belongs to one loop.
///
/// # Examples
/// ```
/// use polyloop::CancelToken;
///
/// # polyloop::run(async {
/// let token = CancelToken::new();
/// let worker = polyloop::create_task({
///     let token = token.child();
///     async move {
///         let work = token.run_until_cancelled(std::future::pending::<()>());
///         assert!(work.await.is_none());
///         polyloop::yield_now().await; // clean-up may await
///         "cleaned up"
///     }
/// });
/// polyloop::yield_now().await;
/// token.cancel();
/// assert_eq!(worker.await.unwrap(), "cleaned up");
/// # }).unwrap();
/// ```
#[doc(alias = "CancellationToken")]
#[derive(Clone)]
pub struct CancelToken {
    node: Rc<Node>,
}

struct Node {
    cancelled: Event,
    children: RefCell<Slab<Weak<Node>>>,
    /// The parent, which lives as long, and the place in its list.
    parent: Option<(Rc<Node>, usize)>,
}

impl CancelToken {
    /// A token without a parent, not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::with_parent(None)
    }

    /// A token that is cancelled when this one is, and can be cancelled without
    /// it. A child of a cancelled token is cancelled.
    #[must_use]
    pub fn child(&self) -> Self {
        let place = self.node.children.borrow_mut().insert(Weak::new());
        let child = Self::with_parent(Some((self.node.clone(), place)));
        self.node.children.borrow_mut()[place] = Rc::downgrade(&child.node);
        if self.is_cancelled() {
            child.cancel();
        }
        child
    }

    /// Cancels this token and all below it, for good. Who waits goes on in the
    /// next turn.
    pub fn cancel(&self) {
        // A list, since a chain of children may be longer than the stack.
        let mut left = vec![self.node.clone()];
        while let Some(node) = left.pop() {
            if !node.cancelled.is_set() {
                let children = node.children.borrow();
                left.extend(children.iter().filter_map(|(_, child)| child.upgrade()));
                drop(children);
                node.cancelled.set();
            }
        }
    }

    /// Has it been cancelled?
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.node.cancelled.is_set()
    }

    /// Waits until it is cancelled; ready at once if it is.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn cancelled(&self) {
        self.node.cancelled.wait().await;
    }

    /// Runs `future` until it is done or the token is cancelled, and gives its
    /// output, or `None`. It is dropped before this answers. A future that is
    /// done by then wins; under a cancelled token it is not polled at all.
    ///
    /// # Cancel safety
    /// Dropping it drops the future.
    pub async fn run_until_cancelled<F: Future>(&self, future: F) -> Option<F::Output> {
        if self.is_cancelled() {
            return None;
        }
        let (future, cancelled) = (pin!(future), pin!(self.cancelled()));
        match super::race(future, cancelled).await {
            super::Either::Left(output) => Some(output),
            super::Either::Right(()) => None,
        }
    }

    /// A guard that cancels the token when it is dropped.
    pub fn drop_guard(self) -> CancelGuard {
        CancelGuard { token: self }
    }

    fn with_parent(parent: Option<(Rc<Node>, usize)>) -> Self {
        Self {
            node: Rc::new(Node {
                cancelled: Event::new(),
                children: RefCell::default(),
                parent,
            }),
        }
    }
}

impl Default for CancelToken {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // A chain whose every link was kept by the next alone comes apart link
        // by link here, not by calls inside of calls.
        let mut parent = self.parent.take();
        while let Some((node, place)) = parent {
            node.children.borrow_mut().remove(place);
            parent = Rc::into_inner(node).and_then(|mut node| node.parent.take());
        }
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken")
            .field("cancelled", &self.is_cancelled())
            .field("children", &self.node.children.borrow().len())
            .finish()
    }
}

/// Cancels its token when it is dropped; see [`CancelToken::drop_guard`].
#[must_use = "dropping it cancels the token at once"]
#[derive(Debug)]
pub struct CancelGuard {
    token: CancelToken,
}

impl CancelGuard {
    /// The token itself.
    pub fn token(&self) -> &CancelToken {
        &self.token
    }
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        self.token.cancel();
    }
}

#[cfg(test)]
#[path = "cancel_token_tests.rs"]
mod tests;
