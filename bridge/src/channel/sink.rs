//! A sender as a sink of the `futures` crates.
#![forbid(unsafe_code)]

use super::{SendError, Sender, TrySendError};
use crate::waiters::{Ticket, poll_fairly};
use futures::Sink;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A [`Sender`] as a [`Sink`], from [`Sender::into_sink`].
///
/// It holds one value of its own: the one that was given to it when the channel
/// was full. [`into_inner`](Self::into_inner) gives it back.
///
/// # Examples
/// ```
/// use futures::{SinkExt, StreamExt};
/// use polyloop_bridge::channel;
///
/// let (sender, receiver) = channel::bounded(2);
/// polyloop::run(async {
///     let filling = polyloop::create_task(async move {
///         let mut sink = sender.into_sink();
///         let mut values = futures::stream::iter((0..5).map(Ok));
///         sink.send_all(&mut values).await
///     });
///     assert_eq!(receiver.collect::<Vec<_>>().await, [0, 1, 2, 3, 4]);
///     assert_eq!(filling.await.unwrap(), Ok(()));
/// })
/// .unwrap();
/// ```
#[must_use = "a sink does nothing unless it is fed"]
pub struct SenderSink<T> {
    /// `None` after the sink was closed.
    sender: Option<Sender<T>>,
    value: Option<T>,
    ticket: Ticket,
}

impl<T> Sender<T> {
    /// This sender as a [`Sink`].
    pub fn into_sink(self) -> SenderSink<T> {
        SenderSink {
            sender: Some(self),
            value: None,
            ticket: Ticket::new(),
        }
    }
}

impl<T> SenderSink<T> {
    /// The sender, unless the sink was closed, and the value that the channel
    /// has not taken yet.
    pub fn into_inner(mut self) -> (Option<Sender<T>>, Option<T>) {
        self.leave();
        (self.sender.take(), self.value.take())
    }

    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        let Some(sender) = &self.sender else {
            return Poll::Ready(
                self.value
                    .take()
                    .map_or(Ok(()), |back| Err(SendError(back))),
            );
        };
        match self.value.is_some() {
            true => sender.poll_send(&mut self.value, &mut self.ticket, cx),
            false => Poll::Ready(Ok(())),
        }
    }

    fn leave(&mut self) {
        if let Some(sender) = &self.sender {
            sender.pass(&mut self.ticket);
        }
    }
}

impl<T> Sink<T> for SenderSink<T> {
    type Error = SendError<T>;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        // Once a value: the other steps take nothing from the budget.
        poll_fairly(cx, |cx| self.get_mut().poll_sent(cx))
    }

    /// # Panics
    /// If it is called without `poll_ready` having been ready before.
    fn start_send(self: Pin<&mut Self>, value: T) -> Result<(), SendError<T>> {
        let this = self.get_mut();
        assert!(this.value.is_none(), "start_send comes after poll_ready");
        let Some(sender) = &this.sender else {
            return Err(SendError(value));
        };
        match sender.try_send(value) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(value)) => Err(SendError(value)),
            Err(TrySendError::Full(value)) => {
                this.value = Some(value);
                Ok(())
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        self.get_mut().poll_sent(cx)
    }

    /// Sends what is left, then drops the sender; other senders go on.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        let this = self.get_mut();
        let sent = this.poll_sent(cx);
        if sent.is_ready() {
            this.leave();
            this.sender = None;
        }
        sent
    }
}

// The value is moved in and out, never pinned.
impl<T> Unpin for SenderSink<T> {}

impl<T> Drop for SenderSink<T> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<T> fmt::Debug for SenderSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("channel::SenderSink")
            .field("sender", &self.sender)
            .field("holds_a_value", &self.value.is_some())
            .finish_non_exhaustive()
    }
}
