//! One piece of state a loop.
#![forbid(unsafe_code)]

use super::invocation::Invocation;
use super::{Foreign, Here, InvokeError};
use crate::LoopGroup;
use crate::group::rendezvous;
use crate::submit::{Submission, SubmissionError};
use polyloop::{LoopHandle, try_current_loop};
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll};

/// State in shards, one on each loop of a group: every shard is a `!Send` `S` of
/// its own that only its loop touches, so it needs no lock.
///
/// Clones are the same shards. Shards are numbered from 0 in the order of the
/// group's loops at the start; loops that are added later have none. A shard
/// whose loop is closed is gone, and work for it answers
/// [`is_loop_closed`](InvokeError::is_loop_closed); see [`Foreign`]. When the last
/// clone is dropped, each shard is dropped on its loop;
/// [`stop`](Self::stop) does that in order and waits.
///
/// # Examples
/// ```
/// use polyloop_bridge::{LoopGroup, Sharded};
/// use std::cell::RefCell;
/// use std::collections::HashMap;
///
/// type Shard = RefCell<HashMap<String, u64>>;
///
/// let group = LoopGroup::builder().loops(2).build()?;
/// let counts = Sharded::<Shard>::start(&group, |_| async { Shard::default() });
/// let counts = counts.result().unwrap();
/// for word in ["a", "b", "a"] {
///     let owner = counts.shard_by_key(word);
///     let counted = counts.invoke_on(owner, move |shard| async move {
///         *shard.borrow_mut().entry(word.to_owned()).or_default() += 1;
///     });
///     counted.result().unwrap();
/// }
/// let total = counts.map_reduce(
///     |shard| async move { shard.borrow().values().sum::<u64>() },
///     0,
///     |sum, part| sum + part,
/// );
/// polyloop::run(async {
///     assert_eq!(total.await.unwrap(), 3);
///     counts.stop().await.unwrap();
/// })
/// .unwrap();
/// # Ok::<(), polyloop_bridge::group::GroupError>(())
/// ```
pub struct Sharded<S: 'static> {
    inner: Arc<Inner<S>>,
}

struct Inner<S: 'static> {
    shards: Box<[Foreign<S>]>,
    stopped: AtomicBool,
}

