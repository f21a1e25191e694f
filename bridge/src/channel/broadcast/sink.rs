//! The sender of a broadcast as a sink of the `futures` crates.
#![forbid(unsafe_code)]

use super::Sender;
use crate::channel::SendError;
use crate::waiters::poll_fairly;
use futures::Sink;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A [`Sender`] as a [`Sink`], from [`Sender::into_sink`]; it is always ready.
///
/// Closing it drops the sender; other senders go on.
///
/// # Examples
/// ```
/// use futures::SinkExt;
/// use polyloop_bridge::channel::broadcast;
///
/// let (sender, mut receiver) = broadcast::channel(4);
/// polyloop::run(async move {
///     let mut sink = sender.into_sink();
///     sink.send(1).await.unwrap();
///     sink.close().await.unwrap();
///     assert_eq!(receiver.recv().await, Ok(1));
///     assert!(receiver.recv().await.is_err());
/// })
/// .unwrap();
/// ```
#[must_use = "a sink does nothing unless it is fed"]
pub struct SenderSink<T> {
    /// `None` after the sink was closed.
    sender: Option<Sender<T>>,
}

impl<T> Sender<T> {
    /// This sender as a [`Sink`].
    pub fn into_sink(self) -> SenderSink<T> {
        SenderSink { sender: Some(self) }
    }
}

impl<T> SenderSink<T> {
    /// The sender, unless the sink was closed.
    pub fn into_inner(self) -> Option<Sender<T>> {
        self.sender
    }
}

impl<T> Sink<T> for SenderSink<T> {
    type Error = SendError<T>;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        poll_fairly(cx, |_| Poll::Ready(Ok(())))
    }

    fn start_send(self: Pin<&mut Self>, value: T) -> Result<(), SendError<T>> {
        match &self.sender {
            Some(sender) => sender.send(value).map(drop),
            None => Err(SendError(value)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        self.get_mut().sender = None;
        Poll::Ready(Ok(()))
    }
}

// The values are moved through, never pinned.
impl<T> Unpin for SenderSink<T> {}

impl<T> fmt::Debug for SenderSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("broadcast::SenderSink")
            .field("sender", &self.sender)
            .finish()
    }
}