impl<S: 'static> Sharded<S> {
    /// Makes a shard on every loop of the group; `make` is given the shard's
    /// number and is called on its loop. The work is sent at the call.
    ///
    /// # Errors
    /// The future, or [`Starting::result`] on a plain thread, gives the first
    /// shard's that was not made; those that were are dropped on their loops.
    #[track_caller]
    pub fn start<F, Fut>(group: &LoopGroup, make: F) -> Starting<S>
    where
        F: Fn(usize) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = S> + 'static,
    {
        Self::start_on(group.iter(), make)
    }

    /// As [`start`](Self::start), on these loops, for instance those of a
    /// [`Role`](crate::group::Role).
    #[track_caller]
    pub fn start_on<'a, F, Fut>(
        loops: impl IntoIterator<Item = &'a LoopHandle>,
        make: F,
    ) -> Starting<S>
    where
        F: Fn(usize) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = S> + 'static,
    {
        let make = Arc::new(make);
        let mut sent = Vec::new();
        for (number, home) in loops.into_iter().enumerate() {
            let make = make.clone();
            sent.push(Foreign::make_on(home, move || make(number)));
        }
        Starting {
            made: Vec::with_capacity(sent.len()),
            sent: sent.into_iter(),
            next: None,
        }
    }

    /// How many shards there are.
    pub fn len(&self) -> usize {
        self.inner.shards.len()
    }

    /// Are there no shards, since there were no loops?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The loop of a shard.
    ///
    /// # Panics
    /// If there are not so many shards.
    pub fn home(&self, shard: usize) -> &LoopHandle {
        self.inner.shards[shard].home()
    }

    /// The shard that owns this key; always the same for the same number of
    /// shards, and with one shard more only that one's keys differ.
    ///
    /// # Panics
    /// If there are no shards.
    pub fn shard_by_key<K: Hash + ?Sized>(&self, key: &K) -> usize {
        let owner = rendezvous(key, 0..self.len());
        owner.expect("shards of no loops own no keys: start them on some")
    }

    /// The running loop's own shard.
    ///
    /// # Panics
    /// Where [`try_local`](Self::try_local) gives `None`.
    #[track_caller]
    pub fn local(&self) -> Here<S> {
        match self.try_local() {
            Some(shard) => shard,
            None => panic!("this code runs on a loop without a shard, or the shards were stopped"),
        }
    }

    /// The running loop's own shard; `None` outside of the loops that have one,
    /// and when it was stopped.
    pub fn try_local(&self) -> Option<Here<S>> {
        let current = try_current_loop()?;
        let mut shards = self.inner.shards.iter();
        shards.find(|shard| *shard.home() == current)?.here()
    }

    /// Calls `f` with a shard on its loop and runs the future that it makes there
    /// as a task. The work is sent at the call; that of one thread for one shard
    /// starts in the order in which it was sent.
    ///
    /// # Errors
    /// Those of the [`Invocation`].
    ///
    /// # Panics
    /// If there are not so many shards.
    #[track_caller]
    pub fn invoke_on<F, Fut>(&self, shard: usize, f: F) -> Invocation<Fut::Output>
    where
        F: FnOnce(Here<S>) -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Send + 'static,
    {
        self.inner.shards[shard].invoke(f)
    }

    /// Calls `f` with every shard, on their loops. The work is sent at the call;
    /// the future gives the outcomes in the order of the shards.
    #[track_caller]
    pub fn invoke_on_all<F, Fut>(
        &self,
        f: F,
    ) -> impl Future<Output = Vec<Result<Fut::Output, InvokeError>>> + use<S, F, Fut>
    where
        F: Fn(Here<S>) -> Fut + Send + Sync + 'static,
        Fut: Future + 'static,
        Fut::Output: Send + 'static,
    {
        let f = Arc::new(f);
        let mut sent = Vec::with_capacity(self.len());
        for shard in &self.inner.shards {
            let f = f.clone();
            sent.push(shard.invoke(move |value| f(value)));
        }
        async move {
            let mut outcomes = Vec::with_capacity(sent.len());
            for invocation in sent {
                outcomes.push(invocation.await);
            }
            outcomes
        }
    }

    /// Calls `map` with every shard, on their loops, and folds the values in the
    /// order of the shards. The work is sent at the call.
    ///
    /// # Errors
    /// The first shard's that gave no value.
    #[track_caller]
    pub fn map_reduce<F, Fut, A, R>(
        &self,
        map: F,
        first: A,
        mut reduce: R,
    ) -> impl Future<Output = Result<A, InvokeError>> + use<S, F, Fut, A, R>
    where
        F: Fn(Here<S>) -> Fut + Send + Sync + 'static,
        Fut: Future + 'static,
        Fut::Output: Send + 'static,
        R: FnMut(A, Fut::Output) -> A,
    {
        let all = self.invoke_on_all(map);
        async move {
            let mut sum = first;
            for value in all.await {
                sum = reduce(sum, value?);
            }
            Ok(sum)
        }
    }

    /// Ends the shards one after the other, the last one first: each is dropped
    /// on its loop when the invocations of it that have begun have ended, and
    /// only then the one before it. Later invocations answer
    /// [`is_stopped`](InvokeError::is_stopped).
    ///
    /// An invocation must not await this, since it would wait for itself.
    ///
    /// # Errors
    /// [`is_stopped`](InvokeError::is_stopped) if they were stopped before.
    ///
    /// # Cancel safety
    /// Shards that it had not come to go on until the last clone is dropped.
    pub async fn stop(&self) -> Result<(), InvokeError> {
        self.begin_stop()?;
        for shard in self.inner.shards.iter().rev() {
            shard.end_now().await;
        }
        Ok(())
    }

    /// As [`stop`](Self::stop), and before a shard is ended, `f` is called with
    /// it on its loop and awaited: to write something out, to tell its peers.
    /// Shards before it are still whole then.
    ///
    /// # Errors
    /// As [`stop`](Self::stop); else that of the first shard for which `f` did
    /// not come to its end. All the shards are ended in any case.
    pub async fn stop_with<F, Fut>(&self, f: F) -> Result<(), InvokeError>
    where
        F: Fn(Here<S>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        self.begin_stop()?;
        let f = Arc::new(f);
        let mut outcome = Ok(());
        for shard in self.inner.shards.iter().rev() {
            let f = f.clone();
            let ended = shard.invoke(move |value| f(value)).await;
            outcome = outcome.and(ended);
            shard.end_now().await;
        }
        outcome
    }

    fn begin_stop(&self) -> Result<(), InvokeError> {
        match self.inner.stopped.swap(true, SeqCst) {
            false => Ok(()),
            true => Err(InvokeError::Stopped),
        }
    }
}

impl<S: 'static> Clone for Sharded<S> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
        }
    }
}

impl<S: 'static> fmt::Debug for Sharded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sharded")
            .field("shards", &self.len())
            .field("stopped", &self.inner.stopped)
            .finish()
    }
}

/// The shards while they are being made; await it, or ask for its
/// [`result`](Self::result) on a plain thread.
///
/// # Cancel safety
/// Dropping it drops the shards that were made, on their loops, and those that
/// are being made when they are.
#[must_use = "the shards are dropped when this is"]
pub struct Starting<S: 'static> {
    made: Vec<Foreign<S>>,
    next: Option<Submission<Foreign<S>>>,
    sent: std::vec::IntoIter<Submission<Foreign<S>>>,
}

impl<S: 'static> Starting<S> {
    /// Blocks the calling thread until all shards are made.
    ///
    /// # Errors
    /// The first shard's that was not made; among others, that the calling
    /// thread is one of the loops', which would wait for itself.
    pub fn result(mut self) -> Result<Sharded<S>, SubmissionError> {
        for submission in self.next.take().into_iter().chain(self.sent) {
            self.made.push(submission.result()?);
        }
        Ok(sharded(self.made))
    }
}

impl<S: 'static> Future for Starting<S> {
    type Output = Result<Sharded<S>, SubmissionError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            if this.next.is_none() {
                this.next = this.sent.next();
            }
            let Some(next) = &mut this.next else {
                return Poll::Ready(Ok(sharded(std::mem::take(&mut this.made))));
            };
            match Pin::new(next).poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(shard)) => this.made.push(shard),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
            this.next = None;
        }
    }
}

fn sharded<S: 'static>(shards: Vec<Foreign<S>>) -> Sharded<S> {
    Sharded {
        inner: Arc::new(Inner {
            shards: shards.into(),
            stopped: AtomicBool::new(false),
        }),
    }
}

impl<S: 'static> fmt::Debug for Starting<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Starting")
            .field("made", &self.made.len())
            .finish_non_exhaustive()
    }
}
